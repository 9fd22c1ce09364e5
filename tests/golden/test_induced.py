"""
Induced procedures as agents get them, so that a change to building or rendering is seen as the change that it is.

To accept a change: ``MEMP_UPDATE_GOLDEN=1 python -m pytest tests/golden/test_induced.py``, and read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import memp
from memp.rendering import STYLES, Renderer, passage, script_outline

FOLDER = Path(__file__).parent / "rendering"


def _run(task: str, *actions: str) -> memp.Trajectory:
    answers = {"go to rack 3": "You arrive at rack 3. The rack 3 is closed."}
    steps = [memp.Step(action=action, observation=answers.get(action, f"You {action}.")) for action in actions]
    return memp.Trajectory(task=task, steps=steps, reward=1.0)


RUNS = [
    _run(
        "put a hot pie in rack",
        "go to stool 1", "go to crate 2", "take pie 1 from crate 2", "go to stove 1", "heat pie 1 with stove 1",
        "go to rack 3", "open rack 3", "move pie 1 to rack 3",
    ),
    _run(
        "heat some soup and put it in bench",
        "go to stool 1", "take soup 2 from stool 1", "go to stove 2", "heat soup 2 with stove 2",
        "go to bench 1", "put soup 2 in/on bench 1",
    ),
]  # fmt: skip


@pytest.mark.parametrize("build", ["induce", "both"])
@pytest.mark.parametrize("style", STYLES)
def test_induced_procedures_are_rendered_as_recorded(style: str, build: str) -> None:
    """Two runs of one kind of task make one procedure; its three renderings are the recorded text."""
    with memp.open(":memory:") as memory:
        memory.learn(RUNS, build=build)
        passages = [passage(p, outline=script_outline(memory.toolset_of(p))) for p in memory.procedures()]
    text = Renderer.load().render(passages, style=style, task="put a hot roll in box") + "\n"
    file = FOLDER / f"{build}_{style}.txt"
    if os.environ.get("MEMP_UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
