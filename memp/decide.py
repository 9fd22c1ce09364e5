"""
The rules of change: from the state and what is wanted to the events that say so.

Pure functions: ids come as an argument, nothing is stored, and what would be done is known before it is done. They
refuse what makes no sense in this state; what is malformed in itself, the events refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import attrs

from memp.build import Builder, Draft, SourcedRun, content_key
from memp.build.base import better_run
from memp.build.keys import written_key
from memp.errors import ConflictError, InvalidInputError
from memp.events import (
    Event,
    ProcedureAdded,
    ProcedureErased,
    ProcedureGeneralised,
    ProcedureMerged,
    ProcedureReflected,
    ProcedureUnerased,
    ProcedureValidated,
    RevisionAccepted,
    RevisionRejected,
    TrajectoryRecorded,
)
from memp.model import (
    SUCCESS_REWARD,
    Content,
    ContentKey,
    EventId,
    Procedure,
    ProcedureId,
    ProcedureStatus,
    RevisionStatus,
    Trajectory,
    TrajectoryId,
)
from memp.state import State
from memp.update import IntakePolicy

NAME_WORDS = 8
"""How many words of a task make a name: enough to tell tasks apart, short enough to type."""

HAND = "hand"
"""Builder of the procedures that somebody wrote."""

WRITTEN_BUILDERS = frozenset({HAND, "merge"})
"""Builders whose revisions no other builder rewrites."""


@attrs.frozen(kw_only=True)
class Ids:
    """
    Where ids come from.

    Attributes:
        event: Returns a new event id.

        random: Returns a new random id.
    """

    event: Callable[[], str]
    random: Callable[[], str]


@attrs.frozen(kw_only=True)
class Decided:
    """
    An event that was decided and not yet stored.

    Attributes:
        event: What is to be said.

        event_id: Its id, made here because a later event of the same batch may name it.

        cause: The event that it answers; None if none.

        derived_from: The events whose content its content was made from.

        read: What else was looked at.
    """

    event: Event
    event_id: EventId
    cause: EventId | None = None
    derived_from: tuple[EventId, ...] = ()
    read: tuple[EventId, ...] = ()


@attrs.frozen(kw_only=True)
class Learned:
    """
    What learning would do.

    Attributes:
        decided: The events, in order; empty if there is nothing new.

        recorded: The recordings of runs that are new here, in the order of the runs.

        known: How many runs were known already.

        unbuilt: How many of the recorded runs no procedure is built from.

        added: Names of the new procedures.

        generalised: Names of those that further runs now support.
    """

    decided: tuple[Decided, ...]
    recorded: tuple[TrajectoryId, ...]
    known: int
    unbuilt: int
    added: tuple[str, ...]
    generalised: tuple[str, ...]


def learn(
    state: State,
    runs: Sequence[Trajectory],
    *,
    builder: Builder,
    policy: IntakePolicy,
    tags: tuple[str, ...] = (),
    scope: str,
    ids: Ids,
) -> Learned:
    """
    Record *runs* that are new to *scope* and build procedures from those that *policy* lets in.

    A draft whose key is known extends the procedure that has it; it never makes a second one.
    """
    decided, sourced, known = _record(state, runs, scope=scope, ids=ids)
    events = {run.id: d.event_id for run, d in zip(sourced, decided, strict=True)}
    chosen = [run for run in sourced if policy(run.trajectory)]
    built = build(state, chosen, events=events, builder=builder, scope=scope, ids=ids, tags=tags)
    return Learned(
        decided=(*decided, *built.decided),
        recorded=tuple(run.id for run in sourced),
        known=known,
        unbuilt=len(sourced) - len(chosen),
        added=built.added,
        generalised=built.generalised,
    )


@attrs.frozen(kw_only=True)
class Built:
    """
    What building from recorded runs would do.

    Attributes:
        decided: The events, in order.

        added: Names of the new procedures.

        generalised: Names of those that further runs now support.
    """

    decided: tuple[Decided, ...]
    added: tuple[str, ...]
    generalised: tuple[str, ...]


def build(
    state: State,
    runs: Sequence[SourcedRun],
    *,
    events: Mapping[TrajectoryId, EventId],
    builder: Builder,
    scope: str,
    ids: Ids,
    tags: tuple[str, ...] = (),
    spared: frozenset[ProcedureId] = frozenset(),
) -> Built:
    """
    Build procedures from recorded *runs*.

    Args:
        state: The version.

        runs: The runs.

        events: The event that recorded each of them.

        builder: How.

        scope: Whose the procedures are.

        ids: Where ids come from.

        tags: Words to filter by, for procedures that are new.

        spared: Procedures that get no support from these runs.
    """
    decided: list[Decided] = []
    added, generalised = [], []
    names = Names(state)
    for draft in builder.build(runs):
        derived = tuple(events[source] for source in draft.sources)
        key = draft_key(draft, scope=scope)
        there = state.find_by_key(scope, key) or find_written(state, draft, builder=builder, scope=scope)
        if there is None:
            event = add(attrs.evolve(draft, tags=(*draft.tags, *tags)), scope=scope, names=names, ids=ids)
            added.append(event.name)
            decided.append(_decided(event, ids, derived_from=derived))
        elif there.id not in spared:
            decided.append(extend(there, draft, builder=builder, derived=derived, ids=ids))
            generalised.append(there.name)
    return Built(decided=tuple(decided), added=tuple(added), generalised=tuple(generalised))


def _record(
    state: State, runs: Sequence[Trajectory], *, scope: str, ids: Ids
) -> tuple[list[Decided], list[SourcedRun], int]:
    decided, sourced, seen, known = [], [], set(), 0
    for run in runs:
        digest = run.digest
        if digest in seen or state.known_run(scope, digest):
            known += 1
            continue
        seen.add(digest)
        trajectory_id = TrajectoryId(ids.random())
        event = TrajectoryRecorded(trajectory_id=trajectory_id, scope=scope, digest=digest, trajectory=run)
        decided.append(_decided(event, ids))
        sourced.append(SourcedRun(id=trajectory_id, trajectory=run))
    return decided, sourced, known


def find_written(state: State, draft: Draft, *, builder: Builder, scope: str) -> Procedure | None:
    """Return the procedure of *scope* that was written by hand and does what *draft* does; None if there is none."""
    if draft.toolset is None:
        return None
    found = (
        procedure
        for procedure in state.live()
        if procedure.builder == HAND and procedure.scope == scope and procedure.toolset == draft.toolset
    )
    same = [procedure for procedure in found if builder.resembles(procedure.revision.content, draft)]
    return min(same, key=lambda procedure: (procedure.content_key, procedure.name), default=None)


def add(draft: Draft, *, scope: str, names: Names, ids: Ids) -> ProcedureAdded:
    """Return the event that makes a new procedure of *draft*."""
    return ProcedureAdded(
        procedure_id=ProcedureId(ids.random()),
        name=names.take(draft.name or draft.content.task),
        scope=scope,
        tags=tuple(sorted(set(draft.tags))),
        toolset=draft.toolset,
        builder=draft.builder,
        content_key=draft_key(draft, scope=scope),
        content=draft.content,
        sources=draft.sources,
    )


def add_written(
    state: State,
    contents: Sequence[tuple[str, Content]],
    *,
    toolset: str | None,
    tags: tuple[str, ...],
    scope: str,
    ids: Ids,
) -> list[Decided]:
    """
    Return the events that make procedures of what somebody wrote.

    Args:
        state: The version.

        contents: A name and a content each.

        toolset: Digest of the toolset that they speak; None if untyped.

        tags: Words to filter by.

        scope: Whose they are.

        ids: Where ids come from.

    Raises:
        ConflictError: One of them is here already, in the same words.
    """
    names, decided = Names(state), []
    for name, content in contents:
        key = written_key(content, scope=scope, toolset=toolset, builder=HAND)
        there = state.find_by_key(scope, key)
        if there is not None:
            status = "" if there.status is ProcedureStatus.LIVE else f", {there.status}"
            raise ConflictError(f"{name!r} is here already, as {there.name!r}{status}; nothing was added.")
        event = ProcedureAdded(
            procedure_id=ProcedureId(ids.random()),
            name=names.take(name),
            scope=scope,
            tags=tuple(sorted(set(tags))),
            toolset=toolset,
            builder=HAND,
            content_key=key,
            content=content,
        )
        decided.append(_decided(event, ids))
    return decided


def draft_key(draft: Draft, *, scope: str) -> ContentKey:
    """Return what the draft is, by content."""
    return content_key(
        scope=scope, toolset=draft.toolset, builder=draft.builder, pattern=draft.pattern, skeleton=draft.skeleton
    )


def extend(procedure: Procedure, draft: Draft, *, builder: Builder, derived: tuple[EventId, ...], ids: Ids) -> Decided:
    """
    Extend *procedure* by *draft*.

    A revision that a person, a merge or a reflection wrote is not rewritten: the runs support it, and what the builder
    makes of them waits beside it as a candidate.
    """
    key = draft_key(draft, scope=procedure.scope)
    own = [r for r in procedure.revisions if r.content_key == key and r.status is not RevisionStatus.REJECTED]
    active = procedure.revision
    rewritable = active.content_key == key and procedure.builder not in WRITTEN_BUILDERS
    base = active if rewritable or not own else own[-1]
    content = builder.join(base.content, draft.content) if base.content_key == key else draft.content
    event = ProcedureGeneralised(
        procedure_id=procedure.id,
        base=base.id,
        content_key=key,
        content=content,
        sources=draft.sources,
        candidate=not rewritable,
    )
    return _decided(event, ids, derived_from=(base.id, *derived))


def validate(
    procedure: Procedure,
    *,
    revision: str | None,
    reward: float | None,
    success: bool | None,
    steps: int | None,
    weight: float,
    judge: str,
    reason: str,
) -> ProcedureValidated:
    """
    Return evidence for or against a revision, by default the active one.

    Raises:
        InvalidInputError: Neither a reward nor a success was given.
    """
    if success is None:
        if reward is None:
            raise InvalidInputError("Evidence needs 'reward', 'success' or both (got neither).")
        success = reward >= SUCCESS_REWARD
    return ProcedureValidated(
        procedure_id=procedure.id,
        revision=procedure.find_revision(revision or procedure.active).id,
        success=success,
        reward=None if reward is None else float(reward),
        steps=steps,
        weight=float(weight),
        judge=judge,
        reason=reason,
    )


def reflect(
    procedure: Procedure, *, content: Content, critique: str, reason: str, activate: bool
) -> ProcedureReflected:
    """
    Return a new revision of *procedure* that says *content*.

    Raises:
        ConflictError: The procedure was erased or merged, or already says just that.
    """
    require_live(procedure, "reflected on")
    if content == procedure.revision.content:
        raise ConflictError(f"Procedure {procedure.name!r} already says just that; nothing was changed.")
    return ProcedureReflected(
        procedure_id=procedure.id,
        base=procedure.active,
        content_key=written_key(content, scope=procedure.scope, toolset=procedure.toolset, builder=procedure.builder),
        content=content,
        critique=critique,
        reason=reason,
        candidate=not activate,
    )


def accept(procedure: Procedure, revision: str, *, reason: str) -> RevisionAccepted:
    """
    Return the verdict that *revision* takes the place of the active one.

    Raises:
        ConflictError: It is not a candidate.
    """
    _require_candidate(procedure, revision)
    return RevisionAccepted(procedure_id=procedure.id, revision=EventId(revision), reason=reason)


def reject(procedure: Procedure, revision: str, *, reason: str) -> RevisionRejected:
    """
    Return the verdict that *revision* is turned down.

    Raises:
        ConflictError: It is not a candidate.
    """
    _require_candidate(procedure, revision)
    return RevisionRejected(procedure_id=procedure.id, revision=EventId(revision), reason=reason)


def _require_candidate(procedure: Procedure, revision: str) -> None:
    status = procedure.find_revision(revision).status
    if status is not RevisionStatus.CANDIDATE:
        raise ConflictError(f"Revision {revision!r} of {procedure.name!r} must be a candidate (it is {status}).")


def erase(procedure: Procedure, *, reason: str) -> ProcedureErased:
    """
    Return that *procedure* is no longer retrieved.

    Raises:
        ConflictError: It is not retrieved as it is.
    """
    require_live(procedure, "erased")
    return ProcedureErased(procedure_id=procedure.id, reason=reason)


def unerase(procedure: Procedure, *, reason: str) -> ProcedureUnerased:
    """
    Return that *procedure* is retrieved again.

    Raises:
        ConflictError: It is not erased.
    """
    if procedure.status is not ProcedureStatus.ERASED:
        raise ConflictError(
            f"Procedure {procedure.name!r} must be erased to be brought back (it is {procedure.status})."
        )
    return ProcedureUnerased(procedure_id=procedure.id, reason=reason)


def merge(state: State, procedures: Sequence[Procedure], *, reason: str, ids: Ids) -> Decided:
    """
    Make one new procedure of several.

    It says what the best supported of them says (then the one that helped most, then by content), answers to the task
    patterns of all, and is supported by the runs of all.

    Raises:
        InvalidInputError: Fewer than two different procedures, or they are of different scopes or toolsets.

        ConflictError: One of them is erased or merged.
    """
    if len({procedure.id for procedure in procedures}) < 2:
        raise InvalidInputError(f"A merge takes two or more different procedures (got {[p.name for p in procedures]}).")
    for procedure in procedures:
        require_live(procedure, "merged")
    for what in ("scope", "toolset"):
        values = sorted({str(getattr(procedure, what)) for procedure in procedures})
        if len(values) > 1:
            raise InvalidInputError(
                f"Only procedures of one {what} can be merged (got {', '.join(map(repr, values))})."
            )
    ranked = sorted(procedures, key=lambda p: (-p.support, -p.evidence.helped, p.content_key))
    best = ranked[0]
    content = _merged_content(best.revision.content, [p.revision.content for p in ranked[1:]])
    event = ProcedureMerged(
        procedure_id=ProcedureId(ids.random()),
        merged=tuple(p.id for p in procedures),
        name=Names(state).take(best.name),
        scope=best.scope,
        tags=tuple(sorted({tag for p in procedures for tag in p.tags})),
        toolset=best.toolset,
        content_key=written_key(content, scope=best.scope, toolset=best.toolset, builder="merge"),
        content=content,
        sources=tuple(dict.fromkeys(source for p in procedures for source in p.sources)),
        reason=reason,
    )
    return _decided(event, ids, derived_from=tuple(p.active for p in procedures))


def _merged_content(best: Content, others: Sequence[Content]) -> Content:
    run = best.run
    if best.script is None:
        for other in others:
            run = better_run(run, other.run)
    return attrs.evolve(
        best,
        patterns=tuple(dict.fromkeys(p for content in (best, *others) for p in content.patterns or (content.task,))),
        run=run,
        facts=tuple(dict.fromkeys(fact for content in (best, *others) for fact in content.facts)),
    )


def require_live(procedure: Procedure, verb: str) -> None:
    """
    Refuse what is not retrieved.

    Raises:
        ConflictError: *procedure* is erased or merged.
    """
    if procedure.status is not ProcedureStatus.LIVE:
        raise ConflictError(f"Procedure {procedure.name!r} is {procedure.status} and cannot be {verb}.")


def single(
    event: Event,
    ids: Ids,
    *,
    cause: EventId | None = None,
    derived_from: tuple[EventId, ...] = (),
    read: tuple[EventId, ...] = (),
) -> Decided:
    """Return *event* as an operation of its own."""
    return Decided(event=event, event_id=EventId(ids.event()), cause=cause, derived_from=derived_from, read=read)


def _decided(event: Event, ids: Ids, *, derived_from: tuple[EventId, ...] = ()) -> Decided:
    return Decided(event=event, event_id=EventId(ids.event()), derived_from=derived_from)


class Names:
    """Hands out readable names that no procedure has or had in a view that will see the new one."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def take(self, text: str) -> str:
        """Return a new name made of the words of *text*: lower case, joined by hyphens, numbered if it is taken."""
        words = re.findall(r"[^\W_]+", text.lower())[:NAME_WORDS] or ["procedure"]
        stem = "-".join(words)
        name, number = stem, self._next.get(stem, 2)
        while name in self._taken or self._state.is_taken(name):
            name, number = f"{stem}-{number}", number + 1
        self._taken.add(name)
        self._next[stem] = number
        return name
