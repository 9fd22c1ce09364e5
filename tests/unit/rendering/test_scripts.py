"""Scripts as steps in words."""

from __future__ import annotations

from memp.rendering import script_outline, source_lines
from memp.script import load_toolset

HOUSEHOLD = load_toolset("household")
SCRIPT = """\
from household import *

@procedure("put two {thing} in {target}")
def place(thing: Object, target: Receptacle):
    for _ in times(2):
        source = find(thing, likely=["shelf", "bin"])
        take(thing, source)
        go_to(target)
        if closed(target):
            open(target)
        move(thing, target)
"""


def test_steps_are_said_in_the_words_of_the_world_with_slots() -> None:
    """Each step stands on a line, deeper inside loops and conditions, with what the task fills in as slots."""
    assert script_outline(HOUSEHOLD)(SCRIPT) == [
        "do this 2 times",
        "  look for {thing} (likely: shelf, bin); what is found is {source}",
        "  take {thing} from {source}",
        "  go to {target}",
        "  if {target} is closed",
        "    open {target}",
        "  move {thing} to {target}",
    ]


def test_procedures_that_are_called_follow() -> None:
    """A procedure that comes with others shows them, each under its name."""
    script = '@procedure("a")\ndef one():\n    two()\n\n@procedure("b")\ndef two():\n    do("rest")\n'
    assert script_outline(None)(script) == ["follow the procedure two", "to two:", "  rest"]


def test_what_cannot_be_read_is_shown_as_it_stands() -> None:
    """A script whose toolset is not here, or that never was one, is still shown."""
    assert script_outline(None)(SCRIPT) == source_lines(SCRIPT)
    assert script_outline(HOUSEHOLD)("just do it\n\nsomehow") == ["just do it", "somehow"]
