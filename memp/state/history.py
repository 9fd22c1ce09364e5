"""
Every version of the memory on every branch, one record after the other: the only place where state changes.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import TypeVar

import attrs
import msgspec

from memp.codec import decode
from memp.errors import CorruptStoreError, EventNotFoundError, StreamGapError
from memp.events import (
    BranchDeleted,
    BranchForked,
    BranchPromoted,
    ContentPurged,
    EpisodeFinished,
    EpisodeStarted,
    EvaluationRecorded,
    Event,
    EventsUndone,
    GateSet,
    LossAccepted,
    ModelCalled,
    PolicySet,
    ProcedureAdded,
    ProcedureMerged,
    ResourceRecorded,
    RunDropped,
    RunQueued,
    TrajectoryRecorded,
    VersionTagged,
)
from memp.heads import ProcedureHead, StoredProcedure, decode_procedure_head, decode_trajectory_head
from memp.log.base import MAIN
from memp.model import (
    ContentKey,
    EventId,
    Position,
    Procedure,
    ProcedureId,
)
from memp.projection import Entry, Run, Tombstone, evolve, first, out_of_force, touched
from memp.record import Record
from memp.scopes import EVERYBODY
from memp.state.branch import WHAT_IF, Branch, Placed
from memp.state.timeline import Timeline

K = TypeVar("K")


class Applied(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    What a record changed.

    Attributes:
        event_id: The event.

        event: The event, decoded, or the head of a new procedure; None for a run, whose steps stay in the log, and for
            a purged body.

        changed: The procedures that may be others than before.
    """

    event_id: EventId
    event: Event | ProcedureHead | None
    changed: tuple[ProcedureId, ...]


def _note(found: dict[K, tuple[ProcedureId, ...]], key: K, procedure_id: ProcedureId) -> None:
    """Note that *key* finds the procedure. Nearly every key finds one alone: a set would be four times as big."""
    there = found.get(key)
    if there is None:
        found[key] = (procedure_id,)
    elif procedure_id not in there:
        found[key] = (*there, procedure_id)


