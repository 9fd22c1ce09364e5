"""
The metrics: what is read off an attempt, and what the attempts of an arm come to.

A new metric is one function and its line in ``METRICS``; tables, comparisons and reports take it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np

from memp.evaluation.intervals import Interval, mean_interval, share_interval
from memp.events.measuring import Attempt, SuiteKind

if TYPE_CHECKING:
    from memp.evaluation.statistics import Numbers


def success(attempt: Attempt) -> float:
    """Return 1.0 if the task was solved."""
    return float(attempt.won)


def steps(attempt: Attempt) -> float:
    """Return the actions taken; a lost task counts the limit."""
    return float(attempt.steps)


def tokens(attempt: Attempt) -> float | None:
    """Return what it cost in tokens; None where nobody counts."""
    return None if attempt.tokens is None else float(attempt.tokens)


def reward(attempt: Attempt) -> float:
    """Return the score at the end."""
    return attempt.reward


def superfluous(attempt: Attempt) -> float | None:
    """Return the share of what was served first that the run did not need."""
    return attempt.superfluous


def kind_first(attempt: Attempt) -> float | None:
    """Return 1.0 if what was served first is for the run's kind of task."""
    return None if attempt.kind_first is None else float(attempt.kind_first)


@attrs.frozen(kw_only=True)
class Metric:
    """
    Something that attempts are measured by.

    Attributes:
        name: What it is called in JSON.

        of: Returns it for one attempt; None where the attempt says nothing of it.

        share: Whether it lies in [0, 1] and is shown in per cent.

        higher_is_better: Whether more of it is better.

        labels: What tables call it, by the kind of suite; a kind that is not named does not show it.
    """

    name: str
    of: Callable[[Attempt], float | None]
    share: bool = False
    higher_is_better: bool = True
    labels: dict[SuiteKind, str]


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            name="success",
            of=success,
            share=True,
            labels={"live": "solved, %", "replay": "names all that was needed, %"},
        ),
        Metric(
            name="steps",
            of=steps,
            higher_is_better=False,
            labels={"live": "mean steps", "replay": "needed and not named, actions"},
        ),
        Metric(name="reward", of=reward, labels={"live": "mean reward", "replay": "share of what was needed"}),
        Metric(name="tokens", of=tokens, higher_is_better=False, labels={"live": "mean tokens"}),
        Metric(
            name="superfluous",
            of=superfluous,
            share=True,
            higher_is_better=False,
            labels={"replay": "named and not needed, %"},
        ),
        Metric(name="kind_first", of=kind_first, share=True, labels={"replay": "right kind first, %"}),
    )
}
"""The metrics by name, in the order in which they are shown."""


def telling(attempts: Iterable[Attempt]) -> dict[str, Metric]:
    """Return the metrics that say something of *attempts*: a reward that only repeats who won does not."""
    repeats = all(attempt.reward == float(attempt.won) for attempt in attempts)
    return {name: metric for name, metric in METRICS.items() if not (repeats and name == "reward")}


@attrs.frozen(kw_only=True)
class Figure:
    """
    What an arm comes to in one metric.

    Attributes:
        metric: Name of the metric.

        value: The mean over tasks, each the mean over its seeds.

        interval: Its 95 % interval: Wilson's for shares of tasks, bootstrap over tasks for others. Tasks are counted
            once, however many seeds there were, so with several seeds it is rather too wide than too narrow.

        tasks: Over how many tasks.
    """

    metric: str
    value: float
    interval: Interval
    tasks: int


@attrs.frozen(kw_only=True)
class Score:
    """
    What an arm comes to, on all tasks or on those of one type.

    Attributes:
        arm: Name of the arm.

        type: The type of task; None for all.

        n: How many tasks.

        attempts: How many attempts: tasks times seeds.

        figures: What they come to, by metric; one that no attempt says anything of is left out.
    """

    arm: str
    type: str | None
    n: int
    attempts: int
    figures: dict[str, Figure]

    @property
    def success(self) -> float:
        """The share of tasks that was solved, in [0, 1]."""
        return self.figures["success"].value

    @property
    def steps(self) -> float:
        """Mean steps; a lost task counts the limit."""
        return self.figures["steps"].value

    @property
    def tokens(self) -> float | None:
        """Mean tokens; None where nobody counted."""
        figure = self.figures.get("tokens")
        return None if figure is None else figure.value


def by_task(attempts: Iterable[Attempt], metric: Metric) -> dict[str, float]:
    """Return the metric of each task, the mean over its seeds; tasks of which an attempt says nothing are left out."""
    found: dict[str, list[float | None]] = {}
    for attempt in attempts:
        found.setdefault(attempt.task_id, []).append(metric.of(attempt))
    values = {task: [value for value in of_seeds if value is not None] for task, of_seeds in found.items()}
    return {task: sum(known) / len(known) for task, known in values.items() if len(known) == len(found[task])}


def score(arm: str, attempts: Sequence[Attempt], *, type: str | None = None) -> Score:
    """Return what *attempts*, one or more, all of one arm and type, come to."""
    figures = {}
    for metric in METRICS.values():
        values = list(by_task(attempts, metric).values())
        if values:
            won = min(sum(values), len(values))
            figures[metric.name] = Figure(
                metric=metric.name,
                value=float(np.mean(values)),
                interval=share_interval(won, len(values)) if metric.share else mean_interval(values),
                tasks=len(values),
            )
    return Score(
        arm=arm,
        type=type,
        n=len({attempt.task_id for attempt in attempts}),
        attempts=len(attempts),
        figures=figures,
    )


def table_of(attempts: Sequence[Sequence[Attempt]], metric: Metric) -> tuple[tuple[str, ...], Numbers]:
    """
    Return the metric of every task in every arm, for the tasks of which all arms say it.

    Args:
        attempts: The attempts of each arm, on the same tasks.

        metric: The metric.

    Returns:
        The ids of the tasks in their order, and the values, shape ``(arms, tasks)``.
    """
    columns = [by_task(of_arm, metric) for of_arm in attempts]
    tasks = tuple(task for task in columns[0] if all(task in column for column in columns))
    return tasks, np.array([[column[task] for task in tasks] for column in columns], dtype=np.float64)
