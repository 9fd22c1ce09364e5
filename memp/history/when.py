"""
What a user calls a version, and which version that is.

A tag, a branch, a position, an event id or a time. A time resolves to the last position that was recorded at or before
it; since recorded times never go backwards, a clock that jumped cannot make that ambiguous.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import attrs

from memp.errors import InvalidInputError, NotFoundError, PositionNotFoundError
from memp.model import EventId, Position
from memp.state import Branch, History

When = int | str | datetime
"""A position, a tag, a branch, an event id, or a time (an ISO 8601 text with a zone, or an aware datetime)."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9._/-]{0,99}")
"""What a tag or a branch may be called: no digits first, so that it is never taken for a position or a time."""


@attrs.frozen
class Version:
    """
    A version of the memory.

    Attributes:
        branch: The branch.

        position: The last position that is seen.
    """

    branch: Branch
    position: Position


def check_name(name: str, *, what: str) -> str:
    """
    Return *name* if a tag or a branch may be called that.

    Raises:
        InvalidInputError: It may not.
    """
    if not NAME.fullmatch(name):
        raise InvalidInputError(
            f"A {what} must start with a letter and hold letters, digits, '.', '_', '/' and '-' only (got {name!r})."
        )
    return name


def resolve(history: History, branch: Branch, when: When) -> Version:
    """
    Return the version that *when* names, seen from *branch*.

    Args:
        history: All versions.

        branch: Where positions and times are looked for; a tag, a branch's name (its end) or an event id may lead to
            another one.

        when: What the user said.

    Raises:
        PositionNotFoundError: The log does not reach that far.

        NotFoundError: No tag, branch or event is called that, or the time is before the first event.

        InvalidInputError: It is a time without a zone, or nothing of all this.
    """
    if isinstance(when, bool) or not isinstance(when, int | str | datetime):
        raise InvalidInputError(f"A version must be a position, a tag, a branch, an event id or a time (got {when!r}).")
    if isinstance(when, datetime):
        return _at_time(branch, when)
    if isinstance(when, int) or when.isdecimal():
        return _at_position(history, branch, int(when))
    if when in history.tags:
        tag = history.tags[when].last()
        return _trimmed(history.branches[tag.branch], tag.position)
    named = history.branches.get(when)
    if named is not None and named.deleted is None:
        return Version(named, named.position)
    placed = history.placed.get(EventId(when))
    if placed is not None:
        return _trimmed(history.branches[placed.branch], placed.position)
    if when[:1].isdigit():
        return _at_time(branch, _time(when))
    tags = ", ".join(sorted(history.tags)) or "there are none"
    raise NotFoundError(
        f"There is no version {when!r}: it must be a position, a tag ({tags}), a branch, an event id, "
        "or a time such as 2026-11-03T12:00Z."
    )


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NotFoundError(
            f"There is no version {text!r}: it is no tag, no event id, and no time such as 2026-11-03T12:00Z ({error})."
        ) from error


def _at_position(history: History, branch: Branch, position: int) -> Version:
    if not 0 <= position <= history.position:
        raise PositionNotFoundError(position, head=history.position)
    return _trimmed(branch, min(position, branch.position))


def _at_time(branch: Branch, moment: datetime) -> Version:
    if moment.tzinfo is None:
        raise InvalidInputError(f"A time must say its zone, such as {moment.isoformat()}Z (got {moment.isoformat()}).")
    microseconds = round(moment.astimezone(UTC).timestamp() * 1_000_000)
    for one, until in branch.lineage(branch.position):
        position = one.last_at(microseconds, until)
        if position:
            return _trimmed(one, position)
    raise NotFoundError(f"Nothing was recorded at or before {moment.isoformat()}.")


def _trimmed(branch: Branch, position: int) -> Version:
    """Return the version on the branch that its position belongs to: what a fork shares is seen on its parent."""
    while branch.parent is not None and position <= branch.forked_at:
        branch = branch.parent
    return Version(branch, Position(position))
