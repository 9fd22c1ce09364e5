"""Which snapshot is used, when one is written, and what becomes of the others."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import memp
from memp.errors import StorageError
from memp.index.container import Container, read_container, write_container
from memp.snapshot import keeping


def run(task: str, action: str = "take mug 1") -> memp.Trajectory:
    """A recorded run that won."""
    return memp.Trajectory(task=task, steps=[memp.Step(action=action)], reward=1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a snapshot at its end."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn([run("fold the map"), run("pitch the tent")])
        memory.snapshot()
    return path


def snapshots(path: Path) -> list[str]:
    """The names of the snapshots beside a store."""
    return sorted(one.name for one in path.parent.glob("*.snapshot*"))


def used(memory: memp.Memory) -> int:
    """The position of the snapshot that the memory went on from; 0 without one."""
    assert memory._store._snapshots is not None
    return memory._store._snapshots._position


def reopened(path: Path, **options: Any) -> tuple[int, str]:
    """Open a store; where it went on from, and its state."""
    with memp.open(path, **options) as memory:
        return used(memory), memory.state_digest()


def rewritten(path: Path, **said: Any) -> None:
    """Write the snapshot at *path* again, whole, with something else in its header."""
    found = read_container(path, kind="snapshot")
    assert isinstance(found, Container)
    write_container(path, {**found.header, **said}, found.body, kind="snapshot")


@contextmanager
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A snapshot is due after ten events."""
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "EVENTS_MIN", 10)
        yield


def test_opening_goes_on_from_a_snapshot(path: Path) -> None:
    """What came since is folded, and for reading too."""
    with memp.open(path) as memory:
        assert used(memory) == memory.position == 5
        memory.learn([run("sharpen the axe")])
        digest = memory.state_digest()
    assert reopened(path, read_only=True) == (5, digest)
    for file in path.parent.glob("*.snapshot"):
        file.unlink()
    assert reopened(path) == (0, digest)


def test_the_one_before_is_kept_for_the_day_the_newest_is_damaged(path: Path) -> None:
    """A third takes the place of the first; a damaged one is told of, and the one before it serves."""
    for number in range(2):
        with memp.open(path) as memory:
            memory.learn([run(f"find {number} pens")])
            memory.snapshot()
            digest = memory.state_digest()
    first, second = snapshots(path)
    assert (first, second) == ("agent.duckdb.7.snapshot", "agent.duckdb.9.snapshot")
    newest = path.with_name(second)
    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.warns(RuntimeWarning, match=r"9\.snapshot.* is damaged.*read from its log"):
        assert reopened(path) == (7, digest)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"form": keeping.FORM + 1}, "newer version"),
        ({"projection": keeping.PROJECTION + 1}, "newer version"),
        ({"log_id": "another"}, "something else"),
        ({"digest": "00" * 32}, "another past"),
        ({"position": 99}, "the log ends at 5"),
        ({"vector_bytes": 8}, "cannot be read"),
        ({"projection": keeping.PROJECTION - 1}, None),
        ({"classes": "as they were"}, None),
        ({"version": "0.0.1"}, None),
    ],
)
def test_what_does_not_belong_here_is_left_alone(path: Path, said: dict[str, Any], told: str | None) -> None:
    """Newer, foreign or of another past: with a warning; merely out of date: without a word. The answer is the same."""
    digest = reopened(path)[1]
    rewritten(path.with_name("agent.duckdb.5.snapshot"), **said)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert reopened(path) == (0, digest)
    messages = [str(one.message) for one in caught]
    assert len(messages) == (told is not None)
    assert told is None or told in messages[0]


def test_an_older_store_does_not_take_a_newer_snapshot(path: Path, tmp_path: Path) -> None:
    """A copy of last week, put back beside today's snapshot, answers as last week; its own next one takes the place."""
    copy = tmp_path / "copy.duckdb"
    with memp.open(path) as memory:
        memory.backup(copy)
        digest = memory.state_digest()
        memory.learn([run("sharpen the axe")])
        memory.snapshot()
    for suffix in ("", ".witness"):
        shutil.copy(f"{copy}{suffix}", f"{path}{suffix}")
    with pytest.warns(RuntimeWarning, match="was made at position 7, and the log ends at 5"):
        assert reopened(path) == (5, digest)
    with memp.open(copy) as memory:
        memory.learn([run("mend the rope"), run("oil the hinge")])
        digest = memory.state_digest()
    for suffix in ("", ".witness"):
        shutil.copy(f"{copy}{suffix}", f"{path}{suffix}")
    with pytest.warns(RuntimeWarning, match="another event at position 7"):
        memory = memp.open(path)
    with memory:
        assert (used(memory), memory.state_digest()) == (5, digest)
        memory.snapshot()
    assert snapshots(path) == ["agent.duckdb.5.snapshot", "agent.duckdb.9.snapshot"]


