"""
What a user does with versions: name them, fork them, promote them, and take changes back.

Each operation is planned as a version of its own first, so that a dry run and the real one cannot differ.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Self

import attrs

from memp import codec, decide
from memp.build import Builder, builder_named
from memp.build.distil import DISTILLERS
from memp.decide import Decided, Names
from memp.errors import BodyError, ConflictError, InvalidInputError, MempError, NotFoundError
from memp.events import (
    BranchDeleted,
    BranchForked,
    EvaluationRecorded,
    Event,
    EventsUndone,
    ProcedureAdded,
    TrajectoryRecorded,
    VersionTagged,
)
from memp.history import promote as promotion
from memp.history.diff import compare
from memp.history.rebuild import BuiltBy, all_procedure_events, orphans, rebuild
from memp.history.undo import UndoPlan, plan, select
from memp.history.when import When, check_name, resolve
from memp.log import MAIN
from memp.model import Trajectory
from memp.operations.calls import noted_embedding
from memp.projection import Entry, Run
from memp.record import Record
from memp.scopes import EVERYBODY, check_within
from memp.state import State, also, without
from memp.store import Embedded, Progress, Store
from memp.toolsets import builder_for
from memp.update import intake_policy
from memp.view import View


class Versions(View):
    """
    The operations on versions of one branch.

    Args:
        store: What all branches share.

        actor: Who writes.

        branch: The branch that is read and written.

        scope: Whose memory it is: what this scope and those above it hold is read, and what is new belongs to it.
    """

    def __init__(self, store: Store, *, actor: str, branch: str = MAIN, scope: str = EVERYBODY) -> None:
        state = State(store.history, store.history.branches[branch], scope=scope)
        super().__init__(store, state, lives=store.catalogue.lives[branch])
        self._actor = actor
        self._branch = branch
        self._scope = scope

    def _on(self, branch: str, *, scope: str | None = None) -> Self:
        """Return the memory of a branch and scope of the same store; None is the scope of this one."""
        chosen = self._scope if scope is None else scope
        return type(self)(self._store, actor=self._actor, branch=branch, scope=chosen)

    def _append(
        self, decided: Sequence[Decided], *, key: str | None = None, progress: Progress | None = None
    ) -> tuple[Record, ...]:
        if self._state.branch.deleted is not None:
            raise ConflictError(f"The branch {self._branch!r} was deleted and takes no more changes.")
        asked: list[Embedded] = []
        try:
            records = self._store.append(
                decided, actor=self._actor, branch=self._branch, key=key, progress=progress, asked=asked
            )
        except MempError:
            self._note_embedded(asked, ())
            raise
        self._note_embedded(asked, decided)
        return records

    def _note_embedded(self, asked: Sequence[Embedded], decided: Sequence[Decided], *, branch: str = "") -> None:
        """
        Put requests for embeddings on record, as an operation of their own, beside what was written for them.

        Args:
            asked: The requests.

            decided: What was written, and holds the texts; nothing if it could not be.

            branch: The branch that it was written on; empty for this one.
        """
        if asked:
            calls = noted_embedding(asked, decided, scope=self._scope, ids=self._store.ids)
            self._store.append(calls, actor=self._actor, branch=branch or self._branch)

    def _say(self, event: Event, *, key: str | None = None) -> Record:
        return self._append([decide.single(event, self._store.ids)], key=key)[0]

    # -- tags ----------------------------------------------------------------------------------------------------

    def tag(self, name: str, *, at: When | None = None, reason: str | None = None) -> Record:
        """
        Give a version a name.

        Args:
            name: The name. One that is taken moves, if a reason says why.

            at: The version, as ``at`` takes it; None means this one.

            reason: One sentence for people.

        Raises:
            ConflictError: The name is taken by another version and no reason is given.

            InvalidInputError: Nothing may be called that.
        """
        check_name(name, what="tag")
        with self._store.lock:
            history = self._store.history
            version = resolve(history, self._state.branch, self.position if at is None else at)
            tag = VersionTagged(name=name, branch=version.branch.name, position=version.position, reason=reason or "")
            if name in history.tags:
                there = history.tags[name].last()
                if (there.branch, there.position) != (tag.branch, tag.position) and not reason:
                    raise ConflictError(
                        f"The tag {name!r} names position {there.position} of {there.branch!r}. "
                        "To move it, say why with 'reason'."
                    )
            return self._say(tag)

    # -- what versions were worth --------------------------------------------------------------------------------

    def record_evaluation(self, evaluation: EvaluationRecorded) -> Record:
        """
        Put an evaluation on record; ``Result.record`` makes one of a result. The same one twice is one event.

        Raises:
            InvalidInputError: The memory is open for reading only.
        """
        key = f"evaluation/{evaluation.evaluation_id}"
        with self._store.lock:
            if records := self._store.log.said(key, branch=self._branch):
                return records[0]
            return self._say(evaluation, key=key)

    # -- scopes --------------------------------------------------------------------------------------------------

    @property
    def scope(self) -> str:
        """Whose memory this is, a path such as ``team/agent``; empty for everybody's."""
        return self._scope

    def within(self, scope: str) -> Self:
        """
        Return the memory of a scope: it reads what that scope and those above it hold, and writes to that scope.

        Args:
            scope: The scope of this memory, or one below it.

        Raises:
            InvalidInputError: It is no path, or stands elsewhere.
        """
        return self._on(self._branch, scope=check_within(scope, self._scope))

    def by(self, actor: str) -> Self:
        """
        Return the same memory, with another author for what is written through it.

        Raises:
            InvalidInputError: *actor* is empty.
        """
        if not actor:
            raise InvalidInputError("'actor' must name who writes (got an empty text).")
        other = self._on(self._branch)
        other._actor = actor
        return other

    # -- branches ------------------------------------------------------------------------------------------------

    def fork(self, name: str, *, at: When | None = None, reason: str = "") -> Self:
        """
        Make a branch that shares the past of this one and never touches its future, and return its memory.

        Args:
            name: What the branch is called; a name is never used twice, not even after the branch was deleted.

            at: The version that it starts from, as ``at`` takes it; None means this one.

            reason: One sentence for people.

        Raises:
            ConflictError: There is, or was, a branch of that name.

            InvalidInputError: Nothing may be called that.
        """
        check_name(name, what="branch")
        with self._store.lock:
            if name in self._store.history.branches:
                raise ConflictError(f"There is, or was, a branch {name!r}. Choose another name.")
            version = resolve(self._store.history, self._state.branch, self.position if at is None else at)
            event = BranchForked(name=name, parent=version.branch.name, position=version.position, reason=reason)
            self._store.append([decide.single(event, self._store.ids)], actor=self._actor, branch=name)
            return self._on(name)

    def branch(self, name: str) -> Self:
        """
        Return the memory of a branch.

        Raises:
            NotFoundError: There is no such branch, or it was deleted.
        """
        with self._store.lock:
            branch = self._store.history.branches.get(name)
            if branch is None or branch.deleted is not None:
                names = ", ".join(info.name for info in self.branches())
                raise NotFoundError(f"There is no branch {name!r} (there are {names}).")
            return self._on(name)

    def delete_branch(self, name: str, *, reason: str) -> Record:
        """
        Hide a branch: it is no longer listed or written to, and its events stay in the log.

        Raises:
            NotFoundError: There is no such branch.

            ConflictError: It is ``main``.
        """
        with self._store.lock:
            if name == MAIN:
                raise ConflictError(f"The branch {MAIN!r} cannot be deleted.")
            with as_invalid_input():
                event = BranchDeleted(name=name, reason=reason)
            return self.branch(name)._say(event)

    def promote(self, name: str, *, reason: str) -> tuple[Record, ...]:
        """
        Say the events of a fork again on this branch, as one operation; what was promoted before is left alone.

        Returns:
            The new records; empty if there was nothing new.

        Raises:
            PromotionConflictError: Both branches changed the same since the fork; nothing was written.

            NotFoundError: There is no such branch.

            InvalidInputError: It was not forked from this one, or the reason is empty.
        """
        with self._store.lock, as_invalid_input():
            # A branch is promoted whole, whoever asks: half of it would be a version that never was.
            history = self._store.history
            source = State(history, self.branch(name)._state.branch, scope=None)
            target = State(history, self._state.branch, scope=None)
            shared = promotion.shared_position(target.branch, source.branch)
            records = (r for r in self._store.log.read(after=shared) if source.sees_record(r.branch, r.position))
            decided = promotion.promote(target, source, records, reason=reason, ids=self._store.ids)
            return self._append(decided)

    # -- undo ----------------------------------------------------------------------------------------------------

    def plan_undo(
        self,
        events: Iterable[str] | None = None,
        *,
        batch: str | None = None,
        actor: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        source: str | None = None,
        on_dependents: str = "refuse",
    ) -> UndoPlan:
        """
        Work out what ``undo`` with the same arguments would do; nothing is written.

        Raises:
            InvalidInputError: Nothing was named, or in more than one way.

            NotFoundError: There is no such event, batch, author or run here.

            ConflictError: An event cannot be undone, or is out of force already.
        """
        with self._store.lock:
            return self._plan(events, batch, actor, since, until, source, on_dependents)[0]

    def undo(
        self,
        events: Iterable[str] | None = None,
        *,
        reason: str,
        batch: str | None = None,
        actor: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        source: str | None = None,
        on_dependents: str = "refuse",
        key: str | None = None,
    ) -> Record:
        """
        Take events out of force, by one new event; undoing that brings them back.

        Args:
            events: Event ids, or positions as text.

            reason: One sentence for people.

            batch: All events of one operation, named by its id or by the id of one of its events.

            actor: All events of one author.

            since: All events from this time on; together with *actor*, those of the author.

            until: Only events up to this time, inclusive.

            source: A recorded run, by its trajectory id. Procedures that other runs also support are built again from
                those, in the same operation.

            on_dependents: What becomes of events that were made from these: ``refuse`` undoes nothing if there are
                any, ``cascade`` undoes them too, ``taint`` keeps them, marked and ranked after all others. A source
                always takes its dependents with it, unless they are to be tainted.

            key: Retry token.

        Returns:
            The record of the undo.

        Raises:
            DependentsError: There are dependents, and they are neither to be undone nor to be tainted; carries them.

            ConflictError: An event cannot be undone, is out of force already, or nothing of a procedure would be left
                to be tainted.

            InvalidInputError: Nothing was named, or in more than one way, or the reason is empty.

            NotFoundError: There is no such event, batch, author or run here.
        """
        with self._store.lock, as_invalid_input():
            if key is not None and (records := self._store.log.said(key, branch=self._branch)):
                return records[0]
            planned, rebuilt = self._plan(events, batch, actor, since, until, source, on_dependents)
            event = planned.event(reason)
            return self._append([decide.single(event, self._store.ids), *rebuilt], key=key)[0]

    def _plan(
        self,
        events: Iterable[str] | None,
        batch: str | None,
        actor: str | None,
        since: datetime | str | None,
        until: datetime | str | None,
        source: str | None,
        on_dependents: str,
    ) -> tuple[UndoPlan, list[Decided]]:
        state = self._state
        chosen = select(
            state,
            events,
            batch=batch,
            actor=actor,
            since=microseconds(since),
            until=microseconds(until),
            source=source,
        )
        if source is not None and on_dependents == "refuse":
            on_dependents = "cascade"
        planned = plan(state, chosen, on_dependents=on_dependents)
        if source is None or on_dependents != "cascade":
            return planned, []
        after, changed = without(state, planned.undone)
        names, rebuilt = Names(after), []
        for built_by, runs in orphans(state, after, changed).items():
            rebuilt += self._rebuild(after, runs, built_by, names)
        built = tuple(one.event.name for one in rebuilt if isinstance(one.event, ProcedureAdded))
        entries = (
            Entry(event_id=one.event_id, position=after.position, derived_from=one.derived_from, said=one.event)
            for one in rebuilt
        )
        concerned = {*changed, *also(after, entries)}
        return attrs.evolve(planned, rebuilt=built, diff=compare(state, after, concerned)), rebuilt

    def rederive(self, name: str, *, policy: str = "validation", build: str | None = None, reason: str = "") -> Self:
        """
        Make a branch on which everything is decided anew from the stored runs, and return its memory.

        What was changed by hand is not on it; its runs are those that are in force here.

        Args:
            name: What the branch is called.

            policy: Which runs procedures are built from, as ``learn`` takes it.

            build: How they are built, as ``learn`` takes it; None builds each as it was built here.

            reason: One sentence for people.

        Raises:
            ConflictError: There is, or was, a branch of that name.

            InvalidInputError: There is no such policy or builder.
        """
        chosen = intake_policy(policy)
        if build is not None:
            builder_named(build)
        with self._store.lock:
            before = self._state
            undone = all_procedure_events(before)
            wanted = self._built_by(build)
            fork = self.fork(name, reason=reason or "everything is decided anew from the stored runs")
            empty, _ = without(fork._state, undone)
            names, decided = Names(empty), []
            if undone:
                event = EventsUndone(undone=undone, dependents="cascade", reason="to be decided anew")
                decided.append(decide.single(event, self._store.ids))
            loaded = {run.head.trajectory_id: self._load_run(run) for run in before.runs()}
            for built_by, ids in wanted.items():
                runs = [r for r in before.runs() if (ids is None or r.head.trajectory_id in ids)]
                runs = [run for run in runs if chosen(loaded[run.head.trajectory_id])]
                decided += self._rebuild(empty, runs, built_by, names)
            fork._append(decided)
            return fork

    def _built_by(self, build: str | None) -> dict[BuiltBy, set[str] | None]:
        """Return the builders to build with, each with the runs that it is for; None means all."""
        if build is not None:
            return {(build, None): None}
        found: dict[BuiltBy, set[str] | None] = {}
        for procedure in self._state.all():
            if procedure.builder in DISTILLERS:
                # Nobody is asked again: what the model once made of a run is made of it, and of no other run.
                sources = {source for revision in procedure.revisions for source in revision.sources}
                found[procedure.builder, None] = sources | (found.get((procedure.builder, None)) or set())
                continue
            with contextlib.suppress(InvalidInputError):
                builder_named(procedure.builder)
                # Each run takes its toolset anew: all runs are built once, not once for each toolset.
                found.setdefault((procedure.builder, None), None)
        return found or {("verbatim", None): None}

    def _rebuild(self, after: State, runs: Sequence[Run], built_by: BuiltBy, names: Names) -> list[Decided]:
        """Build from *runs* once more; each belongs where it was recorded, above here perhaps."""
        decided: list[Decided] = []
        for scope in sorted({run.head.scope for run in runs}):
            decided += rebuild(
                after,
                [run for run in runs if run.head.scope == scope],
                builder=self._builder(built_by),
                load=self._load_run,
                before=self._state,
                scope=scope,
                names=names,
                ids=self._store.ids,
            )
        return decided

    def _builder(self, built_by: BuiltBy) -> Builder:
        return builder_for(self._state, built_by[0], digest=built_by[1])

    def _load_run(self, run: Run) -> Trajectory:
        """
        Return a recorded run with its steps.

        Raises:
            BodyError: It was purged.
        """
        [record] = self._store.log.read(after=run.position - 1, until=run.position)
        if record.body is None:
            raise BodyError("The run was purged; nothing can be built from it any more.", position=run.position)
        event = codec.decode(record.type, record.schema, record.body, position=record.position)
        assert isinstance(event, TrajectoryRecorded)
        return event.trajectory


def microseconds(moment: datetime | str | None) -> int | None:
    """
    Return a time in microseconds since 1970 UTC; None stays None.

    Raises:
        InvalidInputError: It is no time, or says no zone.
    """
    if moment is None:
        return None
    try:
        parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError as error:
        raise InvalidInputError(f"A time must look like 2026-11-03T12:00Z (got {moment!r}).") from error
    if parsed.tzinfo is None:
        raise InvalidInputError(f"A time must say its zone, such as {parsed.isoformat()}Z (got {parsed.isoformat()}).")
    return round(parsed.astimezone(UTC).timestamp() * 1_000_000)


@contextlib.contextmanager
def as_invalid_input() -> Iterator[None]:
    """Turn what an event's own checks refuse into the error that callers catch."""
    try:
        yield
    except InvalidInputError:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidInputError(str(error.args[0] if error.args else error)) from error
