"""
Working out a purge: which bodies hold the content, what was made from it, and which embeddings nobody else needs.

It goes through the whole log rather than through the state, because content also stands in events that are out of
force, on other branches, or about something else: an event type that quotes content says so in ``quotes``, and nothing
else has to know. A purge rewrites the whole file anyway.

A purge is no undo. Undone content can be brought back and stands in the file; purged content is gone, and events that
stood upon it lose their effect as if they had never been said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs

from memp.codec import decode
from memp.errors import ConflictError, InvalidInputError, NotFoundError
from memp.events import (
    EpisodeFinished,
    EpisodeStarted,
    EvaluationRecorded,
    Event,
    EventsUndone,
    ModelCalled,
    ProcedureAdded,
    ProcedureMerged,
    ProcedureValidated,
    RevisionAccepted,
    RevisionRejected,
    RunDropped,
    RunQueued,
    TextsEmbedded,
    TrajectoryRecorded,
)
from memp.events.procedures import ProcedureEvent
from memp.log.copies import Copy
from memp.model import EventId, Position, ProcedureId, TrajectoryId
from memp.record import Record
from memp.retrieval.catalogue import NAMING_VECTORS, text_digest

PROCEDURE = "procedure/"
"""What the name of a procedure's stream begins with, and the subject that it is."""

TRAJECTORY = "trajectory/"
"""What the name of a recorded run's stream begins with, and the subject that it is."""

RUN = "run/"
"""What a run is by content: all recordings of one run say the same."""

QUEUED = "queued/"
"""A run that waits, or waited, to be learned from."""


@attrs.frozen(kw_only=True)
class Remaining:
    """
    An event that a purge leaves although its content is akin to what is removed.

    Attributes:
        event_id: The event.

        position: Where it stands.

        type: Stored tag.

        stream: What it is about.
    """

    event_id: EventId
    position: Position
    type: str
    stream: str


@attrs.frozen(kw_only=True)
class PurgePlan:
    """
    What a purge would remove.

    Attributes:
        positions: Whose bodies, rising.

        events: The same events by id.

        procedures: The procedures of which nothing is left.

        trajectories: The recorded runs of which nothing is left.

        derived: What was made from the removed content and stays, oldest first. It may repeat that content: pass
            ``derived`` to remove it too.

        sources: What the removed content was made from and stays, oldest first; pass ``sources`` to remove it too.

        texts: SHA-256 of the texts whose embeddings are removed, because no other body names them.

        copies: Backups and exports that may hold the content and cannot be reached from here.
    """

    positions: tuple[Position, ...]
    events: tuple[EventId, ...]
    procedures: tuple[ProcedureId, ...]
    trajectories: tuple[TrajectoryId, ...]
    derived: tuple[Remaining, ...]
    sources: tuple[Remaining, ...]
    texts: tuple[bytes, ...] = attrs.field(repr=False)
    copies: tuple[Copy, ...]


@attrs.frozen(kw_only=True)
class PurgeReport:
    """
    What a purge removed.

    Attributes:
        plan: What was planned, and done.

        record: The event that says so.
    """

    plan: PurgePlan
    record: Record


@attrs.frozen
class Quotes:
    """
    What the body of an event repeats.

    Attributes:
        subjects: A purge of any of these removes the body: ``procedure/ID``, ``trajectory/ID``, ``run/DIGEST``,
            ``episode/ID``, ``queued/ID`` or ``call/ID``.

        takes_along: The subjects of which nothing else may stay once this body is removed.
    """

    subjects: frozenset[str] = frozenset()
    takes_along: frozenset[str] = frozenset()


def quotes(event: Event) -> Quotes:
    """
    Return what the body of *event* repeats.

    Every event type that keeps words of a procedure, a run or a task belongs here.
    """
    match event:
        case TrajectoryRecorded():
            run = frozenset({event.stream, RUN + event.digest})
            return Quotes(run, run)
        case RunQueued():
            run = frozenset({QUEUED + event.queued_id, RUN + event.trajectory.digest})
            return Quotes(run, run)
        case RunDropped():
            return Quotes(frozenset({QUEUED + event.queued_id}))
        case EpisodeStarted():
            served = (PROCEDURE + one.procedure_id for one in event.served)
            return Quotes(frozenset({event.stream, *served}), frozenset({event.stream}))
        case EpisodeFinished():
            recorded = () if event.trajectory_id is None else (TRAJECTORY + event.trajectory_id,)
            return Quotes(frozenset({event.stream, *recorded}), frozenset({event.stream}))
        case EvaluationRecorded():
            return Quotes(frozenset(one.subject for one in event.involved))
        case ModelCalled():
            quoted = (*(RUN + digest for digest in event.runs), *(PROCEDURE + id for id in event.procedures))
            return Quotes(frozenset({event.stream, *quoted}))
        case ProcedureEvent():
            return Quotes(frozenset({event.stream}))
        case _:
            return Quotes()


