"""
Evaluations that are on record: found again, and laid beside each other.

A version is recognised by its content. One that was measured as ``v1`` is found as position 40 too, and an evaluation
of a version that since then has other events but the same procedures still counts for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

from memp.codec import decode
from memp.errors import NotFoundError
from memp.evaluation.result import Result, check_comparable, differences, same_version
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
            the newest of each that were done in the same way.

    Raises:
        NotFoundError: There is no such evaluation, or nothing on record says anything of one of them.

        ConflictError: They were never measured on the same suite by the same agent.
    """
    one, other = evaluation_named(found, a), evaluation_named(found, b)
    if one is not None and other is not None:
        return one.joined(other), None, None
    if evaluation is not None:
        found = [(record, result) for record, result in found if result is evaluation_named(found, evaluation)]
        if not found:
            raise NotFoundError(f"No evaluation is on record as {evaluation!r}. 'memp compare STORE' lists them.")
    names_of = [(result, _arm(view, result, a), _arm(view, result, b)) for _, result in reversed(found)]
    for result, first, second in names_of:
        if first is not None and second is not None:
            return result, first, second
    with_a = [(result, first) for result, first, _ in names_of if first is not None]
    with_b = [(result, second) for result, _, second in names_of if second is not None]
    if not with_a or not with_b:
        raise NotFoundError(
            f"No evaluation on record has {b if with_a else a!r}. "
            f"Make one with: memp eval STORE --suite NAME --at {a} --at {b} --record"
        )
    return _newest_joined(with_a, with_b)


def _newest_joined(
    with_a: Sequence[tuple[Result, str]], with_b: Sequence[tuple[Result, str]]
) -> tuple[Result, str, str]:
    """Return the newest two evaluations, one of each, that can be compared, as one; the newest two say why none can."""
    for (one, a), (other, b) in product(with_a, with_b):
        if differences(one, other):
            continue
        joined = one.joined(other)
        theirs = next(arm for arm in other.arms if arm.name == b)
        return joined, a, next(arm.name for arm in joined.arms if same_version(arm, theirs))
    check_comparable(with_a[0][0], with_b[0][0])
    raise AssertionError("two results that differ in nothing can be compared")


def _arm(view: View, result: Result, wanted: str) -> str | None:
    """Return the arm of *result* that is called *wanted*, or is the version of that name; None if there is none."""
    if any(arm.name == wanted for arm in result.arms):
        return wanted
    try:
        digest = view.at(wanted).state_digest()
    except NotFoundError:
        return None
    return next((arm.name for arm in result.arms if arm.kind == "view" and arm.state_digest == digest), None)
