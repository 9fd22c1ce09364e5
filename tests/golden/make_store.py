"""
Write a store of today's version, to be kept for ever: ``python tests/golden/make_store.py NAME``.

It writes ``stores/NAME.duckdb.gz``, its witness, and ``stores/NAME.json`` with what the store must fold to. Do this
once for each released version; a file that was released is never written again.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import tempfile
from pathlib import Path

import memp
from memp.log import Identity

STORES = Path(__file__).parent / "stores"

NOON = 1_767_225_600_000_000
"""The time of the first event, microseconds since 1970 UTC; each look at the clock is a second later."""


def identity() -> Identity:
    """Return times and ids that are the same every time."""
    rng, ticks = random.Random(1), iter(range(10**9))
    return Identity(clock=lambda: NOON + next(ticks) * 1_000_000, entropy=rng.randbytes)


def run(task: str, *actions: str, reward: float = 1.0) -> memp.Trajectory:
    """Return a run of a world that does not exist."""
    steps = [memp.Step(action=action, observation=f"You {action}.", thought="…") for action in actions]
    return memp.Trajectory(task=task, steps=steps, reward=reward, extra={"ü": [1e-7, None, "\u2028"]})


def live(memory: memp.Memory) -> None:
    """Change a memory in every way that this version knows."""
    memory.learn(
        [
            run("warm a bowl", "go to shelf 1", "take bowl 1", "warm bowl 1"),
            run("cool a jar", "go to shelf 2", "take jar 1", "cool jar 1"),
            run("fold a towel", "fold towel 1"),
            run("fold a sheet", "wait", reward=0.0),
        ],
        key="first",
    )
    bowl, jar, towel = memory.procedures()
    memory.validate(bowl.id, success=True, steps=3, reason="it worked")
    memory.validate(bowl.id, reward=0.25, judge="model", weight=0.5)
    memory.reflect(bowl.id, script='do("look first")\n', critique="it never looked")
    memory.reflect(jar.id, script='do("cool it")\n', critique="too long", activate=True)
    memory.tag("before", reason="a name")
    merged = memory.merge([jar.id, towel.id], reason="they belong together")
    memory.erase(bowl.id, reason="no longer wanted")
    memory.unerase(bowl.id, reason="wanted after all")
    undone = memory.erase(str((merged.data or {})["procedure_id"]), reason="by mistake")
    memory.undo([undone.event_id], reason="it was a mistake")
    fork = memory.fork("trial", reason="to try")
    fork.learn([run("dust a lamp", "dust lamp 1")])
    memory.promote("trial", reason="it is good")


def said(memory: memp.Memory) -> dict[str, object]:
    """Return what a store must say for ever."""
    return {
        "head": str(memory.head()),
        "state": memory.state_digest(),
        "before": memory.at("before").state_digest(),
        "events": [record.type for record in memory.events()],
        "procedures": [[p.name, p.status, p.support, p.evidence.episodes] for p in memory.procedures(everything=True)],
    }


def main() -> None:
    """Write the files."""
    name = sys.argv[1]
    STORES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.duckdb"
        with memp.open(path, actor="golden", identity=identity()) as memory:
            live(memory)
        with memp.open(path, read_only=True) as memory:
            wanted = said(memory)
        for suffix in ("", ".witness"):
            content = Path(f"{path}{suffix}").read_bytes()
            (STORES / f"{path.name}{suffix}.gz").write_bytes(gzip.compress(content, mtime=0))
    (STORES / f"{name}.json").write_text(json.dumps(wanted, indent=1) + "\n")


if __name__ == "__main__":
    main()
