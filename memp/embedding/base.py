"""
The port through which texts become vectors, and the bytes in which a vector is kept.

Vectors are captured when a text is first seen and never computed again at replay: a neural model does not repeat its
bits across machines, so what was ranked once is ranked by what was stored. Stored bytes are little-endian float32
whatever the machine, and are checked on the way in and on the way out: one NaN in a matrix poisons every comparison
of a search, silently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from memp.errors import DimensionError, InvalidInputError

if TYPE_CHECKING:
    from memp.llm.base import Call

Vector = npt.NDArray[np.float32]
"""One embedding: shape ``(dim,)``, float32, unit length."""

Matrix = npt.NDArray[np.float32]
"""Several embeddings: shape ``(n, dim)``, float32, each row of unit length."""

_STORED = np.dtype("<f4")

UNIT_TOLERANCE = 1e-3
"""How far a norm may be from 1: float32 rounding stays below 1e-6; a vector that nobody normalised is far above."""


class Embedder(Protocol):
    """
    Turns texts into vectors of one fixed length.

    Callers may rely on the shape, on unit length and on one vector a text, in order. They may not rely on the same
    bits for the same text in another process or batch (models on BLAS do not keep that), nor on any meaning of
    similarity beyond "more alike is higher".

    Attributes:
        name: What it is called in the store, such as ``hashed``; lower-case letters, digits and hyphens.

        version: 1 or more; raised with every change that alters a vector.

        dimension: Length of its vectors, 1 or more.
    """

    @property
    def name(self) -> str:
        """Return what it is called in the store."""
        ...

    @property
    def version(self) -> int:
        """Return the number that is raised whenever a vector would change."""
        ...

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Matrix:
        """
        Return one vector a text, in order.

        Args:
            texts: Any texts, the empty one included; no text at all gives shape ``(0, dimension)``.

        Returns:
            Shape ``(len(texts), dimension)``, float32, rows of unit length: never zero, never NaN.

        Raises:
            InvalidInputError: Something in *texts* is not a text.
            EmbeddingError: The model behind it failed or gave no vector; the same call may work later.
        """
        ...


Note = Callable[["Call"], None]
"""Takes a request that left the process, with what came of it."""


@runtime_checkable
class Asking(Protocol):
    """An embedder that asks an endpoint, and tells each request to whoever keeps a record."""

    def embed_noting(self, texts: Sequence[str], note: Note) -> Matrix:
        """
        Return one vector a text as ``Embedder.embed`` does, and tell *note* each request, failed ones too.

        Args:
            texts: See ``Embedder.embed``.

            note: Called for each request before this returns or raises, in their order.

        Raises:
            EmbeddingError: See ``Embedder.embed``.
        """
        ...


def embedded(embedder: Embedder, texts: Sequence[str], note: Note) -> Matrix:
    """Return what *embedder* makes of *texts*; if that asks an endpoint, *note* is told each request."""
    # To ask whether it is an ``Asking`` takes half as long as embedding a question by words.
    noting: Callable[[Sequence[str], Note], Matrix] | None = getattr(embedder, "embed_noting", None)
    return embedder.embed(texts) if noting is None else noting(texts, note)


def generation(embedder: Embedder) -> str:
    """Return the name under which its vectors are stored, such as ``hashed-1``; another generation never mixes in."""
    return f"{embedder.name}-{embedder.version}"


def check_texts(texts: Sequence[str]) -> None:
    """
    Refuse what is not a sequence of texts, a single text above all: it would be embedded letter by letter.

    Raises:
        InvalidInputError: *texts* is one text, or holds something that is none.
    """
    if isinstance(texts, str):
        raise InvalidInputError(f"'texts' must be a sequence of texts (got the text {texts[:40]!r}). Put it in a list.")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidInputError(f"'texts[{place}]' must be a text (got {text!r}).")


def check_vectors(vectors: npt.NDArray[Any], *, dimension: int) -> Matrix:
    """
    Return *vectors* as a float32 matrix, or refuse them.

    Args:
        vectors: Shape ``(n, dimension)``, any real dtype.

        dimension: The length that each must have.

    Returns:
        Shape ``(n, dimension)``, float32, C order; the same array where it already is that.

    Raises:
        DimensionError: The rows have another length; carries both.
        InvalidInputError: A row holds NaN or infinity, is all zeros, or is not of unit length.
    """
    matrix = np.ascontiguousarray(vectors, dtype=np.float32)
    if matrix.ndim != 2:
        raise InvalidInputError(f"'vectors' must have the shape (n, {dimension}) (got {matrix.shape}).")
    if matrix.shape[1] != dimension:
        raise DimensionError(expected=dimension, found=matrix.shape[1])
    norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
    # A NaN compares false with everything, so the test asks for what is right rather than for what is wrong.
    good = np.abs(norms - 1.0) <= UNIT_TOLERANCE
    if not good.all():
        row = int(np.argmin(good))
        raise InvalidInputError(f"Vector {row} must be finite and of unit length (got norm {float(norms[row])!r}).")
    return matrix


def normalise(vectors: npt.NDArray[Any]) -> Matrix:
    """
    Return *vectors* scaled to unit length, in float64 and only then rounded to float32.

    Args:
        vectors: Shape ``(n, dim)``, any real dtype.

    Raises:
        InvalidInputError: A row holds NaN or infinity, or is all zeros: it has no direction.
    """
    wide = np.asarray(vectors, dtype=np.float64)
    norms = np.sqrt((wide * wide).sum(axis=1))
    good = np.isfinite(norms) & (norms > 0.0)
    if not good.all():
        row = int(np.argmin(good))
        raise InvalidInputError(f"Vector {row} must be finite and not all zeros (got norm {float(norms[row])!r}).")
    unit: Matrix = (wide / norms[:, np.newaxis]).astype(np.float32)
    return unit


def vector_to_bytes(vector: npt.NDArray[Any], *, dimension: int) -> bytes:
    """
    Return the bytes in which *vector* is stored: little-endian float32, ``4 * dimension`` of them.

    Raises:
        DimensionError: *vector* has another length; carries both.
        InvalidInputError: It holds NaN or infinity, is all zeros, or is not of unit length.
    """
    row = check_vectors(np.atleast_2d(vector), dimension=dimension)
    if row.shape[0] != 1:
        raise InvalidInputError(f"'vector' must have the shape ({dimension},) (got {np.shape(vector)}).")
    stored: bytes = row[0].astype(_STORED, copy=False).tobytes()
    return stored


def vector_from_bytes(data: bytes, *, dimension: int) -> Vector:
    """
    Return the vector that ``vector_to_bytes`` wrote; the array is a copy in the machine's own byte order.

    Raises:
        DimensionError: *data* is longer or shorter than ``4 * dimension`` bytes; carries whole numbers of values.
        InvalidInputError: The values hold NaN or infinity, are all zeros, or are not of unit length.
    """
    if len(data) != dimension * _STORED.itemsize:
        raise DimensionError(expected=dimension, found=len(data) // _STORED.itemsize)
    values = np.frombuffer(data, dtype=_STORED).astype(np.float32)
    vector: Vector = check_vectors(values[np.newaxis, :], dimension=dimension)[0]
    return vector
