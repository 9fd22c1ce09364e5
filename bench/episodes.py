"""
What an episode costs beyond its two commits, in a memory of ten thousand procedures, alone and with sixteen agents.

The same two batches are appended by themselves, and the difference is memp's own work: searching, rendering, credit and
policies. Both are timed in turn within each round.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path

import memp
from bench.retrieval import _run, _tasks
from memp.decide import single
from memp.events import EpisodeFinished, EpisodeStarted
from memp.model import EpisodeId

THREADS = 16
"""Agents at once."""


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


def _seconds(memory: memp.Memory, tasks: list[str], one: object, threads: int) -> float:
    """Return the wall time of doing *one* for each task, shared among *threads*."""
    assert callable(one)

    def work(mine: list[str]) -> None:
        for number, task in enumerate(mine):
            one(memory, task, success=number % 3 != 0)

    workers = [threading.Thread(target=work, args=(tasks[n::threads],)) for n in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - start


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
    commits, asks, rest = [], [], []
    for _ in range(rounds):
        commits.append(_seconds(memory, asked, _commits, threads) / len(asked))
        asks.append(_seconds(memory, asked, _ask, threads) / len(asked))
        rest.append(_seconds(memory, asked, _episode, threads) / len(asked) - commits[-1] - asks[-1])
    figures = [1e3 * statistics.median(one) for one in (commits, asks, rest)]
    print(
        f"{threads} at once: two commits {figures[0]:.2f} ms, searching and rendering {figures[1]:.2f} ms, all else "
        f"that an episode does {figures[2]:.2f} ms (median of {rounds} rounds of {len(asked)}; {procedures} procedures)"
    )


if __name__ == "__main__":
    main()
