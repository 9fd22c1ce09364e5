"""Near vectors: the port, and exact search."""

from memp.index.base import Mask, Proposals, Slots, VectorIndex, coarse_margin
from memp.index.exact import ExactIndex

__all__ = ["ExactIndex", "Mask", "Proposals", "Slots", "VectorIndex", "coarse_margin"]
