"""ALFWorld as a suite."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.alfworld import Alfworld
from memp.evaluation.suite import remake, suite


@pytest.mark.usefixtures("alfworld")
def test_rooms_are_asked_for_by_number_and_seed() -> None:
    """Another seed is another suite; the plain engine is the same suite, because it says the same."""
    rooms = suite("alfworld", rooms=7, seed=3)
    assert len(rooms.tasks) == 7
    assert (
        rooms.digest
        == suite("alfworld", rooms=7, seed=3, plain_engine=True).digest
        == suite("alfworld", n=7, seed=3).digest
    )
    assert rooms.digest != suite("alfworld", rooms=7, seed=4).digest
    assert rooms.digest != suite("alfworld", rooms=7, seed=3, dialect="older").digest
    assert rooms.toolset == "household"


@pytest.mark.usefixtures("alfworld")
def test_what_the_games_hold_is_part_of_the_version(pack: Callable[[list[str]], Path]) -> None:
    """Two folders with the same ids and words are two suites if anything stands elsewhere."""
    digests = set()
    for problem in ("(define (problem a))", "(define (problem b))", "(define (problem a))"):
        row: dict[str, object] = {
            "id": "x",
            "task": "put a mug in desk",
            "task_type": "pick_and_place_simple",
            "task_sentence": "Your task is to: put a mug in desk.",
            "pddl_problem": problem,
            "pddl_params": {},
        }
        digests.add(suite("alfworld", games=str(pack([json.dumps(row)])), split="small").digest)
    assert len(digests) == 2


@pytest.mark.usefixtures("alfworld")
def test_a_suite_is_made_again_of_what_it_was_made_with() -> None:
    """The options that it says of itself give the same suite."""
    rooms = suite("alfworld", rooms=3, seed=5, dialect="older")
    assert remake("alfworld", rooms.options).digest == rooms.digest


@pytest.mark.usefixtures("alfworld")
def test_worlds_can_be_made_in_other_processes() -> None:
    """What makes a world can be pickled, and the tasks as well."""
    rooms = suite("alfworld", rooms=2, seed=3, plain_engine=True)
    make, tasks = pickle.loads(pickle.dumps((rooms.make_environment, rooms.tasks)))
    world = make()
    assert isinstance(world, Alfworld)
    assert tasks == rooms.tasks


@pytest.mark.usefixtures("alfworld")
def test_games_of_a_folder_are_a_suite(official: Path) -> None:
    """All of a split, or as many as are asked for."""
    games = suite("alfworld", games=str(official), split="valid_seen")
    assert len(games.tasks) == 140
    some = suite("alfworld", games=str(official), split="valid_seen", n=12)
    assert len(some.tasks) == 12
    assert some.digest != games.digest


@pytest.mark.parametrize(("games", "rooms"), [(None, None), ("x", 3), (None, 0)])
def test_either_a_folder_or_a_number_of_rooms_must_be_given(games: str | None, rooms: int | None) -> None:
    """Both, neither and no rooms are refused."""
    with pytest.raises(InvalidInputError, match="rooms"):
        suite("alfworld", games=games, rooms=rooms)
