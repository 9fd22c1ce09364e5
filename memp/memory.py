"""
The memory that a user holds: every operation by its name.

An operation asks ``memp.decide`` what it would say and hands the answer to the store. What an operation needs to know
about the log, the index or the embedder is not here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from memp import decide
from memp.build import builder_named
from memp.embedding import Embedder, HashedEmbedder
from memp.errors import InvalidInputError
from memp.events import Event, ProcedureAdded, TrajectoryRecorded
from memp.index import ExactIndex
from memp.log import MAIN, DuckDBLog, EventLog, Identity, MemoryLog, VerifyReport
from memp.model import Procedure, Trajectory
from memp.record import Head, Record
from memp.rendering import Renderer
from memp.retries import same_change, same_runs
from memp.store import Progress, Store
from memp.update import intake_policy
from memp.versions import Versions, as_invalid_input
from memp.view import find_procedure

IN_MEMORY = ":memory:"
"""The path that means a log in memory."""


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


class Memory(Versions):
    """
    A memory that is open. Use it as a context manager, or close it.

    Made by ``memp.open``.
    """

    def __init__(self, store: Store, *, actor: str, branch: str = MAIN, owner: bool = True) -> None:
        super().__init__(store, actor=actor, branch=branch)
        self._owner = owner
        self._closed = False

    def _on(self, branch: str) -> Self:
        return type(self)(self._store, actor=self._actor, branch=branch, owner=False)

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
        with self._store.lock:
            if key is not None and (records := self._store.log.said(key, branch=self._branch)):
                return _learned_before(runs, records, key)
            plan = decide.learn(
                self._state, runs, builder=builder, policy=chosen, scope=self._scope, ids=self._store.ids
            )
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
        with self._store.lock:
            procedures = [find_procedure(self._state, id) for id in ids]
            if key is not None and (records := self._store.log.said(key, branch=self._branch)):
                return same_change(records[0], key, {"merged": [p.id for p in procedures], "reason": reason})
            with as_invalid_input():
                decided = decide.merge(self._state, procedures, reason=reason, ids=self._store.ids)
            return self._append([decided], key=key)[0]

    # -- what is stored ------------------------------------------------------------------------------------------

    def head(self) -> Head:
        """
        Return where the log ends, on whatever branch; kept elsewhere, it later proves that nothing was lost.

        It prints as ``POSITION:DIGEST``.
        """
        return self._store.log.head

    def verify(self, expect: Head | tuple[int, bytes | str] | str | None = None) -> VerifyReport:
        """
        Go through all that is stored and name what is not as it was written.

        Args:
            expect: What ``head`` gave once: the log must still have that event at that position.

        Raises:
            InvalidInputError: *expect* is no head.
        """
        return self._store.log.verify(expect=None if expect is None else Head.parse(expect))

    def backup(self, path: str | Path) -> Head:
        """
        Write a copy of the store to *path*, which must not be there, and return where it ends.

        Raises:
            InvalidInputError: There is something at *path*, or this memory has no file.

            StorageError: The disk did not take it.
        """
        return self._store.log.backup(path)

    # -- the store -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the store; a memory on a fork leaves it open. Closing twice does nothing."""
        with self._store.lock:
            self._closed = True
            if self._owner:
                self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and self._owner:
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
        with self._store.lock:
            procedure = find_procedure(self._state, id)
            if key is not None and (records := self._store.log.said(key, branch=self._branch)):
                return same_change(records[0], key, {"procedure_id": procedure.id, **said})
            with as_invalid_input():
                event = event_for(procedure)
            base = (procedure.active,) if derived else ()
            return self._append([decide.single(event, self._store.ids, derived_from=base)], key=key)[0]

    def _use_renderer(self) -> Renderer:
        return self._store.renderer(self._state, actor=self._actor)


def _learned_before(runs: Sequence[Trajectory], records: Sequence[Record], key: str) -> LearnReport:
    """
    Return the report of the learning that *records* are.

    Raises:
        RetryKeyError: The records are of another operation, or of other runs.
    """
    bodies = same_runs(records, key, {run.digest for run in runs}, type=TrajectoryRecorded.TYPE)
    recorded = sum(1 for record in records if record.type == TrajectoryRecorded.TYPE)
    return LearnReport(
        runs=len(runs),
        recorded=recorded,
        known=len(runs) - recorded,
        unbuilt=0,
        added=tuple(
            str(body["name"])
            for record, body in zip(records, bodies, strict=True)
            if record.type == ProcedureAdded.TYPE
        ),
        generalised=(),
        events=tuple(records),
    )


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
        embedder = embedder or HashedEmbedder()
        dimension = embedder.dimension
        store = Store(
            log,
            embedder=embedder,
            make_index=lambda: ExactIndex(dimension),
            identity=identity,
            renderer=renderer,
            own_templates=templates is not None,
            read_only=read_only,
        )
        return Memory(store, actor=actor)
    except BaseException:
        log.close()
        raise
