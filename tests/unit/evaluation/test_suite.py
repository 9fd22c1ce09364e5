"""Suites by name, their options, and what makes two of them the same."""

from __future__ import annotations

import pickle

import pytest

import memp
from memp.errors import ConflictError, InvalidInputError
from memp.evaluation.environment import Task
from memp.evaluation.household import Household, make_tasks
from memp.evaluation.suite import Suite, SuiteMaker, SuiteOption, maker_named, register_suite, remake, suite_names

from .measuring import door_suite  # noqa: TID252


def test_the_household_is_a_suite() -> None:
    """The suite of the small household has the tasks that were asked for, all types in turn, and makes its world."""
    made = memp.suite("household", seed=7, n=12)
    assert (made.name, len(made.tasks), made.toolset) == ("household", 12, "household")
    assert len({task.type for task in made.tasks}) == 6
    assert isinstance(made.make_environment(), Household)
    assert memp.suite("household").digest == memp.suite("household", seed=7, n=60).digest


def test_a_longer_suite_begins_with_the_shorter() -> None:
    """More tasks of the same seed are the same tasks and further ones; another seed has others."""
    short, long = memp.suite("household", n=3), memp.suite("household", n=6)
    assert long.tasks[:3] == short.tasks
    assert not {task.id for task in memp.suite("household", seed=8, n=6).tasks} & {task.id for task in long.tasks}


def test_no_task_of_the_suite_is_one_that_was_learned_from() -> None:
    """Whatever the seed of the tasks that one learns from, those of the suite are others."""
    learned = {task.id for seed in range(10) for task in make_tasks(12, seed=seed)}
    assert not learned & {task.id for seed in range(10) for task in memp.suite("household", seed=seed, n=12).tasks}


def test_a_suite_survives_being_sent_to_a_worker() -> None:
    """Tasks and the maker of the world can be pickled, and come back the same."""
    made = memp.suite("household", n=2)
    back = pickle.loads(pickle.dumps(made))
    assert (back, back.digest) == (made, made.digest)


def test_a_suite_is_remade_from_what_it_says_of_itself() -> None:
    """Name and options are enough to make the same suite on another day."""
    made = memp.suite("household", seed=9, n=4, rules="stove heats")
    assert remake(made.name, made.options).digest == made.digest
    assert made.digest != memp.suite("household", seed=9, n=4).digest


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("moon", {}, "'suite' must be one of"),
        ("household", {"n": 0}, "'n' must be a whole number from 1"),
        ("household", {"n": 10**20}, "'n' must be a whole number from 1 to 1,000,000"),
        ("household", {"n": "3"}, "'n' must be a whole number"),
        ("household", {"seed": "x"}, "'seed' must be a whole number"),
        ("household", {"games": "x"}, "has no option 'games'; it has: rules"),
        ("household", {"rules": "none such"}, "'rules' must be one of"),
    ],
)
def test_what_is_no_suite_says_what_would_be(name: str, options: dict[str, object], says: str) -> None:
    """Unknown names and options, and values out of range, are refused with what there is."""
    with pytest.raises(InvalidInputError, match=says):
        memp.suite(name, **options)  # type: ignore[arg-type]


def test_options_are_converted_checked_and_required() -> None:
    """An option comes as its type, text from a command line too; one that must be given is asked for."""
    seen: dict[str, object] = {}

    def make(**said: object) -> Suite:
        seen.update(said)
        return door_suite()

    rooms = SuiteOption(name="rooms", type=int, required=True, help="How many.")
    register_suite("test-options", SuiteMaker(make=make, options=(rooms, SuiteOption(name="dark", type=bool))))
    assert memp.suite("test-options", rooms="60", dark="yes").name == "doors"
    assert seen == {"seed": 7, "n": None, "rooms": 60, "dark": True}
    with pytest.raises(InvalidInputError, match=r"must be told 'rooms' \(it was not\)\. How many\."):
        memp.suite("test-options")
    with pytest.raises(InvalidInputError, match="'rooms' must be of type int"):
        memp.suite("test-options", rooms="many")


def test_a_name_that_is_taken_is_not_given_again() -> None:
    """A suite that ships, or was registered, keeps its name; a function alone is a maker without options."""
    with pytest.raises(ConflictError, match="already"):
        register_suite("household", door_suite)
    register_suite("test-doors", lambda **_: door_suite())
    assert "test-doors" in suite_names()
    assert maker_named("test-doors").options == ()


def test_tasks_of_a_suite_have_different_ids() -> None:
    """Results are paired by the id, so one that comes twice is refused by name."""
    twice = (Task(id="t", text="a"), Task(id="t", text="b"))
    with pytest.raises(InvalidInputError, match="'t' more than once"):
        Suite(name="s", version="1", tasks=twice, make_environment=Household)


def test_other_words_or_another_version_are_another_suite() -> None:
    """The digest changes with the version and with any task."""
    assert door_suite().digest == door_suite().digest
    assert len({door_suite().digest, door_suite(5).digest, door_suite(version="2").digest}) == 3
