"""Reflection by rule: where a run left its script, what was expected and did not come, and what runs that won show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import memp

TOOLS = """
class Thing: "Something."


@action("open {box}")
def open_box(box: Thing): "Open it."


@action("unlock {box}")
def unlock(box: Thing): "Turn the key in it."


@action("take {what} from {box}")
def take(what: Thing, box: Thing): "Take something out."


@action("look at {box}")
def look_at(box: Thing): "Look."


@condition("{box} is shut")
def shut(box: Thing): ...


@condition("{box} is wide open")
def wide_open(box: Thing): ...
"""

SCRIPT = '''
@procedure("fetch a {thing} from {box}")
def fetch(thing: Thing, box: Thing):
    """Fetch it."""
    look_at(box)
    open_box(box)
    ensure(EXPECTED, "it is open")
    take(thing, box)
'''


def run(*steps: tuple[str, str], reward: float = 1.0) -> memp.Trajectory:
    return memp.Trajectory(
        task="fetch a ring from chest 1",
        steps=[memp.Step(action=action, observation=observation) for action, observation in steps],
        reward=reward,
    )


LOOKED = ("look at chest 1", "There is a keyhole.")
UNLOCKED = ("unlock chest 1", "Click.")
OPENED = ("open chest 1", "You open it. chest 1 is wide open.")
RATTLED = ("open chest 1", "It rattles. chest 1 is shut.")
TOOK = ("take ring 1 from chest 1", "You have it.")


def reflected(tmp_path: Path, expected: str, *lived: tuple[str, str], won: Sequence[tuple[str, str]]) -> list[Any]:
    """What reflection offers after *lived* failed in an episode that served the script, given one run that won."""
    tools = tmp_path / "toolset.py"
    tools.write_text(TOOLS, encoding="utf-8")
    with memp.open(":memory:") as memory:
        memory.add(SCRIPT.replace("EXPECTED", expected), toolset=tools)
        memory.learn([run(*won)])
        asked = memp.Filter(builder="hand")
        with memory.episode("fetch a ring from chest 1", k=1, policy="reflection", where=asked) as episode:
            for action, observation in lived:
                episode.step(action=action, observation=observation)
            episode.finish(reward=0.0)
        return [record.data for record in memory.events(type="procedure-reflected")]


def test_a_step_that_leaves_what_must_not_be_is_where_it_went_wrong(tmp_path: Path) -> None:
    """The answer says that the chest is still shut, so what a run that won did before is put before the step."""
    [offered] = reflected(tmp_path, "not shut(box)", LOOKED, RATTLED, TOOK, won=[LOOKED, UNLOCKED, OPENED, TOOK])
    assert offered["critique"] == "after the step 'open_box' there was not what is expected: not shut(box)"
    script = offered["content"]["script"]
    assert script.index("unlock(box)") < script.index("open_box(box)")


def test_what_a_run_that_won_was_told_is_missed(tmp_path: Path) -> None:
    """The answer does not say that the chest is open, and in the run that won it did."""
    [offered] = reflected(tmp_path, "wide_open(box)", LOOKED, RATTLED, TOOK, won=[LOOKED, UNLOCKED, OPENED, TOOK])
    assert "wide_open(box)" in offered["critique"]
    assert "unlock(box)" in offered["content"]["script"]


def test_what_the_world_never_speaks_of_is_not_missed(tmp_path: Path) -> None:
    """Where no run that won was told the condition, its silence is no sign, and the script was carried out."""
    silent = ("open chest 1", "You open it.")
    assert reflected(tmp_path, "wide_open(box)", LOOKED, silent, TOOK, won=[LOOKED, UNLOCKED, silent, TOOK]) == []
    assert reflected(tmp_path, "not shut(box)", LOOKED, silent, TOOK, won=[LOOKED, UNLOCKED, silent, TOOK]) == []


def test_what_is_expected_and_came_is_no_failure(tmp_path: Path) -> None:
    """The step did what the script expects, so the failure lies elsewhere and nothing is changed."""
    assert reflected(tmp_path, "wide_open(box)", LOOKED, OPENED, TOOK, won=[LOOKED, UNLOCKED, OPENED, TOOK]) == []
    assert reflected(tmp_path, "not shut(box)", LOOKED, OPENED, TOOK, won=[LOOKED, UNLOCKED, OPENED, TOOK]) == []
