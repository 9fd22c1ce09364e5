"""
Events told to people: each in one sentence, with who said it and when.

What was purged is told as that; what it said is nowhere any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import attrs

from memp.errors import EventNotFoundError
from memp.events import (
    Event,
    EventsUndone,
    ProcedureAdded,
    ProcedureErased,
    ProcedureGeneralised,
    ProcedureImported,
    ProcedureMerged,
    ProcedureReflected,
    ProcedureUnerased,
    ProcedureValidated,
    RevisionAccepted,
    RevisionRejected,
    TrajectoryRecorded,
)
from memp.history.contents import OUTCOMES
from memp.history.happenings import happening
from memp.model import EventId, Position, ProcedureId
from memp.projection import Entry, Run
from memp.state import State


@attrs.frozen(kw_only=True)
class Told:
    """
    One event, or several of the same kind in a row, as people read them.

    Attributes:
        event_id: The event; the first of several.

        position: Where it stands.

        branch: The branch that it stands on.

        type: Stored tag.

        actor: Who wrote it.

        recorded_at: When, microseconds since 1970 UTC.

        in_force: Whether it counts in the version that was asked.

        sentence: What it says.

        more: The further events that the sentence is about, oldest first.
    """

    event_id: EventId
    position: Position
    branch: str
    type: str
    actor: str
    recorded_at: int
    in_force: bool
    sentence: str
    more: tuple[EventId, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as JSON has them."""
        return {**attrs.asdict(self), "more": list(self.more)}


