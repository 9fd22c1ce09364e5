"""What becomes of procedures: new ones, further revisions, evidence, verdicts, and leaving retrieval."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs

from memp.events.vectors import VectorRef
from memp.model import (
    Content,
    ContentKey,
    EventId,
    Evidence,
    ProcedureId,
    TrajectoryId,
    as_float,
    check_filled,
    check_finite,
)


def _check_weight(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not 0.0 < value <= 1.0:
        raise ValueError(f"{attribute.name!r} must be over 0 and at most 1 (got {value!r}).")


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
class OriginEvent:
    """
    An event in the story of a procedure in the store that it comes from.

    Attributes:
        event_id: The event there.

        type: Stored tag.

        recorded_at: When, microseconds since 1970 UTC.

        actor: Who wrote it.

        says: What it said, in a sentence.
    """

    event_id: str
    type: str
    recorded_at: int
    actor: str
    says: str


@attrs.frozen(kw_only=True)
class Origin:
    """
    Where an imported procedure comes from, and what was known of it there.

    Nothing of it is counted here: evidence was gathered by other agents, and support is runs that are not here.

    Attributes:
        log_id: The log.

        branch: The branch of it.

        position: Where that ended when the pack was made.

        head: Where the log ended, as ``POSITION:DIGEST``.

        pack: Hex SHA-256 of the pack.

        signed: Whether its signature was checked: ``checked``, ``unchecked`` or ``no``.

        procedure_id: The procedure there.

        revision: The revision there.

        name: Its name there.

        scope: Whose it was there.

        support: Runs that it was built from there, 0 or more.

        evidence: What happened there when it was served.

        history: Its story there, oldest first.
    """

    log_id: str
    branch: str
    position: int
    head: str
    pack: str
    signed: str = attrs.field(validator=attrs.validators.in_(("checked", "unchecked", "no")))
    procedure_id: str
    revision: str
    name: str
    scope: str = ""
    support: int = 0
    evidence: Evidence = attrs.field(factory=Evidence)
    history: tuple[OriginEvent, ...] = ()


@attrs.frozen(kw_only=True)
class ProcedureImported(ProcedureEvent):
    """
    A revision, made by an event of the same batch, came out of a pack.

    Attributes:
        revision: The revision here.

        origin: Where it comes from.

        candidate: Whether a procedure that is new waits for a verdict before it is retrieved. Of one that is here
            already, the event that makes the revision says so.
    """

    TYPE: ClassVar[str] = "procedure-imported"
    VERSION: ClassVar[int] = 1

    revision: EventId
    origin: Origin
    candidate: bool = False


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
    reward: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(as_float), validator=check_finite
    )
    steps: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    weight: float = attrs.field(default=1.0, converter=as_float, validator=_check_weight)
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
class TextsEmbedded(ProcedureEvent):
    """
    The texts that find a revision were embedded anew, for a change of embedders; it changes no answer by itself.

    It is about the procedure so that it goes with it when that is purged: it repeats its texts.

    Attributes:
        revision: The revision.

        vectors: The captured embeddings, all of one embedder.
    """

    TYPE: ClassVar[str] = "texts-embedded"
    VERSION: ClassVar[int] = 1

    revision: EventId
    vectors: tuple[VectorRef, ...] = attrs.field(validator=attrs.validators.min_len(1))


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
