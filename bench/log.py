"""
What the log and the fold cost beside DuckDB alone, and what a procedure weighs.

- Appending one batch of learned procedures, beside DuckDB's appender for rows of the same bytes.
- Replaying a log into a state, beside fetching the same columns and doing nothing with them.
- Bytes on disk and in memory for a procedure with its run, its events and its vectors.
- ``import memp``.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import duckdb

import memp
from bench.retrieval import _run, _tasks
from memp.log import DuckDBLog, Identity, Pending
from memp.log.files import StoreFiles
from memp.record import Record
from memp.state import replay


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _learned(path: Path, count: int) -> list[Record]:
    with memp.open(path, actor="bench") as memory:
        memory.learn(_run(task, names) for task, names in _tasks(count, 50, random.Random(7)))
        records = list(memory.events())
    for cache in StoreFiles(path).caches():
        # What is measured here is the log and the fold; ``bench/snapshots.py`` measures what saves both.
        cache.unlink()
    return records


def _as_pending(records: list[Record]) -> list[Pending]:
    return [
        Pending(
            event_id=r.event_id,
            stream=r.stream,
            type=r.type,
            schema=r.schema,
            body=r.body or b"",
        )
        for r in records
    ]


def _append_with_memp(folder: Path, pending: list[Pending]) -> float:
    log = DuckDBLog(folder / "memp.duckdb", identity=Identity())
    taken = _seconds(lambda: log.append(pending, actor="bench"))
    log.close()
    return taken


def _append_bare(folder: Path, records: list[Record]) -> float:
    """The same bytes in the same columns through DuckDB's appender, one durable commit."""
    log = DuckDBLog(folder / "bare.duckdb")  # makes the tables
    log.close()
    connection = duckdb.connect(folder / "bare.duckdb")
    connection.execute("set checkpoint_threshold = '1GB'")
    headers = [(record.position, record.header.decode(), record.digest) for record in records]
    bodies = [(record.position, record.salt, record.body) for record in records]

    def work() -> None:
        connection.execute("begin")
        for name, rows in (("records", headers), ("bodies", bodies)):
            appender = connection.appender(name)
            appender.append_rows(rows)
            appender.flush()
        connection.execute("commit")
        connection.execute("checkpoint")

    taken = _seconds(work)
    connection.close()
    return taken


def _measure_append(records: list[Record], rounds: int) -> None:
    pending = _as_pending(records)
    ratios, rates = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            bare, ours = _append_bare(Path(name), records), _append_with_memp(Path(name), pending)
        ratios.append(bare / ours)
        rates.append(len(records) / ours)
    print(
        f"append, one batch of {len(records)}: {statistics.median(ratios):.2f} of DuckDB's appender "
        f"(median of {rounds}; {statistics.median(rates):,.0f} events/s)"
    )


def _measure_replay(path: Path, rounds: int) -> None:
    log = DuckDBLog(path, read_only=True)
    count = log.head.position
    rates, ratios = [], []
    for _ in range(rounds):
        gc.disable()
        read = _seconds(lambda: sum(1 for _ in log.read()))
        gc.disable()
        used = time.process_time()
        folded = _seconds(lambda: replay(log.read()))
        used = time.process_time() - used
        gc.enable()
        rates.append((count / folded, count / used))
        ratios.append(folded / read)
    log.close()
    wall, used = (statistics.median(column) for column in zip(*rates, strict=True))
    print(
        f"replay into a state: {wall:,.0f} events/s, {used:,.0f} for each second of one core, "
        f"{statistics.median(ratios):.2f} of the time of reading the records alone (median of {rounds}, {count} events)"
    )


def _measure_size(path: Path, count: int) -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    memory = memp.open(path, read_only=True)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    memory.close()
    on_disk = path.stat().st_size
    print(
        f"a procedure with its run: {on_disk / count:,.0f} bytes on disk, {held / count:,.0f} bytes in memory ({count})"
    )


def _measure_import(rounds: int) -> None:
    def once(code: str) -> float:
        return _seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True))

    taken = [once("import memp") - once("pass") for _ in range(rounds)]
    print(f"import memp: {statistics.median(taken) * 1000:.0f} ms beside an empty program (median of {rounds})")


def main() -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--procedures", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "agent.duckdb"
        records = _learned(path, options.procedures)
        _measure_append(records, options.rounds)
        _measure_replay(path, options.rounds)
        _measure_size(path, options.procedures)
    _measure_import(options.rounds)


if __name__ == "__main__":
    main()
