"""The commands that ask a model, run as a user runs them against a scripted endpoint."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import memp
from memp.cli.main import main
from memp.testing import ScriptedServer

Run = Callable[..., tuple[int, str, str]]

HEAT = '''@procedure("put a hot {thing} in {target}")
def heat_it(thing: Object, target: Receptacle):
    """Heat something, then put it away."""
    source = find(thing)
    take(thing, source)
    heat(thing, "microwave 1")
    move(thing, target)
'''


def lived(thing: str, *, won: bool = True) -> dict[str, object]:
    """A run as a line of a file."""
    actions = [f"take {thing} 1 from fridge 1", f"heat {thing} 1 with microwave 1", f"move {thing} 1 to cabinet 1"]
    steps = [{"action": action, "observation": "ok"} for action in actions]
    return {"task": f"put a hot {thing} in cabinet", "steps": steps, "reward": float(won)}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command in this process, in an empty folder; gives exit code, output and error output."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MEMP_MODEL", "MEMP_BASE_URL", "MEMP_MODE"):
        monkeypatch.delenv(name, raising=False)

    def run_one(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["memp", *map(str, arguments)])
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        assert isinstance(code, int)
        return code, out, err

    return run_one


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that writes, mends and judges."""
    with ScriptedServer() as opened:
        opened.when("put a hot", {"script": HEAT})
        opened.when("You judge", {"score": 0.9, "reasons": ["It is there."], "steps": [3]})
        opened.when("when a procedure applies", {"facts": ["Hot things keep warm."]})
        opening = HEAT.replace("    move", "    open(target)\n    move")
        opened.when("failed with it", {"critique": "It never opens.", "script": opening})
        yield opened


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A file with two runs that won and one that failed."""
    path = tmp_path / "runs.jsonl"
    rows = [lived("mug"), lived("pan"), lived("cup", won=False)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_learn_distils_with_the_model_that_is_named(run: Run, server: ScriptedServer, runs: Path) -> None:
    """Model, address, mode and prices come from the command line, and what it cost is told after."""
    asked = ("--model", "small", "--base-url", server.url, "--mode", "json", "--price-in", 1, "--price-out", 2)
    code, out, err = run("learn", "a.duckdb", runs, "--build", "distil", *asked)
    assert (code, err.strip()) == (0, "")
    assert "1 procedure added" in out
    assert [one.mode for one in server.requests] == ["json"]
    code, out, _ = run("costs", "a.duckdb", "--by", "procedure")
    assert code == 0
    assert "heat-it" in out
    code, out, _ = run("costs", "a.duckdb", "--json")
    [cost] = json.loads(out)
    assert (cost["what"], cost["calls"], cost["unpriced"]) == ("small", 1, 0)
    assert cost["price"] > 0


def test_the_model_may_come_from_the_environment(
    run: Run, server: ScriptedServer, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MEMP_MODEL, OPENAI_BASE_URL and OPENAI_API_KEY are enough; the key is used and never shown."""
    monkeypatch.setenv("MEMP_MODEL", "small")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "the-key")
    code, out, err = run("learn", "a.duckdb", runs, "--build", "distil", "--json")
    assert (code, json.loads(out)["added"]) == (0, ["heat-it"])
    assert server.requests[0].key == "the-key"
    assert "the-key" not in out + err


def test_where_the_endpoint_fails_the_runs_wait_for_drain(run: Run, server: ScriptedServer, runs: Path) -> None:
    """The command says what waits and why; ``memp drain`` learns it."""
    asked = ("--model", "small", "--base-url", server.url)
    server.fail("wrong-key", times=9)
    code, out, _ = run("learn", "a.duckdb", runs, "--build", "distil", *asked)
    assert code == 0
    assert "3 runs wait in the queue" in out
    assert "is wrong or does not allow this" in out
    server._failing.clear()
    code, out, _ = run("drain", "a.duckdb", "--build", "distil", *asked)
    assert code == 0
    assert "Learned from 3 runs: 1 new procedure" in out


def test_a_failure_without_a_model_says_what_to_name(run: Run, runs: Path) -> None:
    """Distilling and judging without a model are refused with the way out; the exit code says who must act."""
    code, _, err = run("learn", "a.duckdb", runs, "--build", "distil")
    assert code == 2
    assert "--model" in err
    assert run("judge", runs)[0] == 2
    code, _, err = run("learn", "a.duckdb", runs, "--build", "distil", "--model", "small", "--mode", "xml")
    assert code == 2
    assert "'mode' must be one of" in err


def test_reflect_takes_a_run_and_says_what_the_model_found(run: Run, server: ScriptedServer, runs: Path) -> None:
    """The revision waits as a candidate with its critique; a file with several runs is refused."""
    asked = ("--model", "small", "--base-url", server.url)
    run("learn", "a.duckdb", runs, "--build", "distil", *asked)
    Path("failed.jsonl").write_text(json.dumps(lived("bowl", won=False)) + "\n")
    code, out, err = run("reflect", "a.duckdb", "heat-it", "--run", "failed.jsonl", *asked)
    assert (code, err.strip()) == (0, "")
    assert "Written as a candidate. It never opens." in out
    assert "Written as a revision that was rejected" in run(
        "reflect", "a.duckdb", "heat-it", "--run", "failed.jsonl", *asked
    )[1]
    code, _, err = run("reflect", "a.duckdb", "heat-it", "--run", runs, *asked)
    assert (code, "must hold one run (got 3)" in err) == (2, True)


def test_judge_prints_verdicts_and_how_far_they_agree(run: Run, server: ScriptedServer, runs: Path) -> None:
    """Against the reward it prints accuracy, kappa and calibration; with a store the calls are on record."""
    asked = ("--model", "small", "--base-url", server.url)
    code, out, err = run("judge", runs, "--against", "reward", "--store", "a.duckdb", *asked)
    assert (code, err.strip()) == (0, "")
    assert "3 runs judged, 0 could not be. Accuracy 0.67, kappa 0.00" in out
    assert "calibration error 0.233" in out
    code, out, _ = run("judge", runs, "--store", "a.duckdb", "--cached", "--json", *asked)
    answer = json.loads(out)
    assert [one["verdict"]["score"] for one in answer["runs"]] == [0.9] * 3
    assert answer["agreement"] is None
    assert len(server.requests) == 3
    with memp.open("a.duckdb", read_only=True) as memory:
        assert len(list(memory.events(type="model-called"))) == 3


def test_facts_are_asked_for_and_written(run: Run, server: ScriptedServer, runs: Path) -> None:
    """All procedures without facts are asked about; the second time there is none left."""
    asked = ("--model", "small", "--base-url", server.url)
    run("learn", "a.duckdb", runs, "--build", "distil", *asked)
    code, out, _ = run("facts", "a.duckdb", *asked)
    assert (code, "1 procedure with more facts: heat-it." in out) == (0, True)
    assert json.loads(run("facts", "a.duckdb", "--json", *asked)[1]) == {"changed": [], "problems": []}


def test_bootstrap_lets_an_agent_try_a_suite_and_learns_the_best(run: Run) -> None:
    """Without a model the suite's own reward is the metric."""
    call = ("bootstrap", "a.duckdb", "--suite", "household", "--agent", "explorer", "--n", 3, "--attempts", 2)
    code, out, err = run(*call, "--json")
    assert (code, err.strip()) == (0, "")
    report = json.loads(out)
    assert (report["tasks"], report["attempts"]) == (3, 6)
    assert report["recorded"] == report["kept"] <= 3
    assert run(*call, "--judge")[0] == 2