class Teller:
    """
    Finds what events of a version said, and tells it.

    Args:
        state: The version.

        read: Returns the event at a position, None if it was purged; for what the state keeps no entry of, such as
            episodes. None where nothing is told but procedures.
    """

    def __init__(self, state: State, *, read: Callable[[Position], Event | None] | None = None) -> None:
        self.state = state
        self._read = read
        self._entries: dict[ProcedureId, dict[EventId, Entry]] = {}

    def entries_of(self, procedure_id: ProcedureId) -> dict[EventId, Entry]:
        """Return the events that touch the procedure, in force or not, oldest first; without those that were purged."""
        if procedure_id not in self._entries:
            found = self.state.entries_of(procedure_id)
            self._entries[procedure_id] = {entry.event_id: entry for entry in found}
        return self._entries[procedure_id]

    def entry(self, event_id: str) -> Entry | None:
        """Return the event about a procedure; None if it is of another kind, was purged or is not seen here."""
        placed = self.state.history.placed.get(EventId(event_id))
        if placed is None:
            return None
        found = (self.entries_of(procedure_id).get(EventId(event_id)) for procedure_id in placed.touched)
        return next((entry for entry in found if entry is not None), None)

    def run(self, event_id: str) -> Run | None:
        """Return the recording that the event is; None if it is none, was purged or is not seen here."""
        return self._runs.get(EventId(event_id))

    @cached_property
    def _runs(self) -> dict[EventId, Run]:
        return {
            run.event_id: run
            for branch, until in self.state.branch.lineage(self.state.position)
            for run in branch.runs.values()
            if run.position <= until and self.state.sees(run.event_id)
        }

    @cached_property
    def undos(self) -> dict[EventId, EventsUndone]:
        """Every undo that is seen here, in force or not, oldest first."""
        found = [
            (position, event_id, undo)
            for branch, until in self.state.branch.lineage(self.state.position)
            for position, event_id, undo in branch.undos
            if position <= until and self.state.sees(event_id)
        ]
        return {event_id: undo for _, event_id, undo in sorted(found, key=lambda one: one[0])}

    def name(self, procedure_id: ProcedureId) -> str:
        """Return the readable name of a procedure, also of one that is not here any more; its id if nothing says it."""
        procedure = self.state.get(procedure_id)
        if procedure is not None:
            return procedure.name
        for entry in reversed(self.entries_of(procedure_id).values()):
            event = entry.event
            if isinstance(event, ProcedureAdded | ProcedureMerged) and event.procedure_id == procedure_id:
                return event.name
        return procedure_id

    def tell(self, event_id: str, *, about: ProcedureId | None = None) -> Told:
        """
        Tell one event.

        Args:
            event_id: The event.

            about: The procedure whose story it is told in; a merge reads otherwise for what it made and for its parts.

        Raises:
            EventNotFoundError: There is no such event, or it is not seen here.
        """
        placed = self.state.history.place(event_id)
        if not self.state.sees(event_id):
            raise EventNotFoundError(event_id)
        return Told(
            event_id=EventId(event_id),
            position=placed.position,
            branch=placed.branch,
            type=placed.type,
            actor=placed.actor,
            recorded_at=placed.recorded_at,
            in_force=event_id not in self.state.out,
            sentence=self._sentence(EventId(event_id), about),
        )

    def _sentence(self, event_id: EventId, about: ProcedureId | None) -> str:
        run, undo, entry = self.run(event_id), self.undos.get(event_id), self.entry(event_id)
        if run is not None:
            said = f"Recorded a run, {OUTCOMES[run.head.success]}: {_ended(run.head.task)}"
        elif undo is not None:
            said = self._undo_sentence(undo)
        elif entry is not None:
            said = self.sentence(entry.event, about)
        else:
            said = self._happening(event_id)
        original = self._originals.get(event_id)
        if original is None:
            return said
        return f"{said} Promoted from {self.state.history.placed[original].branch!r}."

    def _happening(self, event_id: EventId) -> str:
        """Return what an event says that is about no procedure."""
        placed = self.state.history.place(event_id)
        if placed.position in self.state.history.tombstones:
            return self.purged(event_id)
        event = None if self._read is None else self._read(placed.position)
        return self.purged(event_id) if event is None else self.sentence(event)

    @cached_property
    def _originals(self) -> dict[EventId, EventId]:
        """Return the events that were promoted to the branches that are seen, to what they say again."""
        lineage = self.state.branch.lineage(self.state.position)
        return {copy: original for branch, _ in lineage for original, copy in branch.promoted.items()}

    def purged(self, event_id: EventId) -> str:
        """Return what is told of an event of which only the record is left."""
        history = self.state.history
        stone = history.tombstones.get(history.place(event_id).position)
        by = None if stone is None else stone.purged_at
        return "What it said was purged." if by is None else f"What it said was purged by #{by}."

    def place_text(self, event_id: str) -> str:
        """Return how people call an event: its position."""
        placed = self.state.history.placed.get(EventId(event_id))
        return "#?" if placed is None else f"#{placed.position}"

    def _undo_sentence(self, undo: EventsUndone) -> str:
        shown = ", ".join(self.place_text(event) for event in undo.undone[:UNDONE_SHOWN])
        more = len(undo.undone) - UNDONE_SHOWN
        if more > 0:
            shown += f" and {more} more"
        kept = " and marked what was made from it" if undo.dependents == "taint" else ""
        return f"Undid {shown}{kept}: {_ended(undo.reason)}"

    def sentence(self, event: Event, about: ProcedureId | None = None) -> str:
        """Return what *event* says, as a sentence."""
        match event:
            case ProcedureAdded():
                return f"Added, built by {event.builder} from {_counted(len(event.sources), 'run')}."
            case ProcedureGeneralised(candidate=True):
                return f"Offered as a candidate what {_counted(len(event.sources), 'further run')} would make of it."
            case ProcedureGeneralised(sources=()):
                return "Says more of when it applies."
            case ProcedureGeneralised():
                return f"Covers {_counted(len(event.sources), 'further run')}."
            case ProcedureValidated():
                return _evidence_sentence(event)
            case ProcedureReflected():
                what = "Offered as a candidate" if event.candidate else "Rewritten"
                return f"{what}: {_ended(event.critique)}{_because(event.reason)}"
            case RevisionAccepted():
                return f"Accepted {self.place_text(event.revision)}: {_ended(event.reason)}"
            case RevisionRejected():
                return f"Rejected {self.place_text(event.revision)}: {_ended(event.reason)}"
            case ProcedureMerged() if about is not None and about != event.procedure_id:
                return f"Merged into {event.name!r}: {_ended(event.reason)}"
            case ProcedureMerged():
                parts = ", ".join(repr(self.name(part)) for part in event.merged)
                return f"Merged from {parts}: {_ended(event.reason)}"
            case ProcedureImported():
                waits = " It waits for a verdict." if event.candidate else ""
                runs, origin = _counted(event.origin.support, "run"), event.origin
                return f"Came out of a pack, built there from {runs} and called {origin.name!r}.{waits}"
            case ProcedureErased():
                return f"Erased: {_ended(event.reason)}"
            case ProcedureUnerased():
                return f"Brought back: {_ended(event.reason)}"
            case EventsUndone():
                return self._undo_sentence(event)
            case TrajectoryRecorded():
                run = event.trajectory
                return f"Recorded a run, {OUTCOMES[run.success]}: {_ended(run.task)}"
            case _:
                said = happening(event, name=self.name)
                assert said is not None, event.TYPE
                return said


