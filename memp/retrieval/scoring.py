"""
Scores that come out the same everywhere.

The same question to the same version of a memory must give the same answer next year, on another machine, and from a
matrix of another size. BLAS does not promise that: it blocks and vectorises a sum as the shape of the whole matrix
suggests. So the few texts that a search proposed are scored again here, in float64 and in one fixed order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from memp.embedding.base import Matrix, Vector

DECIMALS: Final = 6
"""Digits that a score keeps. What float64 may be off is a million times smaller; what people compare is larger."""

CHUNK_ROWS: Final = 1024
"""Rows scored at once; bounds the working memory to about 6 MB at 384 numbers."""


def exact_scores(query: Vector, vectors: Matrix) -> npt.NDArray[np.float64]:
    """
    Return the cosine of *query* with each of *vectors*, rounded to 1e-6.

    The product of two float32 numbers is exact in float64. ``cumsum`` is defined as adding one number after the other,
    from the left, which ``sum`` (pairwise) and ``dot`` (BLAS) are not; its last column is the sum.

    Args:
        query: Unit length, shape ``(dim,)``.

        vectors: Unit length, shape ``(n, dim)``.

    Returns:
        Shape ``(n,)``, float64, in [-1, 1]; zero is never negative.
    """
    wide = query.astype(np.float64)
    if len(vectors) <= CHUNK_ROWS:
        return _rounded(np.add.accumulate(vectors * wide, axis=1)[:, -1])
    scores = np.empty(len(vectors), dtype=np.float64)
    for start in range(0, len(vectors), CHUNK_ROWS):
        products = vectors[start : start + CHUNK_ROWS] * wide
        scores[start : start + len(products)] = np.cumsum(products, axis=1)[:, -1]
    return _rounded(scores)


def _rounded(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    within: npt.NDArray[np.float64] = scores.round(DECIMALS)
    np.maximum(within, -1.0, out=within)
    np.minimum(within, 1.0, out=within)
    # Adding zero turns -0.0 into 0.0, which would print and encode differently.
    within += 0.0
    return within


def shares(scores: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return each score as a share of the way from the lowest to the highest, rounded; 1 for all if they are equal."""
    values = np.array(scores, dtype=np.float64)
    spread = values.max() - values.min() if len(values) else 0.0
    return np.round((values - values.min()) / spread, DECIMALS) if spread else np.ones(len(values))
