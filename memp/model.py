"""
The values that everything else speaks of: steps, trajectories, procedures, revisions, matches.

They are frozen, check themselves when they are made, hold tuples rather than lists, and know nothing of storage.
``attrs`` rather than pydantic: msgspec reads and writes attrs classes directly, and importing them costs 30 ms less.
Mappings inside (``extra``) are plain dicts because JSON has nothing else; treat them as read-only.
"""

from __future__ import annotations

import enum
import hashlib
import math
from typing import Any, NewType, Protocol

import attrs
import msgspec

from memp.errors import EventNotFoundError

Position = NewType("Position", int)
"""Place in the whole log: 1, 2, 3 and so on, no gaps; 0 is before the first event."""

Version = NewType("Version", int)
"""Place in one stream, from 1, no gaps; 0 is a stream without events."""

EventId = NewType("EventId", str)
"""UUIDv7 as text. A revision is named by the event that made it."""

ProcedureId = NewType("ProcedureId", str)
"""Random, never derived from content; people use the readable name."""

TrajectoryId = NewType("TrajectoryId", str)
"""Random, given when the trajectory is recorded."""

EpisodeId = NewType("EpisodeId", str)
"""Random, given when the episode starts."""

QueuedId = NewType("QueuedId", str)
"""Random, given when a run is put off for later."""

CallId = NewType("CallId", str)
"""Names one request to a language model."""

ContentKey = NewType("ContentKey", str)
"""Hex SHA-256 of what a procedure *is*; merging, ties and the state digest go by it, never by ids."""

SUCCESS_REWARD = 1.0
"""A run that states a reward and no success is won from this reward on: benchmarks give 1.0 for a solved task."""

_canonical = msgspec.json.Encoder(order="sorted")


def canonical_bytes(value: object) -> bytes:
    """
    Return the one JSON form of *value* that is hashed: UTF-8, keys sorted, no white space.

    Any other encoder differs in float exponents or in non-ASCII text, so nothing else may feed a digest.
    """
    return _canonical.encode(value)


