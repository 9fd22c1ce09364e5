"""The command that finds what could be one: ``duplicates``. It only reads; ``memp merge`` makes one of a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from memp.cli import options

if TYPE_CHECKING:
    from memp.history.duplicates import Duplicate


@click.command()
@options.store
@click.option(
    "--similar-from", default=0.8, show_default=True, help="From which share of common steps on, over 0 and at most 1."
)
@options.view
@options.as_json
def duplicates(store: str, similar_from: float, at: str | None, branch: str, as_json: bool) -> None:
    """List pairs of procedures that say the same, or nearly, and how they differ."""
    from memp.cli.history_text import print_diff
    from memp.cli.output import console, counted, print_json
    from memp.history.diff import Diff

    with options.open_for_reading(store, at=at, branch=branch) as memory:
        found = memory.duplicates(similar_from=similar_from)
    if as_json:
        print_json([_json(pair) for pair in found])
        return
    out = console()
    for pair in found:
        out.print(f"{pair.first.name} and {pair.second.name}: {_why(pair)}", style="bold", soft_wrap=True)
        print_diff(out, Diff(changes=(pair.change,)))
        out.print()
    out.print(f"{counted(len(found), 'pair')}." + (" 'memp merge' makes one procedure of a pair." if found else ""))


def _why(pair: Duplicate) -> str:
    common = f"{pair.similarity:.0%} of their steps in common"
    return f"the same skeleton, {common}" if pair.same_skeleton else common


def _json(pair: Duplicate) -> dict[str, object]:
    return {
        "first": pair.first.name,
        "second": pair.second.name,
        "same_skeleton": pair.same_skeleton,
        "similarity": pair.similarity,
        "change": pair.change.to_dict(),
    }


COMMANDS = (duplicates,)
