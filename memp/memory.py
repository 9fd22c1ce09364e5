"""
The memory that a user holds: it joins the pure core with the log, the index and the embedder.

Every change goes the same way: decide, capture embeddings, append, and only then apply what the log acknowledged, from
the bytes that it stored. What is in memory is therefore always what a reopened store would have.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from memp import codec, decide
from memp.build import builder_named
from memp.decide import Decided, Ids
from memp.embedding import Embedder, HashedEmbedder, generation
from memp.embedding.base import Vector, vector_to_bytes
from memp.errors import InvalidInputError, RetryKeyError
from memp.events import (
    Event,
    ProcedureAdded,
    ResourceRecorded,
    TrajectoryRecorded,
    VectorRef,
)
from memp.index import ExactIndex
from memp.log.base import MAIN, EventLog, Pending, VectorKey
from memp.log.duckdb import DuckDBLog
from memp.log.identity import Identity
from memp.log.memory import MemoryLog
from memp.model import Procedure, Trajectory, Version
from memp.record import Record
from memp.rendering import Renderer
from memp.retrieval.catalogue import WITH_CONTENT, Catalogue, search_texts, text_digest
from memp.state import History, State
from memp.update import intake_policy
from memp.view import Shared, View, find_procedure

IN_MEMORY = ":memory:"
"""The path that means a log in memory."""

TEMPLATES = ("template", "prompt")
"""Kind and name under which the templates of prompts are on record."""

EMBED_TEXTS = 512
"""Texts that are embedded at a time: enough to be quick, few enough to report progress."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@attrs.frozen(kw_only=True)
class LearnReport:
    """
    What ``learn`` did.

    Attributes:
        runs: How many runs it was given.

        recorded: How many of them were new and are now on record.

        known: How many were on record already and were left alone.

        unbuilt: How many of the recorded ones no procedure was built from, by the policy.

        added: Names of the new procedures.

        generalised: Names of the procedures that further runs now support.

        events: The records that were written, oldest first; empty if there was nothing new.
    """

    runs: int
    recorded: int
    known: int
    unbuilt: int
    added: tuple[str, ...]
    generalised: tuple[str, ...]
    events: tuple[Record, ...] = attrs.field(repr=False)


