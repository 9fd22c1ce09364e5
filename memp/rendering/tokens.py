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

_ASCII_TOKEN = re.compile(
    rf"[A-Za-z]{{1,{LETTERS_A_TOKEN}}}|[0-9]{{1,{DIGITS_A_TOKEN}}}|(?<= ) {{1,{SPACES_A_TOKEN}}}"
    r"|[\x00-\x1f!-/:-@\[-`{-\x7f]"
)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


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
        # One match is one token, so that the counting is the regular expression's: a prompt is counted for every task.
        tokens = len(_ASCII_TOKEN.findall(text))
        if not text.isascii():
            tokens += sum(
                max(1, len(letter.encode("utf-8", "surrogatepass")) - 1) for letter in _BEYOND_ASCII.findall(text)
            )
        return tokens
