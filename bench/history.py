"""
What a question about the past costs beside the same question now, for the keys ``query`` and ``pattern``.

The versions that are asked lie half-way through a life in which procedures were learned in fifty batches, some erased
and some changed; both sides are timed in turn within each round.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Sequence

import memp
from bench.retrieval import _run, _tasks

BATCHES = 50
"""Operations in the life; an old version differs from the present one by half of them."""


def _seconds(views: Sequence[memp.View], questions: list[str], key: str) -> float:
    start = time.perf_counter()
    for view, question in zip(views, questions, strict=True):
        view.retrieve(question, key=key)
    return time.perf_counter() - start


def main() -> None:
    """Print one line for each key."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--procedures", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    tasks = list(_tasks(options.procedures + 40, 50, random.Random(7)))
    learned, questions = tasks[: options.procedures], [task for task, _ in tasks[options.procedures :]]
    with memp.open(":memory:", actor="bench") as memory:
        for batch in range(BATCHES):
            memory.learn(_run(task, names) for task, names in learned[batch::BATCHES])
            live = memory.procedures()
            memory.erase(live[batch].id, reason="bench")
            memory.reflect(live[-1].id, script='do("something else")', critique="bench", activate=True)
        middle = memory.position // 2
        for key in ("query", "pattern"):
            one, many = [], []
            for number in range(options.rounds):
                now = _seconds([memory] * len(questions), questions, key)
                past = memory.at(middle)
                one.append(_seconds([past] * len(questions), questions, key) / now)
                fresh = [memory.at(middle + number * len(questions) + place) for place in range(len(questions))]
                many.append(_seconds(fresh, questions, key) / now)
            print(
                f"ask by {key}: one version of the past {statistics.median(one):.2f} of asking now, another version at "
                f"each question {statistics.median(many):.2f} (median of {options.rounds}; "
                f"{len(past.procedures())} procedures then, {len(memory.procedures())} now)"
            )


if __name__ == "__main__":
    main()
