"""The estimate of a prompt's length."""

from __future__ import annotations

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
