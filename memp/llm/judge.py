"""
A model as judge of runs, and how far it can be trusted.

A judge stands where no rule can say how a run ended. What it says is worth what it says on runs whose outcome is known,
so measuring that is here beside it. It is a metric like any other: called with a run, it gives a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from memp.errors import InvalidInputError, ModelError
from memp.llm.answers import DONE, Verdict
from memp.llm.base import Call, Model

if TYPE_CHECKING:
    from memp.llm.client import Client
    from memp.model import Trajectory
    from memp.operations.modelled import Modelled

Metric = Callable[["Trajectory"], float | None]
"""Says how well a run did, from 0 to 1; None where it cannot say."""

BINS = 5
"""Bins of a calibration: with the few dozen labelled runs that people have, more would hold one run each."""


class Judge:
    """
    Scores runs by a rubric.

    Safe to use from many threads.

    Args:
        model: The model, or its name.

        rubric: What counts, in words: a text or a file; a template of memp's small language that may say
            ``{{ task }}``. None takes the one that ships: was the task done.

        memory: Where calls go on record, and are added up by ``costs``; None keeps them in ``calls`` alone, for there
            is no log that could hold them.

        cached: Whether a question that is on record in *memory*, word for word, is answered from there.

    Attributes:
        calls: The requests so far.

    Raises:
        InvalidInputError: The rubric is empty, or *memory* is open for reading only.

        TemplateError: The rubric is no template of the small language.
    """

    def __init__(
        self,
        model: Model | str,
        *,
        rubric: str | Path | None = None,
        memory: Modelled | None = None,
        cached: bool = False,
    ) -> None:
        self.model = Model(model) if isinstance(model, str) else model
        self.calls: list[Call] = []
        self._rubric = _rubric_text(rubric)
        if memory is not None:
            memory._check_writable()
        self._memory = memory
        self._client: Client | None = None
        self._recall = None if memory is None else memory._recall(cached=cached)
        self._lines("a task")

    @property
    def recorded(self) -> bool:
        """Whether calls go on record."""
        return self._memory is not None

    def score(self, trajectory: Trajectory) -> Verdict:
        """
        Return how well *trajectory* did its task.

        Raises:
            ModelError: The model could not be asked, or never gave a verdict that cites steps that exist.
        """
        from memp.llm.client import Client, Talk
        from memp.llm.workers import Workers

        if self._client is None:
            self._client = Client(self.model)
        talk = Talk("judge", recall=self._recall)
        try:
            return Workers(client=self._client, talk=talk).score(trajectory, rubric=self._lines(trajectory.task))
        finally:
            self.calls += talk.calls
            if self._memory is not None:
                self._memory._note_calls(talk.calls, runs=[trajectory])

    def __call__(self, trajectory: Trajectory) -> float:
        """Return the score alone, as metrics do."""
        return self.score(trajectory).score

    def after(self, rule: Metric) -> Metric:
        """Return a metric that asks *rule*, and the judge only where the rule cannot say."""

        def metric(trajectory: Trajectory) -> float:
            said = rule(trajectory)
            return self(trajectory) if said is None else said

        return metric

    def close(self) -> None:
        """Give the connections back. Closing twice does nothing."""
        if self._client is not None:
            self._client.close()

    def _lines(self, task: str) -> list[str]:
        from memp.rendering.plain import one_line
        from memp.rendering.sandbox import PromptEnvironment

        text = PromptEnvironment({"rubric": self._rubric}).fill("rubric", {"task": one_line(task)})
        return text.strip("\n").split("\n")


def _rubric_text(rubric: str | Path | None) -> str:
    from memp import _resources

    if rubric is None:
        return _resources.read_text("templates", "rubric.j2")
    text = rubric.read_text(encoding="utf-8") if isinstance(rubric, Path) else rubric
    if not text.strip():
        raise InvalidInputError("'rubric' must say what counts (got an empty text).")
    return text


@attrs.frozen(kw_only=True)
class Bin:
    """
    Verdicts of about the same score.

    Attributes:
        low: The least score of the bin.

        high: The score below which it ends; the last holds 1 as well.

        runs: How many verdicts.

        score: Their mean score.

        won: The share of the runs that won.
    """

    low: float
    high: float
    runs: int
    score: float
    won: float


@attrs.frozen(kw_only=True)
class Agreement:
    """
    How far a judge agrees with what is known.

    Attributes:
        runs: Runs that were judged and whose outcome is known.

        failed: Runs that the judge could not judge.

        accuracy: The share of the runs on which both say the same.

        kappa: Agreement beyond chance, from -1 to 1; None if both always say one and the same.

        brier: Mean squared distance of the score from the outcome, 0 (best) to 1.

        calibration_error: How far scores are from the share of wins, weighted over the bins, 0 (best) to 1.

        bins: The calibration, from low scores to high; empty bins are left out.
    """

    runs: int
    failed: int
    accuracy: float
    kappa: float | None
    brier: float
    calibration_error: float
    bins: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as JSON has them."""
        return {**attrs.asdict(self), "bins": [attrs.asdict(one) for one in self.bins]}


