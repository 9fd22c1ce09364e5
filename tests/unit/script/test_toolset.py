"""Toolsets: reading, writing, what does not hold together, and what an observation says."""

from __future__ import annotations

import pytest

from memp import ScriptError
from memp.errors import InvalidInputError
from memp.script import Toolset
from memp.script.nodes import Call, Keyword, NumberLiteral, Parameter, TextLiteral
from memp.script.toolset import Action, Finder, Form, bind_arguments
from memp.script.types import NUMBER, TEXT, ListType, LiteralType, NamedType

SOURCE = """
"A workshop."

toolset("workshop")
no_effect("Nothing happens.", "You cannot *")

class Thing: "Something, such as 'saw 1'."
class Tool(Thing): ""

@keys(size="size-mm")
class Board:
    "A board with its size."
    wood: Text
    size: Number = None

class Json:
    ...

@action("saw {board} with {tool}", older="use {tool} on {board}")
@no_effect("The board is too hard.")
def saw(board: Thing, tool: Tool): "Cut a board."

@action("look")
@observing
def look(): ...

@action("order-board({...})")
@keys(from_="from")
def order_board(board: Board, speed: Literal["slow", "fast"], from_: Text = None, more: Json = None): "Order one."

@condition("{thing} is sharp")
def sharp(thing: Tool): ...

@finder("look for {thing}", by=[look, saw])
def find(thing: Thing, likely: list[Text] = []) -> Thing: ...
"""


def workshop() -> Toolset:
    return Toolset.from_text(SOURCE)


def test_a_source_says_all_that_a_toolset_has() -> None:
    """Classes, records, actions with dialects and markers, conditions and finders are read from one source."""
    toolset = workshop()
    assert (toolset.name, toolset.doc, toolset.dialects) == ("workshop", "A workshop.", ("older",))
    assert [tool_class.name for tool_class in toolset.classes] == ["Thing", "Tool", "Board", "Json"]
    board = toolset.find_class("Board")
    assert board is not None
    assert [field.wire for field in board.fields] == ["wood", "size-mm"]
    saw, order = toolset.find_action("saw"), toolset.find_action("order_board")
    assert saw is not None
    assert order is not None
    assert saw.forms == (Form(text="saw {board} with {tool}"), Form(text="use {tool} on {board}", dialect="older"))
    assert order.forms[0].is_json
    assert order.parameters[1].type == LiteralType(("slow", "fast"))
    assert order.parameters[2].wire == "from"
    finder = toolset.find_entry("find")
    assert isinstance(finder, Finder)
    assert (finder.returns, finder.by) == (NamedType("Thing"), ("look", "saw"))
    assert finder.parameters[1].type == ListType(TEXT)


def test_the_canonical_source_is_the_same_toolset() -> None:
    """What is written is read back equal, so that equal toolsets and no others have equal digests."""
    toolset = workshop()
    again = Toolset.from_text(toolset.to_text())
    assert again == toolset
    assert again.digest == toolset.digest != Toolset.from_text(SOURCE.replace("Cut a board.", "Cut it.")).digest
    assert toolset.to_text() == again.to_text()


def test_classes_form_kinds() -> None:
    """A class is a kind of itself and of what it names in brackets, not the other way round."""
    toolset = workshop()
    assert toolset.is_kind_of("Tool", "Thing")
    assert toolset.is_kind_of("Tool", "Tool")
    assert not toolset.is_kind_of("Thing", "Tool")


