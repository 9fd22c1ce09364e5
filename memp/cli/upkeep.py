"""The commands that carry a whole store elsewhere or take something out of it: ``export``, ``import``, ``purge``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from memp.cli import options
from memp.errors import InvalidInputError

if TYPE_CHECKING:
    from memp.history.purge import PurgePlan, PurgeReport, Remaining

SHOWN = 20
"""Events of a kind that are printed in words; ``--json`` holds all."""


@click.command()
@options.store
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False))
@options.as_json
def export(store: str, file: str, as_json: bool) -> None:
    """
    Write all events and vectors of STORE to FILE, which must not be there.

    JSON lines, described in docs/reference/export.md; a name that ends in .zst or .gz packs them.
    """
    from memp.cli.output import console, counted, plain, print_json, progress_bar
    from memp.log import DuckDBLog
    from memp.transfer import export_log

    log = DuckDBLog(store, read_only=True)
    try:
        with progress_bar() as progress:
            done = export_log(log, file, progress=progress)
    finally:
        log.close()
    if as_json:
        print_json({"file": file, "head": str(done.head), "events": done.records, "vectors": done.vectors})
        return
    what = f"{counted(done.records, 'event')} and {counted(done.vectors, 'vector')}"
    console().print(plain(f"Wrote {what} to {file}. Head: {done.head}"), soft_wrap=True)


@click.command("import")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False))
@options.store
@options.as_json
def import_(file: str, store: str, as_json: bool) -> None:
    """
    Make STORE, which must not be there, of an export.

    It is the same log: ids, times and digests are those of the store that was exported.
    """
    from memp.cli.output import console, counted, plain, print_json, progress_bar
    from memp.transfer import import_store

    with progress_bar() as progress:
        done = import_store(file, store, progress=progress)
    if as_json:
        print_json({"store": store, "head": str(done.head), "events": done.records, "vectors": done.vectors})
        return
    what = f"{counted(done.records, 'event')} and {counted(done.vectors, 'vector')}"
    console().print(plain(f"Made {store} of {what}. Head: {done.head}"), soft_wrap=True)


@click.command()
@options.store
@click.option("--procedure", "procedures", multiple=True, help="A procedure by its name or id; may be repeated.")
@click.option("--trajectory", "trajectories", multiple=True, help="A recorded run by its id; may be repeated.")
@click.option("--derived", is_flag=True, help="Also what was made from that.")
@click.option("--sources", is_flag=True, help="Also what that was made from.")
@click.option("--reason", default=None, help="On whose demand, without naming a person: it stays for ever.")
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@options.actor
@options.as_json
def purge(
    store: str,
    procedures: tuple[str, ...],
    trajectories: tuple[str, ...],
    derived: bool,
    sources: bool,
    reason: str | None,
    dry_run: bool,
    actor: str,
    as_json: bool,
) -> None:
    """
    Remove content from STORE for good, from every version and every file of it.

    It cannot be undone. Backups and exports are listed, because they cannot be reached from here.
    """
    if reason is None and not dry_run:
        raise InvalidInputError('A purge must say on whose demand it is: --reason "request 4711". Or try --dry-run.')
    said: dict[str, Any] = {
        "procedure_ids": procedures,
        "trajectory_ids": trajectories,
        "derived": derived,
        "sources": sources,
    }
    if dry_run:
        with options.open_for_planning(store) as memory:
            _show(memory.plan_purge(**said), None, as_json)
        return
    with options.open_for_writing(store, actor=actor) as memory:
        done = memory.purge(**said, reason=reason or "")
    _show(done.plan, done, as_json)


def _show(plan: PurgePlan, done: PurgeReport | None, as_json: bool) -> None:
    from memp.cli.output import console, counted, moment, plain, print_json, row, table

    if as_json:
        print_json(_purge_json(plan, done))
        return
    out = console()
    what = f"{counted(len(plan.positions), 'event')} and {counted(len(plan.texts), 'text')} with their vectors"
    whole = f"{counted(len(plan.procedures), 'procedure')} and {counted(len(plan.trajectories), 'run')} wholly"
    verb = "Would remove" if done is None else "Removed"
    said = "" if done is None else f" Event {done.record.position}, {done.record.event_id}."
    out.print(plain(f"{verb} {what}: {whole}.{said}"), soft_wrap=True)
    _show_remaining("Made from it, and kept (--derived takes it too):", plan.derived)
    _show_remaining("What it was made from, and kept (--sources takes it too):", plan.sources)
    if plan.copies:
        out.print("Copies that may hold it and cannot be reached from here:")
        copies = table("kind", "made (UTC)", "# up to", "path", wide="path")
        for copy in plan.copies:
            row(copies, copy.kind, moment(copy.made_at), copy.position, copy.path)
        out.print(copies)


def _show_remaining(title: str, events: Iterable[Remaining]) -> None:
    from memp.cli.output import console, row, table

    left = list(events)
    if not left:
        return
    out = console()
    out.print(title)
    shown = table("#", "event", "type", "about", wide="about")
    for one in left[:SHOWN]:
        row(shown, one.position, one.event_id, one.type, one.stream)
    out.print(shown)
    if len(left) > SHOWN:
        out.print(f"… and {len(left) - SHOWN} more; --json shows all.")


def _purge_json(plan: PurgePlan, done: PurgeReport | None) -> dict[str, Any]:
    def remaining(events: Iterable[Remaining]) -> list[dict[str, Any]]:
        return [
            {"position": one.position, "event_id": one.event_id, "type": one.type, "stream": one.stream}
            for one in events
        ]

    return {
        "event": None if done is None else done.record.event_id,
        "positions": list(plan.positions),
        "events": list(plan.events),
        "procedures": list(plan.procedures),
        "trajectories": list(plan.trajectories),
        "texts": len(plan.texts),
        "derived": remaining(plan.derived),
        "sources": remaining(plan.sources),
        "copies": [
            {"kind": copy.kind, "path": copy.path, "position": copy.position, "made_at": copy.made_at}
            for copy in plan.copies
        ],
    }


COMMANDS = (export, import_, purge)
