"""
Approximate search for many texts: finished graphs, and exact search over what has none yet.

Readers never meet a structure that is being changed. They take one reference, to a *generation*: the graphs that are
finished. One thread builds the next one behind them; texts that were added since are searched exactly, as are texts
that a graph left out. So every text is always found by one of the two, and a search that comes while a graph is being
built is slower, never wrong. A lock between searching and adding was not taken: it would have to be held for as long as
an insertion takes, which is longer than a search.

Where few texts are allowed, or few vectors are there at all, everything is exact: a filter inside hnswlib costs a
hundred times what it costs to multiply the few rows that pass.
"""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from memp.embedding.base import Matrix, Vector
from memp.index.base import Mask, Proposals, Slots, check_search, coarse_margin
from memp.index.builder import Builder
from memp.index.exact import ExactIndex
from memp.index.graph import Graph, build_graph, hnswlib_or_none, layout

EXACT_UP_TO: Final = 5_000
"""Allowed texts up to which ``auto`` searches exactly: 0.3 ms at 384 numbers, and the same answer every time."""

EXPLORED_MIN: Final = 32
"""Candidates looked at in a graph of up to ``EXPLORED_MIN_MEMBERS`` texts, at least: hnswlib's ``ef``."""

EXPLORED_MIN_MEMBERS: Final = 16_384
"""Texts in a graph from which on the least number of candidates grows, see ``_explored_min``."""

EXPLORED_PER_TEXT: Final = 4
"""Candidates for each text that is asked for, since those at the edge of what is explored are found least well."""

EXPLORED_AGAIN: Final = 4
"""How many times as many candidates are looked at when the first ones do not suffice."""

ALLOWED_SHARE_MIN: Final = 0.05
"""At or below this share of allowed texts, search is exact over those: a graph would be walked for what is dropped."""

EXPLORED_SHARE_MAX: Final = 1 / 16
"""Candidates, as a share of a graph, from which on multiplying all rows is cheaper than walking."""

STALE_SHARE: Final = 0.25
"""Slots that a graph holds for nothing, or lacks, as a share of its run, from which on it is built again."""


