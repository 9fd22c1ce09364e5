"""The project's own files: what is installed, and what may be imported when."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("duckdb", "hnswlib", "jinja2", "rich", "instructor", "openai")
"""Libraries that cost tens of milliseconds or more, so nothing may load them before they are needed."""


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, object]:
    """Return the table ``project`` of pyproject.toml."""
    table: dict[str, object] = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def test_every_dependency_has_its_reason(repository: Path, project: dict[str, object]) -> None:
    """A library that a user has to install is explained on the page of choices."""
    choices = (repository / "docs/explanation/choices.md").read_text(encoding="utf-8")
    dependencies = project["dependencies"]
    extras = project["optional-dependencies"]
    assert isinstance(dependencies, list)
    assert isinstance(extras, dict)
    for requirement in [*dependencies, *(name for extra in extras if extra != "dev" for name in extras[extra])]:
        name = requirement.split(">")[0]
        assert f"**{name}**" in choices, f"docs/explanation/choices.md says nothing about {name}"


@pytest.mark.parametrize("module", ["memp", "memp.cli", "memp.reading"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    """Importing the package or its command line loads no library that only later work needs."""
    code = f"import sys, {module}; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("folder", ["procedures", "templates", "migrations"])
def test_a_data_folder_is_found_when_installed(repository: Path, folder: str) -> None:
    """Without its ``__init__.py`` a data folder would be missing from editable installations."""
    assert (repository / folder / "__init__.py").is_file()
    assert f'"{folder}"' in (repository / "setup.py").read_text(encoding="utf-8")


def test_every_package_is_installed(repository: Path) -> None:
    """A folder of modules without ``__init__.py`` works in a checkout and is missing from the wheel."""
    folders = {path.parent for path in (repository / "memp").glob("**/*.py")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []
