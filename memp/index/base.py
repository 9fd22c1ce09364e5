"""
The port for finding near vectors, and what passes through it.

An index holds one vector for each *distinct text*, keyed by the text's digest, and knows nothing of procedures: ten
thousand procedures may share fifty task patterns, and a version of the memory is a mask over what is there rather than
an index of its own. It only *proposes*. BLAS adds up the same row in another order in a small and in a large matrix,
so its float32 scores differ in the last bits between machines and sizes; the order that people see is made by
``memp.retrieval.scoring``, from the proposals, always in the same way. Proposals therefore reach a margin further
than asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs
import numpy as np
import numpy.typing as npt

from memp.embedding.base import UNIT_TOLERANCE, Matrix, Vector, check_vectors
from memp.errors import InvalidInputError

Slots = npt.NDArray[np.int64]
"""Places in an index, from 0 in the order in which texts were added; a slot never moves."""

Mask = npt.NDArray[np.bool_]
"""One truth value a slot or a row, shape ``(n,)``."""

SCORE_STEP = 1e-6
"""Scores are rounded to this; two that differ by less may tie, and then content decides between them."""


def coarse_margin(dimension: int) -> float:
    """
    Return how far below the k-th best float32 score a text may lie and still belong to the k best.

    A float32 sum of *n* products of two unit vectors is off by at most ``n * u`` with ``u = 2**-24``, in whatever order
    it was added up (by Cauchy-Schwarz the absolute products sum to 1 at most). Both sides of a comparison may be off,
    and two scores within one rounding step may tie: hence ``2 * n * u`` plus one step, and one more to spare for the
    float64 arithmetic of who compares with it; 4.8e-5 at 384.

    Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., section 3.1, equation 3.5.
    """
    return 2.0 * dimension * 2.0**-24 + 2.0 * SCORE_STEP


def check_search(query: Vector, *, k: int, dimension: int) -> Vector:
    """
    Return *query* as every search takes it, or refuse what no search can answer.

    Raises:
        DimensionError: *query* has another length; carries both.
        InvalidInputError: *k* is below 1, or *query* is not finite or not of unit length.
    """
    if k < 1:
        raise InvalidInputError(f"'k' must be 1 or more (got {k!r}).")
    # Nearly every query is right, and seeing that by its float32 length takes a twentieth of the time. One that is not
    # clearly so is left to the check that says what is wrong with it.
    usual = query.dtype == np.float32 and query.shape == (dimension,) and query.flags.c_contiguous
    if usual and abs(float(query.dot(query)) - 1.0) <= UNIT_TOLERANCE:
        return query
    vector: Vector = check_vectors(query[np.newaxis, :], dimension=dimension)[0]
    return vector


@attrs.frozen(kw_only=True, eq=False)
class Proposals:
    """
    The texts among which the best ones are.

    Attributes:
        slots: Distinct places in the index, in no particular order, shape ``(m,)``.

        scores: Their coarse scores, cosine in [-1, 1] give or take rounding, float32, shape ``(m,)``.

        floor: Every allowed text that is not proposed has a coarse score below this; minus infinity when all are here.
            An approximate index says so as well, and may be wrong as often as its recall is below one.
    """

    slots: Slots
    scores: npt.NDArray[np.float32]
    floor: float


class VectorIndex(Protocol):
    """
    Vectors by text digest, and a search that proposes.

    One thread adds; any number may search at the same time and see the index as it was at some moment between two
    additions. Callers may not rely on the order of proposals, on the last bits of a coarse score, or on how many
    proposals come beyond those that were asked for.

    Attributes:
        dimension: Length of the vectors, 1 or more.
    """

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        ...

    def __len__(self) -> int:
        """Return the number of texts, which is also the next slot."""
        ...

    def add(self, keys: Sequence[str], vectors: Matrix) -> Slots:
        """
        Add texts, all or none, and return the slot of each.

        Args:
            keys: Digests of the texts. One that is there already keeps its slot and its vector, so that adding a text
                again is free and harmless.
            vectors: Shape ``(len(keys), dimension)``, rows of unit length.

        Returns:
            One slot a key, in order.

        Raises:
            DimensionError: The vectors have another length; carries both.
            InvalidInputError: Keys and vectors differ in number, or a vector is not finite or not of unit length.
        """
        ...

    def fill(self, keys: Sequence[str], vectors: Matrix) -> None:
        """
        Take over the texts of another index, which checked them, into this one, which is empty.

        Args:
            keys: Digests of the texts, each once, by slot.
            vectors: Shape ``(len(keys), dimension)``; kept as they lie, not copied, and never changed.
        """
        ...

    def slot(self, key: str) -> int | None:
        """Return the slot of the text with the digest *key*; None if it is not here."""
        ...

    def vectors(self, slots: Slots) -> Matrix:
        """Return a copy of the vectors at *slots*, shape ``(len(slots), dimension)``, bit for bit as added."""
        ...

    def run(self, start: int, stop: int) -> Matrix:
        """Return the vectors of the slots from *start* to *stop* where they lie, for reading only."""
        ...

    def keys(self) -> list[str]:
        """Return the digests of all texts, by slot."""
        ...

    def keep(self, alive: Mask, /) -> None:
        """
        Expect questions for the texts in *alive* from now on, and few for others; those past its end are alive.

        A hint that changes no answer: all texts stay, and an old version of the memory may still allow any of them.
        """
        ...

    def share(self, shared: bool, /) -> None:
        """
        Expect the same questions again with other masks, from now on or no longer.

        A hint that changes no answer: the versions of a memory that are compared are asked the same questions, and
        what a question costs but for the mask need be worked out once.
        """
        ...

    def close(self) -> None:
        """Stop what works behind searches. Searching goes on; closing twice does nothing."""
        ...

    def search(self, query: Vector, *, k: int, allowed: Mask | None = None) -> Proposals:
        """
        Propose at least the *k* texts nearest to *query*.

        Args:
            query: Unit length, shape ``(dimension,)``.
            k: How many at least, 1 or more; fewer come only when fewer are allowed.
            allowed: Which slots may be proposed; slots past its end may not. None allows all.

        Returns:
            All allowed texts whose coarse score reaches the k-th best less ``coarse_margin(dimension)``; of an
            approximate index, most of them.

        Raises:
            DimensionError: *query* has another length; carries both.
            InvalidInputError: *k* is below 1, or *query* is not finite or not of unit length.
        """
        ...
