"""
What of a run the task names: the places in the task's words that stand for the things its actions handle.

A name is recognised in the singular and plural, in any case, written together or apart ("dining table", "diningtable").
Only whole words count. Likeness of meaning does not: a wrong parameter is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from memp.retrieval.patterns import FUNCTION_WORDS, JOINED_WORDS_MAX, NAME_WORDS_MAX, pattern_words

TASK_WORDS_MAX = 400
"""Words of a task in which names are looked for: more is a document, and the search takes time for each word."""

_WORD = re.compile(r"[^\W_]+")


@attrs.frozen(order=True)
class Span:
    """
    A piece of the task.

    Attributes:
        start: First character, from 0.

        end: The character after the last.
    """

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Return whether the two share a character."""
        return self.start < other.end and other.start < self.end


class Mentions:
    """
    The phrases of a task, by what they may name.

    Args:
        task: The task in words.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        self._by_form: dict[str, list[Span]] = {}
        words = [
            (found.start(), found.end(), found.group().casefold())
            for found, _ in zip(_WORD.finditer(task), range(TASK_WORDS_MAX), strict=False)
        ]
        for length in range(1, NAME_WORDS_MAX + 1):
            for first in range(len(words) - length + 1):
                self._add(words[first : first + length])

    def _add(self, window: list[tuple[int, int, str]]) -> None:
        if window[0][2] in FUNCTION_WORDS or window[-1][2] in FUNCTION_WORDS or not self._is_whole(window):
            return
        joined = "".join(word for _, _, word in window)
        forms = pattern_words(joined) if len(window) <= JOINED_WORDS_MAX else {joined}
        for form in forms | {joined}:
            self._by_form.setdefault(form, []).append(Span(window[0][0], window[-1][1]))

    def _is_whole(self, window: list[tuple[int, int, str]]) -> bool:
        """Return whether no word goes on beyond the window, as "id" does in "user_id"."""
        start, end = window[0][0], window[-1][1]
        return self.task[start - 1 : start] != "_" and self.task[end : end + 1] != "_"

    def find(self, name: str) -> tuple[Span, ...]:
        """Return where the task says *name*, in the order of the task; a plural counts, part of a name does not."""
        words = [word.casefold() for word in _WORD.findall(name)]
        if not words or len(words) > NAME_WORDS_MAX or all(word in FUNCTION_WORDS for word in words):
            return ()
        joined = "".join(words)
        forms = pattern_words(joined) if len(words) <= JOINED_WORDS_MAX else {joined}
        return tuple(sorted({span for form in forms | {joined} for span in self._by_form.get(form, ())}))

    def find_exactly(self, name: str) -> tuple[Span, ...]:
        """Return where the task says *name* in the same words, whatever their case."""
        words = [word.casefold() for word in _WORD.findall(name)]
        return tuple(span for span in self.find(name) if self.words_at(span) == words)

    def words_at(self, span: Span) -> list[str]:
        """Return the words of *span*, in lower case."""
        return [word.casefold() for word in _WORD.findall(self.task[span.start : span.end])]


def without_overlaps(wanted: Iterable[tuple[Span, ...]]) -> dict[tuple[Span, ...], Span]:
    """
    Return one span for each of *wanted*, none of which overlaps another; longer names come first.

    Args:
        wanted: For each name, the spans that may stand for it.
    """
    chosen: dict[tuple[Span, ...], Span] = {}
    for spans in sorted(set(wanted), key=lambda spans: (spans[0].start - spans[0].end, spans)):
        for span in spans:
            if span in chosen.values() or not any(span.overlaps(other) for other in chosen.values()):
                chosen[spans] = span
                break
    return chosen


def phrases(text: str) -> list[tuple[int, int]]:
    """Return where the words of *text* start and end."""
    return [(found.start(), found.end()) for found in _WORD.finditer(text)]
