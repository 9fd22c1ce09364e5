"""What changed between two scripts, by structure."""

from __future__ import annotations

import pytest

from memp.script import diff_scripts, format_diff, load_toolset, parse_script

household = load_toolset("household")

SOURCE = """
@procedure("bring {thing} to {target}")
def bring(thing: Object, target: Receptacle):
    \"\"\"Bring it.\"\"\"
    spot = find(thing, likely=["desk"])
    take(thing, spot)
    go_to(target)
    if closed(target):
        open(target)
        note("it may be full")
    move(thing, target)
"""


def changes(*edits: tuple[str, str]) -> list[str]:
    """Return the diff of the source and the same with *edits*, one text for each change."""
    text = SOURCE
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    return [str(change) for change in diff_scripts(parse_script(SOURCE, household), parse_script(text, household))]


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([], []),
        ([("thing", "item")], ["~ parameter thing is now item"]),
        ([("spot", "place")], ["~ variable spot is now place"]),
        (
            [("thing", "item"), ("target", "shelf"), ("spot", "place")],
            ["~ parameter thing is now item", "~ parameter target is now shelf", "~ variable spot is now place"],
        ),
        ([("def bring", "def fetch")], ["~ procedure bring is now fetch"]),
        ([("Bring it.", "Carry it.")], ["- doc: Bring it.\n+ doc: Carry it."]),
        ([('@procedure("', '@procedure("carry {thing} over", "')], ['+ pattern: "carry {thing} over"']),
        ([("    go_to(target)\n", "")], ["- step 3: go_to(target)"]),
        ([("    take(", "    look()\n    take(")], ["+ step 2: look()"]),
        (
            [("take(thing, spot)", 'take("mug 1", spot)')],
            ['- step 2: take(thing, spot)\n+ step 2: take("mug 1", spot)'],
        ),
        (
            [("if closed(target)", "if not closed(target)")],
            ["- step 4: if closed(target):\n+ step 4: if not closed(target):"],
        ),
        ([('        note("it may be full")\n', "")], ['- step 4.2: note("it may be full")']),
        (
            [
                ("    go_to(target)\n", ""),
                ("    move(thing, target)\n", "    move(thing, target)\n    go_to(target)\n"),
            ],
            ["> step 5, from 3: go_to(target)"],
        ),
        (
            [("target: Receptacle)", "target: Receptacle, often: Number = 1)")],
            ["+ parameter: often: Number = 1"],
        ),
        (
            [
                ("thing: Object", "thing: Text"),
                ("spot = find(thing", "spot = find('x'"),
                ("take(thing", "take('x'"),
                ("move(thing", "move('x'"),
            ],
            None,
        ),
        (
            [("thing: Object, target: Receptacle", "target: Receptacle, thing: Object")],
            ["> parameter, from thing, target: target, thing"],
        ),
        (
            [("        open(target)\n", "        open(target)\n    elif visible(thing):\n        look()\n")],
            None,
        ),
    ],
)
def test_each_kind_of_change_is_told_once(edits: list[tuple[str, str]], expected: list[str] | None) -> None:
    """One edit is one change; renaming something that is used everywhere is one change too."""
    found = changes(*edits)
    if expected is None:
        assert found
    else:
        assert found == expected


def test_a_parameter_that_went_is_not_the_one_that_came() -> None:
    """Names are matched only where that explains something."""
    old = parse_script("@procedure('go {a}')\ndef f(a: Object):\n    use(a)\n", household)
    new = parse_script("@procedure('stay {b}')\ndef f(b: Receptacle):\n    go_to(b)\n", household)
    kinds = [(change.kind, change.what) for change in diff_scripts(old, new)]
    assert ("removed", "parameter") in kinds
    assert ("added", "parameter") in kinds
    assert "renamed" not in [kind for kind, _ in kinds]


def test_procedures_come_and_go() -> None:
    """A procedure that only one script has is one change; the toolset and the text at the top are changes as well."""
    old = parse_script("'Old.'\n" + SOURCE, household)
    more = '\n\n@procedure("look")\ndef glance():\n    look()\n'
    new = parse_script("'New.'\nfrom household import *\n" + SOURCE + more, household)
    assert format_diff(diff_scripts(old, new)).split("\n") == [
        "- toolset: ",
        "+ toolset: household",
        "- doc: Old.",
        "+ doc: New.",
        "glance",
        "  + procedure: glance",
    ]
    assert [change.kind for change in diff_scripts(new, old)][-1] == "removed"


def test_long_scripts_are_compared_in_bounded_time() -> None:
    """Blocks too long to be aligned are still compared, by what begins and ends alike."""
    steps = [f"    do('step {index}')\n" for index in range(1_000)]
    head = "@procedure('go')\ndef f():\n"
    old = parse_script(head + "".join(steps))
    new = parse_script(head + "".join([*steps[:500], "    do('new')\n", *steps[500:]]))
    assert [str(change) for change in diff_scripts(old, new)] == ['+ step 501: do("new")']
