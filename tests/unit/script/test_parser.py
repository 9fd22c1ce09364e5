"""Reading scripts: what the language has, and what it refuses."""

from __future__ import annotations

import pytest

from memp import ScriptError
from memp.errors import NotFoundError
from memp.script import Script, Toolset, format_script, load_toolset, parse_script
from memp.script import nodes as n
from memp.script.mistakes import MISTAKES_MAX, Mistake

household = load_toolset("household")

HEAD = '@procedure("bring {thing} to {target}")\ndef bring(thing: Object, target: Receptacle):\n'


def body(source: str, *, toolset: Toolset | None = household) -> tuple[n.Statement, ...]:
    """Return the steps that *source* writes inside a procedure with an Object and a Receptacle."""
    lines = "".join(f"    {line}\n" for line in source.strip("\n").split("\n"))
    return parse_script(HEAD + lines, toolset).procedures[0].body


def mistakes(source: str, toolset: Toolset | None = household) -> list[Mistake]:
    with pytest.raises(ScriptError) as caught:
        parse_script(source, toolset)
    return [mistake for mistake in caught.value.mistakes if isinstance(mistake, Mistake)]


def body_mistakes(source: str) -> list[Mistake]:
    return mistakes(HEAD + "".join(f"    {line}\n" for line in source.split("\n")))


def test_a_whole_script_is_read() -> None:
    """Toolset, text, patterns, parameters with types and defaults, and steps are all there."""
    script = parse_script(
        '"""Carrying."""\nfrom household import *\n'
        '@procedure("bring {thing}", "carry {thing} over")\n'
        'def bring(thing: Object, often: Number = 2, how: Literal["slow", "fast"] = "slow", more: list[Text] = []):\n'
        '    """Bring it."""\n    go_to("desk 1")\n'
    )
    assert (script.toolset, script.doc) == ("household", "Carrying.")
    procedure = script.procedures[0]
    assert procedure.patterns == ("bring {thing}", "carry {thing} over")
    assert [parameter.name for parameter in procedure.parameters] == ["thing", "often", "how", "more"]
    assert procedure.parameters[1].default == n.NumberLiteral(value=2)
    assert procedure.doc == "Bring it."
    assert procedure.body == (n.Act(call=n.Call(name="go_to", args=(n.TextLiteral(value="desk 1"),))),)


def test_every_statement_is_read() -> None:
    """One of each kind of statement comes out as its node."""
    steps = body(
        """
spot = find(thing, likely=["desk"])
for place in ["desk 1", "shelf 1"]:
    go_to(place)
    if visible(thing) and not closed(place):
        break
    elif closed(place):
        open(place)
    else:
        note("nothing here")
else:
    stop("nowhere")
for _ in times(2):
    take(thing, spot)
for _ in attempts(3):
    move(thing, target)
else:
    do("give up")
try:
    heat(thing, "microwave 1")
except failed:
    avoid(heat(thing, "stoveburner 1"), "it burns")
avoid("running", because="it is slippery")
ensure(condition=inside(thing, target), why=f"{thing} is there")
"""
    )
    kinds = [n.Find, n.ForEach, n.Repeat, n.Attempts, n.Try, n.Avoid, n.Ensure]
    assert [type(step) for step in steps] == kinds
    loop = steps[1]
    assert isinstance(loop, n.ForEach)
    assert isinstance(loop.body[1], n.If)
    assert [type(branch.condition) for branch in loop.body[1].branches] == [n.Both, n.Call]
    ensure = steps[6]
    assert isinstance(ensure, n.Ensure)
    assert ensure.why == n.FormattedText(parts=(n.Name(name="thing"), " is there"))


def test_an_else_with_one_if_is_an_elif() -> None:
    """Both spellings of the same decision are one script."""
    nested = body("if closed(target):\n    open(target)\nelse:\n    if visible(thing):\n        look()")
    flat = body("if closed(target):\n    open(target)\nelif visible(thing):\n    look()")
    assert nested == flat


