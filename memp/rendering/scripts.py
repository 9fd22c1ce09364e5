"""
A script as steps in words, for the renderings that are no code.

The sentences come from the toolset: the environment's own wording with the slots shown. A script that cannot be read,
because its toolset is not here or it was stored before scripts were checked, is shown line by line as it stands.
"""

from __future__ import annotations

from collections.abc import Callable

from memp.errors import NotFoundError, ScriptError
from memp.rendering.passages import source_lines
from memp.script.outline import outline
from memp.script.parser import parse_script
from memp.script.toolset import Toolset

INDENT = "  "
"""What stands before a step for every condition or loop that it is inside."""


def script_outline(toolset: Toolset | None) -> Callable[[str], list[str]]:
    """
    Return what makes steps in words of a script's source; for ``passage(…, outline=…)``.

    Args:
        toolset: Gives the wording; None for a script that speaks none, whose calls are said by their names.
    """

    def lines(script: str) -> list[str]:
        try:
            read = parse_script(script, toolset, resolve=_none_of)
        except ScriptError:
            return source_lines(script)
        first, *others = outline(read, toolset)["procedures"]
        shown = [f"{INDENT * line['indent']}{line['text']}" for line in first["lines"]]
        for other in others:
            shown.append(f"to {other['name']}:")
            shown += [f"{INDENT * (line['indent'] + 1)}{line['text']}" for line in other["lines"]]
        return shown

    return lines


def _none_of(name: str) -> Toolset:
    raise NotFoundError(f"the toolset {name!r} is not at hand.")
