"""Versions: ``tag``, ``tags``, ``branches``, ``fork``, ``promote``, ``delete-branch``, ``undo`` and ``rederive``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import click

from memp.cli import options

if TYPE_CHECKING:
    from memp import Memory, Record
    from memp.history.told import Told
    from memp.history.undo import UndoPlan

optional_reason = click.option("--reason", default=None, help="One sentence for people.")


@click.command()
@options.store
@click.argument("name", metavar="NAME")
@options.at
@optional_reason
@options.branch
@options.actor
@options.as_json
def tag(store: str, name: str, at: str | None, reason: str | None, branch: str, actor: str, as_json: bool) -> None:
    """Call a version NAME; to move a name that is taken, say why."""
    with options.open_for_writing(store, actor=actor, branch=branch) as memory:
        record = memory.tag(name, at=at, reason=reason)
    data = record.data or {}
    _done(record, f"{name} is position {data.get('position')} of {data.get('branch')}.", as_json)


@click.command()
@options.store
@options.as_json
def tags(store: str, as_json: bool) -> None:
    """List the names of versions."""
    from memp.cli.output import console, counted, print_json, row, table

    with options.open_for_reading(store) as memory:
        found = memory.tags()
    if as_json:
        print_json([
            {"name": one.name, "branch": one.branch, "position": one.position, "reason": one.reason} for one in found
        ])  # fmt: skip
        return
    shown = table("name", "branch", "# position", "reason", wide="reason")
    for one in found:
        row(shown, one.name, one.branch, one.position, one.reason)
    out = console()
    if found:
        out.print(shown)
    out.print(f"{counted(len(found), 'tag')}.")


@click.command()
@options.store
@options.as_json
def branches(store: str, as_json: bool) -> None:
    """List the branches that are not deleted."""
    from memp.cli.output import console, print_json, row, table

    with options.open_for_reading(store) as memory:
        found = memory.branches()
    if as_json:
        print_json([
            {"name": one.name, "parent": one.parent, "forked_at": one.forked_at, "position": one.position}
            for one in found
        ])  # fmt: skip
        return
    shown = table("branch", "forked from", "# at", "# position")
    for one in found:
        row(shown, one.name, one.parent or "", one.forked_at if one.parent else "", one.position)
    console().print(shown)


@click.command()
@options.store
@click.argument("name", metavar="NAME")
@options.at
@optional_reason
@options.branch
@options.actor
@options.as_json
def fork(store: str, name: str, at: str | None, reason: str | None, branch: str, actor: str, as_json: bool) -> None:
    """Make the branch NAME, which shares the past and goes its own way from there."""
    from memp.cli.output import console, print_json

    with options.open_for_writing(store, actor=actor, branch=branch) as memory:
        memory.fork(name, at=at, reason=reason or "")
        made = next(one for one in memory.branches() if one.name == name)
    if as_json:
        print_json({
            "name": made.name, "parent": made.parent, "forked_at": made.forked_at, "position": made.position
        })  # fmt: skip
        return
    console().print(f"{name} shares the past of {made.parent} up to position {made.forked_at}.")


@click.command()
@options.store
@click.argument("name", metavar="BRANCH")
@options.reason
@options.branch
@options.actor
@options.as_json
def promote(store: str, name: str, reason: str, branch: str, actor: str, as_json: bool) -> None:
    """
    Say the events of the fork BRANCH again on the branch that it came from.

    Where both changed the same since the fork nothing is written, and what conflicts is named. Promoting twice adds
    nothing.
    """
    from memp.cli.output import console, counted, print_json
    from memp.cli.views import record_json

    with options.open_for_writing(store, actor=actor, branch=branch) as memory:
        records = memory.promote(name, reason=reason)
    if as_json:
        print_json([record_json(record) for record in records])
        return
    # The last record says that the others were promoted.
    said = f"{counted(len(records) - 1, 'event')} of {name} promoted to {branch}." if records else "Nothing new."
    console().print(said)


@click.command(name="delete-branch")
@options.store
@click.argument("name", metavar="BRANCH")
@options.reason
@options.actor
@options.as_json
def delete_branch(store: str, name: str, reason: str, actor: str, as_json: bool) -> None:
    """Hide BRANCH: it is no longer listed or written to, and its events stay in the log."""
    with options.open_for_writing(store, actor=actor) as memory:
        record = memory.delete_branch(name, reason=reason)
    _done(record, f"{name} is hidden.", as_json)


def _done(record: Record, what: str, as_json: bool) -> None:
    from memp.cli.output import console, plain, print_json
    from memp.cli.views import record_json

    if as_json:
        print_json(record_json(record))
        return
    console().print(f"{plain(what)} Event {record.position}, {record.event_id}.", soft_wrap=True)


# -- undo -------------------------------------------------------------------------------------------------------------


class Wanted(TypedDict):
    """
    What is to be undone, as ``Memory.undo`` takes it.

    Attributes:
        events: Event ids or positions.

        batch: An operation.

        actor: An author.

        since: From this time on.

        until: Up to this time.

        source: A recorded run.

        on_dependents: How what was made from it is treated.
    """

    events: tuple[str, ...] | None
    batch: str | None
    actor: str | None
    since: str | None
    until: str | None
    source: str | None
    on_dependents: str


@click.command()
@options.store
@click.argument("events", metavar="[EVENT]...", nargs=-1)
@click.option("--batch", metavar="B", default=None, help="All of one operation: its id, or one of its events.")
@click.option("--actor", metavar="A", default=None, help="All that this author wrote; see also --since and --until.")
@click.option("--since", metavar="T", default=None, help="Only from this time on, such as 2026-11-03T12:00Z.")
@click.option("--until", metavar="T", default=None, help="Only up to this time.")
@click.option("--source", metavar="T", default=None, help="A recorded run, by its trajectory id.")
@click.option("--cascade", is_flag=True, help="Undo what was made from it too.")
@click.option("--taint", is_flag=True, help="Keep what was made from it, marked and ranked last.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--reason", default=None, help="One sentence for people; needed unless --dry-run is given.")
@options.branch
@options.setting("actor", "Who writes; --actor is whose events.", flag="--as writer")
@options.as_json
def undo(
    store: str,
    events: tuple[str, ...],
    batch: str | None,
    actor: str | None,
    since: str | None,
    until: str | None,
    source: str | None,
    cascade: bool,
    taint: bool,
    dry_run: bool,
    reason: str | None,
    branch: str,
    writer: str,
    as_json: bool,
) -> None:
    """
    Take events out of force: those with these ids or positions, or all that an option names.

    History keeps them, and undoing the undo brings them back. What is shown is what is done.
    """
    if cascade and taint:
        raise click.UsageError("--cascade and --taint exclude each other.")
    if reason is None and not dry_run:
        raise click.UsageError("Missing option '--reason'; without one, --dry-run shows what would be done.")
    wanted = Wanted(
        events=events or None,
        batch=batch,
        actor=actor,
        since=since,
        until=until,
        source=source,
        on_dependents="cascade" if cascade else "taint" if taint else "refuse",
    )
    if dry_run or reason is None:
        with options.open_for_planning(store, branch=branch) as memory:
            _show_plan(memory, memory.plan_undo(**wanted), None, as_json)
        return
    with options.open_for_writing(store, actor=writer, branch=branch) as memory:
        _show_plan(memory, memory.plan_undo(**wanted), lambda: memory.undo(reason=reason, **wanted), as_json)


def _show_plan(memory: Memory, plan: UndoPlan, act: Any, as_json: bool) -> None:
    """
    Show *plan* and then carry it out.

    Args:
        memory: The memory.

        plan: What is to be done.

        act: Does it and returns the record; None for a dry run.

        as_json: Whether programs read.

    Raises:
        DependentsError: The plan is refused; it was shown.
    """
    from memp.cli.history_text import print_plan
    from memp.cli.output import console, print_json

    events, dependents = memory.tell(plan.events), memory.tell(plan.dependents)
    out = console()
    if not as_json:
        print_plan(out, plan, events, dependents)
    # Whether it is refused is decided by the plan itself, so that a dry run fails where the real one would.
    plan.event("a dry run")
    record: Record | None = None if act is None else act()
    if as_json:
        print_json(_plan_json(plan, events, dependents, record))
    elif record is None:
        out.print("Nothing was written (--dry-run).")
    else:
        out.print(f"Done. Event {record.position}, {record.event_id}.", soft_wrap=True)


def _plan_json(
    plan: UndoPlan, events: tuple[Told, ...], dependents: tuple[Told, ...], record: Record | None
) -> dict[str, Any]:
    from memp.cli.views import record_json

    return {
        "events": [told.to_dict() for told in events],
        "dependents": [told.to_dict() for told in dependents],
        "exposed": list(plan.exposed),
        "on_dependents": plan.on_dependents,
        "undone": list(plan.undone),
        "rebuilt": list(plan.rebuilt),
        "diff": plan.diff.to_dict(),
        "record": None if record is None else record_json(record),
    }


@click.command()
@options.store
@click.argument("name", metavar="NAME")
@click.option(
    "--policy", default="validation", show_default=True, help="Which runs are built from: validation or vanilla."
)
@click.option("--build", default=None, help="How procedures are made; left out: each as it was made here.")
@optional_reason
@options.branch
@options.actor
@options.as_json
def rederive(
    store: str,
    name: str,
    policy: str,
    build: str | None,
    reason: str | None,
    branch: str,
    actor: str,
    as_json: bool,
) -> None:
    """Make the branch NAME, on which everything is decided anew from the stored runs, and show what differs."""
    from memp.cli.history_text import print_diff
    from memp.cli.output import console, counted, print_json

    with options.open_for_writing(store, actor=actor, branch=branch) as memory:
        anew = memory.rederive(name, policy=policy, build=build, reason=reason or "")
        count, found = len(anew.procedures()), memory.diff(branch, name)
    if as_json:
        print_json({"name": name, "procedures": count, "diff": found.to_dict()})
        return
    out = console()
    out.print(f"{name} holds {counted(count, 'procedure')}. From {branch} to {name}:")
    print_diff(out, found)


COMMANDS = (tag, tags, branches, fork, promote, delete_branch, undo, rederive)
