"""Filling a procedure's slots from a task."""

from __future__ import annotations

import pytest

from memp.evaluation.agents.binding import align, bind
from memp.model import Step, Trajectory

HOT = ("put a hot {thing} in {target}",)


@pytest.mark.parametrize(
    ("patterns", "task", "bound"),
    [
        (HOT, "put a hot mug in cabinet", {"thing": "mug", "target": "cabinet"}),
        (HOT, "Put a hot  mug in cabinet.", {"thing": "mug", "target": "cabinet"}),
        (HOT, "heat some egg and put it in fridge", {"thing": "egg", "target": "fridge"}),
        (HOT, "put a cool egg in fridge", {"thing": "egg", "target": "fridge"}),
        (("put two {thing} in {target}",), "find two pen and put them in desk", {"thing": "pen", "target": "desk"}),
        (
            ("look at {thing} under the {lamp}",),
            "examine the pen with the desklamp",
            {"thing": "pen", "lamp": "desklamp"},
        ),
        (("heat {thing} in {target}", *HOT), "put a hot mug in cabinet", {"thing": "mug", "target": "cabinet"}),
        (HOT, "wait", None),
        (("put a hot {thing} in sofa",), "put a hot mug in cabinet", {"thing": "mug"}),
        (("put a hot {thing} in sofa",), "heat some egg and put it in fridge", {"thing": "egg"}),
        (("put a hot {thing} in sofa",), "put a hot mug in sofa", {"thing": "mug"}),
        (("put a hot {thing} in sofa",), "look at mug", {"thing": "mug"}),
        (("take {a} from the box to {b}",), "bring mug from drawer to desk", {"a": "mug", "b": "desk"}),
        ((), "anything", {}),
    ],
)
def test_bind(patterns: tuple[str, ...], task: str, bound: dict[str, str] | None) -> None:
    """
    A wording that fits is read by its slots; another by the order of names, those written out counted with the slots.

    Too few names give None.
    """
    assert bind(patterns, task) == bound


def test_align_swaps_the_names_that_were_handled() -> None:
    """Names of the old task that its run handled are matched, in order, with the names of the new one."""
    run = Trajectory(
        task="put some pen on shelf",
        steps=(Step(action="take pen 2 from desk 1"), Step(action="move pen 2 to shelf 3")),
        success=True,
    )
    assert align(run, "put a book in sofa") == {"pen": "book", "shelf": "sofa"}
    assert align(run, "sit down") is None
