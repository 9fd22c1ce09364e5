"""
The command line: one file for each kind of command, and nothing that the Python interface cannot do.

click rather than typer or cyclopts: it imports in a third of their time, and ``memp --help`` is what people run most.
The commands import ``memp`` inside their functions, so that help and mistyped options never load a database.
"""

from __future__ import annotations

from memp.cli.main import main

__all__ = ["main"]
