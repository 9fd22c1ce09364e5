"""Snapshots with changed bytes, cut short, or written by a process that was killed: noticed, and never an answer."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import pytest

import memp
from memp.index import ExactIndex
from memp.log.duckdb import DuckDBLog
from memp.snapshot.keeping import Snapshots

WRITES_FOR_EVER = """
import sys, memp
with memp.open(sys.argv[1]) as memory:
    memory.snapshot()
    print("written", flush=True)
    while True:
        memory.snapshot()
"""


def run(task: str) -> memp.Trajectory:
    """A recorded run that won."""
    return memp.Trajectory(task=task, steps=[memp.Step(action="take mug 1")], reward=1.0)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with an episode, an undo, a fork and a snapshot."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn([run("fold")])
        with memory.episode("fold") as episode:
            episode.step(action="take mug 1")
            episode.finish(reward=1.0)
        record = memory.erase(memory.procedures()[0].id, reason="r")
        memory.undo([record.event_id], reason="r")
        memory.fork("trial")
        memory.snapshot()
    return path


def test_every_byte_of_a_snapshot(store: Path, soak: bool, counts: Counter[str]) -> None:
    """A changed bit anywhere, and a cut anywhere, is noticed before anything is taken from the file."""
    [file] = store.parent.glob("*.snapshot")
    whole = file.read_bytes()
    draw = random.Random(7)
    log = DuckDBLog(store, read_only=True)
    snapshots = Snapshots(store, log)
    assert snapshots.newest(ExactIndex) is not None
    places = range(0, len(whole), 1 if soak else 37)
    damaged = [("flipped", place) for place in places] + [("cut", place) for place in places[:: 1 if soak else 10]]
    for what, place in damaged:
        changed = bytearray(whole)
        if what == "flipped":
            changed[place] ^= 1 << draw.randrange(8)
        file.write_bytes(changed if what == "flipped" else changed[:place])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert snapshots.newest(ExactIndex) is None, (what, place)
        assert len(caught) == 1, (what, place)
        counts[f"{what}, noticed"] += 1
    file.write_bytes(whole)
    assert snapshots.newest(ExactIndex) is not None
    log.close()


def test_a_damaged_snapshot_changes_no_answer(store: Path) -> None:
    """The store opens all the same, from its log."""
    [file] = store.parent.glob("*.snapshot")
    whole = file.read_bytes()
    with memp.open(store, read_only=True) as memory:
        digest, prompt = memory.state_digest(), memory.retrieve("fold").prompt()
    for place in (0, 9, 40, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.warns(RuntimeWarning, match="read from its log"):
            memory = memp.open(store, read_only=True)
        with memory:
            assert (memory.state_digest(), memory.retrieve("fold").prompt()) == (digest, prompt)


def test_a_process_killed_while_it_writes_one_leaves_the_old_or_the_new(
    store: Path, soak: bool, counts: Counter[str]
) -> None:
    """What lies there is whole and used; what is unfinished has another name, and the next one takes its place."""
    draw = random.Random(7)
    with memp.open(store, read_only=True) as memory:
        digest = memory.state_digest()
    for _ in range(60 if soak else 4):
        child = subprocess.Popen([sys.executable, "-c", WRITES_FOR_EVER, store], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "written\n"
        time.sleep(draw.random() * 0.05)
        child.kill()
        child.wait()
        child.stdout.close()
        counts["killed"] += 1
        counts["unfinished files"] += len(list(store.parent.glob("*.writing")))
        with memp.open(store, read_only=True) as memory:
            assert memory._store._snapshots is not None
            assert memory._store._snapshots._position == memory.head().position
            assert memory.state_digest() == digest
    with memp.open(store) as memory:
        memory.snapshot()
    assert not list(store.parent.glob("*.writing"))
