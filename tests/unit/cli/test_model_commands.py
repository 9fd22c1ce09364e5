"""The commands that ask a model, run as a user runs them against a scripted endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import memp
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
def run(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command in this process, in an empty folder; gives exit code, output and error output."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MEMP_MODEL", "MEMP_BASE_URL", "MEMP_MODE"):
        monkeypatch.delenv(name, raising=False)
    return run


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
    """The command says what waits and why, and ends as the failure would have; ``memp drain`` learns it."""
    asked = ("--model", "small", "--base-url", server.url)
    server.fail("wrong-key", times=2)
    code, out, err = run("learn", "a.duckdb", runs, "--build", "distil", *asked)
    assert code == 6
    assert "3 runs wait in the queue because an endpoint failed. Nothing is lost" in err
    assert "is wrong or does not allow this" in out
    code, out, err = run("drain", "a.duckdb", "--build", "distil", "--json", *asked)
    assert (code, json.loads(out)["waiting"]) == (6, 3)
    assert "3 runs wait on" in err
    code, out, err = run("drain", "a.duckdb", "--build", "distil", *asked)
    assert (code, err.strip()) == (0, "")
    assert "Learned from 3 runs: 1 new procedure" in out


def test_the_same_command_goes_on_with_what_waits(run: Run, server: ScriptedServer, runs: Path) -> None:
    """After a failure, learning the file again asks about the runs that wait, and takes them out of the queue."""
    call = ("learn", "a.duckdb", runs, "--build", "distil", "--json", "--model", "small", "--base-url", server.url)
    server.fail("no-model")
    code, out, _ = run(*call)
    assert (code, json.loads(out)["waiting"], json.loads(out)["recorded"]) == (6, 3, 0)
    code, out, _ = run(*call)
    assert (code, json.loads(out)["waiting"], json.loads(out)["added"]) == (0, 0, ["heat-it"])
    assert run("queue", "a.duckdb")[1].strip() == "No run waits."


def test_a_failure_without_a_model_says_what_to_name(run: Run, runs: Path) -> None:
    """Distilling and judging without a model are refused with the way out; the exit code says who must act."""
    code, _, err = run("learn", "a.duckdb", runs, "--build", "distil")
    assert code == 2
    assert "--model" in err
    code, _, err = run("learn", "a.duckdb", runs, "--build", "distil", "--model", "small")
    assert (code, "There is no key" in err) == (6, True)
    assert not Path("a.duckdb").exists(), "a store that nothing was written to"
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
    assert (
        "Written as a revision that was rejected"
        in run("reflect", "a.duckdb", "heat-it", "--run", "failed.jsonl", *asked)[1]
    )
    code, _, err = run("reflect", "a.duckdb", "heat-it", "--run", runs, *asked)
    assert (code, "must hold one run (got 3)" in err) == (2, True)


def test_judge_prints_verdicts_and_how_far_they_agree(run: Run, server: ScriptedServer, runs: Path) -> None:
    """Against the reward it prints accuracy, kappa and calibration; with a store the calls are on record."""
    asked = ("--model", "small", "--base-url", server.url)
    assert "Without --store they are on record nowhere." in run("judge", runs, *asked)[1]
    code, out, err = run("judge", runs, "--against", "reward", "--store", "a.duckdb", *asked)
    assert (code, err.strip()) == (0, "")
    assert "on record nowhere" not in out
    assert "3 runs judged, 0 could not be. Accuracy 0.67, kappa 0.00" in out
    assert "calibration error 0.233" in out
    code, out, _ = run("judge", runs, "--store", "a.duckdb", "--cached", "--json", *asked)
    answer = json.loads(out)
    assert [one["verdict"]["score"] for one in answer["runs"]] == [0.9] * 3
    assert answer["agreement"] is None
    assert len(server.requests) == 6
    with memp.open("a.duckdb", read_only=True) as memory:
        assert len(list(memory.events(type="model-called"))) == 3


def test_facts_are_asked_for_and_written(run: Run, server: ScriptedServer, runs: Path) -> None:
    """All procedures without facts are asked about; the second time there is none left."""
    asked = ("--model", "small", "--base-url", server.url)
    run("learn", "a.duckdb", runs, "--build", "distil", *asked)
    code, out, _ = run("facts", "a.duckdb", *asked)
    assert (code, "1 procedure with more facts: heat-it." in out) == (0, True)
    assert json.loads(run("facts", "a.duckdb", "--json", *asked)[1]) == {"changed": [], "problems": [], "left": 0}
    server.fail("no-model")
    code, out, err = run("facts", "a.duckdb", "heat-it", *asked)
    assert (code, "does not exist" in out, "try again later" in err) == (6, True, True)


def test_bootstrap_lets_an_agent_try_a_suite_and_learns_the_best(run: Run) -> None:
    """Without a model the suite's own reward is the metric."""
    call = ("bootstrap", "a.duckdb", "--suite", "household", "--agent", "explorer", "--n", 3, "--attempts", 2)
    code, out, err = run(*call, "--json")
    assert (code, err.strip()) == (0, "")
    report = json.loads(out)
    assert (report["tasks"], report["attempts"]) == (3, 6)
    assert report["recorded"] == report["kept"] <= 3
    assert run(*call, "--judge")[0] == 2


def test_what_the_moves_of_a_bootstrap_cost_is_on_record(run: Run, server: ScriptedServer) -> None:
    """An agent that is a model is paid for by the move, whether or not its runs are kept."""
    server.when("You act in a world", {"action": "look"})
    call = ("bootstrap", "a.duckdb", "--suite", "household", "--agent", "model", "--n", 1, "--attempts", 1)
    code, out, err = run(*call, "--model", "small", "--base-url", server.url, "--price-in", 1, "--price-out", 1)
    assert (code, err.strip()) == (0, "")
    assert "0 kept" in out
    [cost] = json.loads(run("costs", "a.duckdb", "--json")[1])
    assert (cost["what"], cost["calls"]) == ("small", len(server.requests))
    assert cost["price"] > 0


def test_why_tells_the_reason_of_a_run_that_was_kept_as_it_is(run: Run, server: ScriptedServer, runs: Path) -> None:
    """The question that the model did not answer stands in the story of what was made instead."""
    server.fail("refusal", words="I do not heat mugs.")
    run("learn", "a.duckdb", runs, "--build", "distil", "--model", "small", "--base-url", server.url)
    code, out, _ = run("why", "a.duckdb", "put-a-hot-mug-in-cabinet")
    assert code == 0
    assert "Asked 'small' to distil, in vain: refused: I do not heat mugs." in out
    assert "Added, built by verbatim from 1 run." in out


def test_a_pack_that_is_damaged_leaves_no_store_behind(run: Run, server: ScriptedServer, runs: Path) -> None:
    """The pack is read before a store is made; what a candidate came from is said in the list of those that wait."""
    run("learn", "strong.duckdb", runs, "--build", "distil", "--model", "small", "--base-url", server.url)
    run("pack", "export", "strong.duckdb", "whole.memp")
    data = bytearray(Path("whole.memp").read_bytes())
    data[len(data) // 2] ^= 1
    Path("flipped.memp").write_bytes(data)
    code, _, err = run("pack", "import", "flipped.memp", "weak.duckdb")
    assert (code, "Nothing was imported" in err, Path("weak.duckdb").exists()) == (5, True, False)
    code, out, _ = run("pack", "import", "whole.memp", "weak.duckdb")
    assert (code, "1 procedure added, which waits for a verdict" in out) == (0, True)
    assert "came out of a pack, built there from 2 runs" in run("candidates", "weak.duckdb")[1]
