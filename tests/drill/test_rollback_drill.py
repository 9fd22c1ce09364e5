"""
The rollback drill: poison a memory in five ways, let good things happen after, and take each poison back by the CLI.

Afterwards the memory must be, in state digest, ranking and prompt bytes, what a store is that was fed the same events
without the poison, and, where nothing later was made from the poison, one that lived the same life without it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import memp
from memp.evaluation.agent import play
from memp.evaluation.agents.explorer import Explorer
from memp.evaluation.household import Household, make_tasks
from memp.testing import memory_fed_with

BAD_SCRIPT = 'do("put everything into the garbagecan")\n'


@pytest.fixture(scope="module")
def runs() -> list[memp.Trajectory]:
    """What an explorer lived through in the household: real runs, won and lost."""
    world = Household()
    return [play(world, task, Explorer(seed=1), max_steps=50) for task in make_tasks(40, seed=3)]


def memp_cli(*arguments: object) -> str:
    """Run the command line in a process of its own, as a user does."""
    command = [sys.executable, "-c", "from memp.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def answers(memory: memp.View, tasks: Iterable[str]) -> list[object]:
    """State digest, ranking and prompt bytes; names rather than ids, which differ between stores."""
    shown: list[object] = [memory.state_digest()]
    for task in tasks:
        for key in ("pattern", "query"):
            found = memory.retrieve(task, k=3, key=key)
            shown.append([(match.procedure.content_key, match.score) for match in found])
            shown.append(found.prompt())
    return shown


Poison = Callable[[Path, list[memp.Trajectory]], list[object]]
"""Poisons the store at the path; returns the arguments of ``memp undo`` that take it back."""


def bad_reflection(path: Path, _: list[memp.Trajectory]) -> list[object]:
    """A reflection that throws everything away takes the place of what worked."""
    with memp.open(path) as memory:
        record = memory.reflect(memory.procedures()[0].id, script=BAD_SCRIPT, critique="too tidy", activate=True)
    return [record.event_id]


def bad_source(path: Path, runs: list[memp.Trajectory]) -> list[object]:
    """A run that was lost is handed in as won, for a task that was learned before."""
    won = next(run for run in runs[:20] if run.success)
    bad = memp.Trajectory(task=won.task, steps=won.steps[:2], reward=1.0, agent="a liar")
    with memp.open(path) as memory:
        report = memory.learn([bad])
        data = report.events[0].data
    assert data is not None
    return ["--source", data["trajectory_id"]]


def bad_actor(path: Path, runs: list[memp.Trajectory]) -> list[object]:
    """Somebody erases, praises and rewrites what they do not understand."""
    with memp.open(path, actor="intern") as memory:
        first, second, third = (procedure.id for procedure in memory.procedures()[:3])
        memory.erase(first, reason="untidy")
        for _ in range(5):
            memory.validate(second, reward=0.0, reason="did not like it")
        memory.reflect(third, script=BAD_SCRIPT, critique="too tidy", activate=True)
        memory.learn([memp.Trajectory(task="throw it all away", steps=runs[0].steps[:1], reward=1.0)])
    return ["--actor", "intern", "--since", "2020-01-01T00:00Z"]


def bad_hour(path: Path, runs: list[memp.Trajectory]) -> list[object]:
    """For an hour, everything that everybody did was wrong."""
    with memp.open(path) as memory:
        before = memory.position
    bad_actor(path, runs)
    bad_reflection(path, runs)
    with memp.open(path, read_only=True) as memory:
        times = [record.recorded_at for record in memory.events() if record.position > before]
    since, until = (datetime.fromtimestamp(at / 1_000_000, tz=UTC).isoformat() for at in (times[0], times[-1]))
    return ["--since", since, "--until", until]


def bad_branch(path: Path, runs: list[memp.Trajectory]) -> list[object]:
    """A trial goes wrong on a branch, and is promoted all the same."""
    with memp.open(path) as memory:
        trial = memory.fork("trial")
        trial.erase(trial.procedures()[0].id, reason="a try")
        trial.reflect(trial.procedures()[0].id, script=BAD_SCRIPT, critique="a try", activate=True)
        trial.learn([memp.Trajectory(task="throw it all away", steps=runs[0].steps[:1], reward=1.0)])
    memp_cli("promote", path, "trial", "--reason", "it looked good")
    with memp.open(path, read_only=True) as memory:
        promoted = list(memory.events(type="branch-promoted"))[-1]
    return ["--batch", promoted.event_id]


def good_things(path: Path, runs: list[memp.Trajectory]) -> None:
    """What happens afterwards and must not be lost."""
    with memp.open(path) as memory:
        memory.learn(runs[20:])
        for procedure in memory.procedures()[-2:]:
            memory.validate(procedure.id, reward=1.0, reason="it helped")
        memory.erase(memory.procedures()[-3].id, reason="no longer needed")


@pytest.mark.parametrize("build", ["verbatim", "induce"])
@pytest.mark.parametrize("poison", [bad_reflection, bad_source, bad_actor, bad_hour, bad_branch])
def test_a_poison_is_taken_back_and_the_good_stays(
    tmp_path: Path, runs: list[memp.Trajectory], poison: Poison, build: str
) -> None:
    """After the undo, the memory is what it would be without the poison; the dry run said so before."""
    path, clean_path = tmp_path / "poisoned.duckdb", tmp_path / "clean.duckdb"
    tasks = [run.task for run in runs[:6]]
    for store in (path, clean_path):
        with memp.open(store) as memory:
            memory.learn(runs[:20], build=build)
    with memp.open(path, read_only=True) as memory:
        before = memory.position
    undo = poison(path, runs)
    with memp.open(path, read_only=True) as memory:
        poisoned = {r.event_id for r in memory.events() if r.position > before and r.branch == "main"}
        assert answers(memory, tasks) != answers(memory.at(before), tasks)
    for store in (path, clean_path):
        good_things(store, runs)
    dry = json.loads(memp_cli("undo", path, *undo, "--cascade", "--dry-run", "--json"))
    with memp.open(path, read_only=True) as memory:
        records = list(memory.events())
    memp_cli("undo", path, *undo, "--cascade", "--reason", "the drill")
    with memp.open(path) as memory, memp.open(clean_path) as clean:
        undone = next(record for record in reversed(list(memory.events(type="events-undone"))))
        assert undone.data is not None
        assert sorted(dry["undone"]) == sorted(undone.data["undone"])
        never = memory_fed_with([r for r in records if r.event_id not in poisoned], memory)
        assert answers(memory, tasks) == answers(never, tasks)
        assert answers(memory, tasks) == answers(clean, tasks)
        # And back again: what was taken away is not lost.
        memory.undo([undone.event_id], reason="the drill is over")
