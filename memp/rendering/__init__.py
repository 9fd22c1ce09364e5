"""
Procedures to prompt text: what a template sees (``passages``), how it runs (``sandbox``), how long it is (``tokens``).
``scripts`` says scripts in words.

A room rather than a file, because each of these is a kind of change of its own.
"""

from memp.rendering.passages import Passage, passage, source_lines
from memp.rendering.plain import one_line, plain_text, shortened
from memp.rendering.renderer import STYLES, Renderer
from memp.rendering.scripts import script_outline
from memp.rendering.tokens import EstimatedTokens, TokenCounter

__all__ = [
    "STYLES",
    "EstimatedTokens",
    "Passage",
    "Renderer",
    "TokenCounter",
    "one_line",
    "passage",
    "plain_text",
    "script_outline",
    "shortened",
    "source_lines",
]
