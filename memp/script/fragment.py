"""
Steps without a procedure around them.

Whoever corrects a procedure writes the steps; its name, patterns and parameters are known. Wrapping the text in a
``def`` before parsing was not taken: every line and column of a mistake would then be wrong.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import attrs

from memp.errors import NotFoundError, ScriptError
from memp.script.checker import check_script
from memp.script.mistakes import MistakeList
from memp.script.nodes import ProcedureDef, Script
from memp.script.parser import STATEMENTS, ScriptReading
from memp.script.source import normalise_text, read_source
from memp.script.toolset import Toolset


def is_fragment(text: str) -> bool:
    """Return whether *text* holds steps alone: neither a procedure nor an import stands at its top level."""
    mistakes = MistakeList("", text)
    try:
        tree = read_source(normalise_text(text), mistakes).tree
    except (ScriptError, RecursionError, MemoryError):
        return False
    declarations = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
    return not any(isinstance(node, declarations) for node in tree.body)


def parse_fragment(
    text: str,
    frame: ProcedureDef,
    toolset: Toolset | None = None,
    *,
    path: str = "<script>",
) -> Script:
    """
    Read and check *text* as the steps of *frame*; nothing in it is executed.

    Args:
        text: Statements of the language, without a procedure around them.

        frame: The procedure that they are the steps of: its name, patterns and parameters.

        toolset: The vocabulary; None: untyped, that is, every name may be called.

        path: How mistakes call the source.

    Returns:
        A script of that one procedure.

    Raises:
        ScriptError: The text has mistakes; carries all of them, with the lines of *text*.
    """
    text = normalise_text(text)
    mistakes = MistakeList(path, text)
    try:
        source = read_source(text, mistakes)
        reading = ScriptReading(source, mistakes)
        body = reading.block(source.tree.body, depth=1)
        if not body and not len(mistakes):
            mistakes.add("There are no steps.", at=None, expected=STATEMENTS)
        poisoned = source.poisoned | reading.poisoned
        nodes = [attrs.evolve(frame, body=body)] if body else []
        check_script(nodes, toolset, mistakes, is_untyped=toolset is None, poisoned=poisoned)
    except (RecursionError, MemoryError):
        mistakes.add("The source nests too deeply to be read here.", at=None, expected="simpler statements")
    mistakes.raise_if_any()
    return Script(toolset=None if toolset is None else toolset.name, procedures=tuple(nodes))


Resolver = Callable[[str], Toolset]
"""Gives the toolset of an imported name, or raises ``NotFoundError``."""


def imported_toolset(script: Script, resolve: Resolver) -> Toolset | None:
    """Return the toolset that *script* imports; None if it imports none, or none of that name is known."""
    if script.toolset is None:
        return None
    try:
        return resolve(script.toolset)
    except NotFoundError:
        return None
