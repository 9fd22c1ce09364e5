"""
One finished graph: the only module that touches hnswlib.

A graph is built once, over one run of slots, by one thread and in slot order, and is never changed afterwards: the
library may be searched by many threads at the same time, but not while anything is added to it. It also dies of input
that it should refuse, so counts are bounded here, and a graph that comes from disk is taken apart and put together by
us rather than by its own loader.

Which runs of slots have graphs is a function of the number of slots (``layout``): the powers of two that make it up,
largest first. Growing by one then rebuilds little and seldom, a full replay builds the same graphs as a life of small
additions, and nothing depends on which of the two happened. The alternative, one graph for everything, is searched
somewhat faster, but has to be rebuilt whole, or copied whole, whenever it has fallen behind.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt

from memp.embedding.base import Matrix, Vector
from memp.index.base import Slots

LINKS: Final = 16
"""hnswlib's ``M``: links a text has on upper levels, twice as many on the lowest. Its authors suggest 12 to 48."""

EXPLORED_BUILDING: Final = 200
"""hnswlib's ``ef_construction``: candidates looked at for each text added. Twice as many build at half the speed."""

SEED: Final = 100
"""Of the levels that texts are put on. Any number will do, but another one gives another graph."""

ADDED_AT_ONCE: Final = 256
"""Texts added between two looks at whether to stop: about a tenth of a second."""

SPAN_MIN: Final = 64
"""Slots in the smallest graph. Fewer are never worth one."""

SPAN_MAX: Final = 2048
"""Once the builder has caught up, fewer slots than this have no graph: 0.1 ms of exact search at 384 numbers."""

PARAMETERS: Final = {"links": LINKS, "explored_building": EXPLORED_BUILDING, "seed": SEED, "space": "ip"}
"""What a graph depends on beside its vectors; a stored one with others is not used."""

_LINK_BYTES: Final = 4
LINKS_ROW: Final = 1 + 2 * LINKS
"""Numbers that hnswlib keeps of a text on the lowest level: how many neighbours, and room for all of them."""

UPPER_ROW: Final = 1 + LINKS
"""The same for each level above."""


