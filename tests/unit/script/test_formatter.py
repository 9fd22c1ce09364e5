"""The one canonical text of a script."""

from __future__ import annotations

import pytest

from memp.script import format_script, load_toolset, parse_script
from memp.script import nodes as n
from memp.script.formatter import format_expression, format_statements

household = load_toolset("household")

UNTIDY = """
from household import *
# for the kitchen
@procedure( 'warm {thing}',   "heat {thing} in the kitchen, wherever it may be in this very large house of many rooms" )
def warm( thing : Object,often:Number=2 ) :
    '''  Warm it.
       Twice.
    '''
    # look first
    spot = find( thing,likely=[ 'desk' ] ) # anywhere
    if not ( closed(spot) or visible(thing) ) and (often==2) : take(thing,
          spot)
    else:
        if closed( spot ): open( spot )
    note('say "hi" \\\\ {x}'); note(f"{thing} {{x}}")
    # the end
"""

TIDY = '''from household import *


@procedure(
    "warm {thing}",
    "heat {thing} in the kitchen, wherever it may be in this very large house of many rooms",
)
def warm(thing: Object, often: Number = 2):
    """Warm it.
    Twice.
    """
    spot = find(thing, likely=["desk"])
    if not (closed(spot) or visible(thing)) and often == 2:
        take(thing, spot)
    elif closed(spot):
        open(spot)
    note("say \\"hi\\" \\\\ {x}")
    note(f"{thing} {{x}}")
'''


def test_layout_is_always_the_same() -> None:
    """Quotes, spaces, brackets, long lines and else-if come out in one way."""
    script = parse_script(UNTIDY, household)
    assert format_script(script) == TIDY
    assert format_script(parse_script(TIDY, household)) == TIDY
    assert parse_script(TIDY, household) == script


def test_comments_stay_where_a_person_wants_them() -> None:
    """Asked to, the formatter keeps comments, above the line that they belong to; they are no part of the script."""
    text = format_script(parse_script(UNTIDY, household), comments=True)
    for line, following in [
        ("# for the kitchen", "@procedure("),
        ("    # look first", "    # anywhere"),
        ("    # anywhere", '    spot = find(thing, likely=["desk"])'),
    ]:
        lines = text.split("\n")
        assert lines[lines.index(line) + 1] == following
    assert "# the end" in text
    assert format_script(parse_script(text, household)) == TIDY
    assert format_script(parse_script(text, household), comments=True) == text


@pytest.mark.parametrize(
    "text",
    [
        "(a or b) and c",
        "a or b and c",
        "not (a and b)",
        "not a and b",
        "(not a) == b",
        "1 in [1, 2]",
        "not 1 < 2",
        "-1 < 1.5",
    ],
)
def test_brackets_stand_only_where_they_are_needed(text: str) -> None:
    """An expression in canonical spelling is written as it was read."""
    source = f"@procedure('go')\ndef f(a: Bool, b: Bool, c: Bool):\n    if {text}:\n        do('x')\n"
    branch = parse_script(source).procedures[0].body[0]
    assert isinstance(branch, n.If)
    assert format_expression(branch.branches[0].condition) == text


@pytest.mark.parametrize("doc", ['"', 'a"', 'a """ b', "\\", "tab\tbed", "\u202e", "one\n\ntwo", '"a', "\u2028"])
def test_descriptions_of_any_kind_are_read_back(doc: str) -> None:
    """Docstrings with quotes, backslashes, invisible characters and empty lines survive."""
    step = n.Do(text=n.TextLiteral(value="x"))
    script = n.Script(doc=doc, procedures=(n.ProcedureDef(name="f", patterns=("go",), doc=doc, body=(step,)),))
    assert parse_script(format_script(script)) == script


def test_numbers_keep_their_kind() -> None:
    """``1`` and ``1.0`` are different literals, in equality and in the text."""
    one, real = n.NumberLiteral(value=1), n.NumberLiteral(value=1.0)
    assert one != real
    assert (format_expression(one), format_expression(real)) == ("1", "1.0")


def test_steps_can_be_written_alone() -> None:
    """A list of statements is written with the indentation that is asked for."""
    body = parse_script(TIDY, household).procedures[0].body
    assert format_statements(body[1:2], indent=2).split("\n")[1] == "      take(thing, spot)"


@pytest.mark.parametrize(
    "build",
    [
        lambda: n.TextLiteral(value="\ud800"),
        lambda: n.NumberLiteral(value=float("nan")),
        lambda: n.NumberLiteral(value=2**80),
        lambda: n.NumberLiteral(value=True),
        lambda: n.Do(text=n.TextLiteral(value=" ")),
        lambda: n.FormattedText(parts=("a", "b")),
        lambda: n.RecordLiteral(entries=(("a", n.NullLiteral()), ("a", n.NullLiteral()))),
        lambda: n.Both(operands=(n.BoolLiteral(value=True), n.Both(operands=(n.NullLiteral(), n.NullLiteral())))),
    ],
)
def test_what_cannot_be_written_cannot_be_built(build: object) -> None:
    """Nodes refuse what their canonical text could not bring back."""
    with pytest.raises(ValueError, match="must"):
        build()  # type: ignore[operator]
