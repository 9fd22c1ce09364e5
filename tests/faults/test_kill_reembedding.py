"""A change of embedders that is killed at any moment: answers are the old ones or the new ones, and it goes on."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import memp
from tests.faults.reembedding import Cut, runs_of

CHILD = Path(__file__).parent / "reembedding.py"
PROCEDURES = 24
LIVES_MAX = 40


def answers(view: memp.View) -> list[tuple[str, float]]:
    """What a version answers, with scores."""
    return [(match.procedure.name, match.score) for match in view.retrieve("carry a lamp number 7", 5, key="query")]


def live_and_die(store: Path, *, seconds: float) -> None:
    """Start a child that changes the embedder, and kill it so long after it opened the store."""
    with subprocess.Popen([sys.executable, CHILD, store], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == '"open"'
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=seconds)
        child.kill()


def test_a_change_of_embedders_survives_being_killed(tmp_path: Path, soak: bool, counts: Counter[str]) -> None:
    """After every SIGKILL the store is whole, answers as before or as after, and no piece is done twice or lost."""
    draw = random.Random(7)
    with memp.open(":memory:", embedder=Cut(3)) as other:
        other.learn(runs_of(PROCEDURES))
        new = answers(other)
    for number in range(15 if soak else 1):
        store = tmp_path / f"agent-{number}.duckdb"
        with memp.open(store) as memory:
            memory.learn(runs_of(PROCEDURES))
            old, before = answers(memory), memory.position
        assert old != new
        told = lives = 0
        done = False
        while not done:
            # The first ones die young, so that several must carry on where another stopped.
            live_and_die(store, seconds=draw.uniform(0.0, 0.15 if lives < 3 else 3.0))
            lives += 1
            assert lives < LIVES_MAX, "it never comes to its end"
            with memp.open(store) as memory:
                assert memory.verify().ok
                pieces = [(record.data or {})["revision"] for record in memory.events(type="texts-embedded")]
                done = any(memory.events(type="embedder-switched"))
                assert len(set(pieces)) == len(pieces) >= told, "a piece was done twice, or is gone"
                told = len(pieces)
                assert answers(memory.at(before)) == old
                if not done:
                    assert answers(memory) == old
        with memp.open(store, embedder=Cut(3)) as memory:
            assert answers(memory) == new
            assert answers(memory.at(before)) == old
        assert told == PROCEDURES
        counts["killed"] += lives
        counts["changes that came to their end"] += 1
