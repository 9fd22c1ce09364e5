"""What the documentation names exists: links lead somewhere, and so do paths, commands, options and methods."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

import memp
from memp.cli.main import cli
from memp.evaluation.suite import SHIPPED, maker_named

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(REPOSITORY)
    for pattern in ("*.md", "docs/**/*.md", "tests/*.md", "examples/*.md")
    for path in REPOSITORY.glob(pattern)
)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
ROOM = re.compile(r"`((?:memp|procedures|templates|migrations|tests|docs|bench|examples)(?:/[\w.]+)*/?)`")

CODE = re.compile(r"```.*?```|`[^`\n]+`", flags=re.DOTALL)
TYPED = re.compile(r"(?:^|[`$(] *)memp ((?:[^`\n|)#]|\\\n)+)", flags=re.MULTILINE)
HELP = {"--help", "-h"}
OF_SUITES = {f"--{option.name.replace('_', '-')}" for name in SHIPPED for option in maker_named(name).options}


def anchors(text: str) -> set[str]:
    """Return the anchors that the headings of a page have."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link to a file or to a heading of a file finds it."""
    for target, anchor in LINK.findall((REPOSITORY / page).read_text(encoding="utf-8")):
        path = (REPOSITORY / page).parent / target if target else REPOSITORY / page
        assert path.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{target}#{anchor} is not there"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_room_that_is_named_exists(page: Path) -> None:
    """Documents speak of what there is: a path in code quotes is a file or a folder of the repository."""
    for room in ROOM.findall((REPOSITORY / page).read_text(encoding="utf-8")):
        assert (REPOSITORY / room).exists(), f"{room} is not there"


def test_every_room_is_on_the_architecture_page() -> None:
    """A package or module that is added to memp is explained on the page that shows the whole."""
    text = (REPOSITORY / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    rooms = {
        path.name
        for path in (REPOSITORY / "memp").iterdir()
        if (path.suffix == ".py" and not path.name.startswith("__")) or any(path.glob("**/*.py"))
    }
    missing = sorted(room for room in rooms if f"`memp/{room}" not in text)
    assert not missing, f"docs/explanation/architecture.md says nothing about {', '.join(missing)}"


def test_every_page_is_in_the_index() -> None:
    """A reader who starts at docs/README.md can reach every page."""
    index = (REPOSITORY / "docs/README.md").read_text(encoding="utf-8")
    pages = {path.relative_to(REPOSITORY / "docs").as_posix() for path in REPOSITORY.glob("docs/**/*.md")}
    missing = sorted(page for page in pages - {"README.md"} if f"({page})" not in index)
    assert not missing


def unknown(command: str) -> str | None:
    """Return the first word behind ``memp`` that the command line does not know; None if it knows all."""
    words = re.sub(r"[…,;]", " ", command).replace("\\\n", " ").replace("'", " ").replace('"', " ").split()
    at: click.Command = cli
    place = 0
    while place < len(words) and isinstance(at, click.Group):
        word = words[place]
        options = {name: option for option in at.params for name in (*option.opts, *option.secondary_opts)}
        if word in options:
            place += 1 if getattr(options[word], "is_flag", False) else 2
        elif not re.match("[a-z]", word):
            return word if word.startswith("-") and word not in HELP else None  # COMMAND stands for one
        elif word not in at.commands:
            return word
        else:
            at, place = at.commands[word], place + 1
    known = {name for option in at.params for name in (*option.opts, *option.secondary_opts)} | HELP
    named = (word.partition("=")[0].partition("|")[0].rstrip(".:") for word in words[place:] if word.startswith("--"))
    return next((option for option in named if option not in known | OF_SUITES), None)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_that_is_named_exists(page: Path) -> None:
    """What a page shows to be typed can be: each command is there, and has the options that stand behind it."""
    for code in CODE.findall((REPOSITORY / page).read_text(encoding="utf-8")):
        for command in TYPED.findall(code):
            assert unknown(command) is None, f"'memp {command}': there is no {unknown(command)}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_name_that_is_named_exists(page: Path) -> None:
    """What a page calls of the package or of a memory is a name that it has."""
    for code in CODE.findall((REPOSITORY / page).read_text(encoding="utf-8")):
        for name in re.findall(r"\bmemory\.([a-z_]+)\b(?!/)", code):
            assert name == "py" or hasattr(memp.Memory, name), f"a memory has no {name!r}"
        for name in re.findall(r"(?<![/\w])memp\.(\w+)\b", code):
            there = name == "toml" or hasattr(memp, name) or find_spec(f"memp.{name}") is not None
            assert there, f"memp has no {name!r}"
