"""
The memory that a user holds: every operation by its name.

An operation asks ``memp.decide`` what it would say and hands the answer to the store. What an operation needs to know
about the log, the index or the embedder is not here.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from memp import decide
from memp.build import builder_named
from memp.build.keys import written_key
from memp.build.written import contents_of, read_written, revised
from memp.decide import HAND
from memp.embedding import Embedder
from memp.errors import InvalidInputError
from memp.events import Event, ProcedureAdded, TrajectoryRecorded
from memp.index import HnswIndex, IndexKind, check_kind, make_index
from memp.llm.base import Model
from memp.log import MAIN, DuckDBLog, EventLog, Identity, MemoryLog, VerifyReport
from memp.lookup import find_procedure
from memp.model import Procedure, Trajectory
from memp.operations.distilling import PARALLEL, TOGETHER
from memp.operations.learned import LearnReport, learned_before
from memp.operations.modelled import Modelled
from memp.operations.retries import same_change
from memp.operations.versions import as_invalid_input
from memp.record import Head, Record
from memp.rendering import Renderer
from memp.scopes import EVERYBODY, check_scope
from memp.script.formatter import format_script
from memp.script.nodes import Script
from memp.script.toolset import Toolset
from memp.store import Progress, Store
from memp.toolsets import GivenToolset, builder_for, by_digest, by_name, given_toolset, is_recorded, resource_of
from memp.update import intake_policy
from memp.update.outcome import capped

IN_MEMORY = ":memory:"
"""The path that means a log in memory."""


class Memory(Modelled):
    """
    A memory that is open. Use it as a context manager, or close it.

    Made by ``memp.open``.
    """

    def __init__(
        self, store: Store, *, actor: str, branch: str = MAIN, scope: str = EVERYBODY, owner: bool = True
    ) -> None:
        super().__init__(store, actor=actor, branch=branch, scope=scope)
        self._owner = owner
        self._closed = False

    def _on(self, branch: str, *, scope: str | None = None) -> Self:
        chosen = self._scope if scope is None else scope
        return type(self)(self._store, actor=self._actor, branch=branch, scope=chosen, owner=False)

    @property
    def model(self) -> Model | None:
        """The language model that it was opened with; None if there is none."""
        return self._store.model

    def empty_twin(self) -> Memory:
        """Return an empty memory that is kept nowhere and answers as this one does: same embedder, index, templates."""
        return Memory(self._store.twin(self._state), actor=self._actor)

    # -- learning ------------------------------------------------------------------------------------------------

    def learn(
        self,
        rows: Iterable[Trajectory],
        *,
        build: str = "verbatim",
        policy: str | None = None,
        toolset: GivenToolset = None,
        tags: Iterable[str] = (),
        scope: str | None = None,
        key: str | None = None,
        progress: Progress | None = None,
        cached: bool = False,
        parallel: int = PARALLEL,
        together: int = TOGETHER,
    ) -> LearnReport:
        """
        Record runs, and build procedures from those that *policy* lets in, as one operation.

        A run that is on record here already is left alone, so that learning a file again changes nothing. With a model,
        each question to it is an operation of its own: what is done stays done, and where the endpoint fails, the runs
        wait in the queue and the report says so.

        Args:
            rows: The runs; read to the end before anything is written, so that a bad one leaves nothing half-written.

            build: ``verbatim`` keeps each run as it is; ``induce`` makes scripts by rule, one for all runs that do the
                same; ``distil`` asks the model for a script of runs of a kind, success beside failure, and keeps them
                as they are where it gives none that checks; ``both`` keeps the best run beside each script, which is by
                rule where the memory has no model.

            policy: ``validation`` builds from runs that solved their task, ``vanilla`` from all. Failures are recorded
                as trajectories either way. None takes the one that is
                set, or ``validation``.

            toolset: The words in which scripts are told: a ``memp.Toolset``, a folder, a file, or the name of one that
                is on record or ships. None lets each run take the one, on record or shipped, that knows most of its
                actions; a run of which none knows four fifths is told in words. What is used goes on record.

            tags: Words to filter by, for the procedures that are new.

            scope: Whose the runs and procedures are: the scope of this memory (None) or one below it. Each scope has
                its own copy of a run that was learned in several, and never looks at those of others.

            key: Retry token: the same runs under the same token again are one operation.

            progress: Called as work goes on.

            cached: Whether a question to the model that is on record, word for word, is answered from there.

            parallel: How many questions are asked at once, 1 or more; it changes nothing about what is learned.

            together: How many runs of one kind a question holds at most, 1 or more; a failure comes on top.

        Raises:
            InvalidInputError: There is no such builder or policy, the builder takes no toolset, a row is not a
                trajectory, the scope stands elsewhere, the store is read-only, or there is no model to ask.

            ModelKeyError: There is no key for the model. A key that the endpoint refuses is no error: the runs wait.

            NotFoundError: There is no such toolset.

            ScriptError: The source of the toolset has mistakes; carries all of them.

            RetryKeyError: *key* was used for something else.
        """
        if scope is not None and scope != self._scope:
            return self.within(scope).learn(
                rows,
                build=build,
                policy=policy,
                toolset=toolset,
                tags=tags,
                key=key,
                progress=progress,
                cached=cached,
                parallel=parallel,
                together=together,
            )
        if not (by_model := self._asks_model(build)):
            builder_named(build)
        if policy is not None:
            intake_policy(policy)
        runs = list(rows)
        for run in runs:
            if not isinstance(run, Trajectory):
                raise InvalidInputError(
                    f"'rows' must hold memp.Trajectory (got {type(run).__name__}). "
                    "Read a file with memp.read_trajectories."
                )
        runs = [self._store.masked_run(run) for run in runs]
        if by_model:
            return self._learned_before(runs, key) or self._learn_by_model(
                runs,
                keep_run=build == "both",
                policy=policy,
                toolset=toolset,
                tags=tuple(tags),
                key=key,
                progress=progress,
                cached=cached,
                parallel=parallel,
                together=together,
            )
        with self._store.lock:
            if (before := self._learned_before(runs, key)) is not None:
                return before
            builder = builder_for(self._state, build, toolset=toolset)
            chosen = intake_policy(policy or self._intake_name())
            plan = decide.learn(
                self._state,
                runs,
                builder=builder,
                policy=chosen,
                tags=tuple(tags),
                scope=self._scope,
                ids=self._store.ids,
            )
            self._record_toolsets([one.event for one in plan.decided], builder.toolsets)
            decided = capped(self._state, plan.decided, self._settings(), scope=self._scope, ids=self._store.ids)
            records = self._append(decided, key=key, progress=progress)
        return LearnReport(
            runs=len(runs),
            recorded=len(plan.recorded),
            known=plan.known,
            unbuilt=plan.unbuilt,
            added=plan.added,
            generalised=plan.generalised,
            events=records,
        )

    def _learned_before(self, runs: Sequence[Trajectory], key: str | None) -> LearnReport | None:
        """Return the report of the learning that stands under *key*; None if nothing does."""
        with self._store.lock:
            if key is None or not (records := self._store.log.said(key, branch=self._branch)):
                return None
            return learned_before(runs, records, key, known=self._recorded_before(records[0].position))

    def _recorded_before(self, position: int) -> Iterator[str]:
        """Yield the content digest of every run on record before *position*, in force or not, of any scope."""
        for record in self._store.log.read(until=position - 1):
            if record.type == TrajectoryRecorded.TYPE and record.body is not None:
                yield str((record.data or {})["digest"])

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

    def add(
        self,
        script: str | Script,
        *,
        toolset: GivenToolset = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        key: str | None = None,
    ) -> Record:
        """
        Add procedures that were written by hand, as one operation.

        Args:
            script: A source in the procedure language, or what ``memp.parse_script`` made of one. Several procedures
                in it become several procedures here; each is kept with those that it calls.

            toolset: The words that it speaks, as ``learn`` takes it. None: what its own ``from NAME import *`` names,
                on record or shipped; a script that imports nothing is untyped.

            name: What to call it, if the script holds a single procedure; None takes the name in the script.

            tags: Words to filter by.

            key: Retry token.

        Returns:
            The record of the first procedure; those of the others follow in the same batch.

        Raises:
            ScriptError: The script has mistakes; carries all of them, and nothing is written.

            ConflictError: One of the procedures is here already, in the same words.

            InvalidInputError: A name was given for several procedures.

            NotFoundError: There is no such toolset.
        """
        with self._store.lock:
            read, spoken = self._read(script, toolset, path=name or "<script>")
            contents, digest = contents_of(read), None if spoken is None else spoken.digest
            if name is not None and len(contents) > 1:
                raise InvalidInputError(f"'name' names one procedure, and the script holds {len(contents)}.")
            if key is not None and (records := self._store.log.said(key, branch=self._branch)):
                first = written_key(contents[0][1], scope=self._scope, toolset=digest, builder=HAND)
                return same_change(records[0], key, {"content_key": first})
            with as_invalid_input():
                decided = decide.add_written(
                    self._state,
                    [(name or own, content) for own, content in contents],
                    toolset=digest,
                    tags=tuple(tags),
                    scope=self._scope,
                    ids=self._store.ids,
                )
            self._record_toolsets([one.event for one in decided], () if spoken is None else (spoken,))
            return self._append(decided, key=key)[0]

    def reflect(
        self,
        id: str,
        *,
        script: str | None = None,
        critique: str | None = None,
        trajectory: Trajectory | str | None = None,
        reason: str = "",
        activate: bool = False,
        key: str | None = None,
        cached: bool = False,
    ) -> Record:
        """
        Write a new revision of a procedure that answers what was wrong with the active one.

        With a script and a critique it says what they say; with a run that failed, the model is asked what was wrong
        and what to do instead. What a model gives that changes nothing, or that the toolset does not know, is recorded
        as a revision that was rejected, with the reason.

        Args:
            id: The procedure: its name, id, or the first characters of its id.

            script: What it should say: a whole script, or its steps alone. It is checked against the procedure's
                toolset and stored in canonical form.

            critique: What was wrong.

            trajectory: The run that failed with it, or the id of one on record; instead of a script and a critique.

            reason: One sentence for people.

            activate: Take the place of the active revision at once; otherwise it waits as a candidate.

            key: Retry token.

            cached: Whether a question to the model that is on record, word for word, is answered from there.

        Returns:
            The record of the new revision.

        Raises:
            ConflictError: The procedure is erased or merged, or says just that already.

            ScriptError: The script has mistakes; carries all of them, and nothing is written.

            InvalidInputError: The script or the critique is empty or missing, a run was given beside them, or there is
                no model to ask.

            NotFoundError: There is no such run on record.

            ModelError: The model could not be asked; nothing but the calls is on record.
        """
        if trajectory is not None:
            if script is not None or critique is not None:
                raise InvalidInputError("Give 'script' and 'critique', or a 'trajectory' for the model (got both).")
            return self._reflect_by_model(id, trajectory, reason=reason, activate=activate, key=key, cached=cached)
        if script is None or critique is None:
            raise InvalidInputError("A reflection needs 'script' and 'critique', or the 'trajectory' that failed.")
        if not script.strip():
            raise InvalidInputError("'script' must say what to do (got an empty text).")
        text, said_critique = script, critique

        def event(procedure: Procedure) -> Event:
            spoken = by_digest(self._state, procedure.toolset)
            content = revised(procedure, text, spoken, resolve=self._toolset_named)
            return decide.reflect(procedure, content=content, critique=said_critique, reason=reason, activate=activate)

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

    def read_script(self, script: str | Script, *, toolset: GivenToolset = None, path: str = "<script>") -> Script:
        """
        Read and check a script as ``add`` does, and write nothing.

        Args:
            script: A source in the procedure language.

            toolset: The words that it speaks; see ``add``.

            path: How mistakes call the source.

        Raises:
            ScriptError: It has mistakes; carries all of them.

            NotFoundError: There is no such toolset.
        """
        with self._store.lock:
            return self._read(script, toolset, path=path)[0]

    def _read(self, script: str | Script, toolset: GivenToolset, *, path: str) -> tuple[Script, Toolset | None]:
        text = script if isinstance(script, str) else format_script(script)
        given = None if toolset is None else given_toolset(self._state, toolset)
        return read_written(text, given, resolve=self._toolset_named, path=path)

    def _toolset_named(self, name: str) -> Toolset:
        return by_name(self._state, name)

    def _record_toolsets(self, events: Iterable[Event], toolsets: Iterable[Toolset]) -> None:
        """Put on record those of *toolsets* that *events* speak and that are not on record yet."""
        spoken = {event.toolset for event in events if isinstance(event, ProcedureAdded)}
        new = [t for t in toolsets if t.digest in spoken and not is_recorded(self._state, t)]
        self._append([decide.single(resource_of(toolset), self._store.ids) for toolset in new])

    def _use_renderer(self) -> Renderer:
        return self._store.renderer(self._state, actor=self._actor)


def open(
    path: str | Path,
    *,
    actor: str = "user",
    scope: str = EVERYBODY,
    model: Model | str | None = None,
    embedder: Embedder | None = None,
    templates: str | Path | None = None,
    index: IndexKind = "auto",
    mask: bool = True,
    max_procedures: int | None = None,
    read_only: bool = False,
    identity: Identity | None = None,
) -> Memory:
    """
    Open a memory; make it if it is not there.

    Episodes that a process left open when it was killed are recorded as abandoned.

    Args:
        path: A DuckDB file, or ``":memory:"`` for a log that lives as long as the object.

        actor: Who writes, in every record from here on. It is part of the chain and can never be removed: a role or a
            program's name serves better than a person's.

        scope: Whose memory it is, a path such as ``team/agent``; empty for everybody's. One reads what this scope and
            those above it hold, and writes to it.

        model: The language model that may be asked, or its name; None for none. Nobody is asked before an operation
            needs it.

        embedder: What makes texts comparable: what the store was filled with, or ``reembed`` changed it to. None takes
            the lexical one that ships; a store that was filled with another can then be read in every way that embeds
            no text.

        templates: A folder whose templates come before those that ship.

        index: ``auto`` searches exactly among up to 5,000 texts and by graphs above, ``exact`` always exactly, ``hnsw``
            always by graphs, which are complete when this returns. Graphs are kept beside the file.

        mask: Whether what looks like a key, token, password, e-mail address or card number is taken out of runs before
            they are stored and of texts before they are sent to a model.

        max_procedures: How many procedures of a scope are retrieved at most, 1 or more; where the rules in force say
            otherwise, this is set as ``set_policy`` sets it. None leaves them as they are.

        read_only: Refuse every change; several readers may have the file open then, but no writer. What is there is
            opened even if acknowledged events are missing; a warning says so.

        identity: Where times, ids and salts come from; None takes the clock and the system's random bytes.

    Raises:
        StoreNotFoundError: *read_only*, and there is no such file.

        StoreLockedError: Another process has it open.

        TailLostError: Events that were acknowledged are missing; nothing was changed, and copies are kept.

        WitnessError: Nothing beside the store says where its log must end.

        CorruptStoreError: It is not a store, or is damaged, or a newer version of memp wrote it.

        InvalidInputError: It was filled with another embedder, there is no such index, *actor* is empty, *scope* is no
            path, or *max_procedures* is below 1 or given for reading only.
    """
    if max_procedures is not None and read_only:
        raise InvalidInputError("'max_procedures' is a rule to be set, and a store that is open for reading sets none.")
    if max_procedures is not None and max_procedures < 1:
        raise InvalidInputError(f"'max_procedures' must be 1 or more (got {max_procedures!r}).")
    check_kind(index)
    check_scope(scope)
    if not actor:
        raise InvalidInputError("'actor' must name who writes (got an empty text).")
    identity = identity or Identity()
    renderer = Renderer.load(templates)
    log: EventLog
    if str(path) == IN_MEMORY:
        log = MemoryLog(identity=identity)
    else:
        log = DuckDBLog(path, identity=identity, read_only=read_only)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(log.close)
        store = Store(
            log,
            embedder=embedder,
            make_index=partial(make_index, index),
            identity=identity,
            renderer=renderer,
            own_templates=templates is not None,
            read_only=read_only,
            mask=mask,
            model=Model(model) if isinstance(model, str) else model,
            beside=None if str(path) == IN_MEMORY else Path(path),
        )
        if index == "hnsw":
            for one in store.catalogue.indexes():
                if isinstance(one, HnswIndex):
                    one.settle()
        memory = Memory(store, actor=actor, scope=scope)
        memory._limit(max_procedures)
        if not read_only:
            # One process writes, and that is this one now, so nobody else is in the middle of an episode.
            memory._abandon_forgotten()
        on_failure.pop_all()
    return memory
