"""A purge on disk: killed anywhere it leaves the old store or the new one, and a disk that fails leaves the old one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import memp
from memp.errors import StorageError
from memp.log import duckdb as duckdb_log
from memp.log import rewrite
from memp.log.files import StoreFiles, keep_copies

SECRET = "the code of the safe is 4711"

KILLER = """
import json, os, signal, shutil, sys
from pathlib import Path

import memp
import memp.memory

template, work, wanted = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])


def purge(folder, kill_at):
    # Counts what memp.log calls, and ends the process at one of these calls as if the power had been cut.
    seen = 0

    def count(frame, event, argument):
        nonlocal seen
        if "/memp/log/" in frame.f_code.co_filename.replace(os.sep, "/"):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    with memp.open(folder / "agent.duckdb") as memory:
        [wanted] = [p.id for p in memory.procedures() if "safe" in p.task]
        sys.setprofile(count)
        memory.purge(procedure_ids=[wanted], sources=True, reason="request 4711")
        sys.setprofile(None)
    return seen


def in_child(folder, kill_at):
    # A fork for each, because importing takes longer than a purge; this process itself never opens a database.
    shutil.copytree(template, folder)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, json.dumps(purge(folder, kill_at)).encode())
        os._exit(0)
    os.close(writing)
    said = os.read(reading, 100)
    os.close(reading)
    return os.WTERMSIG(os.waitpid(child, 0)[1]), json.loads(said or "0")


_, calls = in_child(work / "whole", 0)
killed = [in_child(work / str(n), 1 + n * (calls - 1) // (wanted - 1))[0] for n in range(wanted)]
print(json.dumps([calls, killed]))
"""
"""Purges a copy of a store again and again, each time killed a little later."""

POINTS = 12
"""At how many points a purge is killed; the calls of memp.log are some hundreds."""


def run(task: str) -> memp.Trajectory:
    """A run that was won."""
    return memp.Trajectory(task=task, steps=[memp.Step(action="look", observation="Done.")], reward=1.0)


def make_store(folder: Path) -> StoreFiles:
    """A store with a secret, kept copies, and the list of a backup."""
    folder.mkdir()
    with memp.open(folder / "agent.duckdb") as memory:
        memory.learn([run("put a hot mug in the cabinet"), run(SECRET)])
        memory.backup(folder.parent / "copy.duckdb")
    files = StoreFiles(folder / "agent.duckdb")
    keep_copies(files)
    return files


def holds_secret(folder: Path) -> bool:
    """Whether a file of the folder has the secret in plain sight; bodies this short are not compressed."""
    return any(SECRET.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_purge_that_is_killed_leaves_the_old_store_or_the_new_one(tmp_path: Path) -> None:
    """Laws 8 and 6: SIGKILL at points from the first call to the last, and each time the store is whole."""
    make_store(tmp_path / "template")
    assert holds_secret(tmp_path / "template")
    with memp.open(tmp_path / "template" / "agent.duckdb", read_only=True) as memory:
        before = memory.head()
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path / "template"), str(tmp_path), str(POINTS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    calls, killed = json.loads(done.stdout)
    assert calls > POINTS
    assert set(killed) == {9}
    old = new = 0
    for number in range(POINTS):
        folder = tmp_path / str(number)
        with memp.open(folder / "agent.duckdb") as memory:
            head, report = memory.head(), memory.verify(expect=before)
            names = [procedure.task for procedure in memory.procedures()]
        assert report.ok, report.problems
        if head == before:
            old += 1
            assert SECRET in names
        else:
            new += 1
            assert head.position == before.position + 1
            assert SECRET not in names
            assert not holds_secret(folder)
        assert not (folder / "agent.duckdb.new").exists(), "what never got its name is cleared away"
    assert old > 0
    assert new > 0


@pytest.mark.parametrize("step", ["write", "swap"])
def test_a_disk_that_fails_leaves_the_old_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Nothing is lost and nothing half-done: the memory goes on as before, and the purge can be repeated."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    folder = tmp_path / "store"
    make_store(folder)
    with memp.open(folder / "agent.duckdb") as memory:
        [wanted] = [procedure.id for procedure in memory.procedures() if procedure.task == SECRET]
        before, digest = memory.head(), memory.state_digest()
        if step == "write":
            monkeypatch.setattr(rewrite, "_sync", fail)
        else:
            monkeypatch.setattr(duckdb_log, "put_in_place", fail)
        with pytest.raises(StorageError, match="No space left") as caught:
            memory.purge(procedure_ids=[wanted], reason="request 4711")
        monkeypatch.undo()
        assert not caught.value.in_doubt
        assert (memory.head(), memory.state_digest()) == (before, digest)
        assert memory.verify().ok
        memory.learn([run("look at a book")])
        memory.purge(procedure_ids=[wanted], sources=True, reason="request 4711")
        assert memory.verify(expect=before).ok
    assert not holds_secret(folder)


def test_an_old_write_ahead_log_never_meets_the_new_file(tmp_path: Path) -> None:
    """If the closed store left one with something in it, the new file is not put in place."""
    files = make_store(tmp_path / "store")
    files.wal.write_bytes(b"events")
    shutil.copy(files.database, files.unfinished.database)
    with pytest.raises(memp.CorruptStoreError, match="still holds events"):
        rewrite.put_in_place(files)
    assert files.quarantine.is_dir(), "nothing was removed"


def test_a_copy_that_lacks_a_row_is_never_put_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written anew is counted before the old file is given up."""
    monkeypatch.setattr(rewrite, "_copy", lambda *_: None)
    folder = tmp_path / "store"
    make_store(folder)
    with memp.open(folder / "agent.duckdb") as memory:
        before = memory.head()
        with pytest.raises(StorageError, match="should have been copied"):
            memory.purge(procedure_ids=[memory.procedures()[0].id], reason="request 4711")
        assert memory.head() == before
        assert memory.verify().ok
