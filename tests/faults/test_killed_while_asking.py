"""A process that dies while a model is asked: what was answered is done, and the rest can be done again."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import memp
from memp.testing import Asked, Fail, ScriptedServer

SCRIPT = """@procedure("{word} the {{thing}}")
def {word}_it(thing: Text):
    do(f"{word} {{thing}}")
"""
WORDS = ("stir", "peel", "chop", "boil")

CHILD = """
import sys
import memp
model = memp.Model("small", base_url=sys.argv[2], attempts=1, timeout_s=60)
rows = [
    memp.Trajectory(task=f"{word} the soup", steps=[memp.Step(action=f"{word} soup")], reward=1.0)
    for word in sys.argv[3:]
]
with memp.open(sys.argv[1], model=model) as memory:
    memory.learn(rows, build="distil", parallel=1)
"""


def test_a_process_that_is_killed_while_it_asks_leaves_what_was_answered(tmp_path: Path) -> None:
    """Two questions are answered and the third hangs: two procedures are there, whole, and learning again adds two."""
    path, hangs = tmp_path / "agent.duckdb", True

    def answer(asked: Asked) -> object:
        word = next(word for word in WORDS if f"Task: {word} the soup" in asked.text)
        return Fail(how="timeout") if hangs and word == "chop" else {"script": SCRIPT.format(word=word)}

    with ScriptedServer() as server:
        server.when("the soup", answer)  # type: ignore[arg-type]
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(path), server.url, *WORDS])
        try:
            deadline = time.monotonic() + 60
            while not any("Task: chop the soup" in asked.text for asked in server.requests):
                assert child.poll() is None, "the child ended before it could be killed"
                assert time.monotonic() < deadline, "the third question was never asked"
                time.sleep(0.02)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
        hangs = False
        with memp.open(path, model=memp.Model("small", base_url=server.url)) as memory:
            assert memory.verify().ok
            # One at a time, an answer is appended before the next question goes out.
            assert [one.name for one in memory.procedures()] == ["stir-it", "peel-it"]
            assert len(list(memory.events(type="model-called"))) == 2
            rows = [
                memp.Trajectory(task=f"{word} the soup", steps=[memp.Step(action=f"{word} soup")], reward=1.0)
                for word in WORDS
            ]
            report = memory.learn(rows, build="distil")
            assert (report.known, report.added) == (2, ("chop-it", "boil-it"))
            assert memory.verify().ok
