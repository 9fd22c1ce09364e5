"""The environment port's in-memory twin."""

from __future__ import annotations

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.environment import NOTHING_HAPPENS, Environment, Place, ScriptedEnvironment, Task
from memp.evaluation.household import Household

PLACES = {
    "door": Place(moves={"open door": ("It opens.", "garden"), "wait": ("Time goes by.", "door")}),
    "garden": Place(won=True),
}
TASK = Task(id="t1", text="get out")


def test_both_worlds_fit_the_port() -> None:
    """The household and the in-memory twin are environments."""
    assert isinstance(Household(), Environment)
    assert isinstance(ScriptedEnvironment(PLACES, start="door"), Environment)


def test_a_move_leads_to_the_next_place() -> None:
    """A move is answered with its observation, and a winning place ends the episode."""
    world = ScriptedEnvironment(PLACES, start="door")
    assert world.reset(TASK) == "You are here.\n\nYour task is to: get out."
    assert world.admissible() == ("open door", "wait")
    assert not world.step("wait").done
    answer = world.step("open door")
    assert (answer.observation, answer.won, answer.done, answer.reward) == ("It opens.", True, True, 1.0)


def test_an_unknown_action_changes_nothing() -> None:
    """What is no move here is answered and leaves everything as it is."""
    world = ScriptedEnvironment(PLACES, start="door")
    world.reset(TASK)
    assert world.step("fly").observation == NOTHING_HAPPENS
    assert world.admissible() == ("open door", "wait")


def test_every_place_must_be_described() -> None:
    """A move to a place that nobody described is refused with its name."""
    with pytest.raises(InvalidInputError, match=r"missing: \['moon'\]"):
        ScriptedEnvironment({"here": Place(moves={"fly": ("Up.", "moon")})}, start="here")


@pytest.mark.parametrize(
    "world", [Household(), ScriptedEnvironment(PLACES, start="door")], ids=["household", "scripted"]
)
def test_a_step_needs_a_task(world: Environment) -> None:
    """Acting before a task was set is refused, and the way out is named."""
    with pytest.raises(InvalidInputError, match=r"Call reset\(task\) first"):
        world.step("look")
