"""
One task that an agent does with what the memory serves: what an agent's loop holds in its hand.

It notes steps and asks the memory (``memp.operations.living``) to begin, end or abandon it; whatever is decided, is
decided there.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import attrs

from memp.errors import ConflictError, InvalidInputError, MempError
from memp.model import SUCCESS_REWARD, EpisodeId, Match, Step, Trajectory
from memp.operations.versions import as_invalid_input
from memp.record import Record
from memp.update.outcome import Outcome

if TYPE_CHECKING:
    from memp.operations.living import Living
    from memp.retrieval.filters import Filter
    from memp.update.base import Policy

SOURCE = "episode"
"""Where the runs of episodes say that they come from."""


@attrs.frozen(kw_only=True)
class Asking:
    """
    How procedures are found and shown for an episode; see ``Living.episode`` for each.

    Attributes:
        k: How many at most.

        key: How they are found.

        where: What a procedure must be.

        evidence_weight: What it counts that it helped before.

        style: Form of the prompt.

        budget_tokens: Its length.
    """

    k: int
    key: str | None
    where: Filter | None
    evidence_weight: float
    style: str
    budget_tokens: int | None


class Episode:
    """
    One task that an agent does with what the memory serves; made by ``Memory.episode`` and used as a context manager.

    Safe to use from the thread that runs the agent; every episode has its own.

    Attributes:
        task: What is to be done.

        prompt: The text for the agent; empty if nothing was found or nothing fits.

        matches: What was served, best first; a candidate on trial stands in the place of its procedure.

        id: Random; empty before the block is entered.
    """

    def __init__(
        self,
        memory: Living,
        task: str,
        *,
        asking: Asking,
        policies: Sequence[tuple[str, Policy]],
    ) -> None:
        self.task = task
        self.prompt = ""
        self.matches: tuple[Match, ...] = ()
        self.id = EpisodeId("")
        self._memory = memory
        self._asking = asking
        self._policies = tuple(policies)
        self._steps: list[Step] = []
        self._ended = False

    def __enter__(self) -> Self:
        if self.id:
            raise ConflictError("An episode is lived once. Ask the memory for another one.")
        self._memory._start(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._ended:
            return
        why = "the block was left without an outcome" if kind is None else f"{kind.__name__}: {error}"
        try:
            self._memory._abandon(self, why)
        except MempError as failed:
            if error is None:
                raise
            # What the agent raised matters more; the log shows the episode as started, which says it was abandoned.
            error.add_note(f"The abandoned episode could not be recorded: {failed}")

    def step(self, *, action: str, observation: str = "", thought: str | None = None) -> None:
        """
        Note one action and what the world answered; nothing is written before the end.

        Raises:
            ConflictError: The episode has not begun, or is over.

            InvalidInputError: A value is no text.
        """
        self._check_open()
        with as_invalid_input():
            self._steps.append(Step(action=action, observation=observation, thought=thought))

    def finish(
        self, *, reward: float | None = None, success: bool | None = None, tokens: int | None = None
    ) -> tuple[Record, ...]:
        """
        Say how it ended, and let the policies decide what becomes of that.

        Args:
            reward: The score, any finite number; solved from 1.0 on unless *success* says otherwise.

            success: Whether the task was solved.

            tokens: Tokens that the agent used; None if not known.

        Returns:
            The records of the batch: the run, the outcome, the evidence, and what followed.

        Raises:
            ConflictError: The episode has not begun, or is over.

            InvalidInputError: Neither reward nor success is given, or a value is out of range.
        """
        self._check_open()
        if success is None:
            if reward is None:
                raise InvalidInputError("An outcome needs 'reward', 'success' or both (got neither).")
            success = reward >= SUCCESS_REWARD
        with as_invalid_input():
            run = self.trajectory(reward=reward, success=success)
            outcome = Outcome(trajectory=run, success=success, reward=run.reward, tokens=tokens)
            records = self._memory._finish(self, outcome)
        self._ended = True
        return records

    def trajectory(self, *, reward: float | None = None, success: bool | None = None) -> Trajectory:
        """Return what was lived so far as a run."""
        return Trajectory(task=self.task, steps=tuple(self._steps), reward=reward, success=success, source=SOURCE)

    def _check_open(self) -> None:
        if not self.id:
            raise ConflictError("The episode has not begun: use it as a context manager.")
        if self._ended:
            raise ConflictError("The episode is over.")