class History:
    """
    Every version of the memory, on every branch.

    Attributes:
        position: The last record that was applied, on any branch.

        branches: Every branch, deleted ones too.

        placed: Where each event stands.

        said: What each event says that changes procedures.

        recorded: The run that each event recorded.

        tags: Name to what it named, from which position on.

        tombstones: Position whose content was removed, to what is left of it.

        scopes: Stream to the scope that holds it.
    """

    def __init__(self) -> None:
        self.position = Position(0)
        self.branches: dict[str, Branch] = {MAIN: Branch(MAIN)}
        self.placed: MutableMapping[EventId, Placed] = {}
        self.said: MutableMapping[EventId, Entry] = {}
        self.recorded: MutableMapping[EventId, Run] = {}
        self.tags: dict[str, Timeline[VersionTagged]] = {}
        self.tombstones: dict[Position, Tombstone] = {}
        self.by_name: dict[str, tuple[ProcedureId, ...]] = {}
        self.by_key: dict[tuple[str, ContentKey], tuple[ProcedureId, ...]] = {}
        self.born: dict[ProcedureId, Position] = {}
        self.scopes: dict[str, str] = {}
        self._derivatives: dict[EventId, list[EventId]] = {}

    @property
    def purged(self) -> dict[Position, Position]:
        """Position whose content was removed for good, to the position of the event that says why."""
        return {at: stone.purged_at for at, stone in self.tombstones.items() if stone.purged_at is not None}

    def apply(self, record: Record) -> Applied:
        """
        Apply the next record.

        A purged body leaves its event without effect.

        Raises:
            StreamGapError: It is not the next one.

            CorruptStoreError: Its body cannot be decoded, or its branch is not known.
        """
        if record.position != self.position + 1:
            raise StreamGapError("Position", expected=self.position + 1, found=record.position)
        event = None
        if record.body is not None:
            # These two are nearly all that there is.
            if record.type == TrajectoryRecorded.TYPE:
                return self._apply_run(record, record.body)
            if record.type == ProcedureAdded.TYPE:
                head = decode_procedure_head(record.schema, record.body, position=record.position)
                if head is not None:
                    return self._apply_added(record, record.body, head)
        if record.body is not None:
            event = decode(record.type, record.schema, record.body, position=record.position)
        ids = () if event is None else touched(event)
        branch = self._place(record, event, ids)
        if event is not None and ids:
            entry = Entry(
                event_id=record.event_id, position=record.position, derived_from=record.derived_from, said=event
            )
            self.said[record.event_id] = entry
            self._apply_entry(branch, entry, ids)
        else:
            ids = self._apply_other(branch, record, event)
        return Applied(event_id=record.event_id, event=event, changed=ids)

    def _apply_other(self, branch: Branch, record: Record, event: Event | None) -> tuple[ProcedureId, ...]:
        """Apply an event that is about no procedure, and return the procedures that change all the same."""
        match event:
            case ResourceRecorded():
                branch.resources.setdefault((event.kind, event.name), Timeline()).append(record.position, event)
            case EventsUndone():
                branch.undos.append((record.position, record.event_id, event))
                return self.settle(branch)
            case VersionTagged():
                self.tags.setdefault(event.name, Timeline()).append(record.position, event)
            case BranchPromoted():
                branch.promoted.update(zip(event.originals, event.copies, strict=True))
            case BranchDeleted():
                branch.deleted = event.reason
            case ContentPurged():
                self._say_why(event, record.position)
            case EpisodeStarted() | EpisodeFinished() | PolicySet() | GateSet() | RunQueued() | RunDropped():
                branch.diary.note(
                    event, event_id=record.event_id, position=record.position, recorded_at=record.recorded_at
                )
            case BranchForked() | TrajectoryRecorded() | LossAccepted() | EvaluationRecorded() | ModelCalled():
                pass
        return ()

    def _scope_of(self, stream: str, event: Event | None, scope: str | None) -> str:
        """Return whose an event is: what it says itself, or what the first one of its stream said."""
        if event is None:
            return self.scopes.get(stream, EVERYBODY) if scope is None else self.scopes.setdefault(stream, scope)
        match event:
            case (
                ProcedureAdded()
                | ProcedureMerged()
                | EpisodeStarted()
                | RunQueued()
                | EvaluationRecorded()
                | ModelCalled()
            ):
                scope = event.scope
        match event:
            case RunQueued() | RunDropped():
                # All runs that wait share one stream.
                stream = f"{stream}/{event.queued_id}"
        return self.scopes.setdefault(stream, scope) if scope is not None else self.scopes.get(stream, EVERYBODY)

    def _place(
        self, record: Record, event: Event | None, ids: tuple[ProcedureId, ...], *, scope: str | None = None
    ) -> Branch:
        """
        Note where the record stands, and return its branch.

        Args:
            record: The record.

            event: What it says; None for a run, and for a purged body.

            ids: The procedures that it changes.

            scope: Whose a run is.
        """
        if isinstance(event, BranchForked) and event.name not in self.branches:
            self.branches[event.name] = Branch(event.name, parent=self.branches[event.parent], forked_at=event.position)
        branch = self.branches.get(record.branch)
        if branch is None:
            raise CorruptStoreError(
                f"Position {record.position} is on the branch {record.branch!r}, which was never forked."
            )
        self.position = branch.position = position = record.position
        branch.recorded_at = recorded_at = max(branch.recorded_at, record.recorded_at)
        branch.times.append(position, recorded_at)
        branch.versions[record.stream] = record.version
        scope = self._scope_of(record.stream, event, scope)
        self.placed[record.event_id] = Placed(
            branch=record.branch,
            position=position,
            type=record.type,
            actor=record.actor,
            recorded_at=record.recorded_at,
            batch=record.batch,
            derived_from=record.derived_from,
            touched=ids,
            scope=scope,
        )
        if not isinstance(event, BranchForked):
            # Ages count to the last thing that happened; a fork is no such thing, and answers as its past does.
            seen = branch.times_by_scope.get(scope)
            if seen is None:
                seen = branch.times_by_scope[scope] = Timeline()
            seen.append(position, recorded_at)
        if record.body is None:
            self.tombstones[record.position] = Tombstone(
                event_id=record.event_id,
                position=record.position,
                type=record.type,
                stream=record.stream,
                branch=record.branch,
            )
        for source in record.derived_from:
            made = self._derivatives.get(source)  # type: ignore[call-overload]
            if made is None:
                self._derivatives[EventId(source)] = [record.event_id]
            else:
                made.append(record.event_id)
        return branch

    def _say_why(self, event: ContentPurged, position: Position) -> None:
        for purged in map(Position, event.positions):
            if purged in self.tombstones:
                self.tombstones[purged] = attrs.evolve(self.tombstones[purged], purged_at=position)

    def _apply_run(self, record: Record, body: bytes) -> Applied:
        head = decode_trajectory_head(record.schema, body, position=record.position)
        branch = self._place(record, None, (), scope=head.scope)
        run = Run(event_id=record.event_id, position=record.position, head=head)
        self.recorded[record.event_id] = branch.runs[head.trajectory_id] = run
        branch.runs_by_digest.setdefault((head.scope, head.digest), []).append(run)
        return Applied(event_id=record.event_id, event=None, changed=())

    def _apply_added(self, record: Record, body: bytes, head: ProcedureHead) -> Applied:
        ids = (head.procedure_id,)
        branch = self._place(record, None, ids, scope=head.scope)
        stored = StoredProcedure(body, record.position)
        entry = Entry(event_id=record.event_id, position=record.position, derived_from=record.derived_from, said=stored)
        self.said[record.event_id] = entry
        tainted = self._is_tainted_at(branch, entry)
        branch.entries.setdefault(head.procedure_id, []).append(entry)
        self._set(branch, head.procedure_id, first(head, stored, event_id=record.event_id, tainted=tainted))
        return Applied(event_id=record.event_id, event=head, changed=ids)

    def _is_tainted_at(self, branch: Branch, entry: Entry) -> bool:
        out = branch.out_at(entry.position)
        return bool(out) and self.is_tainted(entry, out)

    def _apply_entry(self, branch: Branch, entry: Entry, ids: tuple[ProcedureId, ...]) -> None:
        tainted = self._is_tainted_at(branch, entry)
        for procedure_id in ids:
            branch.entries.setdefault(procedure_id, []).append(entry)
            before = branch.procedure(procedure_id, entry.position)
            self._set(branch, procedure_id, evolve(procedure_id, before, entry, tainted=tainted))

    def settle(self, branch: Branch) -> tuple[ProcedureId, ...]:
        """Work out again what is in force at the end of *branch*, and fold anew the procedures that this changes."""
        position = branch.position
        before = branch.out_at(position)
        after = out_of_force(branch.undos_until(position))
        branch.out.append(position, after)
        # What was made from an event that moved may have become tainted, or clean again.
        moved = before ^ after
        concerned = moved | self.derivatives(moved)
        changed = {id for event_id in concerned if event_id in self.placed for id in self.placed[event_id].touched}
        for procedure_id in sorted(changed):
            self._set(branch, procedure_id, self._fold(branch, procedure_id, after))
        return tuple(sorted(changed))

    def _fold(self, branch: Branch, procedure_id: ProcedureId, out: frozenset[EventId]) -> Procedure | None:
        procedure: Procedure | None = None
        for entry in branch.entries_of(procedure_id, branch.position):
            if entry.event_id not in out:
                procedure = evolve(procedure_id, procedure, entry, tainted=self.is_tainted(entry, out))
        return procedure

    def _set(self, branch: Branch, procedure_id: ProcedureId, procedure: Procedure | None) -> None:
        timeline = branch.procedures.get(procedure_id)
        if timeline is None:
            timeline = branch.procedures[procedure_id] = Timeline()
        timeline.append(branch.position, procedure)
        if branch.name == WHAT_IF:
            return
        self.born.setdefault(procedure_id, branch.position)
        if procedure is not None:
            _note(self.by_name, procedure.name, procedure_id)
            for revision in procedure.revisions:
                _note(self.by_key, (procedure.scope, revision.content_key), procedure_id)

    def derivatives(self, events: Iterable[EventId]) -> set[EventId]:
        """Return the events whose content was made, over any number of steps, from one of *events*."""
        found: set[EventId] = set()
        waiting = list(events)
        while waiting:
            for made in self._derivatives.get(waiting.pop(), ()):
                if made not in found:
                    found.add(made)
                    waiting.append(made)
        return found

    def is_tainted(self, entry: Entry, out: frozenset[EventId]) -> bool:
        """Whether *entry* was made, over any number of steps, from an event that is out of force."""
        if not out:
            return False
        seen: set[str] = set()
        waiting = list(entry.derived_from)
        while waiting:
            current = EventId(waiting.pop())
            if current in out:
                return True
            if current not in seen:
                seen.add(current)
                placed = self.placed.get(current)
                waiting.extend(placed.derived_from if placed else ())
        return False

    def place(self, event_id: str) -> Placed:
        """
        Return where the event stands.

        Raises:
            EventNotFoundError: There is no such event.
        """
        placed = self.placed.get(EventId(event_id))
        if placed is None:
            raise EventNotFoundError(event_id)
        return placed


def replay(records: Iterable[Record], *, history: History | None = None) -> History:
    """Apply *records*, in order, to *history* (None starts empty) and return it."""
    history = history or History()
    for record in records:
        history.apply(record)
    return history
