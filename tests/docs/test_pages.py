"""What the documentation names exists: links lead somewhere, and so do the paths of the architecture page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(REPOSITORY)
    for pattern in ("*.md", "docs/**/*.md", "tests/*.md", "examples/*.md")
    for path in REPOSITORY.glob(pattern)
)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
ROOM = re.compile(r"`((?:memp|procedures|templates|migrations|tests|docs|bench|examples)(?:/[\w.]+)*/?)`")


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
