"""Arguments and options that several commands share, and how they open a store."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from memp import Memory

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

store: Decorator = click.argument("store", metavar="STORE", type=click.Path(dir_okay=False))
"""The store, a DuckDB file."""

as_json: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
"""Machine-readable output."""

actor: Decorator = click.option(
    "--actor", envvar="MEMP_ACTOR", default="user", show_default=True, help="Who writes; kept for ever, so name a role."
)
"""Who writes."""

reason: Decorator = click.option("--reason", required=True, help="One sentence for people.")
"""Why; required where something is taken away."""


def open_for_reading(path: str) -> Memory:
    """
    Open the store at *path* without ever making or changing one.

    Raises:
        StoreNotFoundError: There is none.
    """
    import memp

    return memp.open(path, read_only=True)


def open_for_writing(path: str, *, actor: str, create: bool = False) -> Memory:
    """
    Open the store at *path* for changes.

    Raises:
        StoreNotFoundError: There is none and *create* is false.
    """
    import memp

    if not create and not Path(path).exists():
        raise memp.StoreNotFoundError(os.fspath(path))
    return memp.open(path, actor=actor)
