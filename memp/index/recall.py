"""How often approximate search finds what exact search finds, on the texts that are really there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from memp.embedding.base import Matrix, Vector
from memp.index.base import Mask, VectorIndex
from memp.index.exact import ExactIndex


def measure_recall(
    index: VectorIndex, *, sample: int = 200, k: int = 10, seed: int = 0, allowed: Mask | None = None
) -> float:
    """
    Return the share of the *k* nearest texts that a search proposes, over a sample of questions.

    The questions are texts of the index itself, each asked for its neighbours and not for itself: they lie as real
    questions lie, which numbers drawn at random do not (of those, hnswlib finds one neighbour in eight). A text as near
    as the k-th, to a millionth, counts for it.

    Args:
        index: What is measured, as it is at this moment; ``HnswIndex.settle`` first to measure graphs alone.

        sample: Questions at most.

        k: Neighbours of each.

        seed: Another one draws other questions.

        allowed: Texts that may be asked for and found; None means all.

    Returns:
        In [0, 1]; 1.0 for an index that is exact, or holds fewer than two texts.
    """
    count = len(index)
    mask = np.ones(count, dtype=np.bool_)
    if allowed is not None:
        mask[: len(allowed)] = allowed[:count]
        mask[len(allowed) :] = False
    slots = np.flatnonzero(mask)
    if len(slots) < 2:
        return 1.0
    vectors = index.vectors(slots)
    exact = ExactIndex(index.dimension)
    exact.add([str(slot) for slot in slots], vectors)
    asked = np.random.default_rng(seed).choice(len(slots), size=min(sample, len(slots)), replace=False)
    shares = []
    for place in asked.tolist():
        query = vectors[place]
        truth = _falling(query, vectors[exact.search(query, k=k + 1).slots])
        scores = _falling(query, index.vectors(index.search(query, k=k + 1, allowed=mask).slots))
        nearest = min(k, len(slots) - 1)
        # Both lists begin with the text itself, or with others just like it.
        shares.append(float((scores[1 : nearest + 1] >= truth[nearest]).sum()) / nearest)
    return float(np.mean(shares))


def _falling(query: Vector, vectors: Matrix) -> npt.NDArray[np.float64]:
    """Return the cosines of *query* with *vectors*, to a millionth, the highest first."""
    return np.sort(np.round(vectors.astype(np.float64) @ query.astype(np.float64), 6))[::-1]
