"""
What is wrong with a source text, told so that it can be put right: by a person, or by a model that wrote it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import attrs

from memp.errors import ScriptError
from memp.script.nodes import Span

MISTAKES_MAX = 50
"""How many mistakes are told: nobody reads more, and each may cost a search for a similar name."""

GUESS_CHARS_MAX = 60
"""Longest name for which a similar one is sought: the comparison is quadratic in the length."""

LINES_CHARS_MAX = 1_000_000
"""How much of a source is kept to show its lines: more than is ever read, less than would use up memory."""

SHOWN_CHARS_MAX = 160
"""Longest source line that is shown whole."""


@attrs.frozen(kw_only=True, order=False)
class Mistake:
    """
    One thing that is wrong.

    Attributes:
        path: The source as it was named.

        line: Line, from 1.

        column: Character in the line, from 1.

        message: What is wrong, as a sentence.

        source: The line as it stands in the source.

        expected: What would have been accepted; None if the message says it.

        suggestion: What was probably meant, as it would be written; None if nothing is near.
    """

    path: str
    line: int
    column: int
    message: str
    source: str = ""
    expected: str | None = None
    suggestion: str | None = None

    def __str__(self) -> str:
        first = max(0, self.column - SHOWN_CHARS_MAX // 2) if len(self.source) > SHOWN_CHARS_MAX else 0
        shown = self.source[first : first + SHOWN_CHARS_MAX].replace("\t", " ")
        lines = [f"{self.path}:{self.line}:{self.column}: {self.message}"]
        if shown.strip():
            lines += [f"    {shown}", f"    {' ' * (self.column - 1 - first)}^"]
        if self.expected is not None:
            lines.append(f"    expected: {self.expected}")
        if self.suggestion is not None:
            lines.append(f"    did you mean {self.suggestion!r}?")
        return "\n".join(lines)


class MistakeList:
    """
    Gathers the mistakes of one source.

    The readers go on after a mistake, so that all are told at once; what they could not read, they leave out.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.lines = text[:LINES_CHARS_MAX].split("\n")
        self._found: dict[tuple[int, int, str], Mistake] = {}

    def add(
        self,
        message: str,
        *,
        at: Span | None,
        expected: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        """Add a mistake; the same one at the same place counts once, and from ``MISTAKES_MAX`` on they are dropped."""
        line, column = (at.line, at.column) if at is not None else (1, 1)
        key = (line, column, message)
        if key in self._found or self.is_full:
            return
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        self._found[key] = Mistake(
            path=self.path,
            line=line,
            column=column,
            message=message,
            source=source,
            expected=expected,
            suggestion=suggestion,
        )

    @property
    def is_full(self) -> bool:
        """Whether as many were found as will be told."""
        return len(self._found) >= MISTAKES_MAX

    def __len__(self) -> int:
        return len(self._found)

    def raise_if_any(self) -> None:
        """
        Raise what was found.

        Raises:
            ScriptError: Something was; carries all mistakes in the order of the source.
        """
        if self._found:
            found: list[Mistake] = sorted(self._found.values(), key=lambda mistake: (mistake.line, mistake.column))
            raise ScriptError(found)


def guess(name: str, known: Iterable[str]) -> str | None:
    """Return the name in *known* that is most like *name*; None if none is."""
    if len(name) > GUESS_CHARS_MAX:
        return None
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return close[0] if close else None
