"""
What a template gets to see: procedures as plain dictionaries of texts and numbers.

Templates never see an object of ours: every public attribute and method of one could be reached from a template, and
an object's ids, positions and times must not be in a prompt. The keys of a passage are what people write templates
against, so they change as carefully as a function's name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypedDict

from memp.model import Procedure, Trajectory
from memp.rendering.plain import one_line, plain_text, shortened

ACTION_CHARACTERS_MAX: Final = 1000
"""Characters of an action that are shown: all of any command; the head of a file that an agent wrote."""

RESULT_CHARACTERS_MAX: Final = 100
"""Characters of an observation that are shown: enough to recognise a situation; the rest was true in that run only."""


_quoted = json.JSONEncoder(ensure_ascii=False).encode


class Line(TypedDict):
    """
    One step.

    Attributes:
        text: What to do.

        result: What the environment answered, short; empty if it said nothing or the step is not from a run.

        indent: The blanks before it: how deep it stands inside conditions and loops.
    """

    text: str
    result: str
    indent: str


class EvidenceCounts(TypedDict):
    """
    What happened when it was served.

    Attributes:
        episodes: In how many episodes it was served, 0 or more.

        helped: How many of them were solved.
    """

    episodes: int
    helped: int


class Passage(TypedDict):
    """
    One procedure as a template sees it; every text is without control characters.

    Attributes:
        task: The task or task pattern it is for.

        patterns: Its other task patterns; may be empty.

        facts: Short statements about when it applies; may be empty.

        support: From how many runs it was built, 0 or more.

        evidence: What happened when it was served: another thing than support.

        lines: Its steps, from the script if there is one, else from the run.

        code: The same as source in the procedure language, a line each, with its indentation.

        example: The steps of the best run, if there is also a script; else empty.

        shortened: Whether lines at the end were left out to fit a budget.
    """

    task: str
    patterns: list[str]
    facts: list[str]
    support: int
    evidence: EvidenceCounts
    lines: list[Line]
    code: list[str]
    example: list[Line]
    shortened: bool


def source_lines(script: str) -> list[str]:
    """Return the lines of *script* that say something, as they stand: the outline of a script that nothing explains."""
    return [line.rstrip() for line in plain_text(script).split("\n") if line.strip()]


def passage(procedure: Procedure, *, outline: Callable[[str], Sequence[str]] = source_lines) -> Passage:
    """
    Return what a template gets to see of *procedure*: its active revision, without ids, names, positions or times.

    Args:
        procedure: As it stands in the view that is asked.

        outline: Makes steps in words of a script's source, one a line, indented where they stand inside others.
    """
    run, script = procedure.run, procedure.script
    from_run = run_lines(run)
    return Passage(
        task=one_line(procedure.task).strip(),
        patterns=[one_line(pattern).strip() for pattern in procedure.patterns if pattern != procedure.task],
        facts=[one_line(fact).strip() for fact in procedure.revision.content.facts],
        support=procedure.support,
        evidence=EvidenceCounts(episodes=procedure.evidence.episodes, helped=procedure.evidence.helped),
        lines=from_run if script is None else outline_lines(outline(script)),
        code=as_code(from_run) if script is None else source_lines(script),
        example=[] if script is None else from_run,
        shortened=False,
    )


def shorter(whole: Passage, level: int) -> Passage:
    """
    Return *whole* with less in it: all at level 0, no example at 1, neither facts nor further patterns at 2, and then
    one line less at each.

    Raises:
        IndexError: There is no such level; the last one keeps a single line.
    """
    if not 0 <= level < shorter_levels(whole):
        raise IndexError(level)
    less = Passage(**whole)
    if level >= 1:
        less["example"] = []
    if level >= 2:
        less["facts"] = []
        less["patterns"] = []
    if level >= 3:
        kept = max(len(whole["lines"]), len(whole["code"])) - (level - 2)
        less["lines"] = whole["lines"][:kept]
        less["code"] = whole["code"][:kept]
        less["shortened"] = True
    return less


def shorter_levels(whole: Passage) -> int:
    """Return how many levels ``shorter`` has for *whole*, 3 or more."""
    return 2 + max(1, len(whole["lines"]), len(whole["code"]))


def run_lines(run: Trajectory | None) -> list[Line]:
    """Return the actions of *run* that say something, each with what came of it; nothing of no run."""
    steps = () if run is None else run.steps
    return [
        Line(
            text=shortened(step.action, characters=ACTION_CHARACTERS_MAX),
            result=shortened(step.observation, characters=RESULT_CHARACTERS_MAX),
            indent="",
        )
        for step in steps
        if step.action.strip()
    ]


def outline_lines(outline: Iterable[str]) -> list[Line]:
    """Return lines of an outline with the blanks before each apart."""
    lines = []
    for line in outline:
        text = one_line(line).rstrip()
        bare = text.lstrip(" ")
        lines.append(Line(text=bare, result="", indent=text[: len(text) - len(bare)]))
    return lines


def as_code(lines: Iterable[Line]) -> list[str]:
    """Return steps of a run as untyped steps of the procedure language, what came of each as a comment."""
    return [f"do({_quoted(line['text'])})" + (f"  # {line['result']}" if line["result"] else "") for line in lines]
