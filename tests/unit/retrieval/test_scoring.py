"""Scores come out the same whatever stands around them."""

from __future__ import annotations

import math

import numpy as np

from memp.embedding import HashedEmbedder, normalise
from memp.retrieval.scoring import CHUNK_ROWS, exact_scores


def test_a_row_scores_the_same_in_any_company() -> None:
    """The score of a row does not depend on how many rows are scored with it, nor on its place among them."""
    rng = np.random.default_rng(3)
    vectors = normalise(rng.normal(size=(CHUNK_ROWS + 50, 384)))
    query = vectors[7]
    together = exact_scores(query, vectors)
    alone = np.concatenate([exact_scores(query, vectors[row : row + 1]) for row in range(len(vectors))])
    assert together.tobytes() == alone.tobytes()
    assert exact_scores(query, vectors[::-1]).tobytes() == together[::-1].tobytes()


def test_the_sum_goes_from_left_to_right() -> None:
    """The score is the plain left-to-right sum in double precision, rounded to a millionth."""
    first, second = HashedEmbedder().embed(["put a hot mug in the cabinet", "put a cool mug in the cabinet"])
    total = 0.0
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        total += one * other
    assert exact_scores(first, second[np.newaxis])[0] == round(total, 6)


def test_scores_stay_in_range() -> None:
    """A text scores 1 with itself and -1 with its opposite, and zero has no sign."""
    unit = np.array([1.0, 0.0], dtype=np.float32)
    scores = exact_scores(unit, np.array([[1, 0], [-1, 0], [0, -1], [-1e-9, 1]], dtype=np.float32))
    assert scores.tolist() == [1.0, -1.0, 0.0, 0.0]
    assert [math.copysign(1.0, score) for score in scores[2:]] == [1.0, 1.0]


def test_no_rows_give_no_scores() -> None:
    """Scoring nothing gives an empty array."""
    assert exact_scores(np.ones(2, dtype=np.float32), np.empty((0, 2), dtype=np.float32)).shape == (0,)
