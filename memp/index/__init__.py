"""Near vectors: the port, exact search, and graphs for many."""

from typing import Literal, TypeAlias, get_args

from memp.errors import InvalidInputError
from memp.index.base import Mask, Proposals, Slots, VectorIndex, coarse_margin
from memp.index.exact import ExactIndex
from memp.index.graph import hnswlib_or_none
from memp.index.hnsw import EXACT_UP_TO, HnswIndex

__all__ = [
    "EXACT_UP_TO",
    "ExactIndex",
    "HnswIndex",
    "IndexKind",
    "Mask",
    "Proposals",
    "Slots",
    "VectorIndex",
    "check_kind",
    "coarse_margin",
    "make_index",
]

IndexKind: TypeAlias = Literal["auto", "exact", "hnsw"]
"""How a memory searches: exactly up to 5,000 texts and by graphs above, always exactly, or always by graphs."""


def check_kind(kind: IndexKind) -> None:
    """
    Refuse what is no kind of index.

    Raises:
        InvalidInputError: There is no such kind.
    """
    if kind not in get_args(IndexKind):
        raise InvalidInputError(f"'index' must be one of {', '.join(get_args(IndexKind))} (got {kind!r}).")


def make_index(kind: IndexKind, dimension: int) -> ExactIndex | HnswIndex:
    """
    Return an empty index.

    Args:
        kind: ``auto``, ``exact`` or ``hnsw``.

        dimension: Length of the vectors, 1 or more.

    Raises:
        InvalidInputError: There is no such kind.
    """
    check_kind(kind)
    if kind == "exact":
        return ExactIndex(dimension)
    if kind == "hnsw":
        # Whoever asks for graphs by name is told at once that there will be none.
        hnswlib_or_none()
    return HnswIndex(dimension, exact_up_to=EXACT_UP_TO if kind == "auto" else 0)
