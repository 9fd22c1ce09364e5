"""
What search by graphs costs beside hnswlib alone and beside exact search, and what keeping graphs saves.

- Building all graphs of an index, beside one bare hnswlib index of the same vectors.
- A search, beside bare ``knn_query`` on one index (``ef`` 64) and beside exact search, with the recall of both; and
  where one text in a hundred is allowed.
- Loading graphs from disk, all checks included, beside building them.

Vectors lie in clusters, the square root of their number, as those of texts do: on vectors drawn at random hnswlib finds
one neighbour in eight, whoever calls it. ``python -m bench index`` takes ten thousand; ``python bench/index.py
--large`` takes a hundred thousand as well, and two minutes.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read once, when numpy is imported

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np

from memp.embedding import Matrix, normalise
from memp.index import ExactIndex, HnswIndex
from memp.index.cache import load, save
from memp.index.graph import EXPLORED_BUILDING, LINKS, SEED
from memp.index.recall import measure_recall

DIMENSION = 384
NEIGHBOURS = 10
ASKED = 200
BARE_EXPLORED = 64
"""``ef`` of the bare index: recall 0.997 at a hundred thousand."""


def _vectors(count: int) -> Matrix:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(int(count**0.5), DIMENSION))
    return normalise(centres[rng.integers(0, len(centres), count)] + 0.6 * rng.normal(size=(count, DIMENSION)))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _bare(vectors: Matrix) -> Any:
    index = hnswlib.Index(space="ip", dim=DIMENSION)
    index.init_index(max_elements=len(vectors), M=LINKS, ef_construction=EXPLORED_BUILDING, random_seed=SEED)
    index.add_items(vectors, num_threads=1)
    index.set_ef(BARE_EXPLORED)
    return index


def _filled(keys: list[str], vectors: Matrix) -> HnswIndex:
    index = HnswIndex(DIMENSION, exact_up_to=0)
    index.add(keys, vectors)
    return index


def _measure_building(keys: list[str], vectors: Matrix, rounds: int) -> tuple[Any, HnswIndex, float]:
    bare, ours, ratios = None, _filled(keys, vectors), []
    slow = 0.0
    for number in range(rounds):
        if number:
            ours.close()
            ours = _filled(keys, vectors)
        start = time.perf_counter()
        bare = _bare(vectors)
        fast = time.perf_counter() - start
        slow = _seconds(ours.settle)
        ratios.append(fast / slow)
    rate = f"{len(vectors) / slow:,.0f} vectors/s, {rounds} rounds"
    print(f"build: {statistics.median(ratios):.2f} of the rate of bare hnswlib ({rate})")
    return bare, ours, slow


def _timed(work: Callable[[Matrix], object], query: Matrix) -> float:
    start = time.perf_counter()
    work(query)
    return (time.perf_counter() - start) * 1e3


def _compare(
    name: str, ours: Callable[[Matrix], object], other_name: str, other: Callable[[Matrix], object], asked: Matrix
) -> None:
    """Print the median time of both sides, asked in turn, and their ratio."""
    pairs = [(_timed(ours, query), _timed(other, query)) for query in asked]
    one, two = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"{name}: memp {one:.3f} ms, {other_name} {two:.3f} ms, ratio {one / two:.2f}")


def _measure(count: int, rounds: int) -> None:
    print(f"-- {count} vectors")
    keys, vectors = [f"{number:064x}" for number in range(count)], _vectors(count)
    asked = vectors[np.random.default_rng(1).choice(count, ASKED, replace=False)]
    bare, ours, built = _measure_building(keys, vectors, rounds)
    exact = ExactIndex(DIMENSION)
    exact.add(keys, vectors)
    few = np.arange(count) % 100 == 0

    def search(query: Matrix) -> object:
        return ours.search(query, k=NEIGHBOURS)

    _compare("search", search, "bare", lambda query: bare.knn_query(query, k=NEIGHBOURS, num_threads=1), asked)
    _compare("search", search, "exact", lambda query: exact.search(query, k=NEIGHBOURS), asked)

    def search_few(query: Matrix) -> object:
        return ours.search(query, k=NEIGHBOURS, allowed=few)

    _compare("1 in 100 allowed", search_few, "all allowed", search, asked)
    truth = [set(np.argpartition(-(vectors @ query), NEIGHBOURS)[:NEIGHBOURS].tolist()) for query in asked]
    hits = [len(set(bare.knn_query(q, k=NEIGHBOURS)[0][0].tolist()) & t) for q, t in zip(asked, truth, strict=True)]
    recall = measure_recall(ours, sample=ASKED, k=NEIGHBOURS)
    print(f"recall at {NEIGHBOURS}: memp {recall:.4f}, bare {sum(hits) / ASKED / NEIGHBOURS:.4f}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        saved = _seconds(lambda: save(ours, path, log_id="bench", embedder="bench-1"))
        loaded = []
        for _ in range(rounds):
            again = _filled(keys, vectors)
            loaded.append(_seconds(lambda again=again: load(again, path, log_id="bench", embedder="bench-1")))  # type: ignore[misc]
        seconds = statistics.median(loaded)
        print(
            f"load: {seconds:.2f} s, {built / seconds:.0f} times as fast as building; "
            f"save {saved:.2f} s, {path.stat().st_size / count:.0f} bytes a vector"
        )
    ours.close()


def main() -> None:
    """Print a block of lines for each number of vectors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also a hundred thousand vectors")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    _measure(10_000, options.rounds)
    if options.large:
        _measure(100_000, 1)


if __name__ == "__main__":
    main()
