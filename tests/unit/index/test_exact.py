"""What exact search promises beyond the port: nothing is missed, and readers do not notice its growth."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from memp.embedding import normalise
from memp.errors import InvalidInputError
from memp.index import ExactIndex


def test_readers_do_not_notice_growth() -> None:
    """A search while texts are added sees the index as it was at some moment: never a slot without its vector."""
    vectors = normalise(np.random.default_rng(5).normal(size=(3000, 8)))
    index = ExactIndex(8)
    index.add(["first"], vectors[:1])
    wrong: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            found = index.search(vectors[0], k=3)
            exact = vectors[found.slots] @ vectors[0]
            if not np.allclose(found.scores, exact, atol=1e-5):
                wrong.append(f"{len(found.slots)} proposals")

    reader = threading.Thread(target=read)
    reader.start()
    for row in range(1, 3000):
        index.add([str(row)], vectors[row : row + 1])
    done.set()
    reader.join()
    assert wrong == []


def test_a_dimension_must_be_positive() -> None:
    """An index of vectors without numbers is refused."""
    with pytest.raises(InvalidInputError, match="'dimension'"):
        ExactIndex(0)
