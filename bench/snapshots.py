"""
Opening a memory from a snapshot, beside folding it from its log.

- Opening alone, in turn with and without the snapshot: wall time, and time of one core.
- Opening and asking one question: what is left undone at opening is done for the few procedures that are asked for.
- Opening and asking for every procedure, which makes all of them after all.
- Writing a snapshot, and how long the file is.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import memp
from bench.retrieval import _run, _tasks

Cost = tuple[float, float]
"""Seconds on the wall, and of one core."""


def _cost(work: Callable[[], object]) -> Cost:
    wall, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - used


def _opening(path: Path, ask: Callable[[memp.Memory], object] | None) -> Cost:
    def work() -> None:
        with memp.open(path, read_only=True) as memory:
            if ask is not None:
                ask(memory)

    return _cost(work)


def _without(path: Path, ask: Callable[[memp.Memory], object] | None) -> Cost:
    [snapshot] = path.parent.glob("*.snapshot")
    hidden = snapshot.rename(snapshot.with_suffix(".hidden"))
    try:
        return _opening(path, ask)
    finally:
        hidden.rename(snapshot)


def _compare(what: str, path: Path, ask: Callable[[memp.Memory], object] | None, rounds: int) -> None:
    pairs = [(_opening(path, ask), _without(path, ask)) for _ in range(rounds)]
    (wall, used), (wall_without, used_without) = (
        [statistics.median(column) * 1000 for column in zip(*side, strict=True)] for side in zip(*pairs, strict=True)
    )
    ratio = statistics.median(without[1] / with_one[1] for with_one, without in pairs)
    print(
        f"{what}: {used:,.0f} ms of one core ({wall:,.0f} ms on the wall) from a snapshot, {used_without:,.0f} ms "
        f"({wall_without:,.0f} ms) from the log; {ratio:.1f} times (median of {rounds})"
    )


def main() -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--procedures", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    tasks = [*_tasks(options.procedures, 50, random.Random(7))]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "agent.duckdb"
        with memp.open(path, actor="bench") as memory:
            memory.learn(_run(task, names) for task, names in tasks)
        with memp.open(path, actor="bench") as memory:
            for one in path.parent.glob("*.snapshot"):
                one.unlink()
            wall, used = _cost(memory.snapshot)
            [snapshot] = path.parent.glob("*.snapshot")
            size, events = snapshot.stat().st_size, memory.head().position
        print(
            f"writing a snapshot of {events} events: {used * 1000:,.0f} ms of one core ({wall * 1000:,.0f} ms on the "
            f"wall); {size / 1e6:,.0f} MB beside {path.stat().st_size / 1e6:,.0f} MB of log"
        )
        _compare("opening", path, None, options.rounds)
        _compare("opening and one question", path, lambda memory: memory.retrieve(tasks[0][0]).prompt(), options.rounds)
        _compare("opening and every procedure", path, lambda memory: memory.procedures(), options.rounds)


if __name__ == "__main__":
    main()