def test_places_do_not_count_but_are_known() -> None:
    """Two sources of different layout give equal scripts, each with its own lines and columns."""
    first, second = body("look()"), body("\n\n\nlook(  )")
    assert first == second
    assert (first[0].span, second[0].span) == (
        n.Span(line=3, column=5, end_line=3),
        n.Span(line=3, column=5, end_line=3),
    )
    wide = body('note("é"); look()')
    assert wide[1].span == n.Span(line=3, column=16, end_line=3)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('__import__("os")', "cannot be called"),
        ('__import__("os").system("ls")', "Attribute access is not part"),
        ("thing.name()", "Attribute access is not part"),
        ("lambda: 1", "lambda is not part"),
        ("take(thing, [p for p in target])", "comprehension is not part"),
        ("take(thing, (p for p in target))", "comprehension is not part"),
        ("take(thing, target[0])", "Indexing is not part"),
        ("take(thing, 1 + 1)", "Arithmetic is not part"),
        ("take(thing, target if thing else target)", "conditional expression is not part"),
        ("take((yield), target)", "yield is not part"),
        ("take(*thing)", "Unpacking is not part"),
        ("take(**thing)", "Unpacking is not part"),
        ("take(thing, b'desk')", "literal is not part"),
        ("take(thing, 1j)", "literal is not part"),
        ("take(thing, ...)", "literal is not part"),
        ("take(thing, (x := target))", "assignment inside an expression"),
        ('take(thing, f"{thing!r}")', "more than a name"),
        ('take(thing, f"{thing:>9}")', "more than a name"),
        ('take(thing, f"{thing.x}")', "more than a name"),
        ("if 1 < 2 < 3:\n    look()", "cannot be chained"),
        ("if thing is target:\n    look()", "'is' is not part"),
        ("x = 1", "Only what a finder found"),
        ("x = y = find(thing)", "Only what a finder found"),
        ("x: Text = 'a'", "annotated assignment is not part"),
        ("x += 1", "assignment is not part"),
        ("import os", "'import' is not part"),
        ("from os import *", "An import is not part"),
        ("while True:\n    look()", "'while' is not part"),
        ("with thing:\n    look()", "'with' is not part"),
        ("pass", "'pass' is not part"),
        ("continue", "'continue' is not part"),
        ("return thing", "'return' is not part"),
        ("raise thing", "'raise' is not part"),
        ("global thing", "'global' is not part"),
        ("del thing", "'delete' is not part"),
        ("assert thing", "'assert' is not part"),
        ("def inner():\n    look()", "A function is not part"),
        ("class Inner: ...", "A class is not part"),
        ("async def inner():\n    look()", "async is not part"),
        ("match thing:\n    case 1:\n        look()", "'match' is not part"),
        ("try:\n    look()\nexcept Exception:\n    look()", "one handler"),
        ("try:\n    look()\nfinally:\n    look()", "one handler"),
        ("for i in times(2):\n    look()", "counts without a name"),
        ("for a, b in thing:\n    look()", "A loop names one thing"),
        ("for _ in times():\n    look()", "takes 1 argument"),
        ("do()", "takes 1 argument"),
        ('do("")', "no text"),
        ("do(thing)", "no text"),
        ('stop("a", "b")', "takes 1 argument"),
        ('ensure(closed(target), reason="x")', "no argument 'reason'"),
        ('"just a text"; look()', "This literal is not part"),
    ],
)
def test_what_is_not_the_language_is_refused(source: str, message: str) -> None:
    """Every other construct of Python is a mistake that names it, in one of the lines that it stands in."""
    first = "note('steps follow')\n" if source.startswith('"') else ""
    assert any(message in mistake.message for mistake in body_mistakes(first + source))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "no procedure"),
        ("x = 1", "An assignment is not part"),
        ("def f():\n    look()", "no task pattern"),
        ("@procedure()\ndef f():\n    look()", "no task pattern"),
        ("@procedure('')\ndef f():\n    look()", "no plain text"),
        ("@procedure('go', 1)\ndef f():\n    look()", "no plain text"),
        ("@cache\n@procedure('go')\ndef f():\n    look()", "decorator is not part"),
        ("@procedure('go')\n@procedure('run')\ndef f():\n    look()", "decorator is not part"),
        ("@procedure('go')\ndef f():\n    '''Only words.'''", "has no steps"),
        ("@procedure('go')\ndef f(x):\n    look()", "has no type"),
        ("@procedure('go')\ndef f(*x: Text):\n    look()", "of a kind"),
        ("@procedure('go')\ndef f(*, x: Text):\n    look()", "of a kind"),
        ("@procedure('go')\ndef f(x: Text = y):\n    look()", "no literal"),
        ("@procedure('go')\ndef f(x: str):\n    look()", "no type 'str'"),
        ("@procedure('go')\ndef f(x: dict[Text, Text]):\n    look()", "This is no type"),
        ("@procedure('go')\ndef f(x: Literal[1]):\n    look()", "no text"),
        ("@procedure('go')\ndef f() -> Text:\n    look()", "returns nothing"),
        ("@procedure('go')\ndef do():\n    look()", "'do' cannot be the name"),
        ("import household\n@procedure('go')\ndef f():\n    look()", "'import' is not part"),
        ("from household import look\n@procedure('go')\ndef f():\n    look()", "Only a whole toolset"),
        ("from .household import *\n@procedure('go')\ndef f():\n    look()", "Only a whole toolset"),
        (
            "from household import *\nfrom household import *\n@procedure('go')\ndef f():\n    look()",
            "imports one toolset",
        ),
        ("from science import *\n@procedure('go')\ndef f():\n    look()", "speaks 'science'"),
        ("@procedure('go')\ndef f():\n    look()\n@procedure('go')\ndef f():\n    look()", "two procedures 'f'"),
        ("@procedure('go')\ndef look():\n    do('x')", "already has something called 'look'"),
        ("@procedure('go')\ndef f():\n    g()\n@procedure('go')\ndef g():\n    f()", "calls itself"),
    ],
)
def test_files_that_are_no_script_are_refused(source: str, message: str) -> None:
    """What stands around the steps is checked as well as they are."""
    assert any(message in mistake.message for mistake in mistakes(source))


