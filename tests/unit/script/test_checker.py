"""What fits where."""

from __future__ import annotations

import pytest

from memp import ScriptError
from memp.script import Toolset, parse_script

TOOLSET = Toolset.from_text(
    """
class Thing: ""
class Tool(Thing): ""
class Spot: ""
class Row:
    label: Text
    amount: Number = None
class Json: ...

@action("take {thing}")
def take(thing: Thing, spot: Spot = None): ...
@action("use {tool}")
def use(tool: Tool): ...
@action("say {words}")
def say(words: Text): ...
@action("count {number}")
def count(number: Number): ...
@action("send({...})")
def send(rows: list[Row], speed: Literal["slow", "fast"] = "slow", more: Json = None): ...
@condition("{thing} is ready")
def ready(thing: Thing): ...
@finder("look for {thing}")
def find(thing: Thing) -> Spot: ...
@finder("list the things at {spot}")
def things_at(spot: Spot) -> list[Thing]: ...
""",
    name="rules",
)

HEAD = (
    "@procedure('go {thing}')\n"
    "def f(thing: Thing, tool: Tool, spot: Spot, words: Text,"
    " number: Number, flag: Bool, names: list[Text], row: Row):\n"
)


def messages(source: str) -> list[str]:
    """Return what is wrong with the steps of *source*; empty if nothing is."""
    text = HEAD + "".join(f"    {line}\n" for line in source.split("\n"))
    try:
        parse_script(text, TOOLSET)
    except ScriptError as error:
        return [mistake.message for mistake in error.mistakes]  # type: ignore[attr-defined]
    return []


@pytest.mark.parametrize(
    "source",
    [
        "take(thing)",
        "take(tool, spot)",
        'take("saw 1", spot=f"bench {number}")',
        "take(thing, None)",
        "say(thing)",
        'say(f"{thing} and {number}")',
        'send([{"label": "a", "amount": 1}, row])',
        'send(rows=[], speed="fast", more={"any": [1, None, True]})',
        'send([{"label": words, "amount": None}], more="x")',
        "where = find(thing)\ntake(thing, where)",
        'for one in ["saw 1", "saw 2"]:\n    use(one)\n    say(one)',
        "all = things_at(spot)\nfor one in all:\n    take(one)",
        "for one in names:\n    say(one)",
        "if flag and not ready(thing) or number >= 3:\n    say('x')",
        "if thing == 'saw 1' or 'saw 1' != thing:\n    say('x')",
        "if words in ['a', 'b'] and words not in names and 'a' in words:\n    say('x')",
        "if ready(thing):\n    where = find(thing)\nelse:\n    where = find(tool)\ntake(thing, where)",
        "if ready(thing):\n    where = find(thing)\nelse:\n    stop('gone')\ntake(thing, where)",
        "for _ in attempts(number):\n    where = find(thing)\n    break\ntake(thing, where)",
        "try:\n    where = find(thing)\nexcept failed:\n    stop('gone')\ntake(thing, where)",
        "avoid(take(thing), 'hot')",
        "where = find(thing)\nwhere = find(tool)",
    ],
)
def test_what_fits_is_accepted(source: str) -> None:
    """Kinds, literals, records, choices, loops and names that every way has bound are fine."""
    assert messages(source) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("use(thing)", "'thing' of type Thing"),
        ("take(spot)", "'spot' of type Spot"),
        ("take(3)", "something of type Number"),
        ("count('3')", "a text of type Text"),
        ("count(True)", "something of type Bool"),
        ("use(words)", "'words' of type Text"),
        ("say(row)", "'row' of type Row"),
        ("say(None)", "None of type None"),
        ("take()", "needs 'thing'"),
        ("take(thing, spot, spot)", "takes 2 argument(s), not 3"),
        ("take(thing, thing=thing)", "'thing' is given twice"),
        ("take(thing, place=spot)", "no parameter 'place'"),
        ("send([], speed='quick')", "'quick' is none of the texts"),
        ("send([{'amount': 1}])", "needs 'label'"),
        ("send([{'label': 'a', 'colour': 'b'}])", "no field 'colour'"),
        ("send([{'label': 1}])", "something of type Number"),
        ("send('row 1')", "a text of type Text"),
        ("send(rows=row)", "'row' of type Row"),
        ("say({'label': 'a'})", "of type record"),
        ("say(missing)", "'missing' is not known"),
        ("if ready(thing):\n    where = find(thing)\ntake(thing, where)", "'where' is not known"),
        ("try:\n    where = find(thing)\nexcept failed:\n    say('x')\ntake(thing, where)", "'where' is not known"),
        ("thing = find(tool)", "cannot be given another value"),
        ("say = find(tool)", "something that is called"),
        ("where = find(thing)\nwhere = things_at(spot)", "already a Spot"),
        ("for thing in names:\n    say('x')", "cannot be given another value"),
        ("for one in words:\n    say(one)", "of type Text"),
        ("for _ in times(0):\n    say('x')", "cannot be done 0 times"),
        ("for _ in times(1.5):\n    say('x')", "cannot be done 1.5 times"),
        ("for _ in times(words):\n    say('x')", "of type Text"),
        ("break", "outside a loop"),
        ("find(thing)", "a kind of finder"),
        ("ready(thing)", "a kind of condition"),
        ("where = take(thing)", "a kind of action"),
        ("where = ready(thing)", "a kind of condition"),
        ("where = fnd(thing)", "has no finder 'fnd'"),
        ("if take(thing):\n    say('x')", "a kind of action"),
        ("if find(thing):\n    say('x')", "a kind of finder"),
        ("if words:\n    say('x')", "'words' of type Text"),
        ("if redy(thing):\n    say('x')", "has no condition 'redy'"),
        ("if thing == 3:\n    say('x')", "of type Number"),
        ("if words < 3:\n    say('x')", "of type Text"),
        ("if thing in number:\n    say('x')", "Nothing can be in a Number"),
        ("ensure(words, 'x')", "'words' of type Text"),
        ("avoid(fly(thing), 'x')", "no action or procedure 'fly'"),
        ("note(f'{missing}')", "'missing' is not known"),
        ("for _ in times(2):\n    say('x')\nelse:\n    break", "outside a loop"),
    ],
)
def test_what_does_not_fit_is_told(source: str, message: str) -> None:
    """Each kind of misfit is one mistake that says what stands there."""
    found = messages(source)
    assert len(found) == 1, found
    assert message in found[0]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("go {what}", "names {what}, which is no parameter"),
        ("go {thing} {thing}", "twice"),
        ("{thing}", "no words"),
        ("go {thing", "has no partner"),
        ("go {thing.x}", "a slot must be a parameter's name"),
    ],
)
def test_task_patterns_are_checked_at_their_place(pattern: str, message: str) -> None:
    """A pattern's slots are parameters, each once, with words around them; the mistake points at the pattern."""
    with pytest.raises(ScriptError) as caught:
        parse_script(
            f"@procedure(\n    'fine {{thing}}',\n    '{pattern}',\n)\ndef f(thing: Thing):\n    take(thing)\n", TOOLSET
        )
    (mistake,) = caught.value.mistakes
    assert message in mistake.message  # type: ignore[attr-defined]
    assert mistake.line == 3  # type: ignore[attr-defined]
