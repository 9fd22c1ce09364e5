"""
What outcomes say about how often a procedure helps: a Beta posterior, its quantiles, and which of two is better.

scipy would bring these functions and sixty megabytes with them; the default install stays light, so two short
algorithms with published sources stand here, and tests hold them against closed forms and tabled values.

The prior is Jeffreys', Beta(1/2, 1/2): its intervals hold what they promise for small counts and near 0 and 1, which
is where young procedures are, and where the uniform prior draws every interval towards one half.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import attrs
import numpy as np

PRIOR = 0.5
"""Both parameters of the prior. Source: H. Jeffreys, An invariant form for the prior probability in estimation
problems, Proc. R. Soc. A 186 (1946), 453-461; recommended for the interval of a share with few observations by Brown,
Cai and DasGupta, Interval estimation for a binomial proportion, Statistical Science 16 (2001), 101-133."""

LEVEL = 0.95
"""How much of the posterior an interval holds; each tail has half of the rest."""

TERMS_MAX = 10_000
"""Steps of the continued fraction; it takes about the square root of the larger parameter, so this serves 10^7."""

KEPT: Final = 1 << 12
"""Values that are kept: outcomes are whole episodes shared by rank, so the same few parameters come again and again."""

GRID = 2_000
"""Points of the integral that compares two posteriors: the error stays below 1e-4 up to thousands of episodes."""


@lru_cache(maxsize=KEPT)
def beta_cdf(x: float, a: float, b: float) -> float:
    """
    Return the regularised incomplete beta function I_x(a, b): the share of a Beta(a, b) below *x*.

    Args:
        x: From 0 to 1.

        a: Over 0.

        b: Over 0.

    Source: DLMF 8.17.22 (continued fraction) and 8.17.4 (symmetry), https://dlmf.nist.gov/8.17; evaluated by W. J.
    Lentz, Generating Bessel functions in Mie scattering calculations, Applied Optics 15 (1976), 668-671, in the form
    of Thompson and Barnett, J. Comput. Phys. 64 (1986), 490-509.
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    # The fraction converges quickly on this side of the mean only.
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of DLMF 8.17.22 without its factor."""
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, TERMS_MAX):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        step = 1.0
        for term in (even, odd):
            d = 1.0 + term * d
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = 1.0 + term / c
            c = c if abs(c) > tiny else tiny
            step = c * d
            value *= step
        if abs(step - 1.0) < 1e-15:
            break
    return value


@lru_cache(maxsize=KEPT)
def beta_quantile(share: float, a: float, b: float) -> float:
    """
    Return the x below which *share* of a Beta(a, b) lies, to 1e-12.

    Halving takes forty steps and cannot miss; Newton's method takes six and can, where the density is all but 0.
    """
    if share <= 0.0:
        return 0.0
    if share >= 1.0:
        return 1.0
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2.0
        if beta_cdf(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


@attrs.frozen(kw_only=True)
class Posterior:
    """
    What is known of how often something helps.

    Attributes:
        helped: Credit for solved episodes, 0 or more.

        failed: Credit for the others, 0 or more.
    """

    helped: float = 0.0
    failed: float = 0.0

    @property
    def a(self) -> float:
        """First parameter of the Beta distribution."""
        return PRIOR + self.helped

    @property
    def b(self) -> float:
        """Second parameter of the Beta distribution."""
        return PRIOR + self.failed

    @property
    def mean(self) -> float:
        """The expected share of episodes in which it helps, between 0 and 1."""
        return self.a / (self.a + self.b)

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the equal-tailed interval that holds *level* of it; an end is 0 or 1 where nothing speaks against."""
        tail = (1.0 - level) / 2.0
        high = 1.0 if self.failed == 0.0 else beta_quantile(1.0 - tail, self.a, self.b)
        return self.lower_end(level), high

    def lower_end(self, level: float = LEVEL) -> float:
        """Return the lower end of ``interval`` alone, at half the price; 0 where nothing speaks for it."""
        return 0.0 if self.helped == 0.0 else beta_quantile((1.0 - level) / 2.0, self.a, self.b)

    def lies_below(self, bound: float, level: float = LEVEL) -> bool:
        """Whether the upper end of ``interval`` is below *bound*: one evaluation instead of a search."""
        return self.failed > 0.0 and beta_cdf(bound, self.a, self.b) > 1.0 - (1.0 - level) / 2.0


def better_chance(one: Posterior, other: Posterior) -> float:
    """
    Return how probable it is that *one* helps more often than *other*, the two being independent.

    It is the integral of the density of the one times the distribution of the other. With x = sin^2 t the density of a
    Beta with parameters of one half or more stays bounded, so plain midpoints serve.
    """
    angle = (np.arange(GRID) + 0.5) * (math.pi / 2.0 / GRID)
    log_sin, log_cos = np.log(np.sin(angle)), np.log(np.cos(angle))

    def density(posterior: Posterior) -> np.typing.NDArray[np.float64]:
        log = (2.0 * posterior.a - 1.0) * log_sin + (2.0 * posterior.b - 1.0) * log_cos
        weights: np.typing.NDArray[np.float64] = np.exp(log - log.max())
        weights /= weights.sum()
        return weights

    mine, theirs = density(one), density(other)
    below = np.cumsum(theirs) - theirs / 2.0
    return float(np.dot(mine, below))
