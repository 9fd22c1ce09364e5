"""What an agent's days leave behind: episodes, evidence, candidates and their verdicts, the queue, and the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click

from memp.cli import options

if TYPE_CHECKING:
    from memp import Candidate, Credit, EpisodeInfo, QueuedRun, Record, View
    from memp.events import PolicySet
    from memp.operations.living import Drained

procedure = click.argument("procedure", metavar="PROCEDURE")
revision = click.argument("revision", metavar="REVISION")


def _done(record: Record, what: str, as_json: bool) -> None:
    from memp.cli.output import console, plain, print_json
    from memp.cli.views import record_json

    if as_json:
        print_json(record_json(record))
        return
    console().print(f"{plain(what)} Event {record.position}, {record.event_id}.", soft_wrap=True)


def _episode_json(episode: EpisodeInfo) -> dict[str, Any]:
    return attrs.asdict(episode)


@click.command()
@options.store
@click.option("--last", default=20, show_default=True, help="How many of the newest; 0 for all.")
@options.as_json
def episodes(store: str, last: int, as_json: bool) -> None:
    """List what agents did with what they were given."""
    from memp.cli.output import console, moment, print_json, row, table

    with options.open_for_reading(store) as memory:
        found = memory.episodes()[-last if last > 0 else None :]
        names = {known.id: known.name for known in memory.procedures(everything=True)}
    if as_json:
        print_json([_episode_json(episode) for episode in found])
        return
    out = console()
    if not found:
        out.print("No episode yet: memory.episode(task) in a program makes them.")
        return
    shown = table("#", "started", "status", "solved", "# steps", "served", "task", wide="task")
    for one in found:
        served = ", ".join(names.get(part.procedure_id, part.procedure_id) for part in one.served)
        solved = {None: "-", True: "yes", False: "no"}[one.success]
        steps = "-" if one.steps is None else one.steps
        row(shown, one.position, moment(one.started_at), one.status, solved, steps, served or "-", one.task)
    out.print(shown)


@click.command()
@options.store
@procedure
@click.option("--half-life", type=float, default=None, help="Days after which an outcome counts half.")
@options.as_json
def evidence(store: str, procedure: str, half_life: float | None, as_json: bool) -> None:
    """Show how much PROCEDURE helps, and how sure that is."""
    from memp.cli.output import console, print_json

    with options.open_for_reading(store) as memory:
        credit = memory.evidence(procedure, half_life_days=half_life)
    if as_json:
        print_json(attrs.asdict(credit))
        return
    console().print(_credit_text(credit), soft_wrap=True)


def _credit_text(credit: Credit) -> str:
    from memp.cli.output import counted, plain

    more = [f"expected {credit.mean:.2f}"]
    if credit.steps is not None:
        more.append(f"{credit.steps:.1f} steps")
    if credit.tokens is not None:
        more.append(f"{credit.tokens:.0f} tokens")
    built = f"; built from {counted(credit.support, 'run')}"
    return f"{plain(credit.procedure)}: {credit}, {', '.join(more)}{built}."


@click.command()
@options.store
@options.as_json
def candidates(store: str, as_json: bool) -> None:
    """List the revisions that wait for a verdict."""
    from memp.cli.output import console, print_json, row, table

    with options.open_for_reading(store) as memory:
        found = memory.candidates()
        told = {one.revision.id: memory.tell([one.revision.id])[0] for one in found}
        why = {one.revision.id: one.revision.critique or _why(memory, one) for one in found}
        gate = memory.gate()
    if as_json:
        print_json([_candidate_json(one) for one in found])
        return
    out = console()
    if not found:
        out.print("No candidate waits.")
        return
    shown = table("#", "procedure", "candidate", "active", "# better", "why", wide="why")
    for one in found:
        better = f"{one.chance:.2f}"
        said = told[one.revision.id]
        row(shown, said.position, one.procedure.name, one.credit, one.active, better, why[one.revision.id])
    out.print(shown)
    if gate is not None:
        out.print(
            f"\nA gate is set on {gate.suite!r}: evidence decides nothing, 'memp gate' does. What no task of that "
            "suite is served waits until 'memp accept' or 'memp reject'.",
            soft_wrap=True,
        )


def _why(memory: View, one: Candidate) -> str:
    """Return why there is a candidate that answers no failure."""
    from memp.cli.output import counted
    from memp.model import ProcedureStatus

    if one.procedure.status is ProcedureStatus.CANDIDATE:
        origins = memory.origins(one.procedure.id)
        if origins:
            return f"came out of a pack, built there from {counted(origins[-1].support, 'run')}"
    return memory.tell([one.revision.id])[0].sentence


def _candidate_json(one: Candidate) -> dict[str, Any]:
    return {
        "procedure": one.procedure.name,
        "revision": one.revision.id,
        "critique": one.revision.critique,
        "script": one.revision.content.script,
        "credit": attrs.asdict(one.credit),
        "active": attrs.asdict(one.active),
        "chance": one.chance,
    }


@click.command()
@options.store
@revision
@options.reason
@options.actor
@options.as_json
def accept(store: str, revision: str, reason: str, actor: str, as_json: bool) -> None:
    """Let the candidate REVISION, by event id or position, take the place of the active one."""
    with options.open_for_writing(store, actor=actor) as memory:
        record = memory.accept(revision, reason=reason)
    _done(record, "Accepted.", as_json)


@click.command()
@options.store
@revision
@options.reason
@options.actor
@options.as_json
def reject(store: str, revision: str, reason: str, actor: str, as_json: bool) -> None:
    """Turn the candidate REVISION, by event id or position, down; it stays readable."""
    with options.open_for_writing(store, actor=actor) as memory:
        record = memory.reject(revision, reason=reason)
    _done(record, "Rejected.", as_json)


@click.command()
@options.store
@click.option("--drop", default=None, metavar="ID", help="Take this run out without learning from it.")
@click.option("--reason", default=None, help="Why it is dropped; required with --drop.")
@options.actor
@options.as_json
def queue(store: str, drop: str | None, reason: str | None, actor: str, as_json: bool) -> None:
    """List the runs that wait to be learned from, or drop one."""
    if drop is not None:
        if not reason:
            raise click.UsageError("--drop needs --reason.")
        with options.open_for_writing(store, actor=actor) as memory:
            record = memory.drop(drop, reason=reason)
        _done(record, "Dropped.", as_json)
        return
    with options.open_for_reading(store) as memory:
        found = memory.queue()
    _print_queue(found, as_json)


def _print_queue(found: list[QueuedRun], as_json: bool) -> None:
    from memp.cli.output import console, moment, print_json, row, table

    if as_json:
        print_json([attrs.asdict(one) for one in found])
        return
    out = console()
    if not found:
        out.print("No run waits.")
        return
    shown = table("id", "queued", "solved", "task", wide="task")
    for one in found:
        row(shown, one.id, moment(one.queued_at), {None: "-", True: "yes", False: "no"}[one.success], one.task)
    out.print(shown)


@click.command()
@options.store
@click.option("--limit", type=int, default=None, help="How many runs at most.")
@click.option("--build", default=None, help="How procedures are built; the builder that is set if left out.")
@options.asks
@options.actor
@options.as_json
def drain(
    store: str,
    limit: int | None,
    build: str | None,
    model: str | None,
    base_url: str | None,
    mode: str | None,
    cached: bool,
    price_in: float | None,
    price_out: float | None,
    actor: str,
    as_json: bool,
) -> None:
    """
    Learn from the runs that wait, oldest first.

    Where an endpoint fails, the rest waits on, and the exit code is 6.
    """
    from memp.cli.exits import end_waiting
    from memp.cli.output import counted, print_json

    asked = options.model_of(model, base_url, mode, price_in, price_out)
    with options.open_for_writing(store, actor=actor, model=asked) as memory:
        done = memory.drain(limit, build=build, cached=cached)
    if as_json:
        print_json(attrs.asdict(done))
    else:
        _print_drained(done)
    if done.waiting:
        end_waiting(
            f"{counted(done.waiting, 'run waits', 'runs wait')} on because an endpoint failed. Nothing is lost: try "
            "again later; with --cached, answers that came are not asked for again."
        )


def _print_drained(done: Drained) -> None:
    from memp.cli.output import console, counted, plain

    console().print(
        f"Learned from {counted(done.runs, 'run')}: {counted(len(done.added), 'new procedure')}, "
        f"{counted(len(done.generalised), 'procedure')} with more support, {done.known} known before.",
        soft_wrap=True,
    )
    for problem in done.problems:
        console().print(f"  {plain(problem)}", soft_wrap=True)


@click.command()
@options.store
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--build", default="verbatim", show_default=True, help="How procedures are built from episodes.")
@click.option("--half-life", type=float, default=None, help="Days after which an outcome counts half.")
@click.option("--max-procedures", type=int, default=None, help="How many procedures are retrieved at most.")
@click.option("--reason", default="", help="One sentence for people.")
@options.actor
@options.as_json
def policy(
    store: str,
    names: tuple[str, ...],
    build: str,
    half_life: float | None,
    max_procedures: int | None,
    reason: str,
    actor: str,
    as_json: bool,
) -> None:
    """Show what decides about outcomes, or set it to the policies NAME, in the order in which they decide."""
    if names:
        with options.open_for_writing(store, actor=actor) as memory:
            record = memory.set_policy(
                *names, build=build, half_life_days=half_life, max_procedures=max_procedures, reason=reason
            )
        _done(record, "Set.", as_json)
        return
    with options.open_for_reading(store) as memory:
        found = memory.policy()
    _print_policy(found, as_json)


def _print_policy(found: PolicySet | None, as_json: bool) -> None:
    from memp.cli.output import console, pairs, print_json
    from memp.update.registry import DEFAULT

    if as_json:
        print_json(None if found is None else attrs.asdict(found))
        return
    if found is None:
        console().print(f"Nothing was set: {', '.join(DEFAULT)} decides.")
        return
    limit = "none" if found.max_procedures is None else found.max_procedures
    age = "none" if found.half_life_days is None else f"{found.half_life_days:g} days"
    console().print(
        pairs(
            {
                "policies": ", ".join(found.policies),
                "build": found.build,
                "half life": age,
                "most procedures": limit,
                "reason": found.reason,
            }
        )
    )


COMMANDS = (episodes, evidence, candidates, accept, reject, queue, drain, policy)
