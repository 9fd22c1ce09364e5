"""A recorded run as steps."""

from __future__ import annotations

from memp.evaluation.agents.reading import Reader
from memp.evaluation.agents.replay import steps_of
from memp.model import Step, Trajectory
from memp.script.nodes import Act, Find


def deeds(*actions: str, task: str = "put a warm bun in bowl") -> list[str]:
    """Return the steps that a run of *actions* is boiled down to, each as its name with its arguments."""
    run = Trajectory(
        task=task, steps=tuple(Step(action=action, observation="Done.") for action in actions), success=True
    )
    found = steps_of(run, "put a warm pie in box", Reader(None))
    assert found is not None
    steps, names = found
    assert set(names.values()) <= {"pie", "box"}
    shown = []
    for step in steps:
        assert isinstance(step, Act | Find)
        shown.append(
            " ".join(
                [step.call.name, *(str(getattr(arg, "name", getattr(arg, "value", ""))) for arg in step.call.args)]
            )
        )
    return shown


def test_walks_and_looks_are_left_out() -> None:
    """Only what was done to the named things stays; where the thing lay becomes a search."""
    assert deeds(
        "go to shelf 1",
        "take bun 1 from shelf 1",
        "go to oven 1",
        "open oven 1",
        "bake bun 1 with oven 1",
        "move bun 1 to bowl 1",
    ) == [
        "find bun_1",
        "take bun_1 source_0",
        "bake bun_1 oven 1",
        "move bun_1 bowl_1",
    ]


def test_detours_are_left_out() -> None:
    """What was put down only to be taken up again is not repeated."""
    assert deeds(
        "take bun 1 from shelf 1",
        "move bun 1 to bowl 1",
        "take bun 1 from bowl 1",
        "bake bun 1 with oven 1",
        "move bun 1 to bowl 1",
    ) == ["find bun_1", "take bun_1 source_0", "bake bun_1 oven 1", "move bun_1 bowl_1"]


def test_things_that_made_no_difference_are_left_out() -> None:
    """Of two of a kind the one that was only carried about is left out, if something was done to the last."""
    assert deeds(
        "take bun 1 from shelf 1",
        "move bun 1 to bowl 1",
        "take bun 2 from shelf 2",
        "bake bun 2 with oven 1",
        "move bun 2 to bowl 1",
    ) == ["find bun_2", "take bun_2 source_0", "bake bun_2 oven 1", "move bun_2 bowl_1"]


def test_two_things_that_belong_together_stay() -> None:
    """Where nothing but carrying was done, every thing that was carried counts."""
    assert (
        len(deeds("take bun 1 from shelf 1", "move bun 1 to bowl 1", "take bun 2 from shelf 2", "move bun 2 to bowl 1"))
        == 6
    )


def test_what_had_no_effect_is_left_out() -> None:
    """An action that was answered "Nothing happens." is not repeated."""
    run = Trajectory(
        task="bake the bun",
        steps=(
            Step(action="bake bun 1 with lid 1", observation="Nothing happens."),
            Step(action="bake bun 1 with oven 1", observation="Yes."),
        ),
        success=True,
    )
    found = steps_of(run, "bake the pie", Reader(None))
    assert found is not None
    assert len(found[0]) == 1


def test_tasks_that_cannot_be_aligned() -> None:
    """A task with fewer names than the run handled gives nothing."""
    run = Trajectory(
        task="put bun in bowl", steps=(Step(action="move bun 1 to bowl 1", observation="Yes."),), success=True
    )
    assert steps_of(run, "wait", Reader(None)) is None
