"""
The procedure language: a small typed subset of Python's syntax that is read, checked and written, never executed.

``toolset`` says what the words of a world are, ``parser`` reads, ``checker`` checks, ``formatter`` writes, ``lift``
turns what an agent did into typed calls and back, ``walk`` looks at scripts and rewrites them, ``outline`` prepares
them for templates, ``diff`` and ``highlight`` show them to people. Running Python instead, with a sandbox, was not
taken: no sandbox for Python has held.
"""

from __future__ import annotations

from memp.script.diff import Change, diff_scripts, format_diff
from memp.script.formatter import format_script
from memp.script.highlight import Token, highlight, to_terminal
from memp.script.lift import lift, lower
from memp.script.loader import load_scripts, load_toolset
from memp.script.mistakes import Mistake
from memp.script.nodes import Call, ProcedureDef, Script
from memp.script.outline import outline, outline_lines
from memp.script.parser import parse_script
from memp.script.skeleton import skeleton, skeleton_digest
from memp.script.toolset import Toolset
from memp.script.walk import digest

__all__ = [
    "Call",
    "Change",
    "Mistake",
    "ProcedureDef",
    "Script",
    "Token",
    "Toolset",
    "diff_scripts",
    "digest",
    "format_diff",
    "format_script",
    "highlight",
    "lift",
    "load_scripts",
    "load_toolset",
    "lower",
    "outline",
    "outline_lines",
    "parse_script",
    "skeleton",
    "skeleton_digest",
    "to_terminal",
]
