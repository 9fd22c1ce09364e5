"""
One open store: the log, every version that was folded from it, and what finds procedures in it.

Every change goes the same way: capture embeddings, append, and only then apply what the log acknowledged, from the
bytes that it stored. What is in memory is therefore always what a reopened store would have. What to append is not
decided here; ``memp.memory`` asks ``memp.decide`` and hands over the answer.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from memp import codec, decide
from memp.decide import Decided, Ids
from memp.embedding import Embedder, HashedEmbedder, generation
from memp.embedding.base import Vector, embedded, vector_to_bytes
from memp.errors import InvalidInputError, StorageError
from memp.events import BranchForked, ContentPurged, ResourceRecorded, VectorRef
from memp.history.purge import PurgePlan
from memp.index.cache import IndexCache
from memp.log import MAIN, EventLog, Identity, MemoryLog, Pending, Staged, VectorKey
from memp.log.turn import Turn
from memp.masking import mask as mask_text
from memp.masking import mask_run
from memp.model import Trajectory, Version
from memp.record import Record
from memp.rendering import Renderer
from memp.retrieval.catalogue import WITH_CONTENT, Catalogue, search_texts, text_digest
from memp.retrieval.space import MakeIndex, Space
from memp.snapshot.keeping import Resumed, Snapshot, Snapshots
from memp.state import Branch, History, State

if TYPE_CHECKING:
    from memp.llm.base import Call, Model
    from memp.llm.client import Client

TEMPLATES = ("template", "prompt")
"""Kind and name under which the templates of prompts are on record."""

EMBED_TEXTS = 512
"""Texts that are embedded at a time: enough to be quick, few enough to report progress."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@attrs.frozen
class Embedded:
    """
    A request for embeddings.

    Attributes:
        call: The request, and what came of it.

        texts: The texts of which it embedded some, to tell whose they are; none of a question.
    """

    call: Call
    texts: tuple[str, ...]


