"""The search for the version at which it became worse: exact where the agent is, honest where it is not."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memp.errors import InvalidInputError
from memp.evaluation.crossing import BUDGET, Crossing, Probe, find_crossing
from memp.evaluation.sequential import BETS, log_stake

rows = st.lists(st.integers(0, 20), min_size=2, max_size=300)


def exactly(scores: Sequence[float]) -> Probe:
    """Return a probe whose versions score *scores*, each with a single task."""
    return lambda version, _round: [scores[version]]


def noisily(
    means: Sequence[float], *, tasks: int, seed: int, spread: float = 0.15, calls: list[tuple[int, int]] | None = None
) -> Probe:
    """Return a probe that wins each task by lot; tasks differ, and their mean is that of *means*."""
    lot = random.Random(seed)
    shift = [spread * (2 * task / max(1, tasks - 1) - 1) for task in range(tasks)]

    def probe(version: int, round_: int) -> list[float]:
        if calls is not None:
            calls.append((version, round_))
        return [float(lot.random() < means[version] + one) for one in shift]

    return probe


# -- agents that do the same thing each time --------------------------------------------------------------------------


@given(rows)
def test_what_is_named_is_a_fall(row: list[int]) -> None:
    """Whatever the row: the second of the two neighbours scores less than the first, or the ends do not differ."""
    found = find_crossing(exactly([score / 20 for score in row]), len(row), exact=True)
    if row[0] <= row[-1]:
        assert not found.found
        assert "not worse" in found.why
    else:
        assert found.found
        assert found.bad == found.good + 1
        assert row[found.good] > row[found.bad]


@given(st.integers(2, 300), st.data())
def test_one_fall_is_found_in_as_many_halvings_as_there_must_be(versions: int, data: st.DataObject) -> None:
    """With one event that hurt, it is that one; the evaluations are the logarithm of the events between the ends."""
    fall = data.draw(st.integers(1, versions - 1))
    found = find_crossing(exactly([1.0] * fall + [0.4] * (versions - fall)), versions, exact=True)
    assert (found.good, found.bad, found.found) == (fall - 1, fall, True)
    assert found.evaluations <= math.ceil(math.log2(versions - 1)) if versions > 2 else found.evaluations == 0


@given(st.integers(3, 200), st.data())
def test_the_largest_fall_is_found_beside_small_ones(versions: int, data: st.DataObject) -> None:
    """Ups and downs below half of the difference of the ends do not mislead."""
    fall = data.draw(st.integers(1, versions - 1))
    noise = data.draw(st.lists(st.integers(-2, 2), min_size=versions, max_size=versions))
    row = [(15 if version < fall else 5) + noise[version] for version in range(versions)]
    found = find_crossing(exactly([score / 20 for score in row]), versions, exact=True)
    assert (found.good, found.bad) == (fall - 1, fall)


@given(rows, st.integers(0, 10))
def test_a_budget_is_never_passed_and_what_is_known_is_kept(row: list[int], budget: int) -> None:
    """When the budget is used up, the two that are known are still a good one and a worse one."""
    found = find_crossing(exactly([score / 20 for score in row]), len(row), exact=True, budget=budget)
    assert found.evaluations <= budget
    assert row[found.good] > row[found.bad] or row[0] <= row[-1]
    if not found.found and row[0] > row[-1]:
        assert "budget" in found.why


@given(rows)
def test_no_version_is_played_twice(row: list[int]) -> None:
    """One round says all, so none is asked for again."""
    calls: list[tuple[int, int]] = []

    def probe(version: int, round_: int) -> list[float]:
        calls.append((version, round_))
        return [row[version] / 20]

    found = find_crossing(probe, len(row), exact=True)
    assert len(calls) == len(set(calls)) == len(found.scored)
    assert found.evaluations == len(calls) - 2


# -- agents that vary -------------------------------------------------------------------------------------------------


def search(means: Sequence[float], *, seed: int, tasks: int = 24, **options: int) -> Crossing:
    """Search a row of versions whose tasks are won by lot."""
    return find_crossing(noisily(means, tasks=tasks, seed=seed), len(means), exact=False, **options)


def test_a_clear_fall_is_found_through_the_noise() -> None:
    """Among two hundred events, one that costs half of the tasks is named, and nothing else is."""
    for seed in range(60):
        fall = 1 + (seed * 37) % 200
        found = search([0.8] * fall + [0.3] * (201 - fall), seed=seed)
        assert found.found, found.why
        assert found.bad == fall
        assert found.evaluations <= BUDGET


def test_where_nothing_fell_nothing_is_named() -> None:
    """The stated error rate holds over many seeds: with two equal ends, at most one search in twenty names anything."""
    searches = 400
    named = sum(search([0.6] * 201, seed=seed).found for seed in range(searches))
    assert named <= 0.05 * searches


def test_the_error_rate_holds_for_few_versions_too() -> None:
    """Two versions share the rate among few comparisons, so it is nearly used up; it is still not passed."""
    searches = 300
    rates = []
    for rate in (0.05, 0.2):
        named = sum(
            find_crossing(
                noisily([0.5] * 3, tasks=12, seed=seed), 3, exact=False, error_rate=rate, rounds_max=20, budget=200
            ).found
            for seed in range(searches)
        )
        rates.append(named / searches)
        assert named <= rate * searches
    assert rates[1] > 0, "a rate of one in five that never errs is not the rate that was asked for"


def test_a_small_fall_is_no_reason_to_guess() -> None:
    """Where the data cannot show it, the answer is that they cannot; a wrong event is never the price."""
    wrong = 0
    for seed in range(100):
        fall = 1 + (seed * 53) % 100
        found = search([0.62] * fall + [0.55] * (101 - fall), seed=seed)
        if found.found:
            wrong += found.bad != fall
        else:
            assert found.why
    assert wrong <= 5


def test_with_several_falls_one_of_them_is_named() -> None:
    """The row need not fall once: what is named is one of its falls, never a rise and never an event between."""
    means = [0.9] * 20 + [0.55] * 20 + [0.8] * 20 + [0.3] * 20
    found = [search(means, seed=seed, budget=200) for seed in range(40)]
    assert {one.bad for one in found if one.found} <= {20, 60}
    assert sum(one.found for one in found) >= 30


def test_a_search_that_gives_up_says_how_far_it_came() -> None:
    """With a small budget the two versions between which it fell are still on either side of it."""
    fall = 70
    for seed in range(20):
        found = search([0.9] * fall + [0.2] * (128 - fall), seed=seed, budget=6)
        assert not found.found
        assert found.evaluations <= 6
        assert found.good < fall <= found.bad
        assert found.bad - found.good < 127


def test_every_round_is_played_once() -> None:
    """What was played is kept, so that a journal and a cache agree with what is asked."""
    calls: list[tuple[int, int]] = []
    probe = noisily([0.8] * 30 + [0.4] * 30, tasks=20, seed=3, calls=calls)
    found = find_crossing(probe, 60, exact=False)
    assert len(calls) == len(set(calls))
    assert found.evaluations == len(calls) - 2
    assert sum(one.rounds for one in found.scored) == len(calls)


# -- the bet ----------------------------------------------------------------------------------------------------------

differences = st.lists(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=1, max_size=8), max_size=12)


@given(differences)
def test_the_stake_does_not_depend_on_the_order_within_a_round(rounds: list[list[float]]) -> None:
    """Tasks stand in some order; what is tested is their mean."""
    assert log_stake(rounds) == pytest.approx(log_stake([sorted(one) for one in rounds]))


@given(differences, st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=8))
def test_what_was_shown_stays_shown(rounds: list[list[float]], more: list[float]) -> None:
    """The largest stake never falls, and begins at one coin."""
    assert 0 <= log_stake(rounds) <= log_stake([*rounds, more])


@given(st.lists(st.integers(-8, 8), min_size=1, max_size=6))
@settings(max_examples=50)
def test_the_bet_is_fair_where_tasks_differ(tenths: list[int]) -> None:
    """For tasks whose means sum to nothing or less, the mean stake after a round is one coin at most, worked out."""
    means = [tenth / 10 for tenth in tenths]
    means.append(max(-1.0, -sum(means)))
    if sum(means) > 1e-9:
        return
    stakes = [math.prod(1 + bet * mean for mean in means) for bet in BETS]
    assert sum(stakes) / len(BETS) <= 1 + 1e-9


@pytest.mark.parametrize("difference", [1.5, -2.0, math.nan])
def test_a_difference_out_of_range_is_refused(difference: float) -> None:
    """The bound of the stake rests on the range."""
    with pytest.raises(InvalidInputError, match="between -1 and 1"):
        log_stake([[difference]])


@pytest.mark.parametrize(
    ("versions", "options", "named"),
    [
        (1, {}, "two versions"),
        (5, {"error_rate": 0.0}, "error_rate"),
        (5, {"error_rate": 1.0}, "error_rate"),
        (5, {"budget": -1}, "budget"),
        (5, {"rounds_max": 0}, "rounds_max"),
    ],
)
def test_wrong_values_are_named(versions: int, options: dict[str, float], named: str) -> None:
    """The error says what it must be and what came."""
    with pytest.raises(InvalidInputError, match=named):
        find_crossing(exactly([1.0] * 5), versions, exact=True, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("scores", [[], [1.2], [-0.1]])
def test_a_probe_that_scores_out_of_range_is_refused(scores: list[float]) -> None:
    """What a task scores lies between 0 and 1, for one task or more."""
    with pytest.raises(InvalidInputError, match="probe"):
        find_crossing(lambda _version, _round: scores, 3, exact=True)
