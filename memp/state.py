"""
The procedures as they stood at any position of any branch.

Each procedure has a timeline on each branch: what it became, and at which position. Looking at an old version is then a
search in a sorted list, and nothing is folded again; folding up to a position for every question about the past would
make ``bisect`` and ``diff`` quadratic. A fork starts with empty timelines and looks further back in its parent's.
An undo appends to the timelines of the procedures that it touches what they become without the undone events.

``History`` alone mutates, and only by the next record; a ``State`` reads one version of it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from typing import Generic, TypeVar

import attrs
import msgspec

from memp.codec import decode
from memp.episodes import Diary
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
    ProcedureStatus,
    Revision,
    RevisionStatus,
    TrajectoryId,
    Version,
    canonical_bytes,
)
from memp.projection import Entry, Run, Tombstone, evolve, first, out_of_force, touched
from memp.record import Record
from memp.scopes import EVERYBODY, readable, share_a_view

K = TypeVar("K")
V = TypeVar("V")

WHAT_IF = "(what if)"
"""Name of a branch that only a plan knows; no branch that a user makes can be called that."""

NOTHING: frozenset[EventId] = frozenset()
"""What is out of force before the first undo."""


class Timeline(Generic[V]):
    """What something was, from which position on."""

    __slots__ = ("_positions", "_values")

    def __init__(self) -> None:
        self._positions: list[int] = []
        self._values: list[V] = []

    @classmethod
    def of(cls, positions: list[int], values: list[V]) -> Timeline[V]:
        """Return the timeline with these columns, and keep them: *positions*, rising, and the value from each on."""
        timeline = cls()
        timeline._positions, timeline._values = positions, values
        return timeline

    def append(self, position: int, value: V) -> None:
        """Say that it is *value* from *position* on; positions never go back, and one said again replaces."""
        positions = self._positions
        if positions and positions[-1] >= position:
            assert positions[-1] == position
            self._values[-1] = value
            return
        positions.append(position)
        self._values.append(value)

    def at(self, position: int, default: V) -> V:
        """Return what it was at *position*; *default* before it was anything."""
        # What is asked most is the present, and it needs no search.
        if self._positions and self._positions[-1] <= position:
            return self._values[-1]
        found = bisect_right(self._positions, position)
        return self._values[found - 1] if found else default

    def last(self) -> V:
        """Return what it is now."""
        return self._values[-1]

    def begins(self) -> int:
        """Return the first position at which it was anything."""
        return self._positions[0]

    def columns(self) -> tuple[Sequence[int], Sequence[V]]:
        """Return the positions, rising, and the value from each of them on."""
        return self._positions, self._values


class Placed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    Where an event stands, without its content.

    Attributes:
        branch: The branch.

        position: The position.

        type: Stored tag.

        actor: Who wrote it.

        recorded_at: When, microseconds since 1970 UTC.

        batch: The operation that it is part of.

        derived_from: The events whose content its content was made from.

        touched: The procedures that it changes.

        scope: Whose it is; only readers in that scope and below it see it.
    """

    branch: str
    position: Position
    type: str
    actor: str
    recorded_at: int
    batch: str
    derived_from: tuple[str, ...]
    touched: tuple[ProcedureId, ...]
    scope: str = EVERYBODY


