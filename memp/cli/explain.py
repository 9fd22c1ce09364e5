"""Why it is as it is: ``diff``, ``blame``, ``why``, ``lineage`` and ``sql``. They never make or change a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from memp.cli import options

if TYPE_CHECKING:
    from memp.sql import Answer

procedure = click.argument("procedure", metavar="PROCEDURE")


@click.command()
@options.store
@click.argument("before", metavar="V1")
@click.argument("after", metavar="V2", required=False)
@click.option("--full", is_flag=True, help="Show every change, however many there are.")
@options.branch
@options.as_json
def diff(store: str, before: str, after: str | None, full: bool, branch: str, as_json: bool) -> None:
    """
    Show what differs from version V1 to V2, or to the present.

    A version is a tag, a branch, a position, an event id or a time.
    """
    from memp.cli.output import console, print_json

    with options.open_for_reading(store, branch=branch) as memory:
        found = memory.diff(before, after)
    if as_json:
        print_json(found.to_dict())
        return
    from memp.cli.history_text import print_diff

    print_diff(console(), found, full=full)


@click.command()
@options.store
@procedure
@options.view
@options.as_json
def blame(store: str, procedure: str, at: str | None, branch: str, as_json: bool) -> None:
    """Show which event brought in each line of PROCEDURE, by whom and why."""
    from memp.cli.output import console, print_json

    with options.open_for_reading(store, at=at, branch=branch) as memory:
        found = memory.blame(procedure)
    if as_json:
        print_json(found.to_dict())
        return
    from memp.cli.history_text import print_blame

    print_blame(console(), found)


@click.command()
@options.store
@procedure
@options.view
@options.as_json
def why(store: str, procedure: str, at: str | None, branch: str, as_json: bool) -> None:
    """Tell the story of PROCEDURE: its runs, who changed it and why, and what happened when it was used."""
    from memp.cli.output import console, print_json

    with options.open_for_reading(store, at=at, branch=branch) as memory:
        story = memory.why(procedure)
    if as_json:
        print_json(story.to_dict())
        return
    from memp.cli.history_text import print_why

    print_why(console(), story)


@click.command()
@options.store
@procedure
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "mermaid", "dot"]),
    default="text",
    show_default=True,
    help="Form of the graph.",
)
@options.view
@options.as_json
def lineage(store: str, procedure: str, format_: str, at: str | None, branch: str, as_json: bool) -> None:
    """Show what PROCEDURE was made from, and what it was merged into."""
    from memp.cli.output import console, print_json

    with options.open_for_reading(store, at=at, branch=branch) as memory:
        found = memory.lineage(procedure)
    if as_json:
        print_json(found.to_dict())
    elif format_ == "mermaid":
        click.echo(found.to_mermaid(), nl=False)
    elif format_ == "dot":
        click.echo(found.to_dot(), nl=False)
    else:
        from memp.cli.history_text import print_lineage

        print_lineage(console(), found)


@click.command()
@options.store
@click.argument("query", metavar="QUERY")
@click.option("--seconds", default=10.0, show_default=True, help="When the query is stopped.")
@click.option("--rows", default=1_000, show_default=True, help="How many rows are shown at most.")
@options.view
@options.as_json
def sql(store: str, query: str, seconds: float, rows: int, at: str | None, branch: str, as_json: bool) -> None:
    """
    Answer QUERY, one 'select' over the views events, procedures, revisions and evidence.

    It reads and can do nothing else: no file, no network, no change.
    """
    from memp.cli.output import print_json

    with options.open_for_reading(store, at=at, branch=branch) as memory:
        found = memory.sql(query, timeout_seconds=seconds, max_rows=rows)
    if as_json:
        print_json(found.to_dict())
        return
    _print_answer(found)


def _print_answer(answer: Answer) -> None:
    from memp.cli.output import console, counted, one_line, row, table

    values = answer.to_dict()["rows"]
    numbers = [
        bool(values) and all(isinstance(line[index], int | float | None) for line in values)
        for index in range(len(answer.columns))
    ]
    # A head that starts with '#' is set to the right.
    heads = [
        f"# {one_line(name)}" if number else one_line(name)
        for name, number in zip(answer.columns, numbers, strict=True)
    ]
    shown = table(*heads, wide=None if all(numbers) else heads[-1])
    for line in values:
        row(shown, *("" if value is None else value for value in line))
    out = console()
    if values:
        out.print(shown)
    out.print(f"{counted(len(values), 'row')}{'; there are more, --rows shows them' if answer.truncated else ''}.")


COMMANDS = (diff, blame, why, lineage, sql)
