"""``memp eval``, ``memp curve`` and ``memp compare`` as users run them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

import memp
from memp.errors import InvalidInputError
from memp.evaluation.agent import play
from memp.evaluation.agents import Explorer
from memp.evaluation.household import Household, make_tasks
from memp.evaluation.suite import Suite, SuiteMaker, SuiteOption, register_suite, suite
from memp.testing import ScriptedServer

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def lived() -> list[memp.Trajectory]:
    """Runs of the explorer in the household."""
    world, explorer = Household(), Explorer(seed=3)
    return [play(world, task, explorer) for task in make_tasks(18, seed=3)]


@pytest.fixture
def store(tmp_path: Path, lived: list[memp.Trajectory]) -> Path:
    """A store with two tagged versions."""
    with memp.open(tmp_path / "agent.duckdb") as memory:
        memory.learn(lived[:6], build="both", toolset="household")
        memory.tag("v1")
        memory.learn(lived[6:], build="both", toolset="household")
        memory.tag("v2")
    return tmp_path / "agent.duckdb"


HOUSEHOLD = ("--suite", "household", "-n", 6)


def test_versions_are_measured_for_people(run: Run, store: Path) -> None:
    """A table of arms with the yardsticks, one of types, one of pairs, and what the sample can show."""
    code, out, _ = run("eval", store, *HOUSEHOLD, "--at", "v1", "--at", "v2")
    assert code == 0
    for part in ("6 tasks of 'household'", "none", "random", "v1", "v2 against v1", "look_at_obj_in_light", "can"):
        assert part in out


def test_versions_are_measured_for_programs(run: Run, store: Path) -> None:
    """Arms with success, steps and n, types, and pairs, as one JSON document; the store is not changed."""
    before = store.read_bytes()
    code, out, _ = run("eval", store, *HOUSEHOLD, "--at", "v1", "--at", "v2", "--agent", "explorer", "--json")
    said = json.loads(out)
    assert code == 0
    assert list(said["arms"]) == ["none", "random", "v1", "v2"]
    assert all(said["arms"][arm]["n"] == 6 for arm in said["arms"])
    assert said["arms"]["v1"]["success"] == said["arms"]["none"]["success"]
    assert set(said["by_type"]["look_at_obj_in_light"]) == set(said["arms"])
    assert said["pairs"]["v1/v2"]["differences"]["success"]["difference"] == 0
    assert store.read_bytes() == before
    assert not list(store.parent.glob("*.eval-*"))


def test_without_a_version_the_present_is_measured(run: Run, store: Path) -> None:
    """The end of the branch, beside the yardsticks."""
    assert list(json.loads(run("eval", store, *HOUSEHOLD, "--json")[1])["arms"]) == ["none", "random", "main"]


def test_logs_are_enough(run: Run, store: Path, tmp_path: Path) -> None:
    """Held-out runs in a file take the place of a suite."""
    world, explorer = Household(), Explorer(seed=9)
    path = tmp_path / "held_out.jsonl"
    runs = [play(world, task, explorer) for task in make_tasks(12, seed=9)]
    path.write_text("".join(json.dumps(attrs.asdict(attrs.evolve(one, extra={}))) + "\n" for one in runs))
    code, out, err = run("eval", store, "--replay", path, "--at", "v1", "--at", "v2", "--json")
    assert (code, err.strip()) == (0, "")
    assert json.loads(out)["suite"]["kind"] == "replay"
    assert json.loads(out)["arms"]["v2"]["reward"] > json.loads(out)["arms"]["none"]["reward"]
    assert "right kind first" in run("eval", store, "--replay", path, "--at", "v2")[1]


def test_a_result_is_recorded_and_compared_later(run: Run, store: Path) -> None:
    """Recorded evaluations are listed; two of their versions are compared task by task; others are asked for."""
    assert "No evaluation is on record" in run("compare", store)[1]
    code, _, err = run("eval", store, *HOUSEHOLD, "--at", "v1", "--at", "v2", "--record", "--actor", "ci")
    assert code == 0
    assert "Recorded as event" in err
    assert "household" in run("compare", store)[1]
    assert json.loads(run("compare", store, "--json")[1])[0]["actor"] == "ci"
    code, out, _ = run("compare", store, "v1", "v2")
    assert code == 0
    assert "v2" in out
    assert "points" in out
    said = json.loads(run("compare", store, "v1", "v2", "--type", "pick_and_place_simple", "--json")[1])
    assert said["tasks"] == 1
    assert "evaluation-recorded" in run("log", store)[1]
    code, _, err = run("compare", store, "v1", "1")
    assert code == 3
    assert "memp eval STORE" in err


def test_a_curve_goes_over_positions_or_tags(run: Run, store: Path) -> None:
    """Evenly spread positions at which something changed, the last among them; or the tags, oldest first."""
    said = json.loads(run("curve", store, *HOUSEHOLD, "--points", 3, "--json")[1])
    assert len(said["curve"]) == 3
    assert [point["position"] for point in said["curve"]] == sorted(point["position"] for point in said["curve"])
    with memp.open(store, read_only=True) as memory:
        last = max(one.position for one in memory.events() if one.type.startswith("procedure-"))
    assert said["curve"][-1]["position"] == last
    code, out, _ = run("curve", store, *HOUSEHOLD, "--tags")
    assert code == 0
    assert out.index("v1") < out.index("v2")
    assert "█" in out


def test_what_was_stopped_goes_on_and_is_not_lost(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a stop the command refuses to begin anew by accident; --resume does only what is missing."""
    asked = ("eval", store, *HOUSEHOLD, "--at", "v2", "--json")
    whole = json.loads(run(*asked)[1])
    steps, play_one = [0], Household.step

    def stop(self: Household, action: str) -> Any:
        steps[0] += 1
        if steps[0] > 60:
            raise KeyboardInterrupt
        return play_one(self, action)

    monkeypatch.setattr(Household, "step", stop)
    assert run(*asked)[0] == 130
    monkeypatch.setattr(Household, "step", play_one)
    [journal] = store.parent.glob("*.eval-*")
    done = journal.read_bytes().count(b"\n") - 1
    assert done > 0
    code, _, err = run(*asked)
    assert code == 2
    assert f"stopped after {done} plays" in err
    assert json.loads(run(*asked, "--resume")[1]) == whole
    assert not journal.exists()


