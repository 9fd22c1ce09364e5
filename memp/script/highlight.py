"""
The tokens of a source with what they are, for colours in a terminal or on a page.

Pure: it says what each piece is and leaves the colours to whoever prints, apart from one plain table for terminals.
It takes any text, with mistakes too, because what has mistakes is what people look at.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable

import attrs

from memp.script.source import TOKEN, normalise_text
from memp.script.toolset import DECLARATION_WORDS, STATEMENT_WORDS, Action, Condition, Finder, Toolset

TERMINAL_STYLES = {
    "keyword": "35",
    "statement": "1;35",
    "action": "34",
    "condition": "36",
    "finder": "1;36",
    "type": "33",
    "text": "32",
    "number": "33",
    "comment": "2",
    "decorator": "1;33",
}
"""Kind of token to the numbers of a terminal's colour sequence; other kinds are plain."""

_TYPES = frozenset({"Text", "Number", "Bool", "list", "Literal"})


@attrs.frozen
class Token:
    """
    A piece of a source.

    Attributes:
        kind: ``keyword``, ``statement`` (a word of the language), ``action``, ``condition``, ``finder``, ``type``,
            ``text``, ``number``, ``comment``,
            ``decorator``, ``name``, ``space`` or ``sign``.

        text: As it stands in the source.
    """

    kind: str
    text: str


def highlight(text: str, toolset: Toolset | None = None) -> tuple[Token, ...]:
    """
    Return the tokens of *text*; put together they are *text* with ``\\n`` line ends.

    Args:
        text: A script or a toolset; may have mistakes.

        toolset: Tells actions, conditions and finders apart; None: they are names.
    """
    tokens: list[Token] = []
    before = ""
    for found in TOKEN.finditer(normalise_text(text)):
        kind = _kind(found.lastgroup or "other", found.group(0), before, toolset)
        if tokens and kind == tokens[-1].kind and kind in ("space", "decorator"):
            tokens[-1] = Token(kind, tokens[-1].text + found.group(0))
        else:
            tokens.append(Token(kind, found.group(0)))
        before = found.group(0)
    return tuple(tokens)


def _kind(group: str, text: str, before: str, toolset: Toolset | None) -> str:
    match group:
        case "string":
            return "text"
        case "comment":
            return "comment"
        case "space" | "newline":
            return "space"
        case "word":
            return _word_kind(text, before, toolset)
        case _:
            return "decorator" if text == "@" else "sign"


def _word_kind(word: str, before: str, toolset: Toolset | None) -> str:
    if before == "@":
        return "decorator"
    if word[0].isdigit():
        return "number"
    if keyword.iskeyword(word):
        return "keyword"
    if word in STATEMENT_WORDS or word in DECLARATION_WORDS:
        return "statement"
    if word in _TYPES or (toolset is not None and toolset.find_class(word) is not None):
        return "type"
    match None if toolset is None else toolset.find_entry(word):
        case Action():
            return "action"
        case Condition():
            return "condition"
        case Finder():
            return "finder"
        case None:
            return "name"


def to_terminal(tokens: Iterable[Token]) -> str:
    """Return *tokens* as text with the colour sequences of a terminal."""
    pieces = []
    for token in tokens:
        style = TERMINAL_STYLES.get(token.kind)
        pieces.append(token.text if style is None else f"\x1b[{style}m{token.text}\x1b[0m")
    return "".join(pieces)
