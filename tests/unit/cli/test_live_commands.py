"""The commands about what agents did: episodes, evidence, candidates, verdicts, the queue and the rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import memp
from memp.cli.main import cli

Call = Callable[..., Result]


def run(task: str, *actions: str, reward: float = 1.0) -> memp.Trajectory:
    steps = [memp.Step(action=action, observation="Done.") for action in actions]
    return memp.Trajectory(task=task, steps=steps, reward=reward)


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store in which an agent solved one task, failed at one and left one; a candidate and two runs wait."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path, actor="agent") as memory:
        memory.learn([run("find two pens", "take pen 1"), run("find 2 pens", "take pen 2", "look")])
        for reward in (1.0, 0.0):
            with memory.episode("find two pens", k=1, policy="none") as episode:
                episode.step(action="take pen 1", observation="Done.")
                episode.finish(reward=reward, tokens=10)
        with memory.episode("knit a sock", k=1, policy="none"):
            pass
        memory.reflect("find-two-pens", script='do("take the blue pen")', critique="it was the red one")
        memory.learn_later([run("water plants", "water plant 1"), run("open a window", "open window 1", reward=0.0)])
    return str(path)


def call(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def said(*arguments: str) -> Any:
    """What a command prints with ``--json``."""
    return json.loads(call(*arguments, "--json").output)


def test_episodes_are_listed_with_what_they_were_served(store: str) -> None:
    """Status, outcome and served procedures stand in the table; JSON has all of it; --last takes the newest."""
    shown = call("episodes", store).output
    for text in ("finished", "abandoned", "yes", "no", "find-two-pens", "knit a sock"):
        assert text in shown
    everything = said("episodes", store)
    assert [one["success"] for one in everything] == [True, False, None]
    assert said("episodes", store, "--last", "1") == everything[-1:]
    assert said("episodes", store, "--last", "0") == everything


def test_evidence_is_said_as_people_say_it(store: str) -> None:
    """Counts, interval, steps, tokens and support stand apart, in words and in JSON."""
    shown = call("evidence", store, "find-two-pens").output
    assert "find-two-pens: helped in 1 of 2 (95 %: .06–.94)" in shown
    assert "10 tokens" in shown
    assert "built from 1 run" in shown
    found = said("evidence", store, "find-two-pens", "--half-life", "3.5")
    assert (found["episodes"], found["support"], found["tokens"]) == (2, 1, 10.0)
    with pytest.raises(memp.ProcedureNotFoundError):
        call("evidence", store, "nothing")


def test_a_candidate_waits_for_a_verdict_and_gets_it(store: str) -> None:
    """The list says where it stands and why; accepting it makes it active, and no verdict comes twice."""
    shown = call("candidates", store).output
    assert "it was the red one" in shown
    [candidate] = said("candidates", store)
    assert candidate["procedure"] == "find-two-pens"
    assert "blue" in candidate["script"]
    assert "Accepted." in call("accept", store, candidate["revision"], "--reason", "it is better").output
    assert "No candidate waits." in call("candidates", store).output
    assert "take the blue pen" in call("show", store, "find-two-pens").output
    with pytest.raises(memp.ConflictError):
        call("reject", store, candidate["revision"], "--reason", "no")


def test_a_candidate_is_rejected_by_its_position(store: str) -> None:
    """A verdict names the event by its position too, says so in JSON, and needs a reason."""
    position = call("candidates", store).output.split("find-two-pens")[0].split()[-1]
    assert call("reject", store, position).exit_code == 2
    record = said("reject", store, position, "--reason", "the red one was right")
    assert record["type"] == "revision-rejected"
    assert said("candidates", store) == []


def test_the_queue_is_listed_dropped_and_drained(store: str) -> None:
    """What waits is listed; dropping needs a reason and an id that waits; draining learns from the rest once."""
    assert "water plants" in call("queue", store).output
    waiting = said("queue", store)
    assert [one["task"] for one in waiting] == ["water plants", "open a window"]
    dropped = waiting[1]["id"]
    assert call("queue", store, "--drop", dropped).exit_code == 2
    assert "Dropped." in call("queue", store, "--drop", dropped, "--reason", "it was a test").output
    with pytest.raises(memp.NotFoundError):
        call("queue", store, "--drop", dropped, "--reason", "again")
    assert "Learned from 1 run: 1 new procedure" in call("drain", store).output
    assert "No run waits." in call("queue", store).output
    assert said("drain", store, "--limit", "3")["runs"] == 0


def test_the_rules_are_shown_and_set(store: str) -> None:
    """Without names the rules in force are shown; with names they are set, for all that comes after."""
    assert "Nothing was set: validation decides." in call("policy", store).output
    assert said("policy", store) is None
    set_ = ["policy", store, "validation", "erasure", "--half-life", "30", "--max-procedures", "9"]
    assert "Set." in call(*set_, "--reason", "we tidy up").output
    shown = call("policy", store).output
    for text in ("validation, erasure", "30 days", "9", "we tidy up"):
        assert text in shown
    assert said("policy", store)["half_life_days"] == 30.0
    with pytest.raises(memp.InvalidInputError, match="policy"):
        call("policy", store, "no-such")


def test_the_log_reads_as_sentences(store: str) -> None:
    """The log says of each episode, run that waits and rule what happened."""
    shown = " ".join(call("log", store, "-n", "0").output.split())
    for text in ("An agent began:", "The agent solved its task", "The episode was abandoned", "Put a run by for later"):
        assert text in shown


@pytest.mark.parametrize("command", ["episodes", "candidates", "queue", "policy"])
def test_an_empty_store_is_told_apart_from_a_missing_one(command: str, tmp_path: Path) -> None:
    """Reading never makes a store: a missing one is an error, and an empty one has nothing to list."""
    path = tmp_path / "none.duckdb"
    with pytest.raises(memp.StoreNotFoundError):
        call(command, str(path))
    assert not path.exists()
    memp.open(path).close()
    assert call(command, str(path)).exit_code == 0
