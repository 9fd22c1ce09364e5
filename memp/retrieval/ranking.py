"""
From vectors to an order of procedures, the same order every time.

Everything here is a function of arrays. A *row* is one revision of a procedure; it has one or more texts; a text is a
slot in an index, and many rows may share one. A version of the memory is a mask over rows. Scoring goes by distinct
texts and is spread to rows afterwards, so that ten thousand procedures with fifty task patterns cost fifty scores.

Several criteria rank one after the other: the first decides, the next one breaks its ties, and in the end content does.
Adding weighted scores instead was not taken: a weight cannot promise that a name never outweighs what a task asks for.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from functools import cached_property
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from memp.embedding.base import Vector
from memp.errors import InvalidInputError
from memp.index.base import SCORE_STEP, Mask, Slots, VectorIndex, coarse_margin
from memp.retrieval.scoring import DECIMALS, exact_scores

GATHERED_MAX: Final = 1_024
"""Texts of tied rows that are copied out and multiplied at once, 1.5 MB at 384 numbers; of more, the index is asked."""

Rows = npt.NDArray[np.int64]
"""Row numbers, from 0 in the order in which revisions were added."""

Lots = npt.NDArray[np.uint64]
"""A random number a row that its content decides, shape ``(n,)``."""


@attrs.frozen(kw_only=True, eq=False)
class Entries:
    """
    Which row has which text, as two parallel arrays.

    Attributes:
        rows: Row of each entry, never falling, shape ``(m,)``.

        slots: Slot of its text, shape ``(m,)``.
    """

    rows: Rows
    slots: Slots

    @cached_property
    def single(self) -> bool:
        """Whether no row has several texts."""
        return bool((self.rows[1:] != self.rows[:-1]).all())

    @cached_property
    def _firsts(self) -> npt.NDArray[np.int64]:
        """The place of the first entry of each row up to the last one, and of where another row's would be."""
        rows = int(self.rows[-1]) + 1 if len(self.rows) else 0
        return self.rows.searchsorted(np.arange(rows + 1))

    def within(self, live: Mask) -> Entries:
        """Return the entries of the rows for which *live* is true; rows past its end are not live."""
        end = int(np.searchsorted(self.rows, len(live)))
        rows, slots = self.rows[:end], self.slots[:end]
        if live.all():
            return Entries(rows=rows, slots=slots)
        kept = live[rows]
        return Entries(rows=rows[kept], slots=slots[kept])

    def of(self, rows: Rows) -> Entries:
        """Return the entries of *rows*, which rise."""
        # Rows behind the last one that has a text are clipped to where nothing begins and nothing ends.
        firsts, ends = self._firsts.take(rows, mode="clip"), self._firsts.take(rows + 1, mode="clip")
        places = _places(firsts, ends - firsts)
        return Entries(rows=self.rows[places], slots=self.slots[places])

    def spread(self, slots: Slots, scores: npt.NDArray[np.floating]) -> tuple[Rows, npt.NDArray[np.float64]]:
        """
        Return each row here once, and the highest score of its texts.

        Args:
            slots: Distinct slots in any order, every slot of these entries among them.

            scores: Score of each of *slots*.
        """
        order = slots.argsort()
        by_entry = scores[order[slots.searchsorted(self.slots, sorter=order)]].astype(np.float64)
        return self.highest(by_entry)

    def starts(self) -> npt.NDArray[np.int64]:
        """Return the place of each row's first entry."""
        return np.concatenate(([0], np.flatnonzero(self.rows[1:] != self.rows[:-1]) + 1))[: len(self.rows)]

    def highest(self, scores: npt.NDArray[np.float64]) -> tuple[Rows, npt.NDArray[np.float64]]:
        """Return each row here once, and the highest of its *scores*, of which every entry has one."""
        if self.single:
            return self.rows, scores
        # Rows never fall, so what belongs to one row stands together.
        starts = self.starts()
        return self.rows[starts], np.maximum.reduceat(scores, starts)


