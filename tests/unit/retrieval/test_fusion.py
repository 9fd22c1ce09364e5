"""Reciprocal rank fusion: points by rank, ties share a rank, patterns weigh more than names."""

from __future__ import annotations

import numpy as np

from memp.retrieval.fusion import POOL, RANK_OFFSET, UNLISTED, WEIGHTS, Scores, fuse, points, ranks
from memp.retrieval.ranking import Ranked


def scores(*each: float | None) -> Scores:
    """Return the scores of rows 0, 1, 2 …; None for a row that is not listed."""
    return np.array([UNLISTED if score is None else score for score in each])


def fused(*, pattern: Scores, query: Scores, bm25: Scores, k: int = 9, pool: int = POOL) -> list[Ranked]:
    lists = {"pattern": pattern, "query": query, "bm25": bm25}
    return fuse(np.arange(len(pattern)), lists, content_keys=[f"{9 - row}" for row in range(10)], k=k, pool=pool)


def test_the_score_is_the_sum_of_its_points() -> None:
    """Every part that makes the score is there, and nothing else makes it."""
    first, second = fused(pattern=scores(0.9, 0.5), query=scores(None, 0.7), bm25=scores(None, 2.0))
    assert (first.row, second.row) == (1, 0)
    assert first.parts == {
        "pattern_rank": 2,
        "pattern_points": 0.080645,
        "query_rank": 1,
        "query_points": 0.016393,
        "bm25_rank": 1,
        "bm25_points": 0.016393,
    }
    assert second.parts == {"pattern_rank": 1, "pattern_points": 0.081967}
    for one in (first, second):
        assert one.score == round(sum(value for name, value in one.parts.items() if name.endswith("_points")), 6)


def test_rows_that_tie_share_a_rank() -> None:
    """Three that finish together are all first, and the next one is fourth."""
    assert ranks(scores(0.9, 0.9, 0.1, 0.9)).tolist() == [1, 1, 4, 1]


def test_names_never_outweigh_a_pattern_that_patterns_do_not_list() -> None:
    """First by both others never reaches the last row that patterns list, so patterns alone may propose."""
    names = sum(weight for name, weight in WEIGHTS.items() if name != "pattern")
    assert WEIGHTS["pattern"] / (RANK_OFFSET + POOL) > names / (RANK_OFFSET + 1)


def test_points_end_with_the_pool() -> None:
    """The last rank of the pool gets a point of its own, the next rank nothing, and nor does what is not listed."""
    given = points("query", scores(*range(POOL + 1, 0, -1), None))
    assert given[POOL - 1] > 0.0
    assert given[POOL:].tolist() == [0.0, 0.0]
    assert len(set(given[:POOL].tolist())) == POOL
    assert points("query", scores(2.0, 1.0), pool=1).tolist() == [0.016393, 0.0]


def test_full_ties_go_by_content() -> None:
    """Rows with the same points come in the order of their content keys, also where *k* cuts among them."""
    tied, none = scores(0.9, 0.9, 0.9), scores(None, None, None)
    assert [one.row for one in fused(pattern=tied, query=none, bm25=none)] == [2, 1, 0]
    assert [one.row for one in fused(pattern=tied, query=none, bm25=none, k=2)] == [2, 1]


def test_nothing_fuses_to_nothing() -> None:
    """Empty lists give an empty answer."""
    assert fused(pattern=scores(), query=scores(), bm25=scores()) == []
