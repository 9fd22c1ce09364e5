"""
What people call a procedure or a revision, and which one that is: by name, id, the start of an id, or a position.

Every method that takes "its name or its id" asks here, so all of them understand the same and refuse in the same words.
"""

from __future__ import annotations

from memp.errors import EventNotFoundError, ProcedureNotFoundError, ProcedurePurgedError
from memp.history.told import Teller
from memp.model import EventId, Procedure, ProcedureId
from memp.state import State

PREFIX_LENGTH_MIN = 4
"""Characters of an id that are enough to name a procedure, if no other starts with them."""


def find_revision(state: State, wanted: str) -> tuple[Procedure, EventId]:
    """
    Return the revision of *state* that *wanted* names, by the id or the position of the event that made it.

    Raises:
        EventNotFoundError: No revision is called that.
    """
    for procedure in state.all():
        for revision in procedure.revisions:
            if wanted in (revision.id, str(state.history.placed[revision.id].position)):
                return procedure, revision.id
    raise EventNotFoundError(wanted)


def find_procedure(state: State, wanted: str) -> Procedure:
    """
    Return the procedure of *state* that *wanted* names.

    Raises:
        ProcedureNotFoundError: There is none, or more than one.
    """
    procedure = state.get(wanted)
    if procedure is not None:
        return procedure
    found = state.named(wanted)
    if not found and len(wanted) >= PREFIX_LENGTH_MIN:
        found = [procedure for procedure in state.all() if procedure.id.startswith(wanted)]
    if not found:
        stones = state.tombstones(f"procedure/{wanted}")
        if stones:
            raise ProcedurePurgedError(
                wanted, positions=[stone.position for stone in stones], purged_at=stones[-1].purged_at
            )
        raise ProcedureNotFoundError(wanted)
    if len(found) > 1:
        ids = ", ".join(procedure.id for procedure in found)
        raise ProcedureNotFoundError(wanted, hint=f"{len(found)} answer to that. Name one by its id: {ids}.")
    return found[0]


def find_known(state: State, wanted: str) -> ProcedureId:
    """
    Return the id of the procedure that *wanted* names, also if it was undone or, by its id, if it was purged.

    Raises:
        ProcedureNotFoundError: There never was one here, or more than one.
    """
    try:
        return find_procedure(state, wanted).id
    except ProcedureNotFoundError:
        if state.tombstones(f"procedure/{wanted}"):
            return ProcedureId(wanted)
        gone = [id for id in state.ids() if state.get(id) is None and state.entries_of(id)]
        teller = Teller(state)
        found = [id for id in gone if wanted in (id, teller.name(id))]
        if not found and len(wanted) >= PREFIX_LENGTH_MIN:
            found = [id for id in gone if id.startswith(wanted)]
        if len(found) != 1:
            raise
        return found[0]
