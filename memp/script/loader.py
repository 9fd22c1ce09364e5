"""
Toolsets and scripts from files and folders, and the rooms that ship with memp.

A room is a folder: ``toolset.py`` in the toolset syntax, ``tools.json`` as an OpenAI tools list, or both (the file in
words adds to the tools), and any number of scripts. Files are read as text; a room is never put on Python's import
path.
"""

from __future__ import annotations

import functools
import os
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from memp import _resources
from memp.errors import InvalidInputError, NotFoundError, ScriptError
from memp.script.mistakes import Mistake
from memp.script.nodes import Script
from memp.script.openai_tools import read_openai_tools
from memp.script.parser import parse_script
from memp.script.source import SOURCE_CHARS_MAX
from memp.script.toolset import Toolset
from memp.script.toolset_parser import parse_toolset

FILE_BYTES_MAX = 4 * SOURCE_CHARS_MAX
"""Largest file that is opened: UTF-8 needs four bytes for a character at most."""

TOOLS_BYTES_MAX = 8_000_000
"""Largest tools list that is opened; descriptions can be long."""

TOOLSET_FILE, TOOLS_FILE = "toolset.py", "tools.json"


def load_toolset(path: str | os.PathLike[str]) -> Toolset:
    """
    Read a toolset from a folder or file.

    Args:
        path: A folder with ``toolset.py``, ``tools.json`` or both; a ``.py`` file in the toolset syntax; a ``.json``
            file with an OpenAI
            tools list. Where no such path exists, the name of a room that ships with memp, such as ``household`` or
            ``procedures/household``.

    Raises:
        NotFoundError: There is neither such a path nor such a room, or the folder holds no toolset.

        ScriptError: The source has mistakes; carries all of them.

        InvalidInputError: The tools list is none.
    """
    found = Path(path)
    if found.is_dir():
        return _read_room(found, str(found), found.resolve().name)
    if found.is_file():
        name = found.stem if found.stem not in ("toolset", "tools") else found.resolve().parent.name
        return (
            _read_tools(found, str(found), name) if found.suffix == ".json" else _read_toolset(found, str(found), name)
        )
    room = os.fspath(path).replace(os.sep, "/").removesuffix("/").removeprefix("procedures/")
    if room in shipped_names():
        return load_shipped_toolset(room)
    raise NotFoundError(
        f"There is no folder or file {os.fspath(path)!r}, and no room of that name ships with memp: "
        f"those are {', '.join(shipped_names())}."
    )


def shipped_names() -> tuple[str, ...]:
    """Return the names of the rooms that ship with memp, sorted."""
    room = _resources.folder("procedures")
    return tuple(name for name in _resources.list_names("procedures") if _holds_toolset(room / name))


@functools.cache
def load_shipped_toolset(name: str) -> Toolset:
    """
    Return the toolset of the room *name* that ships with memp.

    Raises:
        NotFoundError: No such room ships with memp.
    """
    if name not in shipped_names():
        raise NotFoundError(f"no room of that name ships with memp; those are {', '.join(shipped_names())}.")
    return _read_room(_resources.folder("procedures") / name, f"procedures/{name}", name)


def load_scripts(path: str | os.PathLike[str], toolset: Toolset | None = None) -> tuple[Script, ...]:
    """
    Read every script of a room, or one file.

    Args:
        path: A folder, a file, or the name of a room that ships with memp; as for ``load_toolset``.

        toolset: The vocabulary; None: the folder's own if it has one, otherwise what each script imports.

    Returns:
        The scripts, by file name.

    Raises:
        NotFoundError: There is no such path or room.

        ScriptError: Some have mistakes; carries the mistakes of all of them.
    """
    found: Traversable = Path(path)
    shown = os.fspath(path).replace(os.sep, "/").removesuffix("/")
    if not found.is_dir() and not found.is_file():
        room = shown.removeprefix("procedures/")
        if room not in shipped_names():
            raise NotFoundError(f"There is no folder or file {shown!r}, and no room of that name ships with memp.")
        found, shown = _resources.folder("procedures") / room, f"procedures/{room}"
    if found.is_file():
        return (parse_script(_read_file(found, shown), toolset, path=shown),)
    if toolset is None and _holds_toolset(found):
        toolset = _read_room(found, shown, shown.split("/")[-1])
    scripts: list[Script] = []
    mistakes: list[object] = []
    for file in sorted(found.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".py") or file.name in (TOOLSET_FILE, "__init__.py"):
            continue
        try:
            scripts.append(parse_script(_read_file(file, f"{shown}/{file.name}"), toolset, path=f"{shown}/{file.name}"))
        except ScriptError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ScriptError(mistakes)
    return tuple(scripts)


# -- files ------------------------------------------------------------------------------------------------------------


def _holds_toolset(folder: Traversable) -> bool:
    return folder.is_dir() and any((folder / name).is_file() for name in (TOOLSET_FILE, TOOLS_FILE))


def _read_room(folder: Traversable, shown: str, name: str) -> Toolset:
    words, tools = folder / TOOLSET_FILE, folder / TOOLS_FILE
    if not words.is_file() and not tools.is_file():
        raise NotFoundError(f"The folder {shown!r} holds no toolset: neither {TOOLSET_FILE!r} nor {TOOLS_FILE!r}.")
    if not tools.is_file():
        return _read_toolset(words, f"{shown}/{TOOLSET_FILE}", name)
    base = _read_tools(tools, f"{shown}/{TOOLS_FILE}", name)
    if not words.is_file():
        return base
    return parse_toolset(
        _read_file(words, f"{shown}/{TOOLSET_FILE}"), name=name, path=f"{shown}/{TOOLSET_FILE}", base=base
    )


def _read_toolset(file: Traversable, shown: str, name: str) -> Toolset:
    return parse_toolset(_read_file(file, shown), name=name, path=shown)


def _read_tools(file: Traversable, shown: str, name: str) -> Toolset:
    try:
        tools = msgspec.json.decode(_read_bytes(file, shown, TOOLS_BYTES_MAX))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(f"{shown}: A tools list must be JSON (got: {error}).") from error
    if isinstance(tools, dict) and isinstance(tools.get("tools"), list):
        tools = tools["tools"]
    try:
        return read_openai_tools(tools, name=name)
    except InvalidInputError as error:
        raise InvalidInputError(f"{shown}: {error}") from error


def _read_bytes(file: Traversable, shown: str, limit: int) -> bytes:
    with file.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        message = f"The file has more than {limit} bytes."
        raise ScriptError([Mistake(path=shown, line=1, column=1, message=message, expected="smaller files")])
    return data


def _read_file(file: Traversable, shown: str) -> str:
    data = _read_bytes(file, shown, FILE_BYTES_MAX)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"The file is no UTF-8 text: the byte 0x{data[error.start]:02x} stands where none may."
        raise ScriptError([Mistake(path=shown, line=line, column=1, message=message, expected="UTF-8")]) from error
