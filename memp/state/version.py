"""One version of the memory, as one scope reads it: what was there, what is in force, and what would be without it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from memp.events import (
    EventsUndone,
    ResourceRecorded,
)
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
from memp.projection import Entry, Run, Tombstone, touched
from memp.scopes import EVERYBODY, readable, share_a_view
from memp.state.branch import WHAT_IF, Branch
from memp.state.history import History
from memp.state.timeline import Timeline


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
