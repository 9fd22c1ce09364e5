"""The lock: who may have a store open, and what the others are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import memp
from memp.errors import StorageError, StoreLockedError
from memp.log.files import StoreFiles
from memp.log.lock import StoreLock, read_holder

NOON = 1_700_000_000_000_000

HOLD = """
import sys, memp
with memp.open(sys.argv[1], read_only=sys.argv[2] == "read") as memory:
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def files(tmp_path: Path) -> StoreFiles:
    return StoreFiles(tmp_path / "agent.duckdb")


def test_it_says_who_holds_it(files: StoreFiles) -> None:
    """The file names process, machine and time, and is gone afterwards."""
    lock = StoreLock(files, shared=False, now=NOON)
    holder = read_holder(files.lock)
    assert holder is not None
    assert (holder.pid, holder.since, holder.writing) == (os.getpid(), "2023-11-14 22:13:20 UTC", True)
    with pytest.raises(StoreLockedError, match="in this process") as caught:
        StoreLock(files, shared=True, now=NOON)
    assert (caught.value.pid, caught.value.host) == (holder.pid, holder.host)
    lock.release()
    lock.release()
    assert not files.lock.exists()
    StoreLock(files, shared=False, now=NOON).release()


def test_readers_share_and_keep_a_writer_out(files: StoreFiles) -> None:
    """Several may read; a writer waits for all of them to go."""
    one, other = (StoreLock(files, shared=True, now=NOON) for _ in range(2))
    for reader in (one, other):
        with pytest.raises(StoreLockedError, match="reading since"):
            StoreLock(files, shared=False, now=NOON)
        reader.release()
    StoreLock(files, shared=False, now=NOON).release()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff"])
def test_a_lock_file_that_says_nothing_still_locks(files: StoreFiles, content: bytes) -> None:
    """What stands in the file is for people; the lock is the system's."""
    lock = StoreLock(files, shared=False, now=NOON)
    files.lock.write_bytes(content)
    with pytest.raises(StoreLockedError, match="by whom is not known"):
        StoreLock(files, shared=False, now=NOON)
    lock.release()


def test_a_file_that_was_left_behind_locks_nobody_out(files: StoreFiles) -> None:
    """A crash leaves the file; the next opening takes it over."""
    files.lock.write_text('{"pid": 1, "host": "elsewhere", "since": "long ago", "writing": true}')
    lock = StoreLock(files, shared=False, now=NOON)
    assert f'"pid": {os.getpid()}' in files.lock.read_text()
    lock.release()


def test_a_folder_that_nobody_can_write_to(tmp_path: Path) -> None:
    """There a reader needs no lock, and a writer is told."""
    files = StoreFiles(tmp_path / "none" / "agent.duckdb")
    StoreLock(files, shared=True, now=NOON).release()
    with pytest.raises(StorageError, match="cannot be made"):
        StoreLock(files, shared=False, now=NOON)


def test_a_forked_child_does_not_keep_the_lock(files: StoreFiles) -> None:
    """A child that lives on after its parent closed the store keeps nobody out."""
    lock = StoreLock(files, shared=False, now=NOON)
    child = os.fork()
    if child == 0:
        signal.pause()
    lock.release()
    StoreLock(files, shared=False, now=NOON).release()
    assert os.waitpid(child, os.WNOHANG) == (0, 0)  # it lived on meanwhile
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.mark.parametrize("mode", ["write", "read"])
def test_a_second_process_is_told_who_the_first_is(tmp_path: Path, mode: str) -> None:
    """The error names process, machine and time; after SIGKILL the store opens at once."""
    path = tmp_path / "agent.duckdb"
    memp.open(path).close()
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(StoreLockedError, match=r"memory\.backup") as caught:
            memp.open(path)
        assert caught.value.pid == first.pid
        assert caught.value.since is not None
        if mode == "write":
            with pytest.raises(StoreLockedError):
                memp.open(path, read_only=True)
        else:
            memp.open(path, read_only=True).close()
        first.kill()
        first.wait()
        memp.open(path).close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["agent.duckdb", "agent.duckdb.witness"]
