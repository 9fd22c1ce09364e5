"""
Settings of the command line: what they are called, and the file that some of them come from.

A value comes from a flag, else from the environment, else from the nearest ``memp.toml`` or ``[tool.memp]`` of a
``pyproject.toml``, from the current folder upwards. click knows the first two and Python reads TOML, so what is left is
finding the file and refusing what it should not hold. Programs are not configured: what an object needs are its
arguments, and importing memp reads no file.

Keys are no settings. They come from the environment alone, because files are committed and command lines are seen by
everybody on a machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from memp.errors import InvalidInputError

FILE: Final = "memp.toml"
"""The file that holds settings and nothing else."""

PROJECT_FILE: Final = "pyproject.toml"
"""The file that may hold them in its table ``tool.memp``."""


@attrs.frozen(kw_only=True)
class Setting:
    """
    Something that can be set.

    Attributes:
        name: Its name in a file.

        environment: The variables that set it, the first of which counts.

        form: What its value must be.

        says: What it is for, in one line.

        default: What it is if nothing sets it; None if it is then left out.
    """

    name: str
    environment: tuple[str, ...]
    form: type
    says: str
    default: str | bool | None = None

    @property
    def flag(self) -> str:
        """How it is called on the command line."""
        return f"--{self.name.replace('_', '-')}"


SETTINGS: Final = (
    Setting(name="scope", environment=("MEMP_SCOPE",), form=str, says="whose memory it is", default=""),
    Setting(name="actor", environment=("MEMP_ACTOR",), form=str, says="who writes", default="user"),
    Setting(name="mask", environment=("MEMP_MASK",), form=bool, says="whether secrets are masked", default=True),
    Setting(name="embedder", environment=("MEMP_EMBEDDER",), form=str, says="what compares texts"),
    Setting(name="model", environment=("MEMP_MODEL",), form=str, says="the language model"),
    Setting(name="base_url", environment=("MEMP_BASE_URL", "OPENAI_BASE_URL"), form=str, says="where models are asked"),
    Setting(name="mode", environment=("MEMP_MODE",), form=str, says="how a model's answers are held to a form"),
)
"""All settings, in the order in which they are shown."""

BY_NAME: Final[Mapping[str, Setting]] = {setting.name: setting for setting in SETTINGS}
"""The settings by their names."""

SECRETS: Final = {"api_key": ("OPENAI_API_KEY",)}
"""What comes from the environment alone and is never shown, with the variables."""

_FORMS: Final = {str: "a text", bool: "true or false"}


@attrs.frozen(kw_only=True)
class SettingsFile:
    """
    Settings that were found in a file.

    Attributes:
        path: The file.

        table: The table of it that they stand in; empty for the whole file.

        values: What it sets, by name.
    """

    path: Path
    table: str
    values: Mapping[str, str | bool]

    def __str__(self) -> str:
        return f"{self.path} [{self.table}]" if self.table else str(self.path)


def find_settings(folder: Path) -> SettingsFile | None:
    """
    Return the nearest settings, from *folder* upwards; None if there are none.

    In one folder ``memp.toml`` comes before ``pyproject.toml``; a ``pyproject.toml`` without ``[tool.memp]`` is passed
    over.

    Raises:
        InvalidInputError: A file that counts is no TOML, or holds what is no setting.
    """
    for place in (folder, *folder.parents):
        if (place / FILE).is_file():
            return _checked(place / FILE, "", _read(place / FILE))
        if (place / PROJECT_FILE).is_file():
            tool = _read(place / PROJECT_FILE).get("tool")
            if isinstance(tool, dict) and "memp" in tool:
                return _checked(place / PROJECT_FILE, "tool.memp", tool["memp"])
    return None


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{str(path)!r} must be TOML: {error}.") from error


def _checked(path: Path, table: str, values: object) -> SettingsFile:
    where = f"{str(path)!r}, [{table}]," if table else repr(str(path))
    if not isinstance(values, dict):
        raise InvalidInputError(f"{where} must be a table of settings (got {values!r}).")
    for name, value in values.items():
        if name in SECRETS:
            variables = " or ".join(SECRETS[name])
            raise InvalidInputError(f"{where} holds a key. Keys come from the environment alone: set {variables}.")
        if name not in BY_NAME:
            import difflib

            near = difflib.get_close_matches(name.replace("-", "_"), BY_NAME, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidInputError(f"{where} sets {name!r}, and settings are {', '.join(BY_NAME)}.{hint}")
        form = BY_NAME[name].form
        if type(value) is not form:
            raise InvalidInputError(f"{where} must set {name!r} to {_FORMS[form]} (got {value!r}).")
    return SettingsFile(path=path, table=table, values=values)
