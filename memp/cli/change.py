"""Changes by hand, one event each: ``validate``, ``reflect``, ``erase``, ``unerase``, ``merge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from memp.cli import options

if TYPE_CHECKING:
    from memp import Record, Trajectory


def _done(record: Record, what: str, as_json: bool) -> None:
    from memp.cli.output import console, plain, print_json
    from memp.cli.views import record_json

    if as_json:
        print_json(record_json(record))
        return
    console().print(f"{plain(what)} Event {record.position}, {record.event_id}.", soft_wrap=True)


procedure = click.argument("procedure", metavar="PROCEDURE")


@click.command()
@options.store
@procedure
@click.option("--reward", type=float, default=None, help="Score of the outcome; 1 counts as solved.")
@click.option("--success/--failure", default=None, help="Whether the task was solved.")
@click.option("--judge", default="person", show_default=True, help="Who says so: rule, model or person.")
@click.option("--reason", default="", help="One sentence for people.")
@click.option("--steps", type=int, default=None, help="Steps that were taken.")
@options.branch
@options.actor
@options.as_json
def validate(
    store: str,
    procedure: str,
    reward: float | None,
    success: bool | None,
    judge: str,
    reason: str,
    steps: int | None,
    branch: str,
    actor: str,
    as_json: bool,
) -> None:
    """Record that PROCEDURE helped, or did not."""
    with options.open_for_writing(store, actor=actor, branch=branch) as memory:
        record = memory.validate(procedure, reward=reward, success=success, judge=judge, reason=reason, steps=steps)
        evidence = memory.procedure(procedure).evidence
    _done(record, f"Recorded: helped in {evidence.helped} of {evidence.episodes}.", as_json)


@click.command()
@options.store
@procedure
@click.option("--script", default=None, type=click.Path(exists=True, dir_okay=False), help="File with the new script.")
@click.option("--critique", default=None, help="What was wrong with the active revision.")
@click.option(
    "--run",
    default=None,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="File with the run that failed: the model says what was wrong, and writes the script.",
)
@click.option("--reason", default="", help="One sentence for people.")
@click.option("--activate", is_flag=True, help="Take the place of the active revision at once.")
@options.asks
@options.branch
@options.actor
@options.as_json
def reflect(
    store: str,
    procedure: str,
    script: str | None,
    critique: str | None,
    run: str | None,
    reason: str,
    activate: bool,
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
    Write a new revision of PROCEDURE; it waits as a candidate unless --activate is given.

    Either --script and --critique say it, or a model is asked about the run in --run. What a model gives that changes
    nothing, or that the toolset does not know, is recorded as rejected.
    """
    text = None if script is None else _text_of(script)
    failed = None if run is None else _run_of(run)
    asked = options.model_of(model, base_url, mode, price_in, price_out)
    with options.open_for_writing(store, actor=actor, branch=branch, model=asked) as memory:
        record = memory.reflect(
            procedure,
            script=text,
            critique=critique,
            trajectory=failed,
            reason=reason,
            activate=activate,
            cached=cached,
        )
        revision = memory.procedure(procedure).find_revision(record.event_id)
    kinds = {"active": "the active revision", "candidate": "a candidate", "rejected": "a revision that was rejected"}
    critique_told = "" if run is None else f" {revision.critique}"
    _done(record, f"Written as {kinds[revision.status]}.{critique_told}", as_json)


def _text_of(path: str) -> str:
    import memp

    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise memp.InvalidInputError(f"{path!r} must be a text in UTF-8 ({error}).") from error


def _run_of(path: str) -> Trajectory:
    """Return the one run in the file *path*."""
    import memp

    runs = list(memp.read_trajectories(path))
    if len(runs) != 1:
        raise memp.InvalidInputError(f"{path!r} must hold one run (got {len(runs)}).")
    return runs[0]


@click.command()
@options.store
@procedure
@options.reason
@options.branch
@options.actor
@options.as_json
def erase(store: str, procedure: str, reason: str, branch: str, actor: str, as_json: bool) -> None:
    """Stop retrieving PROCEDURE; it stays readable, and 'memp unerase' brings it back."""
    with options.open_for_writing(store, actor=actor, branch=branch) as memory:
        record = memory.erase(procedure, reason=reason)
    _done(record, "Erased.", as_json)


@click.command()
@options.store
@procedure
@options.reason
@options.branch
@options.actor
@options.as_json
def unerase(store: str, procedure: str, reason: str, branch: str, actor: str, as_json: bool) -> None:
    """Retrieve an erased PROCEDURE again."""
    with options.open_for_writing(store, actor=actor, branch=branch) as memory:
        record = memory.unerase(procedure, reason=reason)
    _done(record, "Brought back.", as_json)


@click.command()
@options.store
@click.argument("procedures", metavar="PROCEDURE...", nargs=-1, required=True)
@options.reason
@options.branch
@options.actor
@options.as_json
def merge(store: str, procedures: tuple[str, ...], reason: str, branch: str, actor: str, as_json: bool) -> None:
    """Make one new procedure of several; they stay readable and are no longer retrieved."""
    with options.open_for_writing(store, actor=actor, branch=branch) as memory:
        record = memory.merge(procedures, reason=reason)
    data = record.data or {}
    _done(record, f"Merged into {data.get('name')}.", as_json)


COMMANDS = (validate, reflect, erase, unerase, merge)
