"""What search by graphs promises beyond the port: where it is exact, what it depends on, and what it survives."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from memp.embedding import Matrix
from memp.embedding.base import Vector
from memp.errors import InvalidInputError
from memp.index import ExactIndex, HnswIndex, Mask, Proposals, make_index
from memp.index import hnsw as hnsw_module
from memp.index.graph import Graph, hnswlib_or_none, take_apart
from memp.index.recall import measure_recall

Fill = Callable[..., HnswIndex]
Cluster = Callable[..., Matrix]


def assert_same_graphs(one: HnswIndex, other: HnswIndex) -> None:
    assert [(graph.start, graph.stop) for graph in one.graphs] == [(graph.start, graph.stop) for graph in other.graphs]
    for left, right in zip(one.graphs, other.graphs, strict=True):
        np.testing.assert_array_equal(take_apart(left).links, take_apart(right).links)
        np.testing.assert_array_equal(take_apart(left).upper, take_apart(right).upper)


def test_recall_on_clustered_vectors(filled: Fill, clustered: Cluster) -> None:
    """Of twenty thousand clustered vectors at least 98 of 100 nearest neighbours are proposed."""
    index = filled(clustered(20_000, 48), settled=False)
    assert index.settle(timeout_seconds=120)
    assert sum(len(graph.members) for graph in index.graphs) > 18_000
    assert measure_recall(index, sample=200, k=10) >= 0.98


def test_answers_are_exact_up_to_the_threshold(filled: Fill, clustered: Cluster) -> None:
    """Where no more texts are allowed than the threshold says, proposals are those of exact search to the last bit."""
    vectors = clustered(3000)
    index, exact = filled(vectors, exact_up_to=500), ExactIndex(16)
    exact.add([f"text {number}" for number in range(3000)], vectors)
    allowed = np.zeros(3000, dtype=np.bool_)
    allowed[np.random.default_rng(3).choice(3000, 500, replace=False)] = True
    assert len(index.graphs) > 0
    for query in clustered(40, seed=2):
        one, other = index.search(query, k=10, allowed=allowed), exact.search(query, k=10, allowed=allowed)
        np.testing.assert_array_equal(one.slots, other.slots)
        np.testing.assert_array_equal(one.scores, other.scores)


@pytest.mark.parametrize("share", [0.03, 0.06, 0.3, 0.9])
@pytest.mark.parametrize("k", [1, 10, 100])
def test_masks_of_every_share_find_the_nearest(filled: Fill, clustered: Cluster, share: float, k: int) -> None:
    """Whether few or many texts are allowed, those that are proposed are allowed and nearly all that are nearest."""
    vectors = clustered(3000)
    index = filled(vectors)
    allowed = np.random.default_rng(4).random(3000) < share
    found = total = 0
    for query in clustered(40, seed=2):
        cosine = np.where(allowed, vectors.astype(np.float64) @ query, -np.inf)
        nearest = [slot for slot in np.argsort(-cosine)[:k].tolist() if allowed[slot]]
        slots = index.search(query, k=k, allowed=allowed).slots
        assert allowed[slots].all()
        assert len(slots) == len(set(slots.tolist()))
        found += len(set(nearest) & set(slots.tolist()))
        total += len(nearest)
    assert found >= 0.98 * total


def test_a_life_of_small_additions_builds_the_graphs_of_a_replay(filled: Fill, clustered: Cluster) -> None:
    """Graphs depend on the texts and their order, not on when they were added or searched."""
    vectors = clustered(2500)
    at_once, grown = filled(vectors), filled(vectors[:10])
    for start in range(10, 2500, 83):
        grown.add([f"text {number}" for number in range(start, min(start + 83, 2500))], vectors[start : start + 83])
        grown.search(vectors[0], k=3)
        assert grown.settle(timeout_seconds=60)
    assert_same_graphs(at_once, grown)


def test_searching_while_texts_are_added(filled: Fill, clustered: Cluster) -> None:
    """Threads that search while another adds thousands always find what was there before they asked."""
    vectors = clustered(6000)
    index = filled(vectors[:100])
    wrong: list[str] = []
    done = threading.Event()

    def read(seed: int) -> None:
        rng = np.random.default_rng(seed)
        while not done.is_set():
            slot = int(rng.integers(0, len(index)))
            found = index.search(vectors[slot], k=5)
            if slot not in found.slots.tolist():
                wrong.append(f"{slot} was not found")
            if not np.allclose(found.scores, vectors[found.slots] @ vectors[slot], atol=1e-5):
                wrong.append(f"scores for {slot}")

    readers = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
    for reader in readers:
        reader.start()
    for start in range(100, 6000, 50):
        index.add([f"text {number}" for number in range(start, start + 50)], vectors[start : start + 50])
    assert index.settle(timeout_seconds=60)
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert index.graphs[0].stop == 4096


def test_dead_texts_leave_the_graphs_and_stay_findable(filled: Fill, clustered: Cluster) -> None:
    """Graphs are built again without texts that nobody expects to be asked for; who allows them finds them still."""
    vectors = clustered(1024)
    index = filled(vectors)
    alive = np.arange(1024) % 3 == 0
    index.keep(alive)
    assert index.settle(timeout_seconds=60)
    assert len(index.graphs[0].members) == alive.sum()
    assert all(alive[graph.members].all() for graph in index.graphs)
    for slot in (0, 1, 2, 600, 601, 1023):
        assert slot in index.search(vectors[slot], k=3).slots.tolist()
    assert index.search(vectors[1], k=3, allowed=alive).slots.size >= 3


def test_a_few_dead_texts_rebuild_nothing(filled: Fill, clustered: Cluster) -> None:
    """A graph with a few dead texts in it is kept as it is."""
    index = filled(clustered(1024))
    before = index.graphs
    index.keep(np.arange(1024) % 10 != 0)
    assert index.settle(timeout_seconds=60)
    assert index.graphs == before


def test_a_run_of_dead_texts_needs_no_graph(filled: Fill, clustered: Cluster) -> None:
    """A run without a living text has an empty graph, and its texts are searched exactly by whoever allows them."""
    vectors = clustered(1024)
    index = filled(vectors)
    index.keep(np.zeros(1024, dtype=np.bool_))
    assert index.settle(timeout_seconds=60)
    assert [len(graph.members) for graph in index.graphs] == [0]
    assert 17 in index.search(vectors[17], k=1).slots.tolist()


def test_a_graph_that_does_not_hang_together_is_not_believed(
    filled: Fill, clustered: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where hnswlib cannot return as many neighbours as it was asked for, search is exact."""
    vectors = clustered(1000)
    index = filled(vectors)
    monkeypatch.setattr(Graph, "nearest", lambda *_: None)
    assert set(np.argsort(-(vectors @ vectors[5]))[:5].tolist()) <= set(index.search(vectors[5], k=5).slots.tolist())


def test_a_small_memory_needs_neither_hnswlib_nor_a_thread() -> None:
    """Up to the threshold nothing is loaded and nothing is started, and no graph is made by settling either."""
    code = """
import sys, threading, numpy as np
from memp.embedding import normalise
from memp.index import make_index
index = make_index("auto", 8)
vectors = normalise(np.random.default_rng(1).normal(size=(5000, 8)))
index.add([str(number) for number in range(5000)], vectors)
index.search(vectors[0], k=3)
assert index.settle()
print("hnswlib" in sys.modules, threading.active_count())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "1"]


def test_a_process_may_end_while_a_graph_is_built() -> None:
    """Whoever forgets to close an index still ends cleanly, in the middle of a graph."""
    code = """
import numpy as np
from memp.embedding import normalise
from memp.index import HnswIndex
index = HnswIndex(32, exact_up_to=0)
vectors = normalise(np.random.default_rng(1).normal(size=(40000, 32)))
index.add([str(number) for number in range(40000)], vectors)
index.search(vectors[0], k=3)
print(len(index.graphs))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "0", "")


@pytest.fixture
def no_hnswlib(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make hnswlib impossible to load for as long as the test lasts."""
    monkeypatch.setitem(sys.modules, "hnswlib", None)
    hnswlib_or_none.cache_clear()
    yield
    hnswlib_or_none.cache_clear()


@pytest.mark.usefixtures("no_hnswlib")
def test_without_hnswlib_search_is_exact(filled: Fill, clustered: Cluster) -> None:
    """A missing hnswlib is told once, with the way out, and every answer is still right."""
    vectors = clustered(500)
    index = filled(vectors, settled=False)
    with pytest.warns(RuntimeWarning, match=r"hnswlib cannot be loaded .*pip install hnswlib"):
        index.search(vectors[0], k=3)
    # A second warning would be an error here.
    for slot in range(5):
        assert slot in index.search(vectors[slot], k=3).slots.tolist()
    assert not index.settle()
    assert index.graphs == ()
    assert index.trouble == "hnswlib cannot be loaded"


def test_no_memory_for_a_graph_leaves_exact_search(
    filled: Fill, clustered: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graph that cannot be built is told, is not tried again, and no search fails for it."""

    def fail(*_: object, **__: object) -> Graph:
        raise RuntimeError("Not enough memory")

    monkeypatch.setattr(hnsw_module, "build_graph", fail)
    vectors = clustered(500)
    index = filled(vectors, settled=False)
    with pytest.warns(RuntimeWarning, match="a graph of 256 texts: Not enough memory; every search is exact"):
        assert not index.settle()
    assert not index.settle()
    assert 7 in index.search(vectors[7], k=3).slots.tolist()


def test_closing_stops_the_builder(filled: Fill, clustered: Cluster) -> None:
    """A closed index has no thread at work, and starts none."""
    vectors = clustered(6000)
    index = filled(vectors, settled=False)
    index.search(vectors[0], k=3)
    index.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "memp-index"]
    index.add(["one more"], clustered(1, seed=2))
    index.search(vectors[0], k=3)
    assert not [thread for thread in threading.enumerate() if thread.name == "memp-index"]


