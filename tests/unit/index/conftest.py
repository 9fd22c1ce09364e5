"""Vectors that lie as those of texts do, and an index that builds graphs over a few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from memp.embedding import Matrix, normalise
from memp.index import HnswIndex


def _clustered(count: int, dimension: int = 16, *, seed: int = 1) -> Matrix:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(int(count**0.5), 1), dimension))
    noise = 0.6 * rng.normal(size=(count, dimension))
    return normalise(centres[rng.integers(0, len(centres), count)] + noise)


@pytest.fixture(scope="session")
def clustered() -> Callable[..., Matrix]:
    """Return what makes unit vectors in clusters, about as many as the root of their number."""
    return _clustered


@pytest.fixture
def filled() -> Iterator[Callable[..., HnswIndex]]:
    """Yield what makes an index of vectors, ``text 0`` and so on; it builds graphs over any number of texts."""
    made: list[HnswIndex] = []

    def fill(vectors: Matrix, *, exact_up_to: int = 0, settled: bool = True) -> HnswIndex:
        index = HnswIndex(vectors.shape[1], exact_up_to=exact_up_to)
        made.append(index)
        index.add([f"text {number}" for number in range(len(vectors))], vectors)
        if settled:
            assert index.settle(timeout_seconds=60)
        return index

    yield fill
    for index in made:
        index.close()
