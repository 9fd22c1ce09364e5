"""``memp record`` as users run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import memp
from memp.cli.main import cli
from memp.errors import InvalidInputError


def test_runs_are_written_and_learned(tmp_path: Path) -> None:
    """What was recorded can be learned, and serves the next recording."""
    out, store, again = tmp_path / "runs.jsonl.gz", tmp_path / "s.duckdb", tmp_path / "served.jsonl"
    suite = ["--suite", "household", "-n", "6", "--seed", "1"]
    said = CliRunner().invoke(cli, ["record", str(out), *suite, "--agent", "expert"], catch_exceptions=False)
    assert said.output.endswith(f"Wrote 6 runs to {out}: 6 won, 0 lost.\n")
    assert CliRunner().invoke(cli, ["learn", str(store), str(out), "--build", "induce"]).exit_code == 0
    served = ["--agent", "follower", "--memory", str(store), "--max-steps", "40", "--json"]
    told = CliRunner().invoke(cli, ["record", str(again), *suite, *served], catch_exceptions=False)
    summary = json.loads(told.stdout)
    assert summary["runs"] == 6
    assert [run.agent for run in memp.read_trajectories(again)] == ["follower"] * 6
    assert sum(bool(run.success) for run in memp.read_trajectories(again)) == summary["won"]


def test_what_is_played_must_be_named(tmp_path: Path) -> None:
    """Without a suite there is nothing to do, and no file."""
    said = CliRunner().invoke(cli, ["record", str(tmp_path / "runs.jsonl")])
    assert said.exit_code == 2
    assert "--suite NAME" in said.output
    said = CliRunner().invoke(cli, ["record", str(tmp_path / "runs.jsonl"), "--suite", "household", "--at", "v1"])
    assert said.exit_code == 2
    assert "--memory STORE" in said.output
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    """Nothing is played, and the file stays as it is."""
    out = tmp_path / "runs.jsonl"
    out.write_text("mine")
    with pytest.raises(InvalidInputError, match="there already"):
        CliRunner().invoke(
            cli, ["record", str(out), "--suite", "household", "-n", "1"], catch_exceptions=False, standalone_mode=False
        )
    assert out.read_text() == "mine"