JUDGES = {"rule": "a rule", "model": "a model", "person": "a person"}
"""Who judged an outcome, in words."""

REASONS_SHOWN = 2
"""Reasons of failures that a sentence about several outcomes names."""

UNDONE_SHOWN = 4
"""Positions that the sentence of an undo names; the event holds all."""


def _evidence_sentence(event: ProcedureValidated) -> str:
    said = "Helped" if event.success else "Did not help"
    score = "" if event.reward is None else f", reward {event.reward:g}"
    reason = f": {_ended(event.reason)}" if event.reason else "."
    return f"{said}, says {JUDGES[event.judge]}{score}{reason}"


def _because(reason: str) -> str:
    return f" {_ended(reason)}" if reason else ""


def _ended(text: str) -> str:
    """Return *text* as the end of a sentence."""
    text = text.strip()
    return text if text[-1:] in (".", "!", "?", "…") else f"{text}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def summed_up(told: Iterable[Told], teller: Teller) -> tuple[Told, ...]:
    """Return *told* with runs, and outcomes of one revision, that follow each other and share their author as one."""
    found: list[list[Told]] = []
    kinds: list[object] = []
    for one in told:
        kind = _kind(one, teller)
        if found and kind is not None and kind == kinds[-1]:
            found[-1].append(one)
        else:
            found.append([one])
            kinds.append(kind)
    return tuple(group[0] if len(group) == 1 else _sum(group, teller) for group in found)


def _kind(told: Told, teller: Teller) -> object:
    """Return what events must share to be told as one; None for what is always told alone."""
    common = (told.type, told.actor, told.in_force, told.branch)
    if teller.run(told.event_id) is not None:
        return common
    entry = teller.entry(told.event_id)
    if entry is not None and isinstance(entry.event, ProcedureValidated):
        return (*common, entry.event.revision, entry.event.judge)
    return None


def _sum(group: list[Told], teller: Teller) -> Told:
    runs = [run for run in (teller.run(one.event_id) for one in group) if run is not None]
    if runs:
        counts = {name: sum(run.head.success is said for run in runs) for said, name in OUTCOMES.items()}
        outcomes = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        tasks = list(dict.fromkeys(run.head.task for run in runs))
        others = "" if len(tasks) == 1 else f" and {_counted(len(tasks) - 1, 'other task')}"
        sentence = f"Recorded {len(runs)} runs, {outcomes}: {tasks[0]}{others}."
    else:
        entries = [entry for entry in (teller.entry(one.event_id) for one in group) if entry is not None]
        evidence = [entry.event for entry in entries if isinstance(entry.event, ProcedureValidated)]
        helped = sum(event.success for event in evidence)
        against = dict.fromkeys(event.reason.strip(" .") for event in evidence if not event.success)
        reasons = "; ".join(reason for reason in list(against)[:REASONS_SHOWN] if reason)
        said = f"Helped in {helped} of {len(evidence)} episodes, says {JUDGES[evidence[0].judge]}"
        sentence = f"{said}; against it: {reasons}." if reasons else f"{said}."
    return attrs.evolve(group[0], sentence=sentence, more=tuple(one.event_id for one in group[1:]))
