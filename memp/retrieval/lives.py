"""
Which rows are found, from which position to which, on one branch.

A life is a half-open interval of positions in which a revision was the active one of a procedure that is retrieved; an
undo and its undo give a revision several. The mask of a version is then one comparison of two arrays, so a question
about the past costs what one about the present does.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from memp.index.base import Mask
from memp.model import ProcedureId
from memp.retrieval.patterns import pattern_words

FOREVER = int(np.iinfo(np.int64).max)
"""End of a life that has not ended."""

VERSIONS_KEPT = 256
"""Past versions whose masks are kept: two bytes a row each, and a comparison of a hundred versions asks each often."""

_Integers = npt.NDArray[np.int64]
_Columns = tuple[_Integers, _Integers, _Integers, npt.NDArray[np.bool_], _Integers]


class Lives:
    """
    The lives of rows on one branch.

    Args:
        patterns: The task patterns of each row; the list grows as rows are added elsewhere.
    """

    def __init__(self, patterns: Sequence[tuple[str, ...]]) -> None:
        self._patterns = patterns
        self._owners: list[ProcedureId] = []
        self._rows: list[int] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._tainted: list[bool] = []
        self._open: dict[ProcedureId, int] = {}
        self._columns: _Columns | None = None
        self._living_patterns: Counter[str] = Counter()
        self._words: frozenset[str] | None = None
        self._changed_at = 0
        self._present: tuple[Mask, Mask] | None = None
        self._pattern_sets: dict[tuple[str, ...], int] = {}
        self._pattern_set_of: list[int] = []
        self._words_of_sets: dict[tuple[int, ...], frozenset[str]] = {}
        self._past: OrderedDict[tuple[int, int], tuple[tuple[Mask, Mask], frozenset[str]]] = OrderedDict()

    def fork(self, position: int) -> Lives:
        """Return the lives of a branch that shares everything up to *position*: what is alive there goes on."""
        forked = Lives(self._patterns)
        rows, starts, ends, tainted, _ = self._arrays()
        for life in np.flatnonzero((starts <= position) & (position < ends)).tolist():
            forked.set(self._owners[life], int(rows[life]), int(starts[life]), tainted=bool(tainted[life]))
        return forked

    def set(self, procedure_id: ProcedureId, row: int | None, position: int, *, tainted: bool = False) -> None:
        """
        Say how the procedure is found from *position* on.

        Args:
            procedure_id: The procedure.

            row: The row of its active revision; None if it is not retrieved.

            position: No lower than in any call before for this procedure.

            tainted: Whether something that the revision was made from is out of force.
        """
        life = self._open.get(procedure_id)
        if life is not None:
            if (self._rows[life], self._tainted[life]) == (row, tainted):
                return
            self._ends[life] = position
            del self._open[procedure_id]
            self._count(self._rows[life], position, by=-1)
        if row is None:
            return
        self._open[procedure_id] = len(self._rows)
        self._owners.append(procedure_id)
        self._rows.append(row)
        self._starts.append(position)
        self._ends.append(FOREVER)
        self._tainted.append(tainted)
        patterns = self._patterns[row]
        self._pattern_set_of.append(self._pattern_sets.setdefault(patterns, len(self._pattern_sets)))
        self._count(row, position, by=1)

    def _count(self, row: int, position: int, *, by: int) -> None:
        self._columns = self._present = None
        self._past.clear()
        self._changed_at = max(self._changed_at, position)
        before = len(self._living_patterns)
        for pattern in self._patterns[row]:
            self._living_patterns[pattern] += by
            if not self._living_patterns[pattern]:
                del self._living_patterns[pattern]
        if before != len(self._living_patterns):
            self._words = None

    def _arrays(self) -> _Columns:
        if self._columns is None:
            self._columns = (
                np.array(self._rows, dtype=np.int64),
                np.array(self._starts, dtype=np.int64),
                np.array(self._ends, dtype=np.int64),
                np.array(self._tainted, dtype=np.bool_),
                np.array(self._pattern_set_of, dtype=np.int64),
            )
        return self._columns

    def masks(self, position: int, *, size: int) -> tuple[Mask, Mask]:
        """
        Return which of *size* rows are found at *position*: those that are clean, and those that are tainted.

        A tainted revision stays usable and comes after all clean ones.
        """
        if position < self._changed_at:
            return self._looked_back(position, size)[0]
        if self._present is None or len(self._present[0]) != size:
            self._present = self._masks(position, size)
        return self._present

    def _looked_back(self, position: int, size: int) -> tuple[tuple[Mask, Mask], frozenset[str]]:
        """Return masks and fixed words of the past; those of the last few versions that were asked are kept."""
        if (position, size) not in self._past:
            _, starts, ends, _, sets = self._arrays()
            alive = (starts <= position) & (position < ends)
            used = tuple(np.flatnonzero(np.bincount(sets[alive], minlength=1)).tolist())
            if len(self._words_of_sets) > VERSIONS_KEPT:
                self._words_of_sets.clear()
            if used not in self._words_of_sets:
                known = list(self._pattern_sets)
                self._words_of_sets[used] = _words_of({pattern for number in used for pattern in known[number]})
            self._past[position, size] = (self._masks(position, size), self._words_of_sets[used])
            if len(self._past) > VERSIONS_KEPT:
                self._past.popitem(last=False)
        return self._past[position, size]

    def _masks(self, position: int, size: int) -> tuple[Mask, Mask]:
        rows, starts, ends, tainted, _ = self._arrays()
        alive = (starts <= position) & (position < ends)
        clean, marked = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
        clean[rows[alive & ~tainted]] = True
        marked[rows[alive & tainted]] = True
        return clean, marked

    def fixed_words(self, position: int) -> frozenset[str]:
        """Return the words of every pattern that is found at *position*: all others in a question are names."""
        if position < self._changed_at:
            return self._looked_back(position, len(self._patterns))[1]
        if self._words is None:
            self._words = _words_of(self._living_patterns)
        return self._words


def _words_of(patterns: Iterable[str]) -> frozenset[str]:
    return frozenset(word for pattern in patterns for word in _cached_words(pattern))


_cached_words = lru_cache(maxsize=65_536)(pattern_words)
