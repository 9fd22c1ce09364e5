"""Patterns on recorded runs of a real agent: do they lead to the right kind of task where names mislead?"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from memp.embedding import HashedEmbedder
from memp.model import Step, Trajectory
from memp.retrieval.patterns import mask_query, normal_pattern, pattern_words, task_pattern
from memp.retrieval.scoring import exact_scores

RIGHT_SHARE_MIN = 0.9
"""Share of questions whose first match is of the right kind. Measured: 0.992 by pattern, 0.815 by plain likeness."""


def read(file: Path) -> list[Trajectory]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Trajectory(
            task=row["task"],
            task_type=row["task_type"],
            success=row["success"],
            steps=[Step(action=step["action"], observation=step["observation"]) for step in row["steps"]],
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def learned(shared_data: Path) -> list[Trajectory]:
    """Return the won runs of one agent; the rule was tuned on these and on ``expert_train`` alone."""
    runs = read(shared_data / "alfworld_runs" / "knowagent_llama2_train.jsonl.gz")
    return [run for run in runs if run.success]


@pytest.fixture(scope="module")
def asked(shared_data: Path) -> dict[str, str | None]:
    """Return tasks of other rooms in other wordings, with their kinds, each once."""
    runs = read(shared_data / "alfworld_runs" / "expert_valid_seen.jsonl.gz")
    return {run.task: run.task_type for run in runs}


def right_share(learned: list[Trajectory], asked: dict[str, str | None], *, by_pattern: bool) -> float:
    """Return the share of questions whose first match is of the right kind."""
    embedder = HashedEmbedder()
    patterns = [normal_pattern(task_pattern(run)) for run in learned]
    fixed = frozenset[str]().union(*map(pattern_words, patterns))
    by_task, by_kind = embedder.embed([run.task for run in learned]), embedder.embed(patterns)
    right = 0
    for task, kind in asked.items():
        query, masked = embedder.embed([task, normal_pattern(mask_query(task, fixed))])
        scores = exact_scores(query, by_task)
        first = exact_scores(masked, by_kind) if by_pattern else np.zeros(len(learned))
        best = max(range(len(learned)), key=lambda row: (first[row], scores[row]))
        right += learned[best].task_type == kind
    return right / len(asked)


def test_patterns_find_the_right_kind_of_task(learned: list[Trajectory], asked: dict[str, str | None]) -> None:
    """Nine of ten questions about other rooms find a run of the right kind first, and more than by plain likeness."""
    by_pattern = right_share(learned, asked, by_pattern=True)
    assert by_pattern >= RIGHT_SHARE_MIN
    assert by_pattern > right_share(learned, asked, by_pattern=False)


def test_many_tasks_share_few_patterns(learned: list[Trajectory]) -> None:
    """Hundreds of runs of six kinds of task come down to at most three patterns a kind."""
    patterns = {normal_pattern(task_pattern(run)) for run in learned}
    assert len(patterns) <= 3 * len({run.task_type for run in learned})
