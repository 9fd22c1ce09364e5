"""
Tests and intervals for paired results, by scipy and statsmodels.

Only what every comparison needs, in the terms of this room; the arithmetic is the libraries'. They are an extra,
because whoever only uses a memory needs neither, and they take a second to import: each function imports its own.

With several seeds a task is done several times, and those attempts are not independent: a hard task is hard with every
seed. So nothing here ever sees an attempt, only tasks: a task counts as won more often, less often or as often, and
its steps are the mean over its seeds. That is the summary-measure approach to clustered data; it gives up some power
and never pretends to more tasks than there were.

Source: S. Senn, L. Stevens, N. Chaturvedi, Repeated measures in clinical trials: simple strategies for analysis using
summary measures, Statistics in Medicine 19 (2000), 861-877.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from memp.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

Numbers = npt.NDArray[np.float64]
"""Numbers; the shape stands where they are used."""

RESAMPLES = 10_000
"""Enough that the ends of a 95 % interval move by a fiftieth of its width, and p values to 0.0002 can be told apart."""

POWER = 0.8
"""How often a difference must be found to count as one that the sample can show: the customary 80 %."""

STEP_OF_POINTS = 0.005
"""In which steps the smallest difference is searched: half a point, finer than any sample of tasks can tell."""


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """
    Return the two-sided p value of the exact McNemar test.

    Args:
        only_a: Tasks that went better in the first arm, 0 or more.

        only_b: Tasks that went better in the second.

    Raises:
        InvalidInputError: statsmodels is not installed, or a number is negative.

    Source: Q. McNemar, Note on the sampling error of the difference between correlated proportions or percentages,
    Psychometrika 12 (1947), 153-157; exact, by the binomial distribution of the tasks that differ. With several seeds
    it is the sign test over tasks, which is the same formula.
    """
    if only_a < 0 or only_b < 0:
        raise InvalidInputError(f"Counts must be 0 or more (got {only_a!r} and {only_b!r}).")
    test = _import("statsmodels.stats.contingency_tables").mcnemar
    if only_a + only_b == 0:
        return 1.0
    return float(min(1.0, test([[0, only_a], [only_b, 0]], exact=True).pvalue))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """
    Return the p values, each adjusted for all of them, in the same order.

    Raises:
        InvalidInputError: statsmodels is not installed.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6
    (1979), 65-70.
    """
    if not p_values:
        return ()
    adjust = _import("statsmodels.stats.multitest").multipletests
    # It collects garbage at every call, which takes a second where a large memory is open. What is there now is no
    # garbage, so it need not be looked through.
    gc.freeze()
    try:
        adjusted = adjust(list(p_values), method="holm")[1]
    finally:
        gc.unfreeze()
    return tuple(min(1.0, float(p)) for p in adjusted)


def resampled_means(values: Numbers, *, seed: int = 0) -> Numbers:
    """
    Return the means of *values* over tasks drawn again and again, the same draw for every arm.

    Args:
        values: Shape ``(arms, tasks)``, finite; two tasks or more.

        seed: The same seed and values give the same draws.

    Returns:
        Shape ``(arms, RESAMPLES)``. The difference of two rows is the paired bootstrap of their difference.

    Raises:
        InvalidInputError: scipy is not installed.

    Source: B. Efron and R. J. Tibshirani, An introduction to the bootstrap, Chapman and Hall 1993, chapters 8 and 13.
    """

    def means(*arms: Numbers, axis: int) -> Numbers:
        return np.stack([arm.mean(axis=axis) for arm in arms])

    drawn = _import("scipy.stats").bootstrap(
        tuple(values),
        means,
        n_resamples=RESAMPLES,
        batch=max(1, 4_000_000 // values.size),
        vectorized=True,
        paired=True,
        axis=-1,
        method="percentile",
        rng=seed,
    )
    distribution: Numbers = drawn.bootstrap_distribution
    return distribution


def paired_bootstrap(drawn: Numbers, differences: Numbers, *, confidence: float) -> tuple[float, float, float]:
    """
    Return the interval for a mean difference and its p value.

    Args:
        drawn: The resampled mean differences, shape ``(RESAMPLES,)``.

        differences: The difference of each task, shape ``(tasks,)``.

        confidence: Between 0 and 1.

    Returns:
        Lower end, upper end, and the two-sided p value: how far out in the draws zero lies, but never below what *m*
        tasks that differ at all can tell, ``2 ** (1 - m)``; resampling two tasks finds certainty in them.

    Source: B. Efron and R. J. Tibshirani, An introduction to the bootstrap, Chapman and Hall 1993, sections 13.3 and
    15.4; the floor is the smallest p value of the sign-flip test over the same tasks.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    below, above = int((drawn <= 0).sum()), int((drawn >= 0).sum())
    p = 2 * (min(below, above) + 1) / (len(drawn) + 1)
    floor = 2.0 ** (1 - int(np.count_nonzero(differences)))
    return float(low), float(high), min(1.0, max(p, floor))


