"""The commands, run as a user runs them: in a process of their own where it matters, in this one where it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import memp
from memp.cli.exits import EXIT_CODES, exit_code
from memp.cli.main import cli
from memp.cli.output import plain

RUNS = [
    {
        "task": "put a hot mug in the cabinet",
        "steps": [{"action": "heat mug 1", "observation": "You heat it."}],
        "reward": 1,
    },
    {
        "task": "put a cold egg on the shelf",
        "steps": [{"action": "cool egg 1", "observation": "You cool it."}],
        "reward": 1,
    },
    {"task": "put a hot egg in the bin", "steps": [{"action": "look"}], "success": False},
]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A file of three runs."""
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in RUNS))
    return path


@pytest.fixture
def store(tmp_path: Path, runs: Path) -> Path:
    """A store that learned them."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn(memp.read_trajectories(runs))
    return path


def test_learn_reports_what_it_did(run: Run, runs: Path, tmp_path: Path) -> None:
    """A person reads how many runs came in and what became of them; a program reads the same as JSON."""
    store = tmp_path / "new.duckdb"
    code, out, _ = run("learn", store, runs)
    assert code == 0
    assert "3 runs read: 3 recorded, 0 known before." in out
    assert "2 procedures added" in out
    code, out, _ = run("learn", store, runs, "--json")
    assert (code, json.loads(out)["known"], json.loads(out)["recorded"]) == (0, 3, 0)


def test_a_bad_line_is_named_and_nothing_is_written(run: Run, runs: Path, tmp_path: Path) -> None:
    """File and line are said, no store is left behind, and --skip-bad goes on and counts."""
    runs.write_text(runs.read_text() + '\n{"steps": 3}\n')
    store = tmp_path / "new.duckdb"
    code, _, err = run("learn", store, runs)
    assert code == 2
    assert f"{runs}:4:" in err
    assert not store.exists()
    code, out, _ = run("learn", store, runs, "--skip-bad")
    assert code == 0
    assert "1 line could not be read and was skipped" in out
    assert f"{runs}:4:" in out


def test_ask_shows_matches_and_prompt(run: Run, store: Path) -> None:
    """The answer is what an agent would get."""
    code, out, _ = run("ask", store, "put a hot egg in the bin", "-k", 1)
    assert code == 0
    assert "put-a-hot-mug-in-the-cabinet" in out
    assert "heat mug 1" in out
    code, out, _ = run("ask", store, "put a hot egg in the bin", "--key", "query", "--json")
    answer = json.loads(out)
    assert [match["rank"] for match in answer["matches"]] == [1, 2]
    assert "recalled" in answer["prompt"]


def test_list_show_and_log(run: Run, store: Path) -> None:
    """What there is, all of one, and what happened."""
    code, out, _ = run("list", store)
    assert (code, "2 procedures." in out) == (0, True)
    _, out, _ = run("list", store, "--json")
    first = json.loads(out)[0]
    code, out, _ = run("show", store, first["name"])
    assert (code, "heat mug 1" in out, first["id"] in out) == (0, True, True)
    _, out, _ = run("show", store, first["id"][:8], "--json")
    assert json.loads(out)["revisions"][0]["content"]["run"]["task"] == RUNS[0]["task"]
    _, out, _ = run("log", store, "--type", "trajectory-recorded", "-n", 1)
    assert "lost: put a hot egg in the bin" in out
    assert "1 of 3 events" in out
    _, out, _ = run("log", store, "--procedure", first["name"], "--json")
    assert [record["type"] for record in json.loads(out)] == ["procedure-added"]


def test_the_changes_by_hand(run: Run, store: Path, tmp_path: Path) -> None:
    """Each command writes one event, under the name of who ran it."""
    script = tmp_path / "better.py"
    script.write_text('do("look first")\n')
    name = "put-a-hot-mug-in-the-cabinet"
    calls: list[tuple[object, ...]] = [
        ("validate", store, name, "--reward", 1, "--reason", "it worked"),
        ("reflect", store, name, "--script", script, "--critique", "it did not look"),
        ("erase", store, name, "--reason", "wrong"),
        ("unerase", store, name, "--reason", "right"),
        ("merge", store, name, "put-a-cold-egg-on-the-shelf", "--reason", "the same", "--actor", "tester"),
    ]
    for number, call in enumerate(calls):
        code, out, err = run(*call)
        assert (code, err) == (0, "")
        assert f"Event {7 + number}," in out or "Event" in out
    with memp.open(store, read_only=True) as memory:
        written = [record for record in memory.events() if not record.type.endswith("recorded")][2:]
        assert [record.type for record in written] == [
            "procedure-validated",
            "procedure-reflected",
            "procedure-erased",
            "procedure-unerased",
            "procedure-merged",
        ]
        assert [record.actor for record in written] == ["user"] * 4 + ["tester"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ask", "{store}", "x", "--key", "magic"), 2),
        (("learn", "{store}", "{store}.missing"), 3),
        (("show", "{store}", "nobody"), 3),
        (("unerase", "{store}", "put-a-cold-egg-on-the-shelf", "--reason", "r"), 4),
        (("list", "{runs}"), 5),
        (("dance",), 2),
        (("ask", "{store}"), 2),
        (("ask", "{store}", "x", "-k", "many"), 2),
    ],
)
def test_the_exit_code_says_who_can_act(
    run: Run, store: Path, runs: Path, arguments: tuple[str, ...], code: int
) -> None:
    """Errors print one clear line on the error stream and nothing else."""
    got, out, err = run(*(argument.format(store=store, runs=runs) for argument in arguments))
    assert (got, out) == (code, "")
    assert "Error" in err
    assert "Traceback" not in err


def test_every_leaf_error_has_an_exit_code() -> None:
    """Each error of the tree belongs to a group that has a code of its own."""

    def leaves(cls: type[memp.MempError]) -> list[type[memp.MempError]]:
        below = cls.__subclasses__()
        return [leaf for sub in below for leaf in leaves(sub)] if below else [cls]

    groups = tuple(group for group, _ in EXIT_CODES)
    assert all(issubclass(leaf, groups) for leaf in leaves(memp.MempError))
    assert len({code for _, code in EXIT_CODES}) == len(EXIT_CODES)
    assert exit_code(memp.MempError("x")) == 1


@pytest.mark.parametrize("command", ["ask", "list", "show", "log", "validate", "reflect", "erase", "unerase", "merge"])
def test_no_command_but_learn_makes_a_store(run: Run, tmp_path: Path, command: str) -> None:
    """A mistyped path is an error, never a new and empty store."""
    script = tmp_path / "s.py"
    script.write_text('do("x")')
    more: dict[str, list[object]] = {
        "validate": ["p", "--reward", 1],
        "reflect": ["p", "--script", script, "--critique", "c"],
        "erase": ["p", "--reason", "r"],
        "unerase": ["p", "--reason", "r"],
        "merge": ["p", "q", "--reason", "r"],
        "show": ["p"],
        "ask": ["task"],
    }
    missing = tmp_path / "missing.duckdb"
    code, _, err = run(command, missing, *more.get(command, []))
    assert (code, "There is no store" in err) == (3, True)
    assert not missing.exists()


def test_every_command_has_help() -> None:
    """Each command and each option says what it is for."""
    for command in cli.commands.values():
        assert command.help
        options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
        assert all(option.help for option in options), command.name


def test_control_characters_never_reach_a_terminal(run: Run, tmp_path: Path) -> None:
    """Stored text cannot move the cursor, rename the window or turn the direction of a line."""
    evil = "put \x1b[2J\x1b]0;owned\x07 a \u202emug\u202c in\r the cabinet"
    runs = tmp_path / "evil.jsonl"
    runs.write_text(json.dumps({"task": evil, "steps": [{"action": evil, "observation": evil}], "reward": 1}))
    store = tmp_path / "evil.duckdb"
    run("learn", store, runs)
    for call in (("list", store), ("log", store), ("ask", store, "put a mug"), ("ask", store, "a mug", "--json")):
        _, out, _ = run(*call)
        assert not set(out) & set("\x1b\x07\r\u202e\u202c\x9b")
    assert plain("a\x1b[31mb\tc\nd\x9b") == "a[31mb\tc\nd"


def test_a_closed_pipe_is_no_error(store: Path) -> None:
    """'memp log | head -1' ends quietly."""
    command = f"{sys.executable} -c 'from memp.cli import main; main()' log {store} --json | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[\n", "")
