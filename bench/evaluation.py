"""
What it costs to ask a hundred versions the same questions: in one store that shares its work, and otherwise.

    python -m bench evaluation
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import memp
from memp.evaluation.household import make_tasks
from memp.evaluation.runner import Runner
from memp.testing import memory_fed_with

RUNS = 3_000
"""Runs that are learned, each its own procedure; as many texts as are still searched exactly."""

VERSIONS = 100
TASKS = 60

REBUILT = 4
"""Versions, evenly spread, that are rebuilt to see what one costs; a hundred would take minutes and say the same."""


def main() -> None:
    """Print seconds and ratios."""
    step = memp.Step(action="look", observation="You see nothing special.")
    tasks = enumerate(make_tasks(RUNS, seed=1))
    runs = [memp.Trajectory(task=f"{task.text} in room {number}", steps=(step,), reward=1.0) for number, task in tasks]
    suite = memp.suite("household", n=TASKS)
    with tempfile.TemporaryDirectory() as folder, memp.open(Path(folder) / "agent.duckdb") as memory:
        size = RUNS // VERSIONS
        for number in range(VERSIONS):
            memory.learn(runs[number * size : (number + 1) * size], policy="vanilla")
            memory.tag(f"v{number}")
        views = {f"v{number}": memory.at(f"v{number}") for number in range(VERSIONS)}

        began = time.perf_counter()
        for view in views.values():
            for task in suite.tasks:
                view.retrieve(task.text)
        alone = time.perf_counter() - began

        began = time.perf_counter()
        with memory.asked_again():
            for view in views.values():
                for task in suite.tasks:
                    view.retrieve(task.text)
        shared = time.perf_counter() - began

        records = list(memory.events())
        began = time.perf_counter()
        for number in range(REBUILT):
            until = views[f"v{(number + 1) * VERSIONS // REBUILT - 1}"].position
            with memory_fed_with([record for record in records if record.position <= until], memory) as twin:
                for task in suite.tasks:
                    twin.retrieve(task.text)
        rebuilt = (time.perf_counter() - began) * VERSIONS / REBUILT

        began = time.perf_counter()
        with Runner(memory, suite) as runner:
            runner.play(runner.plan(dict(views)))
            plays = runner.plays
        whole = time.perf_counter() - began

    print(f"{VERSIONS} versions, {TASKS} tasks, {RUNS} procedures in the last, {len(records)} events")
    print(f"a store rebuilt for each version   {rebuilt:8.2f} s")
    print(f"one store, each version alone      {alone:8.2f} s   {rebuilt / alone:6.1f} times faster")
    print(f"one store, work shared             {shared:8.2f} s   {rebuilt / shared:6.1f} times faster")
    print(f"the whole evaluation               {whole:8.2f} s   {plays} of {VERSIONS * TASKS} plays were played")


if __name__ == "__main__":
    main()
