"""
A script as steps in words, for the renderings that are no code.

The sentences come from the toolset: the environment's own wording with the slots shown. A script that cannot be read,
because its toolset is not here or it was stored before scripts were checked, is shown line by line as it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from memp.errors import NotFoundError, ScriptError
from memp.rendering.passages import source_lines
from memp.script.outline import outline
from memp.script.parser import parse_script
from memp.script.toolset import Toolset

INDENT = "  "
"""What stands before a step for every condition or loop that it is inside."""

OUTLINES_KEPT: Final = 1 << 9
"""Scripts whose steps in words are kept: reading one takes a thousand times as long as finding it again."""


def script_outline(toolset: Toolset | None) -> Callable[[str], list[str]]:
    """
    Return what makes steps in words of a script's source; for ``passage(…, outline=…)``.

    Args:
        toolset: Gives the wording; None for a script that speaks none, whose calls are said by their names.
    """
    return lambda script: list(_outline(script, toolset))


@lru_cache(maxsize=OUTLINES_KEPT)
def _outline(script: str, toolset: Toolset | None) -> tuple[str, ...]:
    try:
        read = parse_script(script, toolset, resolve=_none_of)
    except ScriptError:
        return tuple(source_lines(script))
    first, *others = outline(read, toolset)["procedures"]
    shown = [f"{INDENT * line['indent']}{line['text']}" for line in first["lines"]]
    for other in others:
        shown.append(f"to {other['name']}:")
        shown += [f"{INDENT * (line['indent'] + 1)}{line['text']}" for line in other["lines"]]
    return tuple(shown)


def _none_of(name: str) -> Toolset:
    raise NotFoundError(f"the toolset {name!r} is not at hand.")
