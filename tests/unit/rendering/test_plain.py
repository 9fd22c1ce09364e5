"""What is taken out of stored text before somebody sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.rendering import one_line, plain_text, shortened


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("plain ASCII stays", "plain ASCII stays"),
        ("ünïcödé, 漢字 and 👩‍🚀 stay", "ünïcödé, 漢字 and 👩‍🚀 stay"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;new title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jcleared", "cleared"),
        ("\x1bc reset", " reset"),
        ("a\x00b\x08c\x7fd", "abcd"),
        ("one\r\ntwo\rthree\u2028four\x85five", "one\ntwo\nthree\nfour\nfive"),
        ("tab\tstop", "tab    stop"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("hid\u200dden", "hidden"),
        ("tag\U000e0041ged", "tagged"),
        ("lone \ud800", "lone \ufffd"),
    ],
)
def test_what_is_no_text_goes(stored: str, shown: str) -> None:
    """Escape sequences, controls and invisible characters go; letters of every script stay."""
    assert plain_text(stored) == shown


@given(st.text(st.characters()))
def test_the_result_is_printable_and_stable(text: str) -> None:
    """Whatever came, the result can be encoded, holds no control but the line feed, and does not change again."""
    plain = plain_text(text)
    plain.encode()
    assert all(character == "\n" or character >= " " for character in plain)
    assert "\x7f" not in plain
    assert plain_text(plain) == plain
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("fits", "fits"),
        ("  a \n  blank ", "a blank"),
        ("one two three four", "one two…"),
        ("unbreakableword", "unbreaka…"),
        ("a unbreakableword", "a unbrea…"),
    ],
)
def test_shortening_cuts_after_a_word(text: str, short: str) -> None:
    """A long text ends after a word with an ellipsis; a single long word is cut inside."""
    assert shortened(text, characters=9) == short


@given(st.text(), st.integers(2, 30))
def test_shortening_keeps_its_word(text: str, characters: int) -> None:
    """The result is one line and never longer than was asked for."""
    short = shortened(text, characters=characters)
    assert len(short) <= characters
    assert "\n" not in short