def power_of(n: int, *, gain: float, loss: float, alpha: float) -> float:
    """
    Return how often McNemar's exact test finds a difference that is there.

    Args:
        n: Tasks, 1 or more.

        gain: The share of tasks that go better, in [0, 1].

        loss: The share that go worse; with *gain* at most 1.

        alpha: The p value to reach, between 0 and 1.

    Raises:
        InvalidInputError: scipy is not installed.

    Source: O. S. Miettinen, The matched pairs design in the case of all-or-none responses, Biometrics 24 (1968),
    339-352: the sum over the number of tasks that differ.
    """
    binomial = _import("scipy.stats").binom
    differing = gain + loss
    if differing <= 0:
        return 0.0
    counts = np.arange(n + 1)
    # The largest number of losses among that many differing tasks that is still significant; -1 if none is.
    critical = binomial.ppf(alpha / 2, counts, 0.5)
    critical = np.where(binomial.cdf(critical, counts, 0.5) <= alpha / 2, critical, critical - 1)
    found = np.where(critical >= 0, binomial.cdf(critical, counts, loss / differing), 0.0)
    return float(np.sum(binomial.pmf(counts, n, min(1.0, differing)) * found))


def detectable_difference(n: int, *, loss: float, alpha: float, power: float = POWER) -> float | None:
    """
    Return the smallest difference in the share of tasks won that a comparison over *n* tasks would show.

    Args:
        n: Tasks, 1 or more.

        loss: The share of tasks that go the other way all the same, in [0, 1).

        alpha: The p value to reach.

        power: How often it must be shown.

    Returns:
        A share in (0, 1]; None if *n* tasks cannot show any.

    Raises:
        InvalidInputError: scipy is not installed.
    """
    steps = np.arange(STEP_OF_POINTS, 1 - 2 * loss + STEP_OF_POINTS / 2, STEP_OF_POINTS)
    low, high = 0, len(steps)
    # More of a difference is found more often, so half of what is left can be left out each time.
    while low < high:
        middle = (low + high) // 2
        if power_of(n, gain=loss + float(steps[middle]), loss=loss, alpha=alpha) >= power:
            high = middle
        else:
            low = middle + 1
    return float(steps[low]) if low < len(steps) else None


def shown_less_often(first: float, second: float, seeds: int, confidence: float) -> bool:
    """
    Return whether the seeds of one task show that the second arm solves it less often.

    Args:
        first: The share of seeds with which the first arm solved it, in [0, 1].

        second: The same for the second.

        seeds: How many seeds, 1 or more.

        confidence: Between 0 and 1.

    Raises:
        InvalidInputError: scipy is not installed.

    Source: R. A. Fisher, The Design of Experiments, Oliver and Boyd 1935, chapter 2; one-sided.
    """
    if second >= first:
        return False
    won = round(first * seeds), round(second * seeds)
    table = [[won[0], seeds - won[0]], [won[1], seeds - won[1]]]
    return float(_import("scipy.stats").fisher_exact(table, alternative="greater").pvalue) <= 1 - confidence


def require_statistics() -> None:
    """
    Do nothing if the libraries are there, so that their want is known before the work and not behind it.

    Raises:
        InvalidInputError: scipy or statsmodels is not installed.
    """
    for module in ("scipy", "statsmodels"):
        _import(module)


def _import(module: str) -> Any:
    """Return a module of the libraries for statistics."""
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise InvalidInputError(
            f"Comparing versions needs {module.partition('.')[0]}, which is not installed. "
            "Install it with: pip install 'memp[evaluation]'."
        ) from error
