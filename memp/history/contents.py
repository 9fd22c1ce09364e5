"""
What two contents of a procedure have in common, whatever they are made of: scripts, runs or mere text.

Scripts are read without their toolset. What is compared is what stands there, and a toolset that was edited since must
not change what the past looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

import attrs

from memp.errors import ScriptError
from memp.model import Content, Trajectory
from memp.script.diff import Change, diff_scripts, renamed_as
from memp.script.formatter import format_parameter, format_statements
from memp.script.nodes import Do, ProcedureDef, Script, TextLiteral
from memp.script.outline import outline
from memp.script.parser import parse_script
from memp.script.texts import quote

_IMPORT = re.compile(r"^from (\w+) import \*[ \t]*$", re.MULTILINE)

SCRIPTS_KEPT = 512
"""How many scripts are kept as they were read: a diff or a blame asks for the same ones again and again."""

COMMON_LINES = frozenset({"else:", "try:", "except failed:", "break"})
"""Lines that stand in many places, so that one that came is not taken for one that moved."""

OUTCOMES = {True: "won", False: "lost", None: "open"}
"""Whether a task was solved, in a word."""


@lru_cache(maxsize=SCRIPTS_KEPT)
def structure(text: str) -> Script | None:
    """Return the script that *text* is; None if it is only text."""
    found = _IMPORT.search(text)
    untyped = text if found is None else text[: found.start()] + text[found.end() :]
    try:
        script = parse_script(untyped)
    except ScriptError:
        return None
    return attrs.evolve(script, toolset=None if found is None else found.group(1))


# -- what changed -----------------------------------------------------------------------------------------------------


def content_changes(old: Content, new: Content) -> tuple[Change, ...]:
    """
    Return what changed from *old* to *new*; empty if they are equal.

    Scripts are compared by structure, so that a parameter with another name is one change; runs by what was done, one
    step for each action; what is no script, line by line.
    """
    if old == new:
        return ()
    said = [_script_patterns(content) for content in (old, new)]
    # What stands in a script as well is told with the script, where another name of a slot is no change.
    patterns = [[p for p in content.patterns if p not in its] for content, its in zip((old, new), said, strict=True)]
    task: list[Change] = []
    if old.task != new.task and not (old.task in said[0] and new.task in said[1]):
        task.append(Change(kind="changed", what="task", before=old.task, after=new.task))
    return (
        *task,
        *_set_changes("pattern", *patterns),
        *_set_changes("fact", old.facts, new.facts),
        *_step_changes(old, new),
    )


def _script_patterns(content: Content) -> frozenset[str]:
    """Return the patterns that the script of *content* names."""
    script = None if content.script is None else structure(content.script)
    return frozenset() if script is None else frozenset(p for node in script.procedures for p in node.patterns)


def _set_changes(what: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    for text in old:
        if text not in new:
            yield Change(kind="removed", what=what, before=quote(text))
    for text in new:
        if text not in old:
            yield Change(kind="added", what=what, after=quote(text))


def _step_changes(old: Content, new: Content) -> Iterator[Change]:
    if old.script is not None and new.script is not None:
        yield from _script_changes(old.script, new.script)
    elif old.script is not None:
        yield Change(kind="removed", what="script", before=old.script.rstrip())
    elif new.script is not None:
        yield Change(kind="added", what="script", after=new.script.rstrip())
    if old.run == new.run:
        return
    if old.run is not None and new.run is not None:
        changes = [] if new.script is not None else _run_changes(old.run, new.run)
        was, now = _said(old.run), _said(new.run)
        other = Change(kind="changed", what="run", before=was, after=now if now != was else f"another run, {now}")
        yield from changes or [other]
    elif old.run is not None:
        yield Change(kind="removed", what="run", before=_said(old.run))
    elif new.run is not None:
        yield Change(kind="added", what="run", after=_said(new.run))


def _said(run: Trajectory) -> str:
    """Return what a run is, in a few words."""
    count = len(run.actions)
    return f"{count} step{'' if count == 1 else 's'}, {OUTCOMES[run.success]}"


def _script_changes(old: str, new: str) -> Iterator[Change]:
    before, after = structure(old), structure(new)
    if before is not None and after is not None:
        yield from diff_scripts(before, after)
        return
    lines = old.splitlines(), new.splitlines()
    for tag, start, end, first, last in SequenceMatcher(None, *lines, autojunk=False).get_opcodes():
        if tag != "equal":
            for number in range(start, end):
                yield Change(kind="removed", what="line", place=str(number + 1), before=lines[0][number])
            for number in range(first, last):
                yield Change(kind="added", what="line", place=str(number + 1), after=lines[1][number])


def _run_changes(old: Trajectory, new: Trajectory) -> list[Change]:
    """Return what was done otherwise: the steps are aligned as those of a script are."""
    if not old.actions or not new.actions:
        return []
    written = {_as_step(action): action for action in (*old.actions, *new.actions)}
    sides = [Script(procedures=(_as_procedure(run.actions),)) for run in (old, new)]
    return [
        attrs.evolve(
            change,
            procedure="",
            before=written.get(change.before or "", change.before),
            after=written.get(change.after or "", change.after),
        )
        for change in diff_scripts(*sides)
    ]


def _as_procedure(actions: Sequence[str]) -> ProcedureDef:
    return ProcedureDef(name="run", patterns=("run",), body=tuple(Do(text=TextLiteral(value=a)) for a in actions))


def _as_step(action: str) -> str:
    """Return *action* as the language writes a step in words."""
    return format_statements([Do(text=TextLiteral(value=action))])


# -- line by line -----------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Line:
    """
    A line of a content.

    Attributes:
        text: As it is shown; may hold line ends where a call is long.

        key: What it is compared by.

        step: The number of the step that it begins, such as ``3.1``; empty if it begins none.
    """

    text: str
    key: str
    step: str = ""


def content_lines(content: Content) -> tuple[Line, ...]:
    """Return the lines of *content*: of its script if there is one, else one for each action of its run."""
    if content.script is None:
        assert content.run is not None
        return tuple(
            Line(text=action, key=_as_step(action), step=str(number))
            for number, action in enumerate(content.run.actions, 1)
        )
    script = structure(content.script)
    if script is None:
        return tuple(Line(text=line, key=line.strip()) for line in content.script.rstrip().split("\n"))
    return _script_lines(script)


def _script_lines(script: Script) -> tuple[Line, ...]:
    lines = _head(script)
    for node, made in zip(script.procedures, outline(script)["procedures"], strict=True):
        lines += _pattern_lines(node.patterns)
        parameters = ", ".join(format_parameter(parameter) for parameter in node.parameters)
        lines.append(_plain(f"def {node.name}({parameters}):"))
        lines += _doc_lines(node.doc, "    ")
        for line in made["lines"]:
            indent = "    " * (line["indent"] + 1)
            text = "\n".join(indent + part for part in line["code"].split("\n"))
            lines.append(Line(text=text, key=line["code"], step=line["number"]))
    return tuple(lines)


def _head(script: Script) -> list[Line]:
    head = _doc_lines(script.doc, "")
    return head if script.toolset is None else [*head, _plain(f"from {script.toolset} import *")]


def _doc_lines(doc: str, indent: str) -> list[Line]:
    """Return the lines of a docstring; the quotes around it take no part in comparing."""
    if not doc:
        return []
    lines = doc.split("\n")
    shown = [*lines[:-1], f'{lines[-1]}"""']
    shown[0] = f'"""{shown[0]}'
    return [Line(text=indent + text, key=line) for text, line in zip(shown, lines, strict=True)]