@attrs.frozen(kw_only=True)
class _Seen:
    """
    What a purge needs to know of an event.

    Attributes:
        event_id: The event.

        position: Where it stands.

        type: Stored tag.

        stream: What it is about.

        derived_from: The events whose content its content was made from.

        gone: Whether its body was removed before.

        quotes: What it repeats.

        founds: Whether it is what makes its procedure, or records its run.

        speaks_of: The revision that it is about; None if it is about no single one.

        undoes: The events that it takes out of force.

        taints: Whether what was made from these stays, marked.

        texts: Digests of the texts whose embeddings it names.
    """

    event_id: EventId
    position: Position
    type: str
    stream: str
    derived_from: tuple[str, ...]
    gone: bool = False
    quotes: Quotes = Quotes()
    founds: bool = False
    speaks_of: EventId | None = None
    undoes: tuple[EventId, ...] = ()
    taints: bool = False
    texts: tuple[bytes, ...] = ()

    def remaining(self) -> Remaining:
        return Remaining(event_id=self.event_id, position=self.position, type=self.type, stream=self.stream)


def _see(record: Record) -> _Seen:
    seen = _Seen(
        event_id=record.event_id,
        position=record.position,
        type=record.type,
        stream=record.stream,
        derived_from=record.derived_from,
    )
    if record.body is None:
        return attrs.evolve(seen, gone=True, quotes=Quotes(frozenset({record.stream})))
    event = decode(record.type, record.schema, record.body, position=record.position)
    return attrs.evolve(
        seen,
        quotes=quotes(event),
        founds=isinstance(event, ProcedureAdded | ProcedureMerged | TrajectoryRecorded),
        speaks_of=event.revision
        if isinstance(event, ProcedureValidated | RevisionAccepted | RevisionRejected | TextsEmbedded)
        else None,
        undoes=event.undone if isinstance(event, EventsUndone) else (),
        taints=isinstance(event, EventsUndone) and event.dependents == "taint",
        texts=tuple(text_digest(ref.text) for ref in event.vectors) if isinstance(event, NAMING_VECTORS) else (),
    )


class _Reach:
    """
    What is removed, as it grows.

    Args:
        log: Every event, in order.

        subjects: Whose content is to be removed.
    """

    def __init__(self, log: Sequence[_Seen], subjects: Iterable[str]) -> None:
        self._log = log
        self._by_id = {seen.event_id: seen for seen in log}
        self._founders: dict[str, list[EventId]] = {}
        for seen in log:
            if seen.founds:
                self._founders.setdefault(seen.stream, []).append(seen.event_id)
        self.subjects = set(subjects)
        self.events: dict[EventId, _Seen] = {}

    def grow(self, *, derived: bool) -> None:
        """Take in all that quotes the subjects or stands upon what was taken in, and *derived* events if asked for."""
        before = -1
        while before != len(self.events) + len(self.subjects):
            before = len(self.events) + len(self.subjects)
            for seen in self._log:
                if seen.event_id not in self.events and self._belongs(seen, derived=derived):
                    self.events[seen.event_id] = seen
                    self.subjects |= seen.quotes.takes_along
                    self.subjects.update(self._answers(seen))
                    # A procedure that was built again from other runs has a second founder, and stays.
                    if seen.founds and all(founder in self.events for founder in self._founders[seen.stream]):
                        self.subjects.add(seen.stream)

    def _belongs(self, seen: _Seen, *, derived: bool) -> bool:
        if seen.quotes.subjects & self.subjects:
            return True
        if seen.undoes:
            # Its reason speaks of what it takes away. One that takes away or marks anything else is still needed.
            return (derived or not seen.taints) and all(event in self.events for event in seen.undoes)
        # A call repeats words of what it was made from, and is not merely made from it.
        if (derived or seen.type == ModelCalled.TYPE) and any(event in self.events for event in seen.derived_from):
            return True
        return seen.speaks_of in self.events

    def _answers(self, seen: _Seen) -> Iterator[str]:
        """Yield the calls to models whose answers became the content of *seen*: they hold its words."""
        made_from = (self._by_id.get(EventId(event)) for event in seen.derived_from)
        return (one.stream for one in made_from if one is not None and one.type == ModelCalled.TYPE)

    def ancestors(self) -> Iterator[_Seen]:
        """Yield what the content was made from, over any number of steps, and is not taken in itself."""
        waiting = [source for seen in self.events.values() for source in seen.derived_from]
        done: set[str] = set()
        while waiting:
            event = EventId(waiting.pop())
            if event in done or event not in self._by_id:
                continue
            done.add(event)
            seen = self._by_id[event]
            waiting.extend(seen.derived_from)
            if event not in self.events:
                yield seen

    def descendants(self) -> Iterator[_Seen]:
        """Yield what was made from the content, over any number of steps, and is not taken in itself."""
        made_from = set(self.events)
        for seen in self._log:
            if seen.event_id not in made_from and any(EventId(e) in made_from for e in seen.derived_from):
                made_from.add(seen.event_id)
                yield seen