class Memory(View):
    """
    A memory that is open. Use it as a context manager, or close it.

    Made by ``memp.open``.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        actor: str,
        embedder: Embedder,
        identity: Identity,
        renderer: Renderer,
        own_templates: bool,
        read_only: bool,
    ) -> None:
        catalogue = Catalogue(lambda: ExactIndex(embedder.dimension), generation=generation(embedder))
        shared = Shared(log=log, catalogue=catalogue, embed=self._embed_question)
        super().__init__(shared, State(History()), lives=catalogue.lives[MAIN], renderer=renderer)
        self._log = log
        self._actor = actor
        self._scope = ""
        self._embedder = embedder
        self._identity = identity
        self._ids = Ids(event=identity.event_id, random=identity.random_id)
        self._read_only = read_only
        self._closed = False
        catalogue.load(log.vectors(catalogue.generation))
        with _no_garbage_collection():
            for record in log.read():
                self._follow(record)
        self._templates_recorded = self._take_recorded_templates(own_templates)

    def _embed_question(self, text: str) -> Vector:
        vector: Vector = self._embedder.embed([text])[0]
        return vector

    # -- learning ------------------------------------------------------------------------------------------------

    def learn(
        self,
        rows: Iterable[Trajectory],
        *,
        build: str = "verbatim",
        policy: str = "validation",
        key: str | None = None,
        progress: Progress | None = None,
    ) -> LearnReport:
        """
        Record runs, and build procedures from those that *policy* lets in, as one operation.

        A run that is on record here already is left alone, so that learning a file again changes nothing.

        Args:
            rows: The runs; read to the end before anything is written, so that a bad one leaves nothing half-written.

            build: ``verbatim`` keeps each run as it is.

            policy: ``validation`` builds from runs that solved their task, ``vanilla`` from all. Failures are recorded
                as trajectories either way.

            key: Retry token: the same runs under the same token again are one operation.

            progress: Called as work goes on.

        Raises:
            InvalidInputError: There is no such builder or policy, a row is not a trajectory, or the store is read-only.

            RetryKeyError: *key* was used for something else.
        """
        builder, chosen = builder_named(build), intake_policy(policy)
        runs = list(rows)
        for run in runs:
            if not isinstance(run, Trajectory):
                raise InvalidInputError(
                    f"'rows' must hold memp.Trajectory (got {type(run).__name__}). "
                    "Read a file with memp.read_trajectories."
                )
        with self._shared.lock:
            if key is not None and (records := self._log.said(key)):
                return _learned_before(runs, records, key)
            plan = decide.learn(self._state, runs, builder=builder, policy=chosen, scope=self._scope, ids=self._ids)
            records = self._append(plan.decided, key=key, progress=progress)
        return LearnReport(
            runs=len(runs),
            recorded=len(plan.recorded),
            known=plan.known,
            unbuilt=plan.unbuilt,
            added=plan.added,
            generalised=plan.generalised,
            events=records,
        )

    # -- changes by hand, one event each -------------------------------------------------------------------------

    def validate(
        self,
        id: str,
        *,
        reward: float | None = None,
        success: bool | None = None,
        judge: str = "person",
        reason: str = "",
        revision: str | None = None,
        steps: int | None = None,
        weight: float = 1.0,
        key: str | None = None,
    ) -> Record:
        """
        Record evidence for or against a procedure.

        Args:
            id: The procedure: its name, id, or the first characters of its id.

            reward: Score of the outcome, any finite number; solved from 1.0 on unless *success* says otherwise.

            success: Whether the task was solved.

            judge: Who says so: ``rule``, ``model`` or ``person``.

            reason: One sentence for people.

            revision: The revision that was used; None means the active one.

            steps: Steps that were taken; None if not known.

            weight: The share of the outcome that it is credited with, over 0 and at most 1.

            key: Retry token.

        Raises:
            InvalidInputError: Neither reward nor success is given, or a value is out of range.

            ProcedureNotFoundError: There is no such procedure.
        """

        def event(procedure: Procedure) -> Event:
            return decide.validate(
                procedure,
                revision=revision,
                reward=reward,
                success=success,
                steps=steps,
                weight=weight,
                judge=judge,
                reason=reason,
            )

        said = {"reward": reward, "judge": judge, "reason": reason, "steps": steps, "weight": weight}
        return self._change(id, event, said=said, key=key)

    def reflect(
        self, id: str, *, script: str, critique: str, reason: str = "", activate: bool = False, key: str | None = None
    ) -> Record:
        """
        Write a new revision of a procedure that answers what was wrong with the active one.

        Args:
            id: The procedure: its name, id, or the first characters of its id.

            script: What it should say.

            critique: What was wrong.

            reason: One sentence for people.

            activate: Take the place of the active revision at once; otherwise it waits as a candidate.

            key: Retry token.

        Raises:
            ConflictError: The procedure is erased or merged, or says just that already.

            InvalidInputError: The script or the critique is empty.
        """
        if not script.strip():
            raise InvalidInputError("'script' must say what to do (got an empty text).")

        def event(procedure: Procedure) -> Event:
            content = attrs.evolve(procedure.revision.content, script=script)
            return decide.reflect(procedure, content=content, critique=critique, reason=reason, activate=activate)

        said = {"critique": critique, "reason": reason, "candidate": not activate}
        return self._change(id, event, said=said, key=key, derived=True)

    def erase(self, id: str, *, reason: str, key: str | None = None) -> Record:
        """
        Stop retrieving a procedure; it stays readable, and ``unerase`` brings it back.

        Raises:
            ConflictError: It is erased or merged already.

            InvalidInputError: The reason is empty.
        """
        return self._change(
            id, lambda procedure: decide.erase(procedure, reason=reason), said={"reason": reason}, key=key
        )

    def unerase(self, id: str, *, reason: str, key: str | None = None) -> Record:
        """
        Retrieve an erased procedure again.

        Raises:
            ConflictError: It is not erased.

            InvalidInputError: The reason is empty.
        """
        return self._change(
            id, lambda procedure: decide.unerase(procedure, reason=reason), said={"reason": reason}, key=key
        )

    def merge(self, ids: Sequence[str], *, reason: str, key: str | None = None) -> Record:
        """
        Make one new procedure of several; they stay readable and are no longer retrieved.

        Raises:
            InvalidInputError: Fewer than two different procedures, or of different scopes or toolsets.

            ConflictError: One of them is erased or merged.
        """
        if isinstance(ids, str):
            raise InvalidInputError(f"'ids' must be a list of procedures (got the text {ids!r}).")
        with self._shared.lock:
            procedures = [find_procedure(self._state, id) for id in ids]
            if key is not None and (records := self._log.said(key)):
                return _same_change(records[0], key, {"merged": [p.id for p in procedures], "reason": reason})
            with _as_invalid_input():
                decided = decide.merge(self._state, procedures, reason=reason, ids=self._ids)
            return self._append([decided], key=key)[0]

    # -- the store -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the store. Closing twice does nothing."""
        with self._shared.lock:
            self._closed = True
            self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            warnings.warn("A memory was not closed; use 'with memp.open(…) as memory'.", ResourceWarning, stacklevel=2)
            self.close()

    # -- how every change goes -----------------------------------------------------------------------------------

    def _change(
        self,
        id: str,
        event_for: Callable[[Procedure], Event],
        *,
        said: Mapping[str, object],
        key: str | None,
        derived: bool = False,
    ) -> Record:
        """
        Decide one event about one procedure and append it; under a known retry key, return what stands there.

        Args:
            id: The procedure, as the caller named it.

            event_for: Makes the event.

            said: The fields of the event that the caller gave, to tell a retry from another operation.

            key: Retry token.

            derived: Whether the content of the event is made from the active revision's.
        """
        with self._shared.lock:
            procedure = find_procedure(self._state, id)
            if key is not None and (records := self._log.said(key)):
                return _same_change(records[0], key, {"procedure_id": procedure.id, **said})
            with _as_invalid_input():
                event = event_for(procedure)
            base = (procedure.active,) if derived else ()
            return self._append([decide.single(event, self._ids, derived_from=base)], key=key)[0]

    def _append(
        self, decided: Sequence[Decided], *, key: str | None = None, progress: Progress | None = None
    ) -> tuple[Record, ...]:
        """Capture embeddings, append as one batch, and apply what the log acknowledged."""
        if self._read_only:
            raise InvalidInputError("This memory is open for reading only. Open it without read_only to change it.")
        if not decided:
            return ()
        self._record_templates()
        captured, vectors = self._capture(decided, progress)
        records = self._log.append(self._pending(captured, key), actor=self._actor, vectors=vectors)
        # Only now: a vector that the log did not take must not count as captured.
        self._shared.catalogue.load((vector_key.text, vector) for vector_key, vector in vectors.items())
        self._apply(records)
        return records

    def _apply(self, records: Sequence[Record]) -> None:
        for record in records:
            self._follow(record)

    def _follow(self, record: Record) -> None:
        history = self._state.history
        applied = history.apply(record)
        self._shared.catalogue.follow(history.branches[record.branch], applied)

    def _pending(self, decided: Sequence[Decided], key: str | None) -> list[Pending]:
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
                    expected_version=Version(self._state.version(stream) + ahead),
                    cause=one.cause,
                    key=key if number == 0 or key is None else f"{key}/{number}",
                    derived_from=one.derived_from,
                )
            )
        return pending

    def _capture(
        self, decided: Sequence[Decided], progress: Progress | None
    ) -> tuple[list[Decided], dict[VectorKey, bytes]]:
        """Return *decided* with the vectors named that find their contents, and those that are not stored yet."""
        texts = {
            text: text_digest(text)
            for one in decided
            if isinstance(one.event, WITH_CONTENT)
            for _, text in search_texts(one.event.content)
        }
        catalogue = self._shared.catalogue
        known = {text: catalogue.vector(digest) for text, digest in texts.items()}
        missing = [text for text, vector in known.items() if vector is None]
        dimension = self._embedder.dimension
        for start in range(0, len(missing), EMBED_TEXTS):
            chunk = missing[start : start + EMBED_TEXTS]
            known.update(zip(chunk, self._embedder.embed(chunk), strict=True))
            if progress is not None:
                progress("embedding", start + len(chunk), len(missing))
        stored = {
            text: vector_to_bytes(vector, dimension=dimension) for text, vector in known.items() if vector is not None
        }
        digests = {text: hashlib.sha256(vector).hexdigest() for text, vector in stored.items()}
        vectors = {VectorKey(catalogue.generation, texts[text]): stored[text] for text in missing}
        return [self._with_vectors(one, digests) for one in decided], vectors

    def _with_vectors(self, decided: Decided, digests: dict[str, str]) -> Decided:
        event = decided.event
        if not isinstance(event, WITH_CONTENT):
            return decided
        refs = tuple(
            VectorRef(kind=kind, text=text, embedder=self._shared.catalogue.generation, digest=digests[text])
            for kind, text in search_texts(event.content)
        )
        return attrs.evolve(decided, event=attrs.evolve(event, vectors=refs))

    # -- templates -----------------------------------------------------------------------------------------------

    def _use_renderer(self) -> Renderer:
        if not self._read_only:
            with self._shared.lock:
                self._record_templates()
        return self._renderer

    def _take_recorded_templates(self, own_templates: bool) -> bool:
        """
        Go on with the templates on record, and return whether those in use are on record.

        What was used first is used ever after, so that editing a file changes no answer; only a folder that the caller
        names takes their place, by a new event.
        """
        recorded = self._state.resource(*TEMPLATES)
        if recorded is None:
            return False
        if own_templates and recorded.digest != self._renderer.digest:
            return False
        self._renderer = Renderer.from_text(recorded.text)
        return True

    def _record_templates(self) -> None:
        if self._templates_recorded:
            return
        kind, name = TEMPLATES
        event = ResourceRecorded(kind=kind, name=name, digest=self._renderer.digest, text=self._renderer.text)
        self._apply(self._log.append(self._pending([decide.single(event, self._ids)], None), actor=self._actor))
        self._templates_recorded = True


