"""
What it costs to be sure.

- One durable append with everything (checks, digests, chain, commit, witness), beside one row of the same bytes that
  DuckDB commits alone, and beside the same rows in the same tables without anything around them.
- The witness alone: one write and one sync of a block.
- The same appends from many threads at once, which share commits.
- A verification on one core, beside reading the same rows and doing nothing with them.
- Opening a store with a full write-ahead log, which is read twice.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

import memp
from bench.retrieval import _run, _tasks
from memp.log import DuckDBLog, Identity, Pending, VectorKey, verify_store
from memp.log.opening import attach
from memp.log.rows import StoredRows
from memp.log.verify import VerifyReport
from memp.log.witness import Slot, Witness
from memp.model import EventId, Position
from memp.record import Head, Record

BODY_BYTES = 1_100
"""A procedure of five steps."""

VECTOR_BYTES = 1_536
"""An embedding of 384 float32."""

APPENDS_A_ROUND = 150
"""About a fifth of a second a side: far above the clock's grain, and short against the swings of the disk."""

THREADS = 16

IDENTITY = Identity()


def _pending(number: int) -> Pending:
    body = b'{"n":%d,"text":"%b"}' % (number, os.urandom(BODY_BYTES // 2).hex().encode())
    return Pending(event_id=EventId(IDENTITY.event_id()), stream=f"procedure/{number}", type="t", schema=1, body=body)


def _seconds(work: Callable[[int], object], numbers: range) -> float:
    start = time.perf_counter()
    for number in numbers:
        work(number)
    return (time.perf_counter() - start) / len(numbers)


class _Sides:
    """The same bytes, stored in four ways."""

    def __init__(self, folder: Path) -> None:
        self.log = DuckDBLog(folder / "memp.duckdb", identity=IDENTITY)
        self.witness = Witness(folder / "alone.witness", Slot(self.log.log_id, self.log.head))
        self.row = duckdb.connect(folder / "row.duckdb")
        self.row.execute("create table events (position bigint primary key, body blob, vector blob)")
        DuckDBLog(folder / "tables.duckdb").close()
        self.tables = attach(folder / "tables.duckdb", read_only=False)
        self.records: dict[int, Record] = {}

    def append(self, number: int) -> None:
        key = VectorKey("bench-1", number.to_bytes(32))
        [record] = self.log.append([_pending(number)], actor="bench", vectors={key: os.urandom(VECTOR_BYTES)})
        self.records[number] = record

    def one_row(self, number: int) -> None:
        values = [number, os.urandom(BODY_BYTES), os.urandom(VECTOR_BYTES)]
        self.row.execute("insert into events values (?, ?, ?)", values)

    def same_rows(self, number: int) -> None:
        record = self.records[number]
        header = [record.position, record.header.decode(), record.digest]
        self.tables.execute("begin")
        self.tables.execute("insert into store.records values (?, ?, ?)", header)
        self.tables.execute("insert into store.bodies values (?, ?, ?)", [record.position, record.salt, record.body])
        vector = ["bench-1", number.to_bytes(32), os.urandom(VECTOR_BYTES)]
        self.tables.execute("insert into store.vectors values (?, ?, ?)", vector)
        self.tables.execute("commit")

    def witness_alone(self, number: int) -> None:
        self.witness.advance(Head(Position(number), bytes(32)))

    def close(self) -> None:
        self.log.close()
        self.witness.close()
        self.row.close()
        self.tables.close()


def _measure_append(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        sides = _Sides(Path(name))
        ways = (sides.append, sides.one_row, sides.same_rows, sides.witness_alone)
        taken: list[list[float]] = []
        for number in range(rounds + 1):
            numbers = range(1 + number * APPENDS_A_ROUND, 1 + (number + 1) * APPENDS_A_ROUND)
            taken.append([_seconds(way, numbers) for way in ways])
        sides.close()
    timed = taken[1:]
    ours, row, same, witness = (statistics.median(column) * 1000 for column in zip(*timed, strict=True))
    to_row, to_same = (statistics.median(one[other] / one[0] for one in timed) for other in (1, 2))
    print(
        f"one durable append: {ours:.2f} ms; {to_row:.2f} of the rate of one bare row of the same bytes "
        f"({row:.2f} ms), {to_same:.2f} of that of the same rows in the same tables ({same:.2f} ms); "
        f"median of {rounds}"
    )
    print(f"the witness: {witness:.2f} ms, {witness / ours:.0%} of the append")


def _measure_threads(rounds: int) -> None:
    ratios, rates = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            log = DuckDBLog(Path(name) / "agent.duckdb", identity=IDENTITY)

            def append(number: int, log: DuckDBLog = log) -> object:
                return log.append([_pending(number)], actor="bench")

            alone = _seconds(append, range(APPENDS_A_ROUND))
            count = APPENDS_A_ROUND * 8
            with ThreadPoolExecutor(THREADS) as pool:
                start = time.perf_counter()
                list(pool.map(append, range(count)))
                together = (time.perf_counter() - start) / count
            log.close()
        ratios.append(alone / together)
        rates.append(1 / together)
    print(
        f"{THREADS} threads that share commits: {statistics.median(rates):,.0f} appends/s, "
        f"{statistics.median(ratios):.1f} times one thread (median of {rounds})"
    )


def _measure_verify(path: Path, rounds: int) -> None:
    ratios, closed = [], []
    log = DuckDBLog(path, read_only=True)
    log.verify()
    opened = [_rates(log.verify) for _ in range(rounds)]
    log.close()
    for _ in range(rounds):
        start = time.perf_counter()
        closed.append(_rates(lambda: verify_store(path)))
        taken = time.perf_counter() - start
        start = time.perf_counter()
        connection = attach(path, read_only=True)
        rows = StoredRows(connection)
        sum(len(chunk) for chunks in (rows.stream(), rows.vectors()) for chunk in chunks)
        connection.close()
        ratios.append((time.perf_counter() - start) / taken)
    for name, rates in (("an open store", opened), ("a file", closed)):
        wall, used = (statistics.median(column) for column in zip(*rates, strict=True))
        print(f"verify {name}: {wall:,.0f} events/s, {used:,.0f} for each second of one core, vectors included")
    print(f"  reading the rows of a file alone takes {statistics.median(ratios):.2f} of the time (median of {rounds})")


def _rates(verify: Callable[[], VerifyReport]) -> tuple[float, float]:
    """Return the events that a verification checks in a second, and in a second of the processor."""
    start, cpu = time.perf_counter(), time.process_time()
    report = verify()
    taken, used = time.perf_counter() - start, time.process_time() - cpu
    assert report.ok
    return report.events / taken, report.events / used


def _measure_open(rounds: int) -> None:
    taken, bare = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            path, copy = Path(name) / "agent.duckdb", Path(name) / "copy.duckdb"
            log = DuckDBLog(path, identity=IDENTITY)
            for number in range(2_000):
                log.stage([_pending(number)], actor="bench")
            log.append([_pending(2_000)], actor="bench")
            for suffix in ("", ".wal", ".witness"):
                Path(f"{copy}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
            log.close()
            start = time.perf_counter()
            attach(copy, read_only=True).close()
            bare.append(time.perf_counter() - start)
            start = time.perf_counter()
            log = DuckDBLog(copy)
            taken.append(time.perf_counter() - start)
            log.close()
    print(
        f"open for writing with 2,001 events in the write-ahead log: {statistics.median(taken) * 1000:.0f} ms; "
        f"DuckDB alone takes {statistics.median(bare) * 1000:.0f} ms to attach it (median of {rounds})"
    )


def main() -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--procedures", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    _measure_append(options.rounds)
    _measure_threads(options.rounds)
    _measure_open(options.rounds)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "agent.duckdb"
        with memp.open(path, actor="bench") as memory:
            memory.learn(_run(task, names) for task, names in _tasks(options.procedures, 50, random.Random(7)))
        _measure_verify(path, options.rounds)


if __name__ == "__main__":
    main()