@pytest.mark.parametrize(("kind", "threshold"), [("auto", 5000), ("hnsw", 0)])
def test_kinds_of_index(kind: str, threshold: int) -> None:
    """``auto`` is exact up to five thousand texts, ``hnsw`` uses graphs wherever one is due, ``exact`` never."""
    index = make_index(kind, 8)  # type: ignore[arg-type]
    assert isinstance(index, HnswIndex)
    assert index.exact_up_to == threshold
    assert isinstance(make_index("exact", 8), ExactIndex)


def test_another_kind_is_refused() -> None:
    """A kind that does not exist is named beside those that do."""
    with pytest.raises(InvalidInputError, match="'index' must be one of auto, exact, hnsw \\(got 'faiss'\\)"):
        make_index("faiss", 8)  # type: ignore[arg-type]


def test_recall_of_exact_search_is_one(clustered: Cluster) -> None:
    """Exact search finds what exact search finds, and so does an index of one text."""
    index = ExactIndex(16)
    index.add(["alone"], clustered(1))
    assert measure_recall(index) == 1.0
    index.add([str(number) for number in range(300)], clustered(300, seed=3))
    assert measure_recall(index, sample=20) == 1.0
    assert measure_recall(index, sample=20, allowed=np.arange(250) % 2 == 0) == 1.0


def test_recall_sees_what_is_missed(clustered: Cluster) -> None:
    """An index that hides a third of its texts has a recall that says so."""

    class Forgetful(ExactIndex):
        def search(self, query: Vector, *, k: int, allowed: Mask | None = None) -> Proposals:
            assert allowed is not None
            return super().search(query, k=k, allowed=allowed & (np.arange(len(self)) % 3 != 0))

    index = Forgetful(16)
    index.add([str(number) for number in range(600)], clustered(600))
    assert 0.55 < measure_recall(index) < 0.78
