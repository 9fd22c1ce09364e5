"""
What finds procedures as plain values, and back: rows, words, lives and vectors.

Vectors are one block for each kind of text, as they lie in memory. Graphs are not here: they have files of their own
(``memp.index.cache``), which are worth something without this one and the other way round.
"""

from __future__ import annotations

from array import array
from collections import Counter

import msgspec
import numpy as np

from memp.embedding.base import Matrix, vector_from_bytes, vector_to_bytes
from memp.model import EventId, ProcedureId
from memp.retrieval.catalogue import Catalogue
from memp.retrieval.lexical import Lexicon
from memp.retrieval.lives import FOREVER, Lives
from memp.retrieval.space import MakeIndex, Space
from memp.snapshot.histories import Numbers


class TextsForm(msgspec.Struct):
    """
    The texts of one kind.

    Attributes:
        digests: Of each text, 32 bytes each, by slot.

        vectors: Where their block of little-endian float32 begins, one row a text, by slot.

        rows: Row of each entry.

        slots: Slot of each entry.
    """

    digests: memoryview
    vectors: int
    rows: Numbers
    slots: Numbers


class SpaceForm(msgspec.Struct):
    """A ``Space``; ``waiting`` are vectors that no text of a row has taken up."""

    dimension: int
    texts: dict[str, TextsForm]
    there: Numbers
    waiting: dict[bytes, bytes]


class LivesForm(msgspec.Struct):
    """A ``Lives``."""

    owners: list[ProcedureId]
    rows: Numbers
    starts: Numbers
    ends: Numbers
    tainted: Numbers
    pattern_sets: list[tuple[str, ...]]
    pattern_set_of: Numbers
    scopes: list[str]
    scope_of: Numbers
    living_patterns: dict[str, dict[str, int]]
    changed_at: int
    touched_until: int


class LexiconForm(msgspec.Struct):
    """A ``Lexicon``."""

    waiting: list[tuple[int, str]]
    rows: dict[str, Numbers]
    counts: dict[str, Numbers]
    lengths: Numbers


class CatalogueForm(msgspec.Struct):
    """A ``Catalogue``."""

    spaces: dict[str, SpaceForm]
    first: str | None
    switches: dict[str, list[tuple[int, str]]]
    told: dict[str, dict[int, list[tuple[str, int]]]]
    revisions: list[EventId]
    born: list[tuple[str, int]]
    procedures: list[ProcedureId]
    content_keys: list[str]
    patterns: list[tuple[str, ...]]
    scopes: list[str]
    scope_of: dict[ProcedureId, str]
    lexicon: LexiconForm
    lives: dict[str, LivesForm]
    changes: int


COVERED: dict[type, frozenset[str]] = {
    Catalogue: frozenset(
        "spaces _first _switches _told _revisions _born procedures content_keys _patterns _scopes _scope_of lexicon "
        "lives _changes".split()
    ),
    Space: frozenset("generation indexes _dimension _waiting _there _texts".split()),
    Lives: frozenset(
        "_owners _rows _starts _ends _tainted _pattern_sets _pattern_set_of _scope_numbers _scope_of _living_patterns "
        "_changed_at touched_until".split()
    ),
    Lexicon: frozenset("_waiting _rows _counts _lengths".split()),
}
"""What is kept of each class."""

WORKED_OUT: dict[type, frozenset[str]] = {
    Catalogue: frozenset("_make_index _lots _row_of".split()),
    Space: frozenset("_entries _selections".split()),
    Lives: frozenset("_patterns _scopes _open _columns _words _masks _words_of_sets touched admitted".split()),
    Lexicon: frozenset({"_statistics"}),
}
"""What each class gets from its owner or works out again; a test fails when a class has what is in neither list."""


def count_texts(space: Space) -> int:
    """Return how many distinct texts *space* has the vector of."""
    found = {text.hex() for text in space._waiting}
    return len(found.union(*(index.keys() for index in space.indexes.values())))


# -- to plain values ---------------------------------------------------------------------------------------------------


class Blocks:
    """
    Vectors, one block after the other.

    Attributes:
        pieces: The blocks.

        size: How many bytes they are together.
    """

    def __init__(self) -> None:
        self.pieces: list[memoryview] = []
        self.size = 0

    def add(self, vectors: Matrix) -> int:
        """Add a block, and return where it begins."""
        start = self.size
        self.pieces.append(np.ascontiguousarray(vectors, dtype="<f4").reshape(-1).view(np.uint8).data)
        self.size += vectors.nbytes
        return start


def pack_catalogue(catalogue: Catalogue, blocks: Blocks) -> CatalogueForm:
    """
    Return *catalogue* as plain values, and put its vectors to *blocks*; it is as it was afterwards.

    Args:
        catalogue: What is packed.

        blocks: Where vectors go.
    """
    return CatalogueForm(
        spaces={name: _pack_space(space, blocks) for name, space in catalogue.spaces.items()},
        first=catalogue._first,
        switches=catalogue._switches,
        told=catalogue._told,
        revisions=catalogue._revisions,
        born=catalogue._born,
        procedures=catalogue.procedures,
        content_keys=catalogue.content_keys,
        patterns=catalogue._patterns,
        scopes=catalogue._scopes,
        scope_of=catalogue._scope_of,
        lexicon=_pack_lexicon(catalogue.lexicon),
        lives={name: _pack_lives(lives) for name, lives in catalogue.lives.items()},
        changes=catalogue._changes,
    )


