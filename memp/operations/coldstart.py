"""
A start without runs: an agent tries each task several times, a metric scores the runs, and the best are learned.

The paper calls the metric rule or model: either is a function of a run here. Trying and learning are apart, so that a
user may look at the runs before anything is written.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import attrs

from memp.errors import InvalidInputError
from memp.llm.answers import DONE
from memp.model import Trajectory
from memp.operations.learned import LearnReport

if TYPE_CHECKING:
    from memp.llm.judge import Metric
    from memp.store import Progress

ATTEMPTS = 4
"""Tries at each task: an agent that wins every second time wins once in four with 94 %."""

KEEP = 1
"""Runs of one task that are learned; more of the same task teach little that is new."""

Player = Callable[..., Trajectory]
"""Does a task and returns the run; called with the task, and with the number of the try, from 0, if it takes two."""


@attrs.frozen(kw_only=True)
class BootstrapReport:
    """
    What a cold start did.

    Attributes:
        tasks: How many tasks were tried.

        attempts: How many runs that made.

        kept: How many of them were good enough and the best of their task.

        learned: What was learned from these.
    """

    tasks: int
    attempts: int
    kept: int
    learned: LearnReport


@attrs.frozen
class Tried:
    """
    A run with its score.

    Attributes:
        run: The run, with the score as its reward.

        score: What the metric said, from 0 to 1 as a rule.
    """

    run: Trajectory
    score: float


def best_runs(
    tasks: Iterable[Any],
    agent: Player,
    metric: Metric | None,
    *,
    attempts: int = ATTEMPTS,
    keep: int = KEEP,
    won_from: float = DONE,
    progress: Progress | None = None,
) -> tuple[list[Tried], int, int]:
    """
    Let *agent* try each task and return the best runs, in the order of the tasks.

    Args:
        tasks: What to do; handed to the agent as they are.

        agent: Does a task.

        metric: Scores a run; None takes the reward that the run came with, or whether it won.

        attempts: Tries at each task, 1 or more.

        keep: How many runs of a task are returned at most, 1 or more; equal ones by the order of trying.

        won_from: The score from which a run is good enough.

        progress: Called as work goes on.

    Returns:
        The runs, how many tasks there were, and how many runs were tried.

    Raises:
        InvalidInputError: A number is out of range, or the agent or the metric gave what it may not.
    """
    for name, value in (("attempts", attempts), ("keep", keep)):
        if value < 1:
            raise InvalidInputError(f"{name!r} must be 1 or more (got {value!r}).")
    every = list(tasks)
    play = _numbered(agent)
    kept: list[Tried] = []
    for number, task in enumerate(every, start=1):
        tried = [_tried(play(task, attempt), metric, won_from) for attempt in range(attempts)]
        good = [one for one in tried if one.score >= won_from]
        kept += sorted(good, key=lambda one: (-one.score, len(one.run.steps)))[:keep]
        if progress is not None:
            progress("trying", number, len(every))
    return kept, len(every), len(every) * attempts


def _numbered(agent: Player) -> Callable[[Any, int], Trajectory]:
    try:
        inspect.signature(agent).bind(None, 0)
    except TypeError:
        return lambda task, _: agent(task)
    return agent


def _tried(run: object, metric: Metric | None, won_from: float) -> Tried:
    if not isinstance(run, Trajectory):
        raise InvalidInputError(f"'agent' must return a memp.Trajectory (got {type(run).__name__}).")
    if metric is None:
        said = run.reward if run.reward is not None else float(run.success is True)
    else:
        given = metric(run)
        said = 0.0 if given is None else float(given)
    if not math.isfinite(said):
        raise InvalidInputError(f"'metric' must give a finite number (got {said!r}).")
    return Tried(attrs.evolve(run, reward=said, success=said >= won_from), said)
