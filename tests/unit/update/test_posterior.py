"""The Beta posterior: its distribution, its quantiles, the comparison of two, and the bound of erasure."""

from __future__ import annotations

import math
import random

import pytest

from memp.update.credit import rank_weights
from memp.update.erasure import BOUND
from memp.update.posterior import Posterior, beta_cdf, beta_quantile, better_chance


@pytest.mark.parametrize("x", [0.01, 0.2, 0.5, 0.83, 0.999])
def test_the_distribution_has_its_closed_forms(x: float) -> None:
    """I_x(1, b) = 1 - (1 - x)^b, I_x(a, 1) = x^a, I_x(1/2, 1/2) = 2/pi asin(sqrt(x))."""
    assert beta_cdf(x, 1, 3.5) == pytest.approx(1 - (1 - x) ** 3.5, abs=1e-13)
    assert beta_cdf(x, 2.5, 1) == pytest.approx(x**2.5, abs=1e-13)
    assert beta_cdf(x, 0.5, 0.5) == pytest.approx(2 / math.pi * math.asin(math.sqrt(x)), abs=1e-13)


@pytest.mark.parametrize(("a", "b"), [(3, 5), (10, 4), (1, 1), (40, 60)])
def test_whole_parameters_give_the_tail_of_a_binomial(a: int, b: int) -> None:
    """I_x(a, b) is the chance of *a* or more successes in a + b - 1 trials."""
    n, x = a + b - 1, 0.37
    tail = math.fsum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_cdf(x, a, b) == pytest.approx(tail, abs=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.025, 0.5, 0.975, 1.0])
@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (9.5, 3.5), (0.5, 200.5), (3000.5, 10.5)])
def test_a_quantile_is_the_inverse(share: float, a: float, b: float) -> None:
    """The distribution at a quantile is the share that was asked for."""
    assert beta_cdf(beta_quantile(share, a, b), a, b) == pytest.approx(share, abs=1e-8)


def test_nine_of_twelve_have_the_interval_of_jeffreys() -> None:
    """The example of the documentation: .47 to .92."""
    low, high = Posterior(helped=9, failed=3).interval()
    assert (round(low, 2), round(high, 2)) == (0.47, 0.92)


@pytest.mark.parametrize(("helped", "failed"), [(0, 3), (0, 4), (5, 9), (9, 34), (3, 0)])
def test_looking_below_a_bound_agrees_with_the_interval(helped: float, failed: float) -> None:
    """The short way asks the same as the upper end of the interval."""
    posterior = Posterior(helped=helped, failed=failed)
    assert posterior.lies_below(BOUND) == (posterior.interval()[1] < BOUND)


def test_of_two_equals_each_is_better_half_the_time() -> None:
    """The comparison is fair, adds up to one, and knows its ends."""
    one, other = Posterior(helped=5, failed=3), Posterior(helped=2, failed=6)
    assert better_chance(one, one) == pytest.approx(0.5, abs=1e-9)
    assert better_chance(one, other) + better_chance(other, one) == pytest.approx(1.0, abs=1e-9)
    assert better_chance(Posterior(helped=50), Posterior(failed=50)) > 0.999999


def test_the_comparison_agrees_with_drawing() -> None:
    """The integral is what many draws from both posteriors come to."""
    one, other = Posterior(helped=5, failed=3), Posterior(helped=2, failed=4)
    draw = random.Random(3)
    won = sum(draw.betavariate(one.a, one.b) > draw.betavariate(other.a, other.b) for _ in range(40_000))
    assert better_chance(one, other) == pytest.approx(won / 40_000, abs=0.01)


@pytest.mark.parametrize("count", range(1, 40))
def test_rank_weights_share_one_outcome(count: int) -> None:
    """In millionths the shares add up to one, and fall with the rank."""
    weights = rank_weights(count)
    assert sum(round(weight * 1_000_000) for weight in weights) == 1_000_000
    assert list(weights) == sorted(weights, reverse=True)


def test_a_good_procedure_is_hardly_ever_erased() -> None:
    """Of a thousand lives of 200 episodes at a true rate of 0.7, no more than the 2.5 % that we promise end early."""
    draw, erased = random.Random(7), 0
    for _ in range(1_000):
        helped = failed = 0
        for _ in range(200):
            solved = draw.random() < 0.7
            helped, failed = helped + solved, failed + (not solved)
            if not solved and Posterior(helped=helped, failed=failed).lies_below(BOUND):
                erased += 1
                break
    assert 0 < erased <= 25
