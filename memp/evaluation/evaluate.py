"""
Measuring versions of a memory against each other: the one function that most people need.

Beside the versions there are always an agent that is served nothing and one that is served by lot. Without the first
nobody can say whether a memory helps, without the second whether it matters what it finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from memp.evaluation.arms import BUDGET_TOKENS, Arms, named_arms
from memp.evaluation.runner import Progress, Runner, check_suite

if TYPE_CHECKING:
    import os

    from memp.evaluation.agent import Agent
    from memp.evaluation.replay import ReplaySuite
    from memp.evaluation.result import Result
    from memp.evaluation.suite import Suite
    from memp.memory import Memory

SEEDS = (0,)
"""The seeds when nobody says otherwise: one, which is all that a deterministic agent in a fixed world needs."""


def evaluate(
    memory: Memory,
    suite: Suite | ReplaySuite,
    agent: str | Agent | None = None,
    *,
    arms: Arms = (),
    seeds: Sequence[int] = SEEDS,
    workers: int = 1,
    max_steps: int | None = None,
    k: int = 3,
    key: str | None = None,
    budget_tokens: int | None = BUDGET_TOKENS,
    journal: str | os.PathLike[str] | None = None,
    on_progress: Progress | None = None,
) -> Result:
    """
    Measure versions on a suite: every arm does the same tasks with the same seeds.

    Args:
        memory: The memory; open for reading is enough.

        suite: What to do, as ``memp.suite`` or ``memp.replay_suite`` makes it.

        agent: Who acts: ``follower``, ``explorer``, ``model``, a name that was registered, or an agent; None takes the
            suite's own. In a replay nobody acts.

        arms: What is compared: versions as ``Memory.at`` takes them, ``BRANCH@VERSION``, views; ``none`` (nothing is
            served), ``random`` (drawn by lot), ``bm25`` (compared by words), ``raw`` (whole runs instead of
            procedures). A mapping names them. ``none`` and ``random`` are always there; without any arm the present of
            the memory is measured against them.

        seeds: Every task is done once with each.

        workers: Processes that act. The figures do not depend on how many.

        max_steps: How many actions the agent may take; None leaves it to the suite. A lost task counts them all.

        k: How many procedures are served at most.

        key: How they are found, as ``retrieve`` takes it.

        budget_tokens: How long the text for the agent may be; None for no limit. ``raw`` has none.

        journal: A file in which all that is done is kept. The same evaluation with the same journal goes on where it
            was stopped, in whatever way it was stopped.

        on_progress: Called as work goes on.

    Raises:
        NotFoundError: There is no such version.

        InvalidInputError: There is no such agent, *suite* is none, or a value is out of range.

        ServiceError: A worker died, or a model could not be asked; with a journal, what was done stays done.
    """
    check_suite(suite)
    named = named_arms(arms or (memory.branch_name,))
    with Runner(
        memory,
        suite,
        suite.agent if agent is None else agent,
        seeds=seeds,
        k=k,
        key=key,
        max_steps=max_steps,
        budget_tokens=budget_tokens,
        workers=workers,
        journal=journal,
        on_progress=on_progress,
    ) as runner:
        return runner.play(runner.plan(named))
