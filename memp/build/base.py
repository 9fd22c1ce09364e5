"""
What a builder is and what it gives back.

A builder also says how two contents of the same key become one. Joining must be commutative, associative and
idempotent, or the order of learning would change what is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from memp.model import Content, Trajectory, TrajectoryId
from memp.script.toolset import Toolset


@attrs.frozen(kw_only=True)
class SourcedRun:
    """
    A run with the id under which it is recorded.

    Attributes:
        id: The id of the recording.

        trajectory: The run.
    """

    id: TrajectoryId
    trajectory: Trajectory


@attrs.frozen(kw_only=True)
class Draft:
    """
    A procedure as a builder would have it.

    Attributes:
        builder: Name of the builder.

        toolset: Digest of the toolset that the script speaks; None if untyped.

        pattern: The task pattern that, with the skeleton, says which drafts are the same procedure.

        skeleton: What is done, with everything left out that may differ between runs of the same kind.

        content: What the first revision says.

        sources: The runs it was built from, in their order.

        name: A readable name; None derives one from the task.

        tags: Words to filter by.
    """

    builder: str
    toolset: str | None = None
    pattern: str
    skeleton: str
    content: Content
    sources: tuple[TrajectoryId, ...]
    name: str | None = None
    tags: tuple[str, ...] = ()


class Builder(Protocol):
    """Turns runs into drafts."""

    @property
    def name(self) -> str:
        """What ``learn(build=…)`` and the events call it."""
        ...

    @property
    def toolsets(self) -> tuple[Toolset, ...]:
        """The toolsets that it may speak."""
        ...

    @property
    def speaks(self) -> bool:
        """Whether it tells runs in the words of a toolset."""
        ...

    def speaking(self, toolsets: Sequence[Toolset], *, given: bool) -> Builder:
        """
        Return the builder with the toolsets that it may speak, no two of the same name.

        Args:
            toolsets: The toolsets; each run takes the one that knows most of its actions.

            given: Whether the caller named them, so that one need not know most of a run.
        """
        ...

    def build(self, runs: Sequence[SourcedRun]) -> list[Draft]:
        """Return drafts, no two with the same toolset, pattern and skeleton; every run supports at most one."""
        ...

    def resembles(self, content: Content, draft: Draft) -> bool:
        """Return whether *content*, written by hand in the toolset of *draft*, does what *draft* does."""
        ...

    def join(self, one: Content, other: Content) -> Content:
        """Return the content that covers both; commutative, associative and idempotent."""
        ...


def better_run(one: Trajectory | None, other: Trajectory | None) -> Trajectory | None:
    """
    Return the run that is worth keeping of two: solved, then higher reward, then shorter, then by digest.

    The last makes the choice the same in every order.
    """
    if one is None or other is None:
        return one or other

    def rank(run: Trajectory) -> tuple[bool, float, int, str]:
        return (not run.success, -(run.reward or 0.0), len(run.steps), run.digest)

    return min(one, other, key=rank)
