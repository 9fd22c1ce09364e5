"""What of a procedure came out of packs, and from where."""

from __future__ import annotations

from collections.abc import Iterator

from memp.events import ProcedureImported
from memp.model import Procedure
from memp.state import State


def imports_of(state: State, procedure: Procedure) -> Iterator[ProcedureImported]:
    """Yield the imports in force in *state* that brought revisions of *procedure*, oldest first."""
    for entry in state.entries_of(procedure.id):
        if isinstance(entry.event, ProcedureImported) and state.in_force(entry.event_id):
            yield entry.event
