"""Graphs on disk: used if they are these very graphs, and never missed if they are not."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from memp.embedding import Matrix
from memp.index import HnswIndex
from memp.index import cache as cache_module
from memp.index.cache import load, save
from memp.index.graph import take_apart

Fill = Callable[..., HnswIndex]
Cluster = Callable[..., Matrix]

BITS = range(8) if os.environ.get("MEMP_SOAK") else range(1)
"""Which bits of each byte are flipped: one in the short form, all in the long one."""


def read(index: HnswIndex, path: Path, *, log_id: str = "one", embedder: str = "hashed-1") -> bool:
    return load(index, path, log_id=log_id, embedder=embedder)


def write(index: HnswIndex, path: Path) -> None:
    assert save(index, path, log_id="one", embedder="hashed-1")


def test_loaded_graphs_are_the_saved_ones(tmp_path: Path, filled: Fill, clustered: Cluster) -> None:
    """An index with graphs from disk proposes, bit for bit, what the one that saved them does."""
    vectors = clustered(2500)
    saved, loaded = filled(vectors), filled(vectors, settled=False)
    write(saved, tmp_path / "index")
    assert read(loaded, tmp_path / "index")
    assert len(loaded.graphs) == len(saved.graphs)
    for query in clustered(50, seed=2):
        one, other = saved.search(query, k=5), loaded.search(query, k=5)
        np.testing.assert_array_equal(one.slots, other.slots)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_newer_texts_are_found_beside_loaded_graphs(tmp_path: Path, filled: Fill, clustered: Cluster) -> None:
    """Graphs of an earlier day serve a larger index, which then builds what a full replay would have built."""
    vectors = clustered(2500)
    write(filled(vectors[:1200]), tmp_path / "index")
    index = filled(vectors, settled=False)
    assert read(index, tmp_path / "index")
    assert [graph.stop for graph in index.graphs][-1] <= 1200
    for slot in (3, 1199, 1200, 2499):
        assert slot in index.search(vectors[slot], k=3).slots.tolist()
    assert index.settle(timeout_seconds=60)
    for one, other in zip(index.graphs, filled(vectors).graphs, strict=True):
        np.testing.assert_array_equal(take_apart(one).links, take_apart(other).links)


def test_graphs_without_dead_texts_are_kept(tmp_path: Path, filled: Fill, clustered: Cluster) -> None:
    """Which texts a graph left out is saved with it, empty graphs too."""
    vectors = clustered(1536)
    index = filled(vectors)
    index.keep((np.arange(1536) % 2 == 0) & (np.arange(1536) < 1024))
    assert index.settle(timeout_seconds=60)
    write(index, tmp_path / "index")
    loaded = filled(vectors, settled=False)
    assert read(loaded, tmp_path / "index")
    assert [graph.members.tolist() for graph in loaded.graphs] == [graph.members.tolist() for graph in index.graphs]
    assert [len(graph.members) for graph in loaded.graphs] == [512, 0]
    for slot in (4, 5, 1500):
        assert slot in loaded.search(vectors[slot], k=3).slots.tolist()


def test_the_file_holds_no_vectors(tmp_path: Path, filled: Fill, clustered: Cluster) -> None:
    """A text that must be forgotten is not in the cache: neither its vector nor its digest."""
    vectors = clustered(300)
    write(filled(vectors), tmp_path / "index")
    data = (tmp_path / "index").read_bytes()
    assert not any(vector.tobytes()[:16] in data for vector in vectors)
    assert b"text 7" not in data


def test_nothing_to_save_writes_nothing(tmp_path: Path, filled: Fill, clustered: Cluster) -> None:
    """An index without graphs leaves no file, and a file that is not there is no trouble."""
    index = filled(clustered(40))
    assert not save(index, tmp_path / "index", log_id="one", embedder="hashed-1")
    assert os.listdir(tmp_path) == []
    assert not read(index, tmp_path / "index")


def test_out_of_date_is_no_news(
    tmp_path: Path, filled: Fill, clustered: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file for more texts, another embedder or other parameters is left alone without a word."""
    vectors = clustered(600)
    index = filled(vectors)
    write(index, tmp_path / "index")
    assert not read(filled(vectors[:500]), tmp_path / "index")
    assert not read(index, tmp_path / "index", embedder="hashed-2")
    monkeypatch.setattr(cache_module, "PARAMETERS", {"links": 8})
    assert not read(index, tmp_path / "index")


