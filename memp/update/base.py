"""
What a policy is: a pure function from the state and a finished episode to commands.

A policy never writes. It is shown the memory with the episode's evidence already in it, and says what should be done;
``memp.update.outcome`` carries it out in the same batch as the evidence, or says in the episode's remarks why not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from memp.events import PolicySet
from memp.model import Content, EpisodeId, EventId, Procedure, ProcedureId, Revision, Trajectory, TrajectoryId

if TYPE_CHECKING:
    from memp.script.toolset import Toolset
    from memp.state import State


@attrs.frozen(kw_only=True)
class ServedProcedure:
    """
    One procedure that the episode was given.

    Attributes:
        procedure: As it stands now, the episode's evidence included.

        revision: The revision that was shown.

        rank: Its place, from 1.

        weight: Its share of the outcome, over 0 and at most 1.
    """

    procedure: Procedure
    revision: Revision
    rank: int
    weight: float


StoredRun = tuple[EventId, Trajectory]
"""The event that recorded a run, and the run."""


@attrs.frozen(kw_only=True)
class FinishedEpisode:
    """
    An episode as policies see it.

    Attributes:
        id: Random.

        task: What the agent was asked to do.

        scope: Whose it is; empty for everybody's.

        success: Whether the task was solved.

        reward: The score; None if there was none.

        trajectory: What the agent did.

        trajectory_id: The recording of it.

        recorded_by: The event of that recording.

        served: What the agent was given and is still there, best first.

        settings: The rules in force.

        toolset_of: Returns the toolset with a digest; None if there is none.

        successes: Returns recorded runs that solved their task, the newest first: of episodes that served the
            procedure, those that it was built from, and the last others. They are read as they are asked for.
    """

    id: EpisodeId
    task: str
    scope: str
    success: bool
    reward: float | None
    trajectory: Trajectory
    trajectory_id: TrajectoryId
    recorded_by: EventId
    served: tuple[ServedProcedure, ...]
    settings: PolicySet
    toolset_of: Callable[[str | None], Toolset | None]
    successes: Callable[[Procedure], Iterator[StoredRun]]


@attrs.frozen(kw_only=True)
class LearnRun:
    """Build from the episode's run; a procedure that was served gets no support from it, since it gets evidence."""


@attrs.frozen(kw_only=True)
class ReflectOn:
    """
    Write a candidate.

    Attributes:
        procedure_id: The procedure.

        base: The revision it is made from.

        content: What it says.

        critique: What was wrong with the base.

        reason: One sentence for people.

        made_from: Events of further runs that the content was made from.
    """

    procedure_id: ProcedureId
    base: EventId
    content: Content
    critique: str
    reason: str
    made_from: tuple[EventId, ...] = ()


@attrs.frozen(kw_only=True)
class AcceptRevision:
    """
    Let a candidate take the place of the active revision.

    Attributes:
        procedure_id: The procedure.

        revision: The candidate.

        reason: One sentence for people.
    """

    procedure_id: ProcedureId
    revision: EventId
    reason: str


@attrs.frozen(kw_only=True)
class RejectRevision:
    """
    Turn a candidate down.

    Attributes:
        procedure_id: The procedure.

        revision: The candidate.

        reason: One sentence for people.
    """

    procedure_id: ProcedureId
    revision: EventId
    reason: str


@attrs.frozen(kw_only=True)
class Erase:
    """
    Stop retrieving a procedure.

    Attributes:
        procedure_id: The procedure.

        reason: One sentence for people.
    """

    procedure_id: ProcedureId
    reason: str


@attrs.frozen(kw_only=True)
class Remark:
    """
    Change nothing, and say why.

    Attributes:
        text: One sentence for people; kept with the episode.
    """

    text: str


Command = LearnRun | ReflectOn | AcceptRevision | RejectRevision | Erase | Remark
"""What a policy may ask for."""

Policy = Callable[["State", FinishedEpisode], Iterable[Command]]
"""Says what should become of the memory after an episode."""
