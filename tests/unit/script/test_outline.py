"""A script as plain dicts and sentences."""

from __future__ import annotations

import json

from memp.script import load_toolset, outline, outline_lines, parse_script

household = load_toolset("household")
airline = load_toolset("airline")

SOURCE = """
@procedure("bring {thing} to {target}")
def bring(thing: Object, target: Receptacle, often: Number = 2):
    \"\"\"Bring it.\"\"\"
    spot = find(thing, likely=["desk", "bed"])
    if closed(spot) and not visible(thing):
        open(spot)
    elif often == 2:
        take(thing, spot)
    else:
        stop(f"no {thing}")
    for _ in attempts(3):
        move(thing, target)
        break
    else:
        do("ask")
    ensure(inside(thing, target) or (visible(thing) and closed(target)), "it is there")
    avoid(heat(thing, "stoveburner 1"), "it burns")
"""


def test_sentences_use_the_words_of_the_world() -> None:
    """Actions, conditions, finders are said in surface forms, blocks end with a colon, parameters stand in braces."""
    assert outline_lines(parse_script(SOURCE, household), household) == [
        "look for {thing} (likely: desk, bed); what is found is {spot}",
        "if {spot} is closed and it is not so that {thing} can be seen:",
        "  open {spot}",
        "otherwise, if {often} is 2:",
        "  take {thing} from {spot}",
        "otherwise:",
        "  stop: no {thing}",
        "try this up to 3 times:",
        "  move {thing} to {target}",
        "  go on after this loop",
        "if no try worked:",
        "  ask",
        "make sure that {thing} is in or on {target} or ({thing} can be seen and {target} is closed): it is there",
        "avoid: heat {thing} with stoveburner 1, because it burns",
    ]


def test_known_values_and_dialects_are_filled_in() -> None:
    """What the task says takes the place of the parameter; the wording can be the older one."""
    lines = outline_lines(
        parse_script(SOURCE, household), household, values={"thing": "mug 1", "spot": "unused"}, dialect="older"
    )
    assert lines[0] == "look for mug 1 (likely: desk, bed); what is found is {spot}"
    assert lines[8] == "  put mug 1 in/on {target}"


def test_an_outline_holds_plain_values_alone() -> None:
    """Templates get dicts, lists, texts, numbers and truth values, and nothing with methods of ours."""
    made = outline(parse_script(SOURCE, household), household)
    assert json.loads(json.dumps(made)) == made


def test_statements_are_numbered_and_nested() -> None:
    """Numbers run through the clauses of a statement; nested and flat form say the same."""
    procedure = outline(parse_script(SOURCE, household), household)["procedures"][0]
    assert [line["number"] for line in procedure["lines"]] == [
        *("1", "2", "2.1", "", "2.2", "", "2.3", "3", "3.1", "3.2", "", "3.3", "4", "5"),
    ]
    branch = procedure["body"][1]
    assert (branch["kind"], branch["opens"], [clause["kind"] for clause in branch["clauses"]]) == (
        "if",
        True,
        ["elif", "else"],
    )
    assert branch["code"] == "if closed(spot) and not visible(thing):"
    assert procedure["parameters"][2] == {"name": "often", "type": "Number", "code": "often: Number = 2"}
    assert procedure["code"].startswith('@procedure("bring {thing} to {target}")\n')


def test_parts_say_what_is_a_slot() -> None:
    """A sentence comes in pieces too, so that a renderer can mark what the task fills in."""
    action = outline(parse_script(SOURCE, household), household)["procedures"][0]["lines"][4]
    assert action["parts"] == [
        {"kind": "text", "text": "take "},
        {"kind": "parameter", "name": "thing", "text": "{thing}"},
        {"kind": "text", "text": " from "},
        {"kind": "variable", "name": "spot", "text": "{spot}"},
    ]


def test_tool_calls_and_procedures_are_said_with_their_arguments() -> None:
    """Tools are named with their arguments, procedures are referred to, and no toolset at all still gives words."""
    source = """
@procedure("cancel {code}")
def cancel(code: Text):
    cancel_reservation(reservation_id=code)

@procedure("cancel everything")
def everything():
    cancel("A1")
    list_all_airports()
"""
    assert outline_lines(parse_script(source, airline), airline) == [
        "cancel:",
        "  cancel_reservation with reservation_id: {code}",
        "everything:",
        "  follow the procedure cancel with code: A1",
        "  list_all_airports",
    ]
    untyped = parse_script("@procedure('go')\ndef f():\n    pick_up('mug', hard=True)\n    x = look_for(['a', 1])\n")
    assert outline_lines(untyped) == ["pick up mug, hard: yes", "look for a, 1; what is found is {x}"]
