"""
What the language writes, as it is: canonical texts, skeletons, reports.

Digests rest on the canonical texts, and content keys on the skeleton: a change to those two changes the keys of
stored procedures. To accept a change: ``MEMP_UPDATE_GOLDEN=1 python -m pytest tests/golden/test_script.py``, and read
the difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from memp import ScriptError
from memp.script import (
    Toolset,
    diff_scripts,
    digest,
    format_diff,
    format_script,
    outline_lines,
    parse_script,
    skeleton,
    skeleton_digest,
)

FOLDER = Path(__file__).parent / "script"

TOOLSET = Toolset.from_text((FOLDER / "study.txt").read_text(encoding="utf-8"))
SOURCE = (FOLDER / "source.txt").read_text(encoding="utf-8")
SCRIPT = parse_script(SOURCE, TOOLSET)


def mistakes() -> str:
    """Return what is said of the script after some letters were lost."""
    damaged = (
        SOURCE.replace("lamp: Tool", "lamp: Tol").replace("light(lamp)", "ligt(lamp").replace("carry(thing", "carry(3")
    )
    with pytest.raises(ScriptError) as caught:
        parse_script(damaged, TOOLSET, path="source.txt")
    return str(caught.value)


def diff() -> str:
    """Return what changed in a later form of the script."""
    later = (FOLDER / "later.txt").read_text(encoding="utf-8")
    return format_diff(diff_scripts(SCRIPT, parse_script(later, TOOLSET)))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("toolset.txt", lambda: TOOLSET.to_text()),
        ("script.txt", lambda: format_script(SCRIPT)),
        ("skeleton.json", lambda: json.dumps(skeleton(SCRIPT, TOOLSET), indent=1)),
        ("digests.txt", lambda: "\n".join([TOOLSET.digest, digest(SCRIPT), skeleton_digest(SCRIPT, TOOLSET)])),
        ("outline.txt", lambda: "\n".join(outline_lines(SCRIPT, TOOLSET, values={"thing": "book 2"}))),
        ("mistakes.txt", mistakes),
        ("diff.txt", diff),
    ],
)
def test_what_is_written_stays(name: str, make: object) -> None:
    """The text is the same as in the file, letter by letter."""
    text = make().rstrip("\n") + "\n"  # type: ignore[operator]
    path = FOLDER / name
    if os.environ.get("MEMP_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
