"""
What the log says of episodes, of the policies in force, and of the runs that wait: the state beside the procedures.

Episodes happened, so nothing here is ever taken out of force: a view sees of it what stands at or before its position
on its line of branches, and no more. Folding it into ``memp.state`` was not taken: procedures need timelines that an
undo can change, and this needs lists that only grow.
"""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING

import attrs

from memp.events import EpisodeFinished, EpisodeStarted, GateSet, PolicySet, RunDropped, RunQueued, Served
from memp.model import EpisodeId, EventId, Position, ProcedureId, QueuedId, TrajectoryId

if TYPE_CHECKING:
    from memp.state import State

DiaryEvent = EpisodeStarted | EpisodeFinished | PolicySet | GateSet | RunQueued | RunDropped
"""The events that are kept here."""


class EpisodeStatus(enum.StrEnum):
    """How an episode stands. What nobody can finish any more is abandoned when the store is next opened to write."""

    STARTED = "started"
    FINISHED = "finished"
    ABANDONED = "abandoned"


@attrs.frozen(kw_only=True)
class EpisodeInfo:
    """
    One episode as a view sees it.

    Attributes:
        id: Random.

        event_id: The event that started it.

        task: What the agent was asked to do.

        scope: Whose it is; empty for everybody's.

        status: Started, finished or abandoned.

        position: Where it started.

        read: Branch and last position of the view that was read.

        started_at: When it started, microseconds since 1970 UTC.

        finished_at: When it ended; None if nothing says so.

        served: What the agent was given, best first.

        prompt: Hex SHA-256 of the prompt.

        policies: What decides about the outcome.

        success: Whether the task was solved; None if not known.

        reward: The score; None if there was none.

        steps: Steps that were taken; None before the end.

        tokens: Tokens that were used; None if not known.

        trajectory_id: The recording of the run; None if there is none.

        why: Why it was abandoned; empty otherwise.

        remarks: What policies did, or left alone and why.
    """

    id: EpisodeId
    event_id: EventId
    task: str
    scope: str
    status: EpisodeStatus
    position: Position
    read: tuple[str, Position]
    started_at: int
    finished_at: int | None = None
    served: tuple[Served, ...]
    prompt: str
    policies: tuple[str, ...]
    success: bool | None = None
    reward: float | None = None
    steps: int | None = None
    tokens: int | None = None
    trajectory_id: TrajectoryId | None = None
    why: str = ""
    remarks: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class QueuedRun:
    """
    A run that waits to be learned from; its steps stay in the log until it is its turn.

    Attributes:
        id: Random; what ``drop`` takes.

        event_id: The event that queued it.

        position: Where it stands.

        task: What the run's agent was asked to do.

        success: Whether it did; None if not known.

        scope: Whose run it is; empty for everybody's.

        queued_at: When, microseconds since 1970 UTC.
    """

    id: QueuedId
    event_id: EventId
    position: Position
    task: str
    success: bool | None
    scope: str
    queued_at: int


@attrs.frozen
class Noted:
    """
    An event with where it stands.

    Attributes:
        position: The position.

        event_id: The event.

        recorded_at: When, microseconds since 1970 UTC.

        event: What it says.
    """

    position: Position
    event_id: EventId
    recorded_at: int
    event: EpisodeStarted | EpisodeFinished


class Diary:
    """
    What one branch says of these, beside what its ancestors say.

    Only ``memp.state.History`` adds to it.
    """

    def __init__(self) -> None:
        self.started: MutableMapping[EpisodeId, Noted] = {}
        self.finished: MutableMapping[EpisodeId, Noted] = {}
        self.served: dict[ProcedureId, list[tuple[int, EpisodeId]]] = {}
        self.policies: list[tuple[int, PolicySet]] = []
        self.gates: list[tuple[int, GateSet]] = []
        self.queued: dict[QueuedId, QueuedRun] = {}
        self.dropped: dict[QueuedId, int] = {}

    def note(self, event: DiaryEvent, *, event_id: EventId, position: Position, recorded_at: int) -> None:
        """Take up the next event of the branch."""
        match event:
            case EpisodeStarted():
                self.started[event.episode_id] = Noted(position, event_id, recorded_at, event)
                for served in event.served:
                    self.served.setdefault(served.procedure_id, []).append((position, event.episode_id))
            case EpisodeFinished():
                self.finished.setdefault(event.episode_id, Noted(position, event_id, recorded_at, event))
            case PolicySet():
                self.policies.append((position, event))
            case GateSet():
                self.gates.append((position, event))
            case RunQueued():
                self.queued[event.queued_id] = QueuedRun(
                    id=event.queued_id,
                    event_id=event_id,
                    position=position,
                    task=event.trajectory.task,
                    success=event.trajectory.success,
                    scope=event.scope,
                    queued_at=recorded_at,
                )
            case RunDropped():
                self.dropped.setdefault(event.queued_id, position)


