"""
Whether a step brought about what a script expects of it, as far as the world says so.

An environment need not speak of every condition: that nobody says that the mug is in the cabinet is no sign that it is
not. So an expectation counts as unmet only on evidence: the answer to the step says what must not be, or does not say
what must be although the answer to the same step said it in a run that won.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from memp.build.effects import Deed, effective_deeds
from memp.build.places import Vocabulary, kind_of
from memp.script.forms import split_form
from memp.script.nodes import Call, Expression, Name, Not, TextLiteral
from memp.script.toolset import Condition
from memp.update.base import StoredRun

RUNS_ASKED = 10
"""Runs that won that are asked whether the world speaks of a condition: reading one costs a millisecond."""

Bindings = dict[str, str]
"""What the names of a script stood for in a run, by kind."""


def is_unmet(
    condition: Expression,
    ways: Sequence[Call],
    deed: Deed,
    bindings: Bindings,
    words: Vocabulary,
    won: Callable[[], Iterable[StoredRun]],
) -> bool:
    """
    Return whether *deed*, which was done in one of *ways*, did not bring about *condition*.

    Args:
        condition: What the script expects after it; only a condition of the toolset, or the opposite of one, is judged.

        ways: The calls of the step.

        deed: What the run did and was answered.

        bindings: What the names of the script stand for in that run, by kind.

        words: The toolset.

        won: Returns runs that solved their task.
    """
    if isinstance(condition, Not):
        return isinstance(condition.operand, Call) and _is_said(condition.operand, deed.observation, bindings, words)
    if not isinstance(condition, Call) or _is_said(condition, deed.observation, bindings, words):
        return False
    return any(
        _is_said(condition, done.observation, bound, words)
        for _, run in islice(won(), RUNS_ASKED)
        for done in effective_deeds(run, words.toolset)
        for way in ways
        if (bound := bind(way, done.call, bindings, words)) is not None
    )


def _is_said(call: Call, observation: str, bindings: Bindings, words: Vocabulary) -> bool:
    """Return whether *observation* says the condition *call* of things of the kinds that are meant."""
    entry = words.toolset.find_entry(call.name)
    if not isinstance(entry, Condition):
        return False
    kinds = {name: _kind(value, bindings) for name, value in words.arguments(call).items()}
    seen = " ".join(observation.split()).casefold()
    return any(
        (wording := _wording(form.text, kinds)) is not None and re.search(wording, seen) is not None
        for form in entry.forms
    )


def _wording(form: str, kinds: Mapping[str, str | None]) -> str | None:
    """Return *form* as a pattern that any thing of the *kinds* meets; None if the kind of one is not known."""
    wording = ""
    for piece in split_form(form):
        if isinstance(piece, str):
            wording += re.escape(piece.casefold())
            continue
        kind = kinds.get(piece.name)
        if kind is None:
            return None
        wording += rf"\b{re.escape(kind)}(?: \d+)?"
    return wording


def _kind(value: Expression, bindings: Bindings) -> str | None:
    """Return the kind of thing that *value* means in a run; None if nothing says so."""
    if isinstance(value, TextLiteral):
        return kind_of(value.value).casefold()
    return bindings.get(value.name) if isinstance(value, Name) else None


def bind(call: Call, done: Call | None, bindings: Bindings, words: Vocabulary) -> Bindings | None:
    """Return what names stand for if *done* is *call*, things compared by kind; None if it is another."""
    if done is None or done.name != call.name:
        return None
    wanted, given = words.arguments(call), words.arguments(done)
    bound = dict(bindings)
    for parameter, value in given.items():
        said = wanted.get(parameter)
        if not isinstance(value, TextLiteral) or said is None:
            continue
        kind = kind_of(value.value).casefold()
        if isinstance(said, TextLiteral) and kind_of(said.value).casefold() != kind:
            return None
        if isinstance(said, Name) and bound.setdefault(said.name, kind) != kind:
            return None
    return bound