def test_all_mistakes_come_at_once_in_order() -> None:
    """Mistakes of syntax, of names and of types are told together, each with line, column, source and a way out."""
    found = mistakes(
        '@procedure("bring {thng}")\n'
        "def bring(thing: Objct, target: Receptacle):\n"
        "    tke(thing, target)\n"
        "    if closed(target)\n"
        "        open(target)\n"
        "    move(target)\n"
    )
    assert [(mistake.line, mistake.suggestion) for mistake in found] == [
        (1, "thing"),
        (2, "Object"),
        (3, "take"),
        (4, None),
        (6, None),
        (6, None),
    ]
    assert found[2].column == 5
    assert found[2].source == "    tke(thing, target)"
    move = household.find_entry("move")
    assert move is not None
    assert found[4].expected == move.signature
    shown = str(found[2]).split("\n")
    assert shown[0].startswith("<script>:3:5: ")
    assert shown[2] == "        ^"
    assert shown[-1] == "    did you mean 'take'?"


def test_a_mistake_in_one_procedure_hides_none_in_another() -> None:
    """After a line that Python cannot parse, the other procedures are read and checked."""
    found = mistakes(
        "@procedure('go')\ndef f(:\n    look()\n\n@procedure('go')\ndef g():\n    lok()\n    f()\n"
        "\n@procedure('go')\ndef h():\n    x = = 1\n    move(x, x)\n    opne('desk 1')\n"
    )
    assert [(mistake.line, mistake.suggestion) for mistake in found if mistake.line not in (2, 8)] == [
        (7, "look"),
        (12, None),
        (14, "open"),
    ]


def test_what_a_broken_line_would_have_named_is_no_second_mistake() -> None:
    """A name that a refused line was to bind may be used below without another complaint."""
    assert [mistake.line for mistake in body_mistakes("spot = [1 for x in thing]\ngo_to(spot)")] == [3]


def test_no_more_mistakes_than_anybody_reads() -> None:
    """A source full of mistakes tells a bounded number of them."""
    assert len(body_mistakes("\n".join(f"missing_{index}()" for index in range(300)))) == MISTAKES_MAX


def test_a_script_finds_its_own_toolset() -> None:
    """Without a toolset the import decides, among the shipped rooms or by a resolver."""
    source = "from {} import *\n\n\n@procedure('go')\ndef f():\n    look()\n"
    assert parse_script(source.format("household")).toolset == "household"
    mine = Toolset.from_text('@action("look")\ndef look(): ...', name="mine")
    assert parse_script(source.format("mine"), resolve={"mine": mine}.__getitem__).toolset == "mine"
    found = mistakes(source.format("houshold"), None)
    assert [(mistake.line, mistake.suggestion) for mistake in found] == [(1, "from household import *")]


def test_a_resolver_may_know_nothing() -> None:
    """A resolver's NotFoundError becomes a mistake at the import, and the steps are no further mistakes."""

    def resolve(name: str) -> Toolset:
        raise NotFoundError(f"nothing called {name}")

    with pytest.raises(ScriptError, match="nothing called mine") as caught:
        parse_script("from mine import *\n@procedure('go')\ndef f():\n    anything(1)\n", resolve=resolve)
    assert len(caught.value.mistakes) == 1


def test_without_a_toolset_any_name_may_be_called() -> None:
    """An untyped reading checks the language and the names of values, not what is called."""
    source = (
        "@procedure('go {x}')\ndef f(x: Whatever):\n    y = seek(x)\n    if warm(y):\n        press(y, hard=True)\n"
    )
    script = parse_script(source)
    assert parse_script(format_script(script)) == script
    found = mistakes("@procedure('go')\ndef f():\n    press(z)\n", None)
    assert "'z' is not known" in found[0].message


def test_a_library_lends_its_procedures() -> None:
    """Procedures of other scripts may be called, with their signatures checked."""
    library = parse_script(HEAD + "    take(thing, target)\n", household)
    source = "@procedure('go {thing}')\ndef f(thing: Object):\n    bring(thing, 'desk 1')\n"
    assert isinstance(parse_script(source, household, library=[library]), Script)
    with pytest.raises(ScriptError, match="has no action or procedure 'bring'"):
        parse_script(source, household)
    with pytest.raises(ScriptError, match="of type Object"):
        parse_script(source.replace("'desk 1'", "thing"), household, library=[library])
