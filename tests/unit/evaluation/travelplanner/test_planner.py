"""The planner in the invented world: what it breaks alone, and what each procedure mends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

import memp
from memp.evaluation.agent import NO_PROMPT, Prompt, play
from memp.evaluation.environment import Task
from memp.evaluation.travelplanner import Planner, TravelWorld, judge, plan_of
from memp.evaluation.travelplanner.request import Request
from memp.evaluation.travelplanner.rules import Rule, read_rules
from memp.evaluation.travelplanner.suite import MAX_STEPS
from memp.model import Content, Procedure, Step, Trajectory

SHIPPED = Path(__file__).parents[4] / "procedures" / "travel"
WISHES = "We want entire rooms where pets are allowed, French cuisine, and we will not be self-driving."

Write = Callable[[Content], Procedure]


@pytest.fixture
def shipped(write: Write) -> Callable[[str], Procedure]:
    """Return what makes a procedure of a shipped script."""

    def read(name: str) -> Procedure:
        return write(Content(task=name, script=(SHIPPED / f"{name}.py").read_text(encoding="utf-8")))

    return read


def broken(world: Path, task: Task, *procedures: Procedure) -> set[str]:
    """Return the constraints that the planner breaks with *procedures* served."""
    environment = TravelWorld(memp.suite("travelplanner", data=str(world)).make_environment()._tables)  # type: ignore[attr-defined]
    run = play(environment, task, Planner(), Prompt(procedures=procedures), max_steps=MAX_STEPS)
    assert isinstance(task.setting, Request)
    found = judge(task.setting, plan_of(run), environment._tables)
    assert (run.success, run.reward) == (found.success, found.reward)
    return {verdict.constraint for verdict in found.broken}


@pytest.fixture
def task(world: Path) -> Task:
    """Return the long trip of three people."""
    [_, long] = memp.suite("travelplanner", data=str(world)).tasks
    return long


def test_without_memory_the_first_of_each_list_is_taken(world: Path, task: Task) -> None:
    """Alone, the planner repeats places, takes a stay that asks for more nights, and forgets the wish."""
    assert broken(world, task) >= {"Diverse Restaurants", "Diverse Attractions", "Minimum Nights Stay"}


@pytest.mark.parametrize(
    ("name", "mended"),
    [
        ("choose_stay", {"Minimum Nights Stay"}),
        ("vary_places", {"Diverse Restaurants", "Diverse Attractions"}),
        ("eat_as_wished", {"Cuisine"}),
        ("choose_transport", {"Non-conflicting Transportation"}),
    ],
)
def test_a_procedure_mends_the_constraint_that_it_is_about(
    world: Path, task: Task, shipped: Callable[[str], Procedure], name: str, mended: set[str]
) -> None:
    """With one procedure served, the constraints that it names are kept."""
    assert not broken(world, task, shipped(name)) & mended


def test_all_procedures_together_keep_everything(world: Path, task: Task, shipped: Callable[[str], Procedure]) -> None:
    """With all of them served the plan is a success."""
    names = ("choose_stay", "vary_places", "eat_as_wished", "choose_transport", "save_money")
    assert broken(world, task, *map(shipped, names)) == set()


def test_a_procedure_of_another_world_changes_nothing(world: Path, task: Task, write: Write) -> None:
    """Scripts of other toolsets, runs, and scripts that cannot be read state no rule."""
    others = (
        write(
            Content(task="t", script='from household import *\n\n\n@procedure("go")\ndef go():\n    go_to("desk 1")\n')
        ),
        write(Content(task="t", run=Trajectory(task="t", steps=(Step(action="x"),)))),
        write(Content(task="t", script="def broken(")),
    )
    assert broken(world, task, *others) == broken(world, task)


def test_rules_are_what_is_ensured_and_what_a_search_waits_for(
    write: Write, shipped: Callable[[str], Procedure]
) -> None:
    """A condition in ``ensure`` or in the ``if`` that ends a search is a rule for what the name was found as."""
    assert read_rules([shipped("choose_stay")]) == {Rule("bookable", "stay"), Rule("meets", "stay")}
    assert read_rules([shipped("vary_places")]) == {Rule("new", "meal"), Rule("new", "sight")}
    asked = write(
        Content(
            task="t",
            script=(
                'from travel import *\n\n\n@procedure("stay in {city}")\ndef stay(city: City):\n'
                '    place = find_stay(city, "none")\n'
                '    if bookable(place, 2):\n        note(f"{place} will do")\n'
                '    ensure(not meets(place, "parties"), "it is quiet there")\n'
            ),
        )
    )
    assert read_rules([asked]) == frozenset()


def test_the_planner_refuses_another_world() -> None:
    """In a world that does not name start and days the planner says so."""
    act = Planner().start()
    with pytest.raises(memp.InvalidInputError, match="travelplanner"):
        act(Task(id="t", text="go"), NO_PROMPT, "You are in a room.", (), ())


def test_nights_left_over_go_to_the_last_city(world: Path, task: Task, shipped: Callable[[str], Procedure]) -> None:
    """A trip whose nights cannot be shared out evenly still begins and ends at home, on its first and its last day."""
    assert isinstance(task.setting, Request)
    dates = ("2022-03-03", *task.setting.dates)
    longer = attrs.evolve(task, setting=attrs.evolve(task.setting, days=6, dates=dates))
    assert not broken(world, longer, shipped("vary_places")) & {"Reasonable City Route", "Complete Information"}
