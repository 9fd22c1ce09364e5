"""Steps without a procedure around them."""

from __future__ import annotations

import pytest

from memp.errors import ScriptError
from memp.script import format_script, load_toolset, parse_script
from memp.script.fragment import is_fragment, parse_fragment

HOUSEHOLD = load_toolset("household")
FRAME = parse_script(
    '@procedure("put {thing} in {target}")\ndef place(thing: Object, target: Receptacle):\n    go_to(target)\n',
    HOUSEHOLD,
).procedures[0]


def test_steps_take_the_place_of_those_of_the_frame() -> None:
    """Name, patterns and parameters stay; comments and line ends are no matter."""
    script = parse_fragment("# first look\r\nsource = find(thing)\r\ntake(thing, source)\r\n", FRAME, HOUSEHOLD)
    assert format_script(script) == (
        "from household import *\n\n\n"
        '@procedure("put {thing} in {target}")\ndef place(thing: Object, target: Receptacle):\n'
        "    source = find(thing)\n    take(thing, source)\n"
    )
    assert parse_script(format_script(script)) == script


def test_untyped_steps_may_call_anything() -> None:
    """Without a toolset every name is allowed, and the script imports nothing."""
    script = parse_fragment('fly(thing)\ndo("land")', FRAME)
    assert script.toolset is None
    assert len(script.procedures[0].body) == 2


def test_mistakes_stand_where_they_were_written() -> None:
    """Lines and columns are those of the steps, and all mistakes are told."""
    with pytest.raises(ScriptError) as caught:
        parse_fragment("take(thin, target)\n\n  \ntake(thing)\nimport os\n", FRAME, HOUSEHOLD, path="fix.py")
    places = [str(mistake).split(":")[:2] for mistake in caught.value.mistakes]
    assert places == [["fix.py", "1"], ["fix.py", "4"], ["fix.py", "5"]]


@pytest.mark.parametrize("text", ["", "# nothing", "x = (", "(" * 200, "a\0b"])
def test_what_holds_no_steps_is_refused(text: str) -> None:
    """Nothing, half a line, deep nesting and null bytes are clean errors."""
    with pytest.raises(ScriptError):
        parse_fragment(text, FRAME, HOUSEHOLD)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('do("x")', True),
        ("", True),
        ("do(", True),
        ("from household import *", False),
        ('@procedure("x")\ndef f():\n    do("x")', False),
        ("import os", False),
        ("x" * 300_000, False),
    ],
)
def test_fragments_are_told_from_scripts(text: str, expected: bool) -> None:
    """What declares or imports something is a whole script, with its own mistakes."""
    assert is_fragment(text) is expected
