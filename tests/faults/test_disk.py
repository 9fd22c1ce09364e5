"""Disks that are full, and disks whose writes fail: the truth is told, and what was acknowledged is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import memp
from memp.errors import StorageError
from memp.log.duckdb import DuckDBLog

from .children import event  # noqa: TID252
from .conftest import CHILDREN  # noqa: TID252

DISK_BYTES = 12_000_000
"""Room for an empty store and some hundred events."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory with little room; only root can make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(log: DuckDBLog) -> tuple[int, StorageError]:
    """Append until the disk is full, and return how many appends were acknowledged and what ended it."""
    acknowledged = 0
    while True:
        try:
            log.append([event(f"{acknowledged} " + "x" * 9_000)], actor="me")
        except StorageError as error:
            return acknowledged, error
        acknowledged += 1


def test_a_full_disk_takes_nothing_that_was_acknowledged(small_disk: Path, counts: Counter[str]) -> None:
    """The append that does not fit raises, reading goes on, and with room again so does writing, without reopening."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 3_000_000)
    log = DuckDBLog(small_disk / "agent.duckdb")
    acknowledged, error = fill(log)
    counts["acknowledged"] = acknowledged
    assert not error.in_doubt
    assert acknowledged > 100
    assert [record.position for record in log.read()] == [*range(1, acknowledged + 1)]
    ballast.unlink()
    log.recover()
    log.append([event("there is room again")], actor="me")
    log.close()
    log = DuckDBLog(small_disk / "agent.duckdb")
    assert log.head.position == acknowledged + 1
    assert log.verify().ok
    log.close()


def test_a_full_disk_leaves_the_old_snapshot(small_disk: Path) -> None:
    """The new one is not there by half, the old one serves, and closing the store says only that it takes longer."""
    path = small_disk / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn([memp.Trajectory(task="fold the map", steps=[memp.Step(action="fold map")], reward=1.0)])
        old = memory.snapshot()
        more = [
            memp.Trajectory(task=f"find {n} pens", steps=[memp.Step(action="x" * 4_000)], reward=1.0) for n in range(90)
        ]
        memory.learn(more)
        digest = memory.state_digest()
    room = shutil.disk_usage(small_disk).free
    (small_disk / "ballast").write_bytes(b"x" * (room - 300_000))
    with memp.open(path) as memory, pytest.raises(StorageError, match="could not be written"):
        memory.snapshot()
    assert [one.name for one in small_disk.glob("*.snapshot*")] == [old.path.name]
    with memp.open(path, read_only=True) as memory:
        assert memory.state_digest() == digest


def test_a_memory_on_a_full_disk_can_be_asked(small_disk: Path) -> None:
    """A memory whose disk is full answers as before, and is itself again once there is room."""
    ballast = small_disk / "ballast"
    runs = [
        memp.Trajectory(task=f"task {n}", steps=[memp.Step(action="x" * 30_000)], reward=1.0, task_id=str(n))
        for n in range(300)
    ]
    with memp.open(small_disk / "agent.duckdb") as memory:
        memory.learn(runs[:5])
        ballast.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 400_000))
        digest = memory.state_digest()
        with pytest.raises(StorageError):
            memory.learn(runs)
        assert memory.state_digest() == digest
        assert len(memory.retrieve("task 1")) == 3
        ballast.unlink()
        memory.learn(runs[:50])
        digest = memory.state_digest()
        assert memory.verify().ok
    with memp.open(small_disk / "agent.duckdb") as memory:
        assert memory.state_digest() == digest


def test_a_new_store_on_a_full_disk(small_disk: Path) -> None:
    """A store that could not be made is not there by half, and can be made once there is room."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (DISK_BYTES - 200_000))
    with pytest.raises(StorageError):
        DuckDBLog(small_disk / "agent.duckdb")
    ballast.unlink()
    log = DuckDBLog(small_disk / "agent.duckdb")
    log.append([event("first")], actor="me")
    log.close()


def can_inject() -> bool:
    """Whether strace is here and may trace."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


CALLS = ("fdatasync", "write", "pwrite64")
CASES = [(call, error, number) for call in CALLS for error in ("EIO", "ENOSPC") for number in range(1, 25)]
SHORT = [
    ("fdatasync", "EIO", 2),
    ("fdatasync", "EIO", 5),
    ("write", "ENOSPC", 2),
    ("pwrite64", "EIO", 2),
    ("pwrite64", "EIO", 9),
]


def test_writes_and_syncs_that_fail_are_told(tmp_path: Path, soak: bool, counts: Counter[str]) -> None:
    """
    Whichever system call on the files fails, once: nobody is told of an event that is not there afterwards, what is
    there was acknowledged or said to be in doubt, reading goes on, and the process lives.
    """
    if not can_inject():
        pytest.skip("strace is not here, or may not trace")
    for call, error, number in CASES if soak else SHORT:
        folder = tmp_path / f"{call}-{error}-{number}"
        folder.mkdir()
        inject(folder, call, error, number, counts)


def inject(folder: Path, call: str, error: str, number: int, counts: Counter[str]) -> None:
    store = folder / "agent.duckdb"
    log = DuckDBLog(store)
    log.append([event("before")], actor="me")
    log.close()
    paths = [part for suffix in ("", ".wal", ".witness", ".witness.tmp") for part in ("-P", f"{store}{suffix}")]
    trace = folder / "trace"
    command = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={call}", *paths]
    command += ["-e", f"inject={call}:error={error}:when={number}"]
    done = subprocess.run(
        [*command, sys.executable, CHILDREN, "bad-disk", store, "6"], capture_output=True, text=True, check=False
    )
    injected = trace.read_text().count("INJECTED")
    counts["failed calls"] += injected
    assert done.returncode == 0, f"{call} {error} {number}: {done.stderr}"
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert not [line for line in said if line[0] == "unread"], f"{call} {error} {number}: {said}"
    acknowledged = [line[1] for line in said if line[0] == "ack"]
    doubtful = [line[1] for line in said if line[0] == "doubt"]
    counts["acknowledged"] += len(acknowledged)
    counts["in doubt"] += len(doubtful)
    counts["refused"] += sum(line[0] in ("failed", "refused") for line in said)
    log = DuckDBLog(store)
    there = [json.loads(record.body or b"") for record in log.read()]
    assert there[0] == "before"
    assert [body for body in there[1:] if body not in doubtful] == acknowledged, f"{call} {error} {number}: {said}"
    assert log.verify().ok
    log.close()
