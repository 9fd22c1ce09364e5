"""
What one branch holds of its own: timelines, entries, runs, and where each event stands.

A fork starts with empty timelines and looks further back in its parent's, so that forking copies nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, MutableMapping

import msgspec

from memp.episodes import Diary
from memp.events import (
    EventsUndone,
    ResourceRecorded,
)
from memp.model import (
    EventId,
    Position,
    Procedure,
    ProcedureId,
    TrajectoryId,
)
from memp.projection import Entry, Run
from memp.scopes import EVERYBODY
from memp.state.timeline import Timeline

WHAT_IF = "(what if)"
"""Name of a branch that only a plan knows; no branch that a user makes can be called that."""

NOTHING: frozenset[EventId] = frozenset()
"""What is out of force before the first undo."""


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
        # Nearly everything that is asked for stands on the branch that is asked, as it is now.
        timeline = self.procedures.get(procedure_id)
        if timeline is not None and timeline.begins() <= position:
            return timeline.at(position, None)
        if self.parent is None:
            return None
        return self.parent.procedure(procedure_id, min(position, self.forked_at))

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
        found = self.out.at(position, None)
        if found is not None:
            return found
        return NOTHING if self.parent is None else self.parent.out_at(min(position, self.forked_at))
