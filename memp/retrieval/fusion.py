"""
Several orders made one: reciprocal rank fusion of patterns, whole tasks and words.

Scores of different keys cannot be added: one is a cosine, another a sum of word weights. Ranks can. Each key gives its
best rows points by their rank; a row's score is the sum.

Patterns weigh three times as much as each of the other two, because both of those compare names, and names mislead: a
row that comes first by pattern then outscores every row that patterns do not list at all, whatever its names
(3/61 > 2/61). Rows that tie share a rank, as runners who finish together do: patterns tie by the hundred, and breaking
those ties before fusing would make an accident of the order count as much as a difference of meaning.

Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and Individual Rank Learning
Methods", SIGIR 2009, section 2, with weights.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from memp.retrieval.ranking import Ranked, Rows
from memp.retrieval.scoring import DECIMALS

RANK_OFFSET: Final = 60
"""The constant k of the source, which found it to matter little."""

POOL: Final = 50
"""Ranks of each key that get points: further down, a point is a thousandth and an order among strangers."""

WEIGHTS: Final = {"pattern": 3, "query": 1, "bm25": 1}
"""What a key's points count; measured, see docs/explanation/retrieval.md."""


@attrs.frozen(kw_only=True, eq=False)
class Listed:
    """
    The best rows by one key.

    Attributes:
        name: The key.

        rows: Distinct rows, shape ``(n,)``.

        scores: Their scores, rounded, shape ``(n,)``.
    """

    name: str
    rows: Rows
    scores: npt.NDArray[np.float64]

    def ranks(self) -> npt.NDArray[np.int64]:
        """Return each row's rank: one more than the rows that score higher."""
        rising = np.sort(self.scores)
        return 1 + len(rising) - np.searchsorted(rising, self.scores, side="right")

    def points(self) -> npt.NDArray[np.float64]:
        """Return what each row gets from this key."""
        return np.round(WEIGHTS[self.name] / (RANK_OFFSET + self.ranks()), DECIMALS)


def fuse(lists: Sequence[Listed], *, content_keys: Sequence[str], k: int) -> list[Ranked]:
    """
    Return the *k* rows with the most points, ties by content.

    Args:
        lists: The best rows by each key.

        content_keys: What each row is, by content.

        k: How many at most, 1 or more.

    Returns:
        At most *k* rows. The parts are, for each key that lists the row, ``KEY_rank`` and ``KEY_points``; the score is
        the sum of the points.
    """
    points = [one.points() for one in lists]
    rows, places = np.unique(np.concatenate([one.rows for one in lists]), return_inverse=True)
    total = np.round(np.bincount(places, weights=np.concatenate(points), minlength=len(rows)), DECIMALS)
    if len(rows) > k:
        cut = len(rows) - k
        best = total >= np.partition(total, cut)[cut]
        rows, total = rows[best], total[best]
    chosen = heapq.nsmallest(
        k,
        zip(rows.tolist(), total.tolist(), strict=True),
        key=lambda pair: (-pair[1], content_keys[pair[0]], pair[0]),
    )
    parts: dict[int, dict[str, float]] = {row: {} for row, _ in chosen}
    for one, given in zip(lists, points, strict=True):
        listed = np.flatnonzero(np.isin(one.rows, list(parts)))
        ranks = one.ranks()
        for place in listed.tolist():
            part = parts[int(one.rows[place])]
            part[f"{one.name}_rank"] = int(ranks[place])
            part[f"{one.name}_points"] = float(given[place])
    return [Ranked(row=row, score=score, parts=parts[row]) for row, score in chosen]
