"""
What a search for the event that hurt has to say: a value, told to people and to programs.

It holds the attempts that it rests on, so that everything else (a comparison, a report) can be made of it later. That
nothing was found is a value too, and no error: the data cannot tell, and it says why and how far it came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import attrs

from memp.evaluation.result import Result
from memp.model import EventId, Position

Measure = Literal["success", "steps", "reward"]
"""By what a version is worse."""

TASKS_TOLD = 3
"""Tasks that a sentence names; the evidence holds all."""


@attrs.frozen(kw_only=True)
class Evidence:
    """
    What the event that was named did.

    Attributes:
        before: What the version just before it scored, in [0, 1].

        after: What the version just after it scored.

        lost: Tasks that went worse after it, in the order of the suite.

        gained: Tasks that went better.

        without: What the bad end scores without the event and what was made from it; None if that was not played.
    """

    before: float
    after: float
    lost: tuple[str, ...]
    gained: tuple[str, ...]
    without: float | None = None


@attrs.frozen(kw_only=True)
class Played:
    """
    A version that was played.

    Attributes:
        position: Its last event.

        rounds: How often every task was done.

        score: What it scored, in [0, 1].
    """

    position: Position
    rounds: int
    score: float


@attrs.frozen(kw_only=True)
class Bisection:
    """
    What a search found out; it prints as a sentence.

    Attributes:
        found: Whether an event was named; if not, ``why`` says why the data cannot tell.

        event: The event; None if none was named.

        events: Those of its operation that count and change what is served, oldest first; they came together.

        sentence: What the event says, for people; empty if none was named.

        actor: Who wrote it; empty if none was named.

        evidence: What it did; None if none was named.

        why: Why nothing was named; empty otherwise.

        evaluations: How often a version was played, the first time of both ends not counted.

        good: Position of the good end.

        bad: Position of the bad end.

        between: The last position that is known to be good, and the first that is known to be worse.

        changes: Operations between the ends that might have changed what is served.

        versions: How many of them did, for a task of the suite.

        measure: By what it is worse.

        error_rate: How often, at most, an event is named that made nothing worse; None for an agent that does the
            same thing each time, where what was seen is so.

        played: The versions that were played, by position.

        result: The attempts: of all versions where the agent does the same each time; otherwise of both ends and of
            the versions before and after the event. None if nothing was played.
    """

    found: bool
    event: EventId | None = None
    events: tuple[EventId, ...] = ()
    sentence: str = ""
    actor: str = ""
    evidence: Evidence | None = None
    why: str = ""
    evaluations: int = 0
    good: Position
    bad: Position
    between: tuple[Position, Position]
    changes: int
    versions: int
    measure: Measure
    error_rate: float | None
    played: tuple[Played, ...] = ()
    result: Result | None = attrs.field(default=None, repr=False)

    @property
    def position(self) -> Position | None:
        """Where the operation stands; None if none was named."""
        return self.between[1] if self.found else None

    def __str__(self) -> str:
        plays = f"{self.evaluations} evaluation{'' if self.evaluations == 1 else 's'} besides the two ends"
        if self.evidence is None:
            return f"Cannot tell: {self.why} ({plays})."
        scores = f"{self.evidence.before:.0%} before, {self.evidence.after:.0%} after"
        return f"Event {self.position} made it worse: {scores}, found in {plays}."

    def told(self) -> dict[str, Any]:
        """Return what reports say: whether it was found, a headline, a title, lines of text, and how it was found."""
        lines = []
        if self.evidence is not None:
            lines = [f"Written by {self.actor}: event {self.event}."]
            for tasks, how in ((self.evidence.lost, "worse"), (self.evidence.gained, "better")):
                if tasks:
                    lines.append(f"Tasks that went {how}: {self._counted(tasks)}.")
            if self.evidence.without is not None:
                lines.append(f"The bad end without it: {self.evidence.without:.0%}.")
        else:
            lines = [f"What is known: position {self.between[0]} is the good side, {self.between[1]} the bad one."]
        if self.error_rate is None:
            lines.append("The agent does the same each time: on these tasks it is so, and no estimate.")
        else:
            lines.append(f"An event that made nothing worse is named in {self.error_rate:.0%} of searches at most.")
        return {
            "found": self.found,
            "headline": str(self),
            "title": self.sentence or f"Cannot tell: {self.why}.",
            "lines": lines,
            "steps": [
                f"{self.changes} {'operation lies' if self.changes == 1 else 'operations lie'} between positions "
                f"{self.good} and {self.bad}; {self.versions} of them {'changes' if self.versions == 1 else 'change'} "
                "what is served for a task of the suite.",
                *(
                    f"Position {one.position}: {one.score:.0%}{'' if one.rounds == 1 else f' in {one.rounds} rounds'}."
                    for one in self.played
                ),
            ],
        }

    def _counted(self, tasks: Sequence[str]) -> str:
        """Return how many tasks, by type where there are types, and the first few by name."""
        attempts = () if self.result is None else self.result.of(self.result.arms[0].name)
        types = {attempt.task_id: attempt.type for attempt in attempts}
        counts = Counter(type for task in tasks if (type := types.get(task)) is not None)
        by_type = ", ".join(f"{count} of type {type}" for type, count in counts.items())
        return f"{by_type or len(tasks)} ({_named(tasks)})"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as JSON has them; without the attempts."""
        plain = attrs.asdict(self, filter=lambda field, _: field.name != "result")
        return plain | {"position": self.position, "told": str(self)}


def _named(tasks: Sequence[str]) -> str:
    more = len(tasks) - TASKS_TOLD
    return ", ".join(tasks[:TASKS_TOLD]) + (f" and {more} more" if more > 0 else "")
