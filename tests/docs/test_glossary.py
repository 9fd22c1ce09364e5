"""The glossary: one word for one thing, said once and shortly."""

from __future__ import annotations

import re
from pathlib import Path

GLOSSARY = Path(__file__).parents[2] / "docs/glossary.md"
ENTRY = re.compile(r"^(\*\*.*)\n: ((?:.*\n)(?:  .*\n)*)", flags=re.MULTILINE)

EXPLANATION_LENGTH_MAX = 240
"""Characters of an explanation; what needs more has a page of its own."""


def test_no_word_is_explained_twice() -> None:
    """A heading such as '**version**, of the memory' tells two things of one name apart."""
    heads = [head for head, _ in ENTRY.findall(GLOSSARY.read_text(encoding="utf-8"))]
    assert len(heads) == GLOSSARY.read_text(encoding="utf-8").count("\n: ")
    assert sorted(heads) == sorted(set(heads))


def test_an_explanation_is_short() -> None:
    """Whoever looks a word up reads a sentence or two, which end."""
    for head, said in ENTRY.findall(GLOSSARY.read_text(encoding="utf-8")):
        assert len(said) <= EXPLANATION_LENGTH_MAX, head
        assert said.rstrip().endswith("."), head
