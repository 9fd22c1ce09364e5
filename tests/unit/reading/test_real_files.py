"""Files of real runs, where they lie beside the checkout, and the examples that ship with it."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from memp.reading import read_trajectories

if TYPE_CHECKING:
    from pathlib import Path

    from memp.errors import TrajectoryFormatError

RUN_FILES = {
    "alfworld_runs/expert_train.jsonl.gz": (241, 13),
    "alfworld_runs/expert_valid_seen.jsonl.gz": (126, 14),
    "alfworld_runs/knowagent_llama2_train.jsonl.gz": (260, 522),
    "alfworld_runs/runs_with_lessons_valid_seen.jsonl.gz": (4, 7),
    "alfworld_runs/worked_examples.jsonl.gz": (24, 0),
    "hotpotqa_runs/knowagent_llama2.jsonl.gz": (90, 254),
    "hotpotqa_runs/reflexion_trials.jsonl.gz": (135, 232),
    "scienceworld_runs/gold_train_dev.jsonl.gz": (349, 2),
    "scienceworld_runs/retrospex_train.jsonl.gz": (291, 451),
    "taubench_airline/gpt4o_trials.jsonl.gz": (40, 80),
    "textworld_cooking/walkthroughs_train_valid.jsonl.gz": (52, 0),
    "travelplanner/plans_train.jsonl.gz": (59, 796),
    "travelplanner/plans_validation.jsonl.gz": (59, 1981),
}
"""Won and lost runs of every file, as its own documentation counts them."""

OTHER_FILES = ("alfworld_games/train.jsonl.gz", "alfworld_games/valid_seen.jsonl.gz", "travelplanner/tasks.jsonl.gz")
"""Files of tasks, which are no runs."""


@pytest.mark.parametrize("name", RUN_FILES)
def test_a_file_of_real_runs_is_read_whole(shared_data: Path, name: str) -> None:
    """Every line is a run, and as many were won and lost as the source says."""
    runs = list(read_trajectories(shared_data / name))
    won = sum(run.success is True for run in runs)
    lost = sum(run.success is False for run in runs)
    assert (won, lost) == RUN_FILES[name]
    assert len(runs) == won + lost
    assert all(run.digest and (run.steps or not run.success) for run in runs)


@pytest.mark.parametrize("name", OTHER_FILES)
def test_a_file_of_tasks_is_refused_line_by_line(shared_data: Path, name: str) -> None:
    """A line that is no run has an error of its own that says what a run would have."""
    bad: list[TrajectoryFormatError] = []
    assert list(read_trajectories(shared_data / name, on_bad_line=bad.append)) == []
    with gzip.open(shared_data / name, "rt", encoding="utf-8") as file:
        assert [error.line for error in bad] == [number for number, _ in enumerate(file, 1)]
    assert all("is not a run" in str(error) for error in bad)


@pytest.mark.parametrize("name", ["runs.jsonl", "chat.jsonl", "react.jsonl"])
def test_the_examples_are_read_whole(repository: Path, name: str) -> None:
    """The examples that ship are runs with a known outcome, some won and some lost."""
    runs = list(read_trajectories(repository / "examples" / name))
    assert {run.success for run in runs} == {True, False}
    assert all(len(run.actions) >= 2 for run in runs)