@pytest.mark.parametrize(
    ("action", "observation", "effect"),
    [
        ("saw", "The board is in two.", True),
        ("saw", "Nothing happens.", False),
        ("saw", " nothing  happens. ", False),
        ("saw", "You cannot do\nthat.", False),
        ("saw", "The board is too hard.", False),
        ("order_board", "The board is too hard.", True),
        ("look", "You see a saw.", False),
        ("unknown", "Nothing happens.", False),
        ("unknown", "Nothing happens. But then it does.", True),
    ],
)
def test_observations_tell_of_no_effect(action: str, observation: str, effect: bool) -> None:
    """A marker must cover the whole observation; observing actions never change anything."""
    assert workshop().had_effect(action, observation) is effect


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ('@action("go {place}")\ndef go(spot: Text): ...', 2, "names 'place', which is no parameter"),
        ('@action("go")\ndef go(spot: Text): ...', 2, "leaves out 'spot'"),
        ('@action("go {x")\ndef go(x: Text): ...', 2, "has no partner"),
        ('@action("go {x}")\ndef go(x: Spot): ...', 2, "'Spot', which is not declared"),
        ('@action("go")\ndef do(): ...', 2, "'do' cannot be the name"),
        ('@action("go")\ndef go(): ...\n@action("go")\ndef go(): ...', 4, "declared twice"),
        ('@finder("f {x}", by=[fly])\ndef find(x: Text) -> Text: ...', 2, "searches by 'fly'"),
        ('@finder("f {x}")\ndef find(x: Text): ...', 2, "says not what it finds"),
        ('@condition("c {...}")\ndef c(x: Text): ...', 2, "only actions have it"),
        ('@condition("c")\n@observing\ndef c(): ...', 3, "Only actions have"),
        ('@action("a {x}")\n@undoes(b)\ndef a(x: Text): ...', 3, "undoes 'b', which is no action"),
        ('@action("a {x}")\n@overrides("b")\ndef a(x: Text): ...', 2, "lists the names of actions"),
        ('@action("a")\n@overrides(a)\ndef a(): ...', 3, "done to nothing"),
        (
            '@action("a {x}")\n@undoes(b)\ndef a(x: Text): ...\n@action("b {x} {y}")\ndef b(x: Text, y: Text): ...',
            3,
            "as many things",
        ),
        ('@acton("go")\ndef go(): ...', 1, "decorator is not part"),
        ("@action()\ndef go(): ...", 1, "no surface form"),
        ('@action("go")\ndef go(): return 1', 2, "has no steps"),
        ("def go(): ...", 1, "says not what it is"),
        ("class A(B): ...", 1, "'B', which is not declared"),
        ("class A(A): ...", 1, "a kind of itself"),
        ("class A:\n    x = 1", 2, "is not part of the language"),
        ('no_effect("*")', 1, "must hold words"),
        ('no_effect("a*b*c*d*e*f")', 1, "at most"),
        ("import os", 1, "is not part of the language"),
        ('toolset("two words")', 1, "must be an identifier"),
        ('toolset("a")\ntoolset("b")', 2, "one name"),
        ('@action("go", by="x")\ndef go(): ...', 2, "not 'by'"),
        ('@action("go {a} {b}")\ndef go(a: Text = "", b: Text = "", a: Text = ""): ...', 2, "duplicate|twice"),
    ],
)
def test_mistakes_in_a_toolset_have_a_place(source: str, line: int, message: str) -> None:
    """Each kind of mistake is told with its line."""
    with pytest.raises(ScriptError, match=message) as caught:
        Toolset.from_text(source, name="broken")
    assert line in [mistake.line for mistake in caught.value.mistakes]  # type: ignore[attr-defined]


def test_a_toolset_needs_a_name() -> None:
    """Where neither the source nor the caller gives a name, that is a mistake."""
    with pytest.raises(ScriptError, match="has no name"):
        Toolset.from_text("class Thing: ...")


def test_all_mistakes_come_at_once() -> None:
    """A toolset with three mistakes tells three, in the order of the source."""
    with pytest.raises(ScriptError) as caught:
        Toolset.from_text('toolset("t")\nimport os\n@action("go {x")\ndef go(x: Text): ...\ndef lost(): ...\n')
    assert [mistake.line for mistake in caught.value.mistakes] == [2, 4, 5]  # type: ignore[attr-defined]


def test_parts_that_do_not_fit_cannot_become_a_toolset() -> None:
    """A toolset built by hand is checked as one from a source is."""
    with pytest.raises(InvalidInputError, match=r"In 'go': The form 'go \{place\}' names 'place'"):
        Toolset(name="t", actions=(Action(name="go", forms=(Form(text="go {place}"),)),))


def test_arguments_are_bound_by_place_and_by_name() -> None:
    """Arguments come out in the parameters' order; those that do not fit give None."""
    parameters = (Parameter(name="a", type=TEXT), Parameter(name="b", type=NUMBER, default=NumberLiteral(value=1)))
    text, number = TextLiteral(value="x"), NumberLiteral(value=2)
    both = Call(name="f", keywords=(Keyword(name="b", value=number), Keyword(name="a", value=text)))
    assert list((bind_arguments(both, parameters) or {}).items()) == [("a", text), ("b", number)]
    assert bind_arguments(Call(name="f", args=(text,)), parameters) == {"a": text}
    assert bind_arguments(Call(name="f"), parameters) is None
    assert bind_arguments(Call(name="f", args=(text, number, number)), parameters) is None
    assert bind_arguments(Call(name="f", args=(text,), keywords=(Keyword(name="a", value=text),)), parameters) is None