@attrs.frozen(kw_only=True, eq=False)
class Generation:
    """
    The graphs that are finished; never changed, only replaced.

    Attributes:
        graphs: By rising slots; they start at slot 0 and touch.

        left_out: Slots in their runs that no graph holds, rising.
    """

    graphs: tuple[Graph, ...] = ()
    left_out: Slots = attrs.field(factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def stop(self) -> int:
        """First slot behind all graphs: where the tail begins."""
        return self.graphs[-1].stop if self.graphs else 0

    def having(self, graph: Graph) -> Generation:
        """Return this generation with *graph* in the place of all that lies within its run."""
        others = [one for one in self.graphs if one.stop <= graph.start or one.start >= graph.stop]
        graphs = tuple(sorted([*others, graph], key=lambda one: one.start))
        left_out = [np.setdiff1d(np.arange(one.start, one.stop), one.members) for one in graphs if not one.whole]
        return Generation(graphs=graphs, left_out=np.concatenate(left_out)) if left_out else Generation(graphs=graphs)

    def without_graph(self, count: int, allowed: Mask | None) -> Slots:
        """Return the allowed slots, of *count*, that no graph holds."""
        tail = np.arange(self.stop, count, dtype=np.int64)
        slots = np.concatenate((self.left_out, tail)) if len(self.left_out) else tail
        if allowed is None:
            return slots
        slots = slots[: int(np.searchsorted(slots, len(allowed)))]
        return slots[allowed[slots]]


class HnswIndex:
    """
    Vectors in one matrix, and graphs over most of them.

    Each graph is asked for all candidates that it looks at, ``4 * k / share of allowed texts`` and 32 or more; all that
    reach the margin of the port are proposed. Where that does not bring *k* texts, or more texts than were explored
    may lie within the margin (many equal vectors, say), four times as many are explored, and then search is exact.
    """

    def __init__(self, dimension: int, *, exact_up_to: int = EXACT_UP_TO) -> None:
        """
        Make an empty index. Neither hnswlib nor a thread is needed before a search finds too many texts.

        Args:
            dimension: Length of the vectors, 1 or more.

            exact_up_to: Up to this many allowed texts search is exact, and below it no graph is built; 0 or more.
        """
        self._exact = ExactIndex(dimension)
        self._exact_up_to = exact_up_to
        self._lock = threading.Lock()
        self._generation = Generation()
        self._goal: tuple[tuple[int, int], ...] = ()
        self._alive: Mask | None = None
        self._behind = False
        self._trouble: str | None = None
        self._builder = Builder()
        # Python ends while daemon threads run; one that is inside hnswlib at that moment would abort the process.
        self._finalizer = weakref.finalize(self, self._builder.close)

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self._exact.dimension

    @property
    def exact_up_to(self) -> int:
        """Up to this many allowed texts search is exact."""
        return self._exact_up_to

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """The graphs that searches use at this moment."""
        return self._generation.graphs

    @property
    def trouble(self) -> str | None:
        """Why no graph can be built and every search is exact; None if nothing is wrong."""
        return self._trouble

    def __len__(self) -> int:
        return len(self._exact)

    def add(self, keys: Sequence[str], vectors: Matrix) -> Slots:
        """Add texts, all or none; see ``VectorIndex.add``."""
        slots = self._exact.add(keys, vectors)
        self._aim()
        return slots

    def fill(self, keys: Sequence[str], vectors: Matrix) -> None:
        """Take over the texts of another index; see ``VectorIndex.fill``."""
        self._exact.fill(keys, vectors)
        self._aim()

    def _aim(self) -> None:
        goal = layout(len(self._exact)) if len(self._exact) > self._exact_up_to else ()
        if goal != self._goal:
            with self._lock:
                self._goal, self._behind = goal, True

    def slot(self, key: str) -> int | None:
        """Return the slot of *key*; None if it is not here."""
        return self._exact.slot(key)

    def vectors(self, slots: Slots) -> Matrix:
        """Return a copy of the vectors at *slots*."""
        return self._exact.vectors(slots)

    def run(self, start: int, stop: int) -> Matrix:
        """Return the vectors of the slots from *start* to *stop* where they lie, for reading only."""
        return self._exact.run(start, stop)

    def keys(self) -> list[str]:
        """Return the digests of all texts, by slot."""
        return self._exact.keys()

    def keep(self, alive: Mask, /) -> None:
        """Expect questions for the texts in *alive* from now on; see ``VectorIndex.keep``."""
        with self._lock:
            self._alive, self._behind = alive.copy(), True

    def adopt(self, graphs: Sequence[Graph]) -> None:
        """Use finished graphs, rising, from slot 0 on and touching, over vectors that are here."""
        generation = Generation()
        for graph in graphs:
            generation = generation.having(graph)
        assert generation.stop <= len(self._exact)
        with self._lock:
            self._generation = generation

    def settle(self, timeout_seconds: float | None = None) -> bool:
        """
        Build every graph that is due, and wait for it.

        After that, and until the next addition, answers depend on the vectors, the order in which they were added, and
        what was said to be kept.

        Returns:
            False if it takes longer than *timeout_seconds*, or no graph can be built.
        """
        if not self._goal:
            return True
        if not self._can_build():
            return False
        self._builder.wake(self._build_next)
        return self._builder.wait(timeout_seconds) and self._trouble is None

    def share(self, shared: bool, /) -> None:
        """Pass it on to exact search; a graph is walked anew for every mask."""
        self._exact.share(shared)

    def close(self) -> None:
        """Stop building. Searching goes on; closing twice does nothing."""
        self._finalizer()

    def search(self, query: Vector, *, k: int, allowed: Mask | None = None) -> Proposals:
        """Propose at least the *k* nearest texts, and miss few; see ``VectorIndex.search``."""
        query = check_search(query, k=k, dimension=self.dimension)
        # The generation first: its graphs then hold no slot that the count does not cover.
        generation = self._generation
        count = len(self._exact)
        permitted = count if allowed is None else int(np.count_nonzero(allowed[:count]))
        if permitted <= max(self._exact_up_to, k, ALLOWED_SHARE_MIN * count):
            return self._exact.search(query, k=k, allowed=allowed)
        if self._behind and self._can_build():
            with self._lock:
                self._behind = False
            self._builder.wake(self._build_next)
        # A graph cannot be told what is allowed; where all is, nothing it says needs to be looked up.
        within = None if permitted == count else allowed
        found = self._walk(generation, query, k, count, within, permitted)
        return found or self._exact.search(query, k=k, allowed=allowed)

    def _walk(
        self, generation: Generation, query: Vector, k: int, count: int, allowed: Mask | None, permitted: int
    ) -> Proposals | None:
        """Search graphs and what has none; None where exact search is the better way."""
        if not generation.graphs:
            return None
        rest = generation.without_graph(count, allowed)
        rest_scores = self._exact.scores(query, rest)
        unsure = list(generation.graphs)
        explored = int(EXPLORED_PER_TEXT * k * count / permitted)
        found: dict[int, tuple[Slots, npt.NDArray[np.float32]]] = {}
        while True:
            floors = []
            for graph in unsure:
                answer = graph.nearest(query, max(explored, _explored_min(len(graph.members))))
                if answer is None:
                    return None
                found[graph.start] = answer
                floors.append(float(answer[1][-1]) if len(answer[0]) < len(graph.members) else -np.inf)
            slots = np.concatenate([rest, *(one for one, _ in found.values())])
            scores = np.concatenate([rest_scores, *(one for _, one in found.values())])
            if allowed is not None:
                kept = _look_up(allowed, slots)
                slots, scores = slots[kept], scores[kept]
            bar = _reach(scores, k) - coarse_margin(self.dimension)
            # What a graph did not return scores no better than the last that it did.
            unsure = [graph for graph, floor in zip(unsure, floors, strict=True) if -np.inf < floor and floor >= bar]
            if not unsure:
                break
            explored = EXPLORED_AGAIN * max(explored, EXPLORED_MIN)
            if any(explored > EXPLORED_SHARE_MAX * len(graph.members) for graph in unsure):
                return None
        near = scores >= bar
        return Proposals(slots=slots[near], scores=scores[near], floor=bar)

    def _can_build(self) -> bool:
        if self._trouble is None and hnswlib_or_none() is None:
            self._trouble = "hnswlib cannot be loaded"
        return self._trouble is None

    def _build_next(self, stopping: Callable[[], bool]) -> bool:
        """Build and publish the first graph that is due; return whether there was one."""
        with self._lock:
            goal, alive = self._goal, self._alive
        built = {(graph.start, graph.stop): graph for graph in self._generation.graphs}
        for start, stop in goal:
            members = _members(alive, start, stop)
            if _stale(built.get((start, stop)), members):
                break
        else:
            return False
        try:
            graph = build_graph(
                self._exact.vectors,
                dimension=self.dimension,
                start=start,
                stop=stop,
                members=members,
                stopping=stopping,
            )
        except (MemoryError, RuntimeError) as error:
            self._trouble = f"hnswlib cannot build a graph of {len(members)} texts: {error}"
            warnings.warn(f"{self._trouble}; every search is exact from here on.", RuntimeWarning, stacklevel=2)
            return False
        if graph is None:
            return False
        with self._lock:
            self._generation = self._generation.having(graph)
        return True


def _explored_min(members: int) -> int:
    """
    Return how many candidates are looked at in a graph of so many texts, at least.

    Ten times as many texts need some two and a half times as many candidates for the same recall; measured, see
    docs/explanation/index.md.
    """
    return round(EXPLORED_MIN * float(max(1.0, members / EXPLORED_MIN_MEMBERS) ** 0.4))


def _members(alive: Mask | None, start: int, stop: int) -> Slots:
    """Return the slots from *start* to *stop* that are alive; those past the end of the mask are."""
    slots = np.arange(start, stop, dtype=np.int64)
    if alive is None:
        return slots
    known = int(np.searchsorted(slots, len(alive)))
    return np.concatenate((slots[:known][alive[start : start + known]], slots[known:]))


def _stale(graph: Graph | None, members: Slots) -> bool:
    """Return whether *graph* is missing, or holds too much that is not in *members* or too little that is."""
    if graph is None:
        return True
    if len(members) == len(graph.members) == graph.stop - graph.start:
        return False
    return len(np.setxor1d(graph.members, members, assume_unique=True)) > STALE_SHARE * (graph.stop - graph.start)


def _look_up(allowed: Mask, slots: Slots) -> Mask:
    """Return which of *slots* are allowed; those past the end of the mask are not."""
    inside = slots < len(allowed)
    return allowed[np.where(inside, slots, 0)] & inside


def _reach(scores: npt.NDArray[np.float32], k: int) -> float:
    """Return the *k*-th highest of *scores*; minus infinity if there are fewer."""
    if len(scores) < k:
        return -np.inf
    ordered = scores.copy()
    ordered.partition(len(scores) - k)
    return float(ordered[-k])
