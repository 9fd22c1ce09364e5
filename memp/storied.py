"""Why a procedure is as it is: the part of a view that tells stories rather than states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from memp import codec
from memp.history.blame import Blame, blame
from memp.history.lineage import Lineage, lineage
from memp.history.origins import imports_of
from memp.history.told import Teller, Told
from memp.history.why import Story, why
from memp.lookup import find_known, find_procedure

if TYPE_CHECKING:
    from memp.events import Event
    from memp.events.procedures import Origin
    from memp.model import Position
    from memp.state import State
    from memp.store import Store


class Storied:
    """What a version of the memory tells of how it came about; ``memp.view.View`` says of which version."""

    _store: Store
    _state: State

    def blame(self, procedure: str) -> Blame:
        """
        Return which event brought in each line of the active revision.

        Args:
            procedure: Its name, its id, or the first characters of its id, four or more.

        Raises:
            ProcedureNotFoundError: There is none, or more than one.
        """
        with self._store.lock:
            return blame(self._state, find_procedure(self._state, procedure))

    def why(self, procedure: str) -> Story:
        """
        Return the story of a procedure: its runs, who changed it and why, and what happened when it was used.

        Args:
            procedure: Its name, its id, or the first characters of its id; one that was undone has a story too.

        Raises:
            ProcedureNotFoundError: There never was one here, or more than one.
        """
        with self._store.lock:
            found = find_known(self._state, procedure)
            return why(self._state, found, read=self._event_at, cause_at=self._cause_at)

    def lineage(self, procedure: str) -> Lineage:
        """
        Return what a procedure was made from, and what it was merged into, as a graph.

        Args:
            procedure: Its name, its id, or the first characters of its id; one that was undone has a lineage too.

        Raises:
            ProcedureNotFoundError: There never was one here, or more than one.
        """
        with self._store.lock:
            return lineage(self._state, find_known(self._state, procedure))

    def origins(self, procedure: str) -> tuple[Origin, ...]:
        """
        Return where the revisions of a procedure come from that packs brought, oldest first, and what happened there.

        Args:
            procedure: Its name, its id, or the first characters of its id, four or more.

        Raises:
            ProcedureNotFoundError: There is none, or more than one.
        """
        with self._store.lock:
            found = find_procedure(self._state, procedure)
            return tuple(event.origin for event in imports_of(self._state, found))

    def tell(self, events: Iterable[str]) -> tuple[Told, ...]:
        """
        Return each of *events* in one sentence, with who wrote it and when.

        Raises:
            EventNotFoundError: There is no such event.
        """
        with self._store.lock:
            teller = Teller(self._state, read=self._event_at)
            return tuple(teller.tell(event) for event in events)

    def _cause_at(self, position: Position) -> str | None:
        """Return the event that the one at *position* answers; None if it answers none."""
        [record] = self._store.log.read(after=position - 1, until=position)
        return record.cause

    def _event_at(self, position: Position) -> Event | None:
        """Return what the record at *position* says; None if it was purged."""
        [record] = self._store.log.read(after=position - 1, until=position)
        if record.body is None:
            return None
        return codec.decode(record.type, record.schema, record.body, position=position)
