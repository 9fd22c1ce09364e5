"""Every byte: a store with a changed bit is noticed or is what it was, never wrong, and never ends the process."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from memp.log.duckdb import DuckDBLog
from memp.log.files import StoreFiles
from memp.log.witness import SLOT_BYTES, encode, read_witness

from .children import event  # noqa: TID252
from .conftest import CHILDREN  # noqa: TID252

PLACES_PER_CHILD = 500
"""Flips that one process lives through: starting one takes as long as twenty flips."""


@pytest.fixture
def store(tmp_path: Path) -> StoreFiles:
    """A store with events in the database and in a write-ahead log, as SIGKILL leaves it."""
    live = StoreFiles(tmp_path / "live" / "agent.duckdb")
    live.database.parent.mkdir()
    log = DuckDBLog(live.database)
    log.append([event("x" * 40) for _ in range(30)], actor="me")
    log.close()
    log = DuckDBLog(live.database)
    for number in range(3):
        log.append([event(f"y{number}")], actor="me")
    files = StoreFiles(tmp_path / "agent.duckdb")
    for one, other in ((live.database, files.database), (live.wal, files.wal), (live.witness, files.witness)):
        other.write_bytes(one.read_bytes())
    log.close()
    return files


def flip(files: StoreFiles, suffix: str, places: list[int], *, write: bool, counts: Counter[str]) -> None:
    """Flip a bit at each of *places*, in child processes, and count what became of it."""
    draw = random.Random(len(places))
    for start in range(0, len(places), PLACES_PER_CHILD):
        asked = [(place, draw.randrange(8)) for place in places[start : start + PLACES_PER_CHILD]]
        done = subprocess.run(
            [sys.executable, CHILDREN, "flip", files.database, suffix, "write" if write else "read"],
            input="".join(f"{place} {bit}\n" for place, bit in asked),
            capture_output=True,
            text=True,
            check=False,
        )
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        last = asked[len(answers) : len(answers) + 1]
        assert done.returncode == 0, f"the process ended with {done.returncode} at {last}: {done.stderr[-2000:]}"
        assert len(answers) == len(asked)
        for place, bit, outcome in answers:
            assert not outcome.startswith("wrong"), f"bit {bit} of byte {place} of '{suffix}': {outcome}"
            counts[outcome] += 1


def test_every_byte_of_the_write_ahead_log(store: StoreFiles, soak: bool, counts: Counter[str]) -> None:
    """DuckDB skips what a changed length hides; the witness does not."""
    size = store.wal.stat().st_size
    flip(store, ".wal", [*range(0, size, 1 if soak else 41)], write=True, counts=counts)
    assert counts["detected"] > 0


def test_every_byte_of_the_witness(store: StoreFiles, soak: bool, counts: Counter[str]) -> None:
    """A damaged slot is noticed, and the other one serves: nothing is lost by it."""
    newest = read_witness(store.witness).newest
    assert newest is not None
    length = len(encode(newest))
    places = [place for first in (0, SLOT_BYTES) for place in range(first, first + length)]
    flip(store, ".witness", places[:: 1 if soak else 13], write=True, counts=counts)
    assert counts["detected"] > 0


def test_bytes_of_the_database(store: StoreFiles, soak: bool, counts: Counter[str]) -> None:
    """DuckDB's checksums cover its blocks, the chain what they hold, and slack holds nothing."""
    size = store.database.stat().st_size
    draw = random.Random(7)
    headers = [draw.randrange(3 * 4096) for _ in range(2_000 if soak else 20)]
    anywhere = [draw.randrange(size) for _ in range(18_000 if soak else 80)]
    flip(store, "", headers + anywhere, write=False, counts=counts)
    assert counts["detected"] > 0
