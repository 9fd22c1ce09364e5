"""
Passages that are safe for a template: those that a caller passes, and those of procedures that are served.

A procedure says the same until its revision or its evidence changes, and the same few hundred are served again and
again. So what is made here names what it is made of (``key``), and is made when a template looks into it: what a macro
once said of it need not be said again (``memp.rendering.sandbox``), and then its steps are never looked at. Keeping the
passages themselves was tried: thousands of small lists that live long cost the garbage collector what they saved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, cast, overload

from memp.errors import InvalidInputError
from memp.model import Content, Procedure, Trajectory
from memp.rendering.passages import EvidenceCounts, Line, Passage, as_code, outline_lines, run_lines, source_lines
from memp.rendering.plain import one_line
from memp.rendering.scripts import script_outline
from memp.script.toolset import Toolset

SAFE_TEXTS_KEPT: Final = 1 << 12
"""Texts of which the safe form is kept: the tasks and scripts of the few hundred procedures that are served again."""

# The tag that opens and closes the block, however it is spaced, and the special tokens of chat formats, which some
# servers read wherever they stand.
_MARKS = re.compile(r"<(?=[^A-Za-z<]*recalled|\|)", re.IGNORECASE)


class ReadyList(Sequence[Any]):
    """
    Safe values in a list that nobody changes, made when somebody looks into it.

    Args:
        content: What they are made of.

        key: Stands for what they say, as long as *content* is there.

        make: Makes them.
    """

    __slots__ = ("_made", "_make", "content", "key")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, content: Content, key: tuple[object, ...], make: Callable[[], list[Any]]) -> None:
        self.content = content
        self.key = key
        self._make = make
        self._made: list[Any] | None = None

    def _values(self) -> list[Any]:
        if self._made is None:
            self._made = self._make()
        return self._made

    @overload
    def __getitem__(self, place: int) -> Any: ...

    @overload
    def __getitem__(self, place: slice) -> list[Any]: ...

    def __getitem__(self, place: int | slice) -> Any:
        return self._values()[place]

    def __len__(self) -> int:
        return len(self._values())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values())

    def __eq__(self, other: object) -> bool:
        return self._values() == (other._values() if isinstance(other, ReadyList) else other)

    def __repr__(self) -> str:
        return repr(self._values())


class ReadyPassage(dict[str, Any]):
    """
    A passage of safe values that nobody changes.

    Args:
        content: What it is made of.

        key: Stands for what it says, as long as *content* is there.

        values: The passage.
    """

    __slots__ = ("content", "key")

    def __init__(self, content: Content, key: tuple[object, ...], values: dict[str, Any]) -> None:
        super().__init__(values)
        self.content = content
        self.key = key


def ready_passage(procedure: Procedure, toolset: Toolset | None) -> Passage:
    """
    Return what ``passage`` gives, made safe, for nobody to change.

    Args:
        procedure: As it stands in the view that is asked.

        toolset: The one that its script speaks; None if it is untyped, or has none.
    """
    revision = procedure.revision
    content, evidence, support = revision.content, procedure.evidence_of(revision), len(revision.sources)
    script, run = content.script, content.run
    # The object, and not what it says: comparing all its steps would take longer than rendering them.
    same = id(content)
    from_run = ReadyList(content, (same, "run"), lambda: _run_lines(run))
    if script is None:
        lines = from_run
        code = ReadyList(content, (same, "run as code"), lambda: _safe_list(as_code(run_lines(run))))
    else:
        outline = script_outline(toolset)
        lines = ReadyList(content, (same, toolset), lambda: _safe_list(outline_lines(outline(script))))
        code = ReadyList(content, (same, "code"), lambda: _safe_list(source_lines(script)))
    values = {
        "task": safe_text(one_line(content.task).strip()),
        "patterns": [safe_text(one_line(one).strip()) for one in content.patterns if one != content.task],
        "facts": [safe_text(one_line(fact).strip()) for fact in content.facts],
        "support": support,
        "evidence": EvidenceCounts(episodes=evidence.episodes, helped=evidence.helped),
        "lines": lines,
        "code": code,
        "example": [] if script is None or run is None else from_run,
        "shortened": False,
    }
    key = (same, toolset, support, evidence.episodes, evidence.helped)
    return cast(Passage, ReadyPassage(content, key, values))


def _run_lines(run: Trajectory | None) -> list[Line]:
    lines = run_lines(run)
    for line in lines:
        # They are on one line already, so that ASCII without a mark is safe.
        if not line["text"].isascii() or "<" in line["text"]:
            line["text"] = safe_text(line["text"])
        if not line["result"].isascii() or "<" in line["result"]:
            line["result"] = safe_text(line["result"])
    return lines


def _safe_list(values: Sequence[object]) -> list[Any]:
    return [_safe_value(value) for value in values]


@lru_cache(maxsize=SAFE_TEXTS_KEPT)
def safe_text(text: str) -> str:
    """Return *text* on one line, without control characters and without anything that reads as a mark of the block."""
    return _MARKS.sub("‹", one_line(text))


def safe_passage(passage: Passage) -> Passage:
    """
    Return *passage* with every text in it made safe; a ready one as it is.

    Raises:
        InvalidInputError: It holds more than plain values.
    """
    return cast(Passage, passage if isinstance(passage, ReadyPassage) else _safe_value(passage))


def _safe_value(value: object) -> object:
    if isinstance(value, str):
        return safe_text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return _safe_list(value)
    if isinstance(value, dict):
        return {str(key): _safe_value(item) for key, item in value.items()}
    raise InvalidInputError(f"A passage must hold texts, numbers, lists and dictionaries (got {value!r}).")
