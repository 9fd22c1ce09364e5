"""Law 6: what was acknowledged survives SIGKILL at any moment; what was not is there whole or not at all."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from memp.errors import TailLostError, WitnessError
from memp.log import verify_store
from memp.log.duckdb import DuckDBLog

from .conftest import CHILDREN  # noqa: TID252


def live_and_die(store: Path, seed: int, *, seconds: float, speaking: bool) -> list[list[object]]:
    """
    Start a child that appends, kill it, and return what it said.

    The time to live counts from the start or, with *speaking*, from the child's first word: on a busy machine, a child
    may otherwise never get that far.
    """
    command: list[str | Path] = [sys.executable, CHILDREN, "append", store, str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline() if speaking else ""
        time.sleep(seconds)
        child.kill()
        lines = (first + child.stdout.read()).splitlines()
    return [json.loads(line) for line in lines]


def test_what_was_acknowledged_survives_being_killed(tmp_path: Path, soak: bool, counts: Counter[str]) -> None:
    """A store lives through many processes that are killed at random moments, the first ones while it is made."""
    draw = random.Random(5)
    for number in range(25 if soak else 1):
        store = tmp_path / f"agent-{number}.duckdb"
        acknowledged: dict[int, str] = {}
        for life in range(16 if soak else 8):
            young = life < 3
            seconds = draw.uniform(0.15, 0.6) if young else draw.uniform(0.0, 0.6)
            said = live_and_die(store, 100 * number + life, seconds=seconds, speaking=not young)
            acknowledged.update({int(str(line[1])): str(line[2]) for line in said if line[0] == "ack"})
            counts["killed"] += 1
            counts["killed before it was open"] += not said
            if store.exists():
                check(store, acknowledged, counts)
            for copy in tmp_path.glob("*-copy-*"):
                copy.unlink()
        counts["acknowledged batches"] += len(acknowledged)
    assert counts["acknowledged batches"], "no child lived long enough"


def check(store: Path, acknowledged: dict[int, str], counts: Counter[str]) -> None:
    log = DuckDBLog(store)
    records = list(log.read())
    digests = {int(record.position): record.digest.hex() for record in records}
    lost = [position for position, digest in acknowledged.items() if digests.get(position) != digest]
    assert lost == [], "acknowledged events are gone"
    sizes = Counter(record.batch for record in records)
    assert all(sizes[record.batch] == record.batch_size for record in records), "a batch is there by half"
    counts["lost"] += len(lost)
    counts["there though nobody was told"] += len(records) > max(acknowledged, default=0)
    assert log.verify().ok
    log.close()


def test_a_copy_that_was_not_finished_is_not_taken_for_one(tmp_path: Path, soak: bool, counts: Counter[str]) -> None:
    """Whatever a SIGKILL leaves of a backup either is no store, or holds everything."""
    store = tmp_path / "agent.duckdb"
    log = DuckDBLog(store)
    log.close()
    draw = random.Random(6)
    for number in range(60 if soak else 4):
        copy = tmp_path / f"copy-{number}.duckdb"
        with subprocess.Popen([sys.executable, CHILDREN, "backup", store, copy], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(draw.uniform(0, 0.02))
            child.kill()
        counts["finished" if copy.exists() else "not there"] += 1
        if copy.exists():
            assert verify_store(copy).ok
    try:
        DuckDBLog(store).close()
    except (TailLostError, WitnessError) as error:
        pytest.fail(str(error))
