"""
The only reader of the three data folders that ship with memp: procedures, templates and migrations.

In a wheel they are the packages ``memp.procedures``, ``memp.templates`` and ``memp.migrations``; in a checkout that
was not installed they lie beside the package. Everybody else asks here, so that no other file knows the difference.
``pkgutil.get_data`` was not taken: it cannot list.
"""

from __future__ import annotations

import importlib.resources
from importlib.resources.abc import Traversable
from pathlib import Path

from memp.errors import NotFoundError

FOLDERS = ("procedures", "templates", "migrations")
"""The data folders there are."""


def folder(name: str) -> Traversable:
    """
    Return the data folder *name*.

    Raises:
        NotFoundError: There is no such folder in this installation.
    """
    if name not in FOLDERS:
        raise NotFoundError(f"There is no data folder {name!r}: it must be one of {', '.join(FOLDERS)}.")
    try:
        return importlib.resources.files(f"memp.{name}")
    except ModuleNotFoundError:
        beside = Path(__file__).parent.parent / name
    if not beside.is_dir():
        raise NotFoundError(f"The data folder {name!r} is missing from this installation. Install memp again.")
    return beside


def read_text(name: str, path: str) -> str:
    """
    Return the text of a file.

    Args:
        name: The data folder.

        path: The file in it, with ``/`` between the parts.

    Raises:
        NotFoundError: There is no such file.
    """
    found = _descend(folder(name), path)
    if found is None or not found.is_file():
        raise NotFoundError(f"There is no {path!r} in the data folder {name!r}.")
    return found.read_text(encoding="utf-8")


def list_names(name: str, prefix: str = "") -> tuple[str, ...]:
    """
    Return the names in a data folder, sorted: files and folders, without what Python itself puts there.

    Args:
        name: The data folder.

        prefix: A folder inside it, with ``/`` between the parts; empty for the data folder itself.

    Raises:
        NotFoundError: There is no such folder.
    """
    found = _descend(folder(name), prefix)
    if found is None or not found.is_dir():
        raise NotFoundError(f"There is no folder {prefix!r} in the data folder {name!r}.")
    return tuple(sorted(part.name for part in found.iterdir() if not part.name.startswith(("__", "."))))


def _descend(start: Traversable, path: str) -> Traversable | None:
    """Return what lies at *path* below *start*; None if nothing does, or if the path leads out of it."""
    current = start
    for part in filter(None, path.split("/")):
        if part in (".", "..") or "\\" in part or not current.is_dir():
            return None
        current = current / part
    return current
