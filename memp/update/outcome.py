"""
From the end of an episode to the events that say it: the run, the outcome, the evidence, and what policies decide.

All of it is one batch. Policies decide about a version of the memory that nobody else knows (``memp.state.without``)
in which the evidence and the decisions of those before them are already in force, so the order in which they were
named is the order in which they act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from memp import decide
from memp.build import Builder, SourcedRun
from memp.build.keys import written_key
from memp.decide import Decided, Ids
from memp.episodes import EpisodeInfo, gate
from memp.errors import ConflictError, NotFoundError
from memp.events import EpisodeFinished, PolicySet, ProcedureReflected, ProcedureValidated, TrajectoryRecorded
from memp.model import EventId, Procedure, Trajectory, TrajectoryId
from memp.projection import Entry
from memp.state import State, also, without
from memp.update.base import (
    AcceptRevision,
    Command,
    Erase,
    FinishedEpisode,
    LearnRun,
    Policy,
    ReflectOn,
    RejectRevision,
    Remark,
    ServedProcedure,
    StoredRun,
)
from memp.update.credit import rank_weights
from memp.update.erasure import over_capacity

if TYPE_CHECKING:
    from memp.script.toolset import Toolset


@attrs.frozen(kw_only=True)
class Around:
    """
    What deciding needs from outside.

    Attributes:
        ids: Where ids come from.

        builder: Builds from runs.

        toolset_of: Returns the toolset with a digest; None if there is none.

        successes: Returns recorded runs that solved their task, for a procedure.
    """

    ids: Ids
    builder: Builder
    toolset_of: Callable[[str | None], Toolset | None]
    successes: Callable[[Procedure], Iterator[StoredRun]]


@attrs.frozen(kw_only=True)
class Outcome:
    """
    How an episode ended.

    Attributes:
        trajectory: What the agent did.

        success: Whether the task was solved.

        reward: The score; None if there was none.

        tokens: Tokens that were used; None if not known.
    """

    trajectory: Trajectory
    success: bool
    reward: float | None
    tokens: int | None


def record_run(state: State, run: Trajectory, *, scope: str, ids: Ids) -> tuple[TrajectoryId, EventId, list[Decided]]:
    """Return the recording of *run*, the event that is it, and what must be said for it: nothing if it is known."""
    known = state.known_run(scope, run.digest)
    if known is not None:
        return known.head.trajectory_id, known.event_id, []
    trajectory_id = TrajectoryId(ids.random())
    event = TrajectoryRecorded(trajectory_id=trajectory_id, scope=scope, digest=run.digest, trajectory=run)
    decided = decide.single(event, ids)
    return trajectory_id, decided.event_id, [decided]


def abandon(state: State, info: EpisodeInfo, run: Trajectory | None, *, why: str, ids: Ids) -> list[Decided]:
    """Return the events that say that an episode ended without an outcome, with what was lived of it."""
    trajectory_id: TrajectoryId | None = None
    decided: list[Decided] = []
    if run is not None:
        trajectory_id, _, decided = record_run(state, run, scope=info.scope, ids=ids)
    event = EpisodeFinished(
        episode_id=info.id,
        trajectory_id=trajectory_id,
        steps=0 if run is None else len(run.actions),
        abandoned=True,
        why=why,
    )
    return [*decided, decide.single(event, ids, cause=info.event_id)]


def finish(
    state: State,
    info: EpisodeInfo,
    outcome: Outcome,
    *,
    policies: Sequence[tuple[str, Policy]],
    settings: PolicySet,
    around: Around,
) -> list[Decided]:
    """
    Return the events that say how an episode ended and what follows from it.

    Args:
        state: The present.

        info: The episode.

        outcome: How it ended.

        policies: What decides, each with its name, in their order.

        settings: The rules in force.

        around: What deciding needs from outside.
    """
    ids, run = around.ids, outcome.trajectory
    trajectory_id, recorded_by, decided = record_run(state, run, scope=info.scope, ids=ids)
    end = EventId(ids.event())
    shares = _shares(state, info)
    evidence = [decide.single(_validated(one, outcome), ids, cause=end) for one in shares]
    after, _ = without(state, ())
    _happen(after, evidence)
    episode = _as_policies_see_it(
        after, info, outcome, shares, recording=(trajectory_id, recorded_by), settings=settings, around=around
    )
    changes, remarks = _ask(after, episode, policies, around, cause=end)
    finished = EpisodeFinished(
        episode_id=info.id,
        trajectory_id=trajectory_id,
        success=outcome.success,
        reward=outcome.reward,
        steps=len(run.actions),
        tokens=outcome.tokens,
        remarks=tuple(remarks),
    )
    said = Decided(event=finished, event_id=end, cause=info.event_id)
    return [*decided, said, *evidence, *changes]


def _as_policies_see_it(
    after: State,
    info: EpisodeInfo,
    outcome: Outcome,
    shares: Sequence[ServedProcedure],
    *,
    recording: tuple[TrajectoryId, EventId],
    settings: PolicySet,
    around: Around,
) -> FinishedEpisode:
    """Return the episode with what was served as it stands in *after*, where its evidence is in force."""
    trajectory_id, recorded_by = recording
    return FinishedEpisode(
        id=info.id,
        task=info.task,
        scope=info.scope,
        success=outcome.success,
        reward=outcome.reward,
        trajectory=outcome.trajectory,
        trajectory_id=trajectory_id,
        recorded_by=recorded_by,
        served=tuple(
            ServedProcedure(
                procedure=after.get(one.procedure.id) or one.procedure,
                revision=one.revision,
                rank=one.rank,
                weight=one.weight,
            )
            for one in shares
        ),
        settings=settings,
        toolset_of=around.toolset_of,
        successes=around.successes,
    )


def _shares(state: State, info: EpisodeInfo) -> list[ServedProcedure]:
    """Return what was served and is still there, each with its share of the outcome."""
    found = []
    for served, weight in zip(info.served, rank_weights(len(info.served)), strict=True):
        procedure = state.get(served.procedure_id)
        revision = next((r for r in procedure.revisions if r.id == served.revision), None) if procedure else None
        if procedure is not None and revision is not None:
            found.append(ServedProcedure(procedure=procedure, revision=revision, rank=served.rank, weight=weight))
    return found


def _validated(served: ServedProcedure, outcome: Outcome) -> ProcedureValidated:
    return ProcedureValidated(
        procedure_id=served.procedure.id,
        revision=served.revision.id,
        success=outcome.success,
        reward=outcome.reward,
        steps=len(outcome.trajectory.actions),
        weight=served.weight,
        judge="rule",
        reason=f"served in an episode, at rank {served.rank}",
    )


def _happen(state: State, decided: Sequence[Decided]) -> None:
    entries = [
        Entry(event_id=one.event_id, position=state.position, derived_from=one.derived_from, said=one.event)
        for one in decided
    ]
    also(state, entries)


def _ask(
    state: State,
    episode: FinishedEpisode,
    policies: Sequence[tuple[str, Policy]],
    around: Around,
    *,
    cause: EventId,
) -> tuple[list[Decided], list[str]]:
    """Return what the policies decide, and what they have to say."""
    decided: list[Decided] = []
    remarks: list[str] = []

    def carry(name: str, command: Command) -> None:
        try:
            made, told = _carry_out(state, command, episode, around, policy=name)
        except (ConflictError, NotFoundError) as error:
            remarks.append(f"{name}: {error}")
            return
        made = [attrs.evolve(one, cause=cause) for one in made]
        _happen(state, made)
        decided.extend(made)
        if told:
            remarks.append(f"{name}: {told}")

    for name, policy in policies:
        for command in policy(state, episode):
            carry(name, command)
    if decided:
        for erase in surplus(state, episode.settings, scope=episode.scope):
            carry("capacity", erase)
    return decided, remarks


def surplus(state: State, settings: PolicySet, *, scope: str) -> list[Erase]:
    """Return what must go so that *scope* holds no more procedures than *settings* allow."""
    if settings.max_procedures is None:
        return []
    return over_capacity(state, scope=scope, most=settings.max_procedures, half_life_days=settings.half_life_days)


def capped(
    state: State, decided: Sequence[Decided], settings: PolicySet, *, scope: str, ids: Ids
) -> tuple[Decided, ...]:
    """Return *decided* with what must then go because there would be too many procedures."""
    if settings.max_procedures is None or not decided:
        return tuple(decided)
    after, _ = without(state, ())
    _happen(after, decided)
    erased = []
    for command in surplus(after, settings, scope=scope):
        procedure = _procedure(after, command)
        erased.append(decide.single(decide.erase(procedure, reason=f"capacity: {command.reason}"), ids))
    # What comes and goes at once never needs to come; but its run is on record, and the log should say why it is not
    # among the procedures.
    return (*decided, *erased)


def _carry_out(
    state: State, command: Command, episode: FinishedEpisode, around: Around, *, policy: str
) -> tuple[list[Decided], str]:
    """
    Return the events that do what *command* says, and what to remark.

    Raises:
        ConflictError: It makes no sense in this state.

        NotFoundError: What it is about is not there.
    """
    ids = around.ids
    match command:
        case Remark(text=text):
            return [], text
        case LearnRun():
            return _learn(state, episode, around)
        case ReflectOn():
            return [_reflected(state, command, episode, ids, policy=policy)], f"offered a candidate: {command.reason}"
        case AcceptRevision(revision=revision):
            procedure = _procedure(state, command)
            if gate(state) is not None:
                raise ConflictError(f"a gate is set, so the candidate of {procedure.name!r} waits for it")
            event = decide.accept(procedure, revision, reason=f"{policy}: {command.reason}")
            return [decide.single(event, ids)], f"accepted a candidate of {procedure.name!r}"
        case RejectRevision(revision=revision):
            procedure = _procedure(state, command)
            rejected = decide.reject(procedure, revision, reason=f"{policy}: {command.reason}")
            return [decide.single(rejected, ids)], f"rejected a candidate of {procedure.name!r}"
        case Erase():
            procedure = _procedure(state, command)
            erased = decide.erase(procedure, reason=f"{policy}: {command.reason}")
            return [decide.single(erased, ids)], f"erased {procedure.name!r}"


def _procedure(state: State, command: AcceptRevision | RejectRevision | Erase | ReflectOn) -> Procedure:
    procedure = state.get(command.procedure_id)
    if procedure is None:
        raise NotFoundError(f"the procedure {command.procedure_id!r} is not here")
    return procedure


def _learn(state: State, episode: FinishedEpisode, around: Around) -> tuple[list[Decided], str]:
    run = SourcedRun(id=episode.trajectory_id, trajectory=episode.trajectory)
    if episode.recorded_by in state.history.placed:
        return [], "the run was on record already and was left alone"
    built = decide.build(
        state,
        [run],
        events={run.id: episode.recorded_by},
        builder=around.builder,
        scope=episode.scope,
        ids=around.ids,
        spared=frozenset(one.procedure.id for one in episode.served),
    )
    if built.added:
        return list(built.decided), f"learned {built.added[0]!r} from the run"
    if built.generalised:
        return list(built.decided), f"the run supports {built.generalised[0]!r}"
    return [], "the run does what was served, which has evidence from it and gets no support as well"


def _reflected(state: State, command: ReflectOn, episode: FinishedEpisode, ids: Ids, *, policy: str) -> Decided:
    procedure = _procedure(state, command)
    event = ProcedureReflected(
        procedure_id=procedure.id,
        base=procedure.find_revision(command.base).id,
        content_key=written_key(
            command.content, scope=procedure.scope, toolset=procedure.toolset, builder=procedure.builder
        ),
        content=command.content,
        critique=command.critique,
        reason=f"{policy}: {command.reason}",
        answers=(episode.trajectory_id,),
    )
    return decide.single(event, ids, derived_from=(command.base, *dict.fromkeys(command.made_from)))
