"""The options of ``ask`` that choose and explain, ``--scope`` for every command, and ``duplicates``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import memp
from memp.cli.main import cli


def run(task: str, *actions: str) -> memp.Trajectory:
    return memp.Trajectory(task=task, steps=[memp.Step(action=action) for action in actions], reward=1.0)


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with two procedures of everybody's, and one of an agent's."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn([run("heat a mug", "take mug 1", "heat mug 1"), run("warm a mug", "take mug 2", "heat mug 2")])
        memory.learn([run("cool a mug", "take mug 1", "cool mug 1")], scope="team/agent", tags=["cold"])
    return str(path)


def call(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_explain_shows_every_part(store: str) -> None:
    """Every part of every score stands in the table, and the same in JSON."""
    shown = call("ask", store, "heat a cup", "--explain", "--diversity", "0.3").output
    found = json.loads(call("ask", store, "heat a cup", "--diversity", "0.3", "--json").output)["matches"]
    for part in found[0]["parts"]:
        assert part.replace("_", " ") in shown
    assert "pattern points" not in call("ask", store, "heat a cup").output


def test_where_leaves_only_what_meets_it(store: str) -> None:
    """A condition restricts the answer; one that nothing meets says so; a bad one says what is possible."""
    tagged = json.loads(call("--scope", "team/agent", "ask", store, "a mug", "--where", "tag=cold", "--json").output)
    assert [match["procedure"]["name"] for match in tagged["matches"]] == ["cool-a-mug"]
    assert "--where" in call("ask", store, "a mug", "--where", "tag=cold").output
    with pytest.raises(memp.InvalidInputError, match="tag=kitchen"):
        call("ask", store, "a mug", "--where", "tagg=cold")


def test_scope_is_for_every_command(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, or the environment, says whose memory it is."""
    assert len(json.loads(call("list", store, "--json").output)) == 2
    assert len(json.loads(call("--scope", "team/agent", "list", store, "--json").output)) == 3
    monkeypatch.setenv("MEMP_SCOPE", "team")
    assert len(json.loads(call("list", store, "--json").output)) == 2


def test_duplicates_are_shown_with_their_diff(store: str) -> None:
    """The pair, what they share, and how they differ; the same as JSON."""
    shown = call("duplicates", store).output
    assert "same skeleton" in shown
    assert "1 pair." in shown
    [pair] = json.loads(call("duplicates", store, "--json").output)
    assert {pair["first"], pair["second"]} == {"heat-a-mug", "warm-a-mug"}
    assert pair["change"]["fields"]
