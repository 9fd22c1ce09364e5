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
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from memp.index.base import Mask
from memp.model import ProcedureId
from memp.retrieval.admitted import Admitted
from memp.retrieval.patterns import pattern_words
from memp.scopes import EVERYBODY, readable

FOREVER = int(np.iinfo(np.int64).max)
"""End of a life that has not ended."""

VERSIONS_KEPT = 256
"""Versions and scopes whose masks are kept: three bytes a row each, and a comparison of a hundred asks each often."""

_Integers = npt.NDArray[np.int64]


_Flags = npt.NDArray[np.bool_]


class _Columns:
    """
    The lives, one array for each thing that is known of them.

    An episode ends some lives and begins others, and making ten thousand anew would take longer than searching them. So
    the arrays have room for more, and only what has changed is written.

    Args:
        rows: The row of each life.

        starts: Where each begins.

        ends: Where each ends.

        tainted: Whether something that it was made from is out of force.

        pattern_sets: The number of its task patterns.

        scopes: The number of its scope.
    """

    def __init__(
        self,
        rows: list[int],
        starts: list[int],
        ends: list[int],
        tainted: list[bool],
        pattern_sets: list[int],
        scopes: list[int],
    ) -> None:
        self._lists: tuple[list[Any], ...] = (rows, starts, ends, tainted, pattern_sets, scopes)
        self._kinds = (np.int64, np.int64, np.int64, np.bool_, np.int64, np.int64)
        self._room: list[npt.NDArray[Any]] = [np.empty(0, dtype=kind) for kind in self._kinds]
        self._count = 0
        self._ended: list[int] = []
        self.take_up()

    def end(self, life: int) -> None:
        """Note that *life* has ended."""
        self._ended.append(life)

    def take_up(self) -> None:
        """Write what has changed since the last time."""
        count = len(self._lists[0])
        if count > len(self._room[0]):
            room: list[npt.NDArray[Any]] = [np.empty(2 * count, dtype=kind) for kind in self._kinds]
            for new, old in zip(room, self._room, strict=True):
                new[: self._count] = old[: self._count]
            self._room = room
        if count > self._count:
            for column, values in zip(self._room, self._lists, strict=True):
                column[self._count : count] = values[self._count :]
            self._count = count
        for life in self._ended:
            self._room[2][life] = self._lists[2][life]
        self._ended.clear()
        self.rows: _Integers
        self.starts: _Integers
        self.ends: _Integers
        self.tainted: _Flags
        self.pattern_sets: _Integers
        self.scopes: _Integers
        self.rows, self.starts, self.ends, self.tainted, self.pattern_sets, self.scopes = (
            column[:count] for column in self._room
        )

    def at(self, position: int) -> _Flags:
        """Return which lives go on at *position*."""
        return (self.starts <= position) & (position < self.ends)


class Masks(NamedTuple):
    """
    Which rows a version finds; those past the end of a mask are not found.

    Attributes:
        clean: Those that nothing speaks against.

        tainted: Those that stay usable and come after all clean ones: what they were made from is out of force.

        found: Both; statistics are counted over these.
    """

    clean: Mask
    tainted: Mask
    found: Mask