class Branch:
    """
    One line of events, and what it made of what it shares with its parent.

    Attributes:
        name: The name.

        parent: The branch whose past it shares; None for ``main``.

        forked_at: The last position that it shares.

        position: Its last event; ``forked_at`` before the first.

        recorded_at: The latest time on it, microseconds since 1970 UTC; 0 before its first event.

        deleted: Why it was deleted; None while it is there.

        promoted: Events of other branches that were said again here, to the events that say them.

        diary: Its episodes, the policies that were set on it, and the runs that wait.
    """

    def __init__(self, name: str, *, parent: Branch | None = None, forked_at: int = 0) -> None:
        self.name = name
        self.parent = parent
        self.forked_at = Position(forked_at)
        self.position = Position(forked_at)
        self.deleted: str | None = None
        self.promoted: dict[EventId, EventId] = {}
        self.procedures: MutableMapping[ProcedureId, Timeline[Procedure | None]] = {}
        self.entries: MutableMapping[ProcedureId, list[Entry]] = {}
        self.runs: MutableMapping[TrajectoryId, Run] = {}
        self.runs_by_digest: MutableMapping[tuple[str, str], list[Run]] = {}
        self.resources: dict[tuple[str, str], Timeline[ResourceRecorded | None]] = {}
        self.undos: list[tuple[Position, EventId, EventsUndone]] = []
        self.out: Timeline[frozenset[EventId] | None] = Timeline()
        self.recorded_at = 0
        self.times: Timeline[int] = Timeline()
        self.times_by_scope: dict[str, Timeline[int]] = {}
        self.versions: dict[str, int] = {}
        self.diary = Diary()

    def lineage(self, position: int) -> Iterator[tuple[Branch, int]]:
        """Yield (branch, last position of it that is seen), this one first, then its ancestors."""
        branch: Branch | None = self
        while branch is not None:
            yield branch, position
            position = min(position, branch.forked_at)
            branch = branch.parent

    def procedure(self, procedure_id: ProcedureId, position: int) -> Procedure | None:
        """Return the procedure as it stood at *position*; None if it was not there."""
        for branch, until in self.lineage(position):
            timeline = branch.procedures.get(procedure_id)
            if timeline is not None and timeline.begins() <= until:
                return timeline.at(until, None)
        return None

    def entries_of(self, procedure_id: ProcedureId, position: int) -> list[Entry]:
        """Return the events that touch the procedure up to *position*, in force or not, oldest first."""
        found: list[Entry] = []
        for branch, until in self.lineage(position):
            found[:0] = [e for e in branch.entries.get(procedure_id, ()) if e.position <= until]
        return found

    def undos_until(self, position: int) -> list[tuple[EventId, tuple[EventId, ...]]]:
        """Return (undo, what it names) for every undo that is seen at *position*, oldest first."""
        found: list[tuple[EventId, tuple[EventId, ...]]] = []
        for branch, until in self.lineage(position):
            found[:0] = [(event_id, undo.undone) for at, event_id, undo in branch.undos if at <= until]
        return found

    def last_at(self, recorded_at: int, until: int) -> int:
        """Return the last position on this branch, up to *until*, recorded at or before that time; 0 if none."""
        positions, times = self.times.columns()
        found = bisect_right(times, recorded_at)
        return min(positions[found - 1], until) if found else 0

    def out_at(self, position: int) -> frozenset[EventId]:
        """Return what is out of force at *position*."""
        for branch, until in self.lineage(position):
            found = branch.out.at(until, None)
            if found is not None:
                return found
        return NOTHING


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
        entry = Entry(
            event_id=record.event_id, position=record.position, derived_from=record.derived_from, said=stored
        )
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


