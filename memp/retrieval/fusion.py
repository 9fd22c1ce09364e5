"""
Several orders made one: reciprocal rank fusion of patterns, whole tasks and words.

Scores of different keys cannot be added: one is a cosine, another a sum of word weights. Ranks can. Each key gives its
best rows points by their rank; a row's score is the sum.

Patterns propose the rows, and all three keys rank what was proposed. Letting each key propose its own was not taken: it
costs a search each, and with these weights what patterns do not list cannot outscore what they do, down to rank 92
(5/152 < 2/61 < 5/151), so nobody would see the difference. Patterns weigh five times as much as each of the other two,
because both of those compare names, and names mislead. Rows that tie share a rank, as runners who finish together do:
patterns tie by the hundred, and breaking those ties before fusing would make an accident of the order count as much as
a difference of meaning.

Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and Individual Rank Learning
Methods", SIGIR 2009, section 2, with weights.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from memp.retrieval.ranking import Ranked, Rows
from memp.retrieval.scoring import DECIMALS

RANK_OFFSET: Final = 60
"""The constant k of the source, which found it to matter little."""

POOL: Final = 12
"""Rows that patterns propose, ties included, and ranks of each key that get points: four times what is usually asked
for. With 8 and with 50 the right procedure came first as often; see docs/explanation/retrieval.md."""

WEIGHTS: Final = {"pattern": 5, "query": 1, "bm25": 1}
"""What a key's points count; measured, see docs/explanation/retrieval.md."""

UNLISTED: Final = -np.inf
"""The score of a row that a key does not list."""

Scores = npt.NDArray[np.float64]
"""One score a row, rounded, or ``UNLISTED``; shape ``(n,)``."""


Ranks = npt.NDArray[np.int64]
"""One rank a row, from 1, shape ``(n,)``."""


def ranks(scores: Scores) -> Ranks:
    """Return each row's rank: one more than the rows that score higher."""
    rising = scores.copy()
    rising.sort()
    return (1 + len(rising)) - rising.searchsorted(scores, side="right")


def points(name: str, scores: Scores, *, pool: int = POOL, placed: Ranks | None = None) -> Scores:
    """
    Return what each row gets from the key *name*: nothing behind the first *pool* ranks, nor if it is not listed.

    Args:
        name: The key.

        scores: Its scores.

        pool: Ranks that get points.

        placed: The ranks of *scores*, where they are known.
    """
    # Ranks behind the pool are clipped to the end of the table, where nothing is to be had.
    given: Scores = _points_by_rank(name, pool).take(ranks(scores) if placed is None else placed, mode="clip")
    given[scores == UNLISTED] = 0.0
    return given


@lru_cache(maxsize=64)
def _points_by_rank(name: str, pool: int) -> Scores:
    """Return what the ranks from 0 to one behind the *pool* get; there is no rank 0."""
    table: Scores = (WEIGHTS[name] / (RANK_OFFSET + np.arange(pool + 2))).round(DECIMALS)
    table[[0, -1]] = 0.0
    return table


def fuse(
    rows: Rows, lists: Mapping[str, Scores], *, content_keys: Sequence[str], k: int, pool: int = POOL
) -> list[Ranked]:
    """
    Return the *k* rows with the most points, ties by content.

    Args:
        rows: Distinct rows, rising, shape ``(n,)``.

        lists: The scores of *rows* by each key.

        content_keys: What each row is, by content.

        k: How many at most, 1 or more.

        pool: Ranks of each key that get points.

    Returns:
        At most *k* rows. The parts are, for each key that gives the row points, ``KEY_rank`` and ``KEY_points``; the
        score is the sum of the points.
    """
    placed = {name: ranks(scores) for name, scores in lists.items()}
    given = {name: points(name, scores, pool=pool, placed=placed[name]) for name, scores in lists.items()}
    total = np.zeros(len(rows), dtype=np.float64)
    for got in given.values():
        total += got
    total = total.round(DECIMALS)
    places = np.arange(len(rows))
    if len(rows) > k:
        cut = len(rows) - k
        places = np.flatnonzero(total >= np.partition(total, cut)[cut])
    # A list, because of one that is no longer than *k* nsmallest makes no heap.
    candidates = list(zip(places.tolist(), rows[places].tolist(), total[places].tolist(), strict=True))
    chosen = heapq.nsmallest(k, candidates, key=lambda one: (-one[2], content_keys[one[1]], one[1]))
    fused = [Ranked(row=row, score=score, parts={}) for _, row, score in chosen]
    for name, got in given.items():
        for (place, _, _), one in zip(chosen, fused, strict=True):
            if got[place]:
                one.parts[f"{name}_rank"] = int(placed[name][place])
                one.parts[f"{name}_points"] = float(got[place])
    return fused
