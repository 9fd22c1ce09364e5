"""
What an episode costs beside its two commits, in a memory of ten thousand procedures, alone and with sixteen agents.

What memp does from its beginning to its end has three parts, and each is timed where it arises, call by call:

- *commits*: inside ``Writer.commit`` (DuckDB's statement and the sync of its log) and ``Witness.advance`` (the head
  written and synced). With group commit the thread that commits for others pays for them, so the mean over all threads
  is what an episode costs.
- *asking*: inside ``retrieve`` and ``Found.prompt``, which an agent that only asks pays as well.
- *own*: everything else, which is what an episode adds: what was served, credit, policies, encoding, hashing, and
  folding what was stored.

Processor time, because on a busy machine the wall says how long others kept us waiting. It is measured in the episodes
as they are lived: each begins after a sync, when the processor's caches hold something else, and costs twice what it
would in a loop that does nothing but search. So the same is done once more with the log in memory, where nothing is
synced: that is the work alone. The first round is told apart: in it most procedures are served for the
first time, and are read, and rendered, for the first time.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read once, when numpy is imported

import argparse
import contextlib
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import memp
from bench.retrieval import _run, _tasks
from memp.found import Found
from memp.log.witness import Witness
from memp.log.writing import Writer
from memp.record import Head
from memp.view import View

THREADS = 16
"""Agents at once."""


class Cost(NamedTuple):
    """
    What one episode costs, in seconds.

    Attributes:
        wall: From the first to the last of a round, by their number.

        disk: Of the processor, inside commits.

        asking: Of the processor, searching and rendering.

        start: Of the processor, beside both, until the agent has its prompt.

        finish: The same, from the first step to the end.

        commits: How many there were; not seconds.
    """

    wall: float
    disk: float
    asking: float
    start: float
    finish: float
    commits: float

    @property
    def own(self) -> float:
        """Of the processor, what an episode adds."""
        return self.start + self.finish


class Apart(threading.local):
    """The processor time that this thread has spent inside commits and in asking, and how many commits it made."""

    disk = 0.0
    asking = 0.0
    commits = 0

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.disk + self.asking


@contextlib.contextmanager
def _apart() -> Iterator[Apart]:
    """While it lasts, count the processor time inside commits and in asking, thread by thread."""
    apart = Apart()
    commit, advance, retrieve, prompt = Writer.commit, Witness.advance, View.retrieve, Found.prompt

    def timed_commit(self: Writer, *args: Any) -> None:
        start = time.thread_time()
        commit(self, *args)
        apart.disk += time.thread_time() - start
        apart.commits += 1

    def timed_advance(self: Witness, head: Head) -> None:
        start = time.thread_time()
        advance(self, head)
        apart.disk += time.thread_time() - start

    def timed_asking(work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            # What a first prompt puts on record is committed within it.
            start, disk = time.thread_time(), apart.disk
            found = work(*args, **options)
            apart.asking += time.thread_time() - start - (apart.disk - disk)
            return found

        return timed

    Writer.commit, Witness.advance = timed_commit, timed_advance  # type: ignore[method-assign, assignment]
    View.retrieve, Found.prompt = timed_asking(retrieve), timed_asking(prompt)  # type: ignore[method-assign]
    try:
        yield apart
    finally:
        Writer.commit, Witness.advance = commit, advance  # type: ignore[method-assign]
        View.retrieve, Found.prompt = retrieve, prompt  # type: ignore[method-assign]


def _episode(memory: memp.Memory, task: str, apart: Apart, *, success: bool) -> tuple[float, float]:
    """Live one episode; return its own processor time until the agent has its prompt, and after that."""
    start, others = time.thread_time(), apart.seconds
    with memory.episode(task, policy="erasure") as episode:
        middle, others_then = time.thread_time(), apart.seconds
        episode.step(action="look", observation=f"You see {task}.")
        episode.finish(success=success)
    end = time.thread_time()
    return middle - start - (others_then - others), end - middle - (apart.seconds - others_then)


def _cost(memory: memp.Memory, tasks: list[str], threads: int, apart: Apart) -> Cost:
    """Return what an episode costs when *threads* share those for *tasks*."""
    spent: list[tuple[float, float, float, float, int]] = []

    def work(number: int) -> None:
        parts = [
            _episode(memory, task, apart, success=place % 3 != 0) for place, task in enumerate(tasks[number::threads])
        ]
        own = sum(one for one, _ in parts), sum(other for _, other in parts)
        spent.append((*own, apart.disk, apart.asking, apart.commits))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wall = time.perf_counter() - start
    starts, finishes, disk, asking, commits = (sum(column) / len(tasks) for column in zip(*spent, strict=True))
    return Cost(wall=wall / len(tasks), disk=disk, asking=asking, start=starts, finish=finishes, commits=commits)


def main() -> None:
    """Print one line for each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--procedures", type=int, default=10_000)
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    tasks = list(_tasks(options.procedures + options.episodes, 50, random.Random(7)))
    learned, asked = tasks[: options.procedures], [task for task, _ in tasks[options.procedures :]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agent.duckdb"
        with memp.open(path, actor="bench") as memory:
            memory.learn(_run(task, names) for task, names in learned)
        # Opened so, the graphs are complete and no thread works on them while we measure.
        with memp.open(path, actor="bench", index="hnsw") as memory:
            _measure("on disk", memory, learned[0][0], asked, rounds=options.rounds)
    with memp.open(":memory:", actor="bench", index="hnsw") as memory:
        memory.learn(_run(task, names) for task, names in learned)
        _measure("in memory", memory, learned[0][0], asked, rounds=options.rounds)


def _measure(where: str, memory: memp.Memory, first: str, asked: list[str], *, rounds: int) -> None:
    """Print what episodes cost for the tasks *asked*, alone and with others, in that many rounds and one before."""
    with _apart() as apart:
        _episode(memory, first, apart, success=True)
        for threads in (1, THREADS):
            lived = [_cost(memory, asked, threads, apart) for _ in range(rounds + 1)]
            there = len(memory.procedures())
            print(f"{where}, {threads} at once ({rounds} rounds of {len(asked)}; {there} procedures):")
            _print("for the first time", lived[:1])
            _print("again, median", lived[1:])


def _print(name: str, rounds: list[Cost]) -> None:
    """Print what an episode costs in *rounds*, in parts, in milliseconds."""

    def of(value: Callable[[Cost], float]) -> float:
        return statistics.median(map(value, rounds))

    print(
        f"  {name:18}  wall {of(lambda c: c.wall) * 1e3:5.2f} ms, {of(lambda c: c.commits):4.2f} commits;  "
        f"cpu {of(lambda c: c.disk) * 1e3:5.2f} in commits + {of(lambda c: c.asking) * 1e3:5.2f} asking "
        f"+ {of(lambda c: c.own) * 1e3:5.2f} own "
        f"({of(lambda c: c.start) * 1e3:.2f} to the prompt, {of(lambda c: c.finish) * 1e3:.2f} after; "
        f"least {min(c.own for c in rounds) * 1e3:.2f})"
    )


if __name__ == "__main__":
    main()