def _plain(text: str) -> Line:
    return Line(text=text, key=text.strip())


def _pattern_lines(patterns: Sequence[str]) -> Iterator[Line]:
    """Yield a line for each pattern, so that one that joins the others leaves them what they were."""
    for number, pattern in enumerate(patterns):
        start = " " * len("@procedure(") if number else "@procedure("
        end = "," if number < len(patterns) - 1 else ")"
        yield Line(text=f"{start}{quote(pattern)}{end}", key=f"@procedure({quote(pattern)})")


def same_lines(old: Content, new: Content) -> dict[int, int]:
    """
    Return which line of *new* stood in *old*: index in *new* to index in *old*, both from 0.

    Names that *new* gives to parameters and variables are no difference, and neither is the place: a line that moved
    is the same line.
    """
    if (old.script, old.run) == (new.script, new.run):
        return {index: index for index in range(len(content_lines(new)))}
    before, after = _keys(old, new), [line.key for line in content_lines(new)]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    same = {block.b + n: block.a + n for block in matcher.get_matching_blocks() for n in range(block.size)}
    left: dict[str, list[int]] = {}
    taken = set(same.values())
    for index, key in enumerate(before):
        if index not in taken and key not in COMMON_LINES:
            left.setdefault(key, []).append(index)
    for index, key in enumerate(after):
        if index not in same and left.get(key):
            same[index] = left[key].pop(0)
    return same


def _keys(old: Content, new: Content) -> list[str]:
    """Return what the lines of *old* are compared by, under the names of *new*."""
    if old.script is not None and new.script is not None and old.script != new.script:
        before, after = structure(old.script), structure(new.script)
        if before is not None and after is not None:
            return [line.key for line in _script_lines(renamed_as(before, after))]
    return [line.key for line in content_lines(old)]
