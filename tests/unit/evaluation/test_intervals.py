"""Intervals: against values from elsewhere, and at the ends."""

from __future__ import annotations

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.intervals import Interval, mean_interval, share_interval


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.277533),  # z² / (n + z²) with z = 1.959964
        (10, 10, 0.722467, 1.0),
        (5, 10, 0.236593, 0.763407),  # 1/2 ± z / (2 √(n + z²))
        (1, 1, 0.206543, 1.0),
    ],
)
def test_a_share_has_wilsons_interval(count: int, n: int, low: float, high: float) -> None:
    """The interval is the one that the closed forms for none, half and all give."""
    interval = share_interval(count, n)
    assert interval.low == pytest.approx(low, abs=1e-5)
    assert interval.high == pytest.approx(high, abs=1e-5)


def test_more_confidence_is_a_wider_interval() -> None:
    """Being right more often costs precision, for shares and for means."""
    assert share_interval(3, 9, confidence=0.99).high > share_interval(3, 9).high
    values = [1.0, 5.0, 9.0, 50.0]
    assert mean_interval(values, confidence=0.99).high >= mean_interval(values).high


def test_the_interval_of_a_mean_holds_the_mean_and_stays_within_the_values() -> None:
    """A bootstrap draws from the values, so it ends nowhere beyond them."""
    values = [3.0, 4.0, 8.0, 50.0, 50.0]
    interval = mean_interval(values)
    assert min(values) <= interval.low < sum(values) / len(values) < interval.high <= max(values)
    assert mean_interval([50.0, 50.0]) == Interval(50.0, 50.0)


def test_the_seed_decides_the_bootstrap() -> None:
    """The same seed draws the same samples, another one others."""
    values = [float(n * n) for n in range(20)]
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)


def test_the_bootstrap_comes_close_to_the_normal_interval_of_many_values() -> None:
    """Of a thousand even values from 0 to 1, the mean is known to about 1.96 σ / √n = 0.0179."""
    values = [n / 999 for n in range(1_000)]
    interval = mean_interval(values)
    assert interval.low == pytest.approx(0.5 - 0.0179, abs=0.003)
    assert interval.high == pytest.approx(0.5 + 0.0179, abs=0.003)


def test_intervals_that_touch_are_not_apart() -> None:
    """Apart means that no value is in both."""
    assert Interval(0, 1).apart_from(Interval(2, 3))
    assert Interval(2, 3).apart_from(Interval(0, 1))
    assert not Interval(0, 1).apart_from(Interval(1, 2))
    assert not Interval(0, 3).apart_from(Interval(1, 2))


@pytest.mark.parametrize(("count", "n"), [(0, 0), (-1, 3), (4, 3)])
def test_an_impossible_share_is_refused(count: int, n: int) -> None:
    """Nothing of nothing has no share, and more than all is none."""
    with pytest.raises(InvalidInputError, match="got"):
        share_interval(count, n)


def test_no_values_and_no_confidence_are_refused() -> None:
    """The error says what came."""
    with pytest.raises(InvalidInputError, match="one value or more"):
        mean_interval([])
    with pytest.raises(InvalidInputError, match=r"'confidence' must lie between 0 and 1 \(got 95\)"):
        mean_interval([1.0], confidence=95)
