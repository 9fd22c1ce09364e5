"""
How long a text is to a model, behind a small port.

Every model counts in its own way, and their tokenizers are downloads of megabytes. The default therefore estimates,
and errs on the long side: a prompt that is a little shorter than it might be costs nothing, one that is too long
pushes something out of the model's context. Who needs the exact count passes a counter that asks the tokenizer.
"""

from __future__ import annotations

import re
from typing import Final, Protocol


class TokenCounter(Protocol):
    """
    Counts tokens.

    A prompt is measured whole and only then accepted, so a counter may count as it likes. One that counts more for a
    longer text lets as much through as fits; any other may cost procedures that would have fitted.

    Attributes:
        name: What it is called in reports, such as ``estimate``.
    """

    @property
    def name(self) -> str:
        """Return what it is called in reports."""
        ...

    def count(self, text: str) -> int:
        """Return the number of tokens of *text*, 0 or more; 0 for the empty text."""
        ...


LETTERS_A_TOKEN: Final = 4
"""ASCII letters of one word that make a token; most English words of up to six letters are a single one."""

DIGITS_A_TOKEN: Final = 2
"""Digits in a token: vocabularies take one to three at a time."""

SPACES_A_TOKEN: Final = 4
"""Blanks in a run, beyond the first (which belongs to the word behind it), that make a token."""

_LETTER: Final = b"a"
_DIGIT: Final = b"0"
_OTHER: Final = b"."
_FIRST: Final = b"|"
_GROUP: Final = b"#"


def _kind(byte: int) -> bytes:
    """
    Return what a byte of UTF-8 is.

    A character beyond ASCII begins with a byte that counts nothing and ends a word; those that go on are its tokens.
    """
    sign = bytes([byte])
    if byte >= 0xC0:
        return _FIRST
    if sign.isalpha():
        return _LETTER
    return _DIGIT if sign.isdigit() else sign if sign == b" " else _OTHER


_KINDS: Final = b"".join(map(_kind, range(256)))
_BLANKS = re.compile(rb"  +")


class EstimatedTokens:
    """
    Estimates from the characters of a text.

    A word counts one token for every four letters begun, a number one for every two digits begun, further blanks in a
    run one for every four begun, every other ASCII character one, and a character beyond ASCII its UTF-8 bytes less
    one. It was not compared with any tokenizer: pass a counter of your own where the exact number matters.
    """

    @property
    def name(self) -> str:
        """``estimate``."""
        return "estimate"

    def count(self, text: str) -> int:
        """Return the estimated number of tokens of *text*; never less for a longer text."""
        # Bytes are counted, each by what it is: a prompt is counted for every task, and a regular expression that
        # finds the tokens takes five times as long.
        kinds = text.encode("utf-8", "surrogatepass").translate(_KINDS)
        tokens = kinds.count(_OTHER) + _groups(kinds, _LETTER, LETTERS_A_TOKEN) + _groups(kinds, _DIGIT, DIGITS_A_TOKEN)
        return tokens + sum((len(run) - 2) // SPACES_A_TOKEN + 1 for run in _BLANKS.findall(kinds))


def _groups(kinds: bytes, one: bytes, size: int) -> int:
    """Return how many groups of at most *size* the runs of *one* make."""
    kinds = kinds.replace(one * size, _GROUP)
    # What is left of a run is shorter than a group, and becomes a single one.
    for length in range(size - 1, 1, -1):
        kinds = kinds.replace(one * length, one)
    return kinds.count(_GROUP) + kinds.count(one)
