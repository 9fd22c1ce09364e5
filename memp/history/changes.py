"""
From one version to a later one, change by change: what lies between them, and the version after each change.

A change is one operation: the events of a batch came together and are taken back together. What happened in between
and was taken back before the later version does not count, so the versions here are those that lead to *that* version,
without detours; only where nothing was taken back are they the versions that there were.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from memp.errors import InvalidInputError
from memp.events import (
    BranchDeleted,
    BranchForked,
    BranchPromoted,
    EpisodeFinished,
    EpisodeStarted,
    EvaluationRecorded,
    GateSet,
    LossAccepted,
    RevisionAccepted,
    RunDropped,
    RunQueued,
    TrajectoryRecorded,
    VersionTagged,
)
from memp.history.told import Teller
from memp.history.undo import UNDOABLE
from memp.model import EventId, Position
from memp.state import State
from memp.state import without as without_events
from memp.view import View

NEVER_SERVED = frozenset(
    cls.TYPE
    for cls in (
        BranchDeleted,
        BranchForked,
        BranchPromoted,
        EpisodeFinished,
        EpisodeStarted,
        EvaluationRecorded,
        GateSet,
        LossAccepted,
        RunDropped,
        RunQueued,
        TrajectoryRecorded,
        VersionTagged,
    )
)
"""Types of events that by themselves change nothing that an agent is served: what follows from them are events of
their own. A type that is not named here is looked at."""


@attrs.frozen(kw_only=True)
class Change:
    """
    One operation between two versions, as far as it counts in the later one.

    Attributes:
        position: Its last event.

        events: Its events that may change what is served and are in force in the later version, oldest first.
    """

    position: Position
    events: tuple[EventId, ...]


def changes_between(good: View, bad: View) -> tuple[Change, ...]:
    """
    Return the operations by which *good* became *bad*, oldest first; those that cannot change what is served left out.

    Raises:
        InvalidInputError: *good* is no earlier version of *bad*: it comes after it, or stands on another branch.
    """
    with bad._store.lock:
        check_earlier(good._state, bad._state)
        return tuple(_changes(good._state, bad._state))


def _changes(good: State, bad: State) -> Iterator[Change]:
    history, batches = bad.history, dict[str, list[EventId]]()
    for event_id, placed in history.placed.items():
        if placed.position > good.position and bad.in_force(event_id) and placed.type not in NEVER_SERVED:
            batches.setdefault(placed.batch, []).append(event_id)
    for events in batches.values():
        yield Change(position=history.placed[events[-1]].position, events=tuple(events))


def check_earlier(good: State, bad: State) -> None:
    """
    Check that *good* is an earlier version of *bad*.

    Raises:
        InvalidInputError: It is not; the message says what they share.
    """
    shared = Position(0)
    for branch, until in bad.branch.lineage(bad.position):
        if branch is good.branch and good.position <= until:
            if good.position < bad.position:
                return
            raise InvalidInputError("'good' and 'bad' are the same version: there is nothing between them.")
    for branch, until in good.branch.lineage(good.position):
        mine = next((end for one, end in bad.branch.lineage(bad.position) if one is branch), None)
        if mine is not None:
            shared = Position(min(mine, until))
            break
    if good.branch is bad.branch:
        raise InvalidInputError(
            f"'good' must be an earlier version than 'bad' (got positions {good.position} and {bad.position}). "
            "If it became better, there is nothing to find."
        )
    raise InvalidInputError(
        f"'good' (position {good.position} of {good.branch.name!r}) is no earlier version of 'bad' (position "
        f"{bad.position} of {bad.branch.name!r}): they share their past up to position {shared}. "
        f"If that was good as well, take good={shared}."
    )


def version_after(bad: View, position: int, *, leave_out: EventId | None = None) -> View:
    """
    Return the version that *bad* was at *position*, without what was taken back since.

    Args:
        bad: The later version.

        position: The last event that counts.

        leave_out: One more event that is not to count, with all that was made from it.
    """
    with bad._store.lock:
        store = bad._store
        state = State(store.history, bad._state.branch, position, scope=bad._state.scope)
        placed = store.history.placed
        gone = {event for event in bad._state.out if event in placed and state.in_force(event)}
        if leave_out is not None:
            made = {event for event in store.history.derivatives([leave_out]) if state.in_force(event)}
            undoable = {event for event in made if placed[event].type in UNDOABLE - {TrajectoryRecorded.TYPE}}
            gone |= {leave_out} | undoable
        lives = store.catalogue.lives[state.branch.name]
        if not gone:
            return View(store, state, lives=lives)
        hypothetical, changed = without_events(state, sorted(gone, key=lambda event: placed[event].position))
        lives = lives.fork(state.position)
        store.catalogue.move(lives, hypothetical.branch, changed)
        return View(store, hypothetical, lives=lives)


def let_in(view: View, event_id: str) -> EventId | None:
    """Return the candidate that an acceptance let in; None if the event is no acceptance."""
    with view._store.lock:
        entry = Teller(view._state).entry(event_id)
        return entry.event.revision if entry is not None and isinstance(entry.event, RevisionAccepted) else None


def touched_names(view: View, event_id: EventId) -> frozenset[str]:
    """Return the names of the procedures that an event changes, as they are called in *view*."""
    with view._store.lock:
        teller = Teller(view._state)
        return frozenset(teller.name(procedure_id) for procedure_id in view._store.history.placed[event_id].touched)
