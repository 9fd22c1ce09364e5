"""Whatever bytes a file holds, reading it ends in runs or in errors that say where."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.errors import TrajectoryFormatError
from memp.reading import FORMATS, read_trajectories

if TYPE_CHECKING:
    from pathlib import Path

FIELD_NAMES = st.sampled_from(
    "task steps action observation thought reward success score task_id extra messages conversations traj role content "
    "from value type text tool_calls function_call function name arguments id tool_call_id model system".split()
)
WORDS = st.sampled_from(
    ["", " ", "user", "assistant", "human", "gpt", "tool", "system", "t-1", "Action: a", "Thought: b\nAction: c"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELD_NAMES, inner, max_size=5),
    max_leaves=25,
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"]), "content": WORDS},
    optional={
        "tool_calls": st.lists(
            st.fixed_dictionaries(
                {"id": WORDS, "function": st.fixed_dictionaries({"name": WORDS, "arguments": VALUES})}
            ),
            max_size=3,
        ),
        "tool_call_id": WORDS,
    },
)
ROWS = (
    VALUES
    | st.dictionaries(FIELD_NAMES, VALUES)
    | st.fixed_dictionaries({"messages": st.lists(MESSAGES, max_size=6)}, optional={"task": VALUES, "reward": VALUES})
    | st.fixed_dictionaries(
        {"task": WORDS, "steps": st.lists(st.fixed_dictionaries({"action": WORDS}, optional={"extra": VALUES}))}
    )
)
LINES = st.binary(max_size=60) | ROWS.map(lambda row: json.dumps(row).encode())
FILES = st.lists(LINES, max_size=4).map(b"\n".join)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one file that every example overwrites."""
    return tmp_path_factory.mktemp("reading") / "runs.jsonl"


def read_and_check(path: Path, data: bytes, format: str) -> None:
    """Read *data*; every run must be whole, and every error must name a line of the file."""
    path.write_bytes(data)
    bad: list[TrajectoryFormatError] = []
    for run in read_trajectories(path, format=format, on_bad_line=bad.append):
        assert run.task
        assert run.digest
    assert all(error.line >= 1 and error.path == str(path) and error.expected for error in bad)
    if bad:
        with pytest.raises(TrajectoryFormatError) as first:
            list(read_trajectories(path, format=format))
        assert (first.value.line, str(first.value)) == (bad[0].line, str(bad[0]))


@given(data=FILES, format=st.sampled_from(FORMATS))
def test_any_bytes_end_in_runs_or_clear_errors(path: Path, data: bytes, format: str) -> None:
    """No content of a file, in no format, raises anything but the error that names its line."""
    read_and_check(path, data, format)


@given(data=FILES, cut=st.integers(0, 200), flip=st.integers(0, 10_000))
def test_any_damage_to_gzip_ends_in_runs_or_clear_errors(path: Path, data: bytes, cut: int, flip: int) -> None:
    """A compressed file that was cut or has a flipped bit is read as far as it goes and then reported."""
    packed = bytearray(gzip.compress(data))
    packed[flip // 8 % len(packed)] ^= 1 << flip % 8
    read_and_check(path, bytes(packed[: max(0, len(packed) - cut)]), "auto")
