"""
What is known of how well the texts of a memory are found: what ``memp doctor`` shows of its indexes.

Only here are recall and its causes side by side. The indexes do not report it themselves, because measuring takes two
hundred searches, and nobody wants to pay for that at every opening.
"""

from __future__ import annotations

import attrs
import numpy as np

from memp.index.base import Mask, VectorIndex
from memp.index.hnsw import HnswIndex
from memp.index.recall import measure_recall

RECALL_AT = 10
"""Neighbours that recall is about, the usual number."""


@attrs.frozen(kw_only=True)
class SearchQuality:
    """
    How one kind of text is found.

    Attributes:
        kind: ``task``, ``pattern`` or ``fact``.

        texts: How many vectors there are.

        live: How many of them the present of some branch can find.

        in_graphs: How many texts finished graphs hold; 0 means that every search is exact.

        recall: Share of the ten nearest texts that a search proposes, measured against exact search on texts of the
            memory itself; in [0, 1], and 1 where search is exact.

        trouble: Why no graph can be built; None if nothing is wrong.
    """

    kind: str
    texts: int
    live: int
    in_graphs: int
    recall: float
    trouble: str | None


def search_quality(kind: str, index: VectorIndex, live: Mask, *, timeout_seconds: float | None) -> SearchQuality:
    """
    Return how well the texts of *index* are found, once the graphs that are due are built.

    Args:
        kind: What the texts are, for the answer.

        index: What is measured.

        live: The texts that may be found, by slot.

        timeout_seconds: How long to wait for graphs; what is not built by then is searched exactly. None waits.
    """
    if isinstance(index, HnswIndex):
        index.settle(timeout_seconds)
    return SearchQuality(
        kind=kind,
        texts=len(index),
        live=int(np.count_nonzero(live)),
        in_graphs=sum(len(graph.members) for graph in index.graphs) if isinstance(index, HnswIndex) else 0,
        recall=measure_recall(index, k=RECALL_AT, allowed=live),
        trouble=index.trouble if isinstance(index, HnswIndex) else None,
    )
