"""
What reaches a terminal: tables and text by rich, JSON by the standard library.

Stored text comes from runs, that is from anywhere. Control characters in it could move the cursor, rename the window
or hide a line, so they are taken out of everything that is shown; JSON escapes them by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID
    from rich.table import Table

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Return *text* without control characters (C0 but tab and newline, DEL, C1, and those that turn the direction)."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """Return *text* without control characters, on one line."""
    return " ".join(plain(text).split())


WIDTH_OF_A_PIPE = 1_000
"""Columns of what is not a terminal: enough that a table is never folded where a program or a file reads it."""


def console(*, stderr: bool = False) -> Console:
    """Return a console that prints what it is given: no markup, no emoji, no guessing of numbers."""
    from rich.console import Console

    made = Console(markup=False, emoji=False, highlight=False, stderr=stderr, soft_wrap=False)
    if not made.is_terminal:
        made.width = WIDTH_OF_A_PIPE
    return made


def table(*columns: str, wide: str | None = None) -> Table:
    """
    Return a table without a frame: it copies well and is read by grep.

    Args:
        columns: Their heads; one that starts with ``#`` holds numbers.

        wide: The column that gives way where the terminal is narrow; the others keep their width, so that names and
            ids can be copied.
    """
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        gives_way = column == wide
        made.add_column(
            column,
            justify="right" if column.startswith("#") else "left",
            overflow="fold",
            no_wrap=not gives_way,
        )
    return made


def row(made: Table, *cells: object) -> None:
    """Add a row of *cells* to a table, each on one line and free of control characters."""
    made.add_row(*(one_line(str(cell)) for cell in cells))


def print_json(value: object) -> None:
    """Print *value* as one JSON document; ASCII, so that no terminal is reached by anything else."""
    click.echo(json.dumps(value, indent=2, sort_keys=False, ensure_ascii=True))


def moment(microseconds: int) -> str:
    """Return a time as people read it, to the second, UTC."""
    return datetime.fromtimestamp(microseconds / 1_000_000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return '1 run', '2 runs'."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """
    Show how far work has come, on the error stream and only if that is a terminal.

    Yields:
        A function that takes what is being done, how much of it is done, and how much there is; 0 if not known.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    )  # fmt: skip
    shown = console(stderr=True)
    # Where there is no terminal it would print nothing but an empty line.
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=None)
            bar.update(tasks[what], completed=done, total=total or None)

        yield report


def pairs(shown: Mapping[str, object] | Iterable[tuple[str, Any]]) -> Table:
    """Return a table of two columns without a head: what it is, and its value."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="bold")
    made.add_column(overflow="fold")
    for name, value in shown.items() if isinstance(shown, Mapping) else shown:
        made.add_row(name, plain(str(value)))
    return made
