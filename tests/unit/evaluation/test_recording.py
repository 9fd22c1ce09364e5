"""Letting somebody play a suite and writing the runs."""

from __future__ import annotations

import gzip
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

import memp
from memp.errors import InvalidInputError, NotFoundError, StorageError
from memp.evaluation.alfworld.expert import PackageExpert
from memp.evaluation.household import Game, solve
from memp.evaluation.household.expert import HouseholdExpert
from memp.evaluation.recording import EXPERTS, record_runs, run_row, write_runs
from memp.evaluation.suite import Suite, suite
from memp.model import Step, Trajectory


@pytest.fixture(scope="module")
def tasks() -> Suite:
    """Return six tasks of the household."""
    return suite("household", n=6, seed=3)


def test_the_experts_are_where_they_are_said_to_be() -> None:
    """Every suite with an expert names a class that is there."""
    named = {f"{made.__module__}:{made.__qualname__}" for made in (HouseholdExpert, PackageExpert)}
    assert set(EXPERTS.values()) == named


def test_the_expert_of_the_household_carries_out_its_plan(tasks: Suite) -> None:
    """Every task is won, in as many steps as the solver's plan has."""
    for task, run in zip(tasks.tasks, record_runs(tasks, "expert"), strict=True):
        assert isinstance(task.setting, Game)
        assert run.success
        assert run.actions == solve(task.setting)
        assert (run.task_id, run.agent) == (task.id, "expert")


def test_an_agent_plays_with_and_without_a_memory(tasks: Suite) -> None:
    """Without a memory the follower explores; served what was learned it wins what the explorer lost."""
    alone = list(record_runs(tasks, "explorer", seed=5))
    assert [run.actions for run in alone] == [run.actions for run in record_runs(tasks, "follower", seed=5)]
    assert [run.actions for run in alone] != [run.actions for run in record_runs(tasks, "explorer", seed=6)]
    with memp.open(":memory:") as memory:
        memory.tag("empty")
        memory.learn(list(record_runs(suite("household", n=12, seed=4), "expert")), build="induce")
        served = list(record_runs(tasks, "follower", seed=5, memory=memory))
        assert all(run.success for run in served)
        assert not all(run.success for run in alone)
        before = list(record_runs(tasks, "follower", seed=5, memory=memory, at="empty"))
        assert [run.actions for run in before] == [run.actions for run in alone]
        with pytest.raises(NotFoundError):
            next(record_runs(tasks, "follower", memory=memory, at="nowhere"))


def test_a_limit_of_steps_is_kept(tasks: Suite) -> None:
    """A run is as long as it may be."""
    assert max(len(run.steps) for run in record_runs(tasks, "explorer", max_steps=3)) == 3


def test_an_unknown_expert_or_agent_is_refused(tasks: Suite) -> None:
    """The message names who there is."""
    with pytest.raises(InvalidInputError, match="'agent' must be one of"):
        next(record_runs(tasks, "nobody"))
    other = Suite(name="other", version="1", tasks=tasks.tasks, make_environment=tasks.make_environment)
    with pytest.raises(InvalidInputError, match="an expert for household, alfworld only"):
        next(record_runs(other, "expert"))


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.jsonl.gz"])
def test_what_is_written_reads_back_the_same(tasks: Suite, tmp_path: Path, name: str) -> None:
    """Every run comes back as it was, and the same runs make the same bytes."""
    said = Step(action="look", observation="Ein Krug, größer als 1.", thought="Hm.", extra={"tokens": 3})
    runs = [*record_runs(tasks, "explorer"), Trajectory(task="t", steps=(said,), reward=0.5, extra={"seed": 1})]
    assert write_runs(runs, tmp_path / name) == 7
    counted = [attrs.evolve(run, extra={k: v for k, v in run.extra.items() if k != "steps"}) for run in runs]
    assert list(memp.read_trajectories(tmp_path / name)) == counted
    write_runs(iter(runs), tmp_path / f"again-{name}")
    assert (tmp_path / name).read_bytes() == (tmp_path / f"again-{name}").read_bytes()
    if name.endswith(".gz"):
        assert len(gzip.decompress((tmp_path / name).read_bytes()).splitlines()) == 7


def test_a_file_is_written_whole_or_not_at_all(tasks: Suite, tmp_path: Path) -> None:
    """What stops in the middle leaves nothing behind, and a file that is there is left alone."""

    def breaking() -> Iterator[Trajectory]:
        yield from record_runs(tasks, "explorer")
        raise OSError("the world is gone")

    with pytest.raises(OSError, match="the world is gone"):
        write_runs(breaking(), tmp_path / "runs.jsonl")
    assert list(tmp_path.iterdir()) == []
    write_runs([], tmp_path / "runs.jsonl")
    with pytest.raises(InvalidInputError, match="there already"):
        write_runs([], tmp_path / "runs.jsonl")


def test_what_the_disk_refuses_is_said(tasks: Suite, tmp_path: Path) -> None:
    """A folder that is not there is told of before anybody plays; a full disk leaves nothing behind."""

    played = record_runs(tasks, "explorer")
    with pytest.raises(InvalidInputError, match="in a folder that is there"):
        write_runs(played, tmp_path / "none" / "runs.jsonl")
    assert len(list(played)) == len(tasks.tasks)
    with pytest.raises(StorageError, match="cannot be written"), limit_of_files(1_000):
        write_runs(list(record_runs(tasks, "explorer")) * 40, tmp_path / "runs.jsonl")
    assert list(tmp_path.iterdir()) == []


@contextmanager
def limit_of_files(size: int) -> Iterator[None]:
    """Let no file grow beyond *size* bytes, as if the disk were full; Python turns the signal into an error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_nothing_empty_is_written() -> None:
    """A line says what is known, and no more."""
    run = Trajectory(task="t", steps=(Step(action="go", observation=""),))
    assert set(run_row(run)) == {"task", "steps"}
