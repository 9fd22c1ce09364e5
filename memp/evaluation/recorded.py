"""
Evaluations that are on record: found again, and laid beside each other.

A version is recognised by its content. One that was measured as ``v1`` is found as position 40 too, and an evaluation
of a version that since then has other events but the same procedures still counts for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from memp.codec import decode
from memp.errors import EventNotFoundError, NotFoundError
from memp.evaluation.result import Result, same_version
from memp.events import EvaluationRecorded

if TYPE_CHECKING:
    from memp.record import Record
    from memp.view import View

Recorded = tuple["Record", Result]
"""The record of an evaluation, and what it says."""


def recorded(view: View) -> list[Recorded]:
    """Return the evaluations that *view* sees, oldest first; those whose content was purged are left out."""
    found = []
    for record in view.events(type=EvaluationRecorded.TYPE):
        if record.body is not None:
            event = decode(record.type, record.schema, record.body, position=record.position)
            assert isinstance(event, EvaluationRecorded)
            found.append((record, Result.from_event(event)))
    return found


def evaluation_named(found: Sequence[Recorded], wanted: str) -> Result | None:
    """Return the evaluation that *wanted* names, by event id or position; None if it names none."""
    for record, result in found:
        if wanted in (record.event_id, str(record.position)):
            return result
    return None


def compared(
    view: View, found: Sequence[Recorded], a: str, b: str, *, evaluation: str | None = None
) -> tuple[Result, str | None, str | None]:
    """
    Return a result in which both *a* and *b* are, and what they are called in it.

    Args:
        view: Where versions are looked up.

        found: The evaluations, oldest first.

        a: An arm, a version, or an evaluation.

        b: The same; if both are evaluations they are joined, and no arm is named.

        evaluation: The one to look in, by event id or position; None takes the newest that has both, and else joins
            the newest of each.

    Raises:
        EventNotFoundError: There is no such evaluation.

        NotFoundError: Nothing on record says anything of one of them.

        ConflictError: They were measured on different suites or by different agents.
    """
    one, other = evaluation_named(found, a), evaluation_named(found, b)
    if one is not None and other is not None:
        return one.joined(other), None, None
    if evaluation is not None:
        chosen = evaluation_named(found, evaluation)
        if chosen is None:
            raise EventNotFoundError(evaluation)
        found = [(record, result) for record, result in found if result is chosen]
    names_of = [(result, _arm(view, result, a), _arm(view, result, b)) for _, result in reversed(found)]
    for result, first, second in names_of:
        if first is not None and second is not None:
            return result, first, second
    with_a = next(((result, first) for result, first, _ in names_of if first is not None), None)
    with_b = next(((result, second) for result, _, second in names_of if second is not None), None)
    if with_a is None or with_b is None:
        raise NotFoundError(
            f"No evaluation on record has {a if with_a is None else b!r}. "
            f"Make one with: memp eval STORE --suite NAME --at {a} --at {b} --record"
        )
    joined = with_a[0].joined(with_b[0])
    theirs = next(arm for arm in with_b[0].arms if arm.name == with_b[1])
    return joined, with_a[1], next(arm.name for arm in joined.arms if same_version(arm, theirs))


def _arm(view: View, result: Result, wanted: str) -> str | None:
    """Return the arm of *result* that is called *wanted*, or is the version of that name; None if there is none."""
    if any(arm.name == wanted for arm in result.arms):
        return wanted
    try:
        digest = view.at(wanted).state_digest()
    except NotFoundError:
        return None
    return next((arm.name for arm in result.arms if arm.kind == "view" and arm.state_digest == digest), None)
