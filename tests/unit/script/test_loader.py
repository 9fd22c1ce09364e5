"""Files, folders and the rooms that ship with memp."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memp import NotFoundError, ScriptError, _resources
from memp.errors import InvalidInputError
from memp.script import format_script, load_scripts, load_toolset, outline_lines, parse_script
from memp.script.loader import shipped_names
from memp.script.source import SOURCE_CHARS_MAX

ROOMS = ("airline", "household", "science", "travel")
TOOLSET = '@action("look")\ndef look(): ...\n'
SCRIPT = '@procedure("go")\ndef f():\n    look()\n'
TOOLS = [{"type": "function", "function": {"name": "send", "parameters": {"type": "object", "properties": {}}}}]


def test_the_rooms_that_ship() -> None:
    """These four rooms come with memp, by name, with or without the folder before it."""
    assert shipped_names() == ROOMS
    for name in ROOMS:
        assert load_toolset(name).name == name
        assert load_toolset(f"procedures/{name}") == load_toolset(f"procedures/{name}/") == load_toolset(name)


@pytest.mark.parametrize("name", ROOMS)
def test_every_shipped_procedure_checks_and_can_be_shown(name: str) -> None:
    """Each room holds four to eight scripts without mistakes, in canonical layout, that speak its own toolset."""
    scripts = load_scripts(name)
    toolset = load_toolset(name)
    assert 4 <= len(scripts) <= 8
    procedures = [procedure for script in scripts for procedure in script.procedures]
    assert len({procedure.name for procedure in procedures}) == len(procedures)
    for script in scripts:
        assert script.toolset == name
        assert script.doc
        assert all(procedure.doc for procedure in script.procedures)
        assert parse_script(format_script(script)) == script
        assert outline_lines(script, toolset)


@pytest.mark.parametrize("name", ROOMS)
def test_shipped_files_are_formatted(name: str) -> None:
    """The files themselves are what the formatter writes."""
    for file in _resources.list_names("procedures", name):
        if file.endswith(".py") and file != "toolset.py":
            text = _resources.read_text("procedures", f"{name}/{file}")
            assert text == format_script(parse_script(text), comments=True), file


def test_the_household_has_its_actions() -> None:
    """The names of actions are what scripts everywhere rest on."""
    names = {action.name for action in load_toolset("household").actions}
    assert {
        "go_to",
        "take",
        "move",
        "open",
        "close",
        "heat",
        "cool",
        "clean",
        "use",
        "examine",
        "look",
        "inventory",
    } <= names


def test_a_path_comes_before_a_shipped_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the user's own with the name of a shipped room is the one that is meant."""
    (tmp_path / "household").mkdir()
    (tmp_path / "household" / "toolset.py").write_text(TOOLSET)
    monkeypatch.chdir(tmp_path)
    assert [action.name for action in load_toolset("household").actions] == ["look"]
    assert load_toolset("household").name == "household"
    assert len(load_toolset("procedures/household").actions) > 1


def test_toolsets_come_from_files_and_folders(tmp_path: Path) -> None:
    """A Python file, a tools list, a folder with either or both; the name is the file's or the folder's."""
    room = tmp_path / "shop"
    room.mkdir()
    (room / "toolset.py").write_text(TOOLSET)
    assert load_toolset(room).name == load_toolset(room / "toolset.py").name == "shop"
    (room / "tools.json").write_text(json.dumps({"tools": TOOLS}))
    assert [action.name for action in load_toolset(room).actions] == ["send", "look"]
    (room / "toolset.py").unlink()
    assert [action.name for action in load_toolset(room).actions] == ["send"]
    other = tmp_path / "mine.json"
    other.write_text(json.dumps(TOOLS))
    assert load_toolset(other).name == "mine"


def test_scripts_of_a_room_are_read_with_its_toolset(tmp_path: Path) -> None:
    """All scripts of a folder come in the order of their names, and all their mistakes together."""
    (tmp_path / "toolset.py").write_text(TOOLSET)
    (tmp_path / "b.py").write_text(SCRIPT)
    (tmp_path / "a.py").write_text(SCRIPT.replace("f()", "g()"))
    (tmp_path / "__init__.py").write_text("")
    assert [script.procedures[0].name for script in load_scripts(tmp_path)] == ["g", "f"]
    assert [script.procedures[0].name for script in load_scripts(tmp_path / "b.py", load_toolset(tmp_path))] == ["f"]
    (tmp_path / "a.py").write_text(SCRIPT.replace("look()", "lok()"))
    (tmp_path / "b.py").write_text("x = 1\n")
    with pytest.raises(ScriptError) as caught:
        load_scripts(tmp_path)
    assert [Path(mistake.path).name for mistake in caught.value.mistakes] == ["a.py", "b.py"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("load", [load_toolset, load_scripts])
def test_what_is_nowhere_is_not_found(load: object, tmp_path: Path) -> None:
    """The error names what was asked for and what ships."""
    with pytest.raises(NotFoundError, match="'nowhere'"):
        load("nowhere")  # type: ignore[operator]
    for path in ("procedures/../household", "../household", "procedures", ""):
        with pytest.raises(NotFoundError):
            load_toolset(path or tmp_path)


def test_files_that_are_no_text_are_mistakes(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, files that are too large and tools that are no JSON are told with their path."""
    (tmp_path / "toolset.py").write_bytes(b'"""ok"""\n\xff')
    with pytest.raises(ScriptError, match=r"toolset\.py:2:1: The file is no UTF-8"):
        load_toolset(tmp_path)
    (tmp_path / "toolset.py").write_bytes(b"#" * (4 * SOURCE_CHARS_MAX + 1))
    with pytest.raises(ScriptError, match="has more than"):
        load_toolset(tmp_path)
    (tmp_path / "toolset.py").unlink()
    (tmp_path / "tools.json").write_text("[")
    with pytest.raises(InvalidInputError, match=r"tools\.json: A tools list must be JSON"):
        load_toolset(tmp_path)
    (tmp_path / "tools.json").write_text("3")
    with pytest.raises(InvalidInputError, match=r"tools\.json: \$ must be a list"):
        load_toolset(tmp_path)
