"""
Which event brought in each line of a procedure.

A line keeps its origin through edits around it, through moves, generalisations and merges, and when only its names
change. An origin may be out of force: an undo that keeps what was made from it does not change where a line came from.
"""

from __future__ import annotations

from typing import Any

import attrs

from memp.events import ProcedureAdded, ProcedureGeneralised, ProcedureMerged, ProcedureReflected
from memp.history.contents import content_lines, same_lines
from memp.history.told import Teller, Told
from memp.model import Content, EventId, Procedure
from memp.projection import Entry
from memp.state import State

_MAKES_REVISION = (ProcedureAdded, ProcedureGeneralised, ProcedureReflected, ProcedureMerged)


@attrs.frozen(kw_only=True)
class BlameLine:
    """
    A line with its origin.

    Attributes:
        number: Its number, from 1.

        step: The number of the step that it begins, such as ``3.1``; empty if it begins none.

        text: The line; holds line ends where a long call stands on several.

        origin: The event that brought it in.
    """

    number: int
    step: str
    text: str
    origin: Told


@attrs.frozen(kw_only=True)
class Blame:
    """
    The lines of the active revision of a procedure, each with its origin.

    Attributes:
        name: The procedure's readable name.

        revision: The active revision.

        lines: The lines, in order.
    """

    name: str
    revision: EventId
    lines: tuple[BlameLine, ...]

    @property
    def origins(self) -> tuple[Told, ...]:
        """Return the events that lines came from, each once, oldest first."""
        found = {line.origin.event_id: line.origin for line in self.lines}
        return tuple(sorted(found.values(), key=lambda told: told.position))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as JSON has them."""
        return {
            "name": self.name,
            "revision": self.revision,
            "lines": [
                {
                    "number": line.number,
                    "step": line.step,
                    "text": line.text,
                    "event_id": line.origin.event_id,
                    "position": line.origin.position,
                }
                for line in self.lines
            ],
            "origins": [told.to_dict() for told in self.origins],
        }


def blame(state: State, procedure: Procedure) -> Blame:
    """Return where each line of the active revision of *procedure* came from, as *state* sees it."""
    teller = Teller(state)
    origins = _origins(teller, procedure)
    lines = content_lines(procedure.revision.content)
    told = {event_id: teller.tell(event_id, about=procedure.id) for event_id in dict.fromkeys(origins)}
    return Blame(
        name=procedure.name,
        revision=procedure.active,
        lines=tuple(
            BlameLine(number=number, step=line.step, text=line.text, origin=told[origin])
            for number, (line, origin) in enumerate(zip(lines, origins, strict=True), 1)
        ),
    )


def _origins(teller: Teller, procedure: Procedure) -> list[EventId]:
    """Return the event that brought in each line of the active revision."""
    entries = _ancestors(teller, procedure.active)
    known: dict[EventId, list[EventId]] = {}
    contents: dict[EventId, Content] = {}
    for entry in entries:
        content = _content(entry)
        origins = [entry.event_id] * len(content_lines(content))
        parents = [parent for parent in _parents(teller, entry) if parent in known]
        found = [(parent, same_lines(contents[parent], content)) for parent in parents]
        # Of several merged procedures the one comes last, and so decides, that shares the most.
        for parent, same in sorted(found, key=lambda one: len(one[1])):
            for new, old in same.items():
                origins[new] = known[parent][old]
        known[entry.event_id], contents[entry.event_id] = origins, content
    return known[procedure.active]


def _ancestors(teller: Teller, revision: EventId) -> list[Entry]:
    """Return the events that made *revision* and all that it was made from, oldest first."""
    found: dict[EventId, Entry] = {}
    waiting = [revision]
    while waiting:
        entry = teller.entry(waiting.pop())
        if entry is not None and entry.event_id not in found and isinstance(entry.event, _MAKES_REVISION):
            found[entry.event_id] = entry
            waiting += _parents(teller, entry)
    return sorted(found.values(), key=lambda entry: entry.position)


def _parents(teller: Teller, entry: Entry) -> list[EventId]:
    """Return the revisions that the event's content was made from; for one that was purged, those behind it."""
    match entry.event:
        case ProcedureGeneralised(base=base) | ProcedureReflected(base=base):
            waiting = [base]
        case ProcedureMerged():
            waiting = [EventId(source) for source in entry.derived_from]
        case _:
            return []
    found: dict[EventId, None] = {}
    while waiting:
        parent = waiting.pop()
        if teller.entry(parent) is not None:
            found[parent] = None
        elif parent in teller.state.history.placed:
            waiting += [EventId(source) for source in teller.state.history.placed[parent].derived_from]
    return list(found)


def _content(entry: Entry) -> Content:
    assert isinstance(entry.event, _MAKES_REVISION)
    return entry.event.content
