"""
One bad event among two hundred: how often it is found, how often a wrong one is named, and what it takes.

    python examples/planted.py [--searches 200]

Every event changes what is served. An agent that does the same each time is asked first; then agents that win each task
by lot, where the event costs a share of the tasks. Nothing of memp is left out but the memory: the search and its tests
are those of ``memp bisect``.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence

from memp.evaluation.crossing import BUDGET, find_crossing

EVENTS = 200
"""Events between the good version and the bad one."""

BEFORE = 0.8
"""The share of tasks that is won before the event; single tasks are won with 0.6 to 1.0."""

CASES = ((24, 0.1), (24, 0.2), (24, 0.35), (24, 0.5), (60, 0.1), (60, 0.2), (60, 0.35), (60, 0.0))
"""Tasks of the suite, and what the event costs."""


def world(seed: int, *, tasks: int, fall: float, exact: bool) -> tuple[Callable[[int, int], Sequence[float]], int]:
    """Return what plays a version, and the event that hurts."""
    lot = random.Random(seed)
    event = lot.randrange(1, EVENTS + 1)
    chances = [BEFORE + 0.4 * (task / max(1, tasks - 1) - 0.5) for task in range(tasks)]

    def play(version: int, _round: int) -> list[float]:
        now = [chance - (fall if version >= event else 0.0) for chance in chances]
        return [float(chance > 0.5) if exact else float(lot.random() < chance) for chance in now]

    return play, event


def main() -> None:
    """Print one line for each kind of agent, suite and fall."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--searches", type=int, default=200)
    searches = parser.parse_args().searches
    print(f"{'agent':<10} {'tasks':>5} {'fall':>5} {'found':>6} {'wrong':>6} {'cannot tell':>12} {'evaluations':>12}")
    for exact, tasks, fall in ((True, 60, 0.35), *((False, *case) for case in CASES)):
        found = wrong = evaluations = 0
        for seed in range(searches):
            play, event = world(seed, tasks=tasks, fall=fall, exact=exact)
            one = find_crossing(play, EVENTS + 1, exact=exact)
            right = one.found and one.bad == event and fall > 0
            found += right
            wrong += one.found and not right
            evaluations += one.evaluations
        name = "the same" if exact else "by lot"
        untold = searches - found - wrong
        shares = f"{found / searches:6.0%} {wrong / searches:6.1%} {untold / searches:12.0%}"
        print(f"{name:<10} {tasks:>5} {fall:>5.2f} {shares} {evaluations / searches:12.1f}")
    print(f"\nat most {BUDGET} evaluations besides the two ends for agents that vary, error rate 5 %")


if __name__ == "__main__":
    main()
