"""
Diffs, blames, stories, lineages and plans as a terminal shows them, so that a change to how they look is seen.

To accept a change: ``MEMP_UPDATE_GOLDEN=1 python -m pytest tests/golden/test_history.py``, and read the difference.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

import memp
from memp.cli import history_text
from memp.log import Identity

FOLDER = Path(__file__).parent / "history"

NEW_YEAR = 1_767_225_600_000_000
"""2026-01-01, in microseconds since 1970 UTC."""

SCRIPT = '''@procedure("warm some {food} and put it on the {place}")
def warm(food: Text, place: Text):
    """Warm it, and never let it boil over."""
    do(f"look for {food}")
    do(f"warm {food} with stove 1")
    do(f"put {food} on the {place} that stands nearest to the window, so that it stays warm until somebody comes")
'''

BETTER = (
    SCRIPT.replace("food", "dish")
    .replace('    do(f"look for {dish}")\n', "")
    .replace("@procedure(", '@procedure("heat {dish} for the {place}", ')
    + '    do(f"look for {dish}")\n    note("a lid keeps it warm")\n'
)


BROTH = "warm some broth and put it on the tray"
NAME = "warm-some-broth-and-put-it-on-the"


def fixed_identity() -> Identity:
    """Return an identity whose clock goes on by a second and whose random bytes are numbers."""
    seconds, numbers = count(1), count(1)
    return Identity(
        clock=lambda: NEW_YEAR + next(seconds) * 1_000_000, entropy=lambda size: next(numbers).to_bytes(size, "big")
    )


def lived(task: str, *actions: str, agent: str = "a", reward: float = 1.0) -> memp.Trajectory:
    """A recorded run."""
    steps = [memp.Step(action=action, observation="Done.") for action in actions]
    return memp.Trajectory(task=task, steps=steps, reward=reward, agent=agent)


@pytest.fixture(scope="module")
def memory() -> Iterator[memp.Memory]:
    """A memory that lived through everything that can be told."""
    with memp.open(":memory:", actor="galley", identity=fixed_identity()) as opened:
        opened.learn([lived(BROTH, "take broth 1", "warm broth 1", "put broth 1 on tray", agent=a) for a in "abc"])
        opened.learn([lived("rinse some grapes", "take grapes 1", "rinse grapes 1")])
        opened.tag("runs")
        for success in (True, True, False):
            opened.validate(NAME, success=success, reason="" if success else "It boiled over")
        critique = "It boiled over, twice in a row, and nobody was there to see it"
        opened.reflect(NAME, script=SCRIPT, critique=critique)
        opened.reflect(NAME, script=SCRIPT, critique="It boiled over", activate=True)
        opened.tag("first")
        better = opened.reflect(NAME, script=BETTER, critique="Nobody looks first", reason="Slow", activate=True)
        opened.erase("rinse-some-grapes", reason="Nobody eats grapes")
        opened.learn([lived("rinse a plum", "take plum 1", "rinse plum 1")])
        opened.tag("better")
        opened.undo([better.event_id], reason="It was faster before")
        plum = opened.why("rinse-a-plum").told[0]
        opened.undo([plum.event_id], reason="A plum is no meal", on_dependents="cascade")
        yield opened


def print_undo(memory: memp.Memory, out: Console, how: str) -> None:
    """Print the plan of an undo that has dependents."""
    plan = memory.plan_undo([memory.why(NAME).told[0].event_id], on_dependents=how)
    history_text.print_plan(out, plan, memory.tell(plan.events), memory.tell(plan.dependents))


SHOWN: dict[str, Callable[[memp.Memory, Console], None]] = {
    "diff": lambda memory, out: history_text.print_diff(out, memory.diff("runs", "better")),
    "diff-names": lambda memory, out: history_text.print_diff(out, memory.diff("first", "better")),
    "diff-none": lambda memory, out: history_text.print_diff(out, memory.diff("first", "first")),
    "blame": lambda memory, out: history_text.print_blame(out, memory.at("better").blame(NAME)),
    "blame-run": lambda memory, out: history_text.print_blame(out, memory.at("runs").blame(NAME)),
    "why": lambda memory, out: history_text.print_why(out, memory.why(NAME)),
    "why-gone": lambda memory, out: history_text.print_why(out, memory.why("rinse-a-plum")),
    "lineage": lambda memory, out: history_text.print_lineage(out, memory.lineage(NAME)),
    "undo-refused": lambda memory, out: print_undo(memory, out, "refuse"),
    "undo-cascade": lambda memory, out: print_undo(memory, out, "cascade"),
}


def shown(memory: memp.Memory, name: str, width: int, *, colour: bool) -> str:
    """What a terminal of that width gets to see."""
    out = Console(
        file=io.StringIO(),
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=colour,
        color_system="standard" if colour else None,
    )
    SHOWN[name](memory, out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", list(SHOWN))
def test_the_terminal_shows_it_as_recorded(memory: memp.Memory, name: str, width: int) -> None:
    """Every line fits the terminal, and is as it was recorded, character by character."""
    file = FOLDER / f"{name}-{width}.txt"
    text = shown(memory, name, width, colour=False)
    if os.environ.get("MEMP_UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
    assert all(line == line.rstrip() and len(line) <= width for line in text.splitlines())


@pytest.mark.parametrize("name", list(SHOWN))
def test_colours_add_nothing_but_colour(memory: memp.Memory, name: str) -> None:
    """With colours the words are the same; what came is green and what went is red."""
    text = shown(memory, name, 80, colour=True)
    assert Text.from_ansi(text).plain.rstrip("\n") == shown(memory, name, 80, colour=False).rstrip("\n")
    if name == "diff":
        assert "\x1b[1;32m+ rinse-a-plum" in text
        assert "\x1b[31mwarm some broth and put it on the tray" in text
