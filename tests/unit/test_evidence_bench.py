"""The driver of the evidence page, in small: it takes minutes at full size."""

from __future__ import annotations

import argparse

import pytest

from bench.evidence import NONE, RANDOM, RAW, WRONG, compare, live, print_tables, remember, served_by, types_of
from memp.evaluation.suite import suite


def test_the_tables_of_the_evidence_page_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    """Every arm does every task; there is a table for all tasks and two by type, with intervals."""
    chosen = argparse.Namespace(k=1, key=None, workers=1)
    compare(live(suite("household", n=12, seed=1)), suite("household", n=6, seed=2), chosen)
    said = capsys.readouterr().out
    for arm in (NONE, RANDOM, WRONG, RAW, "verbatim", "induce", "both"):
        assert said.count(f"\n| {arm} |") == 3
    assert "measured on 6 tasks of household" in said
    assert "| look (1) |" in said


def test_the_wrong_arm_serves_no_procedure_of_the_tasks_own_type() -> None:
    """What it serves was built from runs of other types alone."""
    tasks = suite("household", n=6, seed=2).tasks
    with remember(live(suite("household", n=12, seed=1)), "induce") as memory:
        types = types_of(memory)
        served = served_by(memory, WRONG, tasks, k=2, key=None)
        assert all(
            task.type not in types[known.id]
            for task, one in zip(tasks, served, strict=True)
            for known in one.procedures
        )
        assert all(one.procedures for one in served)
        assert all(not one.procedures for one in served_by(memory, NONE, tasks, k=1, key=None))


def test_an_arm_is_compared_with_none(capsys: pytest.CaptureFixture[str]) -> None:
    """What only the arm won and what only nothing won is counted."""
    from bench.evidence import Outcome

    def lived(*won: bool) -> list[Outcome]:
        return [Outcome(type="look_at_obj_in_light", won=one, steps=10 if one else 50) for one in won]

    print_tables({NONE: lived(True, False, False), "both": lived(False, True, True)})
    assert "| 2 | 1 | 1 |" in capsys.readouterr().out
