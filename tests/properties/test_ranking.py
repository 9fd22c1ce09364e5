"""Ranking agrees with a slow model that knows neither masks, nor proposals, nor shared texts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memp.embedding import Matrix, normalise
from memp.index import ExactIndex
from memp.retrieval.ranking import Criterion, Entries, rank
from memp.retrieval.scoring import exact_scores

# Few numbers, so that ties of every kind are common.
VECTORS = normalise(np.array([[a, b, c] for a in (-1, 0, 1) for b in (0, 1) for c in (0, 1e-4, 1) if a or b or c]))
QUERY = normalise(np.array([[3.0, 2.0, 1.0]]))[0]

rows = st.lists(
    st.tuples(
        st.lists(st.integers(0, len(VECTORS) - 1), min_size=1, max_size=4),
        st.lists(st.integers(0, len(VECTORS) - 1), min_size=1, max_size=2),
        st.text("ab", min_size=2, max_size=5),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda row: row[2],
)


def criterion(name: str, texts: list[list[int]], vectors: Matrix) -> Criterion:
    index = ExactIndex(vectors.shape[1])
    entries = [(row, text) for row, own in enumerate(texts) for text in dict.fromkeys(own)]
    slots = index.add([str(text) for _, text in entries], vectors[[text for _, text in entries]])
    return Criterion(
        name=name, query=QUERY, index=index, entries=Entries(rows=np.array([row for row, _ in entries]), slots=slots)
    )


@given(rows, st.integers(1, 30))
def test_rank_agrees_with_sorting_everything(table: list[tuple[list[int], list[int], str, bool]], k: int) -> None:
    """The k best rows are the first k of all live rows sorted by both scores and the content key."""
    exact = exact_scores(QUERY, VECTORS)
    expected = sorted(
        (-max(exact[first]), -max(exact[second]), key, row)
        for row, (first, second, key, live) in enumerate(table)
        if live
    )[:k]
    criteria = [
        criterion("pattern", [row[0] for row in table], VECTORS),
        criterion("query", [row[1] for row in table], VECTORS),
    ]
    live = np.array([row[3] for row in table])
    found = rank(criteria, live=live, content_keys=[row[2] for row in table], k=k)
    assert [one.row for one in found] == [row for *_, row in expected]
    assert [(one.parts["pattern"], one.parts["query"]) for one in found] == [(-a, -b) for a, b, *_ in expected]


@given(rows, st.integers(1, 5), st.randoms(use_true_random=False))
def test_a_version_equals_a_store_that_holds_only_it(
    table: list[tuple[list[int], list[int], str, bool]], k: int, random: object
) -> None:
    """Dead rows, and the order in which rows were added, change no score and no place."""
    live = np.array([row[3] for row in table])
    alone = [row for row in table if row[3]]
    random.shuffle(alone)  # type: ignore[attr-defined]
    if not alone:
        return
    among = rank(
        [criterion("query", [row[0] for row in table], VECTORS)], live=live, content_keys=[r[2] for r in table], k=k
    )
    apart = rank(
        [criterion("query", [row[0] for row in alone], VECTORS)],
        live=np.ones(len(alone), dtype=np.bool_),
        content_keys=[row[2] for row in alone],
        k=k,
    )
    assert [(table[one.row][2], one.score) for one in among] == [(alone[one.row][2], one.score) for one in apart]
