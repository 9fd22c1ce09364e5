"""
Two arms side by side: what differs, how sure that is, and in which tasks.

A verdict is given only where the data has one: "no difference shown" is the usual answer of a small sample, and the
comparison says besides how large a difference that sample could have shown. Whatever is compared is compared task by
task; tables of means alone were not taken, for they hide that a version that solves two more tasks lost five and won
seven.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

import attrs

from memp.errors import InvalidInputError
from memp.evaluation.intervals import CONFIDENCE, Interval
from memp.evaluation.metrics import METRICS, Metric, by_task, table_of, telling
from memp.evaluation.statistics import (
    POWER,
    Numbers,
    detectable_difference,
    holm,
    mcnemar_exact,
    paired_bootstrap,
    resampled_means,
)
from memp.events.measuring import Attempt

Verdict = Literal["better", "worse", "no difference shown"]
"""What the second arm is against the first."""

NO_DIFFERENCE: Verdict = "no difference shown"

TYPES_MIN = 2
"""Where all tasks are of one type, the comparison of that type says nothing new."""

Attempts = dict[str, tuple[Attempt, ...]]
"""The attempts of each arm, in the order of the arms."""


@attrs.frozen(kw_only=True)
class Difference:
    """
    What two arms differ by in one metric.

    Attributes:
        metric: Name of the metric.

        a: Mean of the first arm over tasks.

        b: Mean of the second arm.

        interval: 95 % interval of ``b - a``: bootstrap over tasks, paired.

        p: Two-sided p value: exact McNemar for success, bootstrap for the others.

        p_adjusted: The same, adjusted by Holm for all pairs that are compared (and for all types, where types are).

        verdict: ``better`` or ``worse`` where ``p_adjusted`` is small enough and the mean says the same; the second
            arm against the first.
    """

    metric: str
    a: float
    b: float
    interval: Interval
    p: float
    p_adjusted: float
    verdict: Verdict

    @property
    def difference(self) -> float:
        """``b - a``."""
        return self.b - self.a


@attrs.frozen(kw_only=True)
class TaskDifference:
    """
    A task that went otherwise in the two arms.

    Attributes:
        task_id: The task.

        type: Its type.

        won_a: The share of seeds with which the first arm solved it.

        won_b: The same for the second.

        steps_a: Mean steps of the first arm.

        steps_b: The same for the second.
    """

    task_id: str
    type: str | None
    won_a: float
    won_b: float
    steps_a: float
    steps_b: float


@attrs.frozen(kw_only=True)
class Power:
    """
    What a sample of this size can show.

    Attributes:
        tasks: How many tasks.

        points: The smallest difference in percentage points that would be shown in four of five such evaluations; None
            if no difference would be.

        against: The share of tasks that goes the other way, as it did here; the more do, the less can be shown.
    """

    tasks: int
    points: float | None
    against: float

    def __str__(self) -> str:
        counted = f"{self.tasks} task{'' if self.tasks == 1 else 's'}"
        if self.points is None:
            return f"{counted} cannot show any difference."
        other_way = f" while {100 * self.against:.0f} % of tasks go the other way" if self.against else ""
        return f"{counted} can show a difference of {self.points:.0f} points{other_way} ({POWER:.0%} power)."


@attrs.frozen(kw_only=True)
class Comparison:
    """
    Two arms on the same tasks and seeds.

    Attributes:
        a: Name of the first arm, the one that is compared with.

        b: Name of the second arm, the one that is judged.

        type: The type of task; None for all tasks.

        tasks: How many tasks.

        seeds: How many seeds; a task with several counts once.

        compared: How many pairs the p values are adjusted for.

        differences: By metric.

        better: Tasks that the second arm solved more often, in the order of the suite.

        worse: Tasks that it solved less often.

        faster: Tasks that both solved as often, and the second arm in fewer steps.

        slower: Tasks that both solved as often, and the second arm in more steps.

        power: What the sample can show.

        by_type: The same for each type of task; empty if there are no types, and in a comparison of one type.
    """

    a: str
    b: str
    type: str | None
    tasks: int
    seeds: int
    compared: int
    differences: dict[str, Difference]
    better: tuple[TaskDifference, ...]
    worse: tuple[TaskDifference, ...]
    faster: tuple[TaskDifference, ...]
    slower: tuple[TaskDifference, ...]
    power: Power
    by_type: tuple[Comparison, ...] = ()

    @property
    def success(self) -> Difference:
        """In the share of tasks that were solved."""
        return self.differences["success"]

    @property
    def steps(self) -> Difference:
        """In steps; a lost task counts the limit."""
        return self.differences["steps"]

    @property
    def tokens(self) -> Difference | None:
        """In tokens; None where nobody counted."""
        return self.differences.get("tokens")

    @property
    def verdict(self) -> Verdict:
        """What the second arm is against the first, by success."""
        return self.success.verdict

    def __str__(self) -> str:
        success, steps = self.success, self.steps
        where = "" if self.type is None else f" on {self.type!r}"
        said = {
            "better": f"{self.b} solves more tasks than {self.a}{where}",
            "worse": f"{self.b} solves fewer tasks than {self.a}{where}",
            NO_DIFFERENCE: f"No difference shown between {self.b} and {self.a}{where}",
        }[success.verdict]
        points, low, high = 100 * success.difference, 100 * success.interval.low, 100 * success.interval.high
        counts = f"{len(self.better)} tasks better, {len(self.worse)} worse"
        text = (
            f"{said}: {points:+.0f} points (95 %: {low:+.0f} to {high:+.0f}), {counts}; p = {success.p_adjusted:.2g}."
        )
        if steps.verdict != NO_DIFFERENCE:
            fewer = "fewer" if steps.difference < 0 else "more"
            text += f" It takes {abs(steps.difference):.1f} steps {fewer} (p = {steps.p_adjusted:.2g})."
        return f"{text} {self.power}" if success.verdict == NO_DIFFERENCE else text


class Comparisons:
    """
    All pairs of arms of one evaluation, compared when they are asked for; what they share is worked out once.

    Args:
        attempts: The attempts of every arm, on the same tasks and seeds; the p values are adjusted for all pairs of
            these.

        confidence: Of the intervals; a verdict needs a p value of one minus this.

    Raises:
        InvalidInputError: *confidence* is not between 0 and 1.
    """

    def __init__(self, attempts: Attempts, *, confidence: float = CONFIDENCE) -> None:
        if not 0 < confidence < 1:
            raise InvalidInputError(f"'confidence' must lie between 0 and 1 (got {confidence!r}).")
        self._arms = tuple(attempts)
        some = next(iter(attempts.values()), ())
        self._types = tuple(dict.fromkeys(one.type for one in some if one.type is not None))
        parts = [
            {arm: tuple(one for one in of_arm if one.type == type) for arm, of_arm in attempts.items()}
            for type in self._types
        ]
        metrics = tuple(telling(one for of_arm in attempts.values() for one in of_arm).values())
        self._whole = _Family([attempts], [None], metrics, confidence)
        self._by_type = _Family(parts, self._types, metrics, confidence)

    def of(self, a: str, b: str, *, type: str | None = None) -> Comparison:
        """
        Return the comparison of two arms, of all tasks (with each type besides) or of one type.

        Args:
            a: The first arm.

            b: The second arm, which is judged against it.

            type: The type of task; None for all.

        Raises:
            InvalidInputError: There is no such arm or type, the two are the same, or scipy and statsmodels are not
                installed.
        """
        for name in (a, b):
            if name not in self._arms:
                raise InvalidInputError(f"There is no arm {name!r} in this result; there are {', '.join(self._arms)}.")
        if a == b:
            raise InvalidInputError(f"Two different arms can be compared (got {a!r} twice).")
        if type is not None and type not in self._types:
            offered = ", ".join(self._types) or "no types"
            raise InvalidInputError(f"There are no tasks of type {type!r}; there are {offered}.")
        if type is not None:
            return self._by_type.compare(a, b, self._types.index(type))
        whole = self._whole.compare(a, b, 0)
        if len(self._types) < TYPES_MIN:
            return whole
        by_type = (self._by_type.compare(a, b, part) for part in range(len(self._types)))
        return attrs.evolve(whole, by_type=tuple(by_type))


class _Family:
    """
    Comparisons whose p values are adjusted together: all pairs of arms, on each of some parts of the tasks.

    Args:
        parts: The attempts of every arm on each part.

        types: The type of each part.

        metrics: What is compared.

        confidence: Of the intervals.
    """

    def __init__(
        self,
        parts: Sequence[Attempts],
        types: Sequence[str | None],
        metrics: Sequence[Metric],
        confidence: float,
    ) -> None:
        self._parts = parts
        self._metrics = metrics
        self._types = types
        self._confidence = confidence
        self._compared = len(parts) * sum(1 for _ in itertools.combinations(parts[0], 2)) if parts else 0
        self._measured: dict[str, _Measured | None] = {}

    def compare(self, a: str, b: str, part: int) -> Comparison:
        found = {}
        for metric in self._metrics:
            measured = self._measure(metric)
            if measured is not None and a in measured.arms and b in measured.arms:
                found[metric.name] = measured.difference(a, b, part)
        of_both = self._parts[part]
        return _comparison(of_both, a, b, self._types[part], found, compared=self._compared, alpha=1 - self._confidence)

    def _measure(self, metric: Metric) -> _Measured | None:
        """Return the metric in all arms of which all parts say it; None if no two do."""
        if metric.name not in self._measured:
            arms = [arm for arm in self._parts[0] if all(by_task(part[arm], metric) for part in self._parts)]
            tables = [table_of([part[arm] for arm in arms], metric)[1] for part in self._parts] if arms else []
            usable = len(arms) > 1 and all(table.size for table in tables)
            self._measured[metric.name] = _Measured(metric, arms, tables, self._confidence) if usable else None
        return self._measured[metric.name]


class _Measured:
    """
    One metric in several arms.

    Args:
        metric: The metric.

        arms: The arms.

        tables: Its values on each part, shape ``(arms, tasks)``.

        confidence: Of the intervals.
    """

    def __init__(self, metric: Metric, arms: list[str], tables: list[Numbers], confidence: float) -> None:
        self.arms = arms
        self._metric = metric
        self._tables = tables
        self._confidence = confidence
        # With one task there is nothing to resample, and nothing to say.
        self._drawn = [resampled_means(table) if table.shape[1] > 1 else None for table in tables]
        pairs = list(itertools.combinations(range(len(arms)), 2))
        p_values = [self._p_value(one, other, part) for part in range(len(tables)) for one, other in pairs]
        self._p: dict[tuple[int, int, int], tuple[float, float]] = {}
        places = [(part, one, other) for part in range(len(tables)) for one, other in pairs]
        for (part, one, other), p, adjusted in zip(places, p_values, holm(p_values), strict=True):
            self._p[part, one, other] = self._p[part, other, one] = (p, adjusted)

    def _p_value(self, one: int, other: int, part: int) -> float:
        first, second = self._tables[part][one], self._tables[part][other]
        if self._metric.name == "success":
            return mcnemar_exact(int((first > second).sum()), int((second > first).sum()))
        return self._resampled(one, other, part)[2]

    def _resampled(self, one: int, other: int, part: int) -> tuple[float, float, float]:
        """Return the interval of the difference, and its p value."""
        differences, drawn = self._tables[part][other] - self._tables[part][one], self._drawn[part]
        if drawn is None:
            return float(differences[0]), float(differences[0]), 1.0
        return paired_bootstrap(drawn[other] - drawn[one], differences, confidence=self._confidence)

    def difference(self, a: str, b: str, part: int) -> Difference:
        """Return what the arm *b* differs by from *a* on a part."""
        one, other = self.arms.index(a), self.arms.index(b)
        mean_a, mean_b = (float(self._tables[part][arm].mean()) for arm in (one, other))
        low, high, _ = self._resampled(one, other, part)
        p, adjusted = self._p[part, one, other]
        verdict: Verdict = NO_DIFFERENCE
        if adjusted <= 1 - self._confidence and mean_a != mean_b:
            verdict = "better" if (mean_b > mean_a) == self._metric.higher_is_better else "worse"
        return Difference(
            metric=self._metric.name,
            a=mean_a,
            b=mean_b,
            interval=Interval(low, high),
            p=p,
            p_adjusted=adjusted,
            verdict=verdict,
        )


def _comparison(
    part: Attempts,
    a: str,
    b: str,
    type: str | None,
    differences: dict[str, Difference],
    *,
    compared: int,
    alpha: float,
) -> Comparison:
    tasks = _task_differences(part[a], part[b])
    better = tuple(one for one in tasks if one.won_b > one.won_a)
    worse = tuple(one for one in tasks if one.won_b < one.won_a)
    as_often = [one for one in tasks if one.won_b == one.won_a]
    against = min(len(better), len(worse)) / len(tasks)
    points = detectable_difference(len(tasks), loss=against, alpha=alpha / compared)
    return Comparison(
        a=a,
        b=b,
        type=type,
        tasks=len(tasks),
        seeds=len({attempt.seed for attempt in part[a]}),
        compared=compared,
        differences=differences,
        better=better,
        worse=worse,
        faster=tuple(one for one in as_often if one.steps_b < one.steps_a),
        slower=tuple(one for one in as_often if one.steps_b > one.steps_a),
        power=Power(tasks=len(tasks), points=None if points is None else 100 * points, against=against),
    )


def _task_differences(first: Sequence[Attempt], second: Sequence[Attempt]) -> list[TaskDifference]:
    success, steps = METRICS["success"], METRICS["steps"]
    won_a, won_b = by_task(first, success), by_task(second, success)
    steps_a, steps_b = by_task(first, steps), by_task(second, steps)
    types = {attempt.task_id: attempt.type for attempt in first}
    return [
        TaskDifference(
            task_id=task,
            type=types[task],
            won_a=won_a[task],
            won_b=won_b[task],
            steps_a=steps_a[task],
            steps_b=steps_b[task],
        )
        for task in won_a
    ]
