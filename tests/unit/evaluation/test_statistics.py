"""The tests and intervals, against values worked out elsewhere."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
import pytest

from memp.errors import InvalidInputError
from memp.evaluation.statistics import (
    detectable_difference,
    holm,
    mcnemar_exact,
    paired_bootstrap,
    power_of,
    resampled_means,
)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"), [(0, 0, 1.0), (0, 5, 0.0625), (0, 6, 0.03125), (3, 9, 0.14599609375), (7, 7, 1.0)]
)
def test_mcnemar_is_twice_the_binomial_tail(only_a: int, only_b: int, p: float) -> None:
    """Two-sided, exact, and the same in both directions."""
    assert mcnemar_exact(only_a, only_b) == pytest.approx(p)
    assert mcnemar_exact(only_b, only_a) == pytest.approx(p)


def test_holm_is_holm() -> None:
    """The smallest is multiplied by all, the next by one less, and none gets below the one before it."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([0.9, 0.8]) == pytest.approx((1.0, 1.0))
    assert holm([]) == ()


def test_the_draws_are_paired_and_repeatable() -> None:
    """Two arms that differ by a constant differ by it in every draw; the same seed draws the same."""
    first = np.random.default_rng(1).random(20)
    drawn = resampled_means(np.stack([first, first + 2.0]))
    assert np.allclose(drawn[1] - drawn[0], 2.0)
    assert np.array_equal(drawn, resampled_means(np.stack([first, first + 2.0])))


def test_the_bootstrap_holds_the_mean_as_often_as_it_says() -> None:
    """Of many samples of a known difference, about 95 % of the intervals hold it."""
    random, held = np.random.default_rng(2), 0
    for number in range(200):
        differences = random.normal(1.0, 3.0, 40)
        drawn = resampled_means(differences[np.newaxis, :], seed=number)[0]
        low, high, _ = paired_bootstrap(drawn, differences, confidence=0.95)
        held += low <= 1.0 <= high
    assert 0.90 <= held / 200 <= 0.98


def test_a_handful_of_tasks_is_never_certain() -> None:
    """Resampling two tasks that agree finds certainty; the p value stays where a sign-flip test of two tasks is."""
    differences = np.array([-5.0, -5.0])
    drawn = resampled_means(differences[np.newaxis, :])[0]
    assert paired_bootstrap(drawn, differences, confidence=0.95)[2] == pytest.approx(0.5)
    assert paired_bootstrap(np.zeros(10), np.zeros(2), confidence=0.95)[2] == 1.0


def test_power_is_the_share_of_samples_that_show_it() -> None:
    """The formula agrees with drawing samples and testing them."""
    random, n, gain, loss = np.random.default_rng(3), 40, 0.25, 0.05
    shown = 0
    for _ in range(2_000):
        counts = random.multinomial(n, [gain, loss, 1 - gain - loss])
        shown += counts[0] > counts[1] and mcnemar_exact(int(counts[1]), int(counts[0])) <= 0.05
    assert power_of(n, gain=gain, loss=loss, alpha=0.05) == pytest.approx(shown / 2_000, abs=0.03)


def test_sixty_tasks_can_show_about_fifteen_points() -> None:
    """The figure of the documentation; fewer tasks show less, losses cost power, and five tasks show nothing."""
    found = detectable_difference(60, loss=1 / 60, alpha=0.05)
    assert found is not None
    assert 0.13 <= found <= 0.17
    without_losses, with_more = (detectable_difference(60, loss=loss, alpha=0.05) for loss in (0.0, 0.1))
    assert without_losses is not None
    assert with_more is not None
    assert without_losses < found < with_more
    assert detectable_difference(5, loss=0.0, alpha=0.05) is None


def test_no_difference_is_never_found() -> None:
    """Without any difference there is nothing to be shown."""
    assert power_of(60, gain=0.0, loss=0.0, alpha=0.05) == 0.0
    assert math.isclose(power_of(6, gain=1.0, loss=0.0, alpha=0.05), 1.0)


def test_without_the_libraries_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever compares without the extra is told how to install it."""
    imported = builtins.__import__

    def refuse(name: str, *args: Any, **more: Any) -> object:
        if name.partition(".")[0] in ("scipy", "statsmodels"):
            raise ImportError(name)
        return imported(name, *args, **more)

    monkeypatch.setattr("importlib.import_module", lambda name: refuse(name))
    with pytest.raises(InvalidInputError, match=r"pip install 'memp\[evaluation\]'"):
        mcnemar_exact(1, 2)


def test_negative_counts_are_refused() -> None:
    """A count is 0 or more."""
    with pytest.raises(InvalidInputError, match="0 or more"):
        mcnemar_exact(-1, 2)
