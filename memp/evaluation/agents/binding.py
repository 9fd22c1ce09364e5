"""
What a task's words stand for in a procedure: its slots filled from the text of the task.

The patterns of a procedure are asked first. A procedure built from one run knows one wording, though, and the same
kind of task is said in several; then names are filled in by their order, which is the same in most wordings ("put a
painted A in B", "paint some A and put it in B"). Which words are names is seen without knowing any of them: they are
what neither grammar nor the procedure's own wording explains. A dictionary of things was not taken: the agent would
then know the household.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from memp.evaluation.agents.commands import FUNCTION_WORDS, kind, read, words_of
from memp.script.forms import Slot, slot_names, split_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memp.model import Trajectory

_WORD = re.compile(r"[a-z]+")


def bind(patterns: Sequence[str], task: str) -> dict[str, str] | None:
    """
    Return the words of *task* by the slots of the first pattern that fits, else by order in the first pattern.

    Args:
        patterns: Wordings with ``{slots}``, all of the same slots.

        task: What is asked now.

    Returns:
        Slot to word, in lower case; None if there are fewer names in the task than slots.
    """
    text = " ".join(task.lower().rstrip(" .").split())
    for pattern in patterns:
        if (found := _fit(pattern, text)) is not None:
            return found
    if not patterns:
        return {}
    slots = tuple(dict.fromkeys(slot_names(patterns[0])))
    fixed = {word for pattern in patterns for word in _fixed_words(pattern)}
    for named in (_named_by(patterns[0], text), slots):
        if (names := _names_in_order(text, fixed, len(named))) is not None:
            return {slot: name for slot, name in zip(named, names, strict=True) if slot is not None}
    return None


def align(run: Trajectory, task: str) -> dict[str, str] | None:
    """
    Return, for every name in the task of *run* that its actions handle, the word that takes its place in *task*.

    Returns:
        Kind to kind, in the order of the run's task; None if *task* has fewer names.
    """
    handled = {kind(thing) for action in run.actions for thing in read(action).things}
    words = words_of(run.task)
    names = [word for word in words if word in handled]
    found = _names_in_order(" ".join(task.lower().split()), set(words) - set(names), len(names))
    return None if found is None else dict(zip(names, found, strict=True))


def _fit(pattern: str, text: str) -> dict[str, str] | None:
    """Return the slots of *pattern* if *text* is of that wording."""
    parts: list[str] = []
    for piece in split_form(pattern.rstrip(" .")):
        if isinstance(piece, Slot):
            again = f"(?P<{piece.name}>" in "".join(parts)
            parts.append(f"(?P={piece.name})" if again else rf"(?P<{piece.name}>\S+(?: \d+)?)")
        else:
            parts.append(r"\s+".join(re.escape(word) for word in piece.lower().split(" ")))
    found = re.fullmatch("".join(parts), text)
    return None if found is None else found.groupdict()


def _named_by(pattern: str, task: str) -> tuple[str | None, ...]:
    """
    Return what *pattern* names, in order: slots, and None for each thing written out of which *task* does not speak.

    A procedure from one run has a name where others have a slot ("put a painted {thing} in A"), and in the task another
    name stands there. Left out of the count, that name would be taken for what the slot means.
    """
    known = {*FUNCTION_WORDS, *_WORD.findall(task)}
    words = [
        word
        for piece in split_form(pattern)
        for word in ((piece,) if isinstance(piece, Slot) else _WORD.findall(piece.lower()))
    ]
    named: list[str | None] = []
    for is_name, group in groupby(words, key=lambda word: isinstance(word, Slot) or word not in known):
        if is_name:
            slots = [word.name for word in group if isinstance(word, Slot) and word.name not in named]
            named += slots or [None]  # of neighbouring words only the last is a name, the others describe it
    return tuple(named)


def _fixed_words(pattern: str) -> Iterable[str]:
    for piece in split_form(pattern):
        if isinstance(piece, str):
            yield from _WORD.findall(piece.lower())


def _names_in_order(text: str, fixed: set[str], count: int) -> tuple[str, ...] | None:
    """
    Return the last *count* names of *text*; None if there are fewer.

    Of neighbouring words only the last is a name, the others describe it; deeds come before what they are done to.
    """
    names: list[str] = []
    follows = False
    for word in _WORD.findall(text):
        is_name = word not in FUNCTION_WORDS and word not in fixed
        if is_name and follows:
            names[-1] = word
        elif is_name:
            names.append(word)
        follows = is_name
    if len(names) < count:
        return None
    return tuple(names[len(names) - count :])
