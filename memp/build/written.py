"""
Procedures that somebody wrote: from a source to what goes into the log.

What is stored is the canonical text, checked, so that whatever is on record can be read, rendered and compared. Every
procedure is stored with those that it calls, because it means nothing without them.
"""

from __future__ import annotations

import re

import attrs

from memp.build.naming import fresh
from memp.errors import ScriptError
from memp.model import Content, Procedure
from memp.retrieval.patterns import SLOT
from memp.script.formatter import format_script
from memp.script.forms import FormError, slot_names
from memp.script.fragment import Resolver, imported_toolset, is_fragment, parse_fragment
from memp.script.nodes import Note, Parameter, ProcedureDef, Script, TextLiteral
from memp.script.parser import parse_script
from memp.script.toolset import Toolset
from memp.script.types import TEXT
from memp.script.walk import called_names

_BRACES = str.maketrans("{}", "()")


def read_written(text: str, toolset: Toolset | None, *, resolve: Resolver, path: str) -> tuple[Script, Toolset | None]:
    """
    Return a checked script and the toolset that it speaks.

    Args:
        text: The source.

        toolset: What it must speak; None: what it imports, or nothing.

        resolve: Finds what it imports.

        path: How mistakes call the source.

    Raises:
        ScriptError: The source has mistakes; carries all of them.
    """
    script = parse_script(text, toolset, path=path, resolve=resolve)
    spoken = toolset or imported_toolset(script, resolve)
    return attrs.evolve(script, toolset=None if spoken is None else spoken.name), spoken


def contents_of(script: Script) -> list[tuple[str, Content]]:
    """Return a name and the content of each procedure of *script*, in order."""
    by_name = {node.name: node for node in script.procedures}
    found = []
    for node in script.procedures:
        alone = attrs.evolve(script, doc="", procedures=(node, *_called(node, by_name)), comments=())
        text = format_script(alone)
        found.append((node.name, Content(task=node.patterns[0], patterns=node.patterns, script=text)))
    return found


def _called(node: ProcedureDef, by_name: dict[str, ProcedureDef]) -> list[ProcedureDef]:
    """Return the procedures that *node* calls, straight or by way of others, in order of first use."""
    found: dict[str, ProcedureDef] = {}
    waiting = [node]
    while waiting:
        for name in called_names(waiting.pop(0)):
            if name in by_name and name not in found and name != node.name:
                found[name] = by_name[name]
                waiting.append(by_name[name])
    return list(found.values())


def revised(procedure: Procedure, text: str, toolset: Toolset | None, *, resolve: Resolver) -> Content:
    """
    Return the content of a new revision of *procedure* that says *text*.

    Args:
        procedure: As it stands.

        text: A whole script, or steps alone: these keep the name, the patterns and the parameters.

        toolset: The toolset of the procedure; None if it is untyped.

        resolve: Finds what a script imports.

    Raises:
        ScriptError: The text has mistakes; carries all of them.
    """
    content = procedure.revision.content
    path = procedure.name
    if is_fragment(text):
        frame, imported = _frame(procedure, resolve)
        script = parse_fragment(text, frame, toolset or imported, path=path)
        return attrs.evolve(content, script=format_script(script))
    script, _ = read_written(text, toolset, resolve=resolve, path=path)
    patterns = script.procedures[0].patterns
    return attrs.evolve(content, task=patterns[0], patterns=patterns, script=format_script(script))


def _frame(procedure: Procedure, resolve: Resolver) -> tuple[ProcedureDef, Toolset | None]:
    """Return what stands around the steps of *procedure*, and the toolset that its script imports."""
    content = procedure.revision.content
    if content.script is not None:
        try:
            script = parse_script(content.script, resolve=resolve)
        except ScriptError:
            pass  # it speaks a toolset that is not here, or was written before scripts were checked
        else:
            return attrs.evolve(script.procedures[0], span=None), imported_toolset(script, resolve)
    patterns = tuple(dict.fromkeys(named_slots(pattern) for pattern in content.patterns or (content.task,)))
    names = dict.fromkeys(name for pattern in patterns for name in slot_names(pattern))
    identifier = re.sub(r"[^a-z0-9]+", "_", procedure.name.casefold()).strip("_")
    frame = ProcedureDef(
        name=f"follow_{identifier}" if identifier else "follow",
        patterns=patterns,
        parameters=tuple(Parameter(name=name, type=TEXT) for name in names),
        body=(Note(text=TextLiteral(value=procedure.name)),),
    )
    return frame, None


def named_slots(pattern: str) -> str:
    """Return *pattern* with a name in every slot that has none: ``{name}``, ``{name_2}``."""
    pieces = pattern.split(SLOT)
    try:
        taken = set(slot_names("".join(pieces)))
    except FormError:
        pieces, taken = [piece.translate(_BRACES) for piece in pieces], set()
    named = pieces[0]
    for piece in pieces[1:]:
        name = fresh("name", taken)
        taken.add(name)
        named += f"{{{name}}}{piece}"
    return named if any(char.isalnum() for piece in pieces for char in piece) else f"about {named}"
