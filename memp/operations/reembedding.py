"""
Changing what makes texts comparable, in a store that is in use.

A vector of one embedder says nothing to those of another, so all texts are embedded anew before a single answer
changes. That may take long and cost money; it goes on beside other work, a piece at a time, and what is done is
durable: whoever is killed in the middle goes on from there. Only when every revision that a branch sees has its new
vectors does an event switch that branch over. Versions before it keep the vectors that they were asked in.

To mark each vector with its position and mask by that was not taken: two generations in one index would compare what
cannot be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from memp import codec, decide
from memp.embedding import Embedder, generation
from memp.errors import CorruptStoreError, EmbeddingError, InvalidInputError
from memp.events import EmbedderSwitched, TextsEmbedded, VectorRef
from memp.log import MAIN, VectorKey
from memp.model import EventId, ProcedureId
from memp.operations.packs import Packs
from memp.retrieval.catalogue import WITH_CONTENT, search_texts, text_digest
from memp.state import Branch
from memp.store import Embedded, Progress

REVISIONS_AT_ONCE = 256
"""Revisions whose texts are embedded before what was done is written: some seconds' work of a model in numpy, which is
what a kill loses, and few enough events to be one quick commit."""


@attrs.frozen(kw_only=True)
class ReembedReport:
    """
    What a change of embedders did.

    Attributes:
        embedder: Name and version of the embedder that is asked from now on.

        previous: Those of the one before on ``main``; the same if nothing changed.

        revisions: How many revisions got new vectors, those counted twice that two branches told apart.

        texts: How many texts were embedded for them; the others were there from an attempt before.

        branches: The branches that were switched over; empty if all were before.
    """

    embedder: str
    previous: str
    revisions: int
    texts: int
    branches: tuple[str, ...]


@attrs.frozen(kw_only=True)
class _Untold:
    """A revision without vectors of the new generation, with the texts that find it."""

    event_id: EventId
    procedure_id: ProcedureId
    texts: tuple[tuple[str, str], ...]


class Reembedding(Packs):
    """Changing embedders."""

    def reembed(self, embedder: Embedder, *, reason: str = "", progress: Progress | None = None) -> ReembedReport:
        """
        Compare texts by another embedder from now on, on every branch.

        All texts are embedded first, and until that is done everything answers as before. Others may use the memory
        meanwhile. What was done stays if this is interrupted; calling it again goes on from there.

        Args:
            embedder: The new one.

            reason: One sentence for people.

            progress: Called as work goes on.

        Raises:
            EmbeddingError: The embedder failed; answers are as before.

            InvalidInputError: The memory is open for reading only.

            StorageError: The disk did not take it; answers are as before.
        """
        if self._store.read_only:
            raise InvalidInputError("This memory is open for reading only. Open it without read_only to change it.")
        name = generation(embedder)
        store = self._store
        with store.settled():
            main = store.history.branches[MAIN]
            previous = store.catalogue.generation_at(main, main.position) or name
        store.take_embedder(embedder)
        revisions = texts = 0
        switched: list[str] = []
        while (branch := self._next_branch(name)) is not None:
            while True:
                told, embedded, left = self._embed_some(branch, name)
                revisions, texts = revisions + told, texts + embedded
                if progress is not None:
                    progress("revisions embedded", revisions, revisions + left)
                if not left and self._switch(branch, name, reason):
                    switched.append(branch)
                    break
        return ReembedReport(
            embedder=name, previous=previous, revisions=revisions, texts=texts, branches=tuple(switched)
        )

    def _next_branch(self, name: str) -> str | None:
        """Return a branch that is asked in other vectors, the oldest first; None if there is none."""
        with self._store.settled():
            there = self._store.history.branches.values()
            others = (one.name for one in there if one.deleted is None and self._store.generation(one) != name)
            return next(others, None)

    def _embed_some(self, branch: str, name: str) -> tuple[int, int, int]:
        """Embed the texts of some revisions and write that; return of how many, how many texts, and what is left."""
        store = self._store
        with store.settled():
            untold = store.catalogue.untold(store.history.branches[branch], name)
            wanted = list(self._texts_of(untold[:REVISIONS_AT_ONCE]))
        if not wanted:
            return 0, 0, 0
        # Not under the lock: an endpoint may take minutes, and everybody else goes on meanwhile.
        asked: list[Embedded] = []
        try:
            vectors, missing = store.vectors_of(_digests(wanted), name, None, asked)
        except EmbeddingError:
            with store.settled():
                self._note_embedded(asked, (), branch=branch)
            raise
        with store.settled():
            # What was purged meanwhile must not come back.
            still = set(store.catalogue.untold(store.history.branches[branch], name))
            told = [one for one in wanted if one.event_id in still]
            decided = [decide.single(_embedded(one, name, vectors), store.ids) for one in told]
            store.append(
                decided,
                actor=self._actor,
                branch=branch,
                vectors={VectorKey(name, digest): vectors[text] for text, digest in _digests(told).items()},
            )
            self._note_embedded(asked, decided, branch=branch)
        return len(told), len(missing), len(still) - len(told)

    def _texts_of(self, revisions: Sequence[EventId]) -> Iterator[_Untold]:
        """Yield the texts of *revisions*, read from the log."""
        for event_id in revisions:
            position = self._store.history.placed[event_id].position
            [record] = self._store.log.read(after=position - 1, until=position)
            if record.body is None:
                continue
            event = codec.decode(record.type, record.schema, record.body, position=position)
            if not isinstance(event, WITH_CONTENT):
                raise CorruptStoreError(f"Position {position} makes no revision, and something says that it does.")
            yield _Untold(event_id=event_id, procedure_id=event.procedure_id, texts=tuple(search_texts(event.content)))

    def _switch(self, branch: str, name: str, reason: str) -> bool:
        """Switch *branch* over if nothing was learned there meanwhile; return whether that is done."""
        store = self._store
        with store.settled():
            there: Branch = store.history.branches[branch]
            if store.catalogue.untold(there, name):
                return False
            previous = store.catalogue.generation_at(there, there.position) or ""
            event = EmbedderSwitched(embedder=name, previous=previous, reason=reason)
            store.append([decide.single(event, store.ids)], actor=self._actor, branch=branch)
        return True


def _digests(wanted: Iterable[_Untold]) -> dict[str, bytes]:
    return {text: text_digest(text) for one in wanted for _, text in one.texts}


def _embedded(one: _Untold, name: str, vectors: Mapping[str, bytes]) -> TextsEmbedded:
    """Return the event that names the vectors of a revision."""
    refs = tuple(
        VectorRef(kind=kind, text=text, embedder=name, digest=hashlib.sha256(vectors[text]).hexdigest())
        for kind, text in one.texts
    )
    return TextsEmbedded(procedure_id=one.procedure_id, revision=one.event_id, vectors=refs)
