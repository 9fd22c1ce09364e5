"""What becomes of history itself: undo, tags, branches, accepted losses and purged content."""

from __future__ import annotations

from typing import ClassVar

import attrs

from memp.model import EventId, check_filled


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