class State:
    """
    One version of the memory: what is seen on a branch up to a position.

    Args:
        history: All versions.

        branch: The branch; None is ``main``.

        position: The last position that is seen; None follows the end of the branch.

        scope: Who reads: what this scope and those above it hold is here, and nothing else; None sees all scopes.
    """

    def __init__(
        self,
        history: History,
        branch: Branch | None = None,
        position: int | None = None,
        *,
        scope: str | None = EVERYBODY,
    ) -> None:
        self.history = history
        self.branch = branch or history.branches[MAIN]
        self.scope = scope
        self._position = None if position is None else Position(position)

    @property
    def position(self) -> Position:
        """The last event that is seen; 0 if there is none."""
        return self.branch.position if self._position is None else self._position

    @property
    def recorded_at(self) -> int:
        """The time of that event, microseconds since 1970 UTC; ages count to it, never to the clock. 0 if none."""
        for branch, until in self.branch.lineage(self.position):
            times = (time.at(until, 0) for scope, time in branch.times_by_scope.items() if self.reads(scope))
            found = max(times, default=0)
            if found:
                return found
        return 0

    def reads(self, scope: str) -> bool:
        """Whether what *scope* holds is seen here."""
        return self.scope is None or scope == EVERYBODY or scope in readable(self.scope)

    @property
    def out(self) -> frozenset[EventId]:
        """The events that are out of force here."""
        return self.branch.out_at(self.position)

    def sees(self, event_id: str) -> bool:
        """Whether the event is on the line of events that is seen here and in a scope that is read, in force or not."""
        placed = self.history.placed.get(EventId(event_id))
        return placed is not None and self.reads(placed.scope) and self.sees_record(placed.branch, placed.position)

    def sees_record(self, branch: str, position: int) -> bool:
        """Whether the record at *position* on *branch* stands on the line of events that is seen here."""
        return any(one.name == branch and one.forked_at < position <= until for one, until in self._lineage())

    def _lineage(self) -> Iterator[tuple[Branch, int]]:
        return self.branch.lineage(self.position)

    def in_force(self, event_id: str) -> bool:
        """Whether the event is seen here and in force."""
        return self.sees(event_id) and event_id not in self.out

    # -- procedures ----------------------------------------------------------------------------------------------

    def get(self, procedure_id: str) -> Procedure | None:
        """Return the procedure of that id; None if it is not here."""
        procedure = self.branch.procedure(ProcedureId(procedure_id), self.position)
        return procedure if procedure is not None and self.reads(procedure.scope) else None

    def ids(self) -> set[ProcedureId]:
        """Return the ids of all procedures that ever were on this line of events; some may not be here."""
        return {id for branch, _ in self._lineage() for id in branch.procedures}

    def all(self) -> list[Procedure]:
        """Return every procedure, whatever its status, in the order in which they were added."""
        return self._present(self.ids())

    def live(self) -> list[Procedure]:
        """Return the procedures that are retrieved, in the order in which they were added."""
        return [procedure for procedure in self.all() if procedure.status is ProcedureStatus.LIVE]

    def named(self, name: str) -> list[Procedure]:
        """Return the procedures of that name, whatever their status, oldest first."""
        return [p for p in self._present(self.history.by_name.get(name, ())) if p.name == name]

    def is_taken(self, name: str) -> bool:
        """
        Whether some reader of a procedure that is added in this scope would see another one of that name.

        Those readers stand in this scope or below it, and see what is above, here and below; never what stands beside.
        """
        everywhere = State(self.history, self.branch, self._position, scope=None)
        return any(self.scope is None or share_a_view(p.scope, self.scope) for p in everywhere.named(name))

    def _present(self, ids: Iterable[ProcedureId]) -> list[Procedure]:
        position, born = self.position, self.history.born
        ordered = sorted(ids, key=lambda id: (born.get(id, position), id))
        found = [self.branch.procedure(id, position) for id in ordered]
        return [procedure for procedure in found if procedure is not None and self.reads(procedure.scope)]

    def find_by_key(self, scope: str, key: ContentKey) -> Procedure | None:
        """
        Return the procedure of *scope* that is, or once was, what *key* says; None if there is none.

        A live one comes before an erased one; a merged one stands for what it was merged into.
        """
        there = self._present(self.history.by_key.get((scope, key), ()))
        # One that waits for a verdict is not here yet.
        there = [p for p in there if p.status is not ProcedureStatus.CANDIDATE]
        found = [self._follow_merges(p) for p in there if any(r.content_key == key for r in p.revisions)]
        order = {ProcedureStatus.LIVE: 0, ProcedureStatus.ERASED: 1, ProcedureStatus.MERGED: 2}
        return min(found, key=lambda p: (order[p.status], p.content_key, p.id), default=None)

    def _follow_merges(self, procedure: Procedure) -> Procedure:
        seen = {procedure.id}
        while procedure.merged_into is not None and procedure.merged_into not in seen:
            target = self.get(procedure.merged_into)
            if target is None:
                break
            procedure = target
            seen.add(procedure.id)
        return procedure

    def entries_of(self, procedure_id: str) -> list[Entry]:
        """Return the events that touch the procedure, in force or not, oldest first."""
        if not self.reads(self.history.scopes.get(f"procedure/{procedure_id}", EVERYBODY)):
            return []
        return self.branch.entries_of(ProcedureId(procedure_id), self.position)

    # -- what else is on record ----------------------------------------------------------------------------------

    def version(self, stream: str) -> Version:
        """Return the version that *stream* is at on this branch; 0 if it has no events there."""
        return Version(self.branch.versions.get(stream, 0))

    def run(self, trajectory_id: str) -> Run | None:
        """Return the recording of that id, in force or not; None if it is not here."""
        for branch, until in self._lineage():
            run = branch.runs.get(TrajectoryId(trajectory_id))
            if run is not None and run.position <= until and self.reads(run.head.scope):
                return run
        return None

    def runs(self) -> list[Run]:
        """Return the recordings that are in force, oldest first."""
        out = self.out
        found = [run for branch, until in self._lineage() for run in branch.runs.values() if run.position <= until]
        seen = (run for run in found if run.event_id not in out and self.reads(run.head.scope))
        return sorted(seen, key=lambda run: run.position)

    def known_run(self, scope: str, digest: str) -> Run | None:
        """Return the recording in *scope* and in force of the run with that content digest; None if there is none."""
        out = self.out
        for branch, until in self._lineage():
            for run in branch.runs_by_digest.get((scope, digest), ()):
                if run.position <= until and run.event_id not in out:
                    return run
        return None

    def resource(self, kind: str, name: str) -> ResourceRecorded | None:
        """Return the resource as it was recorded last; None if it never was."""
        for branch, until in self._lineage():
            timeline = branch.resources.get((kind, name))
            if timeline is not None and timeline.begins() <= until:
                return timeline.at(until, None)
        return None

    def resource_digests(self, kind: str, name: str) -> set[str]:
        """Return the digests of every resource of that kind and name that is or was on record here."""
        return {
            resource.digest
            for branch, until in self._lineage()
            for at, resource in zip(*branch.resources.get((kind, name), Timeline()).columns(), strict=True)
            if resource is not None and at <= until
        }

    def tombstones(self, stream: str | None = None) -> list[Tombstone]:
        """Return what is left of the events seen here whose content was removed, or of those of one stream."""
        return [
            stone
            for stone in self.history.tombstones.values()
            if (stream is None or stone.stream == stream) and self.sees_record(stone.branch, stone.position)
        ]

    # -- digest --------------------------------------------------------------------------------------------------

    def digest(self) -> str:
        """
        Return the hex SHA-256 of content, support, evidence and status of all procedures.

        Neither ids nor times take part, nor the order of learning, so two stores that lived through the same have the
        same digest.
        """
        rows = sorted(canonical_bytes(self._digest_row(procedure)) for procedure in self.all())
        return hashlib.sha256(b"\n".join(rows)).hexdigest()

    def _digest_row(self, procedure: Procedure) -> list[object]:
        shown = [r for r in procedure.revisions if r.status is RevisionStatus.CANDIDATE or r.id == procedure.active]
        revisions = sorted(
            (
                (r.status, r.content_key, r.content, r.tainted, self._support(r), procedure.evidence_of(r), r.critique)
                for r in shown
            ),
            key=canonical_bytes,
        )
        return [procedure.scope, procedure.status, procedure.builder, procedure.tags, procedure.toolset, revisions]

    def _support(self, revision: Revision) -> list[str]:
        """Return the content digests of the runs behind *revision*, sorted; a purged one has none."""
        runs = (self.run(source) for source in revision.sources)
        return sorted(run.head.digest if run is not None else "" for run in runs)


