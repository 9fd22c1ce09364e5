"""
What every environment answers, whichever it is; a new one adds its name to ``WORLDS``.
"""

from __future__ import annotations

import pickle
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import attrs
import pytest

from memp.errors import InvalidInputError
from memp.evaluation.alfworld import Alfworld, make_rooms
from memp.evaluation.environment import Environment, Place, ScriptedEnvironment, Task
from memp.evaluation.household import Household, make_tasks
from memp.evaluation.scienceworld import ScienceGame, ScienceWorld
from memp.evaluation.travelplanner import Request, Tables, TravelWorld, task_of
from memp.evaluation.travelplanner.tables import Flight, Restaurant, Sight, Stay


@attrs.frozen(kw_only=True)
class Case:
    """A world with a task of its own, an action that does something, and one that does nothing."""

    make: Callable[[], Environment]
    task: Task
    idle: str = "sing a song"


def scripted() -> Case:
    places = {"here": Place(moves={"walk": ("You walk.", "there")}), "there": Place(won=True)}
    return Case(make=lambda: ScriptedEnvironment(places, start="here"), task=Task(id="a", text="get there"))


def household() -> Case:
    return Case(make=Household, task=make_tasks(1, seed=3)[0])


def travelplanner() -> Case:
    tables = Tables(
        stays={"Ahus": (_stay(),)},
        restaurants={"Ahus": (Restaurant(name="Mill", city="Ahus", cuisines=("Tea",), cost=5),)},
        sights={"Ahus": (Sight(name="Tower", city="Ahus"),)},
        flights=(_flight(),),
        drives={},
        states={"Ahus": "Nordland", "Cove": "Southland"},
    )
    request = Request(id="a", query="From Cove to Ahus for $90.", origin="Cove", days=3, budget=90, offered=("Ahus",))
    return Case(make=lambda: TravelWorld(tables), task=task_of(request))


def _stay() -> Stay:
    return Stay(
        name="Loft", city="Ahus", price=9, nights_min=1, room_type="Private room", rules=("No pets",), guests_max=2
    )


def _flight() -> Flight:
    return Flight(
        number="F1", origin="Cove", destination="Ahus", date="2022-03-01", departs="08:00", arrives="09:00", price=9
    )


def scienceworld() -> Case:
    if find_spec("scienceworld") is None or shutil.which("java") is None:
        pytest.skip("the package scienceworld or Java is not installed")
    game = ScienceGame(task="boil", variation=1)
    return Case(make=ScienceWorld, task=Task(id="boil/1", text="boil it", setting=game))


def alfworld() -> Case:
    if find_spec("alfworld") is None:
        pytest.skip("the package alfworld is not installed")
    return Case(make=Alfworld, task=make_rooms(1, seed=3)[0])


WORLDS = (scripted, household, travelplanner, scienceworld, alfworld)


@pytest.fixture(scope="module", params=WORLDS, ids=lambda make: make.__name__)
def case(request: pytest.FixtureRequest) -> Case:
    """Return one case after the other."""
    make: Callable[[], Case] = request.param
    return make()


@pytest.fixture(scope="module")
def world(case: Case) -> Iterator[Environment]:
    """Return a world for the whole of a case: some take seconds to start."""
    made = case.make()
    yield made
    close: Any = getattr(made, "close", None)
    if close is not None:
        close()


def test_it_has_name_and_version(world: Environment) -> None:
    """Both are texts that say something, and it is an environment by the port."""
    assert isinstance(world, Environment)
    assert world.name
    assert world.version


def test_nothing_can_be_done_before_a_task_is_set(case: Case) -> None:
    """A step before ``reset`` is refused with the way out."""
    with pytest.raises(InvalidInputError, match="reset"):
        case.make().step("look")


def test_a_task_begins_the_same_every_time(world: Environment, case: Case) -> None:
    """``reset`` says something, and the same the second time, if not always in the same order."""
    first = world.reset(case.task)
    assert first.strip()
    assert Counter(re.findall(r"\w+", world.reset(case.task))) == Counter(re.findall(r"\w+", first))


def test_what_cannot_be_done_is_answered(world: Environment, case: Case) -> None:
    """An impossible action is no error, wins nothing and ends nothing; nor does an empty one."""
    world.reset(case.task)
    for action in (case.idle, ""):
        answer = world.step(action)
        assert answer.observation.strip()
        assert not answer.won
        assert not answer.done


def test_commands_are_sorted_and_can_be_given(world: Environment, case: Case) -> None:
    """What is listed is sorted, without repetition, and each of the first few is answered with a finite score."""
    world.reset(case.task)
    listed = world.admissible()
    assert list(listed) == sorted(listed)
    for command in listed[:3]:
        world.reset(case.task)
        assert -1.0 <= world.step(command).reward <= 1.0


def test_episodes_do_not_know_of_each_other(world: Environment, case: Case) -> None:
    """The same actions from the start are answered the same, whatever was done before."""
    world.reset(case.task)
    actions = [case.idle, *world.admissible()[:2]]
    answers = [world.step(action) for action in actions[:1]]
    world.reset(case.task)
    assert [world.step(action) for action in actions[:1]] == answers


def test_a_task_of_another_world_is_refused(world: Environment, case: Case) -> None:
    """A task whose setting this world does not know is an error of the caller; the scripted twin takes any."""
    if world.name == "scripted":
        pytest.skip("every task is one of this world's")
    with pytest.raises(InvalidInputError):
        world.reset(attrs.evolve(case.task, setting="another world"))


def test_tasks_can_be_sent_to_workers(case: Case) -> None:
    """A task survives pickling as it is."""
    assert pickle.loads(pickle.dumps(case.task)) == case.task
