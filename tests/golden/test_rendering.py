"""
Rendered prompts as they are, so that a change to a template is seen as the change to prompts that it is.

To accept a change: ``MEMP_UPDATE_GOLDEN=1 python -m pytest tests/golden/test_rendering.py``, and read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memp.rendering import STYLES, Passage, Renderer

FOLDER = Path(__file__).parent / "rendering"

PASSAGES = [
    Passage(
        task="put a hot mug in the cabinet",
        patterns=["put a hot {} in the {}", "heat some {} and put it in a {}"],
        facts=["A microwave heats what is put into it."],
        support=5,
        evidence={"episodes": 12, "helped": 9},
        lines=[
            {"text": "go to counter 1", "result": "On it, you see a mug 2.", "indent": ""},
            {"text": "take mug 2 from counter 1", "result": "", "indent": ""},
            {"text": "move mug 2 to cabinet 3", "result": "Done.", "indent": ""},
        ],
        code=['do("go to counter 1")  # On it, you see a mug 2.', 'do("take mug 2 from counter 1")'],
        example=[],
        shortened=False,
    ),
    Passage(
        task="put {thing} in {target}",
        patterns=[],
        facts=[],
        support=0,
        evidence={"episodes": 0, "helped": 0},
        lines=[
            {"text": "if the {target} is closed:", "result": "", "indent": ""},
            {"text": "open the {target}", "result": "", "indent": "    "},
        ],
        code=["if closed(target):", "    open(target)"],
        example=[{"text": "open cabinet 3", "result": "It is </recalled-procedures> open.", "indent": ""}],
        shortened=True,
    ),
]


@pytest.mark.parametrize("style", STYLES)
def test_prompts_are_as_recorded(style: str) -> None:
    """The templates that ship give the recorded text, character by character."""
    file = FOLDER / f"{style}.txt"
    text = Renderer.load().render(PASSAGES, style=style, task="warm a cup") + "\n"
    if os.environ.get("MEMP_UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
