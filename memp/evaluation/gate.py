"""
The gate: a candidate takes the place of what works only if it makes nothing worse, by measurement.

Base and candidate are the same version but for the one revision, asked on the same tasks with the same seeds. The
burden of proof is the candidate's: where the data cannot show that it does no harm, it is turned down, and what works
stays. Letting evidence from ordinary episodes decide was not taken for this: there a bad candidate is served to
somebody before anybody knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from memp.codec import decode
from memp.errors import InvalidInputError
from memp.evaluation.intervals import mean_interval
from memp.evaluation.metrics import METRICS, by_task
from memp.evaluation.result import Attempt, Result
from memp.evaluation.runner import Runner
from memp.evaluation.statistics import shown_less_often
from memp.evaluation.suite import remake
from memp.events import EvaluationRecorded, GateSet
from memp.model import EventId, Position

if TYPE_CHECKING:
    import os

    from memp.evaluation.agent import Agent
    from memp.evaluation.runner import Progress
    from memp.evaluation.suite import Suite
    from memp.memory import Memory
    from memp.record import Record
    from memp.update.trial import Candidate

BASE, CANDIDATE = "base", "candidate"
"""Names of the two arms in the evaluations that a gate puts on record."""

WAITS = "waits"
"""The verdict on a candidate of which the suite says nothing."""

TASKS_TOLD = 5
"""Tasks that a reason names; the evaluation holds all."""


@attrs.frozen(kw_only=True)
class Judgement:
    """
    What a paired evaluation says of a candidate.

    Attributes:
        passes: Whether it does no harm, as far as the data can show.

        base: The share of tasks that the base solves, in [0, 1].

        candidate: The share that the candidate solves.

        lost: Tasks that the base solves and the candidate does not, as far as the data shows it.

        gained: Tasks that the candidate solves more often.

        drop: By how much the share may have fallen, with the confidence that was asked for: the fall itself for an
            agent that does the same each time. Below 0 where it surely rose.

        why: One sentence for people, with the numbers.
    """

    passes: bool
    base: float
    candidate: float
    lost: tuple[str, ...]
    gained: tuple[str, ...]
    drop: float
    why: str


@attrs.frozen(kw_only=True)
class GateVerdict:
    """
    What became of one candidate.

    Attributes:
        procedure: Name of its procedure.

        revision: The event that made it.

        position: Where that stands.

        verdict: ``accepted``, ``rejected``, or ``waits`` where no task of the suite is served it, so that nothing can
            be said of it.

        judgement: The numbers; None where it waits.

        evaluation: The event that holds the evaluation; None where it waits, or nothing was written.

        reason: One sentence for people.
    """

    procedure: str
    revision: EventId
    position: Position
    verdict: str
    judgement: Judgement | None = None
    evaluation: EventId | None = None
    reason: str


def judge(
    base: Sequence[Attempt],
    candidate: Sequence[Attempt],
    *,
    exact: bool,
    tolerance: float,
    confidence: float,
    best: float = 0.0,
) -> Judgement:
    """
    Return whether a candidate does no harm.

    It passes if no task is lost that the base solved, if the share of tasks that are solved does not fall by more than
    *tolerance*, and, where it falls at all, if it stays within *tolerance* of the best that was measured: falls that
    are tolerable one by one add up.

    Args:
        base: What was done without it, every task with every seed.

        candidate: What was done with it, in the same order.

        exact: Whether the agent does the same each time. Then a task is lost if it is solved with fewer seeds.
            Otherwise it is lost if Fisher's exact test shows that with *confidence*, and the fall is the upper end of
            the one-sided interval over tasks.

        tolerance: A share, 0 or more.

        confidence: Over one half and below 1.

        best: The best share that was measured under this gate.

    Raises:
        InvalidInputError: The attempts are not of the same tasks; or scipy is not installed and is needed.
    """
    success = METRICS["success"]
    before, after = by_task(base, success), by_task(candidate, success)
    if [(one.task_id, one.seed) for one in base] != [(one.task_id, one.seed) for one in candidate]:
        raise InvalidInputError("Base and candidate must have done the same tasks with the same seeds.")
    shares = sum(before.values()) / len(before), sum(after.values()) / len(after)
    rises = [after[task] - before[task] for task in before]
    if exact:
        lost = tuple(task for task in before if after[task] < before[task])
        drop = shares[0] - shares[1]
    else:
        seeds = len(base) // len(before)
        lost = tuple(task for task in before if shown_less_often(before[task], after[task], seeds, confidence))
        drop = -mean_interval(rises, confidence=2 * confidence - 1).low
    floor = best - tolerance
    passes = not lost and _at_most(drop, tolerance) and not (shares[1] < shares[0] and shares[1] < floor)
    gained = tuple(task for task in before if after[task] > before[task])
    return Judgement(
        passes=passes,
        base=shares[0],
        candidate=shares[1],
        lost=lost,
        gained=gained,
        drop=drop,
        why=_why(shares, lost, gained, drop, exact=exact, tolerance=tolerance, floor=floor),
    )


def _at_most(drop: float, tolerance: float) -> bool:
    """Whether *drop* is within *tolerance*; sums of shares are off by a last digit."""
    return drop <= tolerance + 1e-9


def _why(
    shares: tuple[float, float],
    lost: Sequence[str],
    gained: Sequence[str],
    drop: float,
    *,
    exact: bool,
    tolerance: float,
    floor: float,
) -> str:
    said = f"it solves {shares[1]:.1%} of the tasks, the base {shares[0]:.1%}"
    if lost:
        more = f" and {len(lost) - TASKS_TOLD} more" if len(lost) > TASKS_TOLD else ""
        said += f"; lost: {', '.join(lost[:TASKS_TOLD])}{more}"
    if not exact and not _at_most(drop, tolerance):
        said += f"; it may have fallen by {drop:.1%}, and {tolerance:.1%} is tolerated"
    elif not lost and shares[1] < min(shares[0], floor):
        said += f"; that is below {floor:.1%}, the best so far less what is tolerated"
    elif gained and not lost:
        said += f"; won besides: {len(gained)}"
    return said


def gate(
    memory: Memory,
    suite: Suite | None = None,
    agent: str | Agent | None = None,
    *,
    workers: int = 1,
    journal: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> tuple[GateVerdict, ...]:
    """
    Judge every candidate that waits, one after the other, by the gate that is set.

    A candidate that is accepted is part of the base for the next. Every evaluation goes on record, and the verdict
    names it as its cause.

    Args:
        memory: The memory.

        suite: The suite of the gate; None makes it again by its name and options.

        agent: The agent of the gate; None finds it by its name.

        workers: Processes that act.

        journal: A file in which every play is kept, so that nothing is done again after a crash.

        dry_run: Write nothing; every candidate is then held against the present.

        on_progress: Called as work goes on.

    Returns:
        What became of each candidate, in the order of ``memory.candidates``; empty if none waits.

    Raises:
        InvalidInputError: No gate is set, or *suite* or *agent* is not the one that it is set on.
    """
    setting = memory.gate()
    if setting is None:
        raise InvalidInputError("No gate is set. Set one with memory.set_gate(suite, agent), or 'memp gate --set'.")
    chosen = _suite_of(setting, suite)
    with Runner(
        memory, chosen, agent or setting.agent, seeds=setting.seeds, workers=workers, journal=journal,
        on_progress=on_progress,
    ) as runner:  # fmt: skip
        if agent is not None:
            _check_agent(setting, runner)
        verdicts: list[GateVerdict] = []
        best = 0.0
        for number, candidate in enumerate(memory.candidates()):
            if number == 0:
                best = _best(memory, setting, runner)
            verdicts.append(_judge_one(memory, runner, setting, candidate, best=best, dry_run=dry_run))
            judgement = verdicts[-1].judgement
            best = best if judgement is None else max(best, judgement.base)
        return tuple(verdicts)


def _suite_of(setting: GateSet, given: Suite | None) -> Suite:
    assert setting.suite is not None
    suite = remake(setting.suite, setting.options) if given is None else given
    if suite.digest != setting.suite_digest:
        way_out = (
            "Its world or its tasks changed since. Set the gate again."
            if given is None
            else "Pass that suite, or none to have it made again."
        )
        raise InvalidInputError(
            f"The gate is set on the suite {setting.suite!r} with the digest {setting.suite_digest[:12]}, "
            f"and this is {suite.name!r} with {suite.digest[:12]}. {way_out}"
        )
    return suite


def _check_agent(setting: GateSet, runner: Runner) -> None:
    name, version = runner.measured.agent, runner.measured.agent_version
    if name != setting.agent or setting.agent_version not in ("", version):
        raise InvalidInputError(
            f"The gate is set on the agent {setting.agent!r} {setting.agent_version} (got {name!r} {version}). "
            "Pass that agent, or set the gate again."
        )


def _judge_one(
    memory: Memory, runner: Runner, setting: GateSet, candidate: Candidate, *, best: float, dry_run: bool
) -> GateVerdict:
    [told] = memory.tell([candidate.revision.id])
    verdict = GateVerdict(
        procedure=candidate.procedure.name,
        revision=candidate.revision.id,
        position=told.position,
        verdict=WAITS,
        reason="no task of the suite is served it, so nothing can be said of it: it waits until one is, or is decided "
        "by hand",
    )
    trying = memory.trying([candidate.revision.id])
    if runner.prompts(memory) == runner.prompts(trying):
        return verdict
    result = runner.play(runner.plan({BASE: memory, CANDIDATE: trying}))
    judgement = judge(
        result.of(BASE),
        result.of(CANDIDATE),
        exact=runner.deterministic,
        tolerance=setting.tolerance,
        confidence=setting.confidence,
        best=best,
    )
    verdict = attrs.evolve(
        verdict,
        verdict="accepted" if judgement.passes else "rejected",
        judgement=judgement,
        reason=f"gate on {setting.suite!r} with {setting.agent!r}: {judgement.why}",
    )
    if dry_run:
        return verdict
    evaluation = result.record(memory).event_id
    say = memory.accept if judgement.passes else memory.reject
    say(candidate.revision.id, reason=verdict.reason, evaluation=evaluation)
    return attrs.evolve(verdict, evaluation=evaluation)


def _best(memory: Memory, setting: GateSet, runner: Runner) -> float:
    """Return the best share that a base solved in the evaluations of this gate; 0 before the first."""
    best = 0.0
    for record in memory.events(type=EvaluationRecorded.TYPE):
        said: Mapping[str, object] | None = record.data
        if said is None or not _is_of(said, setting, runner):
            continue
        result = Result.from_event(_decoded(record))
        if BASE in {arm.name for arm in result.arms}:
            best = max(best, result.score(BASE).success)
    return best


def _decoded(record: Record) -> EvaluationRecorded:
    assert record.body is not None
    event = decode(record.type, record.schema, record.body, position=record.position)
    assert isinstance(event, EvaluationRecorded)
    return event


def _is_of(said: Mapping[str, object], setting: GateSet, runner: Runner) -> bool:
    """Whether an evaluation was done as this gate does them."""
    measured = said["measured"]
    assert isinstance(measured, Mapping)
    same = (measured["suite_digest"], measured["agent"], measured["agent_version"]) == (
        setting.suite_digest,
        runner.measured.agent,
        runner.measured.agent_version,
    )
    return same and said["seeds"] == list(setting.seeds)
