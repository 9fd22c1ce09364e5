"""
What differs between two versions of the memory, procedure by procedure.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from memp.model import Procedure, ProcedureId
from memp.state import State


@attrs.frozen(kw_only=True)
class ProcedureChange:
    """
    A procedure that is not the same in two versions.

    Attributes:
        kind: ``added`` (only in the later), ``removed`` (only in the earlier) or ``changed``.

        before: As it stood; None if it was not there.

        after: As it stands; None if it is not there.
    """

    kind: str
    before: Procedure | None
    after: Procedure | None

    @property
    def name(self) -> str:
        """Its readable name."""
        procedure = self.after or self.before
        assert procedure is not None
        return procedure.name


@attrs.frozen(kw_only=True)
class Diff:
    """
    What differs between two versions.

    Attributes:
        changes: Each procedure that is not the same, by name.
    """

    changes: tuple[ProcedureChange, ...]


def compare(before: State, after: State, ids: Iterable[ProcedureId] | None = None) -> Diff:
    """
    Return what differs from *before* to *after*.

    Args:
        before: One version.

        after: Another one.

        ids: The procedures that may differ; None looks at all.
    """
    concerned = set(ids) if ids is not None else before.ids() | after.ids()
    changes = []
    for procedure_id in concerned:
        old, new = before.get(procedure_id), after.get(procedure_id)
        if old == new:
            continue
        kind = "added" if old is None else "removed" if new is None else "changed"
        changes.append(ProcedureChange(kind=kind, before=old, after=new))
    return Diff(changes=tuple(sorted(changes, key=lambda change: (change.name, change.kind))))