def _same_change(record: Record, key: str, said: Mapping[str, object]) -> Record:
    """
    Return *record*, which holds the retry key, if it says what the caller says now.

    Raises:
        RetryKeyError: It says something else.
    """
    stored = record.data or {}
    if any(stored.get(field) != value for field, value in said.items()):
        raise RetryKeyError(key, position=record.position)
    return record


def _learned_before(runs: Sequence[Trajectory], records: Sequence[Record], key: str) -> LearnReport:
    """
    Return the report of the learning that *records* are.

    Raises:
        RetryKeyError: The records are of another operation, or of other runs.
    """
    bodies = [(record.type, record.data or {}) for record in records]
    recorded = [data["digest"] for type, data in bodies if type == TrajectoryRecorded.TYPE]
    digests = {run.digest for run in runs}
    if not recorded or not digests.issuperset(recorded):
        raise RetryKeyError(key, position=records[0].position)
    return LearnReport(
        runs=len(runs),
        recorded=len(recorded),
        known=len(runs) - len(recorded),
        unbuilt=0,
        added=tuple(data["name"] for type, data in bodies if type == ProcedureAdded.TYPE),
        generalised=(),
        events=tuple(records),
    )


@contextlib.contextmanager
def _as_invalid_input() -> Iterator[None]:
    """Turn what an event's own checks refuse into the error that callers catch."""
    try:
        yield
    except InvalidInputError:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidInputError(str(error.args[0] if error.args else error)) from error


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


