"""The generated reference pages: they are what the code says of itself now, and leave nothing out."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import click
import pytest

from memp import errors
from memp.cli.exits import exit_code
from memp.cli.main import cli
from memp.events import EVENT_TYPES
from memp.record import FIELDS

REPOSITORY = Path(__file__).parents[2]
GENERATOR = REPOSITORY / "docs/generate.py"
REFERENCE = REPOSITORY / "docs/reference"

EXTRAS = "instructor openai tenacity matplotlib scipy statsmodels tokenizers alfworld textworld scienceworld".split()
"""What the default installation does not have."""


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    """Return what the generator defines; it is a script beside the pages and no part of the package."""
    return runpy.run_path(str(GENERATOR))


@pytest.mark.parametrize("name", ["cli.md", "errors.md", "events.md"])
def test_a_page_is_what_the_code_says_now(generator: dict[str, Any], name: str) -> None:
    """A command, event or error that changed changes its page in the same commit."""
    made = generator["pages"]()[REFERENCE / name]
    assert (REFERENCE / name).read_text(encoding="utf-8") == made, (
        f"docs/reference/{name} is not what the code says now. Run: {generator['COMMAND']}"
    )


def test_every_command_has_help_and_is_on_the_page(generator: dict[str, Any]) -> None:
    """Whatever can be typed, commands of groups among it, explains itself and all of its options, here and there."""
    page = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    found = dict(generator["commands"]())
    assert {path.split()[1] for path in found} == set(cli.commands)
    for path, command in found.items():
        assert command.help, path
        assert f"\n## {path}\n" in page
        told = page.partition(f"\n## {path}\n")[2].partition("\n## ")[0]
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{path} {option.name}"
                assert f"| `{option.opts[0]}" in told or f", {option.opts[0]}" in told, f"{path} {option.opts[0]}"


def test_every_event_is_on_the_page() -> None:
    """Each event has a section with its class and all of its fields, and the record has its own."""
    page = (REFERENCE / "events.md").read_text(encoding="utf-8")
    for name, cls in EVENT_TYPES.items():
        told = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert f"`{cls.__name__}`, form {cls.VERSION}, stream `" in told
        assert all(f"\n| `{field.name}` | " in told for field in attrs.fields(cls))
    record = page.partition("\n## The record\n")[2].partition("\n## ")[0]
    assert all(f"\n| `{name}` | " in record for name in FIELDS)


def test_every_error_is_on_the_page() -> None:
    """Each exception that can be caught is in the tree, and its group says the exit code."""
    page = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    tree = page.partition("```text\n")[2].partition("\n```")[0]
    assert sorted(line.split()[0] for line in tree.splitlines()) == sorted(errors.__all__)
    for group in errors.MempError.__subclasses__():
        told = page.partition(f"\n## {group.__name__}\n")[2].partition("\n#")[0]
        assert f"Exit code {exit_code(group.__new__(group))}." in told


def test_a_page_depends_on_nothing_but_the_code(
    generator: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a narrow terminal nor a setting of whoever generates a page gets into it."""
    expected = generator["pages"]()
    (tmp_path / "memp.toml").write_text('actor = "somebody"\nmodel = "some-model"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("MEMP_SCOPE", "somewhere")
    assert generator["pages"]() == expected


def test_the_pages_are_made_without_extras() -> None:
    """The default installation is enough to generate them."""
    code = (
        "import runpy, sys\n"
        f"sys.modules.update(dict.fromkeys({EXTRAS!r}))\n"
        f"assert len(runpy.run_path({str(GENERATOR)!r})['pages']()) == 3\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
