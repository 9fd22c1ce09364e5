"""The commands that only read: ``ask``, ``list``, ``show`` and ``log``. They never make or change a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from memp.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memp import Evidence, Found, Procedure, Record, Revision
    from memp.events.procedures import Origin
    from memp.script.toolset import Toolset

SUMMARY_KEYS = ("name", "reason", "critique")
"""Fields of a body that say most about an event, in the order in which they are looked for."""


@click.command()
@options.store
@click.argument("task", metavar="TASK")
@click.option("-k", default=3, show_default=True, help="How many procedures at most.")
@click.option(
    "--key", default=None, help="What is compared: hybrid (the default), pattern, query, facts, bm25 or random."
)
@click.option(
    "--where", multiple=True, metavar="NAME=VALUE", help="Only such as tag=kitchen; repeatable, all must hold."
)
@click.option("--diversity", default=0.0, show_default=True, help="What repeating another match costs, from 0 to 1.")
@click.option(
    "--evidence-weight", default=0.0, show_default=True, help="What it counts that a match helped before, from 0 to 1."
)
@click.option("--explain", is_flag=True, help="Show every part of every score.")
@click.option("--style", default="steps", show_default=True, help="Form of the prompt: steps, prose or code.")
@click.option("--budget", default=600, show_default=True, help="Length of the prompt in estimated tokens.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws others, with --key random.")
@options.view
@options.as_json
def ask(
    store: str,
    task: str,
    k: int,
    key: str | None,
    style: str,
    budget: int,
    seed: int,
    where: tuple[str, ...],
    diversity: float,
    evidence_weight: float,
    explain: bool,
    at: str | None,
    branch: str,
    as_json: bool,
) -> None:
    """Show what helps with TASK: the matches, and the prompt that an agent would get."""
    from memp.cli.output import print_json
    from memp.cli.views import match_json
    from memp.retrieval.filters import read_filter

    wanted = read_filter(where)
    with options.open_for_reading(store, at=at, branch=branch) as memory:
        found = memory.retrieve(
            task, k, key=key, where=wanted, diversity=diversity, evidence_weight=evidence_weight, seed=seed
        )
        prompt = found.prompt(budget_tokens=budget, style=style)
    if as_json:
        print_json({"task": task, "matches": [match_json(match) for match in found], "prompt": prompt})
        return
    _print_found(found, prompt, filtered=wanted is not None, explain=explain)


def _print_found(found: Found, prompt: str, *, filtered: bool, explain: bool) -> None:
    from memp.cli.output import console, plain, row, table

    out = console()
    if not found:
        empty = "the memory holds no procedure yet. 'memp learn' builds some"
        why = "no procedure meets '--where'" if filtered else empty
        out.print(f"Nothing to recall: {why}.")
        return
    matches = table("#", "# score", "# runs", "helped", "name", "task", wide="task")
    for match in found:
        procedure = match.procedure
        row(
            matches,
            match.rank,
            f"{match.score:.3f}",
            procedure.support,
            helped(procedure.evidence),
            procedure.name,
            procedure.task,
        )
    out.print(matches)
    if explain:
        _print_parts(found)
    out.print()
    out.print(plain(prompt) if prompt else "(No procedure fits into the budget.)", soft_wrap=True)


def _print_parts(found: Found) -> None:
    """Print what each score is made of, one part a line."""
    from memp.cli.output import console, row, table

    parts = table("#", "# score", "part", "# value")
    for match in found:
        for number, (name, value) in enumerate(match.parts.items()):
            first = (match.rank, f"{match.score:.6f}") if number == 0 else ("", "")
            row(parts, *first, name.replace("_", " "), f"{value:.6f}".rstrip("0").rstrip("."))
    out = console()
    out.print()
    out.print(parts)


@click.command(name="list")
@options.store
@click.option("--all", "everything", is_flag=True, help="Also those that are erased or merged.")
@options.view
@options.as_json
def list_(store: str, everything: bool, at: str | None, branch: str, as_json: bool) -> None:
    """List the procedures."""
    from memp.cli.output import console, counted, print_json, row, table
    from memp.cli.views import procedure_json

    with options.open_for_reading(store, at=at, branch=branch) as memory:
        procedures = memory.procedures(everything=everything)
    if as_json:
        print_json([procedure_json(procedure) for procedure in procedures])
        return
    shown = table("builder", "# runs", "helped", "status", "name", "task", wide="task")
    for p in procedures:
        row(shown, p.builder, p.support, helped(p.evidence), p.status.value, p.name, p.task)
    out = console()
    if procedures:
        out.print(shown)
    out.print(f"{counted(len(procedures), 'procedure')}.")


@click.command()
@options.store
@click.argument("procedure", metavar="PROCEDURE")
@options.view
@options.as_json
def show(store: str, procedure: str, at: str | None, branch: str, as_json: bool) -> None:
    """Show all of one PROCEDURE, by its name or id: what it says, what it was built from, what it did."""
    from memp.cli.output import print_json
    from memp.cli.views import origin_json, procedure_json, revision_json

    with options.open_for_reading(store, at=at, branch=branch) as memory:
        found = memory.procedure(procedure)
        spoken = memory.toolset_of(found)
        origins = memory.origins(procedure)
    if as_json:
        revisions = [revision_json(found, revision) for revision in found.revisions]
        more = {"script": found.script, "revisions": revisions, "origins": [origin_json(one) for one in origins]}
        print_json(procedure_json(found) | more)
        return
    _print_procedure(found, spoken)
    _print_origins(origins)


def _print_procedure(procedure: Procedure, spoken: Toolset | None) -> None:
    from memp.cli.output import console, one_line, pairs

    out = console()
    out.print(
        pairs(
            {
                "name": procedure.name,
                "id": procedure.id,
                "status": procedure.status.value + (f" into {procedure.merged_into}" if procedure.merged_into else ""),
                "task": one_line(procedure.task),
                "patterns": "\n".join(procedure.patterns) or "none",
                "builder": procedure.builder,
                "tags": ", ".join(procedure.tags) or "none",
                "built from": f"{procedure.support} run{'' if procedure.support == 1 else 's'}",
                "helped": helped(procedure.evidence),
            }
        )
    )
    for number, revision in enumerate(procedure.revisions, 1):
        out.print()
        out.print(f"Revision {number}, {revision.status.value}: {revision.id}", style="bold")
        if revision.critique:
            out.print(f"Critique: {one_line(revision.critique)}", soft_wrap=True)
        _print_content(revision, spoken)


def _print_origins(origins: Sequence[Origin]) -> None:
    """Print what is known of a procedure in the stores that it came from; none of it counts here."""
    from memp.cli.output import console, counted, one_line

    out = console()
    for one in origins:
        out.print()
        out.print(f"Came out of a pack of the log {one.log_id}, where it is {one_line(one.name)!r}:", style="bold")
        runs = counted(one.support, "run")
        served = f"helped there in {helped(one.evidence)}" if one.evidence.episodes else "never served there"
        out.print(f"built there from {runs}; {served}.", soft_wrap=True)
        for event in one.history:
            out.print(f"  {one_line(event.says)}", soft_wrap=True)


def _print_content(revision: Revision, spoken: Toolset | None) -> None:
    from memp.cli.output import console, one_line
    from memp.cli.script import print_script

    out = console()
    content = revision.content
    if content.script is not None:
        print_script(content.script, spoken)
    if content.run is not None:
        if content.script is not None:
            out.print("One run of it:")
        for number, step in enumerate(content.run.steps, 1):
            out.print(f"{number:3}. {one_line(step.action)}", soft_wrap=True)
            if step.observation:
                out.print(f"     {one_line(step.observation)}", style="dim", soft_wrap=True)


@click.command()
@options.store
@click.option("--procedure", default=None, help="Only events about this procedure, by its name or id.")
@click.option("--type", "type_", default=None, help="Only events of this type, such as procedure-added.")
@click.option("-n", "count", default=20, show_default=True, help="How many, the newest first; 0 for all.")
@options.view
@options.as_json
def log(
    store: str, procedure: str | None, type_: str | None, count: int, at: str | None, branch: str, as_json: bool
) -> None:
    """List the events, the newest first."""
    from memp.cli.output import console, moment, print_json, row, table
    from memp.cli.views import record_json

    with options.open_for_reading(store, at=at, branch=branch) as memory:
        records = list(memory.events(procedure=procedure, type=type_))
    records.reverse()
    chosen = records[:count] if count > 0 else records
    if as_json:
        print_json([record_json(record) for record in chosen])
        return
    shown = table("#", "event", "recorded (UTC)", "actor", "type", "about", wide="about")
    for record in chosen:
        row(
            shown,
            record.position,
            record.event_id,
            moment(record.recorded_at),
            record.actor,
            record.type,
            summary(record),
        )
    out = console()
    if chosen:
        out.print(shown)
    if len(chosen) < len(records):
        out.print(f"{len(chosen)} of {len(records)} events; -n 0 shows all.")
    elif not chosen:
        out.print("No events.")


def summary(record: Record) -> str:
    """Return what an event is about, in a few words; says so where its body was purged."""
    from memp import codec
    from memp.history.happenings import happening

    data = record.data
    if data is None or record.body is None:
        return "(purged)"
    said = happening(codec.decode(record.type, record.schema, record.body, position=record.position))
    if said is not None:
        return said
    if "attempts" in data and "measured" in data:
        arms = ", ".join(arm["name"] for arm in data["arms"])
        return f"{data['measured']['suite']}, {data['measured']['agent'] or 'replay'}: {arms}"
    if "trajectory" in data:
        run = data["trajectory"]
        outcome = {True: "won", False: "lost"}.get(run["success"], "open")
        return f"{outcome}: {run['task']}"
    if "success" in data:
        return f"{'helped' if data['success'] else 'did not help'}; {data.get('judge', '')}: {data.get('reason', '')}"
    return next((str(data[key]) for key in SUMMARY_KEYS if data.get(key)), "")


def helped(evidence: Evidence) -> str:
    """Return '9 of 12', or a dash where it was never served."""
    return f"{evidence.helped} of {evidence.episodes}" if evidence.episodes else "-"


COMMANDS = (ask, list_, show, log)
