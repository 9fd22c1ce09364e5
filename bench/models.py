"""
What asking costs beside the model: time for each question, and what asking several at once saves.

Run it as ``python bench/models.py``. A scripted server on this machine answers after a fixed delay, so that what is
over the delay is ours: template, client, form, check, and the events.
"""

from __future__ import annotations

import statistics
import time

import memp
from memp.testing import Asked, ScriptedServer

RUNS = 48
"""Runs, each a question of its own."""

ROUNDS = 3
"""The median of so many is told."""

SCRIPT = '''@procedure("put a hot {thing} in {target}")
def heat_it(thing: Object, target: Receptacle):
    """Heat something, then put it away."""
    source = find(thing)
    take(thing, source)
    heat(thing, "microwave 1")
    move(thing, target)
'''


def lived(number: int) -> memp.Trajectory:
    """A run of ten steps."""
    actions = [f"go to cabinet {place}" for place in range(1, 8)]
    actions += [f"take mug {number} from cabinet 7", f"heat mug {number} with microwave 1"]
    actions += [f"move mug {number} to shelf 1"]
    steps = [memp.Step(action=action, observation="On it, you see nothing.") for action in actions]
    return memp.Trajectory(task="put a hot mug in shelf", steps=steps, reward=1.0)


def seconds(delay: float, parallel: int) -> tuple[float, float]:
    """Return how long learning the runs takes, and how much processor time, in seconds, the server's included."""

    def answer(_: Asked) -> dict[str, str]:
        time.sleep(delay)
        return {"script": SCRIPT}

    with ScriptedServer() as server:
        server.when("put a hot", answer)
        model = memp.Model("scripted", base_url=server.url, mode="tools")
        with memp.open(":memory:", model=model) as memory:
            memory.learn([lived(0)], build="distil")  # loads the libraries
            began, busy = time.perf_counter(), time.process_time()
            memory.learn([lived(n) for n in range(1, RUNS + 1)], build="distil", together=1, parallel=parallel)
            return time.perf_counter() - began, time.process_time() - busy


def main() -> None:
    """Print a table."""
    print("delay of an answer   at once   ms a question   processor ms")
    for delay in (0.0, 0.2):
        for parallel in (1, 4, 8):
            took = [seconds(delay, parallel) for _ in range(ROUNDS)]
            wall, busy = (statistics.median(part) / RUNS * 1000 for part in zip(*took, strict=True))
            print(f"{delay * 1000:15.0f} ms {parallel:9d} {wall:15.1f} {busy:14.1f}")


if __name__ == "__main__":
    main()