def test_other_logs_and_vectors_are_told(tmp_path: Path, filled: Fill, clustered: Cluster) -> None:
    """A file of another log, or for other vectors than those of the log, is named and not used."""
    vectors = clustered(600)
    write(filled(vectors), tmp_path / "index")
    other = filled(clustered(600, seed=2), settled=False)
    with pytest.warns(RuntimeWarning, match="'log_id' is 'one', expected 'two'.*built anew"):
        assert not read(other, tmp_path / "index", log_id="two")
    with pytest.warns(RuntimeWarning, match="other vectors than those of the log"):
        assert not read(other, tmp_path / "index")
    assert other.graphs == ()


def test_one_changed_vector_is_another_index(tmp_path: Path, filled: Fill, clustered: Cluster) -> None:
    """The file belongs to its vectors to the last bit, and to their order."""
    vectors = clustered(600)
    write(filled(vectors), tmp_path / "index")
    changed = vectors.copy()
    changed[17, 3] = np.nextafter(changed[17, 3], np.float32(2))
    swapped = vectors.copy()
    swapped[[3, 4]] = swapped[[4, 3]]
    for other in (changed, swapped):
        with pytest.warns(RuntimeWarning, match="other vectors"):
            assert not read(filled(other, settled=False), tmp_path / "index")


def test_a_newer_file_is_told(
    tmp_path: Path, filled: Fill, clustered: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of a newer version of memp is named and not used."""
    index = filled(clustered(600))
    monkeypatch.setattr(cache_module, "FORM", 2)
    write(index, tmp_path / "index")
    monkeypatch.undo()
    with pytest.warns(RuntimeWarning, match="newer version of memp \\(form 2, this one knows 1\\)"):
        assert not read(index, tmp_path / "index")


FLIP = """
import sys, warnings
from pathlib import Path
import numpy as np
from memp.embedding import normalise
from memp.index import HnswIndex
from memp.index.cache import load, save

warnings.simplefilter("ignore")
vectors = normalise(np.random.default_rng(1).normal(size=(64, 4)))
index = HnswIndex(4, exact_up_to=0)
index.add([str(number) for number in range(64)], vectors)
index.settle()
path = Path(sys.argv[1])
save(index, path, log_id="one", embedder="hashed-1")
good = path.read_bytes()
used = 0
for place in range(len(good)):
    for bit in map(int, sys.argv[2].split(",")):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1:])
        used += load(index, path, log_id="one", embedder="hashed-1")
path.write_bytes(good)
assert load(index, path, log_id="one", embedder="hashed-1")
print(len(good) > 8000, used)
"""


def test_no_changed_byte_reaches_hnswlib(tmp_path: Path) -> None:
    """With any byte of the file changed the process lives and the file is not used."""
    done = subprocess.run(
        [sys.executable, "-c", FLIP, str(tmp_path / "index"), ",".join(map(str, BITS))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["True", "0"]), done.stderr


def test_a_damaged_file_is_told(tmp_path: Path, filled: Fill, clustered: Cluster) -> None:
    """A damaged file is named, not used, and replaced by the next one that is saved."""
    index = filled(clustered(600))
    write(index, tmp_path / "index")
    data = bytearray((tmp_path / "index").read_bytes())
    data[-1] ^= 1
    (tmp_path / "index").write_bytes(data)
    with pytest.warns(RuntimeWarning, match="damaged: its body is not what was written.*built anew"):
        assert not read(index, tmp_path / "index")
    write(index, tmp_path / "index")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(index, tmp_path / "index")
