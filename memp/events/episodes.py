"""What was served to an agent, and how it went."""

from __future__ import annotations

from typing import ClassVar

import attrs

from memp.model import EpisodeId, EventId, ProcedureId, TrajectoryId, as_float, check_filled, check_finite


@attrs.frozen(kw_only=True)
class Served:
    """
    One procedure that an agent was given.

    Attributes:
        procedure_id: The procedure.

        revision: The revision that was shown: the active one, or a candidate on trial.

        rank: Its place among those that were served, from 1.

        score: What the search gave it.
    """

    procedure_id: ProcedureId
    revision: EventId
    rank: int = attrs.field(validator=attrs.validators.ge(1))
    score: float = attrs.field(converter=as_float, validator=check_finite)


@attrs.frozen(kw_only=True)
class EpisodeEvent:
    """
    What the events of one episode have in common.

    Attributes:
        episode_id: The episode whose stream this is.
    """

    episode_id: EpisodeId

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return f"episode/{self.episode_id}"


@attrs.frozen(kw_only=True)
class EpisodeStarted(EpisodeEvent):
    """
    An agent was given procedures for a task and went to work; it happened and is never undone.

    Attributes:
        task: What it was asked to do.

        scope: Whose episode it is; empty for everybody's.

        branch: The branch of the view that was read.

        position: The last position of that view, 0 or more.

        served: What it was given, best first; empty if nothing was found.

        prompt: Hex SHA-256 of the rendered prompt in UTF-8.

        policies: Names of the policies that decide what becomes of the outcome, in their order.
    """

    TYPE: ClassVar[str] = "episode-started"
    VERSION: ClassVar[int] = 1

    task: str = attrs.field(validator=check_filled)
    scope: str = ""
    branch: str
    position: int = attrs.field(validator=attrs.validators.ge(0))
    served: tuple[Served, ...] = ()
    prompt: str
    policies: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class EpisodeFinished(EpisodeEvent):
    """
    An episode ended, or was abandoned; it happened and is never undone.

    The run itself is a ``trajectory-recorded`` of its own, so that it is kept once, can be learned from and can be
    purged.

    Attributes:
        trajectory_id: The recording of the run; None if there was no step to record.

        success: Whether the task was solved; None if the episode was abandoned.

        reward: The score that was given, any finite number; None if there was none.

        steps: Steps that were taken, 0 or more.

        tokens: Tokens that the agent used; None if not known.

        abandoned: Whether it ended without an outcome; such an episode is no evidence for anything.

        why: Why it was abandoned; empty otherwise.

        remarks: What policies did, or left alone and why, one sentence each.
    """

    TYPE: ClassVar[str] = "episode-finished"
    VERSION: ClassVar[int] = 1

    trajectory_id: TrajectoryId | None = None
    success: bool | None = None
    reward: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(as_float), validator=check_finite
    )
    steps: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    tokens: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    abandoned: bool = False
    why: str = ""
    remarks: tuple[str, ...] = ()
