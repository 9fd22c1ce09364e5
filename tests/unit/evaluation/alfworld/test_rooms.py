"""Rooms from a seed, as PDDL problems."""

from __future__ import annotations

import re

import attrs
import pytest

from memp.errors import InvalidInputError
from memp.evaluation.alfworld import Alfworld, AlfworldGame, as_room, make_rooms
from memp.evaluation.alfworld.rooms import write_problem
from memp.evaluation.environment import Task
from memp.evaluation.household import SHIFTS, TASK_TYPES, Game, make_task, make_tasks, solve


@pytest.mark.parametrize("type_", TASK_TYPES)
def test_a_problem_says_where_everything_is(type_: str) -> None:
    """Every receptacle and thing of the household's game is declared once, and every place of a thing is a fact."""
    game = make_task(type_, seed=3).setting
    assert isinstance(game, Game)
    problem = write_problem(game)
    declared = re.findall(r"^  (\S+) - (\S+)$", problem, re.MULTILINE)
    assert len({name for name, _ in declared}) == len(declared)
    assert sum(of == "receptacle" for _, of in declared) == len(game.receptacles)
    assert sum(of == "object" for _, of in declared) == len(game.things)
    assert problem.count("(inreceptacle ") - problem.count("(inreceptacle ?") == sum(len(t.places) for t in game.things)
    assert problem.count("(") == problem.count(")")


def test_rooms_need_the_household_and_its_usual_rules() -> None:
    """Another task, or a household in which appliances are out of order, cannot be said in the package's domain."""
    with pytest.raises(InvalidInputError, match="task 'x'"):
        as_room(Task(id="x", text="do"))
    with pytest.raises(InvalidInputError, match="usual rules"):
        as_room(make_task(TASK_TYPES[0], seed=1, rules=SHIFTS[0]))


@pytest.mark.usefixtures("alfworld")
def test_every_room_can_be_won_in_the_engine(soak: bool) -> None:
    """The household's solver wins each room, with the last command and not before."""
    world = Alfworld()
    for task in make_tasks(120 if soak else 12, seed=11):
        world.reset(as_room(task))
        assert isinstance(task.setting, Game)
        won = [world.step(command).won for command in solve(task.setting)]
        assert won == [False] * (len(won) - 1) + [True], task.id


@pytest.mark.usefixtures("alfworld")
def test_the_seed_decides_the_rooms() -> None:
    """The same seed gives the same rooms, a longer list begins with the shorter one, and another seed gives others."""
    rooms = make_rooms(8, seed=1)
    assert rooms[:5] == make_rooms(5, seed=1)
    assert not {room.id for room in rooms} & {room.id for room in make_rooms(8, seed=2)}
    settings = [room.setting for room in rooms]
    assert all(isinstance(game, AlfworldGame) and attrs.asdict(game)["problem"] for game in settings)
