"""
What induction costs: 1,000 invented runs of 20 steps, beside bare lifting of their actions.

Run it with ``python -m bench induce``. Lifting is what every builder of scripts must do at least once per action; the
ratio says what the rest of induction (searches, parameters, keys, joining, writing) adds to it.
"""

from __future__ import annotations

import random
import statistics
import time

import memp
from memp.build.base import SourcedRun
from memp.build.induce import Induce
from memp.model import TrajectoryId
from memp.script import lift
from memp.script.loader import load_shipped_toolset, shipped_names

RUNS = 1_000
STEPS = 20
ROUNDS = 5

THINGS = ("pear", "shoe", "brush", "candle", "book", "key")
PLACES = ("shelf", "drawer", "crate", "rack", "stool", "chest")


def invented_run(seed: int) -> memp.Trajectory:
    """Return a run that *seed* makes up."""
    return _run(random.Random(seed))


def _run(rng: random.Random) -> memp.Trajectory:
    """Return a run that looks for a thing in many places and puts it somewhere, hot, cool or as it is."""
    thing, target = rng.choice(THINGS), rng.choice(PLACES)
    deed = rng.choice(["heat", "cool", "clean", ""])
    task = f"{deed} some {thing} and put it in {target}" if deed else f"put a {thing} in {target}"
    actions: list[tuple[str, str]] = []
    for _ in range((STEPS - 6) // 2):
        place = f"{rng.choice(PLACES)} {rng.randint(1, 9)}"
        actions += [(f"go to {place}", f"You arrive at {place}. The {place} is closed."), (f"open {place}", "It is.")]
    here = actions[-1][0].removeprefix("open ")
    actions += [(f"take {thing} 1 from {here}", "You have it.")]
    if deed:
        actions += [("go to bench 1", "Here."), (f"{deed} {thing} 1 with bench 1", "Done.")]
    actions += [(f"go to {target} 1", "Here."), (f"move {thing} 1 to {target} 1", "Done.")]
    while len(actions) < STEPS:
        actions.insert(0, ("look", "You see a room."))
    steps = [memp.Step(action=action, observation=answer) for action, answer in actions]
    return memp.Trajectory(task=task, steps=steps, reward=1.0)


def main() -> None:
    """Print seconds, procedures and the ratio to bare lifting."""
    rng = random.Random(11)
    runs = [SourcedRun(id=TrajectoryId(str(number)), trajectory=_run(rng)) for number in range(RUNS)]
    toolsets = tuple(load_shipped_toolset(name) for name in shipped_names())
    household = load_shipped_toolset("household")
    pairs: list[tuple[float, float]] = []
    drafts = 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for run in runs:
            for action in run.trajectory.actions:
                lift(action, household)
        lifted = time.perf_counter()
        drafts = len(Induce(toolsets=toolsets).build(runs))
        pairs.append((lifted - start, time.perf_counter() - lifted))
    bare, full = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(full / bare for bare, full in pairs)
    print(f"{RUNS} runs of {STEPS} steps: {drafts} procedures in {full:.2f} s; lifting {bare:.2f} s; ratio {ratio:.1f}")


if __name__ == "__main__":
    main()
