"""
From events to procedures: which events are in force, and what a procedure becomes by each of them.

``evolve`` is a pure function of one procedure and one event, and total: evidence about a revision that is not there,
or a verdict on it, changes nothing, because an undo may have taken away what it speaks of. Every past version is kept
beside the present one by ``memp.state``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

import attrs
import msgspec

from memp.events import (
    BranchDeleted,
    BranchForked,
    BranchPromoted,
    ContentPurged,
    EmbedderSwitched,
    EpisodeFinished,
    EpisodeStarted,
    EvaluationRecorded,
    Event,
    EventsUndone,
    GateSet,
    LossAccepted,
    ModelCalled,
    PolicySet,
    ProcedureAdded,
    ProcedureErased,
    ProcedureGeneralised,
    ProcedureImported,
    ProcedureMerged,
    ProcedureReflected,
    ProcedureUnerased,
    ProcedureValidated,
    ResourceRecorded,
    RevisionAccepted,
    RevisionRejected,
    RunDropped,
    RunQueued,
    TextsEmbedded,
    TrajectoryRecorded,
    VersionTagged,
)
from memp.heads import ProcedureHead, StoredProcedure, TrajectoryHead
from memp.model import (
    CREDIT_UNIT,
    Content,
    EventId,
    Evidence,
    Position,
    Procedure,
    ProcedureId,
    ProcedureStatus,
    Revision,
    RevisionStatus,
    TrajectoryId,
)


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    An event with what the fold needs of its record.

    A msgspec struct like the one below: a replay makes one of them for every event, several times faster than attrs.

    Attributes:
        event_id: The event; also the id of a revision that it makes.

        position: Where it stands.

        derived_from: The events whose content its content was made from.

        said: The event; a new procedure stays as it is stored until somebody asks for it.
    """

    event_id: EventId
    position: Position
    derived_from: tuple[str, ...]
    said: Event | StoredProcedure

    @property
    def event(self) -> Event:
        """The event, decoded."""
        return self.said.event if isinstance(self.said, StoredProcedure) else self.said


