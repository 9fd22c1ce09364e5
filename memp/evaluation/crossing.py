"""
Where, in a row of versions, did it become worse? The search itself, without any memory.

Versions stand in a row; the first is good, the last is not. The row is halved as long as something stands between the
last that is known to be good and the first that is known to be bad. Every decision compares two versions directly, so
what the search ends with (this one is good, the next one is worse) is shown and not inferred: nobody has to assume that
the row falls once and stays down. Where it falls several times, one of the falls is found.

Where an agent does the same thing each time, one round says what a version scores. Where it does not, rounds are
played until a test decides (``memp.evaluation.sequential``) or the budget ends; then the answer is that the data cannot
tell, with what is known by then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import attrs

from memp.errors import InvalidInputError
from memp.evaluation.sequential import log_stake

Probe = Callable[[int, int], Sequence[float]]
"""(version, round) to what every task scored, each in [0, 1] and in the order of the suite. Asked once for each."""

ROUNDS_MAX = 12
"""Rounds that one version is played at most: beyond, the difference is so small that a larger suite is the better way
to see it."""

BUDGET = 60
"""Evaluations besides the two ends, for an agent that varies: eight decisions take about seven rounds each."""


@attrs.frozen(kw_only=True)
class Scored:
    """
    What is known of one version.

    Attributes:
        version: Its place in the row, from 0.

        rounds: How often it was played, 1 or more.

        mean: What its tasks scored, in [0, 1].
    """

    version: int
    rounds: int
    mean: float


@attrs.frozen(kw_only=True)
class Crossing:
    """
    What the search found out.

    Attributes:
        good: The last version that is known to be good.

        bad: The first version after it that is known to be worse.

        found: Whether they are neighbours and the difference is shown.

        why: Where nothing was found, why not, in words; empty otherwise.

        evaluations: How often a version was played, the first round of both ends not counted.

        scored: What is known of each version that was played, in their order.
    """

    good: int
    bad: int
    found: bool
    why: str
    evaluations: int
    scored: tuple[Scored, ...]


def find_crossing(
    probe: Probe,
    versions: int,
    *,
    exact: bool,
    error_rate: float = 0.05,
    budget: int | None = None,
    rounds_max: int = ROUNDS_MAX,
) -> Crossing:
    """
    Return two neighbours of which the second scores less than the first, or what is known where that cannot be shown.

    Args:
        probe: Plays a version once and returns what each task scored.

        versions: How many there are, 2 or more; 0 is the good end and the last is the bad one.

        exact: Whether a version scores the same each time, so that one round says all.

        error_rate: How often, at most, neighbours may be named of which the second is not worse, over 0 and below 1.
            It is shared by all comparisons that the search could make (Bonferroni), as many as there are versions
            and more; so it holds whatever path the search takes. Of no meaning where *exact*.

        budget: Evaluations besides the first round of both ends, 0 or more; None: no limit where *exact*, ``BUDGET``
            otherwise.

        rounds_max: How often one version is played at most, 1 or more.

    Raises:
        InvalidInputError: A value is out of range, or a probe scored outside of [0, 1].
    """
    if versions < 2:
        raise InvalidInputError(f"A search needs two versions or more (got {versions!r}).")
    if not 0 < error_rate < 1:
        raise InvalidInputError(f"'error_rate' must lie between 0 and 1 (got {error_rate!r}).")
    if budget is not None and budget < 0:
        raise InvalidInputError(f"'budget' must be 0 or more (got {budget!r}).")
    if rounds_max < 1:
        raise InvalidInputError(f"'rounds_max' must be 1 or more (got {rounds_max!r}).")
    if exact:
        return _find_exactly(_Ledger(probe, versions, budget))
    # Two comparisons for every version between the ends, whatever the path, and one of the ends.
    level = error_rate / (2 * versions - 3)
    return _find_by_test(
        _Ledger(probe, versions, BUDGET if budget is None else budget), math.log(1 / level), rounds_max
    )


class _SpentError(Exception):
    """The budget is used up; never leaves this module."""


class _Ledger:
    """What was played, and what may still be."""

    def __init__(self, probe: Probe, versions: int, budget: int | None) -> None:
        self._probe = probe
        self._budget = budget
        self._rounds: dict[int, list[tuple[float, ...]]] = {}
        self.last = versions - 1
        self.evaluations = 0

    def play(self, version: int, rounds: int) -> None:
        """Have *version* played *rounds* times in all; what was played is not played again."""
        played = self._rounds.setdefault(version, [])
        while len(played) < rounds:
            if played or version not in (0, self.last):
                if self._budget is not None and self.evaluations >= self._budget:
                    raise _SpentError
                self.evaluations += 1
            scores = tuple(self._probe(version, len(played)))
            if not scores or not all(0 <= score <= 1 for score in scores):
                raise InvalidInputError(f"A probe must score one task or more, each in [0, 1] (got {scores!r}).")
            played.append(scores)

    def mean(self, version: int) -> float:
        """Return what *version* scored, over all of its rounds."""
        played = self._rounds[version]
        return math.fsum(score for scores in played for score in scores) / sum(map(len, played))

    def above(self, first: int, second: int) -> float:
        """Return how much speaks for *first* scoring higher than *second*, over the rounds that both were played."""
        both = zip(self._rounds[first], self._rounds[second], strict=False)
        return log_stake([a - b for a, b in zip(one, other, strict=True)] for one, other in both)

    def crossing(self, good: int, bad: int, *, why: str = "") -> Crossing:
        """Return what is known now."""
        scored = tuple(
            Scored(version=version, rounds=len(self._rounds[version]), mean=self.mean(version))
            for version in sorted(self._rounds)
            if self._rounds[version]
        )
        return Crossing(good=good, bad=bad, found=not why, why=why, evaluations=self.evaluations, scored=scored)


def _find_exactly(ledger: _Ledger) -> Crossing:
    good, bad = 0, ledger.last
    ledger.play(good, 1)
    ledger.play(bad, 1)
    if ledger.mean(good) <= ledger.mean(bad):
        return ledger.crossing(good, bad, why="the bad end is not worse than the good one")
    # Half-way between the ends, so that the largest fall is found where small ones stand beside it.
    half = (ledger.mean(good) + ledger.mean(bad)) / 2
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            ledger.play(middle, 1)
        except _SpentError:
            return ledger.crossing(good, bad, why="the budget of evaluations is used up")
        if ledger.mean(middle) > half:
            good = middle
        else:
            bad = middle
    return ledger.crossing(good, bad)


def _find_by_test(ledger: _Ledger, threshold: float, rounds_max: int) -> Crossing:
    good, bad = 0, ledger.last
    try:
        if not _ends_differ(ledger, threshold, rounds_max):
            return ledger.crossing(
                good, bad, why=f"{rounds_max} rounds do not show that the bad end is worse than the good one"
            )
        while bad - good > 1:
            middle = (good + bad) // 2
            for rounds in range(1, rounds_max + 1):
                for version in (middle, good, bad):
                    ledger.play(version, rounds)
                like_good, like_bad = ledger.above(middle, bad), ledger.above(good, middle)
                if max(like_good, like_bad) >= threshold:
                    break
            else:
                return ledger.crossing(
                    good, bad, why=f"{rounds_max} rounds do not show on which side of a version between them it fell"
                )
            if like_good > like_bad:
                good = middle
            else:
                bad = middle
    except _SpentError:
        return ledger.crossing(good, bad, why="the budget of evaluations is used up")
    return ledger.crossing(good, bad)


def _ends_differ(ledger: _Ledger, threshold: float, rounds_max: int) -> bool:
    for rounds in range(1, rounds_max + 1):
        ledger.play(0, rounds)
        ledger.play(ledger.last, rounds)
        if ledger.above(0, ledger.last) >= threshold:
            return True
    return False
