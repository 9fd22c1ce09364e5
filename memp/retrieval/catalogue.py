"""
What can be found, in which version of the memory, by which texts.

A *row* is one revision. Each has *lives*: half-open intervals of positions in which it was the active revision of a
procedure that is retrieved; an undo and its undo give a revision several. One matrix of vectors and a mask over lives
therefore serve every version, and asking an old one rebuilds nothing. The alternative, an index for each version that
somebody asks for, costs a replay per question.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from memp.embedding.base import vector_from_bytes, vector_to_bytes
from memp.errors import CorruptStoreError, InvalidInputError
from memp.events import VectorRef
from memp.index.base import Mask, VectorIndex
from memp.model import Content, EventId, Position, ProcedureId, ProcedureStatus
from memp.projection import State
from memp.retrieval.patterns import normal_pattern, pattern_words
from memp.retrieval.ranking import Entries

TASK = "task"
"""Kind of a text: a task in words."""

PATTERN = "pattern"
"""Kind of a text: a task pattern, its slots masked."""

FOREVER = np.iinfo(np.int64).max
"""End of a life that has not ended."""


def search_texts(content: Content) -> list[tuple[str, str]]:
    """Return (kind, text) of every text by which *content* is found: its task, and each pattern as it is compared."""
    task = content.run.task if content.run is not None else content.task
    patterns = dict.fromkeys(normal_pattern(pattern) for pattern in content.patterns or (content.task,))
    return [(TASK, task), *((PATTERN, pattern) for pattern in patterns)]


def text_digest(text: str) -> bytes:
    """Return the SHA-256 of *text* in UTF-8, 32 bytes: the name of its vector."""
    return hashlib.sha256(text.encode()).digest()


class Catalogue:
    """
    Rows, their texts and their lives.

    Args:
        index: Where the vectors lie; empty.

        generation: Name and version of the embedder that the vectors come from.
    """

    def __init__(self, index: VectorIndex, *, generation: str) -> None:
        self.index = index
        self.generation = generation
        self.procedures: list[ProcedureId] = []
        self.content_keys: list[str] = []
        self._row_of: dict[EventId, int] = {}
        self._living: dict[ProcedureId, int] = {}
        self._lives: list[tuple[int, int, int]] = []
        self._life_of: dict[int, int] = {}
        self._texts: dict[str, tuple[list[int], list[int]]] = {TASK: ([], []), PATTERN: ([], [])}
        self._patterns: list[tuple[str, ...]] = []
        self._entries: dict[str, Entries] = {}
        self._arrays: tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], ...] | None = None
        self._living_patterns: Counter[str] = Counter()
        self._changed_at = Position(0)
        self._words: frozenset[str] | None = None

    def load(self, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """
        Take up captured embeddings.

        Args:
            vectors: (digest of the text, little-endian float32 bytes).

        Raises:
            InvalidInputError: A vector has another length or is no vector.
        """
        keys, rows = [], []
        for text, vector in vectors:
            keys.append(text.hex())
            rows.append(vector_from_bytes(vector, dimension=self.index.dimension))
        if keys:
            self.index.add(keys, np.stack(rows))

    def vector(self, text: bytes) -> bytes:
        """Return the little-endian float32 bytes of the embedding of the text with the digest *text*, which is here."""
        slot = self.index.slot(text.hex())
        assert slot is not None
        return vector_to_bytes(self.index.vectors(np.array([slot]))[0], dimension=self.index.dimension)

    def follow(self, state: State, changed: Iterable[ProcedureId]) -> None:
        """
        Open and close the lives that changed at the position that *state* has reached.

        Raises:
            CorruptStoreError: The vector of a text was never stored.
        """
        for procedure_id in sorted(changed):
            procedure = state.procedures.get(procedure_id)
            live = procedure is not None and procedure.status is ProcedureStatus.LIVE
            row = self._living.get(procedure_id)
            if procedure is None or not live:
                if row is not None:
                    self._end(procedure_id, row, state.position)
                continue
            active = self._row_of.get(procedure.active)
            if active is not None and active == row:
                continue
            if row is not None:
                self._end(procedure_id, row, state.position)
            if active is None:
                active = self._add_row(procedure_id, procedure.active, procedure.content_key)
                self._add_texts(active, state.revision_vectors(procedure))
            self._begin(procedure_id, active, state.position)

    def _add_row(self, procedure_id: ProcedureId, revision: EventId, content_key: str) -> int:
        row = len(self.procedures)
        self.procedures.append(procedure_id)
        self.content_keys.append(content_key)
        self._row_of[revision] = row
        return row

    def _add_texts(self, row: int, refs: Iterable[VectorRef]) -> None:
        patterns = []
        for ref in refs:
            if ref.embedder != self.generation:
                raise InvalidInputError(
                    f"The store was filled with the embedder {ref.embedder!r} and is open with {self.generation!r}. "
                    "Open it with the embedder that filled it."
                )
            slot = self.index.slot(text_digest(ref.text).hex())
            if slot is None:
                raise CorruptStoreError(
                    f"The embedding of {ref.text!r} is not in the store. 'memp verify' names what is missing."
                )
            rows, slots = self._texts[ref.kind]
            rows.append(row)
            slots.append(slot)
            if ref.kind == PATTERN:
                patterns.append(ref.text)
        self._patterns.append(tuple(patterns))
        self._entries.clear()

    def _begin(self, procedure_id: ProcedureId, row: int, position: Position) -> None:
        self._living[procedure_id] = row
        self._life_of[row] = len(self._lives)
        self._lives.append((row, position, FOREVER))
        self._moved(row, position, by=1)

    def _end(self, procedure_id: ProcedureId, row: int, position: Position) -> None:
        del self._living[procedure_id]
        life = self._life_of.pop(row)
        self._lives[life] = (row, self._lives[life][1], position)
        self._moved(row, position, by=-1)

    def _moved(self, row: int, position: Position, *, by: int) -> None:
        self._arrays = None
        self._changed_at = position
        before = len(self._living_patterns)
        for pattern in self._patterns[row]:
            self._living_patterns[pattern] += by
            if not self._living_patterns[pattern]:
                del self._living_patterns[pattern]
        if before != len(self._living_patterns):
            self._words = None

    def entries(self, kind: str) -> Entries:
        """Return which row has which text of *kind*."""
        if kind not in self._entries:
            rows, slots = self._texts[kind]
            self._entries[kind] = Entries(rows=np.array(rows, dtype=np.int64), slots=np.array(slots, dtype=np.int64))
        return self._entries[kind]

    def live(self, position: Position) -> Mask:
        """Return which rows are found at *position*, shape ``(rows,)``."""
        if self._arrays is None:
            lives = np.array(self._lives, dtype=np.int64).reshape(-1, 3)
            self._arrays = (lives[:, 0], lives[:, 1], lives[:, 2])
        rows, starts, ends = self._arrays
        mask = np.zeros(len(self.procedures), dtype=np.bool_)
        mask[rows[(starts <= position) & (position < ends)]] = True
        return mask

    def fixed_words(self, position: Position) -> frozenset[str]:
        """Return the words of every pattern that is found at *position*: all others in a question are names."""
        if position < self._changed_at:
            rows = np.flatnonzero(self.live(position)).tolist()
            return _words_of({pattern for row in rows for pattern in self._patterns[row]})
        if self._words is None:
            self._words = _words_of(self._living_patterns)
        return self._words


def _words_of(patterns: Iterable[str]) -> frozenset[str]:
    return frozenset(word for pattern in patterns for word in _cached_words(pattern))


_cached_words = lru_cache(maxsize=65_536)(pattern_words)
