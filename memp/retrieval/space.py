"""
The vectors of one generation: what one embedder, in one version, made of the texts.

Vectors of two embedders have nothing to do with each other, and a version of the memory is asked with the one that was
in force there. So each generation has its own indexes, and what rows are, whose and how long they live is told once
for all of them, in ``memp.retrieval.catalogue``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from memp.embedding.base import Matrix, Vector, vector_from_bytes
from memp.errors import CorruptStoreError
from memp.events import VectorRef
from memp.index.base import Mask, VectorIndex
from memp.index.exact import ExactIndex
from memp.retrieval.ranking import Entries, Selection

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

MakeIndex = Callable[[int], VectorIndex]
"""Makes an empty index for vectors of that length."""


def text_digest(text: str) -> bytes:
    """Return the SHA-256 of *text* in UTF-8, 32 bytes: the name of its vector."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class Space:
    """
    Texts as vectors, and which row has which text.

    Args:
        generation: Name and version of the embedder.

        make_index: Makes an empty index.

        dimension: Length of a vector.

    Attributes:
        generation: Name and version of the embedder.

        indexes: The vectors, by kind of text.
    """

    def __init__(self, generation: str, make_index: MakeIndex, dimension: int) -> None:
        self.generation = generation
        # Facts are averaged over all of them, so a graph that finds the nearest few would never be asked.
        self.indexes: dict[str, VectorIndex] = {
            TASK: make_index(dimension), PATTERN: make_index(dimension), FACT: ExactIndex(dimension)
        }  # fmt: skip
        self._dimension = dimension
        self._waiting: dict[bytes, Vector] = {}
        self._there: set[int] = set()
        self._texts: dict[str, tuple[list[int], list[int]]] = {kind: ([], []) for kind in KINDS}
        self._entries: dict[str, Entries] = {}
        self._selections: dict[str, list[Selection]] = {kind: [] for kind in KINDS}

    def load(self, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """
        Take up captured embeddings.

        Args:
            vectors: (digest of the text, little-endian float32 bytes).

        Raises:
            DimensionError: A vector has another length.

            InvalidInputError: It is no vector.
        """
        for text, vector in vectors:
            self._waiting[text] = vector_from_bytes(vector, dimension=self._dimension)

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

    def add(self, row: int, refs: Iterable[VectorRef]) -> None:
        """
        Say which texts find *row*; said again it changes nothing.

        Raises:
            CorruptStoreError: The vector of a text was never stored.
        """
        if row in self._there:
            return
        self._there.add(row)
        for ref in refs:
            rows, slots = self._texts[ref.kind]
            rows.append(row)
            slots.append(self._slot(ref))
        self._entries.clear()

    def _slot(self, ref: VectorRef) -> int:
        """Return the slot of the text in the index of its kind, where it is put if it is not there yet."""
        index, text = self.indexes[ref.kind], text_digest(ref.text)
        slot = index.slot(text.hex())
        if slot is not None:
            self._waiting.pop(text, None)
            return slot
        vector = self.vector(text)
        if vector is None:
            raise CorruptStoreError(
                f"The embedding of {ref.text!r} is not in the store. 'memp verify' names what is missing."
            )
        self._waiting.pop(text, None)
        return int(index.add([text.hex()], vector[np.newaxis, :])[0])

    def findable(self, alive: Mask) -> dict[str, Mask]:
        """Return, by kind, the texts of the rows that are *alive*, by slot."""
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

    def vectors_of(self, kind: str, rows: Sequence[int]) -> Matrix:
        """Return the vector of the first text of *kind* of each of *rows*, shape ``(len(rows), dim)``."""
        entries = self.entries(kind)
        places = np.searchsorted(entries.rows, rows)
        found: Matrix = self.indexes[kind].vectors(entries.slots[places])
        return found

    def entries(self, kind: str) -> Entries:
        """Return which row has which text of *kind*, by row."""
        if kind not in self._entries:
            rows, slots = (np.array(part, dtype=np.int64) for part in self._texts[kind])
            # Rows of another branch may have been told later than those that came after them.
            order = np.argsort(rows, kind="stable")
            self._entries[kind] = Entries(rows=rows[order], slots=slots[order])
        return self._entries[kind]
