"""Graphs: where they are, and that what comes from disk cannot lead hnswlib astray."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.embedding import Matrix
from memp.index import HnswIndex
from memp.index.graph import SPAN_MAX, SPAN_MIN, GraphParts, layout, put_together, take_apart

Fill = Callable[..., HnswIndex]
Cluster = Callable[..., Matrix]


@given(st.integers(0, 3_000_000))
def test_runs_are_powers_of_two_that_touch(count: int) -> None:
    """Graphs cover the slots from 0 on without a gap, each less than the one before, but for a short tail."""
    runs = layout(count)
    sizes = [stop - start for start, stop in runs]
    assert [start for start, _ in runs] == [sum(sizes[:place]) for place in range(len(sizes))]
    assert all(size.bit_count() == 1 and size >= SPAN_MIN for size in sizes)
    assert sizes == sorted(set(sizes), reverse=True)
    assert 0 <= count - sum(sizes) < max(SPAN_MIN, min(SPAN_MAX, count / 8))


@given(st.integers(0, 1_000_000), st.integers(1, 100_000))
def test_growing_takes_runs_over_whole(count: int, more: int) -> None:
    """A larger index keeps a run or has one that covers it and all behind it: no two graphs ever overlap in part."""
    later = layout(count + more)
    for start, stop in layout(count):
        cover = [run for run in later if run[0] <= start < run[1]]
        assert not cover or cover[0] == (start, stop) or cover[0][1] >= layout(count)[-1][1]


def test_most_slots_have_a_graph_after_a_life_of_additions() -> None:
    """All that is built while an index grows to a million texts, one by one, is a small multiple of them."""
    count, built, known = 1 << 20, 0, set[tuple[int, int]]()
    for size in range(SPAN_MIN, count + 1, SPAN_MIN):
        runs = set(layout(size))
        built += sum(stop - start for start, stop in runs - known)
        known = runs
    assert built / count < 12


def parts_of(filled: Fill, clustered: Cluster) -> tuple[GraphParts, Matrix]:
    vectors = clustered(1100)
    return take_apart(filled(vectors).graphs[0]), vectors[:1024]


def test_a_graph_is_put_together_as_it_was(filled: Fill, clustered: Cluster) -> None:
    """Links without vectors, and the vectors, make the same graph again, with the same answers."""
    vectors = clustered(1100)
    graph = filled(vectors).graphs[0]
    again = put_together(take_apart(graph), vectors[:1024])
    assert again is not None
    for query in clustered(50, seed=2):
        one, other = graph.nearest(query, 20), again.nearest(query, 20)
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
    for field, value in attrs.asdict(take_apart(again)).items():
        np.testing.assert_array_equal(value, getattr(take_apart(graph), field))


def _lead_out(array: np.ndarray[Any, np.dtype[Any]], row: int, column: int, value: int) -> np.ndarray[Any, Any]:
    changed = array.copy()
    changed[row, column] = value
    return changed


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: {"entry": len(parts.members)},
        lambda _: {"entry": -1},
        lambda parts: {"entry": int(np.argmin(parts.levels))},
        lambda parts: {"levels": parts.levels[:-1]},
        lambda parts: {"levels": np.where(np.arange(len(parts.levels)) == 3, -1, parts.levels)},
        lambda parts: {"levels": np.where(np.arange(len(parts.levels)) == 3, 1 << 20, parts.levels)},
        lambda parts: {"upper": parts.upper[:-1]},
        lambda parts: {"links": _lead_out(parts.links, 5, 1, len(parts.members))},
        lambda parts: {"links": _lead_out(parts.links, 5, 0, 33)},
        lambda parts: {"upper": _lead_out(parts.upper, 0, 1, 1 << 31)},
        lambda parts: {"upper": _lead_out(parts.upper, 0, 0, 17)},
        lambda parts: {"members": parts.members[:0]},
    ],
)
def test_links_that_lead_outside_are_refused(
    filled: Fill, clustered: Cluster, change: Callable[[GraphParts], dict[str, Any]]
) -> None:
    """Numbers that hnswlib would follow out of its memory never reach it."""
    parts, vectors = parts_of(filled, clustered)
    assert put_together(attrs.evolve(parts, **change(parts)), vectors) is None


def test_vectors_of_another_number_are_refused(filled: Fill, clustered: Cluster) -> None:
    """A graph is not put together over fewer vectors than it has members."""
    parts, vectors = parts_of(filled, clustered)
    assert put_together(parts, vectors[:-1]) is None
