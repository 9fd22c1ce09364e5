"""
ALFWorld as a suite: official games, packed games, or rooms from a seed.
"""

from __future__ import annotations

from pathlib import Path

from memp.errors import InvalidInputError
from memp.evaluation.alfworld.games import DIALECTS, AlfworldGame, choose, read_games
from memp.evaluation.alfworld.rooms import make_rooms
from memp.evaluation.alfworld.world import MakeAlfworld, version_of
from memp.evaluation.environment import Task
from memp.evaluation.suite import Suite, SuiteMaker, SuiteOption, digest_of

TOOLSET = "household"
"""The vocabulary of scripts for this world; it reads both dialects."""

SPLIT = "valid_seen"
"""The split when nobody says otherwise: known rooms, new tasks."""


def make_suite(
    *,
    seed: int,
    n: int | None,
    games: str | None = None,
    split: str = SPLIT,
    rooms: int | None = None,
    plain_engine: bool = False,
    dialect: str | None = None,
) -> Suite:
    """
    Return the suite.

    Args:
        seed: Which rooms; which games where *n* is fewer than there are.

        n: How many games; None for all. With rooms it is another word for *rooms*.

        games: The folder of the games: the benchmark's, or one with packed games. None plays rooms.

        split: Which games of it.

        rooms: How many rooms from the seed, 1 or more.

        plain_engine: Whether the package runs as shipped; slower, and no different in what it says.

        dialect: ``newer`` or ``older``; None leaves it to the games.

    Raises:
        InvalidInputError: Both or neither of *games* and *rooms*, an unknown dialect, no games there, or the package is
            not installed.
    """
    rooms = n if rooms is None and games is None else rooms
    if (games is None) == (rooms is None):
        raise InvalidInputError(
            "The suite 'alfworld' must be told either 'games', a folder, or 'rooms', a number "
            f"(got games={games!r} and rooms={rooms!r})."
        )
    if rooms is not None and rooms < 1:
        raise InvalidInputError(f"'rooms' must be 1 or more (got {rooms!r}).")
    make = MakeAlfworld(plain_engine=plain_engine, dialect=dialect)
    make()  # an unknown dialect, or a package that is not there, is told now and not in the middle of an evaluation
    if games is None:
        assert rooms is not None
        tasks = make_rooms(rooms, seed=seed)
    else:
        tasks = read_games(Path(games), split)
        tasks = tasks if n is None else choose(tasks, n, seed=seed)
    return Suite(
        name="alfworld",
        version=f"{version_of(dialect)}, games {_digest(tasks)}",
        tasks=tasks,
        make_environment=make,
        toolset=TOOLSET,
    )


def _digest(tasks: tuple[Task, ...]) -> str:
    """Return the beginning of the digest of what the games hold: ids and words alone would not tell two apart."""
    settings = [task.setting for task in tasks]
    parts = [part for game in settings if isinstance(game, AlfworldGame) for part in (game.grammar, game.problem)]
    domains = sorted({game.domain for game in settings if isinstance(game, AlfworldGame)})
    return digest_of(*domains, *parts)[:12]


MAKER = SuiteMaker(
    make=make_suite,
    help="The household tasks of ALFWorld, played in its own engine (pip install 'memp[alfworld]').",
    options=(
        SuiteOption(name="games", help="Folder of the games: ALFWORLD_DATA, or packed <split>.jsonl.gz files."),
        SuiteOption(name="split", help="Which games of the folder.", default=SPLIT),
        SuiteOption(name="rooms", type=int, help="This many rooms from the seed instead of a folder of games."),
        SuiteOption(
            name="plain_engine", type=bool, help="Run the package as shipped: slower, the same text.", default=False
        ),
        SuiteOption(name="dialect", help=f"How the games speak: {' or '.join(DIALECTS)}; else as they are written."),
    ),
)
