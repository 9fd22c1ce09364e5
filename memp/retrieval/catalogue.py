"""
What can be found, by which texts, in which version of the memory.

A *row* is one revision, active or not. One matrix of vectors holds the texts of all rows, and a mask says which rows a
version of the memory finds (``memp.retrieval.lives``). The alternative, an index for each version that somebody asks
for, costs a replay per question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from memp.errors import CorruptStoreError
from memp.events import (
    BranchForked,
    EmbedderSwitched,
    ProcedureAdded,
    ProcedureGeneralised,
    ProcedureMerged,
    ProcedureReflected,
    TextsEmbedded,
    VectorRef,
)
from memp.heads import ProcedureHead
from memp.index.base import Mask, VectorIndex
from memp.log.base import MAIN
from memp.model import Content, EventId, Procedure, ProcedureId, ProcedureStatus
from memp.retrieval.facts import facts_in
from memp.retrieval.lexical import Lexicon
from memp.retrieval.lives import Lives
from memp.retrieval.patterns import normal_pattern
from memp.retrieval.ranking import Lots, lot_of
from memp.retrieval.space import FACT, KINDS, PATTERN, TASK, MakeIndex, Space, text_digest
from memp.scopes import EVERYBODY
from memp.state import Applied, Branch

__all__ = [
    "FACT",
    "KINDS",
    "NAMING_VECTORS",
    "PATTERN",
    "TASK",
    "WITH_CONTENT",
    "Catalogue",
    "search_texts",
    "text_digest",
]

CHANGES_MIN = 1_000
"""Changes of what is retrieved after which indexes are told what is left: fewer are not worth building anew for."""

WITH_CONTENT = (ProcedureAdded, ProcedureGeneralised, ProcedureReflected, ProcedureMerged)
"""Events that make a revision."""

NAMING_VECTORS = (*WITH_CONTENT, TextsEmbedded)
"""Events that name captured embeddings."""


def search_texts(content: Content) -> list[tuple[str, str]]:
    """Return (kind, text) of every text by which *content* is found: task, patterns as they are compared, and facts."""
    task = content.run.task if content.run is not None else content.task
    patterns = dict.fromkeys(normal_pattern(pattern) for pattern in content.patterns or (content.task,))
    facts = dict.fromkeys((*content.facts, *facts_in(task)))
    return [(TASK, task), *((PATTERN, pattern) for pattern in patterns), *((FACT, fact) for fact in facts)]


class Catalogue:
    """
    Rows, their texts, and their lives on every branch.

    Args:
        make_index: Makes an empty index.

    Attributes:
        spaces: The vectors, by the generation that made them.

        procedures: The procedure of each row.

        content_keys: What each row is, by content.

        lexicon: The words of each row's task.

        lives: The lives of rows, by branch.
    """

    def __init__(self, make_index: MakeIndex) -> None:
        self.spaces: dict[str, Space] = {}
        self._make_index = make_index
        self._first: str | None = None
        self._switches: dict[str, list[tuple[int, str]]] = {}
        self._told: dict[str, dict[int, list[tuple[str, int]]]] = {}
        self._revisions: list[EventId] = []
        self._born: list[tuple[str, int]] = []
        self.procedures: list[ProcedureId] = []
        self.content_keys: list[str] = []
        self._lots: Lots = np.empty(0, dtype=np.uint64)
        self._patterns: list[tuple[str, ...]] = []
        self._scopes: list[str] = []
        self._scope_of: dict[ProcedureId, str] = {}
        self.lexicon = Lexicon()
        self.lives: dict[str, Lives] = {MAIN: Lives(self._patterns, self._scopes)}
        self._row_of: dict[EventId, int] = {}
        self._changes = 0

    def __len__(self) -> int:
        return len(self.procedures)

    def space(self, generation: str, *, dimension: int) -> Space:
        """Return the vectors of *generation*; there are none yet of one that is new."""
        found = self.spaces.get(generation)
        if found is None:
            found = self.spaces[generation] = Space(generation, self._make_index, dimension)
        return found

    def load(self, generation: str, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """
        Take up captured embeddings of *generation*.

        Args:
            generation: Name and version of their embedder.

            vectors: (digest of the text, little-endian float32 bytes).

        Raises:
            DimensionError: A vector has another length than the others.

            InvalidInputError: It is no vector.
        """
        waiting = iter(vectors)
        for text, vector in waiting:
            space = self.space(generation, dimension=len(vector) // 4)
            space.load(chain([(text, vector)], waiting))

    def generation_at(self, branch: Branch, position: int) -> str | None:
        """Return the generation that a version is asked in; None while nobody has said any text."""
        for line, until in branch.lineage(position):
            for switched_at, generation in reversed(self._switches.get(line.name, ())):
                if switched_at <= until:
                    return generation
        return self._first

    def untold(self, branch: Branch, generation: str) -> list[EventId]:
        """Return the revisions that *branch* sees at its end and whose vectors of *generation* nothing names there."""
        seen = {line.name: until for line, until in branch.lineage(branch.position)}
        told = self._told.get(generation, {})
        return [
            revision
            for row, revision in enumerate(self._revisions)
            if self._born[row][1] <= seen.get(self._born[row][0], 0)
            and not any(position <= seen.get(name, 0) for name, position in told.get(row, ()))
        ]

    def close(self) -> None:
        """Stop what works behind searches."""
        for space in self.spaces.values():
            space.close()

    def indexes(self) -> Iterator[VectorIndex]:
        """Yield every index there is."""
        for space in self.spaces.values():
            yield from space.indexes.values()

    def follow(self, branch: Branch, applied: Applied) -> None:
        """
        Take up what a record changed on *branch*.

        Raises:
            CorruptStoreError: The vector of a text was never stored.
        """
        event = applied.event
        if isinstance(event, BranchForked):
            self.lives[event.name] = self.lives[event.parent].fork(event.position)
        if isinstance(event, ProcedureHead | ProcedureAdded | ProcedureMerged):
            self._scope_of[event.procedure_id] = event.scope
        if isinstance(event, (ProcedureHead, *WITH_CONTENT)):
            self._add_row(event.procedure_id, applied.event_id, event.content_key, event.vectors)
            self._born.append((branch.name, branch.position))
            self._tell(len(self) - 1, event.vectors, branch)
        elif isinstance(event, TextsEmbedded) and event.revision in self._row_of:
            self._tell(self._row_of[event.revision], event.vectors, branch)
        elif isinstance(event, EmbedderSwitched):
            self._switches.setdefault(branch.name, []).append((branch.position, event.embedder))
        self.move(self.lives[branch.name], branch, applied.changed)
        self._changes += len(applied.changed)
        if self._changes >= max(CHANGES_MIN, len(self) // 4):
            self._changes = 0
            self._tell_indexes()

    def move(self, lives: Lives, branch: Branch, changed: Iterable[ProcedureId]) -> None:
        """Bring *lives* to what the *changed* procedures are at the end of *branch*."""
        for procedure_id in changed:
            procedure = branch.procedure(procedure_id, branch.position)
            row = None if procedure is None else self._row(procedure)
            tainted = procedure is not None and procedure.revision.tainted
            lives.set(procedure_id, row, branch.position, tainted=tainted)

    def _row(self, procedure: Procedure) -> int | None:
        """Return the row that finds *procedure*; None if it is not retrieved."""
        return self._row_of[procedure.active] if procedure.status is ProcedureStatus.LIVE else None

    def _add_row(
        self, procedure_id: ProcedureId, revision: EventId, content_key: str, refs: Sequence[VectorRef]
    ) -> None:
        row = len(self.procedures)
        for ref in refs:
            if ref.kind == TASK:
                self.lexicon.add(row, ref.text)
        self.procedures.append(procedure_id)
        self._scopes.append(self._scope_of.get(procedure_id, EVERYBODY))
        self.content_keys.append(content_key)
        self._patterns.append(tuple(ref.text for ref in refs if ref.kind == PATTERN))
        self._row_of[revision] = row
        self._revisions.append(revision)

    def _tell(self, row: int, refs: Sequence[VectorRef], branch: Branch) -> None:
        """Note that an event on *branch* names the vectors of *row*, all of one generation."""
        if not refs:
            return
        generation = refs[0].embedder
        if self._first is None:
            self._first = generation
        space = self.spaces.get(generation)
        if space is None:
            raise CorruptStoreError(
                f"No embedding of {generation!r} is in the store. 'memp verify' names what is missing."
            )
        space.add(row, refs)
        self._told.setdefault(generation, {}).setdefault(row, []).append((branch.name, branch.position))

    def _tell_indexes(self) -> None:
        """Tell each index which texts the present of some branch still finds."""
        for space in self.spaces.values():
            for kind, found in self.findable(space).items():
                space.indexes[kind].keep(found)

    def findable(self, space: Space) -> dict[str, Mask]:
        """Return, by kind, which texts of *space* the present of some branch finds, by slot."""
        alive = np.zeros(len(self), dtype=np.bool_)
        for lives in self.lives.values():
            alive |= lives.everywhere(size=len(self))
        return space.findable(alive)

    def lots(self) -> Lots:
        """Return the lot of each row; those of new rows are drawn when somebody asks."""
        if len(self._lots) < len(self):
            new = [lot_of(key) for key in self.content_keys[len(self._lots) :]]
            self._lots = np.concatenate((self._lots, np.array(new, dtype=np.uint64)))
        return self._lots