class Store:
    """
    What all versions and branches of one open memory share.

    Args:
        log: The log.

        embedder: What makes texts comparable; None takes what the store was filled with, if memp ships that, and the
            lexical one for a store that is new. Without it everything works that embeds no text.

        make_index: Makes an empty index for vectors of a length.

        beside: The file beside which the graphs of a large index are kept from one day to the next; None keeps none.

        identity: Times, ids and salts.

        renderer: Templates for prompts, until others are on record.

        own_templates: Whether the caller named the templates, so that they take the place of those on record.

        read_only: Refuse every change.

        mask: Whether secrets are taken out of runs and questions.

        model: The language model that may be asked; None for none.

    Attributes:
        log: The log.

        history: Every version.

        catalogue: What finds procedures, in every version.

        ids: Where ids come from.

        identity: Times, ids and salts.

        lock: Held while anything of these is read or changed. Whoever leaves it waits until what was appended is
            durable.

        read_only: Whether every change is refused.

        model: The language model that may be asked; None for none.

        client: The open connection to it; None before the first question.

        folded: How often everything was folded anew, after a failed commit or a purge.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        embedder: Embedder | None,
        make_index: MakeIndex,
        identity: Identity,
        renderer: Renderer,
        own_templates: bool,
        read_only: bool,
        mask: bool = True,
        model: Model | None = None,
        beside: Path | None = None,
    ) -> None:
        self.log = log
        self.history = History()
        self.catalogue = Catalogue(make_index)
        self.identity = identity
        self.ids = Ids(event=identity.event_id, random=identity.random_id)
        self.lock = Turn(pending=self._not_durable, failed=self._recover)
        self._staged: Staged | None = None
        self.folded = 0
        self._make_index = make_index
        self._beside = beside
        self._index_cache: IndexCache | None = None
        self._snapshots = None if beside is None else Snapshots(beside, log)
        self.read_only = read_only
        self._masks = mask
        self.model = model if model is None or mask else attrs.evolve(model, mask=False)
        self.client: Client | None = None
        self._embedder = embedder or HashedEmbedder()
        # What ships is at hand for old versions, whatever compares texts now.
        self._embedders = {generation(one): one for one in (HashedEmbedder(), self._embedder)}
        self._questions: dict[tuple[str, str], Vector] | None = None
        self._noting: list[Embedded] | None = None
        self._renderer = renderer
        self._renderers = {renderer.digest: renderer}
        self._replay()
        if embedder is not None:
            self._check_embedder(embedder)
        self._own_templates = own_templates

    def twin(self, state: State) -> Store:
        """Return an empty store that is kept nowhere, with the embedder, index and templates of the version *state*."""
        identity = Identity()
        return Store(
            MemoryLog(identity=identity),
            embedder=self.embedder(self.generation(state.branch, state.position)),
            make_index=self._make_index,
            identity=identity,
            renderer=self.renderer(state),
            own_templates=True,
            read_only=False,
            mask=self._masks,
        )

    def close(self) -> None:
        """Give back what is held, and keep finished graphs for the next time."""
        with self.lock:
            cache = self._cache()
            if cache is not None and not self.read_only:
                cache.save(self.present().indexes)
            self._snapshot_if_due()
            self.catalogue.close()
            self.log.close()
            if self.client is not None:
                self.client.close()
            self._staged = None

    @contextlib.contextmanager
    def asked_again(self) -> Iterator[None]:
        """While it lasts, expect the same questions of many versions: each is embedded and multiplied once."""
        with self.lock:
            self._questions = {}
            for index in self.catalogue.indexes():
                index.share(True)
        try:
            yield
        finally:
            with self.lock:
                self._questions = None
                for index in self.catalogue.indexes():
                    index.share(False)

    @contextlib.contextmanager
    def noting(self) -> Iterator[list[Embedded]]:
        """
        While it lasts, add to the list the requests that questions make of an endpoint; the caller holds the lock.

        Reading writes nothing, so what a question costs goes on record only with what is written because of it.
        """
        asked: list[Embedded] = []
        self._noting = asked
        try:
            yield asked
        finally:
            self._noting = None

    def embed(self, text: str, *, generation: str) -> Vector:
        """
        Return the vector of a question.

        Raises:
            InvalidInputError: The embedder of that generation is not at hand.
        """
        if self._questions is not None and (generation, text) in self._questions:
            return self._questions[generation, text]
        embedder, noting = self.embedder(generation), self._noting
        if noting is None:
            vector: Vector = embedder.embed([self.masked(text)])[0]
        else:
            vector = embedded(embedder, [self.masked(text)], lambda call: noting.append(Embedded(call, ())))[0]
        if self._questions is not None:
            self._questions[generation, text] = vector
        return vector

    # -- generations of vectors ----------------------------------------------------------------------------------

    def generation(self, branch: Branch, position: int | None = None) -> str:
        """Return the generation in which *branch* is asked at *position*; None is its end."""
        at = branch.position if position is None else position
        return self.catalogue.generation_at(branch, at) or generation(self._embedder)

    def _generation_of(self, decided: Sequence[Decided], branch: str) -> str:
        """Return the generation of what is said on *branch*, which the first of *decided* may be what makes."""
        known = self.history.branches.get(branch)
        if known is None:
            fork = next(one.event for one in decided if isinstance(one.event, BranchForked))
            return self.generation(self.history.branches[fork.parent], fork.position)
        return self.generation(known)

    def embedder(self, generation: str) -> Embedder:
        """
        Return what makes vectors of *generation*.

        Raises:
            InvalidInputError: It is not at hand.
        """
        found = self._embedders.get(generation)
        if found is None:
            raise InvalidInputError(
                f"Texts are compared by {generation!r} here, and that embedder is not at hand. Open the memory with "
                "it, or change to another one for good with 'memp reembed'."
            )
        return found

    def take_embedder(self, embedder: Embedder) -> None:
        """Have *embedder* at hand from now on."""
        self._embedders[generation(embedder)] = embedder

    def space(self, state: State) -> Space:
        """Return the vectors in which the version *state* is asked."""
        return self._space(self.generation(state.branch, state.position))

    def _space(self, generation: str) -> Space:
        found = self.catalogue.spaces.get(generation)
        if found is not None:
            return found
        return self.catalogue.space(generation, dimension=self.embedder(generation).dimension)

    def present(self) -> Space:
        """Return the vectors in which the end of ``main`` is asked."""
        return self._space(self.generation(self.history.branches[MAIN]))

    def _check_embedder(self, embedder: Embedder) -> None:
        """Refuse an embedder that no text of a store that has some was ever embedded by."""
        given, known = generation(embedder), self.catalogue.spaces
        present = self.catalogue.generation_at(self.history.branches[MAIN], self.history.branches[MAIN].position)
        if present is not None and given != present and given not in known:
            raise InvalidInputError(
                f"The store was filled with the embedder {present!r} and is open with {given!r}. Open it with the one "
                "that filled it, or without any and change it for good: memory.reembed(embedder) or 'memp reembed'."
            )

    def masked(self, text: str) -> str:
        """Return *text* without secrets; as it is where they are not masked."""
        return mask_text(text) if self._masks else text

    def masked_run(self, run: Trajectory) -> Trajectory:
        """Return *run* without secrets; as it is where they are not masked."""
        return mask_run(run) if self._masks else run

    # -- how every change goes -----------------------------------------------------------------------------------

    def append(
        self,
        decided: Sequence[Decided],
        *,
        actor: str,
        branch: str = MAIN,
        key: str | None = None,
        vectors: Mapping[VectorKey, bytes] | None = None,
        progress: Progress | None = None,
        asked: list[Embedded] | None = None,
    ) -> tuple[Record, ...]:
        """
        Append *decided* as one operation and return its records; nothing to append appends nothing.

        The records are durable once the lock is left, and nobody is told of them before. What embedders asked of an
        endpoint for it is added to *asked*, also if this raises.

        Raises:
            InvalidInputError: The store is open for reading only.

            EmbeddingError: A text could not be embedded; nothing is there.

            ConflictError: Another writer was first.

            StorageError: The disk did not take it; nothing of it is there.
        """
        if self.read_only:
            raise InvalidInputError("This memory is open for reading only. Open it without read_only to change it.")
        if not decided:
            return ()
        with self.lock:
            if self.log.failed:
                self._forget_staged()
                self.log.recover()
            self._record_templates(actor=actor)
            captured, fresh = self._capture(decided, branch, progress, asked)
            vectors = {**fresh, **(vectors or {})}
            pending = self._pending(captured, branch=branch, key=key)
            staged = self.log.stage(pending, actor=actor, branch=branch, vectors=vectors)
            # Only now: a vector that the log did not take must not count as captured.
            self._load(vectors)
            self._follow_staged(staged)
        return staged.records

    @contextlib.contextmanager
    def settled(self) -> Iterator[None]:
        """
        Hold the lock while nothing is staged: what is read then is durable, and nobody changes it meanwhile.

        Raises:
            StorageError: What was staged before is not durable.
        """
        with self.lock:
            if (wait := self._not_durable()) is not None:
                wait()
            yield

    def purge(self, plan: PurgePlan, reason: str, *, actor: str) -> Record:
        """
        Remove content for good and fold anew what is left; the caller holds the lock while nothing is staged.

        Raises:
            InvalidInputError: The store is open for reading only.

            StorageError: The disk did not take it.
        """
        if self.read_only:
            raise InvalidInputError("This memory is open for reading only. Open it without read_only to change it.")
        event = ContentPurged(positions=plan.positions, reason=reason)
        [pending] = self._pending([decide.single(event, self.ids)], branch=MAIN, key=None)
        record = self.log.purge(plan.positions, texts=plan.texts, pending=pending, actor=actor)
        self._forget_staged()
        return record

    def _follow_staged(self, staged: Staged) -> None:
        for record in staged.records:
            self._follow(record)
        self._staged = staged

    def _not_durable(self) -> Callable[[], object] | None:
        """Return what waits for the last that was staged; None if it is durable."""
        if self._staged is not None and self.log.head.position >= self._staged.records[-1].position:
            self._staged = None
        return self._staged.wait if self._staged is not None else None

    def _recover(self) -> None:
        """After a failed commit, go back to what is durable; if the disk is still full, the next append tries again."""
        with self.lock:
            if self.log.failed:
                self._forget_staged()
                with contextlib.suppress(StorageError):
                    self.log.recover()

    def _forget_staged(self) -> None:
        """
        Fold anew what is durable, or what a purge left.

        The versions that users hold keep their branches, so these get the new content and stay the same objects.
        """
        self._staged = None
        self.folded += 1
        history, catalogue = self.history, self.catalogue
        catalogue.close()
        self.history = History()
        self.catalogue = Catalogue(self._make_index)
        self._replay()
        for name, branch in history.branches.items():
            if name in self.history.branches:
                vars(branch).update(vars(self.history.branches[name]))
                vars(catalogue.lives[name]).update(vars(self.catalogue.lives[name]))
                self.history.branches[name], self.catalogue.lives[name] = branch, catalogue.lives[name]
        for branch in self.history.branches.values():
            if branch.parent is not None:
                branch.parent = self.history.branches[branch.parent.name]
        vars(history).update(vars(self.history))
        vars(catalogue).update(vars(self.catalogue))
        self.history, self.catalogue = history, catalogue

    def _replay(self) -> None:
        with _no_garbage_collection():
            if not self._resume():
                for name in self.log.embedders():
                    self.catalogue.load(name, self.log.vectors(name))
                for record in self.log.read():
                    self._follow(record)
        cache = self._cache()
        if cache is not None:
            cache.load(self.present().indexes)

    def _resume(self) -> bool:
        """Take up the newest good snapshot and fold what came since; return False, with nothing folded, without one."""
        resumed = None if self._snapshots is None else self._snapshots.newest(self._make_index)
        if self._snapshots is None or resumed is None:
            return False
        self.history, self.catalogue = resumed.history, resumed.catalogue
        self._load_since(resumed)
        for record in self.log.read(after=resumed.position):
            if record.type == ContentPurged.TYPE:
                # Somebody put a snapshot back that still holds what was purged.
                self.catalogue.close()
                self.history, self.catalogue = History(), Catalogue(self._make_index)
                self._snapshots.outlived(remove=not self.read_only)
                return False
            self._follow(record)
        return True

    def _load_since(self, resumed: Resumed) -> None:
        """Take up the embeddings that were captured since a snapshot was made."""
        before = sum(resumed.vectors.values())
        for name, count in self.log.vector_counts().items():
            space = self.catalogue.spaces.get(name)
            known = resumed.vectors.get(name, 0)
            found = [*self.log.vectors(name, after=before)]
            new = [one for one in found if space is None or space.vector(one[0]) is None]
            if known + len(new) != count:
                # An import may have put them in another order.
                new = [one for one in self.log.vectors(name) if space is None or space.vector(one[0]) is None]
            self.catalogue.load(name, new)

    def snapshot(self) -> Snapshot:
        """
        Keep all that is folded beside the store; the caller holds the lock while nothing is staged.

        Raises:
            InvalidInputError: The store is open for reading only, or is in no file.

            StorageError: The disk did not take it; an older snapshot is still there.
        """
        if self.read_only:
            raise InvalidInputError("This memory is open for reading only. Open it without read_only to change it.")
        if self._snapshots is None:
            raise InvalidInputError("A memory that is in no file has no place for a snapshot. Open one on disk.")
        return self._snapshots.save(self.history, self.catalogue)

    def _snapshot_if_due(self) -> None:
        """Before the store is closed, keep what is folded if opening it again would fold much."""
        if self._snapshots is None or self.read_only or self.log.failed:
            return
        if self.history.position != self.log.head.position or not self._snapshots.is_due():
            return
        try:
            self._snapshots.save(self.history, self.catalogue)
        except StorageError as error:
            warnings.warn(f"{error} The next opening takes longer.", RuntimeWarning, stacklevel=4)

    def _cache(self) -> IndexCache | None:
        """Return where the graphs of the present generation are kept; None if they are not, or there are none yet."""
        name = self.catalogue.generation_at(self.history.branches[MAIN], self.history.branches[MAIN].position)
        if self._beside is None or name not in self.catalogue.spaces:
            return None
        if self._index_cache is None or self._index_cache.embedder != name:
            self._index_cache = IndexCache(self._beside, log_id=self.log.log_id, embedder=name)
        return self._index_cache

    def _load(self, vectors: Mapping[VectorKey, bytes]) -> None:
        for name in {vector_key.embedder for vector_key in vectors}:
            found = ((key.text, vector) for key, vector in vectors.items() if key.embedder == name)
            self.catalogue.load(name, found)

    def _follow(self, record: Record) -> None:
        applied = self.history.apply(record)
        self.catalogue.follow(self.history.branches[record.branch], applied)

    def _pending(self, decided: Sequence[Decided], *, branch: str, key: str | None) -> list[Pending]:
        known = self.history.branches.get(branch)
        versions = {} if known is None else known.versions
        seen: dict[str, int] = {}
        pending = []
        for number, one in enumerate(decided):
            stream = one.event.stream
            ahead = seen.get(stream, 0)
            seen[stream] = ahead + 1
            pending.append(
                Pending(
                    event_id=one.event_id,
                    stream=stream,
                    type=one.event.TYPE,
                    schema=one.event.VERSION,
                    body=codec.encode(one.event),
                    expected_version=Version(versions.get(stream, 0) + ahead),
                    cause=one.cause,
                    key=key if number == 0 or key is None else f"{key}/{number}",
                    derived_from=one.derived_from,
                    read=one.read,
                )
            )
        return pending

    # -- embeddings ----------------------------------------------------------------------------------------------

    def _capture(
        self, decided: Sequence[Decided], branch: str, progress: Progress | None, asked: list[Embedded] | None
    ) -> tuple[list[Decided], dict[VectorKey, bytes]]:
        """Return *decided* with the vectors named that find their contents, and those that are not stored yet."""
        texts = {
            text: text_digest(text)
            for one in decided
            if isinstance(one.event, WITH_CONTENT)
            for _, text in search_texts(one.event.content)
        }
        if not texts:
            return list(decided), {}
        generation = self._generation_of(decided, branch)
        stored, missing = self.vectors_of(texts, generation, progress, asked)
        digests = {text: hashlib.sha256(vector).hexdigest() for text, vector in stored.items()}
        vectors = {VectorKey(generation, texts[text]): stored[text] for text in missing}
        return [_with_vectors(one, generation, digests) for one in decided], vectors

    def vectors_of(
        self,
        texts: Mapping[str, bytes],
        generation: str,
        progress: Progress | None,
        asked: list[Embedded] | None = None,
    ) -> tuple[dict[str, bytes], list[str]]:
        """
        Return the stored bytes of the vectors of *texts*, and those of the texts that were embedded for it.

        Args:
            texts: The texts, with their digests.

            generation: Of which generation.

            progress: Called as work goes on.

            asked: Where requests to an endpoint are added, failed ones too; None forgets them.
        """
        space = self.catalogue.spaces.get(generation)
        known = {text: None if space is None else space.vector(digest) for text, digest in texts.items()}
        missing = [text for text, vector in known.items() if vector is None]
        embedder = self.embedder(generation)
        for start in range(0, len(missing), EMBED_TEXTS):
            chunk = missing[start : start + EMBED_TEXTS]
            calls: list[Call] = []
            try:
                # Texts of runs are masked by now; what somebody wrote is, too, before it goes to a model.
                found = embedded(embedder, [self.masked(text) for text in chunk], calls.append)
            finally:
                if asked is not None:
                    asked += (Embedded(call, tuple(chunk)) for call in calls)
            known.update(zip(chunk, found, strict=True))
            if progress is not None:
                progress("embedding", start + len(chunk), len(missing))
        dimension = embedder.dimension
        stored = {t: vector_to_bytes(vector, dimension=dimension) for t, vector in known.items() if vector is not None}
        return stored, missing

    # -- templates -----------------------------------------------------------------------------------------------

    def renderer(self, state: State, *, actor: str | None = None) -> Renderer:
        """
        Return what renders prompts for *state*: the templates that were on record there.

        What was used first is used ever after, so that editing a file changes no answer; only a folder that the caller
        named takes their place, by a new event.

        Args:
            state: The version that is asked.

            actor: Who asks about the present; templates that are new go on record under that name. None asks about
                the past, which nothing can change any more.
        """
        if actor is not None and not self.read_only:
            with self.lock:
                self._record_templates(actor=actor)
        recorded = state.resource(*TEMPLATES)
        if recorded is None or (self._own_templates and self.read_only):
            return self._renderer
        if recorded.digest not in self._renderers:
            self._renderers[recorded.digest] = Renderer.from_text(recorded.text)
        return self._renderers[recorded.digest]

    def _record_templates(self, *, actor: str) -> None:
        there = self.history.branches[MAIN].resources.get(TEMPLATES)
        recorded = None if there is None else there.last()
        if recorded is not None and (not self._own_templates or recorded.digest == self._renderer.digest):
            return
        kind, name = TEMPLATES
        event = ResourceRecorded(kind=kind, name=name, digest=self._renderer.digest, text=self._renderer.text)
        pending = self._pending([decide.single(event, self.ids)], branch=MAIN, key=None)
        self._follow_staged(self.log.stage(pending, actor=actor))


def _with_vectors(decided: Decided, generation: str, digests: Mapping[str, str]) -> Decided:
    """Return *decided* with the vectors named that find its content."""
    event = decided.event
    if not isinstance(event, WITH_CONTENT):
        return decided
    refs = tuple(
        VectorRef(kind=kind, text=text, embedder=generation, digest=digests[text])
        for kind, text in search_texts(event.content)
    )
    return attrs.evolve(decided, event=attrs.evolve(event, vectors=refs))


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep the collector out of a replay: it makes many objects and no garbage, and takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