def agreement(pairs: Iterable[tuple[float, bool]], *, failed: int = 0) -> Agreement:
    """
    Return how far scores agree with outcomes.

    Args:
        pairs: A score from 0 to 1, and whether the run won; at least one.

        failed: How many runs could not be judged.

    Source: kappa, Cohen, A coefficient of agreement for nominal scales, 1960; Brier score, Brier, Verification of
    forecasts, 1950; calibration error, Naeini et al., Obtaining well calibrated probabilities using Bayesian binning,
    2015.

    Raises:
        InvalidInputError: There are none, or a score is out of range.
    """
    known = list(pairs)
    if not known:
        raise InvalidInputError("There is no run with a known outcome that could be judged.")
    if not all(math.isfinite(score) and 0.0 <= score <= 1.0 for score, _ in known):
        raise InvalidInputError("A score must be from 0 to 1.")
    count = len(known)
    said = [score >= DONE for score, _ in known]
    won = [outcome for _, outcome in known]
    accuracy = sum(one == other for one, other in zip(said, won, strict=True)) / count
    share_said, share_won = sum(said) / count, sum(won) / count
    chance = share_said * share_won + (1 - share_said) * (1 - share_won)
    bins = _bins(known)
    return Agreement(
        runs=count,
        failed=failed,
        accuracy=accuracy,
        kappa=None if math.isclose(chance, 1.0) else (accuracy - chance) / (1 - chance),
        brier=sum((score - outcome) ** 2 for score, outcome in known) / count,
        calibration_error=sum(one.runs * abs(one.score - one.won) for one in bins) / count,
        bins=bins,
    )


def _bins(known: Sequence[tuple[float, bool]]) -> tuple[Bin, ...]:
    found: dict[int, list[tuple[float, bool]]] = {}
    for score, won in known:
        found.setdefault(min(int(score * BINS), BINS - 1), []).append((score, won))
    return tuple(
        Bin(
            low=number / BINS,
            high=(number + 1) / BINS,
            runs=len(of),
            score=sum(score for score, _ in of) / len(of),
            won=sum(won for _, won in of) / len(of),
        )
        for number, of in sorted(found.items())
    )


@attrs.frozen(kw_only=True)
class Judged:
    """
    A run with its verdict.

    Attributes:
        trajectory: The run.

        verdict: What the judge says; None if it could not judge.

        problem: Why it could not; empty if it could.
    """

    trajectory: Trajectory
    verdict: Verdict | None
    problem: str = ""


def judge_all(
    judge: Judge,
    runs: Sequence[Trajectory],
    *,
    parallel: int = 4,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Judged]:
    """
    Return the verdicts on *runs*, in their order; a run that cannot be judged stops nobody.

    Raises:
        ModelError: The endpoint itself is at fault: the key is wrong, or nothing is reached.
    """
    from memp.llm.ordered import in_order
    from memp.llm.retrying import is_endpoints_fault

    def ask(run: Trajectory) -> Judged:
        try:
            return Judged(trajectory=run, verdict=judge.score(run))
        except ModelError as error:
            if is_endpoints_fault(error):
                raise
            return Judged(trajectory=run, verdict=None, problem=str(error))

    found = []
    for number, (_, judged) in enumerate(in_order(runs, ask, parallel=parallel), start=1):
        found.append(judged)
        if progress is not None:
            progress("judging", number, len(runs))
    return found
