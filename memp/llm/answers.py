"""What models answered, as values of ours: checked, canonical, and of no client library."""

from __future__ import annotations

from typing import Any

import attrs

from memp.build.distil import Written


@attrs.frozen(kw_only=True)
class Distilled:
    """
    A procedure that a model wrote from runs.

    Attributes:
        written: The procedure, checked.
    """

    written: Written


@attrs.frozen(kw_only=True)
class Reflected:
    """
    What a model says was wrong with a procedure, and what it wrote instead.

    Attributes:
        critique: What was wrong.

        written: The mended procedure, checked.
    """

    critique: str
    written: Written


@attrs.frozen(kw_only=True)
class Verdict:
    """
    How well a run did its task, as a model judges.

    Attributes:
        score: From 0, not at all, to 1, entirely.

        reasons: Why, one sentence each, the weightiest first.

        steps: Numbers of the steps, from 1, that the reasons rest on; all of them stand in the run.
    """

    score: float
    reasons: tuple[str, ...]
    steps: tuple[int, ...]

    @property
    def success(self) -> bool:
        """Whether the task counts as done: a score of ``DONE`` or more."""
        return self.score >= DONE

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as JSON has them."""
        return {**attrs.asdict(self), "success": self.success}


DONE = 0.5
"""A run counts as won from this score on: the judge thinks that it is more done than not."""


@attrs.frozen(kw_only=True)
class Found:
    """
    When a procedure applies, as a model sees it.

    Attributes:
        facts: Short statements.

        patterns: Further wordings of the task.
    """

    facts: tuple[str, ...]
    patterns: tuple[str, ...]
