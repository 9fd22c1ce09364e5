"""Group commit: who shares a commit, and who fails with whom."""

from __future__ import annotations

import threading

import pytest

from memp.errors import StorageError
from memp.log.base import Pending, VectorKey
from memp.log.group import Group, GroupCommit
from memp.log.memory import MemoryLog
from memp.model import EventId
from memp.record import Record


def records(number: int) -> tuple[Record, ...]:
    """A batch of one event that says *number*."""
    event = Pending(event_id=EventId(str(number)), stream="s", type="t", schema=1, body=b"%d" % number)
    return MemoryLog().append([event], actor="me")


class Disk:
    """Takes groups, slowly if asked, until it breaks."""

    def __init__(self) -> None:
        self.groups: list[list[bytes | None]] = []
        self.failures: list[BaseException] = []
        self.broken: BaseException | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.at_work = threading.Event()

    def commit(self, group: Group) -> None:
        self.at_work.set()
        assert self.may_go_on.wait(30)
        if self.broken is not None:
            raise self.broken
        self.groups.append([record.body for record in group.records])

    def groups_of(self) -> GroupCommit:
        return GroupCommit(self.commit, failed=self.failures.append)


def test_one_caller_commits_alone() -> None:
    """Nobody waits for company."""
    disk = Disk()
    groups = disk.groups_of()
    for number in range(3):
        groups.wait(groups.add(records(number), {}))
    assert disk.groups == [[b"0"], [b"1"], [b"2"]]
    groups.flush()
    assert len(disk.groups) == 3


def test_those_who_come_during_a_commit_share_the_next() -> None:
    """While one caller commits, the batches of all others gather, and one of them commits them all."""
    disk = Disk()
    groups = disk.groups_of()
    disk.may_go_on.clear()
    first = threading.Thread(target=groups.wait, args=[groups.add(records(0), {})])
    first.start()
    assert disk.at_work.wait(30)
    key = VectorKey("e", b"t")
    staged = [groups.add(records(number), {key: b"v"}) for number in range(1, 6)]
    assert len(set(map(id, staged))) == 1
    assert staged[0].vectors == {key: b"v"}
    others = [threading.Thread(target=groups.wait, args=[group]) for group in staged]
    for other in others:
        other.start()
    disk.may_go_on.set()
    for thread in (first, *others):
        thread.join(30)
    assert disk.groups == [[b"0"], [b"1", b"2", b"3", b"4", b"5"]]


def test_a_failure_takes_with_it_what_was_staged_on_top() -> None:
    """Every caller of the group that failed, and of the one that gathered meanwhile, gets an error of its own."""
    disk = Disk()
    groups = disk.groups_of()
    disk.may_go_on.clear()
    disk.broken = StorageError("the disk is full.")
    errors: list[StorageError] = []

    def wait(group: Group) -> None:
        try:
            groups.wait(group)
        except StorageError as error:
            errors.append(error)

    lower = groups.add(records(0), {})
    threads = [threading.Thread(target=wait, args=[lower])]
    threads[0].start()
    assert disk.at_work.wait(30)
    upper = groups.add(records(1), {})
    threads += [threading.Thread(target=wait, args=[group]) for group in (lower, upper)]
    for thread in threads[1:]:
        thread.start()
    disk.may_go_on.set()
    for thread in threads:
        thread.join(30)
    assert [str(error) for error in errors] == ["the disk is full. Nothing of it was written."] * 3
    assert len(set(map(id, errors))) == 3
    assert not any(error.in_doubt for error in errors)
    assert disk.failures == [disk.broken]
    assert disk.groups == []


def test_whoever_interrupts_leaves_the_others_in_doubt() -> None:
    """A keyboard interrupt ends the commit at a place that nobody knows; it goes on to whoever pressed the keys."""
    disk = Disk()
    groups = disk.groups_of()
    disk.broken = KeyboardInterrupt()
    group = groups.add(records(0), {})
    with pytest.raises(KeyboardInterrupt):
        groups.wait(group)
    with pytest.raises(StorageError, match="retry key") as caught:
        groups.wait(group)
    assert caught.value.in_doubt