class Selection:
    """
    Entries to search among, and what a search needs to know of them.

    All of it takes time in proportion to the number of entries, and a question looks at a handful: whoever asks about
    the same version again and again keeps its selection.

    Args:
        entries: The entries.

        live: The mask that chose them; None if something else did.

    Attributes:
        entries: The entries.

        live: The mask that chose them, the very object; None if something else did.

        allowed: Which slots some entry uses; all behind the end are not used.
    """

    def __init__(self, entries: Entries, *, live: Mask | None = None) -> None:
        self.entries = entries
        self.live = live
        self.allowed: Mask = np.zeros(int(entries.slots.max()) + 1 if len(entries.slots) else 0, dtype=np.bool_)
        self.allowed[entries.slots] = True
        # Texts get their slots as rows come, so this is nearly sorted already, and a stable sort makes use of that.
        self._order = np.argsort(entries.slots, kind="stable")
        self._counts = np.bincount(entries.slots, minlength=len(self.allowed))
        self._firsts = np.cumsum(self._counts) - self._counts

    def having(self, slots: Slots) -> Entries:
        """Return the entries whose text is among *slots*, which are distinct."""
        places = self._order[_places(self._firsts[slots], self._counts[slots])]
        places.sort()
        return Entries(rows=self.entries.rows[places], slots=self.entries.slots[places])

    def spread(self, slots: Slots, scores: npt.NDArray[np.floating]) -> tuple[Rows, npt.NDArray[np.float64]]:
        """Return each row that has a text among *slots*, and the highest of its *scores*; see ``Entries.spread``."""
        return self.having(slots).spread(slots, scores)

    def nth_best(self, slots: Slots, scores: npt.NDArray[np.floating], n: int) -> float:
        """
        Return the *n*-th highest score of a row; minus infinity if fewer rows have a text among *slots*.

        Args:
            slots: Distinct slots that entries use, in any order.

            scores: Score of each of *slots*.

            n: Which one, 1 or more.
        """
        order = (-scores).argsort(kind="stable")
        reached = self._counts[slots[order]].cumsum()
        # Texts behind those that belong to n rows cannot matter: fifty patterns of ten thousand procedures may all be
        # proposed, and the best of them has two hundred rows. Entries are rows, unless a row has several texts.
        last = int(reached.searchsorted(n))
        if self.entries.single:
            return float(scores[order[last]]) if last < len(order) else -np.inf
        while last < len(order):
            best = order[: last + 1]
            rows, highest = self.spread(slots[best], scores[best])
            if len(rows) >= n:
                return _nth_best(highest, n)
            last = max(2 * last, last + 1)
        _, highest = self.spread(slots, scores)
        return _nth_best(highest, n) if len(highest) >= n else -np.inf


@attrs.frozen(kw_only=True, eq=False)
class Criterion:
    """
    One thing that rows are compared by.

    Attributes:
        name: What its score is called in the parts of a match.

        query: Unit length, shape ``(dim,)``.

        index: Holds the vectors of the texts.

        entries: Which row has which text; a row with several scores the highest of them, a row with none is not found.

        selection: The entries of the live rows, where they are at hand; used if the mask that is asked for is its own.
    """

    name: str
    query: Vector
    index: VectorIndex
    entries: Entries
    selection: Selection | None = None

    def among(self, live: Mask) -> Selection:
        """Return the entries of the rows for which *live* is true."""
        if self.selection is not None and self.selection.live is live:
            return self.selection
        return Selection(self.entries.within(live), live=live)


@attrs.frozen(kw_only=True)
class Ranked:
    """
    A row in its place.

    Attributes:
        row: The row.

        score: Of the first criterion; higher is better, rounded to 1e-6.

        parts: The score of every criterion by name; one for which the row has no text is left out.
    """

    row: int
    score: float
    parts: dict[str, float]


