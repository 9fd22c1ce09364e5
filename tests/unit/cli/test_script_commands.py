"""The commands about scripts and toolsets, as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import memp

Run = Callable[..., tuple[int, str, str]]

GOOD = (
    'from household import *\n\n\n# the short way\n@procedure("put {thing} in {target}")\n'
    "def place(thing: Object, target: Receptacle):\n    take(thing, 'bin 1')\n    move( thing,target )  # done\n"
)
BAD = GOOD.replace("take(", "tkae(").replace("move(", "mvoe(")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script that checks and is not in canonical form."""
    path = tmp_path / "place.py"
    path.write_text(GOOD)
    return path


def test_check_tells_every_mistake_of_every_file(run: Run, script: Path, tmp_path: Path) -> None:
    """Good files are counted; mistakes come with path, line and a guess, and exit code 2."""
    assert run("check", script) == (0, "1 procedure checked, no mistakes.\n", "")
    bad = tmp_path / "bad.py"
    bad.write_text(BAD)
    code, _, err = run("check", script, bad)
    assert code == 2
    assert f"{bad}:7:5" in err
    assert "did you mean 'take'?" in err
    assert "did you mean 'move'?" in err
    assert run("check", "-", stdin=GOOD)[0] == 0
    assert run("check", tmp_path / "missing.py")[0] == 3


def test_check_takes_rooms_and_toolsets(run: Run, tmp_path: Path) -> None:
    """A folder is checked whole, a file beside a toolset against it, and a toolset as a toolset."""
    (tmp_path / "toolset.py").write_text('toolset("own")\n\n@action("hop")\ndef hop(): ...\n')
    (tmp_path / "jump.py").write_text('@procedure("jump")\ndef jump():\n    hop()\n')
    assert run("check", tmp_path)[:2] == (0, "1 procedure checked, no mistakes.\n")
    assert run("check", tmp_path / "jump.py", tmp_path / "toolset.py")[0] == 0
    (tmp_path / "jump.py").write_text('@procedure("jump")\ndef jump():\n    hip()\n')
    assert run("check", tmp_path / "jump.py")[0] == 2


def test_format_writes_the_canonical_form_and_keeps_comments(run: Run, script: Path) -> None:
    """--diff writes nothing; formatting twice changes nothing; standard input is printed."""
    code, out, _ = run("format", script, "--diff")
    assert (code, script.read_text()) == (0, GOOD)
    assert '+    take(thing, "bin 1")' in out
    code, out, err = run("format", script)
    written = script.read_text()
    assert (code, out) == (0, "")
    assert "1 file written anew" in err
    assert "# the short way" in written
    assert "# done" in written
    assert "    move(thing, target)\n" in written
    assert "1 as they should be" in run("format", script)[2]
    assert run("format", "-", stdin=GOOD) == (0, written, "")


def test_format_writes_nothing_if_a_file_has_mistakes(run: Run, script: Path, tmp_path: Path) -> None:
    """All files are checked before the first is written."""
    bad = tmp_path / "bad.py"
    bad.write_text(BAD)
    assert run("format", script, bad)[0] == 2
    assert (script.read_text(), bad.read_text()) == (GOOD, BAD)


def test_toolsets_are_shown_and_made(run: Run, tmp_path: Path) -> None:
    """What is printed reads back as the same toolset."""
    code, out, _ = run("toolset", "show", "household")
    assert (code, memp.Toolset.from_text(out)) == (0, memp.load_toolset("household"))
    tools = tmp_path / "desk.json"
    tools.write_text(json.dumps([{"type": "function", "function": {"name": "stamp", "parameters": {}}}]))
    code, out, _ = run("toolset", "from-openai", tools)
    assert (code, memp.Toolset.from_text(out)) == (0, memp.load_toolset(tools))
    assert run("toolset", "show", tmp_path / "nowhere")[0] == 3


def test_scripts_are_added_to_a_store(run: Run, script: Path, tmp_path: Path) -> None:
    """A store is made; mistakes in any file leave it without a procedure; the same again is a conflict."""
    store = tmp_path / "agent.duckdb"
    bad = tmp_path / "bad.py"
    bad.write_text(BAD)
    assert run("add", store, script, bad)[0] == 2
    assert run("list", store)[1] == "0 procedures.\n"
    assert run("add", store, script, "--name", "put away", "--tag", "home") == (0, "1 procedure added.\n", "")
    code, out, _ = run("show", store, "put-away")
    assert code == 0
    assert "move(thing, target)" in out
    assert run("add", store, script)[0] == 4
    code, out, _ = run("add", store, "-", "--json", stdin=GOOD.replace("{thing} in", "a {thing} in"))
    assert (code, json.loads(out)[0]["type"]) == (0, "procedure-added")


def test_learning_by_rule_from_the_command_line(run: Run, tmp_path: Path) -> None:
    """--build and --toolset reach the memory; show prints script and run of 'both'."""
    rows = tmp_path / "runs.jsonl"
    steps = [{"action": "go to bin 1"}, {"action": "take pear 1 from bin 1"}, {"action": "use bell 1"}]
    rows.write_text(json.dumps({"task": "ring with a pear", "steps": steps, "reward": 1}))
    store = tmp_path / "agent.duckdb"
    assert run("learn", store, rows, "--build", "both", "--toolset", "household")[0] == 0
    (listed,) = json.loads(run("list", store, "--json")[1])
    assert listed["builder"] == "both"
    out = run("show", store, listed["name"])[1]
    assert "take(thing, source)" in out
    assert "take pear 1 from bin 1" in out
    assert run("learn", store, rows, "--build", "verbatim", "--toolset", "household")[0] == 2


def test_scripts_have_colours_where_they_are_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal the words of a script are coloured; elsewhere not one escape is printed."""
    from memp.cli.script import print_script

    print_script(GOOD, memp.load_toolset("household"))
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_script(GOOD, memp.load_toolset("household"))
    assert "\x1b[34mtake\x1b[0m" in capsys.readouterr().out
