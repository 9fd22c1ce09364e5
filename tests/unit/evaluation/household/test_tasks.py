"""Tasks from a seed, the rules they are set in, and the solver."""

from __future__ import annotations

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.household import (
    SHIFTS,
    TASK_TYPES,
    WORDINGS,
    Game,
    Household,
    Rules,
    make_task,
    make_tasks,
    shifted,
    solve,
)
from memp.evaluation.household.rooms import CATALOGUE, ROOMS


def test_types_come_in_turn() -> None:
    """Twelve tasks hold every type twice, and the text is one of the type's wordings."""
    tasks = make_tasks(12, seed=3)
    assert [task.type for task in tasks] == [*TASK_TYPES, *TASK_TYPES]
    for task in tasks:
        assert isinstance(task.setting, Game)
        goal = task.setting.goal
        texts = [wording.format(thing=goal.thing, place=goal.place) for wording in WORDINGS[str(task.type)]]
        assert task.text in texts


def test_no_task_is_solved_at_the_start() -> None:
    """A fresh game is never won before anything was done."""
    world = Household()
    for task in make_tasks(120, seed=4):
        world.reset(task)
        assert not world.state.reached()
        assert not world.step("look").won


def test_all_rooms_and_wordings_come_up() -> None:
    """A few hundred tasks are set in every kind of room, in every wording."""
    tasks = make_tasks(300, seed=5)
    assert {task.setting.room for task in tasks if isinstance(task.setting, Game)} == set(ROOMS)
    starts = {tuple(task.text.split()[:2]) for task in tasks}
    assert {("put", "two"), ("find", "two"), ("heat", "some"), ("examine", "the"), ("look", "at")} <= starts


def test_the_tables_agree() -> None:
    """Every kind that a room or a receptacle names is described, and every receptacle of a room is."""
    for kind, things in CATALOGUE.holds.items():
        assert things <= set(CATALOGUE.things), kind
    for room in ROOMS.values():
        assert set(room.things) <= set(CATALOGUE.things)
        assert set(room.receptacles) <= set(CATALOGUE.holds)


@pytest.mark.parametrize("rules", SHIFTS, ids=lambda rules: rules.name)
def test_every_shift_can_be_lived_with(rules: Rules) -> None:
    """Under each shifted household tasks of all types are made and solved, and the usual plan fails for some."""
    world, broken = Household(), 0
    for task in make_tasks(36, seed=6, rules=rules):
        assert isinstance(task.setting, Game)
        world.reset(task)
        for command in solve(task.setting):
            answer = world.step(command)
        assert answer.won
        world.reset(task)
        for command in solve(task.setting, Rules()):
            answer = world.step(command)
        broken += not answer.won
    assert broken


def test_shifts_come_from_a_seed() -> None:
    """The same seed gives the same shifted rules, and several seeds give several."""
    assert shifted(1) == shifted(1)
    assert len({shifted(seed).name for seed in range(20)}) > 2


def test_unknown_type_and_hopeless_rules_are_refused() -> None:
    """A type that is none, a negative number and rules that leave no way are refused, each with what came."""
    with pytest.raises(InvalidInputError, match="'dance'"):
        make_task("dance", seed=1)
    with pytest.raises(InvalidInputError, match="-1"):
        make_tasks(-1, seed=1)
    with pytest.raises(InvalidInputError, match="The rules must leave a receptacle"):
        make_task("pick_heat_then_place_in_recep", seed=1, rules=Rules(name="cold", heats=frozenset()))


def test_the_solver_says_when_there_is_no_way() -> None:
    """A game without the thing, or without a tool under the rules given, is refused."""
    task = make_task("pick_heat_then_place_in_recep", seed=2)
    assert isinstance(task.setting, Game)
    with pytest.raises(InvalidInputError, match="hold all that its goal needs"):
        solve(task.setting, Rules(heats=frozenset({"sauna"})))
