"""The suite ``scienceworld``: the official splits of its thirty tasks, a few variations of each."""

from __future__ import annotations

import random
from itertools import zip_longest

from memp.errors import InvalidInputError
from memp.evaluation.environment import Task
from memp.evaluation.scienceworld.engine import Engine, require_package
from memp.evaluation.scienceworld.world import MakeScienceWorld, ScienceGame
from memp.evaluation.suite import Suite, SuiteMaker, SuiteOption

SPLITS = ("train", "dev", "test")
"""The package's own."""

TASKS_USUAL = 90
"""How many variations when nobody says otherwise: three of each task, a minute or two with a script."""

MAX_STEPS = 100
"""The package's own limit; its solutions take 42 steps on average, a few of them three hundred."""


def read_tasks(
    split: str, *, n: int | None = TASKS_USUAL, seed: int = 0, simplifications: str = "easy"
) -> tuple[Task, ...]:
    """
    Return variations of an official split, the tasks in turn.

    Args:
        split: ``train``, ``dev`` or ``test``.

        n: How many at most; None for all.

        seed: Which variations of each task, where there are more.

        simplifications: What the package makes easier, in its own names.

    Raises:
        InvalidInputError: There is no such split or simplification, or the package or Java is not installed.
    """
    if split not in SPLITS:
        raise InvalidInputError(f"'split' must be one of {', '.join(SPLITS)} (got {split!r}).")
    with Engine() as engine:
        drawn = []
        for task in engine.tasks():
            variations = list(engine.variations(task, split))
            random.Random(f"{seed}/{task}").shuffle(variations)
            drawn.append([(task, variation) for variation in variations])
        in_turn = [game for games in zip_longest(*drawn) for game in games if game is not None]
        return tuple(_read_task(engine, task, number, simplifications) for task, number in in_turn[:n])


def _read_task(engine: Engine, task: str, variation: int, simplifications: str) -> Task:
    engine.load(task, variation, simplifications)
    game = ScienceGame(task=task, variation=variation, simplifications=simplifications)
    return Task(id=f"{task}/{variation}", text=engine.description(), type=task, setting=game)


def _make(*, seed: int, n: int | None, split: str, simplifications: str, unlisted: bool) -> Suite:
    version = require_package()
    number = TASKS_USUAL if n is None else n
    return Suite(
        name="scienceworld",
        version=version,
        tasks=read_tasks(split, n=number, seed=seed, simplifications=simplifications),
        make_environment=MakeScienceWorld(commands=not unlisted),
        toolset="science",
        max_steps=MAX_STEPS,
        options=(("split", split), ("n", str(number)), ("seed", str(seed)), ("simplifications", simplifications)),
        agent="science-replayer",
    )


MAKER = SuiteMaker(
    make=_make,
    help="ScienceWorld: thirty tasks of a school laboratory, with a score between 0 and 1.",
    options=(
        SuiteOption(name="split", help="train, dev or test: the official ones.", default="dev"),
        SuiteOption(name="simplifications", help="What the package makes easier, in its own names.", default="easy"),
        SuiteOption(
            name="unlisted",
            type=bool,
            help="Do not list commands: faster, for agents that need no list.",
            default=False,
        ),
    ),
)
