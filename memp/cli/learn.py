"""``memp learn``: runs in, procedures out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from memp.cli import options
from memp.cli.exits import end_waiting

if TYPE_CHECKING:
    from rich.console import Console

    from memp import LearnReport, Trajectory, TrajectoryFormatError
    from memp.store import Progress

BAD_LINES_SHOWN = 10
"""Enough to see what is wrong with a file; the count says how many there are."""


@click.command()
@options.store
@click.argument("runs", metavar="RUNS...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--build",
    default="verbatim",
    show_default=True,
    help="How procedures are made: verbatim (runs as they are), induce (scripts by rule), distil (scripts by a model) "
    "or both (a script and its best run, by the model if one is named).",
)
@click.option("--toolset", default=None, metavar="DIR", help="Toolset of the scripts: a folder, a file or a name.")
@click.option(
    "--policy", default="validation", show_default=True, help="Which runs they are made from: validation or vanilla."
)
@click.option(
    "--format", "format_", default="auto", show_default=True, help="Form of the lines: rows, openai or react."
)
@click.option("--skip-bad", is_flag=True, help="Go on after lines that cannot be read, and count them.")
@click.option("--parallel", default=4, show_default=True, type=click.IntRange(min=1), help="Questions at once.")
@click.option(
    "--together", default=3, show_default=True, type=click.IntRange(min=1), help="Runs of a kind in one question."
)
@options.asks
@options.branch
@options.actor
@options.as_json
def learn(
    store: str,
    runs: tuple[str, ...],
    build: str,
    toolset: str | None,
    policy: str,
    format_: str,
    skip_bad: bool,
    parallel: int,
    together: int,
    model: str | None,
    base_url: str | None,
    mode: str | None,
    cached: bool,
    price_in: float | None,
    price_out: float | None,
    branch: str,
    actor: str,
    as_json: bool,
) -> None:
    """
    Record the runs in the files RUNS and build procedures from them.

    A store that is not there is made. All files are one operation: if a line cannot be read, nothing is written.
    Runs that are on record already are left alone. With a model, each question to it is an operation of its own.

    Where an endpoint fails, the runs wait in the queue, and the exit code is 6. What was done is kept: the same command
    goes on with the rest, and so does 'memp drain'.
    """
    from memp.cli.output import console, print_json, progress_bar
    from memp.cli.views import learned_json

    bad: list[TrajectoryFormatError] = []
    asked = options.model_of(model, base_url, mode, price_in, price_out)
    with progress_bar() as progress:
        # Before the store is opened, so that neither a file that cannot be read nor a missing key leaves an empty one.
        rows = list(_read(runs, format_, bad if skip_bad else None, progress))
        options.check_model(asked, build)
        with options.open_for_writing(store, actor=actor, create=True, branch=branch, model=asked) as memory:
            report = memory.learn(
                rows,
                build=build,
                policy=policy,
                toolset=toolset,
                progress=progress,
                cached=cached,
                parallel=parallel,
                together=together,
            )
    if as_json:
        print_json(learned_json(report) | {"bad_lines": [str(error) for error in bad]})
    else:
        _print(report, bad, console())
    end_if_waiting(report, store, build)


def _read(
    paths: tuple[str, ...], format_: str, bad: list[TrajectoryFormatError] | None, progress: Progress
) -> Iterator[Trajectory]:
    import memp

    count = 0
    for path in paths:
        for run in memp.read_trajectories(path, format=format_, on_bad_line=None if bad is None else bad.append):
            count += 1
            progress("reading", count, 0)
            yield run


def _print(report: LearnReport, bad: Sequence[TrajectoryFormatError], console: Console) -> None:
    from memp.cli.output import counted, plain

    console.print(f"{counted(report.runs, 'run')} read: {report.recorded} recorded, {report.known} known before.")
    if report.unbuilt:
        console.print(f"{report.unbuilt} of the recorded are kept as experience only, by the policy.")
    console.print(
        f"{counted(len(report.added), 'procedure')} added, {len(report.generalised)} supported by further runs; "
        f"{counted(len(report.events), 'event')} written."
    )
    for problem in report.problems:
        console.print(f"  {plain(problem)}", soft_wrap=True)
    if bad:
        console.print(
            f"{counted(len(bad), 'line')} could not be read and {'was' if len(bad) == 1 else 'were'} skipped:"
        )
        for error in bad[:BAD_LINES_SHOWN]:
            console.print(f"  {plain(str(error))}")
        if len(bad) > BAD_LINES_SHOWN:
            console.print(f"  and {len(bad) - BAD_LINES_SHOWN} more")


def end_if_waiting(report: LearnReport, store: str, build: str) -> None:
    """End the command with the exit code of a failed endpoint if runs wait because of one; else do nothing."""
    if report.waiting:
        from memp.cli.output import counted

        end_waiting(
            f"{counted(report.waiting, 'run waits', 'runs wait')} in the queue because an endpoint failed. Nothing is "
            f"lost: give the same command again, or 'memp drain {store} --build {build}'; with --cached, answers that "
            "came are not asked for again."
        )


COMMANDS = (learn,)