@functools.cache
def hnswlib_or_none() -> ModuleType | None:
    """Return hnswlib, loaded when first asked for; None, and a warning the first time, where it cannot be loaded."""
    try:
        import hnswlib
    except ImportError as error:
        warnings.warn(
            f"hnswlib cannot be loaded ({error}), so every search is exact: the same answers, in time that grows with "
            "the number of procedures. Install it with 'pip install hnswlib' (it needs a C++ compiler).",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    module: ModuleType = hnswlib
    return module


def layout(count: int) -> tuple[tuple[int, int], ...]:
    """
    Return the half-open runs of slots that have a graph each, of *count* slots in all.

    They start at 0, touch, and are powers of two in falling order; what is left behind them is the tail. The smallest
    is an eighth of the largest, within ``SPAN_MIN`` and ``SPAN_MAX``. A run, once there, stays until a larger one
    that starts at the same slot takes its place and that of all behind it.

    Source: Bentley & Saxe, "Decomposable searching problems I", Journal of Algorithms 1 (1980), section 2.
    """
    smallest = min(max(1 << max(count.bit_length() - 4, 0), SPAN_MIN), SPAN_MAX)
    runs = []
    start, left = 0, count
    while left >= smallest:
        size = 1 << (left.bit_length() - 1)
        runs.append((start, start + size))
        start, left = start + size, left - size
    return tuple(runs)


@attrs.frozen(kw_only=True, eq=False)
class Graph:
    """
    A finished graph over a run of slots.

    Attributes:
        start: First slot of the run.

        stop: First slot behind it.

        members: The slots of the run that are in the graph, rising, shape ``(m,)``.

        handle: hnswlib's own object; labels are slots. None where there are no members.
    """

    start: int
    stop: int
    members: Slots
    handle: Any

    @property
    def whole(self) -> bool:
        """Whether every slot of the run is in the graph."""
        return len(self.members) == self.stop - self.start

    def nearest(self, query: Vector, count: int) -> tuple[Slots, npt.NDArray[np.float32]] | None:
        """
        Return about the *count* members nearest to *query*, and their coarse scores; fewer only if there are fewer.

        hnswlib looks at as many candidates as it is asked for, so *count* is its ``ef`` as well.

        Returns:
            Slots and scores, nearest first; None if the graph does not hang together and cannot return as many.
        """
        count = min(count, len(self.members))
        if not count:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        try:
            labels, distances = self.handle.knn_query(query, k=count, num_threads=1)
        except RuntimeError:
            return None
        scores: npt.NDArray[np.float32] = 1.0 - distances[0]
        return labels[0].astype(np.int64), scores


def build_graph(
    vectors: Callable[[Slots], Matrix],
    *,
    dimension: int,
    start: int,
    stop: int,
    members: Slots,
    stopping: Callable[[], bool],
) -> Graph | None:
    """
    Build the graph of *members*; None if *stopping* came true before it was done.

    Args:
        vectors: Returns the vectors of slots.

        dimension: Their length.

        start: First slot of the run.

        stop: First slot behind it.

        members: The slots of the run to put in, rising.

        stopping: Asked every tenth of a second.

    Raises:
        RuntimeError: hnswlib cannot get the memory.
    """
    if not len(members):
        return Graph(start=start, stop=stop, members=members, handle=None)
    handle = _new_handle(dimension, len(members))
    for place in range(0, len(members), ADDED_AT_ONCE):
        if stopping():
            return None
        slots = members[place : place + ADDED_AT_ONCE]
        handle.add_items(vectors(slots), slots, num_threads=1)
    return Graph(start=start, stop=stop, members=members, handle=handle)


def _new_handle(dimension: int, count: int) -> Any:
    module = hnswlib_or_none()
    assert module is not None
    handle = module.Index(space=PARAMETERS["space"], dim=dimension)
    handle.init_index(max_elements=count, M=LINKS, ef_construction=EXPLORED_BUILDING, random_seed=SEED)
    # It takes the larger of this and what is asked for; so what is asked for decides, and nothing is ever set again
    # while others search.
    handle.set_ef(1)
    return handle


@attrs.frozen(kw_only=True, eq=False)
class GraphParts:
    """
    A graph without its vectors, which the log has: about 140 bytes a text.

    Attributes:
        start: First slot of the run.

        stop: First slot behind it.

        members: The slots in the graph, int64, shape ``(m,)``.

        levels: The highest level of each member, int32, shape ``(m,)``.

        links: Count and neighbours of each member on the lowest level, uint32, shape ``(m, 33)``.

        upper: The same on the levels above, member after member, uint32, shape ``(sum of levels, 17)``.

        entry: Where a search begins: its place among the members.
    """

    start: int
    stop: int
    members: Slots
    levels: npt.NDArray[np.int32]
    links: npt.NDArray[np.uint32]
    upper: npt.NDArray[np.uint32]
    entry: int


def take_apart(graph: Graph) -> GraphParts:
    """Return what a graph is made of beside its vectors. The graph must have members."""
    state = graph.handle.__getstate__()[0]
    count = len(graph.members)
    rows = state["data_level0"].view(np.uint8).reshape(count, state["size_data_per_element"])
    begin = state["offset_level0"]
    links = np.ascontiguousarray(rows[:, begin : begin + LINKS_ROW * _LINK_BYTES]).view("<u4")
    return GraphParts(
        start=graph.start,
        stop=graph.stop,
        members=graph.members,
        levels=state["element_levels"].astype("<i4"),
        links=links,
        upper=state["link_lists"].view("<u4").reshape(-1, UPPER_ROW),
        entry=int(state["enterpoint_node"]),
    )


def put_together(parts: GraphParts, vectors: Matrix) -> Graph | None:
    """
    Return the graph that *parts* came from, bit for bit.

    Args:
        parts: What ``take_apart`` returned, by the same version of hnswlib or another.

        vectors: Those of the members, shape ``(m, dim)``.

    Returns:
        The graph; None if the parts do not fit together, or this hnswlib lays out its memory in another way.
    """
    count, dimension = vectors.shape
    if not _fits(parts, count):
        return None
    # What the arrays do not say is the same for every graph of these parameters, so a graph of one text says it.
    pattern = _new_handle(dimension, 1)
    pattern.add_items(vectors[:1], parts.members[:1], num_threads=1)
    state = pattern.__getstate__()[0]
    link_bytes, vector_bytes = LINKS_ROW * _LINK_BYTES, 4 * dimension
    row = np.dtype({"names": ["links", "vector", "label"], "formats": [f"V{link_bytes}", f"V{vector_bytes}", "<u8"],
                    "offsets": [state["offset_level0"], state["offset_data"], state["label_offset"]],
                    "itemsize": state["size_data_per_element"]})  # fmt: skip
    if row.itemsize != link_bytes + vector_bytes + 8 or state["size_links_per_element"] != UPPER_ROW * _LINK_BYTES:
        return None
    table = np.empty(count, dtype=row)
    table["links"] = np.ascontiguousarray(parts.links).view(f"V{link_bytes}")[:, 0]
    table["vector"] = np.ascontiguousarray(vectors).view(f"V{vector_bytes}")[:, 0]
    table["label"] = parts.members
    state |= {
        "max_elements": count,
        "cur_element_count": count,
        "max_level": int(parts.levels.max()),
        "enterpoint_node": parts.entry,
        "label_lookup_external": parts.members.astype(np.uint64),
        "label_lookup_internal": np.arange(count, dtype=np.uint32),
        "element_levels": parts.levels.astype(np.int32),
        "data_level0": table.view(np.int8),
        "link_lists": np.ascontiguousarray(parts.upper).reshape(-1).view(np.int8),
    }
    kind: Any = type(pattern)
    handle = kind.__new__(kind)
    handle.__setstate__((state,))
    return Graph(start=parts.start, stop=parts.stop, members=parts.members, handle=handle)


def _fits(parts: GraphParts, count: int) -> bool:
    """Return whether no number in *parts* leads outside of it: hnswlib follows them without looking."""
    if not (count and len(parts.levels) == len(parts.links) == len(parts.members) == count):
        return False
    levels = parts.levels
    return bool(
        0 <= parts.entry < count
        and levels.min() >= 0
        and levels[parts.entry] == levels.max()
        and len(parts.upper) == int(levels.sum())
        and _rows_fit(parts.links, count)
        and _rows_fit(parts.upper, count)
    )


def _rows_fit(rows: npt.NDArray[np.uint32], count: int) -> bool:
    """Return whether each row has no more neighbours than room, and names only members."""
    width = rows.shape[1] - 1
    used = np.arange(width) < rows[:, :1]
    return bool((rows[:, 0] <= width).all() and (rows[:, 1:][used] < count).all())
