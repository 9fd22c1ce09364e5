"""
Every event: what can happen to a memory, as immutable facts named in the past tense.

The log of these is the only truth; all else is folded from it. An event says nothing of storage: position, version,
time and author stand in the record around it (``memp.record``). A new type is a class here and a member of ``Event``;
mypy then asks for its case in ``memp.projection``. Everything that a person might want removed (names, reasons, tasks)
lives in an event's fields, that is in the body, and nowhere else.
"""

from __future__ import annotations

from typing import Any, ClassVar, get_args

import attrs

from memp.model import (
    Content,
    ContentKey,
    EpisodeId,
    EventId,
    ProcedureId,
    QueuedId,
    Trajectory,
    TrajectoryId,
    check_filled,
    check_finite,
)

__all__ = [
    "EVENT_TYPES",
    "BranchDeleted",
    "BranchForked",
    "BranchPromoted",
    "ContentPurged",
    "EpisodeFinished",
    "EpisodeStarted",
    "Event",
    "EventsUndone",
    "LossAccepted",
    "PolicySet",
    "ProcedureAdded",
    "ProcedureErased",
    "ProcedureGeneralised",
    "ProcedureMerged",
    "ProcedureReflected",
    "ProcedureUnerased",
    "ProcedureValidated",
    "ResourceRecorded",
    "RevisionAccepted",
    "RevisionRejected",
    "RunDropped",
    "RunQueued",
    "Served",
    "TrajectoryRecorded",
    "VectorRef",
    "VersionTagged",
]


