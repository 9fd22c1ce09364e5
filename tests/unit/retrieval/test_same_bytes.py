"""The same view gives the same bytes, in another process too."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import memp
run = lambda task: memp.Trajectory(task=task, steps=[memp.Step(action="take " + task)], reward=1.0)
with memp.open(":memory:") as memory:
    memory.learn([run(f"{verb} the {thing} in room {n}") for n in range(3) for verb in ("put", "heat", "paint")
                  for thing in ("mug", "egg", "red lamp")])
    for key in ("hybrid", "pattern", "query", "facts", "bm25", "random"):
        for diversity in (0.0, 0.3):
            found = memory.retrieve("heat the blue mug and put it in room 2", k=7, key=key, diversity=diversity)
            print(key, [(m.procedure.name, m.score, m.parts) for m in found], found.prompt())
"""


def test_every_key_answers_the_same_in_another_process() -> None:
    """Scores, parts, order and prompts do not depend on hash seeds, ids or times."""
    answers = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
        answers.add(done.stdout)
    assert len(answers) == 1
