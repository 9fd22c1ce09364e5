"""
The same work several times, as a loop.

Repetition is looked for in the finished steps, where the second of two objects already reads like the first. Steps
count as the same if they differ in the places to look in first and in what may have to be opened.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from memp.build.canonical import (
    Item,
    flat,
    is_search_loop,
    last_place,
    likely_of,
    merged_likely,
    with_likely,
    without_incidentals,
)
from memp.build.places import Vocabulary
from memp.script.formatter import format_statements
from memp.script.nodes import Expression, Find, Name, NumberLiteral, Repeat
from memp.script.walk import rewrite

BLOCK_STEPS_MAX = 40
"""Longest piece of work that is recognised when it comes again, in steps; the search takes time for each length."""


def fold_repeats(items: Sequence[Item], vocabulary: Vocabulary | None) -> list[Item]:
    """
    Return *items* with work that follows upon the same work as a loop.

    Args:
        items: The steps.

        vocabulary: The toolset; None: every step is in words.
    """
    return _fold(_fold(items, vocabulary, 1, 1), vocabulary, 2, BLOCK_STEPS_MAX)


def _fold(items: Sequence[Item], vocabulary: Vocabulary | None, shortest: int, longest: int) -> list[Item]:
    """Fold repeats of *shortest* to *longest* steps, from the left, always what covers most."""
    likely = None if vocabulary is None else vocabulary.likely
    tokens = [_token(item, likely) for item in items]
    folded: list[Item] = []
    start = 0
    while start < len(items):
        covered, length = 0, 0
        for size in range(shortest, min(longest, (len(items) - start) // 2) + 1):
            count = _count(tokens, start, size)
            if count > 1 and count * size > covered:
                covered, length = count * size, size
        if not covered:
            folded.append(items[start])
            start += 1
            continue
        blocks = [items[first : first + length] for first in range(start, start + covered, length)]
        place = last_place([item.step for item in folded], vocabulary)
        folded.append(_loop(blocks, vocabulary, place))
        start += covered
    return folded


def _count(tokens: Sequence[str], start: int, size: int) -> int:
    """Return how many times the *size* tokens at *start* follow upon each other, 1 or more."""
    count, block = 1, tokens[start : start + size]
    while tokens[start + count * size : start + (count + 1) * size] == block:
        count += 1
    return count


def _loop(blocks: Sequence[Sequence[Item]], vocabulary: Vocabulary | None, place: Expression | None) -> Item:
    likely = None if vocabulary is None else vocabulary.likely
    body = [_united(same, likely) for same in zip(*blocks, strict=True)]
    return Item(step=Repeat(count=NumberLiteral(value=len(blocks)), body=flat(body, vocabulary, place)))


def _united(items: Sequence[Item], likely: str | None) -> Item:
    """Return what covers *items*, which are the same step in several rounds."""
    guards = sorted({guard for item in items for guard in item.guards})
    step = items[0].step
    for other in items[1:]:
        if isinstance(step, Find) and isinstance(other.step, Find) and likely is not None:
            both = merged_likely(likely_of(step, likely), likely_of(other.step, likely))
            step = with_likely(step, likely, both)
        elif isinstance(step, Repeat) and isinstance(other.step, Repeat) and not is_search_loop(step):
            step = max(step, other.step, key=lambda loop: getattr(loop.count, "value", 0))
    return Item(guards=tuple(guards), step=step)


def _token(item: Item, likely: str | None) -> str:
    """Return what a step must share with another to be the same work."""

    def nameless(part: Expression) -> Expression:
        return attrs.evolve(part, name=_variable(part.name)) if isinstance(part, Name) else part

    step = rewrite(item.step, nameless, bind=_variable)
    return format_statements(without_incidentals((step,), likely))


def _variable(name: str) -> str:
    return "found" if name.startswith("found ") else name
