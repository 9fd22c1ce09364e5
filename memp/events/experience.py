"""What was lived and what was used: runs, toolsets and templates, and work put off for later."""

from __future__ import annotations

from typing import ClassVar

import attrs

from memp.model import QueuedId, Trajectory, TrajectoryId, check_filled


@attrs.frozen(kw_only=True)
class TrajectoryRecorded:
    """
    A run, kept whole, won or lost; everything that is learned can be built again from these.

    Attributes:
        trajectory_id: Random id of this recording.

        scope: Whose run it is; empty for everybody's.

        digest: Content digest of the run; a run is learned once per scope while it is in force.

        trajectory: The run.
    """

    TYPE: ClassVar[str] = "trajectory-recorded"
    VERSION: ClassVar[int] = 1

    trajectory_id: TrajectoryId
    scope: str = ""
    digest: str
    trajectory: Trajectory

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return f"trajectory/{self.trajectory_id}"


@attrs.frozen(kw_only=True)
class ResourceRecorded:
    """
    A template, toolset or setting as it was when it was first used, so that editing a file never changes the past.

    Attributes:
        kind: ``template``, ``toolset`` or ``setting``.

        name: What it is called where it comes from.

        digest: Hex SHA-256 of the text.

        text: The whole text.
    """

    TYPE: ClassVar[str] = "resource-recorded"
    VERSION: ClassVar[int] = 1

    kind: str = attrs.field(validator=check_filled)
    name: str = attrs.field(validator=check_filled)
    digest: str
    text: str

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return f"resource/{self.kind}"


@attrs.frozen(kw_only=True)
class RunQueued:
    """
    A run waits to be learned from, so that an agent need not.

    Attributes:
        queued_id: Random id of this entry.

        scope: Whose run it is; empty for everybody's.

        trajectory: The run.
    """

    TYPE: ClassVar[str] = "run-queued"
    VERSION: ClassVar[int] = 1

    queued_id: QueuedId
    scope: str = ""
    trajectory: Trajectory

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "queue"


@attrs.frozen(kw_only=True)
class RunDropped:
    """
    A run waits no more: it was learned, or somebody took it out of the queue.

    Attributes:
        queued_id: The entry of the queue.

        learned: Whether it was learned, in the same batch as this event.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "run-dropped"
    VERSION: ClassVar[int] = 1

    queued_id: QueuedId
    learned: bool = False
    reason: str = attrs.field(validator=check_filled)

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "queue"
