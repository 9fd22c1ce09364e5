"""Committing: many threads share a commit, and one that fails takes nothing with it that was acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import memp
from memp.errors import StorageError
from memp.log.base import VectorKey
from memp.log.duckdb import DuckDBLog
from memp.log.group import Group
from memp.log.witness import Witness, read_witness

from .conftest import event, numbers  # noqa: TID252

THREADS = 16


def run(task: str) -> memp.Trajectory:
    return memp.Trajectory(task=task, steps=[memp.Step(action=f"do {task}")], reward=1.0)


class Disk:
    """Stands before the log's commit: counts, waits for company, fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.groups: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.at_work = threading.Event()
        self.full = False
        real = DuckDBLog._store

        def store(log: DuckDBLog, *arguments: object) -> bool:
            self.at_work.set()
            assert self.gate.wait(60)
            self.groups.append(len(arguments[0]))  # type: ignore[arg-type]
            if self.full:
                raise StorageError("The disk is full.")
            return real(log, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(DuckDBLog, "_store", store)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def gathered(memory: memp.Memory, disk: Disk, work: Callable[[int], object]) -> list[object]:
    """Let one thread begin a commit, let all others stage meanwhile, and return what each got or raised."""

    def one(number: int) -> object:
        try:
            return work(number)
        except memp.MempError as error:
            return error

    before = memory._store.history.position
    disk.gate.clear()
    disk.at_work.clear()
    with ThreadPoolExecutor(THREADS) as pool:
        first = pool.submit(one, 0)
        assert disk.at_work.wait(60)
        others = [pool.submit(one, number) for number in range(1, THREADS)]
        while memory._store.history.position < before + THREADS:
            threading.Event().wait(0.001)
        disk.gate.set()
        return [future.result() for future in (first, *others)]


def test_threads_share_a_commit(tmp_path: Path, disk: Disk) -> None:
    """Fifteen changes that come while one is committed are one commit, and each is durable when its call returns."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn([run(f"task {number}") for number in range(THREADS)])
        procedures = memory.procedures()
        disk.groups.clear()

        def erase(number: int) -> int:
            position = memory.erase(procedures[number].id, reason="r").position
            newest = read_witness(tmp_path / "agent.duckdb.witness").newest
            assert newest is not None
            assert newest.head.position >= position
            return position

        positions = gathered(memory, disk, erase)
        assert disk.groups == [1, THREADS - 1]
        assert len(set(positions)) == THREADS
        assert memory.procedures() == []
        assert memory.verify().ok
        digest = memory.state_digest()
    with memp.open(path, read_only=True) as memory:
        assert memory.state_digest() == digest


def test_a_failed_commit_raises_for_all_and_leaves_what_was_there(tmp_path: Path, disk: Disk) -> None:
    """Every caller is told; the memory goes back to what is durable, is read, and is written again once it can be."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn([run(f"task {number}") for number in range(THREADS)])
        past = memory.at(memory.position)
        procedures, digest, head = memory.procedures(), memory.state_digest(), memory.head()
        found = list(memory.retrieve("task 3", k=5))
        disk.full = True
        results = gathered(memory, disk, lambda number: memory.erase(procedures[number].id, reason="r"))
        assert {type(result) for result in results} == {StorageError}
        assert len(set(map(id, results))) == THREADS
        assert (memory.state_digest(), memory.head(), memory.procedures()) == (digest, head, procedures)
        assert list(memory.retrieve("task 3", k=5)) == found
        assert len(list(memory.events())) == head.position
        with pytest.raises(StorageError):
            memory.learn([run("something else entirely")])
        disk.full = False
        memory.learn([run("something else entirely")])
        memory.erase(procedures[0].id, reason="r")
        assert past.state_digest() == digest
        assert len(memory.procedures()) == THREADS
        assert memory.verify().ok
        digest = memory.state_digest()
    with memp.open(path) as memory:
        assert memory.state_digest() == digest
        memory.learn([run("and more")])


def test_nobody_is_answered_from_what_is_not_durable(tmp_path: Path, disk: Disk) -> None:
    """A question that sees a change whose commit is under way is answered once it is durable, or not at all."""
    with memp.open(tmp_path / "agent.duckdb") as memory, ThreadPoolExecutor(2) as pool:
        memory.learn([run("the first task")])
        for full in (False, True):
            disk.full = full
            disk.gate.clear()
            disk.at_work.clear()
            change = pool.submit(memory.learn, [run(f"another task {full}")])
            assert disk.at_work.wait(60)
            question = pool.submit(memory.procedures)
            threading.Event().wait(0.05)
            assert not question.done()
            disk.gate.set()
            if full:
                with pytest.raises(StorageError):
                    change.result()
                with pytest.raises(StorageError):
                    question.result()
            else:
                assert len(question.result()) == 2
        assert len(memory.procedures()) == 2


def test_what_the_witness_does_not_take_is_in_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is in the database and was told to nobody: like a crash at that moment; its retry key settles it."""

    def advance(_: Witness, head: object) -> None:
        raise StorageError(f"The witness says nothing of {head}.", in_doubt=True)

    log = DuckDBLog(tmp_path / "agent.duckdb")
    log.append([event(0)], actor="me")
    one = event(1, key="k")
    with monkeypatch.context() as patch:
        patch.setattr(Witness, "advance", advance)
        with pytest.raises(StorageError, match="retry key") as caught:
            log.append([one], actor="me")
    assert caught.value.in_doubt
    failed = [log.failed]
    with pytest.raises(StorageError, match="takes no events since"):
        log.append([one], actor="me")
    log.recover()
    assert [*failed, log.failed] == [True, False]
    [record] = log.append([one], actor="me")
    assert record.position == 2
    assert numbers(log) == [0, 1]
    log.close()


def test_what_was_staged_and_given_up_is_there_after_closing(tmp_path: Path) -> None:
    """Closing makes durable what nobody waited for."""
    log = DuckDBLog(tmp_path / "agent.duckdb")
    log.stage([event(0)], actor="me", vectors={VectorKey("e", b"t"): b"v"})
    log.close()
    log = DuckDBLog(tmp_path / "agent.duckdb")
    assert numbers(log) == [0]
    assert list(log.vectors("e")) == [(b"t", b"v")]
    log.close()


def test_a_commit_that_is_interrupted_leaves_the_log_to_be_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keyboard interrupt in the middle of a commit goes up, and the log says that it must be recovered."""

    def interrupt(_: Group) -> None:
        raise KeyboardInterrupt

    log = DuckDBLog(tmp_path / "agent.duckdb")
    log.append([event(0)], actor="me")
    monkeypatch.setattr(log._groups, "_commit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        log.append([event(1)], actor="me")
    monkeypatch.undo()
    assert log.failed
    log.recover()
    log.append([event(2)], actor="me")
    assert numbers(log) == [0, 2]
    log.close()