def _pack_space(space: Space, blocks: Blocks) -> SpaceForm:
    texts = {}
    for kind, index in space.indexes.items():
        rows, slots = space._texts[kind]
        texts[kind] = TextsForm(
            digests=memoryview(bytes.fromhex("".join(index.keys()))),
            vectors=blocks.add(index.run(0, len(index))),
            rows=Numbers.of(rows),
            slots=Numbers.of(slots),
        )
    waiting = {text: vector_to_bytes(vector, dimension=space._dimension) for text, vector in space._waiting.items()}
    return SpaceForm(dimension=space._dimension, texts=texts, there=Numbers.of(sorted(space._there)), waiting=waiting)


def _pack_lives(lives: Lives) -> LivesForm:
    return LivesForm(
        owners=lives._owners,
        rows=Numbers.of(lives._rows),
        starts=Numbers.of(lives._starts),
        ends=Numbers.of(lives._ends),
        tainted=Numbers.of(lives._tainted),
        pattern_sets=list(lives._pattern_sets),
        pattern_set_of=Numbers.of(lives._pattern_set_of),
        scopes=list(lives._scope_numbers),
        scope_of=Numbers.of(lives._scope_of),
        living_patterns={scope: dict(living) for scope, living in lives._living_patterns.items()},
        changed_at=lives._changed_at,
        touched_until=lives.touched_until,
    )


def _pack_lexicon(lexicon: Lexicon) -> LexiconForm:
    return LexiconForm(
        waiting=lexicon._waiting,
        rows={word: Numbers.of(rows) for word, rows in lexicon._rows.items()},
        counts={word: Numbers.of(counts) for word, counts in lexicon._counts.items()},
        lengths=Numbers.of(lexicon._lengths),
    )


# -- and back ----------------------------------------------------------------------------------------------------------


def unpack_catalogue(form: CatalogueForm, vectors: memoryview, make_index: MakeIndex) -> Catalogue:
    """
    Return the catalogue that *form* was made of; it keeps *form* and changes it.

    Args:
        form: Plain values.

        vectors: The blocks; they are kept, and must not change.

        make_index: Makes an empty index.
    """
    catalogue = Catalogue(make_index)
    catalogue.spaces = {name: _unpack_space(name, space, vectors, make_index) for name, space in form.spaces.items()}
    catalogue._first = form.first
    catalogue._switches = form.switches
    catalogue._told = form.told
    catalogue._revisions = form.revisions
    catalogue._born = form.born
    catalogue.procedures = form.procedures
    catalogue.content_keys = form.content_keys
    catalogue._patterns = form.patterns
    catalogue._scopes = form.scopes
    catalogue._scope_of = form.scope_of
    catalogue._row_of = {revision: row for row, revision in enumerate(form.revisions)}
    catalogue.lexicon = _unpack_lexicon(form.lexicon)
    catalogue.lives = {name: _unpack_lives(lives, catalogue) for name, lives in form.lives.items()}
    catalogue._changes = form.changes
    catalogue._tell_indexes()
    return catalogue


def _unpack_space(generation: str, form: SpaceForm, vectors: memoryview, make_index: MakeIndex) -> Space:
    space = Space(generation, make_index, form.dimension)
    for kind, texts in form.texts.items():
        digests = bytes(texts.digests).hex()
        keys = [digests[start : start + 64] for start in range(0, len(digests), 64)]
        if keys:
            block = np.frombuffer(vectors, dtype="<f4", count=len(keys) * form.dimension, offset=texts.vectors)
            block = block.astype(np.float32, copy=False).reshape(len(keys), form.dimension)
            space.indexes[kind].fill(keys, block)
        space._texts[kind] = (texts.rows.list(), texts.slots.list())
    space._there = set(form.there.list())
    space._waiting = {
        text: vector_from_bytes(vector, dimension=form.dimension) for text, vector in form.waiting.items()
    }
    return space


def _unpack_lives(form: LivesForm, catalogue: Catalogue) -> Lives:
    lives = Lives(catalogue._patterns, catalogue._scopes)
    lives._owners = form.owners
    lives._rows, lives._starts, lives._ends = form.rows.list(), form.starts.list(), form.ends.list()
    lives._tainted = list(map(bool, form.tainted.list()))
    lives._open = {owner: life for life, owner in enumerate(form.owners) if lives._ends[life] == FOREVER}
    lives._pattern_sets = {patterns: number for number, patterns in enumerate(form.pattern_sets)}
    lives._pattern_set_of = form.pattern_set_of.list()
    lives._scope_numbers = {scope: number for number, scope in enumerate(form.scopes)}
    lives._scope_of = form.scope_of.list()
    lives._living_patterns = {scope: Counter(living) for scope, living in form.living_patterns.items()}
    lives._changed_at = form.changed_at
    lives.touched_until = form.touched_until
    return lives


def _unpack_lexicon(form: LexiconForm) -> Lexicon:
    lexicon = Lexicon()
    lexicon._waiting = form.waiting
    lexicon._rows = {word: array("q", rows.list()) for word, rows in form.rows.items()}
    lexicon._counts = {word: array("q", counts.list()) for word, counts in form.counts.items()}
    lexicon._lengths = array("q", form.lengths.list())
    return lexicon