def test_one_is_written_at_closing_when_much_came_since(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for reading, not for little, and not again for nothing."""
    with few_are_enough(monkeypatch):
        with memp.open(path, read_only=True):
            pass
        with memp.open(path) as memory:
            memory.learn([run(f"find {number} pens") for number in range(4)])
        assert snapshots(path) == ["agent.duckdb.5.snapshot"]
        with memp.open(path) as memory:
            memory.learn([run("sharpen the axe")])
        assert snapshots(path) == ["agent.duckdb.15.snapshot", "agent.duckdb.5.snapshot"]
        assert reopened(path, read_only=True)[0] == 15
        monkeypatch.setattr(keeping, "SHARE_MIN", 10.0)
        with memp.open(path) as memory:
            memory.learn([run(f"bend {number} bows") for number in range(9)])
        assert len(snapshots(path)) == 2


def test_a_disk_that_does_not_take_it_leaves_the_old_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand it raises; at closing it warns; the snapshot that was there still serves."""

    def full(*_: object, **__: object) -> None:
        raise StorageError("There is no room.")

    monkeypatch.setattr(keeping, "write_container", full)
    with few_are_enough(monkeypatch):
        memory = memp.open(path)
        memory.learn([run(f"find {number} pens") for number in range(9)])
        with pytest.raises(memp.StorageError, match="no room"):
            memory.snapshot()
        with pytest.warns(RuntimeWarning, match=r"no room\. The next opening takes longer"):
            memory.close()
    assert snapshots(path) == ["agent.duckdb.5.snapshot"]
    assert reopened(path, read_only=True)[0] == 5


def test_who_cannot_write_one_is_told(path: Path) -> None:
    """A memory for reading, and one that is in no file."""
    with memp.open(path, read_only=True) as memory, pytest.raises(memp.InvalidInputError, match="reading only"):
        memory.snapshot()
    with memp.open(":memory:") as memory, pytest.raises(memp.InvalidInputError, match="in no file"):
        memory.snapshot()


def test_a_purge_removes_them_and_one_that_is_put_back_is_not_used(path: Path, tmp_path: Path) -> None:
    """The chain is the same after a purge, so that only what stands in the log since can tell; the file goes again."""
    kept = tmp_path / "kept"
    kept.mkdir()
    shutil.copy(path.with_name("agent.duckdb.5.snapshot"), kept)
    with memp.open(path) as memory:
        [gone] = [one for one in memory.procedures() if one.task == "fold the map"]
        memory.purge(procedure_ids=[gone.id], sources=True, reason="on demand")
        assert snapshots(path) == []
        digest = memory.state_digest()
    shutil.copy(kept / "agent.duckdb.5.snapshot", path.parent)
    assert reopened(path, read_only=True) == (0, digest)
    assert snapshots(path) == ["agent.duckdb.5.snapshot"]
    assert reopened(path) == (0, digest)
    assert snapshots(path) == []


def test_an_import_may_have_its_vectors_in_another_order(path: Path, tmp_path: Path) -> None:
    """A snapshot of the same log beside it serves, whatever lies where in the tables."""
    with memp.open(path) as memory:
        memory.learn([run("sharpen the axe"), run("mend the rope")])
        digest = memory.state_digest()
        found = [memory.retrieve("sharpen a knife", key=key)[0].score for key in ("query", "facts")]
        memory.export(tmp_path / "store.jsonl")
    lines = (tmp_path / "store.jsonl").read_text().splitlines()
    vectors = [line for line in lines if json.loads(line).get("kind") == "vector" or '"vector"' in line]
    target = tmp_path / "other" / "agent.duckdb"
    target.parent.mkdir()
    assert vectors
    memp.import_store(tmp_path / "store.jsonl", target)
    shutil.copy(path.with_name("agent.duckdb.5.snapshot"), target.parent)
    with memp.open(target) as memory:
        assert (used(memory), memory.state_digest()) == (5, digest)
        assert [memory.retrieve("sharpen a knife", key=key)[0].score for key in ("query", "facts")] == found
