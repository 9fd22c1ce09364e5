"""Arguments and options that several commands share, and how they open a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from memp import Memory, View

ONE_QUESTION: Final = "exact"
"""How commands search: the answer is there before the graphs for a faster one could even be loaded."""

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


at: Decorator = click.option(
    "--at", metavar="VIEW", default=None, help="The memory as it was: a tag, branch, position, event id or time."
)
"""The version that is read, or meant."""

branch: Decorator = click.option("--branch", metavar="NAME", default="main", show_default=True, help="The branch.")
"""The branch that is read or written."""


def view(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says which version a reading command reads."""
    return at(branch(command))


def scope() -> str:
    """Return whose memory the command line is about: ``memp --scope team/agent …``; empty for everybody's."""
    context = click.get_current_context(silent=True)
    return "" if context is None else str(context.find_root().params.get("scope", ""))


@contextmanager
def open_for_reading(path: str, *, at: str | None = None, branch: str = "main") -> Iterator[View]:
    """
    Open the store at *path*, without ever making or changing one, and yield the version that is meant.

    Args:
        path: The store.

        at: The version, as ``Memory.at`` takes it; None means the end of the branch.

        branch: The branch.

    Raises:
        StoreNotFoundError: There is none.

        NotFoundError: There is no such version or branch.
    """
    with open_for_planning(path, branch=branch) as memory:
        yield memory if at is None else memory.at(at)


@contextmanager
def open_for_planning(path: str, *, branch: str = "main") -> Iterator[Memory]:
    """
    Open the store at *path*, without ever making or changing one, and yield the memory of the branch.

    Raises:
        StoreNotFoundError: There is none.

        NotFoundError: There is no such branch.
    """
    import memp

    with memp.open(path, scope=scope(), read_only=True, index=ONE_QUESTION) as memory:
        yield memory.branch(branch)


@contextmanager
def open_for_writing(path: str, *, actor: str, create: bool = False, branch: str = "main") -> Iterator[Memory]:
    """
    Open the store at *path* for changes and yield the memory of the branch.

    Args:
        path: The store.

        actor: Who writes.

        create: Make the store if it is not there; it then has one branch.

        branch: The branch.

    Raises:
        StoreNotFoundError: There is none, and it is not to be made.

        NotFoundError: There is no such branch.
    """
    import memp

    if not Path(path).exists() and not (create and branch == "main"):
        raise memp.StoreNotFoundError(os.fspath(path))
    with memp.open(path, actor=actor, scope=scope(), index=ONE_QUESTION) as memory:
        yield memory.branch(branch)
