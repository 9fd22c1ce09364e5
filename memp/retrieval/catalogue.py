"""
What can be found, by which texts, in which version of the memory.

A *row* is one revision, active or not. One matrix of vectors holds the texts of all rows, and a mask says which rows a
version of the memory finds (``memp.retrieval.lives``). The alternative, an index for each version that somebody asks
for, costs a replay per question.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from memp.embedding.base import Matrix, Vector, vector_from_bytes
from memp.errors import CorruptStoreError, InvalidInputError
from memp.events import (
    BranchForked,
    ProcedureAdded,
    ProcedureGeneralised,
    ProcedureMerged,
    ProcedureReflected,
    VectorRef,
)
from memp.index.base import Mask, VectorIndex
from memp.index.exact import ExactIndex
from memp.log.base import MAIN
from memp.model import Content, EventId, Procedure, ProcedureId, ProcedureStatus
from memp.retrieval.facts import facts_in
from memp.retrieval.lexical import Lexicon
from memp.retrieval.lives import Lives
from memp.retrieval.patterns import normal_pattern
from memp.retrieval.ranking import Entries, Lots, Selection, lot_of
from memp.scopes import EVERYBODY
from memp.state import Applied, Branch

TASK = "task"
"""Kind of a text: a task in words."""

PATTERN = "pattern"
"""Kind of a text: a task pattern, its slots masked."""

FACT = "fact"
"""Kind of a text: one of the short pieces that a procedure is told by."""

KINDS = (TASK, PATTERN, FACT)
"""The kinds of text, each with an index of its own."""

KEPT_SELECTIONS = 4
"""Masks of each kind whose selections are kept: the present of a scope or two, and what is compared with it."""

CHANGES_MIN = 1_000
"""Changes of what is retrieved after which indexes are told what is left: fewer are not worth building anew for."""

WITH_CONTENT = (ProcedureAdded, ProcedureGeneralised, ProcedureReflected, ProcedureMerged)
"""Events that make a revision."""


def search_texts(content: Content) -> list[tuple[str, str]]:
    """Return (kind, text) of every text by which *content* is found: task, patterns as they are compared, and facts."""
    task = content.run.task if content.run is not None else content.task
    patterns = dict.fromkeys(normal_pattern(pattern) for pattern in content.patterns or (content.task,))
    facts = dict.fromkeys((*content.facts, *facts_in(task)))
    return [(TASK, task), *((PATTERN, pattern) for pattern in patterns), *((FACT, fact) for fact in facts)]


def text_digest(text: str) -> bytes:
    """Return the SHA-256 of *text* in UTF-8, 32 bytes: the name of its vector."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class Catalogue:
    """
    Rows, their texts, and their lives on every branch.

    Each kind of text has an index of its own: a question about one kind never pays for the other.

    Args:
        make_index: Makes an empty index.

        generation: Name and version of the embedder that the vectors come from.

    Attributes:
        indexes: The vectors, by kind of text.

        procedures: The procedure of each row.

        content_keys: What each row is, by content.

        lexicon: The words of each row's task.

        lives: The lives of rows, by branch.
    """

    def __init__(self, make_index: Callable[[], VectorIndex], *, generation: str) -> None:
        self.indexes: dict[str, VectorIndex] = {TASK: make_index(), PATTERN: make_index()}
        # Facts are averaged over all of them, so a graph that finds the nearest few would never be asked.
        self.indexes[FACT] = ExactIndex(self.indexes[TASK].dimension)
        self._waiting: dict[bytes, Vector] = {}
        self.generation = generation
        self.procedures: list[ProcedureId] = []
        self.content_keys: list[str] = []
        self._lots: Lots = np.empty(0, dtype=np.uint64)
        self._patterns: list[tuple[str, ...]] = []
        self._scopes: list[str] = []
        self._scope_of: dict[ProcedureId, str] = {}
        self.lexicon = Lexicon()
        self.lives: dict[str, Lives] = {MAIN: Lives(self._patterns, self._scopes)}
        self._row_of: dict[EventId, int] = {}
        self._texts: dict[str, tuple[list[int], list[int]]] = {kind: ([], []) for kind in KINDS}
        self._entries: dict[str, Entries] = {}
        self._selections: dict[str, list[Selection]] = {kind: [] for kind in KINDS}
        self._changes = 0

    def __len__(self) -> int:
        return len(self.procedures)

    def load(self, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """
        Take up captured embeddings.

        Args:
            vectors: (digest of the text, little-endian float32 bytes).

        Raises:
            DimensionError: A vector has another length.

            InvalidInputError: It is no vector.
        """
        dimension = self.indexes[TASK].dimension
        for text, vector in vectors:
            self._waiting[text] = vector_from_bytes(vector, dimension=dimension)

    def close(self) -> None:
        """Stop what works behind searches."""
        for index in self.indexes.values():
            index.close()

    def vector(self, text: bytes) -> Vector | None:
        """Return the embedding of the text with the digest *text*; None if it is not here."""
        if text in self._waiting:
            return self._waiting[text]
        for index in self.indexes.values():
            slot = index.slot(text.hex())
            if slot is not None:
                found: Vector = index.vectors(np.array([slot]))[0]
                return found
        return None

    def follow(self, branch: Branch, applied: Applied) -> None:
        """
        Take up what a record changed on *branch*.

        Raises:
            InvalidInputError: The store was filled with another embedder.

            CorruptStoreError: The vector of a text was never stored.
        """
        event = applied.event
        if isinstance(event, BranchForked):
            self.lives[event.name] = self.lives[event.parent].fork(event.position)
        if isinstance(event, ProcedureAdded | ProcedureMerged):
            self._scope_of[event.procedure_id] = event.scope
        if isinstance(event, WITH_CONTENT):
            self._add_row(event.procedure_id, applied.event_id, event.content_key, event.vectors)
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
        self, procedure_id: ProcedureId, revision: EventId, content_key: str, refs: Iterable[VectorRef]
    ) -> None:
        row = len(self.procedures)
        patterns = []
        for ref in refs:
            if ref.embedder != self.generation:
                raise InvalidInputError(
                    f"The store was filled with the embedder {ref.embedder!r} and is open with {self.generation!r}. "
                    "Open it with the embedder that filled it."
                )
            rows, slots = self._texts[ref.kind]
            rows.append(row)
            slots.append(self._slot(ref))
            if ref.kind == PATTERN:
                patterns.append(ref.text)
            elif ref.kind == TASK:
                self.lexicon.add(row, ref.text)
        self.procedures.append(procedure_id)
        self._scopes.append(self._scope_of.get(procedure_id, EVERYBODY))
        self.content_keys.append(content_key)
        self._patterns.append(tuple(patterns))
        self._row_of[revision] = row
        self._entries.clear()

    def _slot(self, ref: VectorRef) -> int:
        """Return the slot of the text in the index of its kind, where it is put if it is not there yet."""
        index, text = self.indexes[ref.kind], text_digest(ref.text)
        slot = index.slot(text.hex())
        if slot is not None:
            return slot
        vector = self.vector(text)
        if vector is None:
            raise CorruptStoreError(
                f"The embedding of {ref.text!r} is not in the store. 'memp verify' names what is missing."
            )
        self._waiting.pop(text, None)
        return int(index.add([text.hex()], vector[np.newaxis, :])[0])

    def _tell_indexes(self) -> None:
        """Tell each index which texts the present of some branch still finds."""
        for kind, found in self.findable().items():
            self.indexes[kind].keep(found)

    def findable(self) -> dict[str, Mask]:
        """Return, by kind, which texts the present of some branch finds, by slot."""
        alive = np.zeros(len(self), dtype=np.bool_)
        for lives in self.lives.values():
            alive |= lives.everywhere(size=len(self))
        masks = {}
        for kind, index in self.indexes.items():
            found = np.zeros(len(index), dtype=np.bool_)
            found[self.entries(kind).within(alive).slots] = True
            masks[kind] = found
        return masks

    def selection(self, kind: str, live: Mask) -> Selection:
        """Return the entries of *kind* of the *live* rows; those of the masks that were asked for last are kept."""
        kept = self._selections[kind]
        for place, selection in enumerate(kept):
            if selection.live is live:
                kept.insert(0, kept.pop(place))
                return selection
        kept.insert(0, Selection(self.entries(kind).within(live), live=live))
        del kept[KEPT_SELECTIONS:]
        return kept[0]

    def lots(self) -> Lots:
        """Return the lot of each row; those of new rows are drawn when somebody asks."""
        if len(self._lots) < len(self):
            new = [lot_of(key) for key in self.content_keys[len(self._lots) :]]
            self._lots = np.concatenate((self._lots, np.array(new, dtype=np.uint64)))
        return self._lots

    def vectors_of(self, kind: str, rows: Sequence[int]) -> Matrix:
        """Return the vector of the first text of *kind* of each of *rows*, shape ``(len(rows), dim)``."""
        entries = self.entries(kind)
        places = np.searchsorted(entries.rows, rows)
        found: Matrix = self.indexes[kind].vectors(entries.slots[places])
        return found

    def entries(self, kind: str) -> Entries:
        """Return which row has which text of *kind*."""
        if kind not in self._entries:
            rows, slots = self._texts[kind]
            self._entries[kind] = Entries(rows=np.array(rows, dtype=np.int64), slots=np.array(slots, dtype=np.int64))
        return self._entries[kind]