def content_digest(value: object) -> str:
    """Return the hex SHA-256 of the canonical bytes of *value*."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def check_finite(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    """Refuse NaN and infinity, which compare with nothing and have no JSON form; an attrs validator."""
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{attribute.name!r} must be a finite number (got {value!r}).")


def as_float(value: float) -> float:
    """Return a whole number as the float that is stored: 30 and 30.0 have one canonical form; an attrs converter."""
    return float(value) if isinstance(value, int) else value


def check_filled(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Refuse what is not a text, or is one without a word; an attrs validator."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{attribute.name!r} must be a text that says something (got {value!r}).")


def _text(value: str) -> str:
    """Return *value*, which must be a text."""
    if not isinstance(value, str):
        raise TypeError(f"A step is made of texts (got {value!r}).")
    return value


@attrs.frozen(kw_only=True)
class Step:
    """
    One action with what the world answered.

    Attributes:
        action: What the agent did, as the environment understood it. Empty where an agent stopped while thinking.

        observation: What the environment answered.

        thought: What the agent wrote before acting; None if it wrote nothing or it was not kept.

        extra: Whatever else the source said of this step (a score, a tool call id).
    """

    # Converters rather than validators: msgspec checks the types of what it decodes by itself, and runs validators, but
    # not converters, once more for each of the millions of steps of a replay.
    action: str = attrs.field(converter=_text)
    observation: str = attrs.field(default="", converter=_text)
    thought: str | None = attrs.field(default=None, converter=attrs.converters.optional(_text))
    extra: dict[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Trajectory:
    """
    One recorded run, won or lost, kept whole.

    Attributes:
        task: What the agent was asked to do, in words; never empty.

        steps: What it did, in order.

        reward: The source's own score, any finite number; None if it gave none.

        success: Whether the task was solved; None if the source does not say. Left out, it follows from the reward
            (solved from ``SUCCESS_REWARD`` on).

        task_type: The source's name for the kind of task; used for reports, never for retrieval.

        env: The environment the run was lived in.

        source: Where the recording comes from.

        agent: Who acted.

        task_id: The source's own id.

        initial_observation: What the agent saw before its first action.

        extra: Whatever else the source said of this run.
    """

    task: str = attrs.field(validator=check_filled)
    steps: tuple[Step, ...] = attrs.field(converter=tuple[Step, ...])
    reward: float | None = attrs.field(default=None, converter=attrs.converters.optional(float), validator=check_finite)
    success: bool | None = None
    task_type: str | None = None
    env: str | None = None
    source: str | None = None
    agent: str | None = None
    task_id: str | None = None
    initial_observation: str = ""
    extra: dict[str, Any] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        if self.success is None and self.reward is not None:
            object.__setattr__(self, "success", self.reward >= SUCCESS_REWARD)

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the whole run; two recordings with the same digest are the same run."""
        return content_digest(self)

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions that say something, in order."""
        return tuple(step.action for step in self.steps if step.action.strip())


CREDIT_UNIT = 1_000_000
"""Credit is summed in whole millionths: a sum of floats depends on its order, and then so would the state digest."""


class RevisionStatus(enum.StrEnum):
    """Where a revision stands; exactly one revision of a procedure is active."""

    ACTIVE = "active"
    CANDIDATE = "candidate"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


class ProcedureStatus(enum.StrEnum):
    """Whether a procedure is retrieved; the others stay readable. A candidate came from elsewhere, for a verdict."""

    LIVE = "live"
    CANDIDATE = "candidate"
    ERASED = "erased"
    MERGED = "merged"


@attrs.frozen(kw_only=True)
class Content:
    """
    What one revision says, whole: it can be read without any other revision.

    Attributes:
        task: The task or task pattern it is for, as shown to people; the first of the patterns when there are any.

        patterns: Task patterns with ``{slots}``; several wordings of one kind of task belong together. May be empty.

        script: Canonical source in the procedure language; None for a procedure that is only a run.

        run: The best run, kept whole; None for a procedure that is only a script.

        facts: Short statements about when it applies.
    """

    task: str = attrs.field(validator=check_filled)
    patterns: tuple[str, ...] = ()
    script: str | None = None
    run: Trajectory | None = None
    facts: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.script is None and self.run is None:
            raise ValueError("A procedure needs a 'script', a 'run' or both (got neither).")


class Unread(Protocol):
    """A content that is made when somebody first asks for it."""

    def read(self) -> Content:
        """Return the content."""


def _read(content: Content | Unread) -> Content:
    return content if isinstance(content, Content) else content.read()


@attrs.frozen(kw_only=True)
class Evidence:
    """
    What happened when a revision was served; never mixed with support, the runs that it was built from.

    Attributes:
        episodes: How many outcomes were recorded, 0 or more.

        helped: In how many of them the task was solved.

        credit: Sum of the credit weights, in millionths: an episode that served three procedures counts once, shared.

        helped_credit: The part of ``credit`` that came from solved episodes, in millionths.

        steps: Steps taken, summed over the ``steps_known`` outcomes that said so.

        steps_known: How many outcomes named their steps.
    """

    episodes: int = 0
    helped: int = 0
    credit: int = 0
    helped_credit: int = 0
    steps: int = 0
    steps_known: int = 0


@attrs.frozen(kw_only=True)
class Revision:
    """
    One content of a procedure.

    Attributes:
        id: The event that made it.

        base: The revision it was made from; None for the first.

        content: What it says.

        content_key: What it is, by content; see ``memp.build.keys``.

        status: Active, candidate, rejected or superseded.

        sources: The runs it was built from, in the order in which they came.

        family: The revision whose evidence it shares. A generalisation stays in the family of its base, because it
            says the same of more runs; a reflection starts its own.

        critique: Why it was written; None for a first revision.

        tainted: Whether something it was made from has been undone while it was kept.
    """

    id: EventId
    base: EventId | None = None
    _content: Content | Unread = attrs.field(alias="content", eq=_read, repr=lambda content: repr(_read(content)))
    content_key: ContentKey
    status: RevisionStatus = RevisionStatus.ACTIVE
    sources: tuple[TrajectoryId, ...] = ()
    family: EventId
    critique: str | None = None
    tainted: bool = False

    @property
    def content(self) -> Content:
        """What it says."""
        return _read(self._content)

    @property
    def kept(self) -> Content | Unread:
        """The content as it is kept, read or not: who only asks whether two are the same one needs no more."""
        return self._content


@attrs.frozen(kw_only=True)
class Procedure:
    """
    How to do a kind of task, as it stands in one view.

    Attributes:
        id: Random; ``name`` is for people.

        name: Readable and unique among the procedures of a view.

        status: Live, candidate, erased or merged.

        scope: Whose it is, a path such as ``team/agent``; empty for everybody's.

        builder: How it was made: ``verbatim``, ``induce``, ``distil``, ``both``, ``merge`` or ``hand``.

        toolset: Digest of the toolset that its script speaks; None if untyped.

        tags: Words to filter by, sorted.

        revisions: All of them, oldest first; never empty.

        active: The id of the active revision.

        evidences: Family of revisions to what happened when one of them was served; treat as read-only.

        merged_into: The procedure that took its place; None unless merged.
    """

    id: ProcedureId
    name: str
    status: ProcedureStatus = ProcedureStatus.LIVE
    scope: str = ""
    builder: str
    toolset: str | None = None
    tags: tuple[str, ...] = ()
    revisions: tuple[Revision, ...]
    active: EventId
    evidences: dict[EventId, Evidence] = attrs.field(factory=dict)
    merged_into: ProcedureId | None = None

    @property
    def revision(self) -> Revision:
        """The active revision."""
        return self.find_revision(self.active)

    def find_revision(self, revision_id: str) -> Revision:
        """
        Return the revision that the event *revision_id* made.

        Raises:
            EventNotFoundError: This procedure has no such revision.
        """
        for revision in reversed(self.revisions):
            if revision.id == revision_id:
                return revision
        raise EventNotFoundError(revision_id)

    @property
    def content_key(self) -> ContentKey:
        """What the active revision is, by content; ties in a ranking go by it."""
        return self.revision.content_key

    @property
    def task(self) -> str:
        """The task or task pattern of the active revision."""
        return self.revision.content.task

    @property
    def patterns(self) -> tuple[str, ...]:
        """The task patterns of the active revision."""
        return self.revision.content.patterns

    @property
    def script(self) -> str | None:
        """Canonical source of the active revision; None if it is only a run."""
        return self.revision.content.script

    @property
    def run(self) -> Trajectory | None:
        """The best run of the active revision; None if it is only a script."""
        return self.revision.content.run

    @property
    def sources(self) -> tuple[TrajectoryId, ...]:
        """The runs that the active revision was built from."""
        return self.revision.sources

    @property
    def support(self) -> int:
        """How many runs the active revision was built from, 0 or more."""
        return len(self.revision.sources)

    @property
    def evidence(self) -> Evidence:
        """What happened when the active revision was served."""
        return self.evidence_of(self.revision)

    def evidence_of(self, revision: Revision) -> Evidence:
        """Return what happened when *revision*, or another of its family, was served."""
        return self.evidences.get(revision.family, Evidence())


@attrs.frozen(kw_only=True)
class Match:
    """
    A procedure found for a task.

    Attributes:
        procedure: As it stands in the view that was asked.

        score: Higher is better; its range depends on the key. Rounded to 1e-6, so that it is the same everywhere.

        rank: Place in the answer, from 1.

        parts: What the score is made of, by name.
    """

    procedure: Procedure
    score: float
    rank: int = attrs.field(validator=attrs.validators.ge(1))
    parts: dict[str, float] = attrs.field(factory=dict)
