"""The estimate of a prompt's length."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.rendering import EstimatedTokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("mug", 1),
        ("countertop", 3),
        ("put a hot mug", 4),
        ("2024", 2),
        ("go to fridge 1.\n", 7),
        ("    deep", 2),
        ("{}", 2),
        ("é", 1),
        ("漢字", 4),
        ("🙂", 3),
        ("\ud800", 2),
    ],
)
def test_pieces_are_counted_as_documented(text: str, tokens: int) -> None:
    """Words, numbers, blanks, signs and characters beyond ASCII count what the class says."""
    assert EstimatedTokens().count(text) == tokens


@given(st.text(), st.text())
def test_longer_texts_never_count_less(text: str, more: str) -> None:
    """Adding to a text never lowers its count, so that leaving out always helps."""
    count = EstimatedTokens().count
    assert count(text + more) >= count(text)


@given(st.text(alphabet=st.one_of(st.sampled_from("  aaZ09.-\n\x7f{é漢🙂\ud800"), st.characters())))
def test_the_count_is_that_of_the_rule(text: str) -> None:
    """Counting bytes by their kind comes to what finding each token by its form does."""
    found = re.findall(r"[A-Za-z]{1,4}|[0-9]{1,2}|(?<= ) {1,4}|[\x00-\x1f!-/:-@\[-`{-\x7f]", text)
    beyond = [letter for letter in text if not letter.isascii()]
    expected = len(found) + sum(max(1, len(letter.encode("utf-8", "surrogatepass")) - 1) for letter in beyond)
    assert EstimatedTokens().count(text) == expected