def rank(criteria: Sequence[Criterion], *, live: Mask, content_keys: Sequence[str], k: int) -> list[Ranked]:
    """
    Return the *k* best live rows, best first.

    Args:
        criteria: One or more; each breaks the ties of those before it.

        live: Which rows may be found; rows past its end may not.

        content_keys: What each row is, by content; decides where all scores tie, the smaller one first.

        k: How many at most, 1 or more.

    Returns:
        At most *k* rows. The answer depends on the vectors, texts and keys of the live rows alone: neither on other
        rows nor on the order in which rows were added (unless two live rows have the same content key).

    Raises:
        InvalidInputError: *k* is below 1.
        DimensionError: A query has another length than its index; carries both.
    """
    check_k(k)
    rows = _order(criteria, *nearest(criteria[0], live=live, need=k), content_keys=content_keys, need=k)
    if not rows:
        return []
    parts: list[dict[str, float]] = [{} for _ in rows]
    for criterion in criteria:
        scores = _scores_of(criterion, rows)
        for part, score in zip(parts, scores, strict=True):
            if score is not None:
                part[criterion.name] = score
    first = criteria[0].name
    return [Ranked(row=row, score=part[first], parts=part) for row, part in zip(rows, parts, strict=True)]


def nearest(criterion: Criterion, *, live: Mask, need: int) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Return all live rows whose score reaches that of the *need*-th best, rising, with their scores."""
    return _best(criterion, criterion.among(live), need)


def nearest_among(criterion: Criterion, rows: Rows, *, need: int) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Return those of *rows*, which rise, whose score reaches that of the *need*-th best of them, and their scores."""
    entries = criterion.entries.of(rows)
    if len(entries.rows) > GATHERED_MAX:
        return _best(criterion, Selection(entries), need)
    if not len(entries.rows):
        return entries.rows, np.empty(0, dtype=np.float64)
    margin = coarse_margin(criterion.index.dimension)
    vectors = criterion.index.vectors(entries.slots)
    found, coarse = entries.highest((vectors @ criterion.query).astype(np.float64))
    if len(found) > need:
        near = coarse >= _nth_best(coarse, need) - margin
        kept = np.flatnonzero(near if entries.single else np.isin(entries.rows, found[near]))
        entries, vectors = Entries(rows=entries.rows[kept], slots=entries.slots[kept]), vectors[kept]
    found, exact = entries.highest(exact_scores(criterion.query, vectors))
    if len(found) > need:
        best = exact >= _nth_best(exact, need)
        found, exact = found[best], exact[best]
    return found, exact


def scores_of(criterion: Criterion, rows: Sequence[int]) -> list[float | None]:
    """Return the score of each of *rows*; None where it has no text."""
    return _scores_of(criterion, rows) if rows else []


