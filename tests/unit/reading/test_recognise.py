"""Which format a line has, seen from the line."""

from __future__ import annotations

from typing import Any

import pytest

from memp.errors import TrajectoryFormatError
from memp.reading.fields import Fields, Place
from memp.reading.recognise import READERS, recognise


def sign(row: dict[str, Any]) -> str:
    """Return the format that is recognised in *row*."""
    return recognise(Fields(values=row, place=Place(path="runs.jsonl", line=9)))


@pytest.mark.parametrize(
    ("row", "format"),
    [
        ({"task": "t", "steps": []}, "rows"),
        ({"task": "t", "steps": "none"}, "rows"),
        ({"task": "t", "steps": [], "messages": [{"role": "user"}]}, "rows"),
        ({"messages": [{"role": "user", "content": "hi"}]}, "openai"),
        ({"messages": [{"role": "user", "content": "hi"}], "steps": 12}, "openai"),
        ({"messages": [{"role": "assistant", "content": "Action: a", "tool_calls": []}]}, "openai"),
        ({"traj": [{"role": "user", "content": "Action: a"}]}, "openai"),
        ({"messages": [{"role": "assistant", "content": "Action: a"}]}, "react"),
        ({"messages": [{"role": "assistant", "content": [{"type": "text", "text": "Action: a"}]}]}, "react"),
        ({"messages": [{"role": "assistant", "content": [7, {}]}]}, "openai"),
        ({"conversations": [{"from": "human", "value": "hi"}]}, "react"),
    ],
)
def test_the_signs(row: dict[str, Any], format: str) -> None:
    """Steps mean rows, tool calls mean openai, actions in words or from/value lists mean react."""
    assert sign(row) == format


@pytest.mark.parametrize("row", [{}, {"task": "t"}, {"query": "q", "plan": []}, {"messages": "hi"}, {"messages": []}])
def test_a_line_without_a_sign_is_refused(row: dict[str, Any]) -> None:
    """An object that is no run is named with what it has and what a run would have."""
    with pytest.raises(TrajectoryFormatError, match=r"runs\.jsonl:9: The object is not a run") as caught:
        sign(row)
    assert "'steps'" in caught.value.expected


def test_the_formats_have_their_names() -> None:
    """The names of the formats are what users type; they change with a release note, not in passing."""
    assert list(READERS) == ["rows", "openai", "react"]
