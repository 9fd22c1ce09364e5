"""
From events to procedures: which events are in force, and what a procedure becomes by each of them.

``evolve`` is a pure function of one procedure and one event, and total: evidence about a revision that is not there,
or a verdict on it, changes nothing, because an undo may have taken away what it speaks of. ``State`` alone mutates its
mappings; a fresh mapping for every event would make replay quadratic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import assert_never

import attrs

from memp.codec import TrajectoryHead, decode, decode_trajectory_head
from memp.errors import StreamGapError
from memp.events import (
    Event,
    EventsUndone,
    ProcedureAdded,
    ProcedureErased,
    ProcedureGeneralised,
    ProcedureMerged,
    ProcedureReflected,
    ProcedureUnerased,
    ProcedureValidated,
    ResourceRecorded,
    RevisionAccepted,
    RevisionRejected,
    TrajectoryRecorded,
    VectorRef,
)
from memp.model import (
    CREDIT_UNIT,
    ContentKey,
    EventId,
    Evidence,
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
from memp.record import Record


@attrs.frozen(kw_only=True)
class Entry:
    """
    An event with what the fold needs of its record.

    Attributes:
        event_id: The event; also the id of a revision that it makes.

        position: Where it stands.

        derived_from: The events whose content its content was made from.

        event: The event, decoded.
    """

    event_id: EventId
    position: Position
    derived_from: tuple[str, ...]
    event: Event


@attrs.frozen(kw_only=True)
class Run:
    """
    A recorded trajectory, without its steps.

    Attributes:
        event_id: The event that recorded it.

        position: Where it stands; the steps are read from there.

        head: What is known of it without its steps.
    """

    event_id: EventId
    position: Position
    head: TrajectoryHead


def out_of_force(undos: Sequence[tuple[EventId, Iterable[EventId]]]) -> frozenset[EventId]:
    """
    Return the events that are out of force.

    An event is in force unless an undo that is itself in force names it. An undo can only name what stands before it,
    so going through them from the last to the first settles each one before it is needed.

    Args:
        undos: (id of the undo, the events that it names), in the order of the log.
    """
    out: set[EventId] = set()
    for undo, named in reversed(undos):
        if undo not in out:
            out.update(named)
    return frozenset(out)


def evolve(
    procedure_id: ProcedureId, procedure: Procedure | None, entry: Entry, *, tainted: bool = False
) -> Procedure | None:
    """
    Return what the procedure *procedure_id* becomes by *entry*; None while it does not exist.

    Args:
        procedure_id: The procedure that is folded; a merge touches several.

        procedure: As it was.

        entry: An event in force that touches it.

        tainted: Whether something that the event's content was made from is out of force.
    """
    event = entry.event
    match event:
        case ProcedureAdded():
            return _first(event, entry, tainted=tainted, builder=event.builder)
        case ProcedureMerged() if event.procedure_id == procedure_id:
            return _first(event, entry, tainted=tainted, builder="merge")
    if procedure is None:
        return None
    match event:
        case ProcedureMerged():
            return attrs.evolve(procedure, status=ProcedureStatus.MERGED, merged_into=event.procedure_id)
        case ProcedureValidated():
            return _validated(procedure, event)
        case ProcedureGeneralised():
            return _generalised(procedure, event, entry, tainted=tainted)
        case ProcedureReflected():
            return _reflected(procedure, event, entry, tainted=tainted)
        case RevisionAccepted():
            if _status(procedure, event.revision) is None:
                return procedure
            return _activate(procedure, event.revision)
        case RevisionRejected():
            if _status(procedure, event.revision) is not RevisionStatus.CANDIDATE:
                return procedure
            return _with_status(procedure, event.revision, RevisionStatus.REJECTED)
        case ProcedureErased():
            return attrs.evolve(procedure, status=ProcedureStatus.ERASED) if _live(procedure) else procedure
        case ProcedureUnerased():
            erased = procedure.status is ProcedureStatus.ERASED
            return attrs.evolve(procedure, status=ProcedureStatus.LIVE) if erased else procedure
        case ProcedureAdded() | TrajectoryRecorded() | ResourceRecorded() | EventsUndone():
            return procedure
        case _:
            assert_never(event)


def _first(event: ProcedureAdded | ProcedureMerged, entry: Entry, *, tainted: bool, builder: str) -> Procedure:
    revision = Revision(
        id=entry.event_id,
        content=event.content,
        content_key=event.content_key,
        sources=event.sources,
        family=entry.event_id,
        tainted=tainted,
    )
    return Procedure(
        id=event.procedure_id,
        name=event.name,
        scope=event.scope,
        builder=builder,
        toolset=event.toolset,
        tags=event.tags,
        revisions=(revision,),
        active=revision.id,
    )


def _live(procedure: Procedure) -> bool:
    return procedure.status is ProcedureStatus.LIVE


def _status(procedure: Procedure, revision_id: EventId) -> RevisionStatus | None:
    """Return how the revision stands; None if the procedure has no such revision."""
    return next((r.status for r in procedure.revisions if r.id == revision_id), None)


def _find(procedure: Procedure, revision_id: EventId) -> Revision | None:
    return next((r for r in procedure.revisions if r.id == revision_id), None)


def _with_status(procedure: Procedure, revision_id: EventId, status: RevisionStatus) -> Procedure:
    revisions = tuple(attrs.evolve(r, status=status) if r.id == revision_id else r for r in procedure.revisions)
    return attrs.evolve(procedure, revisions=revisions)


def _activate(procedure: Procedure, revision_id: EventId) -> Procedure:
    """Return *procedure* with *revision_id* active and the one before superseded."""
    if revision_id == procedure.active:
        return procedure
    superseded = _with_status(procedure, procedure.active, RevisionStatus.SUPERSEDED)
    return attrs.evolve(_with_status(superseded, revision_id, RevisionStatus.ACTIVE), active=revision_id)


def _validated(procedure: Procedure, event: ProcedureValidated) -> Procedure:
    revision = _find(procedure, event.revision)
    if revision is None:
        return procedure
    old = procedure.evidence_of(revision)
    credit = round(event.weight * CREDIT_UNIT)
    new = Evidence(
        episodes=old.episodes + 1,
        helped=old.helped + event.success,
        credit=old.credit + credit,
        helped_credit=old.helped_credit + (credit if event.success else 0),
        steps=old.steps + (event.steps or 0),
        steps_known=old.steps_known + (event.steps is not None),
    )
    return attrs.evolve(procedure, evidences={**procedure.evidences, revision.family: new})


def _joined(sources: tuple[TrajectoryId, ...], more: tuple[TrajectoryId, ...]) -> tuple[TrajectoryId, ...]:
    return tuple(dict.fromkeys((*sources, *more)))


def _generalised(procedure: Procedure, event: ProcedureGeneralised, entry: Entry, *, tainted: bool) -> Procedure:
    base = _find(procedure, event.base)
    revision = Revision(
        id=entry.event_id,
        base=event.base,
        content=event.content,
        content_key=event.content_key,
        status=RevisionStatus.CANDIDATE,
        sources=_joined(base.sources if base else (), event.sources),
        family=base.family if base and not event.candidate else entry.event_id,
        tainted=tainted or base is None,
    )
    if event.candidate:
        # The active revision was written by hand or after a failure. The runs support it too, but do not rewrite it.
        active = procedure.revision
        supported = attrs.evolve(active, sources=_joined(active.sources, event.sources))
        revisions = tuple(supported if r.id == active.id else r for r in procedure.revisions)
        return attrs.evolve(procedure, revisions=(*revisions, revision))
    return _activate(attrs.evolve(procedure, revisions=(*procedure.revisions, revision)), revision.id)


def _reflected(procedure: Procedure, event: ProcedureReflected, entry: Entry, *, tainted: bool) -> Procedure:
    base = _find(procedure, event.base)
    revision = Revision(
        id=entry.event_id,
        base=event.base,
        content=event.content,
        content_key=event.content_key,
        status=RevisionStatus.CANDIDATE,
        sources=base.sources if base else (),
        family=entry.event_id,
        critique=event.critique,
        tainted=tainted or base is None,
    )
    extended = attrs.evolve(procedure, revisions=(*procedure.revisions, revision))
    return extended if event.candidate else _activate(extended, revision.id)


def touched(event: Event) -> tuple[ProcedureId, ...]:
    """Return the procedures that *event* changes."""
    match event:
        case ProcedureMerged():
            return (event.procedure_id, *event.merged)
        case TrajectoryRecorded() | ResourceRecorded() | EventsUndone():
            return ()
        case _:
            return (event.procedure_id,)


class State:
    """
    The procedures as they stand at one position of one branch.

    Attributes:
        position: The last event that was applied; 0 before the first.

        recorded_at: The time of that event, microseconds since 1970 UTC; ages count to it, never to the clock.

        procedures: Every procedure in force, by id, whatever its status.

        runs: Every recorded trajectory, in force or not, by id.

        resources: (kind, name) to what was recorded last.
    """

    def __init__(self) -> None:
        self.position = Position(0)
        self.recorded_at = 0
        self.procedures: dict[ProcedureId, Procedure] = {}
        self.runs: dict[TrajectoryId, Run] = {}
        self.resources: dict[tuple[str, str], ResourceRecorded] = {}
        self._entries: dict[ProcedureId, list[Entry]] = {}
        self._touched: dict[EventId, tuple[ProcedureId, ...]] = {}
        self._undos: list[tuple[EventId, tuple[EventId, ...]]] = []
        self._out: frozenset[EventId] = frozenset()
        self._derived: dict[EventId, tuple[str, ...]] = {}
        self._runs_by_digest: dict[tuple[str, str], list[Run]] = {}
        self._by_key: dict[tuple[str, ContentKey], set[ProcedureId]] = {}
        self._by_name: dict[str, set[ProcedureId]] = {}
        self._versions: dict[str, int] = {}

    def apply(self, record: Record) -> set[ProcedureId]:
        """
        Apply the next record and return the procedures that it changed.

        A purged body leaves its event without effect.

        Raises:
            StreamGapError: It is not the next one.

            CorruptStoreError: Its body cannot be decoded.
        """
        if record.position <= self.position:
            raise StreamGapError("Position", expected=self.position + 1, found=record.position)
        self.position = record.position
        self.recorded_at = max(self.recorded_at, record.recorded_at)
        self._versions[record.stream] = record.version
        if record.body is None:
            return set()
        if record.type == TrajectoryRecorded.TYPE:
            self._apply_run(record)
            return set()
        event = decode(record.type, record.schema, record.body, position=record.position)
        match event:
            case TrajectoryRecorded():
                return set()
            case ResourceRecorded():
                self.resources[event.kind, event.name] = event
                return set()
            case EventsUndone():
                self._touched[record.event_id] = ()
                self._undos.append((record.event_id, event.undone))
                return self._settle()
            case _:
                return self._apply_procedure(record, event)

    def _apply_run(self, record: Record) -> None:
        head = decode_trajectory_head(record.schema, record.body or b"", position=record.position)
        run = Run(event_id=record.event_id, position=record.position, head=head)
        self._touched[record.event_id] = ()
        self.runs[head.trajectory_id] = run
        self._runs_by_digest.setdefault((head.scope, head.digest), []).append(run)

    def _apply_procedure(self, record: Record, event: Event) -> set[ProcedureId]:
        entry = Entry(event_id=record.event_id, position=record.position, derived_from=record.derived_from, event=event)
        ids = touched(event)
        self._touched[entry.event_id] = ids
        if record.derived_from:
            self._derived[entry.event_id] = record.derived_from
        tainted = bool(self._out) and self._is_tainted(entry)
        for procedure_id in ids:
            self._entries.setdefault(procedure_id, []).append(entry)
            self._replace(procedure_id, evolve(procedure_id, self.procedures.get(procedure_id), entry, tainted=tainted))
        return set(ids)

    def _settle(self) -> set[ProcedureId]:
        """Work out again what is in force and fold anew the procedures for which that changed."""
        before, self._out = self._out, out_of_force(self._undos)
        moved = before ^ self._out
        # What was made from an event that moved may have become tainted, or clean again.
        concerned = moved | {event_id for event_id in self._derived if self._reaches(event_id, moved)}
        changed = {procedure_id for event_id in concerned for procedure_id in self._touched.get(event_id, ())}
        for procedure_id in changed:
            self._replace(procedure_id, self._fold(procedure_id))
        return changed

    def _fold(self, procedure_id: ProcedureId) -> Procedure | None:
        procedure: Procedure | None = None
        for entry in self._entries.get(procedure_id, ()):
            if entry.event_id not in self._out:
                procedure = evolve(procedure_id, procedure, entry, tainted=self._is_tainted(entry))
        return procedure

    def _is_tainted(self, entry: Entry) -> bool:
        return any(self._reaches(EventId(source), self._out) for source in entry.derived_from)

    def _reaches(self, event_id: EventId, targets: frozenset[EventId]) -> bool:
        """Whether *event_id* is one of *targets* or was made, over any number of steps, from one of them."""
        seen: set[str] = set()
        waiting: list[str] = [event_id]
        while waiting:
            current = waiting.pop()
            if current in targets:
                return True
            if current not in seen:
                seen.add(current)
                waiting.extend(self._derived.get(EventId(current), ()))
        return False

    def _replace(self, procedure_id: ProcedureId, new: Procedure | None) -> None:
        old = self.procedures.get(procedure_id)
        if old is not None and (new is None or old.revisions is not new.revisions):
            for key in {revision.content_key for revision in old.revisions}:
                self._by_key[old.scope, key].discard(procedure_id)
            self._by_name[old.name].discard(procedure_id)
        if new is None:
            self.procedures.pop(procedure_id, None)
            return
        if old is None or old.revisions is not new.revisions:
            for key in {revision.content_key for revision in new.revisions}:
                self._by_key.setdefault((new.scope, key), set()).add(procedure_id)
            self._by_name.setdefault(new.name, set()).add(procedure_id)
        self.procedures[procedure_id] = new

    def in_force(self, event_id: str) -> bool:
        """Whether the event is in force here; an event that is not here counts as in force."""
        return event_id not in self._out

    def live(self) -> list[Procedure]:
        """Return the procedures that are retrieved, in the order in which they were added."""
        return self._oldest_first(procedure for procedure in self.procedures.values() if _live(procedure))

    def all(self) -> list[Procedure]:
        """Return every procedure in force, whatever its status, in the order in which they were added."""
        return self._oldest_first(self.procedures.values())

    def events_of(self, procedure_id: ProcedureId) -> list[EventId]:
        """Return the events that touch the procedure, in force or not, oldest first."""
        return [entry.event_id for entry in self._entries.get(procedure_id, ())]

    def named(self, name: str) -> list[Procedure]:
        """Return the procedures of that name, whatever their status, oldest first."""
        return self._oldest_first(self.procedures[id] for id in self._by_name.get(name, ()))

    def version(self, stream: str) -> Version:
        """Return the version that *stream* is at; 0 if it has no events."""
        return Version(self._versions.get(stream, 0))

    def _oldest_first(self, procedures: Iterable[Procedure]) -> list[Procedure]:
        return sorted(procedures, key=lambda procedure: self._entries[procedure.id][0].position)

    def known_run(self, scope: str, digest: str) -> Run | None:
        """Return the recording in *scope* and in force of the run with that content digest; None if there is none."""
        runs = self._runs_by_digest.get((scope, digest), ())
        return next((run for run in runs if run.event_id not in self._out), None)

    def find_by_key(self, scope: str, key: ContentKey) -> Procedure | None:
        """
        Return the procedure of *scope* that is, or once was, what *key* says; None if there is none.

        A live one comes before an erased one; a merged one stands for what it was merged into.
        """
        found = [self._follow_merges(self.procedures[id]) for id in self._by_key.get((scope, key), ())]
        order = {ProcedureStatus.LIVE: 0, ProcedureStatus.ERASED: 1, ProcedureStatus.MERGED: 2}
        return min(found, key=lambda p: (order[p.status], p.content_key, p.id), default=None)

    def _follow_merges(self, procedure: Procedure) -> Procedure:
        seen = {procedure.id}
        while procedure.merged_into in self.procedures and procedure.merged_into not in seen:
            procedure = self.procedures[procedure.merged_into]
            seen.add(procedure.id)
        return procedure

    def revision_vectors(self, procedure: Procedure) -> tuple[VectorRef, ...]:
        """Return the captured embeddings that find the active revision of *procedure*."""
        for entry in reversed(self._entries[procedure.id]):
            if entry.event_id == procedure.active:
                event = entry.event
                if isinstance(event, ProcedureAdded | ProcedureGeneralised | ProcedureReflected | ProcedureMerged):
                    return event.vectors
        return ()

    def digest(self) -> str:
        """
        Return the hex SHA-256 of content, support, evidence and status of all procedures.

        Neither ids nor times take part, nor the order of learning, so two stores that lived through the same have the
        same digest.
        """
        rows = sorted(canonical_bytes(self._digest_row(procedure)) for procedure in self.procedures.values())
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
        return sorted(self.runs[source].head.digest if source in self.runs else "" for source in revision.sources)


def replay(
    records: Iterable[Record], *, state: State | None = None, each: Callable[[Record], None] | None = None
) -> State:
    """
    Fold *records* into *state* and return it.

    Args:
        records: In order.

        state: Where to go on from; None starts empty.

        each: Called with every record after it was applied, for progress.
    """
    state = state or State()
    for record in records:
        state.apply(record)
        if each is not None:
            each(record)
    return state
