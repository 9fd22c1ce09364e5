"""
Building procedures again from runs that are on record.

It is what undoing a source needs, so that procedures that other runs also support are those that a memory without the
source would have, and what ``rederive`` does for a whole memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs

from memp.build import Builder, SourcedRun
from memp.decide import Decided, Ids, Names, add, draft_key, extend, find_written, single
from memp.events import ProcedureErased
from memp.model import EventId, ProcedureId, ProcedureStatus, Trajectory, TrajectoryId
from memp.projection import Run
from memp.state import State

LoadRun = Callable[[Run], Trajectory]
"""Reads a recorded run, steps and all, from the log."""


BuiltBy = tuple[str, str | None]
"""A builder by its name, and the digest of the toolset that it spoke."""


def orphans(before: State, after: State, changed: Iterable[ProcedureId]) -> dict[BuiltBy, list[Run]]:
    """
    Return the runs in force that supported a procedure in *before* and support none in *after*.

    Args:
        before: The version before an undo.

        after: The version after it.

        changed: The procedures that the undo changes.

    Returns:
        Builder to the runs that its procedures lost, in the order in which they were recorded.
    """
    left = {source for p in after.all() for revision in p.revisions for source in revision.sources}
    lost: dict[BuiltBy, dict[TrajectoryId, Run]] = {}
    for procedure_id in changed:
        procedure = before.get(procedure_id)
        if procedure is None:
            continue
        sources = {source for revision in procedure.revisions for source in revision.sources}
        for source in sources - left:
            run = after.run(source)
            if run is not None and after.in_force(run.event_id):
                lost.setdefault((procedure.builder, procedure.toolset), {})[source] = run
    by_builder = sorted(lost.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    return {built_by: sorted(runs.values(), key=lambda run: run.position) for built_by, runs in by_builder}


def rebuild(
    after: State,
    runs: Sequence[Run],
    *,
    builder: Builder,
    load: LoadRun,
    before: State,
    scope: str,
    names: Names,
    ids: Ids,
) -> list[Decided]:
    """
    Return the events that build procedures from *runs* once more.

    A procedure that was there in *before* comes back under its own id and name, and erased if it was erased.
    """
    sourced = [SourcedRun(id=run.head.trajectory_id, trajectory=load(run)) for run in runs]
    events = {run.head.trajectory_id: run.event_id for run in runs}
    decided: list[Decided] = []
    for draft in builder.build(sourced):
        derived = tuple(events[source] for source in draft.sources)
        key = draft_key(draft, scope=scope)
        there = after.find_by_key(scope, key) or find_written(after, draft, builder=builder, scope=scope)
        if there is not None:
            decided.append(extend(there, draft, builder=builder, derived=derived, ids=ids))
            continue
        earlier = before.find_by_key(scope, key)
        event = add(draft, scope=scope, names=names, ids=ids)
        if earlier is not None and after.get(earlier.id) is None:
            event = attrs.evolve(event, procedure_id=earlier.id, name=earlier.name, tags=earlier.tags)
        decided.append(single(event, ids, derived_from=derived))
        if earlier is not None and earlier.status is ProcedureStatus.ERASED:
            erased = ProcedureErased(procedure_id=event.procedure_id, reason="It was erased before it was built again.")
            decided.append(single(erased, ids))
    return decided


def all_procedure_events(state: State) -> tuple[EventId, ...]:
    """Return every event in force that touches a procedure, oldest first: what ``rederive`` starts without."""
    placed = state.history.placed
    found = [event for event, place in placed.items() if place.touched and state.in_force(event)]
    return tuple(sorted(found, key=lambda event: placed[event].position))