def _lineage(state: State) -> Iterator[tuple[Diary, int]]:
    return ((branch.diary, until) for branch, until in state.branch.lineage(state.position))


def _info(state: State, noted: Noted) -> EpisodeInfo:
    started = noted.event
    assert isinstance(started, EpisodeStarted)
    info = EpisodeInfo(
        id=started.episode_id,
        event_id=noted.event_id,
        task=started.task,
        scope=started.scope,
        status=EpisodeStatus.STARTED,
        position=noted.position,
        read=(started.branch, Position(started.position)),
        started_at=noted.recorded_at,
        served=started.served,
        prompt=started.prompt,
        policies=started.policies,
    )
    for diary, until in _lineage(state):
        end = diary.finished.get(started.episode_id)
        if end is not None and end.position <= until:
            finished = end.event
            assert isinstance(finished, EpisodeFinished)
            return attrs.evolve(
                info,
                status=EpisodeStatus.ABANDONED if finished.abandoned else EpisodeStatus.FINISHED,
                finished_at=end.recorded_at,
                success=finished.success,
                reward=finished.reward,
                steps=finished.steps,
                tokens=finished.tokens,
                trajectory_id=finished.trajectory_id,
                why=finished.why,
                remarks=finished.remarks,
            )
    return info


def episodes(state: State) -> list[EpisodeInfo]:
    """Return every episode that is seen in *state*, oldest first."""
    found = [
        noted
        for diary, until in _lineage(state)
        for noted in diary.started.values()
        if noted.position <= until and state.sees(noted.event_id)
    ]
    return [_info(state, noted) for noted in sorted(found, key=lambda noted: noted.position)]


def find_episode(state: State, episode_id: str) -> EpisodeInfo | None:
    """Return the episode of that id; None if it is not seen in *state*."""
    for diary, until in _lineage(state):
        noted = diary.started.get(EpisodeId(episode_id))
        if noted is not None and noted.position <= until and state.sees(noted.event_id):
            return _info(state, noted)
    return None


def unfinished(diary: Diary) -> list[tuple[EpisodeId, EventId]]:
    """Return the episodes of a branch that nothing ended, each with the event that started it, oldest first."""
    return [(id, diary.started[id].event_id) for id in diary.started if id not in diary.finished]


def episodes_serving(state: State, procedure_id: str) -> list[EpisodeInfo]:
    """Return the episodes that served the procedure, oldest first."""
    found = []
    for diary, until in _lineage(state):
        for position, episode_id in diary.served.get(ProcedureId(procedure_id), ()):
            noted = diary.started[episode_id]
            if position <= until and state.sees(noted.event_id):
                found.append(noted)
    return [_info(state, noted) for noted in sorted(found, key=lambda noted: noted.position)]


def times_served(state: State, procedure_id: str) -> int:
    """Return in how many episodes the procedure was served, finished or not."""
    return sum(
        position <= until and state.sees(diary.started[episode_id].event_id)
        for diary, until in _lineage(state)
        for position, episode_id in diary.served.get(ProcedureId(procedure_id), ())
    )


def policy(state: State) -> PolicySet | None:
    """Return the rules that were set last; None if nobody ever set any."""
    for diary, until in _lineage(state):
        seen = bisect_right(diary.policies, until, key=lambda one: one[0])
        if seen:
            return diary.policies[seen - 1][1]
    return None


def gate(state: State) -> GateSet | None:
    """Return what candidates must pass before they take the place of what works; None if there is no gate."""
    for diary, until in _lineage(state):
        seen = bisect_right(diary.gates, until, key=lambda one: one[0])
        if seen:
            found = diary.gates[seen - 1][1]
            return None if found.suite is None else found
    return None


def queue(state: State) -> list[QueuedRun]:
    """Return the runs that wait, oldest first."""
    dropped = {id for diary, until in _lineage(state) for id, position in diary.dropped.items() if position <= until}
    found = [
        run
        for diary, until in _lineage(state)
        for run in diary.queued.values()
        if run.position <= until and run.id not in dropped and state.reads(run.scope)
    ]
    return sorted(found, key=lambda run: run.position)
