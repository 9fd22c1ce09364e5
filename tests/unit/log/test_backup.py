"""Copies that open like any store, and putting one in the place of a store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from memp.errors import CorruptStoreError, InvalidInputError, StoreLockedError, StoreNotFoundError, TailLostError
from memp.log import verify_store
from memp.log.backup import restore_backup
from memp.log.duckdb import DuckDBLog
from memp.log.files import StoreFiles
from memp.log.lock import StoreLock
from memp.log.memory import MemoryLog
from memp.log.witness import read_witness

from .conftest import Crashed, event, numbers  # noqa: TID252

FOREIGN = "import duckdb, sys; duckdb.connect(sys.argv[1])"


def contents(path: Path) -> list[int]:
    log = DuckDBLog(path, read_only=True)
    found = numbers(log)
    log.close()
    return found


@pytest.mark.parametrize("read_only", [False, True])
def test_a_copy_of_an_open_store_is_whole(crashed: Crashed, tmp_path: Path, read_only: bool) -> None:
    """What is still in the write-ahead log is in the copy too, and the copy is written like any store."""
    files, heads = crashed()
    log = DuckDBLog(files.database, read_only=read_only)
    copy = tmp_path / "copy.duckdb"
    assert log.backup(copy) == heads[-1]
    log.close()
    assert contents(copy) == [*range(7)]
    assert read_witness(StoreFiles(copy).witness).newest == read_witness(files.witness).newest
    other = DuckDBLog(copy)
    other.append([event(7)], actor="me")
    other.close()
    assert contents(files.database) == [*range(7)]


def test_copying_leaves_the_lock_of_duckdb_alone(crashed: Crashed, tmp_path: Path) -> None:
    """Closing a descriptor of the file would let a process in that does not know of memp's lock."""
    files, _ = crashed()
    log = DuckDBLog(files.database)
    log.backup(tmp_path / "one.duckdb")
    log.backup(tmp_path / "two.duckdb")
    done = subprocess.run(
        [sys.executable, "-c", FOREIGN, str(files.database)], capture_output=True, text=True, check=False
    )
    assert "Could not set lock" in done.stderr
    log.close()


def test_a_copy_replaces_nothing(crashed: Crashed, tmp_path: Path) -> None:
    """A backup never overwrites a file, and needs a folder."""
    files, _ = crashed()
    log = DuckDBLog(files.database)
    there = tmp_path / "there.duckdb"
    there.write_text("mine")
    for path in (there, files.database, tmp_path / "no" / "folder.duckdb"):
        with pytest.raises(InvalidInputError):
            log.backup(path)
    assert there.read_text() == "mine"
    log.close()
    with pytest.raises(InvalidInputError, match="memory"):
        MemoryLog().backup(there)


def test_restoring_keeps_what_stood_there(crashed: Crashed, tmp_path: Path) -> None:
    """The store is the copy from then on; the old files, write-ahead log included, are in quarantine."""
    files, heads = crashed(closed=3, tail=0)
    log = DuckDBLog(files.database)
    copy = tmp_path / "copy.duckdb"
    log.backup(copy)
    log.append([event(3)], actor="me")
    log.close()
    files.wal.write_bytes(b"damaged")
    done = restore_backup(copy, files.database)
    assert (done.head, done.before and done.before.position) == (heads[3], 4)
    assert done.quarantine is not None
    assert sorted(p.name for p in done.quarantine.iterdir()) == [
        "agent.duckdb",
        "agent.duckdb.wal",
        "agent.duckdb.witness",
    ]
    assert contents(files.database) == [0, 1, 2]
    log = DuckDBLog(files.database)
    log.append([event(9)], actor="me")
    log.close()
    assert contents(copy) == [0, 1, 2]


def test_restoring_a_copy_with_a_write_ahead_log(crashed: Crashed, tmp_path: Path) -> None:
    """A store that was killed is a good copy too, as long as its files are together."""
    files, heads = crashed()
    target = tmp_path / "new.duckdb"
    assert restore_backup(files.database, target).quarantine is None
    assert contents(target) == [*range(7)]
    assert restore_backup(files.database, target).before == heads[-1]


def test_an_interrupted_restore_is_noticed_or_done(
    crashed: Crashed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever file operation is the last one, the store refuses to be written or is one of both; again finishes it."""
    files, _ = crashed(closed=3, tail=0)
    copy = tmp_path / "copy.duckdb"
    log = DuckDBLog(files.database)
    log.backup(copy)
    log.append([event(3)], actor="me")
    log.close()
    import memp.log.backup as module

    class PowerLostError(Exception):
        pass

    outcomes = set()
    for survived in range(6):
        left = [survived]

        def counted(real: object, left: list[int] = left) -> object:
            def call(*arguments: object, **more: object) -> object:
                if left[0] == 0:
                    raise PowerLostError
                left[0] -= 1
                return real(*arguments, **more)  # type: ignore[operator]

            return call

        with monkeypatch.context() as patch:
            for name in ("keep_copies", "copy_durably", "sync_folder", "make_witness"):
                patch.setattr(module, name, counted(getattr(module, name)))
            try:
                restore_backup(copy, files.database)
                outcomes.add("done")
            except PowerLostError:
                try:
                    log = DuckDBLog(files.database)
                    outcomes.add("old" if len(numbers(log)) == 4 else "new")
                    log.close()
                except TailLostError:
                    outcomes.add("noticed")
        assert restore_backup(copy, files.database).head.position == 3
        assert contents(files.database) == [0, 1, 2]
        log = DuckDBLog(files.database)
        log.append([event(3)], actor="me")
        log.close()
    assert outcomes == {"old", "noticed", "done"}


def test_a_bad_copy_changes_nothing(crashed: Crashed, tmp_path: Path) -> None:
    """A copy that is missing, damaged, without its witness, the store itself, or in use is refused first."""
    files, _ = crashed()
    before = files.database.read_bytes()
    other, _ = crashed(name="other")
    with pytest.raises(StoreNotFoundError):
        restore_backup(tmp_path / "none.duckdb", files.database)
    with pytest.raises(InvalidInputError, match="itself"):
        restore_backup(files.database, files.database)
    with pytest.raises(InvalidInputError, match="folder"):
        restore_backup(other.database, tmp_path / "none" / "agent.duckdb")
    lock = StoreLock(other, shared=False, now=0)
    with pytest.raises(StoreLockedError):
        restore_backup(other.database, files.database)
    lock.release()
    other.wal.unlink()
    with pytest.raises(CorruptStoreError, match="not whole"):
        restore_backup(other.database, files.database)
    other.witness.unlink()
    with pytest.raises(CorruptStoreError, match="witness"):
        restore_backup(other.database, files.database)
    other.database.write_bytes(b"damaged" * 1000)
    with pytest.raises(CorruptStoreError):
        restore_backup(other.database, files.database)
    assert files.database.read_bytes() == before
    assert not files.quarantine.exists()
    # The vectors of this store are named by no body; nothing else is the matter.
    assert {problem.what for problem in verify_store(files.database).problems} == {"vector"}
