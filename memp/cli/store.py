"""The commands about the store itself: ``verify``, ``head``, ``doctor``, ``snapshot``, ``backup``, its way back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from memp.cli import options
from memp.cli.exits import exit_code
from memp.errors import CorruptStoreError

if TYPE_CHECKING:
    from memp.index.quality import SearchQuality
    from memp.log import VerifyReport
    from memp.log.doctor import Diagnosis

PROBLEMS_SHOWN = 50
"""Problems that are printed in words; one damaged block has thousands. ``--json`` holds all."""

GRAPHS_SECONDS_MAX = 60.0
"""Seconds that the doctor waits for graphs; what has none by then is searched exactly, and is measured so."""


@click.command()
@options.store
@click.option("--expect", metavar="POS:DIGEST", default=None, help="What 'memp head' printed once.")
@options.as_json
def verify(store: str, expect: str | None, as_json: bool) -> None:
    """
    Go through all of STORE and name every event and vector that is not as it was written.

    The exit code is 5 if there is one.
    """
    from memp.cli.output import print_json
    from memp.log import verify_store
    from memp.record import Head

    report = verify_store(store, expect=None if expect is None else Head.parse(expect))
    if as_json:
        print_json(_report_json(report))
    else:
        _print_report(report)
    if not report.ok:
        sys.exit(exit_code(CorruptStoreError()))


def _report_json(report: VerifyReport) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "position": report.position,
        "digest": report.digest,
        "events": report.events,
        "vectors": report.vectors,
        "problems": [
            {"position": p.position, "what": p.what, "expected": p.expected, "found": p.found} for p in report.problems
        ],
    }


def _print_report(report: VerifyReport) -> None:
    from memp.cli.output import console, counted, row, table

    out = console()
    if report.problems:
        shown = table("# position", "what", "expected", "found", wide="expected")
        for problem in report.problems[:PROBLEMS_SHOWN]:
            row(shown, problem.position, problem.what, problem.expected, problem.found)
        out.print(shown)
        if len(report.problems) > PROBLEMS_SHOWN:
            out.print(f"… and {len(report.problems) - PROBLEMS_SHOWN} more; --json shows all.")
    checked = f"{counted(report.events, 'event')} and {counted(report.vectors, 'vector')}"
    verdict = "all as written" if report.ok else counted(len(report.problems), "problem")
    out.print(f"{checked}: {verdict}.")
    out.print(f"Head: {report.position}:{report.digest}", soft_wrap=True)


@click.command()
@options.store
@options.as_json
def head(store: str, as_json: bool) -> None:
    """
    Print where the log of STORE ends, as POSITION:DIGEST.

    Kept elsewhere, it proves later that nothing was lost: memp verify STORE --expect POS:DIGEST.
    """
    from memp.cli.output import print_json
    from memp.log import DuckDBLog

    log = DuckDBLog(store, read_only=True)
    try:
        found = log.head
    finally:
        log.close()
    if as_json:
        print_json({"position": found.position, "digest": found.digest.hex()})
    else:
        click.echo(str(found))


@click.command()
@options.store
@click.option("--adopt", is_flag=True, help="Go on with what is there; an event will say for ever what was lost.")
@click.option("--reason", default="", help="One sentence for people, with --adopt.")
@options.actor
@options.as_json
def doctor(store: str, adopt: bool, reason: str, actor: str, as_json: bool) -> None:
    """
    Say what is the matter with STORE and what can be done.

    Without --adopt it changes nothing. The exit code is 5 if the store cannot be written.
    """
    from memp.cli.output import console, plain, print_json
    from memp.log import doctor as surgery

    adopted = surgery.adopt(store, actor=actor, reason=reason) if adopt else None
    found = surgery.examine(store)
    searches = _searches(store) if found.verdict == surgery.HEALTHY else ()
    if as_json:
        event = None if adopted is None else adopted.record.event_id
        print_json({**_diagnosis_json(found), "search": [_search_json(one) for one in searches], "adopted": event})
    else:
        _print_diagnosis(found)
        _print_searches(searches)
        if adopted is not None:
            done = f"Accepted by event {adopted.record.position}, {adopted.record.event_id}. What was found is kept in"
            console().print(plain(f"{done} {', '.join(adopted.quarantine)}."), soft_wrap=True)
    if found.verdict in (surgery.LOST, surgery.UNWITNESSED, surgery.DAMAGED):
        sys.exit(exit_code(CorruptStoreError()))


def _searches(store: str) -> tuple[SearchQuality, ...]:
    """Open a whole store as programs do and measure how well its texts are found; nothing is written."""
    import memp

    with memp.open(store, read_only=True) as memory:
        return memory.search_quality(timeout_seconds=GRAPHS_SECONDS_MAX)


def _search_json(found: SearchQuality) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "texts": found.texts,
        "live": found.live,
        "in_graphs": found.in_graphs,
        "recall": found.recall,
        "trouble": found.trouble,
    }


def _print_searches(searches: Sequence[SearchQuality]) -> None:
    from memp.cli.output import console, row, table
    from memp.index.quality import RECALL_AT

    if not searches:
        return
    shown = table("texts", "# live", "# all", "# in graphs", f"# recall@{RECALL_AT}", "trouble", wide="trouble")
    for one in searches:
        row(shown, one.kind, one.live, one.texts, one.in_graphs, f"{one.recall:.3f}", one.trouble or "none")
    console().print(shown)


def _diagnosis_json(found: Diagnosis) -> dict[str, Any]:
    holder, loss = found.holder, found.loss
    return {
        "store": found.path,
        "verdict": found.verdict,
        "explanation": found.explanation,
        "log_id": found.log_id,
        "head": None if found.head is None else str(found.head),
        "witness": None if found.witness is None else str(found.witness),
        "witness_slots": found.slots,
        "lost": None if loss is None else {"first": loss.first, "last": loss.last},
        "lock": None if holder is None else {"pid": holder.pid, "host": holder.host, "since": holder.since},
        "bytes": found.sizes,
        "quarantine": list(found.quarantine),
    }


def _print_diagnosis(found: Diagnosis) -> None:
    from memp.cli.output import console, pairs, plain

    out = console()
    shown = {
        "verdict": found.verdict,
        "log": found.log_id or "could not be read",
        "head": found.head or "could not be read",
        "witness": f"{found.witness or 'none that can be read'} ({found.slots} of 2 slots)",
        "lock": _lock(found),
        **{name: f"{size:,} bytes" for name, size in found.sizes.items()},
        **{f"quarantine {number}": folder for number, folder in enumerate(found.quarantine, 1)},
    }
    out.print(pairs(shown))
    out.print(plain(found.explanation), soft_wrap=True)


def _lock(found: Diagnosis) -> str:
    from memp.log.doctor import LOCKED

    if found.holder is None:
        return "nobody has it open"
    return str(found.holder) if found.verdict == LOCKED else f"left behind by {found.holder}; locks nobody out"


@click.command()
@options.store
@click.argument("copy", metavar="COPY", type=click.Path(dir_okay=False))
@options.as_json
def backup(store: str, copy: str, as_json: bool) -> None:
    """Write a consistent copy of STORE to COPY, which must not be there."""
    from memp.cli.output import console, plain, print_json
    from memp.log import DuckDBLog

    log = DuckDBLog(store, read_only=True)
    try:
        found = log.backup(copy)
    finally:
        log.close()
    if as_json:
        print_json({"copy": copy, "position": found.position, "digest": found.digest.hex()})
        return
    console().print(plain(f"Copied to {copy}. Keep its head elsewhere too: {found}"), soft_wrap=True)


@click.command("restore-backup")
@click.argument("copy", metavar="COPY", type=click.Path(dir_okay=False))
@options.store
@options.as_json
def restore_backup(copy: str, store: str, as_json: bool) -> None:
    """Put COPY, made by 'memp backup', in the place of STORE; what stood there is kept in its quarantine folder."""
    from memp.cli.output import console, plain, print_json
    from memp.log.backup import restore_backup as restore

    done = restore(copy, store)
    if as_json:
        print_json(
            {
                "store": store,
                "position": done.head.position,
                "digest": done.head.digest.hex(),
                "before": None if done.before is None else str(done.before),
                "quarantine": None if done.quarantine is None else str(done.quarantine),
            }
        )
        return
    out = console()
    out.print(plain(f"{store} is now the copy, up to position {done.head.position}."), soft_wrap=True)
    if done.before is not None and done.before.position > done.head.position:
        out.print(
            f"The store that stood there reached position {done.before.position}: what it has behind "
            f"{done.head.position} is not in the copy.",
            soft_wrap=True,
        )
    if done.quarantine is not None:
        out.print(plain(f"What stood there is kept in {done.quarantine}."), soft_wrap=True)


@click.command()
@options.store
@options.actor
@options.as_json
def snapshot(store: str, actor: str, as_json: bool) -> None:
    """
    Keep what was folded from the log of STORE beside it, so that it opens faster.

    The file may be deleted at any time. One is written by itself when a store is closed that grew by much.
    """
    from memp.cli.output import console, plain, print_json

    with options.open_for_writing(store, actor=actor, as_filled=True) as memory:
        done = memory.snapshot()
    if as_json:
        print_json({"file": str(done.path), "position": done.position, "bytes": done.size})
        return
    said = f"Wrote {done.path}, {done.size:,} bytes: all up to position {done.position}."
    console().print(plain(said), soft_wrap=True)


COMMANDS = (verify, head, doctor, snapshot, backup, restore_backup)