def open(
    path: str | Path,
    *,
    actor: str = "user",
    embedder: Embedder | None = None,
    templates: str | Path | None = None,
    read_only: bool = False,
    identity: Identity | None = None,
) -> Memory:
    """
    Open a memory; make it if it is not there.

    Args:
        path: A DuckDB file, or ``":memory:"`` for a log that lives as long as the object.

        actor: Who writes, in every record from here on. It is part of the chain and can never be removed: a role or a
            program's name serves better than a person's.

        embedder: What makes texts comparable; None takes the lexical one that ships.

        templates: A folder whose templates come before those that ship.

        read_only: Refuse every change; several readers may have the file open then, but no writer.

        identity: Where times, ids and salts come from; None takes the clock and the system's random bytes.

    Raises:
        StoreNotFoundError: *read_only*, and there is no such file.

        StoreLockedError: Another process has it open.

        CorruptStoreError: It is not a store, or is damaged, or a newer version of memp wrote it.

        InvalidInputError: It was filled with another embedder, or *actor* is empty.
    """
    if not actor:
        raise InvalidInputError("'actor' must name who writes (got an empty text).")
    identity = identity or Identity()
    renderer = Renderer.load(templates)
    log: EventLog
    if str(path) == IN_MEMORY:
        log = MemoryLog(identity=identity)
    else:
        log = DuckDBLog(path, identity=identity, read_only=read_only)
    try:
        return Memory(
            log,
            actor=actor,
            embedder=embedder or HashedEmbedder(),
            identity=identity,
            renderer=renderer,
            own_templates=templates is not None,
            read_only=read_only,
        )
    except BaseException:
        log.close()
        raise
