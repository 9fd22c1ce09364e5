"""
Candidates judged by somebody: accepted, rejected, or kept waiting for a gate.

What evidence says of candidates on its own is the business of ``memp.update``. Here a person decides, or an evaluation;
the gate itself (``memp.evaluation.gate``) is an outer layer that calls these methods, so that nothing in memp needs to
know what a suite is beyond its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from memp import decide
from memp.errors import EventNotFoundError, InvalidInputError
from memp.events import EvaluationRecorded, GateSet
from memp.lookup import find_revision
from memp.model import EventId
from memp.operations.upkeep import Upkeep
from memp.operations.versions import as_invalid_input
from memp.record import Record


class MeasuringSuite(Protocol):
    """What a gate must know of a suite; how one is played is the business of ``memp.evaluation``."""

    @property
    def name(self) -> str:
        """By which ``memp.suite`` makes it again."""
        ...

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """What it was made with."""
        ...

    @property
    def digest(self) -> str:
        """Which suite it is, to the last task."""
        ...


class MeasuringAgent(Protocol):
    """What a gate must know of an agent."""

    @property
    def name(self) -> str:
        """By which it is found again."""
        ...

    @property
    def version(self) -> str:
        """Which one it is."""
        ...


class Verdicts(Upkeep):
    """What is said of candidates."""

    def accept(self, revision: str, *, reason: str, evaluation: str | None = None, key: str | None = None) -> Record:
        """
        Let a candidate take the place of the active revision.

        Where a gate is set, an acceptance that rests on no evaluation says so in its reason.

        Args:
            revision: The event that made it, by its id or its position.

            reason: One sentence for people.

            evaluation: The id of the ``evaluation-recorded`` that it rests on; the record names it as its cause.

            key: Retry token.

        Raises:
            EventNotFoundError: No revision, or no evaluation, is called that.

            ConflictError: It is not a candidate.
        """
        return self._verdict(revision, accept=True, reason=reason, evaluation=evaluation, key=key)

    def reject(self, revision: str, *, reason: str, evaluation: str | None = None, key: str | None = None) -> Record:
        """
        Turn a candidate down; it stays readable.

        Args:
            revision: The event that made it, by its id or its position.

            reason: One sentence for people.

            evaluation: The id of the ``evaluation-recorded`` that it rests on; the record names it as its cause.

            key: Retry token.

        Raises:
            EventNotFoundError: No revision, or no evaluation, is called that.

            ConflictError: It is not a candidate.
        """
        return self._verdict(revision, accept=False, reason=reason, evaluation=evaluation, key=key)

    def set_gate(
        self,
        suite: MeasuringSuite | None,
        agent: MeasuringAgent | str = "follower",
        *,
        tolerance: float = 0.0,
        confidence: float = 0.95,
        seeds: Sequence[int] = (0,),
        reason: str = "",
    ) -> Record:
        """
        Let candidates wait for an evaluation from here on: ``memp.gate`` and ``memp gate`` judge those that wait.

        No policy accepts a candidate while a gate is set, and nobody is served one. By hand it stays possible, and the
        reason says so.

        Args:
            suite: What they are measured on, such as ``memp.suite("household")``; None opens the gate.

            agent: Who does the tasks: its name, or the agent.

            tolerance: By how much the share of tasks that are solved may fall below the best that was measured, 0 or
                more and below 1.

            confidence: How sure that must be where the agent varies, over one half and below 1. Where it does the same
                thing each time, no task that was solved may be lost, whatever the tolerance.

            seeds: Every task is done once with each; one or more.

            reason: One sentence for people.

        Raises:
            InvalidInputError: A value is out of range, or *suite* is no suite.
        """
        if suite is None:
            with self._store.lock, as_invalid_input():
                return self._say(GateSet(suite=None, reason=reason))
        if isinstance(suite, str) or not hasattr(suite, "digest"):
            raise InvalidInputError(f"'suite' must be a suite, as memp.suite(name) gives it (got {suite!r}).")
        if not seeds or len(set(seeds)) < len(seeds):
            raise InvalidInputError(f"'seeds' must be one or more different whole numbers (got {list(seeds)!r}).")
        if not isinstance(agent, str) and not hasattr(agent, "version"):
            raise InvalidInputError(f"'agent' must be an agent or the name of one (got {agent!r}).")
        with self._store.lock, as_invalid_input():
            return self._say(
                GateSet(
                    suite=suite.name,
                    options=tuple(suite.options),
                    suite_digest=suite.digest,
                    agent=agent if isinstance(agent, str) else agent.name,
                    agent_version="" if isinstance(agent, str) else agent.version,
                    seeds=tuple(seeds),
                    tolerance=float(tolerance),
                    confidence=float(confidence),
                    reason=reason,
                )
            )

    def _verdict(self, revision: str, *, accept: bool, reason: str, evaluation: str | None, key: str | None) -> Record:
        with self._store.lock, as_invalid_input():
            if key is not None and (records := self._store.log.said(key, branch=self._branch)):
                return records[0]
            procedure, found = find_revision(self._state, revision)
            verdict = decide.accept if accept else decide.reject
            cause = None if evaluation is None else self._evaluation(evaluation)
            if accept and cause is None and self.gate() is not None:
                reason = f"{reason} (by hand, past the gate)" if reason.strip() else reason
            decided = decide.single(verdict(procedure, found, reason=reason), self._store.ids)
            return self._append([attrs.evolve(decided, cause=cause)], key=key)[0]

    def _evaluation(self, wanted: str) -> EventId:
        """Return the id of an evaluation that is on record here."""
        placed = self._state.history.place(wanted)
        if placed.type != EvaluationRecorded.TYPE or not self._state.sees(wanted):
            raise EventNotFoundError(wanted)
        return EventId(wanted)
