"""Containers: what was written or nothing, whatever happened to the file."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from memp.errors import StorageError
from memp.index.container import MAGIC, Body, Container, Reason, Refused, read_container, write_container

BODY = bytes(range(256)) * 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a container with a body of 512 bytes."""
    path = tmp_path / "thing"
    write_container(path, {"log_id": "one", "position": 7}, BODY, kind="index")
    return path


def reason(path: Path, **expect: object) -> Reason | None:
    found = read_container(path, kind="index", expect=expect)
    return found.reason if isinstance(found, Refused) else None


@pytest.mark.parametrize("body", [BODY, memoryview(BODY), (BODY[:100], b"", memoryview(BODY)[100:]), io.BytesIO(BODY)])
def test_what_was_written_is_read(tmp_path: Path, body: Body) -> None:
    """Header and body come back as they were, from bytes, from pieces and from a file; nothing else is left behind."""
    write_container(tmp_path / "thing", {"log_id": "one", "list": [1, None, "ä"]}, body, kind="index")
    found = read_container(tmp_path / "thing", kind="index", expect={"log_id": "one"})
    assert isinstance(found, Container)
    assert (found.header, bytes(found.body)) == ({"log_id": "one", "list": [1, None, "ä"]}, BODY)
    assert os.listdir(tmp_path) == ["thing"]


def test_an_empty_body_is_a_body(tmp_path: Path) -> None:
    """A container may hold a header alone."""
    write_container(tmp_path / "thing", {}, b"", kind="index")
    found = read_container(tmp_path / "thing", kind="index")
    assert isinstance(found, Container)
    assert len(found.body) == 0


def test_every_changed_byte_is_noticed(path: Path) -> None:
    """A flip of any bit of any byte is refused, and nothing is raised."""
    good = path.read_bytes()
    for place in range(len(good)):
        for bit in range(8):
            path.write_bytes(good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :])
            assert reason(path) in (Reason.DAMAGED, Reason.NEWER), f"bit {bit} of byte {place}"
            assert reason(path) is Reason.DAMAGED or len(MAGIC) <= place < len(MAGIC) + 4


def test_every_other_length_is_noticed(path: Path) -> None:
    """A file that was cut anywhere, or has something behind its end, is refused."""
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        assert reason(path) is Reason.DAMAGED, length
    path.write_bytes(good + b"\0")
    assert reason(path) is Reason.DAMAGED


def test_a_newer_form_is_told_apart(path: Path) -> None:
    """A file of a form that this version does not know is not called damaged."""
    good = bytearray(path.read_bytes())
    good[len(MAGIC)] = 9
    path.write_bytes(good)
    found = read_container(path, kind="index")
    assert isinstance(found, Refused)
    assert found.reason is Reason.NEWER
    assert "newer version of memp (form 9, this version knows 1)" in found.detail


def test_a_container_of_something_else_is_told_apart(path: Path) -> None:
    """Another kind, log or position is named, with what was expected."""
    assert reason(path, log_id="one", position=7) is None
    assert reason(path, log_id="two") is Reason.FOREIGN
    assert reason(path, branch="main") is Reason.FOREIGN
    found = read_container(path, kind="snapshot")
    assert isinstance(found, Refused)
    assert found.detail.endswith("is of something else: 'kind' is 'index', expected 'snapshot'.")


def test_no_file_is_no_container(tmp_path: Path) -> None:
    """A file that is not there is missing; a folder in its place cannot be read."""
    assert reason(tmp_path / "thing") is Reason.MISSING
    assert reason(tmp_path) is Reason.DAMAGED


@pytest.mark.parametrize(("owner", "call"), [(os, "fsync"), (Path, "replace")])
def test_a_disk_that_fails_leaves_the_old_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, call: str
) -> None:
    """When syncing or renaming fails, the older container is untouched and no half of a new one stays."""

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(owner, call, fail)
    good = path.read_bytes()
    with pytest.raises(StorageError, match=r"could not be written: .*Input/output error"):
        write_container(path, {}, b"new", kind="index")
    assert path.read_bytes() == good
    assert os.listdir(path.parent) == ["thing"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    """A container cannot be written where there is no folder, and that is told."""
    with pytest.raises(StorageError, match="No such file or directory"):
        write_container(tmp_path / "none" / "thing", {}, b"new", kind="index")


def test_a_full_disk_leaves_the_old_one(path: Path) -> None:
    """A process that may write no more than 4 kB fails to write 64, and says so; the older container is untouched."""
    code = """
import sys
from pathlib import Path
from memp.errors import StorageError
from memp.index.container import write_container
try:
    write_container(Path(sys.argv[1]), {}, bytes(65536), kind="index")
except StorageError as error:
    print(error)
"""
    good = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert "could not be written: [Errno 27] File too large" in done.stdout
    assert path.read_bytes() == good
    assert os.listdir(path.parent) == ["thing"]


def test_a_rest_of_an_older_attempt_is_no_obstacle(path: Path) -> None:
    """What a killed process left half-written is overwritten by the next one."""
    path.with_name("thing.writing").write_bytes(b"half")
    write_container(path, {}, b"new", kind="index")
    assert reason(path) is None
    assert os.listdir(path.parent) == ["thing"]