def test_the_options_of_a_suite_are_options_of_the_command(run: Run, store: Path) -> None:
    """What a suite declares is offered, explained, converted, and asked for."""

    def make(*, seed: int, n: int | None, rooms: int, dark: bool | None) -> Suite:
        assert rooms == 60
        assert dark is True
        return suite("household", seed=seed, n=n)

    options = (
        SuiteOption(name="rooms", type=int, help="How many rooms.", required=True),
        SuiteOption(name="dark", type=bool, help="Without a lamp."),
    )
    register_suite("test-command", SuiteMaker(make=make, options=options))
    assert "How many rooms." in run("eval", "--suite", "test-command", "--help")[1]
    assert "--rooms" not in run("eval", "--help")[1]
    code, _, err = run("eval", store, "--suite=test-command")
    assert code == 2
    assert "must be told 'rooms'" in err
    assert run("eval", "--suite", "test-command", "--rooms", 60, "--dark", "-n", 2, store, "--json")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "--suite NAME, or --replay FILE"),
        (("--suite", "household", "--replay", "x"), 2, "exclude each other"),
        (("--suite", "moon"), 2, "'suite' must be one of"),
        (("--suite", "household", "--seeds", "a"), 2, "--seeds must be numbers"),
        (("--suite", "household", "--seeds", "1,1"), 2, "--seeds must be different numbers"),
        (("--suite", "household", "-n", 0), 2, "'n' must be a whole number from 1 to 1,000,000 (got 0)"),
        (("--suite", "household", "--report", "no/where.html"), 2, "folder that is there"),
        (("--suite", "household", "--report", "."), 2, "'.' is a directory"),
        (("--suite", "household", "--journal", "no/where.jsonl"), 2, "folder that is there"),
        (("--replay", "nowhere.jsonl"), 3, "no file 'nowhere.jsonl'"),
        (("--suite", "travelplanner", "--data", "no"), 2, "The folder must hold 'tasks.jsonl'"),
        (("--suite", "household", "--at", "v9"), 3, "no version 'v9'"),
        (("--suite", "household", "--agent", "nobody"), 2, "'agent' must be one of"),
        (("--suite", "household", "--agent", "model"), 2, "needs a model"),
    ],
)
def test_mistakes_say_what_is_wanted(run: Run, store: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    """Whoever forgot or misspelt something is told what there is."""
    got, _, err = run("eval", store, *arguments)
    assert got == code
    assert says in err
    assert not list(store.parent.glob("*.eval-*"))


def test_what_cannot_be_kept_is_refused_before_anybody_acts(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report without a folder, and libraries that are not installed, are told of before the work and not after it."""

    def act(*_: object) -> None:
        pytest.fail("somebody acted")

    monkeypatch.setattr(Household, "reset", act)
    assert run("eval", store, *HOUSEHOLD, "--report", "no/where.html")[0] == 2
    assert run("curve", store, *HOUSEHOLD, "--report", "no/where.html")[0] == 2
    assert run("bisect", store, *HOUSEHOLD, "--good", "v1", "--bad", "v2", "--report", "no/where.html")[0] == 2
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    code, _, err = run("eval", store, *HOUSEHOLD)
    assert code == 2
    assert "pip install 'memp[evaluation]'" in err


def test_what_cannot_be_written_in_the_end_costs_no_plays(
    run: Run, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal stays until the result is where it was wanted, and --resume plays nothing again."""
    asked = ("eval", store, *HOUSEHOLD, "--at", "v2", "--report", tmp_path / "out.html")

    def fail(*_: object, **__: object) -> None:
        raise InvalidInputError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr("memp.evaluation.result.Result.report", fail)
        code, _, err = run(*asked)
    assert code == 2
    assert "--resume goes on" in err
    monkeypatch.setattr(Household, "reset", fail)
    assert run(*asked, "--resume")[0] == 0
    assert (tmp_path / "out.html").exists()
    assert not list(store.parent.glob("*.eval-*"))


def test_going_on_from_nothing_is_said(run: Run, store: Path) -> None:
    """--resume without a journal begins anew and says so; what is no journal of this evaluation is left alone."""
    code, _, err = run("eval", store, *HOUSEHOLD, "--resume", "--json")
    assert (code, "nothing to go on from" in err) == (0, True)
    notes, journal = store.with_name("notes"), store.with_name("journal")
    notes.write_text("milk, eggs")
    code, _, err = run("eval", store, *HOUSEHOLD, "--journal", notes, "--resume")
    assert (code, "no journal" in err, notes.read_text()) == (2, True, "milk, eggs")
    assert run("eval", store, *HOUSEHOLD, "--journal", journal)[0] == 0
    code, _, err = run("eval", store, "--suite", "household", "-n", 7, "--journal", journal, "--resume")
    assert (code, "is of another evaluation" in err) == (2, True)


def test_half_a_comparison_is_refused(run: Run, store: Path) -> None:
    """One version, or an evaluation without two versions, is not taken for the wish to see the list."""
    for arguments in (("v1",), ("--evaluation", 3), ("--type", "look_at_obj_in_light")):
        code, _, err = run("compare", store, *arguments)
        assert (code, "Name two to compare" in err) == (2, True)


def test_a_model_can_be_measured(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model that the command line names acts, at the endpoint that it names, and its tokens are counted."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with ScriptedServer() as server:
        server.when("task", {"thought": "Let me see.", "action": "look"})
        asked = ("--agent", "model", "--model", "small", "--base-url", server.url, "--mode", "tools", "--max-steps", 1)
        code, out, _ = run("eval", store, "--suite", "household", "-n", 1, *asked, "--json")
    assert code == 0
    assert json.loads(out)["agent"]["name"] == "model/small"
    assert json.loads(out)["arms"]["main"]["tokens"] > 0


def test_two_workers_say_the_same(run: Run, store: Path) -> None:
    """The figures do not depend on how many processes act."""
    asked = ("eval", store, *HOUSEHOLD, "--at", "v2", "--json")
    assert run(*asked, "--workers", 2)[1] == run(*asked)[1]
