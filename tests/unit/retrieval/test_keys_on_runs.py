"""The keys on recorded runs of a real agent: how often each leads to the right kind of task."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import memp

RIGHT_MIN = {"hybrid": 0.99, "pattern": 0.98, "query": 0.75, "bm25": 0.7, "facts": 0.6}
"""Share of questions whose first match is of the right kind. Measured: 1.000, .992, .815, .746, .685."""

RANDOM_MAX = 0.35
"""The same for matches drawn by lot. Measured: .238."""


def read(file: Path) -> list[memp.Trajectory]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        memp.Trajectory(
            task=row["task"],
            task_type=row["task_type"],
            success=row["success"],
            steps=[memp.Step(action=step["action"], observation=step["observation"]) for step in row["steps"]],
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def memory(shared_data: Path) -> Iterator[memp.Memory]:
    """A memory of the won runs of one agent."""
    with memp.open(":memory:", index="exact") as memory:
        memory.learn(read(shared_data / "alfworld_runs" / "knowagent_llama2_train.jsonl.gz"))
        yield memory


@pytest.fixture(scope="module")
def asked(shared_data: Path) -> dict[str, str | None]:
    """Tasks of other rooms in other wordings, with their kinds, each once."""
    return {run.task: run.task_type for run in read(shared_data / "alfworld_runs" / "expert_valid_seen.jsonl.gz")}


def right_share(memory: memp.Memory, asked: dict[str, str | None], key: str) -> float:
    """Return the share of questions whose first match is of the right kind."""
    kinds = {p.id: p.run.task_type for p in memory.procedures() if p.run is not None}
    right = [kinds[memory.retrieve(task, k=1, key=key)[0].procedure.id] == kind for task, kind in asked.items()]
    return sum(right) / len(right)


def test_every_key_leads_to_the_right_kind(memory: memp.Memory, asked: dict[str, str | None]) -> None:
    """Each key does as well as measured, and the default at least as well as any other."""
    shares = {key: right_share(memory, asked, key) for key in RIGHT_MIN}
    for key, least in RIGHT_MIN.items():
        assert shares[key] >= least, (key, shares)
    assert shares["hybrid"] == max(shares.values())
    assert right_share(memory, asked, "random") <= RANDOM_MAX
