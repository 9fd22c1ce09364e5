"""
How sure a figure is: intervals for a share and for a mean.

Nothing that memp needs brings statistics with it, and two short formulas are no reason to make everybody install a
library. A share takes Wilson's interval, because the usual one (the share, plus and minus twice its error) is an empty
interval where every task was won, which is just where people look. Steps take the bootstrap, because they pile up at
the limit and are nowhere near normal.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import attrs
import numpy as np

from memp.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95
"""How often an interval made this way holds the true value, if nobody says otherwise."""

RESAMPLES = 2_000
"""Enough that the ends of a 95 % interval move by less than a tenth of its width from one seed to another."""


@attrs.frozen
class Interval:
    """
    From where to where.

    Attributes:
        low: The lower end.

        high: The upper end, not below the lower one.
    """

    low: float
    high: float

    def apart_from(self, other: Interval) -> bool:
        """Whether the two have no value in common; a stricter thing to ask than whether a difference is significant."""
        return self.low > other.high or self.high < other.low


def share_interval(count: float, n: int, *, confidence: float = CONFIDENCE) -> Interval:
    """
    Return Wilson's score interval for the share *count* of *n*, both ends in [0, 1].

    Args:
        count: How many did, 0 to *n*; not a whole number where some did in part.

        n: Of how many, 1 or more.

        confidence: Between 0 and 1, neither of them included.

    Raises:
        InvalidInputError: A value is out of range.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927),
    209-212; recommended for small n by Brown, Cai and DasGupta, Interval estimation for a binomial proportion,
    Statistical Science 16 (2001), 101-133.
    """
    _check(n, confidence)
    if not 0 <= count <= n:
        raise InvalidInputError(f"'count' must be between 0 and 'n' (got {count!r} of {n!r}).")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = count / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Rounding must not leave the true ends, which are exactly 0 and 1 there, a hair outside or inside.
    return Interval(0.0 if count == 0 else middle - reach, 1.0 if count == n else middle + reach)


def mean_interval(values: Sequence[float], *, confidence: float = CONFIDENCE, seed: int = 0) -> Interval:
    """
    Return the percentile bootstrap interval for the mean of *values*.

    Args:
        values: One or more, all finite. Where all are the same, so are the ends: resampling knows of nothing else.

        confidence: Between 0 and 1, neither of them included.

        seed: The same seed and values give the same interval.

    Raises:
        InvalidInputError: There are no values, or *confidence* is out of range.

    Source: B. Efron and R. J. Tibshirani, An introduction to the bootstrap, Chapman and Hall 1993, chapter 13.
    """
    _check(len(values), confidence)
    drawn = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    means = np.asarray(values, dtype=np.float64)[drawn].mean(axis=1)
    low, high = np.quantile(means, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Interval(float(low), float(high))


def _check(n: int, confidence: float) -> None:
    if n < 1:
        raise InvalidInputError(f"An interval needs one value or more (got {n!r}).")
    if not 0 < confidence < 1:
        raise InvalidInputError(f"'confidence' must lie between 0 and 1 (got {confidence!r}).")