def _check_weight(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not 0.0 < value <= 1.0:
        raise ValueError(f"{attribute.name!r} must be over 0 and at most 1 (got {value!r}).")


@attrs.frozen(kw_only=True)
class VectorRef:
    """
    Names a captured embedding, so that whatever covers the body covers the vector too.

    Attributes:
        kind: What the text is to the procedure: ``task``, ``pattern`` or ``fact``.

        text: The text that was embedded.

        embedder: Name and version of the embedder, such as ``hashed-1``.

        digest: Hex SHA-256 of the vector's little-endian float32 bytes.
    """

    kind: str
    text: str
    embedder: str
    digest: str


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
class ProcedureEvent:
    """
    What the events of one procedure have in common.

    Attributes:
        procedure_id: The procedure whose stream this is.
    """

    procedure_id: ProcedureId

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return f"procedure/{self.procedure_id}"


@attrs.frozen(kw_only=True)
class ProcedureAdded(ProcedureEvent):
    """
    A new procedure with its first revision.

    Attributes:
        name: Readable, unique in the view it was added to.

        scope: Whose it is; empty for everybody's.

        tags: Words to filter by, sorted.

        toolset: Digest of the toolset that the script speaks; None if untyped.

        builder: What made it.

        content_key: What it is, by content.

        content: What it says.

        sources: The runs that it was built from.

        vectors: The captured embeddings that find it.
    """

    TYPE: ClassVar[str] = "procedure-added"
    VERSION: ClassVar[int] = 1

    name: str = attrs.field(validator=check_filled)
    scope: str = ""
    tags: tuple[str, ...] = ()
    toolset: str | None = None
    builder: str = attrs.field(validator=check_filled)
    content_key: ContentKey
    content: Content
    sources: tuple[TrajectoryId, ...] = ()
    vectors: tuple[VectorRef, ...] = ()


@attrs.frozen(kw_only=True)
class ProcedureValidated(ProcedureEvent):
    """
    Evidence for or against one revision.

    Attributes:
        revision: The revision that was used.

        success: Whether the task was solved.

        reward: The score that was given, any finite number; None if there was none.

        steps: Steps that were taken; None if not known.

        weight: The share of the outcome that this revision is credited with, over 0 and at most 1.

        judge: What judged: ``rule``, ``model`` or ``person``.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "procedure-validated"
    VERSION: ClassVar[int] = 1

    revision: EventId
    success: bool
    reward: float | None = attrs.field(default=None, validator=check_finite)
    steps: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    weight: float = attrs.field(default=1.0, validator=_check_weight)
    judge: str = attrs.field(default="rule", validator=attrs.validators.in_(("rule", "model", "person")))
    reason: str = ""


@attrs.frozen(kw_only=True)
class ProcedureGeneralised(ProcedureEvent):
    """
    A new revision that also covers further runs of the same skeleton.

    Attributes:
        base: The revision it was made from.

        content_key: What the new revision is, by content.

        content: What it says, whole.

        sources: The further runs; those of the base still count.

        vectors: The captured embeddings that find it.

        candidate: Whether it only waits beside the active revision, as it does behind one that a person wrote.
    """

    TYPE: ClassVar[str] = "procedure-generalised"
    VERSION: ClassVar[int] = 1

    base: EventId
    content_key: ContentKey
    content: Content
    sources: tuple[TrajectoryId, ...] = ()
    vectors: tuple[VectorRef, ...] = ()
    candidate: bool = False


@attrs.frozen(kw_only=True)
class ProcedureReflected(ProcedureEvent):
    """
    A new revision that answers a failure or a critique.

    Attributes:
        base: The revision it was made from.

        content_key: What the new revision is, by content.

        content: What it says, whole.

        critique: What was wrong with the base.

        reason: One sentence for people.

        answers: The failed runs that it answers.

        vectors: The captured embeddings that find it.

        candidate: Whether it waits for a verdict before it takes the place of its base.
    """

    TYPE: ClassVar[str] = "procedure-reflected"
    VERSION: ClassVar[int] = 1

    base: EventId
    content_key: ContentKey
    content: Content
    critique: str = attrs.field(validator=check_filled)
    reason: str = ""
    answers: tuple[TrajectoryId, ...] = ()
    vectors: tuple[VectorRef, ...] = ()
    candidate: bool = True


@attrs.frozen(kw_only=True)
class RevisionAccepted(ProcedureEvent):
    """
    A candidate took the place of the active revision.

    Attributes:
        revision: The candidate.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "revision-accepted"
    VERSION: ClassVar[int] = 1

    revision: EventId
    reason: str = attrs.field(validator=check_filled)


@attrs.frozen(kw_only=True)
class RevisionRejected(ProcedureEvent):
    """
    A candidate was turned down; it stays readable.

    Attributes:
        revision: The candidate.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "revision-rejected"
    VERSION: ClassVar[int] = 1

    revision: EventId
    reason: str = attrs.field(validator=check_filled)


@attrs.frozen(kw_only=True)
class ProcedureMerged(ProcedureEvent):
    """
    Several procedures became one new one; they stay readable and are no longer retrieved.

    Attributes:
        merged: The procedures that it was made from, two or more.

        name: Readable, unique in the view it was made in.

        scope: Whose it is; empty for everybody's.

        tags: Words to filter by, sorted.

        toolset: Digest of the toolset that the script speaks; None if untyped.

        content_key: What it is, by content.

        content: What it says.

        sources: The runs that all of them were built from.

        vectors: The captured embeddings that find it.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "procedure-merged"
    VERSION: ClassVar[int] = 1

    merged: tuple[ProcedureId, ...] = attrs.field(validator=attrs.validators.min_len(2))
    name: str = attrs.field(validator=check_filled)
    scope: str = ""
    tags: tuple[str, ...] = ()
    toolset: str | None = None
    content_key: ContentKey
    content: Content
    sources: tuple[TrajectoryId, ...] = ()
    vectors: tuple[VectorRef, ...] = ()
    reason: str = attrs.field(validator=check_filled)


@attrs.frozen(kw_only=True)
class ProcedureErased(ProcedureEvent):
    """
    A procedure stays readable in history but is no longer retrieved.

    Attributes:
        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "procedure-erased"
    VERSION: ClassVar[int] = 1

    reason: str = attrs.field(validator=check_filled)


@attrs.frozen(kw_only=True)
class ProcedureUnerased(ProcedureEvent):
    """
    An erased procedure is retrieved again.

    Attributes:
        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "procedure-unerased"
    VERSION: ClassVar[int] = 1

    reason: str = attrs.field(validator=check_filled)


@attrs.frozen(kw_only=True)
class EventsUndone:
    """
    Named events are out of force; history does not shrink, and undoing this brings them back.

    Attributes:
        undone: The events, oldest first; at least one.

        dependents: How events that were made from these were treated: ``refuse`` (there were none), ``cascade``
            (they are among the undone) or ``taint`` (they stay, marked).

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "events-undone"
    VERSION: ClassVar[int] = 1

    undone: tuple[EventId, ...] = attrs.field(validator=attrs.validators.min_len(1))
    dependents: str = attrs.field(default="refuse", validator=attrs.validators.in_(("refuse", "cascade", "taint")))
    reason: str = attrs.field(validator=check_filled)

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "undo"


@attrs.frozen(kw_only=True)
class VersionTagged:
    """
    A name for a version of the memory; the same name again moves it, and says why.

    Attributes:
        name: The name.

        branch: The branch of the version.

        position: The version's last position, 0 or more.

        reason: One sentence for people; needed where a tag moves.
    """

    TYPE: ClassVar[str] = "version-tagged"
    VERSION: ClassVar[int] = 1

    name: str = attrs.field(validator=check_filled)
    branch: str
    position: int = attrs.field(validator=attrs.validators.ge(0))
    reason: str = ""

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "tags"


@attrs.frozen(kw_only=True)
class BranchForked:
    """
    A branch that shares the past of another and never touches its future; the first event on the new branch.

    Attributes:
        name: The new branch.

        parent: The branch that it shares the past of.

        position: The last position that both share, 0 or more.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "branch-forked"
    VERSION: ClassVar[int] = 1

    name: str = attrs.field(validator=check_filled)
    parent: str
    position: int = attrs.field(validator=attrs.validators.ge(0))
    reason: str = ""

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "branch"


@attrs.frozen(kw_only=True)
class BranchPromoted:
    """
    The events of a fork were said again on this branch, in the same batch as this event.

    Attributes:
        source: The fork.

        originals: Its events that were said again, oldest first.

        copies: The events that say them here, in the same order.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "branch-promoted"
    VERSION: ClassVar[int] = 1

    source: str
    originals: tuple[EventId, ...]
    copies: tuple[EventId, ...]
    reason: str = attrs.field(validator=check_filled)

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "branch"


@attrs.frozen(kw_only=True)
class BranchDeleted:
    """
    A branch is no longer listed or written to; its events stay in the log.

    Attributes:
        name: The branch.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "branch-deleted"
    VERSION: ClassVar[int] = 1

    name: str
    reason: str = attrs.field(validator=check_filled)

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "branch"


@attrs.frozen(kw_only=True)
class LossAccepted:
    """
    A person went on with a store that had lost events, or of which nobody could tell.

    Attributes:
        expected: Where the log had to end, as ``POSITION:DIGEST``; None if no witness could say.

        found: Where it ended, in the same form.

        first: The first position that was lost or may have held another event; None if that is not known.

        last: The last such position; None if that is not known.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "loss-accepted"
    VERSION: ClassVar[int] = 1

    expected: str | None = None
    found: str = attrs.field(validator=check_filled)
    first: int | None = None
    last: int | None = None
    reason: str = ""

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "store"


@attrs.frozen(kw_only=True)
class ContentPurged:
    """
    Bodies were removed for good, with the vectors of texts that no other body names.

    This event stays for ever, so nothing in it may be personal: it names positions, and its reason should be a
    reference (``request 4711``) rather than a sentence about somebody.

    Attributes:
        positions: Where the bodies stood, rising; at least one.

        reason: On whose demand or by which rule, without naming a person.
    """

    TYPE: ClassVar[str] = "content-purged"
    VERSION: ClassVar[int] = 1

    positions: tuple[int, ...] = attrs.field(validator=attrs.validators.min_len(1))
    reason: str = attrs.field(validator=check_filled)

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "store"


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
    score: float = attrs.field(validator=check_finite)


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
    reward: float | None = attrs.field(default=None, validator=check_finite)
    steps: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    tokens: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    abandoned: bool = False
    why: str = ""
    remarks: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class PolicySet:
    """
    From here on, other rules decide what becomes of outcomes.

    Attributes:
        policies: Names of the policies, in the order in which they decide; empty leaves the memory as it is.

        build: The builder of procedures from episodes' runs.

        half_life_days: After how many days an outcome counts half, over 0; None never forgets.

        max_procedures: How many procedures of a scope are retrieved at most, 1 or more; None for no limit.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "policy-set"
    VERSION: ClassVar[int] = 1

    policies: tuple[str, ...] = ()
    build: str = "verbatim"
    half_life_days: float | None = attrs.field(
        default=None, validator=[check_finite, attrs.validators.optional(attrs.validators.gt(0))]
    )
    max_procedures: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    reason: str = ""

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "policy"


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


Event = (
    TrajectoryRecorded
    | ResourceRecorded
    | ProcedureAdded
    | ProcedureValidated
    | ProcedureGeneralised
    | ProcedureReflected
    | RevisionAccepted
    | RevisionRejected
    | ProcedureMerged
    | ProcedureErased
    | ProcedureUnerased
    | EventsUndone
    | VersionTagged
    | BranchForked
    | BranchPromoted
    | BranchDeleted
    | LossAccepted
    | EpisodeStarted
    | EpisodeFinished
    | PolicySet
    | RunQueued
    | RunDropped
    | ContentPurged
)
"""Any event. A ``match`` over it ends in ``assert_never``."""

EVENT_TYPES: dict[str, type[Event]] = {cls.TYPE: cls for cls in get_args(Event)}
"""Stored tag to class. The tag is what is stored; the import path may change, the tag never."""
