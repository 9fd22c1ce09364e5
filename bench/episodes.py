"""
What an episode costs beyond its two commits, in a memory of ten thousand procedures, alone and with sixteen agents.

The same two batches are appended by themselves, and the difference is memp's own work: searching, rendering, credit and
policies. Both are timed in turn within each round, on the wall and by the processor's time in the agents' threads: on a
busy machine only the latter says what the work is.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read once, when numpy is imported

import argparse
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import memp
from bench.retrieval import _run, _tasks
from memp.decide import single
from memp.events import EpisodeFinished, EpisodeStarted
from memp.model import EpisodeId

THREADS = 16
"""Agents at once."""

Live = Callable[..., None]
"""Does one thing of an episode's, given a memory, a task and ``success``."""


def _episode(memory: memp.Memory, task: str, *, success: bool) -> None:
    """Live one episode."""
    with memory.episode(task, policy="erasure") as episode:
        episode.step(action="look", observation=f"You see {task}.")
        episode.finish(success=success)


def _ask(memory: memp.Memory, task: str, *, success: bool) -> None:
    """Ask for what an episode serves, and serve nothing; there is no outcome."""
    del success
    memory.retrieve(task).prompt()


def _commits(memory: memp.Memory, task: str, *, success: bool) -> None:
    """Say two batches of the size of an episode's: one event, then two and three outcomes."""
    ids, store = memory._store.ids, memory._store
    id = EpisodeId(ids.random())
    started = EpisodeStarted(episode_id=id, task=task, branch="main", position=0, prompt="0" * 64)
    store.append([single(started, ids)], actor="bench")
    many = [EpisodeFinished(episode_id=EpisodeId(ids.random()), success=success) for _ in range(5)]
    store.append([single(event, ids) for event in many], actor="bench")


class Cost(NamedTuple):
    """What one episode costs, in seconds: on the wall, and of the processor in the threads that live it."""

    wall: float
    cpu: float


def _cost(memory: memp.Memory, tasks: list[str], one: Live, threads: int) -> Cost:
    """Return what doing *one* for each task costs, shared among *threads*."""
    cpu = [0.0] * threads

    def work(number: int) -> None:
        start = time.thread_time()
        for place, task in enumerate(tasks[number::threads]):
            one(memory, task, success=place % 3 != 0)
        cpu[number] = time.thread_time() - start

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return Cost((time.perf_counter() - start) / len(tasks), sum(cpu) / len(tasks))


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
            _episode(memory, asked[0], success=True)
            for threads in (1, THREADS):
                _print(memory, asked, threads, rounds=options.rounds, procedures=options.procedures)


def _print(memory: memp.Memory, asked: list[str], threads: int, *, rounds: int, procedures: int) -> None:
    """Print what an episode costs with *threads* agents at once, in parts."""
    each = [[_cost(memory, asked, part, threads) for part in (_commits, _ask, _episode)] for _ in range(rounds)]
    print(f"{threads} at once (median of {rounds} rounds of {len(asked)}; {procedures} procedures):")
    for kind in ("wall", "cpu"):
        commits, asks, whole = (statistics.median(getattr(row[n], kind) for row in each) * 1e3 for n in range(3))
        print(
            f"  {kind:4}  an episode {whole:5.2f} ms = two commits {commits:5.2f} + search and prompt {asks:5.2f} "
            f"+ all else {whole - commits - asks:5.2f}"
        )


if __name__ == "__main__":
    main()
