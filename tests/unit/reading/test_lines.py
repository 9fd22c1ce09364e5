"""Files, bytes and JSON: everything that can be wrong before a line is a run."""

from __future__ import annotations

import gzip
import json
import os
import threading
from typing import TYPE_CHECKING

import pytest

from memp.errors import InvalidInputError, NotFoundError, TrajectoryFormatError
from memp.reading import lines, read_trajectories

if TYPE_CHECKING:
    from pathlib import Path

GOOD = b'{"task": "water the fern", "steps": [{"action": "fill can"}], "reward": 1}'


def read_bytes(path: Path, data: bytes) -> list[str]:
    """Write *data* to *path* and return the tasks that are read from it."""
    path.write_bytes(data)
    return [run.task for run in read_trajectories(path)]


def first_error(path: Path, data: bytes) -> TrajectoryFormatError:
    """Write *data* to *path* and return the error that reading it raises."""
    with pytest.raises(TrajectoryFormatError) as caught:
        read_bytes(path, data)
    return caught.value


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        GOOD + b"\n",
        b"\xef\xbb\xbf" + GOOD,
        b"\n\n  \t\n" + GOOD + b"\r\n\r\n",
        gzip.compress(GOOD, mtime=0),
        gzip.compress(b"\xef\xbb\xbf" + GOOD + b"\n\n", mtime=0),
        gzip.compress(b"\n", mtime=0) + gzip.compress(GOOD, mtime=0),
    ],
    ids=["plain", "ended", "marked", "blanks", "gzip", "marked-gzip", "two-members"],
)
def test_every_wrapping_of_a_line_reads_the_same(tmp_path: Path, data: bytes) -> None:
    """Line ends, a byte order mark, blank lines and compression make no difference, whatever the file is called."""
    assert read_bytes(tmp_path / "runs.txt", data) == ["water the fern"]
    assert read_bytes(tmp_path / "runs.jsonl.gz", data) == ["water the fern"]


def test_an_empty_file_holds_no_runs(tmp_path: Path) -> None:
    """A file without lines is no mistake: nothing has been recorded yet."""
    assert read_bytes(tmp_path / "runs.jsonl", b"") == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"task: water the fern", "Not JSON"),
        (b'{"task": "water', "Not JSON"),
        (GOOD + GOOD, "Not JSON: Extra data"),
        (b"[" + GOOD + b"]", "a list of 1"),
        (b"3", "holds 3"),
        (b"null", "null"),
        (b'"water the fern"', "'water the fern'"),
        (b'{"task": "\xff"}', "not UTF-8"),
        (GOOD.decode().encode("utf-16"), "not UTF-8"),
        (b'{"task": "\\ud83d"}', "surrogate"),
        (b'{"task": "a", "steps": [], "reward": NaN}', "NaN is not JSON"),
        (b'{"task": "a", "steps": [], "reward": -Infinity}', "-Infinity is not JSON"),
        (b'{"task": "a", "steps": [], "reward": 1e999}', "too large"),
        (b'{"task": "a", "steps": [], "seed": ' + b"9" * 100_000 + b"}", "64 bits"),
        (b'{"task": "a", "steps": [], "seed": 18446744073709551616}', "64 bits"),
        (b'{"task": "a", "task": "b", "steps": []}', "'task' stands twice"),
        (b'{"task": "a", "steps": [{"action": "x", "action": "y"}]}', "'action' stands twice"),
        (b'{"task": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"task": ' + b"[" * 80 + b"]" * 80 + b"}", "nested too deeply"),
    ],
)
def test_what_is_no_object_is_refused_with_its_line(tmp_path: Path, data: bytes, said: str) -> None:
    """A line that is no storable JSON object raises an error that names file, line, fault and expectation."""
    path = tmp_path / "runs.jsonl"
    error = first_error(path, GOOD + b"\n\n" + data)
    assert said in str(error)
    assert (error.path, error.line) == (str(path), 3)
    assert str(error).startswith(f"{path}:3: ")
    assert error.expected
    assert len(str(error)) < len(str(path)) + 300


def test_large_whole_numbers_that_fit_are_kept(tmp_path: Path) -> None:
    """Whole numbers of up to 64 bits survive as they are."""
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps({"task": "a", "steps": [], "seed": 2**64 - 1, "low": -(2**63)}))
    (run,) = read_trajectories(path)
    assert run.extra == {"seed": 2**64 - 1, "low": -(2**63)}
    assert run.digest


