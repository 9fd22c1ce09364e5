"""
Stored text made harmless to show.

What an environment or a model once wrote is shown again in a terminal and in a prompt. An escape sequence can rewrite
what a terminal has shown, an invisible character can hide words from a person that a model still reads. Such
characters say nothing about a task, so they are taken out wherever stored text is shown; the stored text keeps them.
"""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(
    r"""
    (?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?                               # control sequences: colours, cursor
  | (?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?   # titles, links, private strings
  | \x1b[ -/]*[0-~]?                                                # all others
    """,
    re.VERBOSE,
)
_LINE_BREAKS = re.compile(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")

# Joiners shape letters in several scripts and hold emoji together, but between ASCII letters they only hide.
_IDLE_JOINERS = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_JOINERS = "\u200c\u200d"
_PLAIN_ASCII = re.compile(r"[ -~\n]*")


def plain_text(text: str) -> str:
    """
    Return *text* without what is not text.

    Taken out: escape sequences, control characters but the line feed, and invisible format characters (direction
    marks, zero-width spaces, tags). Every line break becomes a line feed, a tab four spaces, a lone surrogate the
    replacement character, so that the result can always be encoded.
    """
    # Most texts are one line of ASCII, which Python itself knows sooner than a regular expression.
    if (text.isascii() and text.isprintable()) or _PLAIN_ASCII.fullmatch(text):
        return text
    text = _LINE_BREAKS.sub("\n", _ESCAPES.sub("", text)).replace("\t", "    ")
    return _IDLE_JOINERS.sub("", "".join(_shown(character) for character in text))


def one_line(text: str) -> str:
    """Return *text* as ``plain_text`` does, on one line: every line break is a space."""
    return plain_text(text).replace("\n", " ")


def shortened(text: str, *, characters: int) -> str:
    """
    Return *text* on one line, each run of white space as one space, cut after a word where it is too long.

    Args:
        characters: How long at most, the ellipsis of a cut included; 2 or more.
    """
    line = " ".join((text if text.isascii() and text.isprintable() else plain_text(text)).split())
    if len(line) <= characters:
        return line
    head = line[: characters - 1]
    words, _, _ = head.rpartition(" ")
    # A single word that fills most of the space is cut inside rather than left out.
    return (words if len(words) > characters // 2 else head).rstrip() + "…"


def _shown(character: str) -> str:
    if character == "\n" or character in _JOINERS:
        return character
    category = unicodedata.category(character)
    if category in ("Cc", "Cf"):
        return ""
    return "\ufffd" if category == "Cs" else character
