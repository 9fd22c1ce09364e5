"""
What happened beside the procedures, each in one sentence: episodes, rules, the queue, names for versions, measurements.

These events are about no procedure, so the state keeps no entry of them and nothing undoes most of them. Told from the
event alone rather than from the state, the same words serve the log, which lists records, and the stories, which know
what procedures are called.
"""

from __future__ import annotations

from collections.abc import Callable

from memp.events import (
    BranchDeleted,
    BranchForked,
    BranchPromoted,
    ContentPurged,
    EmbedderSwitched,
    EpisodeFinished,
    EpisodeStarted,
    EvaluationRecorded,
    Event,
    GateSet,
    LossAccepted,
    ModelCalled,
    PolicySet,
    ResourceRecorded,
    RunDropped,
    RunQueued,
    TextsEmbedded,
    VersionTagged,
)
from memp.history.contents import OUTCOMES
from memp.model import ProcedureId

SERVED_SHOWN = 3
"""Served procedures that are named; the event holds all."""

REMARKS_SHOWN = 2
"""Remarks of policies that are told; the event holds all."""


def happening(event: Event, *, name: Callable[[ProcedureId], str] | None = None) -> str | None:
    """
    Return what *event* says in a sentence; None for one that is about procedures, runs or an undo.

    Args:
        event: Any event.

        name: What a procedure is called; None counts them instead.
    """
    match event:
        case EpisodeStarted():
            return f"An agent began: {_ended(event.task)} {_served(event, name)}"
        case EpisodeFinished(abandoned=True):
            return f"The episode was abandoned after {counted(event.steps, 'step')}: {_ended(event.why)}"
        case EpisodeFinished():
            return _finished(event)
        case PolicySet():
            return _rules(event)
        case GateSet(suite=None):
            return f"Took the gate away.{_because(event.reason)}"
        case GateSet():
            return f"Set a gate: candidates must pass {event.suite!r} with {event.agent!r}.{_because(event.reason)}"
        case EvaluationRecorded():
            arms = ", ".join(arm.name for arm in event.arms)
            attempts = counted(len(event.attempts), "attempt")
            return f"Measured {arms} on {event.measured.suite!r} with {event.measured.agent!r}: {attempts}."
        case ModelCalled():
            failed = f", in vain: {_ended(event.error)}" if event.error else "."
            return f"Asked {event.model!r} to {event.purpose}{failed}"
        case TextsEmbedded():
            return f"Embedded {counted(len(event.vectors), 'text')} anew by {event.vectors[0].embedder!r}."
        case EmbedderSwitched():
            before = f", before by {event.previous!r}" if event.previous else ""
            return f"Texts are compared by {event.embedder!r}{before}.{_because(event.reason)}"
        case RunQueued():
            run = event.trajectory
            return f"Put a run by for later, {OUTCOMES[run.success]}: {_ended(run.task)}"
        case RunDropped():
            done = "Took a run out of the queue and learned from it" if event.learned else "Dropped a run that waited"
            return f"{done}: {_ended(event.reason)}"
        case _:
            return _of_versions(event)


def _of_versions(event: Event) -> str | None:
    """Return what *event* says of versions, branches and the store; None if it says nothing of these."""
    match event:
        case VersionTagged():
            return f"Called #{event.position} of {event.branch!r} {event.name!r}.{_because(event.reason)}"
        case BranchForked():
            return f"Forked {event.name!r} off {event.parent!r} at #{event.position}.{_because(event.reason)}"
        case BranchPromoted():
            said = counted(len(event.copies), "event")
            return f"Promoted {said} of {event.source!r}.{_because(event.reason)}"
        case BranchDeleted():
            return f"Deleted the branch {event.name!r}: {_ended(event.reason)}"
        case LossAccepted(first=None):
            return f"Went on after a loss: {_ended(event.reason)}"
        case LossAccepted():
            return f"Went on after the loss of #{event.first} to #{event.last}: {_ended(event.reason)}"
        case ContentPurged():
            return f"Purged what {counted(len(event.positions), 'event')} said: {_ended(event.reason)}"
        case ResourceRecorded():
            return f"Put the {event.kind} {event.name!r} on record."
        case _:
            return None


def _served(event: EpisodeStarted, name: Callable[[ProcedureId], str] | None) -> str:
    if not event.served:
        return "Nothing was served."
    if name is None:
        return f"It was served {counted(len(event.served), 'procedure')}."
    names = ", ".join(repr(name(one.procedure_id)) for one in event.served[:SERVED_SHOWN])
    more = len(event.served) - SERVED_SHOWN
    return f"It was served {names}{f' and {more} more' if more > 0 else ''}."


def _finished(event: EpisodeFinished) -> str:
    said = {True: "solved its task", False: "did not solve its task", None: "ended"}[event.success]
    score = "" if event.reward is None else f", reward {event.reward:g}"
    tokens = "" if event.tokens is None else f", {counted(event.tokens, 'token')}"
    remarks = "".join(f" {_ended(remark)}" for remark in event.remarks[:REMARKS_SHOWN])
    more = len(event.remarks) - REMARKS_SHOWN
    rest = f" And {counted(more, 'remark')} more." if more > 0 else ""
    return f"The agent {said} in {counted(event.steps, 'step')}{score}{tokens}.{remarks}{rest}"


def _rules(event: PolicySet) -> str:
    rules = [f"build {event.build!r}"]
    if event.half_life_days is not None:
        rules.append(f"outcomes count half after {event.half_life_days:g} days")
    if event.max_procedures is not None:
        rules.append(f"at most {counted(event.max_procedures, 'procedure')}")
    return f"Outcomes are decided by {', '.join(event.policies)}; {', '.join(rules)}.{_because(event.reason)}"


def _because(reason: str) -> str:
    return f" {_ended(reason)}" if reason else ""


def _ended(text: str) -> str:
    """Return *text* as the end of a sentence."""
    text = text.strip()
    return text if text[-1:] in (".", "!", "?", "…") else f"{text}."


def counted(number: int, noun: str) -> str:
    """Return ``1 run`` or ``2 runs``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
