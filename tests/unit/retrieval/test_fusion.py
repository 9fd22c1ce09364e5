"""Reciprocal rank fusion: points by rank, ties share a rank, patterns weigh more than names."""

from __future__ import annotations

import numpy as np

from memp.retrieval.fusion import POOL, RANK_OFFSET, WEIGHTS, Listed, fuse
from memp.retrieval.ranking import Ranked


def listed(name: str, scores: dict[int, float]) -> Listed:
    return Listed(name=name, rows=np.array(list(scores), dtype=np.int64), scores=np.array(list(scores.values())))


def fused(*lists: Listed, k: int = 9) -> list[Ranked]:
    return fuse(lists, content_keys=[f"{9 - row}" for row in range(10)], k=k)


def test_the_score_is_the_sum_of_its_points() -> None:
    """Every part that makes the score is there, and nothing else makes it."""
    first, second = fused(listed("pattern", {3: 0.9, 4: 0.5}), listed("query", {4: 0.7}), listed("bm25", {4: 2.0}))
    assert (first.row, second.row) == (4, 3)
    assert first.parts == {
        "pattern_rank": 2,
        "pattern_points": 0.048387,
        "query_rank": 1,
        "query_points": 0.016393,
        "bm25_rank": 1,
        "bm25_points": 0.016393,
    }
    for one in (first, second):
        assert one.score == round(sum(value for name, value in one.parts.items() if name.endswith("_points")), 6)


def test_rows_that_tie_share_a_rank() -> None:
    """Three that finish together are all first, and the next one is fourth."""
    ranks = listed("pattern", {1: 0.9, 2: 0.9, 3: 0.9, 4: 0.1}).ranks().tolist()
    assert ranks == [1, 1, 1, 4]


def test_names_never_outweigh_a_pattern_that_comes_first() -> None:
    """First by pattern alone beats first by both others where patterns do not list the row."""
    best, other = fused(listed("pattern", {1: 0.9}), listed("query", {2: 1.0}), listed("bm25", {2: 9.0}))
    assert (best.row, other.row) == (1, 2)
    assert WEIGHTS["pattern"] > sum(weight for name, weight in WEIGHTS.items() if name != "pattern")
    # The last place that gets points still gets a point of its own after rounding.
    assert round(1 / (RANK_OFFSET + POOL - 1), 6) > round(1 / (RANK_OFFSET + POOL), 6)


def test_full_ties_go_by_content() -> None:
    """Rows with the same points come in the order of their content keys, also where *k* cuts among them."""
    ties = listed("pattern", {1: 0.9, 2: 0.9, 3: 0.9})
    assert [one.row for one in fused(ties)] == [3, 2, 1]
    assert [one.row for one in fused(ties, k=2)] == [3, 2]


def test_nothing_fuses_to_nothing() -> None:
    """Empty lists give an empty answer."""
    assert fused(listed("pattern", {}), listed("query", {}), listed("bm25", {})) == []
