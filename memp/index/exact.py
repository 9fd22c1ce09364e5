"""
Exact search: one matrix, one product.

Below some five thousand texts nothing is faster, and nothing at all is simpler. The matrix grows by doubling, so that
adding costs a copy of each vector twice at most; readers go on with the array they hold while a larger one is filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from memp.embedding.base import Matrix, Vector, check_vectors
from memp.errors import InvalidInputError
from memp.index.base import Mask, Proposals, Slots, check_search, coarse_margin

FIRST_CAPACITY: Final = 64
"""Rows of the first matrix: 96 kB at 384 numbers, and no copying for a small memory."""

GATHER_SHARE: Final = 0.5
"""Below this share of allowed rows, copying those out and multiplying them is cheaper than one product over all."""

SHARED_NUMBERS_MAX: Final = 50_000_000
"""Scores that are kept while questions are shared: 200 MB; a thousand questions to fifty thousand texts."""

GATHER_ROWS: Final = 256
"""Rows copied out at a time: few enough to be multiplied while they are still in the processor's cache."""


class ExactIndex:
    """All vectors in one float32 matrix; proposals are complete."""

    def __init__(self, dimension: int) -> None:
        """
        Make an empty index.

        Args:
            dimension: Length of the vectors, 1 or more.
        """
        if dimension < 1:
            raise InvalidInputError(f"'dimension' must be 1 or more (got {dimension!r}).")
        self._dimension = dimension
        self._matrix: Matrix = np.empty((FIRST_CAPACITY, dimension), dtype=np.float32)
        self._count = 0
        self._slots: dict[str, int] = {}
        self._products: dict[bytes, npt.NDArray[np.float32]] | None = None

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self._dimension

    def __len__(self) -> int:
        return self._count

    def add(self, keys: Sequence[str], vectors: Matrix) -> Slots:
        """Add texts, all or none; see ``VectorIndex.add``."""
        rows = check_vectors(vectors, dimension=self._dimension)
        if len(keys) != len(rows):
            raise InvalidInputError(f"'keys' and 'vectors' must be as many (got {len(keys)} and {len(rows)}).")
        fresh: dict[str, int] = {}
        for place, key in enumerate(keys):
            if key not in self._slots:
                fresh.setdefault(key, place)
        end = self._count + len(fresh)
        self._reserve(end)
        if fresh:
            self._matrix[self._count : end] = rows[list(fresh.values())]
            self._slots.update(zip(fresh, range(self._count, end), strict=True))
        # Last, because a reader takes the count first: what it counts is then in whichever matrix it finds.
        self._count = end
        return np.array([self._slots[key] for key in keys], dtype=np.int64)

    def fill(self, keys: Sequence[str], vectors: Matrix) -> None:
        """Take over the texts of another index; see ``VectorIndex.fill``."""
        assert not self._count
        # It has no room for one more, so the first addition moves to a matrix that can be written.
        self._matrix = vectors
        self._slots = dict(zip(keys, range(len(keys)), strict=True))
        self._count = len(keys)

    def slot(self, key: str) -> int | None:
        """Return the slot of *key*; None if it is not here."""
        return self._slots.get(key)

    def vectors(self, slots: Slots) -> Matrix:
        """Return a copy of the vectors at *slots*."""
        gathered: Matrix = self._matrix[slots]
        return gathered

    def run(self, start: int, stop: int) -> Matrix:
        """Return the vectors of the slots from *start* to *stop* where they lie, for reading only."""
        rows = self._matrix[start:stop]
        rows.flags.writeable = False
        return rows

    def keys(self) -> list[str]:
        """Return the digests of all texts, by slot."""
        return list(self._slots)

    def scores(self, query: Vector, slots: Slots) -> npt.NDArray[np.float32]:
        """Return the coarse scores of the texts at *slots*, rising, shape ``(len(slots),)``."""
        matrix = self._matrix
        if len(slots) and slots[-1] - slots[0] + 1 == len(slots):
            together: npt.NDArray[np.float32] = matrix[slots[0] : slots[-1] + 1] @ query
            return together
        scores = np.empty(len(slots), dtype=np.float32)
        for start in range(0, len(slots), GATHER_ROWS):
            part = slice(start, start + GATHER_ROWS)
            scores[part] = matrix[slots[part]] @ query
        return scores

    def keep(self, _alive: Mask, /) -> None:
        """Do nothing: exact search costs the same for every text."""

    def share(self, shared: bool, /) -> None:
        """Keep the scores of each question for the next version that is asked it, or forget them."""
        self._products = {} if shared else None

    def close(self) -> None:
        """Do nothing: nothing works behind exact search."""

    def search(self, query: Vector, *, k: int, allowed: Mask | None = None) -> Proposals:
        """Propose at least the *k* nearest texts, and miss none; see ``VectorIndex.search``."""
        query = check_search(query, k=k, dimension=self._dimension)
        count = self._count
        matrix = self._matrix[:count]
        slots: Slots | None
        if allowed is None or (len(allowed) >= count and bool(allowed[:count].all())):
            slots = None
            scores = self._product(query, matrix)
        else:
            slots = np.flatnonzero(allowed[:count])
            gathers = self._products is None and len(slots) < GATHER_SHARE * count
            scores = self.scores(query, slots) if gathers else self._product(query, matrix)[slots]
        if k >= len(scores):
            everything = np.arange(count, dtype=np.int64) if slots is None else slots
            return Proposals(slots=everything, scores=scores, floor=-np.inf)
        cut = len(scores) - k
        floor = float(np.partition(scores, cut)[cut]) - coarse_margin(self._dimension)
        near = np.flatnonzero(scores >= floor)
        return Proposals(slots=near if slots is None else slots[near], scores=scores[near], floor=floor)

    def _product(self, query: Vector, matrix: Matrix) -> npt.NDArray[np.float32]:
        """Return the scores of all texts; those of a question that is shared are worked out once."""
        products = self._products
        if products is None:
            every: npt.NDArray[np.float32] = matrix @ query
            return every
        asked = query.tobytes()
        kept = products.get(asked)
        if kept is None or len(kept) != len(matrix):
            kept = matrix @ query
            if (len(products) + 1) * len(matrix) <= SHARED_NUMBERS_MAX:
                products[asked] = kept
        return kept

    def _reserve(self, rows: int) -> None:
        """Make room for *rows* vectors by moving to a matrix of at least twice the size."""
        if rows <= len(self._matrix):
            return
        larger: Matrix = np.empty((max(rows, 2 * len(self._matrix)), self._dimension), dtype=np.float32)
        larger[: self._count] = self._matrix[: self._count]
        self._matrix = larger
