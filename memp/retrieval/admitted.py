"""
What filters let through, kept from one question to the next.

Asking ten thousand procedures what they are takes forty times what a question takes, and between two questions about
the present only a handful of them change. So the answer for the present is kept, with how much had been said by then,
and only the procedures of which something was said since are asked again. Columns of everything that a filter may ask
for were not taken: each would have to be brought up to date with every event, whether anybody filters or not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs
import numpy as np

from memp.index.base import Mask
from memp.model import ProcedureId

if TYPE_CHECKING:
    from memp.retrieval.filters import Filter
    from memp.retrieval.lives import Lives, Masks
    from memp.state import State

ANSWERS_KEPT: Final = 32
"""Answers that are kept on each branch, three bytes a row each: a few filters, in a few scopes and versions."""

PRESENT: Final = -1
"""Stands for the position of the present, which moves."""

_Asked = tuple["Filter", str | None, frozenset[str], int]


@attrs.define(kw_only=True)
class _Answer:
    """
    What a filter lets through.

    Attributes:
        before: The masks that it was asked about, the very objects.

        after: The same without what the filter keeps out.

        admitted: Which rows it admits; rows that are not found may be marked either way.

        heard: How much had been said of procedures by then.
    """

    before: Masks
    after: Masks
    admitted: Mask
    heard: int


class Admitted:
    """What filters let through on one branch, in the versions that were asked for last."""

    def __init__(self) -> None:
        self._answers: OrderedDict[_Asked, _Answer] = OrderedDict()

    def of(self, where: Filter, masks: Masks, state: State, lives: Lives, procedures: Sequence[ProcedureId]) -> Masks:
        """
        Return *masks* without the rows that *where* keeps out; the very same ones as long as nothing changes.

        Args:
            where: The filter.

            masks: What the version finds.

            state: The version.

            lives: The lives on its branch.

            procedures: The procedure of each row.
        """
        present = state.position >= lives.touched_until
        asked = (where, state.scope, where.toolsets(state), PRESENT if present else state.position)
        known = self._answers.get(asked)
        if known is None:
            known = _ask_all(where, masks, state, procedures)
        else:
            changed = present and _ask_again(known, where, state, lives)
            if changed or known.before is not masks:
                known.after = _within(masks, known.admitted)
        known.before, known.heard = masks, len(lives.touched)
        self._answers[asked] = known
        self._answers.move_to_end(asked)
        if len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)
        return known.after


def _ask_all(where: Filter, masks: Masks, state: State, procedures: Sequence[ProcedureId]) -> _Answer:
    admitted = np.zeros(len(masks.found), dtype=np.bool_)
    for row in np.flatnonzero(masks.found).tolist():
        procedure = state.get(procedures[row])
        assert procedure is not None
        admitted[row] = where.admits(procedure, state)
    return _Answer(before=masks, after=_within(masks, admitted), admitted=admitted, heard=0)


def _ask_again(known: _Answer, where: Filter, state: State, lives: Lives) -> bool:
    """Ask those procedures again of which something was said since, and return whether one answers otherwise."""
    admitted, changed = known.admitted, False
    for procedure_id in dict.fromkeys(lives.touched[known.heard :]):
        row, procedure = lives.row(procedure_id), state.get(procedure_id)
        if row is None or procedure is None:
            continue
        if row >= len(admitted):
            more = row + 1 - len(admitted) + len(admitted) // 8  # so that growing by one each time copies seldom
            admitted = np.concatenate((admitted, np.zeros(more, dtype=np.bool_)))
        now = where.admits(procedure, state)
        changed = changed or now != bool(admitted[row])
        admitted[row] = now
    known.admitted = admitted
    return changed


def _within(masks: Masks, admitted: Mask) -> Masks:
    """Return *masks* where *admitted* is true; rows past its end were not asked because they are not found."""
    whole = np.zeros(len(masks.found), dtype=np.bool_)
    known = min(len(whole), len(admitted))
    whole[:known] = admitted[:known]
    tainted = masks.tainted & whole
    clean = masks.clean & whole
    return masks._replace(clean=clean, tainted=tainted, found=clean | tainted)
