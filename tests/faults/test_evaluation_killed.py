"""An evaluation that is killed repeats nothing that was done, comes to the same, and leaves no worker behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import memp
from memp.evaluation.journal import Journal
from memp.evaluation.runner import Runner

from . import evaluating  # noqa: TID252

SCRIPT = Path(__file__).with_name("evaluating.py")
PATIENCE_S = 60.0


def lines(path: Path) -> int:
    """Return how many whole lines there are."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def descendants(pid: int) -> list[int]:
    """Return the processes below *pid*."""
    children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*children, *(far for child in children for far in descendants(child))]


def alive(pid: int) -> bool:
    """Return whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(ready: object, what: str) -> None:
    """Wait until *ready* returns something true."""
    assert callable(ready)
    end = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_in_the_middle(tmp_path: Path, workers: int) -> None:
    """SIGKILL in the middle: the next process does the rest, the sum is the whole, and no worker lives on."""
    journal = tmp_path / "journal"
    child = subprocess.Popen([sys.executable, SCRIPT, journal, str(workers)])
    try:
        wait_until(lambda: lines(journal) > 6, "nothing was played")
        below = descendants(child.pid)
        assert len(below) >= workers if workers > 1 else not below
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    wait_until(lambda: not any(alive(pid) for pid in below), "a worker lives on")
    done = lines(journal) - 1
    assert 6 <= done < 40
    with memp.open(":memory:") as memory:
        suite, agent = evaluating.measured_suite(), evaluating.Sleeper()
        with Runner(memory, suite, agent, journal=journal) as runner:
            resumed = runner.play(runner.plan({"none": "none", "random": "random", "main": "main"}))
            assert runner.plays == 40 - done
        assert resumed == memp.evaluate(memory, suite, agent)
    with Journal(journal, resumed.measured) as again:
        assert len(again.done) == 40
