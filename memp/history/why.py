"""
The story of a procedure: from which runs it came, who changed it and why, what happened when it was used.

A procedure that was undone has a story too: it ends with what took it away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from memp.events import (
    Event,
    ModelCalled,
    ProcedureAdded,
    ProcedureGeneralised,
    ProcedureMerged,
    ProcedureReflected,
    TrajectoryRecorded,
)
from memp.history.told import Teller, Told, summed_up
from memp.model import EventId, Position, Procedure, ProcedureId
from memp.projection import Entry
from memp.state import State

_MAY_BE_KEPT = (ProcedureAdded, ProcedureGeneralised)
"""Events that keep a run as it is where there is no script."""

_MAKES_REVISION = (ProcedureAdded, ProcedureGeneralised, ProcedureReflected, ProcedureMerged)


@attrs.frozen(kw_only=True)
class Story:
    """
    Why a procedure is as it is.

    Attributes:
        id: The procedure.

        name: Its readable name.

        procedure: As it stands; None if it is not here any more.

        told: What happened, in order. Runs, and outcomes of one revision, that follow each other are one.
    """

    id: ProcedureId
    name: str
    procedure: Procedure | None
    told: tuple[Told, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as JSON has them."""
        here = self.procedure
        return {
            "id": self.id,
            "name": self.name,
            "status": None if here is None else here.status.value,
            "support": None if here is None else here.support,
            "evidence": None if here is None else {"episodes": here.evidence.episodes, "helped": here.evidence.helped},
            "told": [told.to_dict() for told in self.told],
        }


def why(
    state: State,
    procedure_id: ProcedureId,
    *,
    read: Callable[[Position], Event | None] | None = None,
    cause_at: Callable[[Position], str | None] | None = None,
) -> Story:
    """
    Return the story of the procedure as *state* sees it; it need not be there any more.

    Args:
        state: The version.

        procedure_id: The procedure.

        read: Returns the event at a position, None if it was purged; for what the state keeps no entry of.

        cause_at: Returns what the event at a position answers: a run that is kept as it is may answer the question to
            a model that gave no script. None leaves such questions out.
    """
    teller = Teller(state, read=read)
    own = teller.entries_of(procedure_id)
    events = set(own)
    for entry in own.values():
        if isinstance(entry.event, _MAKES_REVISION) and entry.event.procedure_id == procedure_id:
            events |= _runs_of(teller, entry, entry.event)
            if cause_at is not None and isinstance(entry.event, _MAY_BE_KEPT) and entry.event.content.script is None:
                events |= _asked_in_vain(state, cause_at(entry.position))
    events |= {stone.event_id for stone in state.tombstones(f"procedure/{procedure_id}")}
    for undo, event in teller.undos.items():
        # In the order of the log, so that the undo of an undo is found by the undo that it names.
        if not events.isdisjoint(event.undone):
            events.add(undo)
    placed = state.history.placed
    ordered = sorted(events, key=lambda event: placed[event].position)
    told = summed_up((teller.tell(event, about=procedure_id) for event in ordered), teller)
    return Story(id=procedure_id, name=teller.name(procedure_id), procedure=state.get(procedure_id), told=told)


def _asked_in_vain(state: State, answered: str | None) -> set[EventId]:
    """Return the event that was answered if it is a call to a model, which then says why there is no script."""
    cause = EventId(answered or "")
    placed = state.history.placed.get(cause)
    return {cause} if placed is not None and placed.type == ModelCalled.TYPE and state.sees(cause) else set()


def _runs_of(
    teller: Teller, entry: Entry, event: ProcedureAdded | ProcedureGeneralised | ProcedureReflected | ProcedureMerged
) -> set[EventId]:
    """Return the recordings that the event's content was made from or answers, purged ones too."""
    state = teller.state
    named = event.answers if isinstance(event, ProcedureReflected) else event.sources
    runs = {run.event_id for run in map(state.run, named) if run is not None}
    placed = state.history.placed
    made_from = {EventId(source) for source in entry.derived_from if EventId(source) in placed}
    return runs | {e for e in made_from if placed[e].type == TrajectoryRecorded.TYPE and state.sees(e)}
