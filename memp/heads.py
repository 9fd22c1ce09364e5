"""
What a replay needs of the longest bodies; the rest stays bytes until somebody asks for it.

Runs, and the procedures that are made from them, are nearly all of a log, and nearly all of their bytes are steps that
a replay never looks at. Making objects of all of them took most of its time and of the memory of what it made. A lazy
``Content`` was tried in place of ``StoredProcedure``: msgspec writes what is not set yet as if it were not there.
"""

from __future__ import annotations

from typing import Any

import msgspec

from memp.codec import decode
from memp.errors import BodyError
from memp.events import EVENT_TYPES, ProcedureAdded, VectorRef
from memp.model import Content, ContentKey, ProcedureId, TrajectoryId


class RunHead(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run without its steps; see ``Trajectory``."""

    task: str
    success: bool | None
    reward: float | None
    task_type: str | None
    env: str | None


class TrajectoryHead(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    What the state needs to know of a recorded run; its steps stay in the log until somebody asks for them.

    Attributes:
        trajectory_id: Random id of the recording.

        scope: Whose run it is.

        digest: Content digest of the run.

        trajectory: The run without its steps.
    """

    trajectory_id: TrajectoryId
    scope: str
    digest: str
    trajectory: RunHead

    @property
    def task(self) -> str:
        """What the agent was asked to do."""
        return self.trajectory.task

    @property
    def task_type(self) -> str | None:
        """The source's name for the kind of task; None if it gave none."""
        return self.trajectory.task_type

    @property
    def success(self) -> bool | None:
        """Whether the task was solved; None if not known."""
        return self.trajectory.success

    @property
    def reward(self) -> float | None:
        """The source's score; None if it gave none."""
        return self.trajectory.reward

    @property
    def env(self) -> str | None:
        """The environment that it was lived in; None if it does not say."""
        return self.trajectory.env


class ProcedureHead(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """
    What the fold needs to know of a new procedure; see ``ProcedureAdded``.

    Attributes:
        procedure_id: The procedure.

        name: Readable.

        scope: Whose it is.

        tags: Words to filter by.

        toolset: Digest of the toolset that the script speaks; None if untyped.

        builder: What made it.

        content_key: What it is, by content.

        content: What it says, as it is stored.

        sources: The runs that it was built from.

        vectors: The captured embeddings that find it.
    """

    procedure_id: ProcedureId
    name: str
    scope: str
    tags: tuple[str, ...]
    toolset: str | None
    builder: str
    content_key: ContentKey
    content: msgspec.Raw
    sources: tuple[TrajectoryId, ...]
    vectors: tuple[VectorRef, ...]


class StoredProcedure:
    """
    A ``ProcedureAdded`` as it is stored, decoded when somebody first asks for it.

    Args:
        body: The body, in the current schema.

        position: Where it stands, for the messages.
    """

    __slots__ = ("_body", "_event", "_position")

    def __init__(self, body: bytes, position: int) -> None:
        self._body = body
        self._position = position
        self._event: ProcedureAdded | None = None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredProcedure):
            return self._body == other._body
        return self.event == other

    __hash__ = None  # type: ignore[assignment]  # as the event's own, which holds what has no hash

    @property
    def body(self) -> bytes:
        """Its canonical bytes."""
        return self._body

    @property
    def event(self) -> ProcedureAdded:
        """
        The event.

        Raises:
            BodyError: The bytes are not what such an event is, or have keys that it does not know.
        """
        if self._event is None:
            event = decode(ProcedureAdded.TYPE, ProcedureAdded.VERSION, self._body, position=self._position)
            assert isinstance(event, ProcedureAdded)
            self._event = event
        return self._event

    def read(self) -> Content:
        """Return what the procedure says; raises as ``event`` does."""
        return self.event.content


_decode_trajectory = msgspec.json.Decoder(TrajectoryHead).decode
_decode_procedure = msgspec.json.Decoder(ProcedureHead).decode


def decode_trajectory_head(schema: int, body: bytes, *, position: int | None = None) -> TrajectoryHead:
    """
    Return what the state needs of a ``trajectory-recorded`` body, without building its steps.

    Raises:
        UnknownEventTypeError: The schema is newer than this version of memp.

        BodyError: The bytes are not a recorded run.
    """
    cls: Any = EVENT_TYPES["trajectory-recorded"]
    if schema != cls.VERSION:
        event: Any = decode(cls.TYPE, schema, body, position=position)
        run = event.trajectory
        return TrajectoryHead(
            trajectory_id=event.trajectory_id,
            scope=event.scope,
            digest=event.digest,
            trajectory=RunHead(
                task=run.task, success=run.success, reward=run.reward, task_type=run.task_type, env=run.env
            ),
        )
    try:
        return _decode_trajectory(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BodyError(f"The body of {cls.TYPE!r} cannot be read: {error}", position=position) from error


def decode_procedure_head(schema: int, body: bytes, *, position: int | None = None) -> ProcedureHead | None:
    """
    Return what the fold needs of a ``procedure-added`` body; None for one in another schema, which is decoded whole.

    Its content is not looked into; who asks for it later gets the error of what is wrong with it.

    Raises:
        BodyError: The bytes are not a new procedure, or have keys that memp does not know.
    """
    if schema == ProcedureAdded.VERSION:
        try:
            return _decode_procedure(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # The whole event says better what is wrong.
            decode(ProcedureAdded.TYPE, schema, body, position=position)
    return None
