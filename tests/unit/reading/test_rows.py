"""Flat rows: which fields are checked, and where all the others go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from memp.errors import TrajectoryFormatError
from memp.model import Step, Trajectory

if TYPE_CHECKING:
    from collections.abc import Callable

ROW: dict[str, Any] = {
    "task": "feed the goldfish",
    "task_type": "feed",
    "env": "aquarium",
    "source": "night shift",
    "agent": "robot 7",
    "task_id": 12,
    "reward": 0.5,
    "success": True,
    "initial_observation": "You stand before a tank.",
    "lessons": ["less is more"],
    "critic": None,
    "steps": [
        {"thought": "The lid is closed.", "action": "open lid", "observation": "It is open.", "score": 3},
        {"action": "drop flakes", "observation": None, "thought": None},
        {"action": ""},
    ],
}


def test_every_field_finds_its_place(read_one: Callable[..., Trajectory]) -> None:
    """Known fields are attributes; all others are kept under ``extra``, of the run and of each step."""
    assert read_one(ROW) == Trajectory(
        task="feed the goldfish",
        task_type="feed",
        env="aquarium",
        source="night shift",
        agent="robot 7",
        task_id="12",
        reward=0.5,
        success=True,
        initial_observation="You stand before a tank.",
        extra={"lessons": ["less is more"]},
        steps=(
            Step(thought="The lid is closed.", action="open lid", observation="It is open.", extra={"score": 3}),
            Step(action="drop flakes"),
            Step(action=""),
        ),
    )


def test_task_and_steps_are_enough(read_one: Callable[..., Trajectory]) -> None:
    """A run without an outcome is a run whose outcome is not known."""
    run = read_one({"task": "feed the goldfish", "steps": []})
    assert (run.reward, run.success, run.steps) == (None, None, ())


def test_an_empty_last_action_is_a_run(read_one: Callable[..., Trajectory]) -> None:
    """An agent that stopped while thinking is recorded, not refused."""
    run = read_one({"task": "t", "steps": [{"action": "look"}, {"thought": "So I …", "action": "", "observation": ""}]})
    assert run.actions == ("look",)
    assert run.steps[-1].thought == "So I …"


def test_a_written_trajectory_reads_back_the_same(read_one: Callable[..., Trajectory]) -> None:
    """What memp writes of a run, ``extra`` included, is a row again and gives the same digest."""
    run = read_one(ROW)
    again = read_one(msgspec.to_builtins(run))
    assert again == run
    assert again.digest == run.digest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": None}, "'task' cannot be null"),
        ({"task": "  "}, "'task' cannot be '  '"),
        ({"task": 7}, "'task' cannot be 7"),
        ({"steps": None}, "'steps' cannot be null"),
        ({"steps": "open lid"}, "'steps' cannot be 'open lid'"),
        ({"steps": {"action": "open lid"}}, "'steps' cannot be an object with 'action'"),
        ({"steps": ["open lid"]}, "'steps[0]' cannot be 'open lid'"),
        ({"steps": [{"action": "a"}, {"observation": "o"}]}, "'steps[1].action' is missing"),
        ({"steps": [{"action": None}]}, "'steps[0].action' cannot be null"),
        ({"steps": [{"action": ["go", "north"]}]}, "'steps[0].action' cannot be a list of 2"),
        ({"steps": [{"action": "a", "observation": 3}]}, "'steps[0].observation' cannot be 3"),
        ({"steps": [{"action": "a", "thought": {}}]}, "'steps[0].thought' cannot be an object with no fields"),
        ({"reward": "1.0"}, "'reward' cannot be '1.0'"),
        ({"reward": True}, "'reward' cannot be True"),
        ({"success": "yes"}, "'success' cannot be 'yes'"),
        ({"success": 1}, "'success' cannot be 1"),
        ({"task_type": 5}, "'task_type' cannot be 5"),
        ({"agent": ["a"]}, "'agent' cannot be a list of 1"),
        ({"task_id": 1.5}, "'task_id' cannot be 1.5"),
        ({"initial_observation": ["a", "b"]}, "'initial_observation' cannot be a list of 2"),
        ({"extra": {"lessons": 1}}, "'extra' holds 'lessons'"),
        ({"task": "x" * 10_000, "reward": "y" * 10_000}, "'reward' cannot be 'yyy"),
    ],
)
def test_a_wrong_field_is_named(read_one: Callable[..., Trajectory], change: dict[str, Any], said: str) -> None:
    """A field of the wrong kind raises an error with its path, what came (cut short) and what was expected."""
    with pytest.raises(TrajectoryFormatError) as caught:
        read_one({**ROW, **change})
    assert said in str(caught.value)
    assert "Expected " in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("missing", ["task", "steps"])
def test_a_missing_field_is_named(read_one: Callable[..., Trajectory], missing: str) -> None:
    """Task and steps must be there, also where the format is forced."""
    row = {key: value for key, value in ROW.items() if key != missing}
    with pytest.raises(TrajectoryFormatError, match=f"'{missing}' is missing"):
        read_one(row, format="rows")


def test_an_extra_that_is_no_object_is_kept(read_one: Callable[..., Trajectory]) -> None:
    """A source may use the name ``extra`` for anything it likes."""
    assert read_one({"task": "t", "steps": [], "extra": "cheese"}).extra == {"extra": "cheese"}