def plan(
    records: Iterable[Record],
    *,
    procedures: Sequence[ProcedureId],
    trajectories: Sequence[TrajectoryId],
    derived: bool,
    sources: bool,
    copies: Sequence[Copy],
) -> PurgePlan:
    """
    Work out what a purge removes; nothing is written.

    Args:
        records: The whole log.

        procedures: Procedures of which nothing may be left, by id.

        trajectories: Recorded runs of which nothing may be left, by id; with them go other recordings of the same run.

        derived: Also remove what was made from that.

        sources: Also remove what that was made from.

        copies: The backups and exports that are remembered.

    Raises:
        InvalidInputError: Nothing was named.

        NotFoundError: There never was such a procedure or run.

        ConflictError: Everything that was named was purged before.
    """
    wanted = [*(PROCEDURE + id for id in procedures), *(TRAJECTORY + id for id in trajectories)]
    if not wanted:
        raise InvalidInputError("A purge must name what to remove: 'procedure_ids' or 'trajectory_ids' (got neither).")
    log = [_see(record) for record in records]
    streams = {seen.stream for seen in log}
    for subject in wanted:
        if subject not in streams:
            kind, _, id = subject.partition("/")
            raise NotFoundError(f"There never was a {kind} {id!r} in this log.")
    reach = _Reach(log, wanted)
    reach.grow(derived=False)
    if sources:
        reach.subjects |= {seen.stream for seen in reach.ancestors()}
    reach.grow(derived=derived)
    chosen = sorted((seen for seen in reach.events.values() if not seen.gone), key=lambda seen: seen.position)
    if not chosen:
        raise ConflictError(f"All of {', '.join(wanted)} was purged before; there is nothing left to remove.")
    taken = set(reach.events)
    kept = {text for seen in log if seen.event_id not in taken for text in seen.texts}
    founded = {seen.stream for seen in chosen if seen.founds}
    return PurgePlan(
        positions=tuple(seen.position for seen in chosen),
        events=tuple(seen.event_id for seen in chosen),
        procedures=tuple(ProcedureId(id) for id in _named(founded, PROCEDURE)),
        trajectories=tuple(TrajectoryId(id) for id in _named(founded, TRAJECTORY)),
        derived=_remaining(reach.descendants()),
        sources=_remaining(reach.ancestors()),
        texts=tuple(sorted({text for seen in chosen for text in seen.texts} - kept)),
        copies=tuple(copy for copy in copies if copy.position >= chosen[0].position),
    )


def _named(streams: Iterable[str], kind: str) -> list[str]:
    return sorted(stream.removeprefix(kind) for stream in streams if stream.startswith(kind))


def _remaining(found: Iterable[_Seen]) -> tuple[Remaining, ...]:
    left = (seen.remaining() for seen in found if not seen.gone)
    return tuple(sorted(left, key=lambda one: one.position))
