"""``memp demo`` as a user runs it: what it prints, for people and for programs."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import click
import pytest

from memp.cli import demo
from memp.evaluation import demo as work
from memp.evaluation import story
from memp.evaluation.agent import play
from memp.evaluation.household import TASK_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def short_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after the first learning is short here, and not drawn, but where a test says so."""
    monkeypatch.setattr(story, "EPISODES", 2)
    monkeypatch.setattr(story, "SLIPS_AFTER", 1)
    monkeypatch.setattr(story, "find_spec", lambda _name: None)


@pytest.fixture
def run(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command in this process and an empty folder; gives exit code, output and error output."""
    monkeypatch.chdir(tmp_path)
    return run


def test_a_person_reads_the_whole_story(run: Run) -> None:
    """Plain words about what this is, a row for each type in both tables, a procedure, its events, and what is next."""
    code, out, err = run("demo", "--tasks", 12, "--seed", 3)
    assert (code, err.strip()) == (0, "")
    said = " ".join(out.split())
    assert "scripts, not models" in said
    assert "a small world, not a benchmark" in said
    for name in (*demo.TYPE_NAMES.values(), "all"):
        assert len(re.findall(rf"^{name} +\d+ .*–", out, flags=re.MULTILINE)) == 2, name
    assert "@procedure(" in out
    assert "procedure-added" in out
    assert "trajectory-recorded" in out
    assert "memp list memp-demo.duckdb" in out
    assert "\x1b" not in out


def test_a_program_reads_the_same_as_json(run: Run, tmp_path: Path) -> None:
    """Arms, types and pairs are keys; every figure has its interval; the store is named so that it can be opened."""
    code, out, _ = run("demo", "--tasks", 6, "--store", "x.duckdb", "--json")
    assert code == 0
    result = json.loads(out)
    assert set(result["arms"]) == set(work.ARMS)
    assert set(result["by_type"]) == set(TASK_TYPES)
    assert set(result["pairs"]) == {"memory/nothing", "memory/wrong", "wrong/nothing"}
    for arm in [*result["arms"].values(), *(arm for type_ in result["by_type"].values() for arm in type_.values())]:
        assert set(arm) == {"success", "success_interval", "steps", "steps_interval", "n"}
        low, high = arm["success_interval"]
        assert 0 <= low <= arm["success"] <= high <= 1
    assert {arm["n"] for arm in result["arms"].values()} == {18}
    assert result["lived"]["n"] == 6
    assert result["store"] == str(tmp_path / "x.duckdb")
    assert result["procedure"]["events"][0]["type"] == "procedure-added"
    assert len(result["procedure"]["sources"]) == result["procedure"]["support"]


def test_what_to_type_next_can_be_typed(run: Run) -> None:
    """Every command that is proposed runs on the store that was made, and says something."""
    _, out, _ = run("demo", "--tasks", 6, "--store", "a b.duckdb", "--json")
    commands = json.loads(out)["next"]
    assert len(commands) > 3
    for command in commands:
        name, *arguments = shlex.split(command)
        code, out, err = run(*arguments)
        assert (name, code, err) == ("memp", 0, "")
        assert out.strip()


def test_the_second_run_says_that_the_store_was_there(run: Run) -> None:
    """The figures are the same, and nothing was learned twice."""
    _, first, _ = run("demo", "--tasks", 6)
    _, second, _ = run("demo", "--tasks", 6)
    assert "it was there from a demo like this one" in second
    tables = slice(first.index("solved, %"), first.index("Look at one procedure"))
    assert first[tables] == second[tables]


def test_another_seed_leaves_the_first_store_alone(run: Run) -> None:
    """A store of the usual name that holds something else is passed over, and that is said."""
    run("demo", "--tasks", 6)
    code, out, _ = run("demo", "--tasks", 6, "--seed", 8)
    assert code == 0
    assert "memp-demo.duckdb holds something else and was left alone." in out
    assert "The memory lies in memp-demo-2.duckdb" in out
    code, out, err = run("demo", "--tasks", 6, "--seed", 8, "--store", "memp-demo.duckdb")
    assert (code, out) == (2, "")
    assert "holds something else" in err


@pytest.mark.parametrize("tasks", ["0", "5", "601", "many", "1.5"])
def test_a_wrong_number_of_tasks_is_one_clear_line(run: Run, tmp_path: Path, tasks: str) -> None:
    """Exit code 2, no traceback, no store."""
    code, out, err = run("demo", "--tasks", tasks)
    assert (code, out) == (2, "")
    assert "Error" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_the_options_say_what_the_work_takes() -> None:
    """Help names the defaults without loading what computes them, so both must agree; types and arms too."""
    options = {option.name: option for option in demo.demo.params if isinstance(option, click.Option)}
    assert (options["seed"].default, options["tasks"].default) == (work.SEED, work.TASKS)
    assert f"[default: {work.STORE}," in (options["store"].help or "")
    assert set(demo.TYPE_NAMES) == set(TASK_TYPES)
    assert tuple(demo.ARM_NAMES) == work.ARMS


def test_a_demo_without_procedures_still_ends_well(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing was won, there is no procedure to show and the figures stand all the same."""
    monkeypatch.setattr(work, "play", lambda *arguments: play(*arguments, max_steps=1))
    code, out, _ = run("demo", "--tasks", 6)
    assert code == 0
    assert "won 0" in " ".join(out.split())
    assert "Look at one procedure" not in out
    assert "memp log memp-demo.duckdb" in out


def test_a_terminal_gets_colours_in_the_script(tmp_path: Path) -> None:
    """On a terminal the words of the toolset stand out; the text is the same as on a pipe."""
    result = work.run_demo(tmp_path / "c.duckdb", tasks=12)
    assert result.learned is not None
    coloured = demo.script_text(result.learned, coloured=True)
    assert coloured.plain == demo.script_text(result.learned, coloured=False).plain
    assert len({str(span.style) for span in coloured.spans}) > 2


def test_the_story_is_told_to_the_end(run: Run) -> None:
    """What slipped in, how far it fell, what was named, and that it is back; and how to get a report."""
    code, out, err = run("demo", "--tasks", 12)
    assert (code, err.strip()) == (0, "")
    for said in ("Something goes wrong", "the reflection", "made it worse", "the one that slipped in", "v3"):
        assert said in out, said
    assert "pip install 'memp[evaluation]'" in " ".join(out.split())


def test_the_story_is_there_for_programs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The curve, what was named and the report are in the JSON, beside arms, types and pairs."""
    monkeypatch.setattr(story, "find_spec", lambda name: name)
    code, out, err = run("demo", "--tasks", 12, "--json")
    assert (code, err.strip()) == (0, "")
    told = json.loads(out)
    assert {"arms", "by_type", "pairs"} <= set(told)
    tale = told["story"]
    shares = {point["name"]: point["success"] for point in tale["curve"]}
    assert shares["v1"] > shares["v2"] < shares["v3"]
    assert tale["bisect"]["event"] == tale["slipped"]["event"]
    assert tale["undone"] is not None
    assert (tmp_path / "memp-demo.html").samefile(tale["report"])