def without(state: State, events: Iterable[EventId]) -> tuple[State, tuple[ProcedureId, ...]]:
    """
    Return *state* as it would be with *events* out of force, and the procedures that it changes; nothing is stored.

    It is a branch that nobody else knows, with one undo on it, so that what is planned and what is then done cannot
    differ.
    """
    branch = Branch(WHAT_IF, parent=state.branch, forked_at=state.position)
    named = tuple(events)
    if not named:
        return State(state.history, branch, scope=state.scope), ()
    undo = EventsUndone(undone=named, dependents="cascade", reason="what if")
    branch.undos.append((branch.position, EventId(WHAT_IF), undo))
    changed = state.history.settle(branch)
    return State(state.history, branch, scope=state.scope), changed


def also(state: State, entries: Iterable[Entry]) -> tuple[ProcedureId, ...]:
    """Let *entries* happen next in a version that ``without`` made, and return the procedures that they change."""
    branch = state.branch
    assert branch.name == WHAT_IF
    changed: set[ProcedureId] = set()
    for entry in entries:
        branch.position = Position(branch.position + 1)
        ids = touched(entry.event)
        state.history._apply_entry(branch, msgspec.structs.replace(entry, position=branch.position), ids)
        changed.update(ids)
    return tuple(sorted(changed))


def replay(records: Iterable[Record], *, history: History | None = None) -> History:
    """Apply *records*, in order, to *history* (None starts empty) and return it."""
    history = history or History()
    for record in records:
        history.apply(record)
    return history