class Run(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    A recorded trajectory, without its steps.

    Attributes:
        event_id: The event that recorded it.

        position: Where it stands; the steps are read from there.

        head: What is known of it without its steps.
    """

    event_id: EventId
    position: Position
    head: TrajectoryHead


@attrs.frozen(kw_only=True)
class Tombstone:
    """
    An event whose content was removed for good: that it was, where and by whom is still known.

    Attributes:
        event_id: The event.

        position: Where it stands.

        type: Stored tag.

        stream: What it was about, such as ``procedure/<id>``.

        branch: Where it was said.

        purged_at: The position of the ``content-purged`` that says why; None if none does, which ``verify`` reports.
    """

    event_id: EventId
    position: Position
    type: str
    stream: str
    branch: str
    purged_at: Position | None = None


def out_of_force(undos: Sequence[tuple[EventId, Iterable[EventId]]]) -> frozenset[EventId]:
    """
    Return the events that are out of force.

    An event is in force unless an undo that is itself in force names it. An undo can only name what stands before it,
    so going through them from the last to the first settles each one before it is needed.

    Args:
        undos: (id of the undo, the events that it names), in the order of the log.
    """
    out: set[EventId] = set()
    for undo, named in reversed(undos):
        if undo not in out:
            out.update(named)
    return frozenset(out)


def evolve(
    procedure_id: ProcedureId, procedure: Procedure | None, entry: Entry, *, tainted: bool = False
) -> Procedure | None:
    """
    Return what the procedure *procedure_id* becomes by *entry*; None while it does not exist.

    Args:
        procedure_id: The procedure that is folded; a merge touches several.

        procedure: As it was.

        entry: An event in force that touches it.

        tainted: Whether something that the event's content was made from is out of force.
    """
    event = entry.event
    match event:
        case ProcedureAdded():
            return first(event, event.content, event_id=entry.event_id, tainted=tainted)
        case ProcedureMerged() if event.procedure_id == procedure_id:
            return first(event, event.content, event_id=entry.event_id, tainted=tainted)
    if procedure is None:
        return None
    match event:
        case ProcedureMerged():
            return attrs.evolve(procedure, status=ProcedureStatus.MERGED, merged_into=event.procedure_id)
        case ProcedureValidated():
            return _validated(procedure, event)
        case ProcedureGeneralised():
            return _generalised(procedure, event, entry, tainted=tainted)
        case ProcedureReflected():
            return _reflected(procedure, event, entry, tainted=tainted)
        case RevisionAccepted():
            if _status(procedure, event.revision) is None:
                return procedure
            accepted = _activate(procedure, event.revision)
            waited = accepted.status is ProcedureStatus.CANDIDATE
            return attrs.evolve(accepted, status=ProcedureStatus.LIVE) if waited else accepted
        case RevisionRejected():
            if _status(procedure, event.revision) is not RevisionStatus.CANDIDATE:
                return procedure
            return _reject(procedure, event.revision)
        case ProcedureImported():
            return _imported(procedure, event)
        case ProcedureErased():
            return attrs.evolve(procedure, status=ProcedureStatus.ERASED) if _live(procedure) else procedure
        case ProcedureUnerased():
            if procedure.status is not ProcedureStatus.ERASED:
                return procedure
            return attrs.evolve(_activate(procedure, procedure.active), status=ProcedureStatus.LIVE)
        case ProcedureAdded() | TrajectoryRecorded() | ResourceRecorded() | EventsUndone():
            return procedure
        case VersionTagged() | BranchForked() | BranchPromoted() | BranchDeleted() | LossAccepted() | ContentPurged():
            return procedure
        case EpisodeStarted() | EpisodeFinished() | PolicySet() | GateSet() | RunQueued() | RunDropped():
            return procedure
        case EvaluationRecorded() | ModelCalled() | TextsEmbedded() | EmbedderSwitched():
            return procedure
        case _:
            assert_never(event)


def first(
    event: ProcedureAdded | ProcedureMerged | ProcedureHead,
    content: Content | StoredProcedure,
    *,
    event_id: EventId,
    tainted: bool = False,
) -> Procedure:
    """
    Return the procedure that *event* begins.

    Args:
        event: What is said of it, whole or its head.

        content: What it says.

        event_id: The event; also the id of the first revision.

        tainted: Whether something that the content was made from is out of force.
    """
    revision = Revision(
        id=event_id,
        content=content,
        content_key=event.content_key,
        sources=event.sources,
        family=event_id,
        tainted=tainted,
    )
    return Procedure(
        id=event.procedure_id,
        name=event.name,
        scope=event.scope,
        builder="merge" if isinstance(event, ProcedureMerged) else event.builder,
        toolset=event.toolset,
        tags=event.tags,
        revisions=(revision,),
        active=event_id,
    )


def _live(procedure: Procedure) -> bool:
    return procedure.status is ProcedureStatus.LIVE


def _status(procedure: Procedure, revision_id: EventId) -> RevisionStatus | None:
    """Return how the revision stands; None if the procedure has no such revision."""
    return next((r.status for r in procedure.revisions if r.id == revision_id), None)


def _find(procedure: Procedure, revision_id: EventId) -> Revision | None:
    return next((r for r in procedure.revisions if r.id == revision_id), None)


def _with_status(procedure: Procedure, revision_id: EventId, status: RevisionStatus) -> Procedure:
    revisions = tuple(attrs.evolve(r, status=status) if r.id == revision_id else r for r in procedure.revisions)
    return attrs.evolve(procedure, revisions=revisions)


def _activate(procedure: Procedure, revision_id: EventId) -> Procedure:
    """Return *procedure* with *revision_id* active and the one before superseded."""
    if revision_id == procedure.active:
        # The only revision of an imported procedure may wait for a verdict, or have got one.
        waits = _status(procedure, revision_id) is not RevisionStatus.ACTIVE
        return _with_status(procedure, revision_id, RevisionStatus.ACTIVE) if waits else procedure
    superseded = _with_status(procedure, procedure.active, RevisionStatus.SUPERSEDED)
    return attrs.evolve(_with_status(superseded, revision_id, RevisionStatus.ACTIVE), active=revision_id)


def _reject(procedure: Procedure, revision_id: EventId) -> Procedure:
    """Return *procedure* with a candidate turned down; one that waited for a verdict on just that goes with it."""
    rejected = _with_status(procedure, revision_id, RevisionStatus.REJECTED)
    gone = procedure.status is ProcedureStatus.CANDIDATE and revision_id == procedure.active
    return attrs.evolve(rejected, status=ProcedureStatus.ERASED) if gone else rejected


def _imported(procedure: Procedure, event: ProcedureImported) -> Procedure:
    """Return *procedure*, waiting for a verdict if the event says so and it is new."""
    if not event.candidate or [revision.id for revision in procedure.revisions] != [event.revision]:
        return procedure
    waiting = _with_status(procedure, event.revision, RevisionStatus.CANDIDATE)
    return attrs.evolve(waiting, status=ProcedureStatus.CANDIDATE)


def _validated(procedure: Procedure, event: ProcedureValidated) -> Procedure:
    revision = _find(procedure, event.revision)
    if revision is None:
        return procedure
    old = procedure.evidence_of(revision)
    credit = round(event.weight * CREDIT_UNIT)
    new = Evidence(
        episodes=old.episodes + 1,
        helped=old.helped + event.success,
        credit=old.credit + credit,
        helped_credit=old.helped_credit + (credit if event.success else 0),
        steps=old.steps + (event.steps or 0),
        steps_known=old.steps_known + (event.steps is not None),
    )
    # As ``attrs.evolve`` does, in a third of its time: each outcome comes by here for every procedure that was served.
    return Procedure(
        id=procedure.id,
        name=procedure.name,
        status=procedure.status,
        scope=procedure.scope,
        builder=procedure.builder,
        toolset=procedure.toolset,
        tags=procedure.tags,
        revisions=procedure.revisions,
        active=procedure.active,
        evidences={**procedure.evidences, revision.family: new},
        merged_into=procedure.merged_into,
    )


def _joined(sources: tuple[TrajectoryId, ...], more: tuple[TrajectoryId, ...]) -> tuple[TrajectoryId, ...]:
    return tuple(dict.fromkeys((*sources, *more)))


def _generalised(procedure: Procedure, event: ProcedureGeneralised, entry: Entry, *, tainted: bool) -> Procedure:
    base = _find(procedure, event.base)
    revision = Revision(
        id=entry.event_id,
        base=event.base,
        content=event.content,
        content_key=event.content_key,
        status=RevisionStatus.CANDIDATE,
        sources=_joined(base.sources if base else (), event.sources),
        family=base.family if base and not event.candidate else entry.event_id,
        tainted=tainted or base is None,
    )
    if event.candidate:
        # The active revision was written by hand or after a failure. The runs support it too, but do not rewrite it.
        active = procedure.revision
        supported = attrs.evolve(active, sources=_joined(active.sources, event.sources))
        revisions = tuple(supported if r.id == active.id else _outdated(r, revision) for r in procedure.revisions)
        return attrs.evolve(procedure, revisions=(*revisions, revision))
    return _activate(attrs.evolve(procedure, revisions=(*procedure.revisions, revision)), revision.id)


def _outdated(revision: Revision, newer: Revision) -> Revision:
    """Return *revision*, superseded if it waits as a candidate and *newer* says the same of more runs."""
    if revision.status is RevisionStatus.CANDIDATE and revision.content_key == newer.content_key:
        return attrs.evolve(revision, status=RevisionStatus.SUPERSEDED)
    return revision


def _reflected(procedure: Procedure, event: ProcedureReflected, entry: Entry, *, tainted: bool) -> Procedure:
    base = _find(procedure, event.base)
    revision = Revision(
        id=entry.event_id,
        base=event.base,
        content=event.content,
        content_key=event.content_key,
        status=RevisionStatus.CANDIDATE,
        sources=base.sources if base else (),
        family=entry.event_id,
        critique=event.critique,
        tainted=tainted or base is None,
    )
    extended = attrs.evolve(procedure, revisions=(*procedure.revisions, revision))
    return extended if event.candidate else _activate(extended, revision.id)


def touched(event: Event) -> tuple[ProcedureId, ...]:
    """Return the procedures that *event* changes."""
    match event:
        # What there is most of comes first.
        case ProcedureAdded() | ProcedureValidated() | ProcedureGeneralised() | ProcedureReflected():
            return (event.procedure_id,)
        case RevisionAccepted() | RevisionRejected() | ProcedureErased() | ProcedureUnerased() | ProcedureImported():
            return (event.procedure_id,)
        case ProcedureMerged():
            return (event.procedure_id, *event.merged)
        case TrajectoryRecorded() | ResourceRecorded() | EventsUndone():
            return ()
        case VersionTagged() | BranchForked() | BranchPromoted() | BranchDeleted() | LossAccepted() | ContentPurged():
            return ()
        case EpisodeStarted() | EpisodeFinished() | PolicySet() | GateSet() | RunQueued() | RunDropped():
            return ()
        case EvaluationRecorded() | ModelCalled() | TextsEmbedded() | EmbedderSwitched():
            return ()
        case _:
            assert_never(event)
