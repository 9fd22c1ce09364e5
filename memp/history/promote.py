"""
Saying the events of a fork again on the branch that it came from.

Copies are new events: new ids, ``cause`` naming the original, and references among them following. Where both sides
changed the same since the fork there is no telling which is meant, so that is named and left to a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from memp.codec import decode
from memp.decide import Decided, Ids
from memp.errors import ConflictError, InvalidInputError, PromotionConflictError
from memp.events import (
    BranchDeleted,
    BranchForked,
    BranchPromoted,
    EmbedderSwitched,
    EpisodeStarted,
    EvaluationRecorded,
    Event,
    EventsUndone,
    ModelCalled,
    ProcedureAdded,
    ResourceRecorded,
    TextsEmbedded,
    TrajectoryRecorded,
    VersionTagged,
)
from memp.model import EventId, ProcedureId
from memp.projection import touched
from memp.record import Record
from memp.state import Branch, State

STAYS = frozenset(
    cls.TYPE
    for cls in (
        BranchForked,
        BranchDeleted,
        BranchPromoted,
        VersionTagged,
        ResourceRecorded,
        EvaluationRecorded,
        ModelCalled,
        TextsEmbedded,
        EmbedderSwitched,
    )
)
"""Types of events that are about the fork itself, name their versions, or are there anyway; they are not said again."""

REFERENCES = ("base", "revision", "undone")
"""Fields of events that name other events."""


def shared_position(target: Branch, source: Branch) -> int:
    """
    Return the last position that *source* shares with *target*.

    Raises:
        InvalidInputError: *source* was not forked from *target*, directly or over other forks.
    """
    branch, until = source, source.position
    while branch.parent is not None:
        until = min(until, branch.forked_at)
        branch = branch.parent
        if branch is target:
            return until
    raise InvalidInputError(f"The branch {source.name!r} was not forked from {target.name!r}.")


def promote(target: State, source: State, records: Iterable[Record], *, reason: str, ids: Ids) -> tuple[Decided, ...]:
    """
    Return the events that say on *target* what *source* has beyond it; none if all were said before.

    Args:
        target: The branch that is promoted to, at its end.

        source: The fork, at its end.

        records: What *source* sees beyond what it shares with *target*, oldest first.

        reason: One sentence for people.

        ids: Where new ids come from.

    Raises:
        PromotionConflictError: Both changed the same since the fork; carries what.

        ConflictError: The body of an event that is to be said again was purged.
    """
    promoted = dict(target.branch.promoted)
    fresh: list[tuple[Record, Event]] = []
    for record in records:
        if record.type in STAYS or record.event_id in promoted:
            continue
        if record.body is None:
            raise ConflictError(
                f"Event {record.event_id!r} was purged on {source.branch.name!r}: it cannot be said again."
            )
        fresh.append((record, decode(record.type, record.schema, record.body, position=record.position)))
    conflicts = list(_conflicts(target, source, fresh))
    if conflicts:
        raise PromotionConflictError(source.branch.name, conflicts=conflicts)
    decided: list[Decided] = []
    for record, event in fresh:
        copy = Decided(
            event=_renamed(event, promoted),
            event_id=EventId(ids.event()),
            cause=record.event_id,
            derived_from=tuple(promoted.get(EventId(e), EventId(e)) for e in record.derived_from),
            read=tuple(promoted.get(EventId(e), EventId(e)) for e in record.read),
        )
        promoted[record.event_id] = copy.event_id
        decided.append(copy)
    if not decided:
        return ()
    said = BranchPromoted(
        source=source.branch.name,
        originals=tuple(record.event_id for record, _ in fresh),
        copies=tuple(one.event_id for one in decided),
        reason=reason,
    )
    return (*decided, Decided(event=said, event_id=EventId(ids.event())))


def _renamed(event: Event, ids: dict[EventId, EventId]) -> Event:
    """Return *event* with the events that it names replaced by their copies."""
    changes: dict[str, Any] = {}
    for field in REFERENCES:
        value = getattr(event, field, None)
        if isinstance(value, tuple):
            changes[field] = tuple(ids.get(one, one) for one in value)
        elif isinstance(value, str):
            changes[field] = ids.get(EventId(value), value)
    if isinstance(event, EpisodeStarted):
        changes["served"] = tuple(
            attrs.evolve(one, revision=ids.get(one.revision, one.revision)) for one in event.served
        )
    renamed: Event = attrs.evolve(event, **changes)
    return renamed


def _conflicts(target: State, source: State, fresh: Iterable[tuple[Record, Event]]) -> Iterable[str]:
    """Yield one phrase for everything that both sides changed since the fork."""
    shared = shared_position(target.branch, source.branch)
    copies = set(target.branch.promoted.values())
    seen: set[ProcedureId] = set()
    for record, event in fresh:
        for procedure_id in _concerned(source, event):
            if procedure_id in seen:
                continue
            seen.add(procedure_id)
            theirs = [e for e in target.entries_of(procedure_id) if e.position > shared and e.event_id not in copies]
            if theirs:
                procedure = target.get(procedure_id) or source.get(procedure_id)
                name = procedure.name if procedure is not None else procedure_id
                yield f"procedure {name!r} changed on both (here by event {theirs[-1].event_id})"
        if isinstance(event, TrajectoryRecorded) and target.known_run(event.scope, event.digest):
            yield f"the run {record.event_id} was recorded on both"
        if isinstance(event, ProcedureAdded):
            same = target.find_by_key(event.scope, event.content_key)
            if same is not None and same.id != event.procedure_id:
                yield f"procedure {same.name!r} was added on both"


def _concerned(source: State, event: Event) -> tuple[ProcedureId, ...]:
    """Return the procedures that *event* changes, an undo by what it takes away."""
    if isinstance(event, EventsUndone):
        placed = source.history.placed
        return tuple({id for undone in event.undone if undone in placed for id in placed[undone].touched})
    return touched(event)