def test_whole_surrogate_pairs_are_characters(tmp_path: Path) -> None:
    """An escaped character beyond the basic plane is read as that one character."""
    assert read_bytes(tmp_path / "runs.jsonl", b'{"task": "\\ud83c\\udf31", "steps": []}') == ["\U0001f331"]


def test_bad_lines_can_be_collected(tmp_path: Path) -> None:
    """With a callback reading goes on after a bad line, and the callback gets each error in order."""
    path = tmp_path / "runs.jsonl"
    path.write_bytes(b"\n".join([GOOD, b"{", GOOD, b"[]", GOOD]))
    bad: list[TrajectoryFormatError] = []
    assert len(list(read_trajectories(path, on_bad_line=bad.append))) == 3
    assert [error.line for error in bad] == [2, 4]


def test_a_truncated_gzip_gives_what_came_before(tmp_path: Path) -> None:
    """A gzip file that breaks off is one bad line at its end; the runs before it are read."""
    path = tmp_path / "runs.jsonl.gz"
    rows = [{"task": f"task {number}", "steps": [], "noise": os.urandom(64).hex()} for number in range(500)]
    whole = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    path.write_bytes(whole[: len(whole) // 2])
    bad: list[TrajectoryFormatError] = []
    runs = list(read_trajectories(path, on_bad_line=bad.append))
    assert 0 < len(runs) < 500
    assert [error.line for error in bad] == [len(runs) + 1]
    assert "gzip" in str(bad[0])


@pytest.mark.parametrize("damage", [b"\x1f\x8b", b"\x1f\x8b\x08\x00garbage", gzip.compress(GOOD, mtime=0) + b"tail"])
def test_a_damaged_gzip_is_a_bad_line(tmp_path: Path, damage: bytes) -> None:
    """Whatever starts like gzip and is none, or goes on as something else, is reported as damaged data."""
    assert "gzip" in str(first_error(tmp_path / "runs.gz", damage))


def test_a_flipped_bit_in_gzip_is_noticed(tmp_path: Path) -> None:
    """The checksum of the compressed data is checked."""
    data = bytearray(gzip.compress(GOOD * 50))
    data[-8] ^= 1
    assert "gzip" in str(first_error(tmp_path / "runs.gz", bytes(data)))


def test_a_line_without_end_is_refused_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line over the limit is one bad line, and the next one is read."""
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 200)
    path = tmp_path / "runs.jsonl"
    path.write_bytes(GOOD + b"\n" + b"x" * 1000 + b"\n" + GOOD)
    bad: list[TrajectoryFormatError] = []
    assert len(list(read_trajectories(path, on_bad_line=bad.append))) == 2
    assert [error.line for error in bad] == [2]
    assert "too long" in str(bad[0])


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    """The call itself, before any line is asked for, says that there is no such file."""
    with pytest.raises(NotFoundError, match="no file"):
        read_trajectories(tmp_path / "nowhere.jsonl")
    (tmp_path / "file").touch()
    with pytest.raises(NotFoundError, match="no file"):
        read_trajectories(tmp_path / "file" / "below")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    """A directory is refused with the advice to name the files in it."""
    with pytest.raises(InvalidInputError, match="is a directory"):
        read_trajectories(tmp_path)


def test_an_impossible_name_is_refused() -> None:
    """A name that no file can have is a mistake of the caller."""
    with pytest.raises(InvalidInputError, match="cannot be used"):
        read_trajectories("runs\0.jsonl")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_trajectories("r" * 5000)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    """The formats that there are stand in the message."""
    with pytest.raises(InvalidInputError, match="'auto', 'rows', 'openai', 'react'"):
        read_trajectories(tmp_path, format="csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a thing of POSIX systems")
def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    """A named pipe works: it is opened a single time."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(gzip.compress(GOOD),))
    writer.start()
    assert [run.task for run in read_trajectories(path)] == ["water the fern"]
    writer.join()


def test_an_abandoned_iterator_leaves_no_open_file(tmp_path: Path) -> None:
    """Lines are read lazily, and closing the iterator closes the file without a word."""
    path = tmp_path / "runs.jsonl"
    path.write_bytes(GOOD + b"\n" + b"{")
    runs = read_trajectories(path)
    assert next(runs).task == "water the fern"
    del runs