def lot_of(content_key: str) -> int:
    """Return the number that stands for *content_key* in every draw, below 2**64."""
    return int.from_bytes(hashlib.sha256(content_key.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def rank_randomly(
    task: str, *, live: Mask, lots: Lots, content_keys: Sequence[str], k: int, seed: int = 0
) -> list[Ranked]:
    """
    Return *k* live rows drawn by lot; the lot is the same for the same task, seed and content.

    A row's lot is a mixture of a digest of its content key and one of seed and task, so it depends neither on ids nor
    on other rows: a new procedure changes an old draw only by entering it. Ten thousand digests a draw take six
    milliseconds; ten thousand mixtures, which are arithmetic on whole numbers, take none.

    Source of the mixture: the finaliser of SplitMix64, Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
    Generators", OOPSLA 2014, figure 16, with the constants of D. Stafford's variant 13.

    Args:
        task: What is asked; another task draws others.

        live: Which rows may be drawn; rows past its end may not.

        lots: ``lot_of`` each row's content key.

        content_keys: What each row is, by content; decides between equal lots.

        k: How many at most, 1 or more.

        seed: Another one gives another draw.

    Returns:
        At most *k* rows; the score is the lot as a fraction in [0, 1], highest first.

    Raises:
        InvalidInputError: *k* is below 1.
    """
    check_k(k)
    drawer = int.from_bytes(hashlib.sha256(f"{seed}\0{task}".encode("utf-8", "surrogatepass")).digest()[:8], "big")
    rows = np.flatnonzero(live)
    mixed = lots[rows] ^ np.uint64(drawer)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    if len(rows) > k:
        cut = len(rows) - k
        best = mixed >= np.partition(mixed, cut)[cut]
        rows, mixed = rows[best], mixed[best]
    drawn = heapq.nsmallest(
        k,
        zip(rows.tolist(), mixed.tolist(), strict=True),
        key=lambda pair: (-pair[1], content_keys[pair[0]], pair[0]),
    )
    scores = [round((lot >> 11) / (1 << 53), DECIMALS) for _, lot in drawn]
    return [
        Ranked(row=row, score=score, parts={"random": score}) for (row, _), score in zip(drawn, scores, strict=True)
    ]


def check_k(k: object) -> None:
    """
    Refuse a *k* that asks for nothing.

    Raises:
        InvalidInputError: *k* is not a whole number of 1 or more.
    """
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise InvalidInputError(f"'k' must be a whole number, 1 or more (got {k!r}).")


def _order(
    criteria: Sequence[Criterion],
    rows: Rows,
    scores: npt.NDArray[np.float64],
    *,
    content_keys: Sequence[str],
    need: int,
) -> list[int]:
    """Return the first *need* of *rows*, which have these *scores* by the first criterion, then by the next ones."""
    ordered: list[int] = []
    # Two groups of equals at least make progress by two rows, and a group of more than *need* is always the last one:
    # so at most one large group is ever searched again.
    for score in np.unique(scores)[::-1]:
        group = rows[scores == score]
        if len(group) == 1:
            ordered.append(int(group[0]))
        else:
            missing = need - len(ordered)
            again: list[int] = []
            if len(criteria) > 1:
                best = nearest_among(criteria[1], group, need=missing)
                again = _order(criteria[1:], *best, content_keys=content_keys, need=missing)
            # A row without a text for the next criterion is not found by it, and then comes after those that are.
            if len(again) < min(missing, len(group)):
                again += _by_content(np.setdiff1d(group, again), content_keys, missing - len(again))
            ordered += again
        if len(ordered) >= need:
            break
    return ordered[:need]


def _best(criterion: Criterion, selection: Selection, need: int) -> tuple[Rows, npt.NDArray[np.float64]]:
    """
    Return all rows of *selection* whose exact score reaches that of the *need*-th best row, with their scores.

    The index counts texts and the caller counts rows: where one row owns several of the nearest texts, the first
    proposals cover too few rows, so it is asked again for more.
    """
    index = criterion.index
    # One step less than what proposals reach, or the last bit of "score - margin" would send every search round again.
    margin = coarse_margin(index.dimension) - SCORE_STEP
    wanted = need
    while True:
        found = index.search(criterion.query, k=wanted, allowed=selection.allowed)
        bar = selection.nth_best(found.slots, found.scores, need) - margin
        if found.floor == -np.inf or bar >= found.floor:
            break
        wanted *= 2
    slots = found.slots[found.scores >= bar]
    rows, exact = selection.spread(slots, exact_scores(criterion.query, index.vectors(slots)))
    if len(rows) > need:
        best = exact >= _nth_best(exact, need)
        rows, exact = rows[best], exact[best]
    return rows, exact


def _nth_best(scores: npt.NDArray[np.float64], n: int) -> float:
    """Return the *n*-th highest of *scores*, which are at least *n*."""
    cut = len(scores) - n
    return float(np.partition(scores, cut)[cut])


def _by_content(rows: Rows, content_keys: Sequence[str], need: int) -> list[int]:
    """Return the *need* rows with the smallest content keys, smallest first."""
    return heapq.nsmallest(need, rows.tolist(), key=lambda row: (content_keys[row], row))


def _scores_of(criterion: Criterion, rows: Sequence[int]) -> list[float | None]:
    """Return the exact score of each of *rows*; None where it has no text."""
    entries = criterion.entries
    firsts = np.searchsorted(entries.rows, rows).tolist()
    lasts = np.searchsorted(entries.rows, rows, side="right").tolist()
    texts = [entries.slots[first:last] for first, last in zip(firsts, lasts, strict=True)]
    scores = iter(exact_scores(criterion.query, criterion.index.vectors(np.concatenate(texts))).tolist())
    return [max((next(scores) for _ in slots), default=None) for slots in texts]


def _places(firsts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return, of runs that start at *firsts* and have so many places, all places of one after those of another."""
    if (counts == 1).all():
        return firsts
    # Count up throughout, and start again at each first.
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    places: npt.NDArray[np.int64] = np.arange(total) + np.repeat(firsts - (ends - counts), counts)
    return places
