"""
Working out an undo before anything is written.

What is planned is a version of the memory of its own (``memp.state.without``), so what a dry run shows and what is then
done cannot differ. History never shrinks: an undo is one more event, and undoing it brings back what it took away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import attrs

from memp.episodes import episodes_serving
from memp.errors import ConflictError, DependentsError, InvalidInputError, NotFoundError, PositionNotFoundError
from memp.events import (
    EventsUndone,
    ModelCalled,
    ProcedureAdded,
    ProcedureErased,
    ProcedureGeneralised,
    ProcedureMerged,
    ProcedureReflected,
    ProcedureUnerased,
    ProcedureValidated,
    RevisionAccepted,
    RevisionRejected,
    TrajectoryRecorded,
)
from memp.history.diff import Diff, compare
from memp.model import EventId, ProcedureId
from memp.state import State, without

UNDOABLE = frozenset(
    cls.TYPE
    for cls in (
        EventsUndone,
        ProcedureAdded,
        ProcedureErased,
        ProcedureGeneralised,
        ProcedureMerged,
        ProcedureReflected,
        ProcedureUnerased,
        ProcedureValidated,
        RevisionAccepted,
        RevisionRejected,
        TrajectoryRecorded,
    )
)
"""Types of events that can be taken out of force; the others say what happened or name things."""

HAPPENED = frozenset({TrajectoryRecorded.TYPE, ModelCalled.TYPE})
"""Types of events that say what happened, whatever they were made from: what they quote may go, they stay."""

ON_DEPENDENTS = ("refuse", "cascade", "taint")
"""How events may be treated that were made from what is undone."""


@attrs.frozen(kw_only=True)
class UndoPlan:
    """
    What an undo would do.

    Attributes:
        events: The events that were asked for, oldest first.

        dependents: The events in force whose content was made from theirs, oldest first.

        exposed: Episodes that were served what is undone: they happened, and stay.

        on_dependents: ``refuse``, ``cascade`` or ``taint``.

        undone: What goes out of force: the events, and with ``cascade`` their dependents.

        rebuilt: Names of procedures that are made again from the runs that stay.

        diff: What becomes of the procedures.
    """

    events: tuple[EventId, ...]
    dependents: tuple[EventId, ...]
    exposed: tuple[EventId, ...]
    on_dependents: str
    undone: tuple[EventId, ...]
    rebuilt: tuple[str, ...] = ()
    diff: Diff

    def event(self, reason: str) -> EventsUndone:
        """
        Return the event that does it.

        Raises:
            DependentsError: There are dependents and they are neither to be undone nor to be tainted.
        """
        if self.dependents and self.on_dependents == "refuse":
            raise DependentsError(self.events, dependents=self.dependents)
        return EventsUndone(undone=self.undone, dependents=self.on_dependents, reason=reason)


def select(
    state: State,
    events: Iterable[str] | None = None,
    *,
    batch: str | None = None,
    actor: str | None = None,
    since: int | None = None,
    until: int | None = None,
    source: str | None = None,
) -> tuple[EventId, ...]:
    """
    Return the events that a user means, oldest first.

    Args:
        state: The version that is undone in.

        events: Event ids, or positions as text. Each must be seen here, undoable and in force.

        batch: All of one operation, by its id or by the id of one of its events.

        actor: All of one author.

        since: Only from this time on, microseconds since 1970 UTC.

        until: Only up to this time, inclusive.

        source: The recording of one run, by its trajectory id.

    Raises:
        InvalidInputError: Nothing was said, or more than one way of saying it.

        NotFoundError: There is no such event, batch, author or run here.

        ConflictError: An event cannot be undone, or is out of force already.
    """
    ways = [events is not None, batch is not None, source is not None, actor is not None or since is not None]
    if sum(ways) != 1:
        raise InvalidInputError(
            "An undo takes one of: event ids, 'batch', 'source', or 'actor' and 'since' with 'until' (got "
            f"{'none' if not any(ways) else 'several'})."
        )
    if events is not None:
        if isinstance(events, str):
            raise InvalidInputError(f"'events' must be a list of event ids (got the text {events!r}).")
        return _ordered(state, [_checked(state, _named(state, event)) for event in events])
    if source is not None:
        run = state.run(source)
        if run is None and state.tombstones(f"trajectory/{source}"):
            raise ConflictError(f"The run {source!r} was purged for good: there is nothing to undo.")
        if run is None:
            raise NotFoundError(f"There is no recorded run {source!r} here.")
        return (_checked(state, run.event_id),)
    placed = state.history.placed
    if batch is not None:
        there = placed.get(EventId(batch))
        wanted = there.batch if there is not None else batch
        chosen = [event for event, place in placed.items() if place.batch == wanted]
    else:
        chosen = [
            event
            for event, place in placed.items()
            if (actor is None or place.actor == actor)
            and (since is None or place.recorded_at >= since)
            and (until is None or place.recorded_at <= until)
        ]
    found = [event for event in chosen if _undoable(state, event)]
    if not found:
        raise NotFoundError("There is nothing in force here that this would undo.")
    return _ordered(state, found)


def _named(state: State, event: str) -> str:
    """
    Return the id of the event that *event* names by its id or its position.

    Raises:
        PositionNotFoundError: The log does not reach that far.
    """
    if not event.isdecimal():
        return event
    position, placed = int(event), state.history.placed
    if not 1 <= position <= len(placed):
        raise PositionNotFoundError(position, head=state.history.position)
    # Every record is placed, in the order of the log.
    return next(islice(placed, position - 1, None))


def _undoable(state: State, event: EventId) -> bool:
    place = state.history.placed[event]
    return place.type in UNDOABLE and place.position not in state.history.tombstones and state.in_force(event)


def _checked(state: State, event_id: str) -> EventId:
    place = state.history.place(event_id)
    if not state.sees(event_id):
        raise NotFoundError(f"Event {event_id!r} is on the branch {place.branch!r} and is not seen here.")
    if place.type not in UNDOABLE:
        raise ConflictError(f"Event {event_id!r} is a {place.type!r}, which cannot be undone.")
    if place.position in state.history.tombstones:
        raise ConflictError(
            f"The content of event {event_id!r} was purged for good: there is nothing to undo or to bring back."
        )
    if not state.in_force(event_id):
        raise ConflictError(f"Event {event_id!r} is out of force already. To bring it back, undo what undid it.")
    return EventId(event_id)


def _ordered(state: State, events: Iterable[EventId]) -> tuple[EventId, ...]:
    return tuple(sorted(set(events), key=lambda event: state.history.placed[event].position))


def dependents_of(state: State, events: Sequence[EventId]) -> tuple[EventId, ...]:
    """Return the events in force here whose content was made from that of *events*; runs and calls never are any."""
    found = state.history.derivatives(events) - set(events)
    placed, purged = state.history.placed, state.history.tombstones
    kept = [
        event
        for event in found
        if state.in_force(event) and placed[event].type not in HAPPENED and placed[event].position not in purged
    ]
    return _ordered(state, kept)


def exposed_to(state: State, events: Iterable[EventId]) -> tuple[EventId, ...]:
    """
    Return the episodes, by the events that started them, that were given something that one of *events* said.

    Those that were served a revision that one of them made, or a candidate from its acceptance on. They happened, so an
    undo names them and leaves them.
    """
    wanted = frozenset(events)
    since: dict[EventId, int] = dict.fromkeys(wanted, 0)
    procedures = {id for event in wanted for id in state.history.placed[event].touched}
    for procedure_id in procedures:
        for entry in state.entries_of(procedure_id):
            if entry.event_id in wanted and isinstance(entry.event, RevisionAccepted):
                since.setdefault(entry.event.revision, entry.position)
    found = {
        episode.event_id
        for procedure_id in procedures
        for episode in episodes_serving(state, procedure_id)
        for served in episode.served
        if episode.position > since.get(served.revision, episode.position)
    }
    return _ordered(state, found)


def plan(state: State, events: Sequence[EventId], *, on_dependents: str) -> UndoPlan:
    """
    Work out what undoing *events* does; ``UndoPlan.event`` says whether it may be done.

    Raises:
        InvalidInputError: *on_dependents* is none of ``ON_DEPENDENTS``.

        ConflictError: ``taint`` would keep revisions of a procedure that vanishes.
    """
    if on_dependents not in ON_DEPENDENTS:
        raise InvalidInputError(f"'on_dependents' must be one of {', '.join(ON_DEPENDENTS)} (got {on_dependents!r}).")
    dependents = dependents_of(state, events)
    cascade = on_dependents == "cascade"
    undone = _ordered(state, (*events, *dependents)) if cascade else tuple(events)
    # What a refused undo would do is shown as if its dependents went too: that is what the user decides about.
    shown = undone if on_dependents == "taint" else _ordered(state, (*events, *dependents))
    after, changed = without(state, shown)
    if on_dependents == "taint":
        _check_nothing_vanishes(state, after, dependents)
    return UndoPlan(
        events=tuple(events),
        dependents=dependents,
        exposed=exposed_to(state, (*events, *dependents)),
        on_dependents=on_dependents,
        undone=undone,
        diff=compare(state, after, changed),
    )


def _check_nothing_vanishes(before: State, after: State, dependents: Sequence[EventId]) -> None:
    ids: set[ProcedureId] = {id for event in dependents for id in before.history.placed[event].touched}
    for procedure_id in sorted(ids):
        procedure = before.get(procedure_id)
        if procedure is not None and after.get(procedure_id) is None:
            raise ConflictError(
                f"The procedure {procedure.name!r} would vanish with the event that added it, so nothing of it can be "
                "kept as tainted. Undo its dependents too (cascade)."
            )