class Lives:
    """
    The lives of rows on one branch.

    Args:
        patterns: The task patterns of each row; the list grows as rows are added elsewhere.

        scopes: Whose each row is; grows likewise.

    Attributes:
        touched: The procedures that something was said of, in that order and each as often as it was.

        touched_until: The last position at which that was.

        admitted: What filters let through.
    """

    def __init__(self, patterns: Sequence[tuple[str, ...]], scopes: Sequence[str]) -> None:
        self._patterns = patterns
        self._scopes = scopes
        self._owners: list[ProcedureId] = []
        self._rows: list[int] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._tainted: list[bool] = []
        self._open: dict[ProcedureId, int] = {}
        self._columns: _Columns | None = None
        self._living_patterns: dict[str, Counter[str]] = {}
        self._words: dict[str | None, frozenset[str]] = {}
        self._changed_at = 0
        self._masks: OrderedDict[tuple[int, str | None], Masks] = OrderedDict()
        self._pattern_sets: dict[tuple[str, ...], int] = {}
        self._pattern_set_of: list[int] = []
        self._scope_numbers: dict[str, int] = {}
        self._scope_of: list[int] = []
        self._words_of_sets: dict[tuple[int, ...], frozenset[str]] = {}
        self.touched: list[ProcedureId] = []
        self.touched_until = 0
        self.admitted = Admitted()

    def fork(self, position: int) -> Lives:
        """Return the lives of a branch that shares everything up to *position*: what is alive there goes on."""
        forked = Lives(self._patterns, self._scopes)
        for life in np.flatnonzero(self._arrays().at(position)).tolist():
            forked.set(self._owners[life], self._rows[life], self._starts[life], tainted=self._tainted[life])
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
        self.touched.append(procedure_id)
        self.touched_until = max(self.touched_until, position)
        life = self._open.get(procedure_id)
        if life is not None:
            if (self._rows[life], self._tainted[life]) == (row, tainted):
                return
            self._ends[life] = position
            if self._columns is not None:
                self._columns.end(life)
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
        self._scope_of.append(self._scope_numbers.setdefault(self._scopes[row], len(self._scope_numbers)))
        self._count(row, position, by=1)

    def row(self, procedure_id: ProcedureId) -> int | None:
        """Return the row that finds the procedure at the end of the branch; None if it is not retrieved."""
        life = self._open.get(procedure_id)
        return None if life is None else self._rows[life]

    def _count(self, row: int, position: int, *, by: int) -> None:
        self._masks.clear()
        self._changed_at = max(self._changed_at, position)
        living = self._living_patterns.setdefault(self._scopes[row], Counter())
        before = len(living)
        for pattern in self._patterns[row]:
            living[pattern] += by
            if not living[pattern]:
                del living[pattern]
        if before != len(living):
            self._words.clear()

    def _arrays(self) -> _Columns:
        if self._columns is None:
            self._columns = _Columns(
                rows=self._rows,
                starts=self._starts,
                ends=self._ends,
                tainted=self._tainted,
                pattern_sets=self._pattern_set_of,
                scopes=self._scope_of,
            )
        else:
            self._columns.take_up()
        return self._columns

    def _alive(self, position: int, scope: str | None) -> npt.NDArray[np.bool_]:
        """Return which lives go on at *position* before the eyes of a reader in *scope*; None reads all."""
        columns = self._arrays()
        alive = columns.at(position)
        if scope is None:
            return alive
        seen = [self._scope_numbers[one] for one in readable(scope) if one in self._scope_numbers]
        return alive if len(seen) == len(self._scope_numbers) else alive & np.isin(columns.scopes, seen)

    def masks(self, position: int, *, size: int, scope: str | None = EVERYBODY) -> Masks:
        """
        Return which of *size* rows a reader in *scope* (None reads all) finds at *position*.

        The same version gives the very same masks for a while, so that what was worked out for them is used again.
        """
        asked = (min(position, self._changed_at), scope)
        if asked not in self._masks:
            self._masks[asked] = self._masks_of(self._alive(position, scope), size)
            if len(self._masks) > VERSIONS_KEPT:
                self._masks.popitem(last=False)
        return self._masks[asked]

    def everywhere(self, *, size: int) -> Mask:
        """Return which of *size* rows are found in some scope at the end of the branch."""
        return self._masks_of(self._alive(FOREVER - 1, None), size).found

    def _masks_of(self, alive: npt.NDArray[np.bool_], size: int) -> Masks:
        columns = self._arrays()
        clean, marked = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
        clean[columns.rows[alive & ~columns.tainted]] = True
        marked[columns.rows[alive & columns.tainted]] = True
        return Masks(clean=clean, tainted=marked, found=clean | marked if marked.any() else clean)

    def fixed_words(self, position: int, *, scope: str | None = EVERYBODY) -> frozenset[str]:
        """
        Return the words of every pattern that a reader in *scope* (None reads all) finds at *position*.

        All other words of a question are names.
        """
        if position < self._changed_at:
            return self._words_at(position, scope)
        if scope not in self._words:
            scopes = self._living_patterns if scope is None else readable(scope)
            living = (self._living_patterns.get(one, ()) for one in scopes)
            self._words[scope] = _words_of({pattern for patterns in living for pattern in patterns})
        return self._words[scope]

    def _words_at(self, position: int, scope: str | None) -> frozenset[str]:
        """Return the fixed words of the past; those of the last few sets of patterns that were asked are kept."""
        sets = self._arrays().pattern_sets[self._alive(position, scope)]
        used = tuple(np.flatnonzero(np.bincount(sets, minlength=1)).tolist())
        if used not in self._words_of_sets:
            if len(self._words_of_sets) > VERSIONS_KEPT:
                self._words_of_sets.clear()
            known = list(self._pattern_sets)
            self._words_of_sets[used] = _words_of({pattern for number in used for pattern in known[number]})
        return self._words_of_sets[used]


def _words_of(patterns: Iterable[str]) -> frozenset[str]:
    return frozenset(word for pattern in patterns for word in _cached_words(pattern))


_cached_words = lru_cache(maxsize=65_536)(pattern_words)
