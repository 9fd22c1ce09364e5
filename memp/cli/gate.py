"""``memp gate``: what candidates must pass, and letting those that wait try."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import click

from memp.cli import options
from memp.cli.bisect import seeds_of
from memp.cli.suites import SuiteCommand, given_suite, suite_options

if TYPE_CHECKING:
    from memp import GateVerdict, Memory
    from memp.events import GateSet


@click.command(cls=SuiteCommand)
@options.store
@suite_options
@click.option("--set", "set_", is_flag=True, help="Set the gate on --suite and --agent; judge nobody yet.")
@click.option("--open", "open_", is_flag=True, help="Open the gate: evidence decides about candidates again.")
@click.option("--show", is_flag=True, help="Say what is set, and how many candidates wait.")
@click.option("--agent", default=None, help="Who acts: a name, such as follower; the suite's own if left out.")
@click.option("--tolerance", type=float, default=0.0, show_default=True, help="Share by which success may fall.")
@click.option("--confidence", type=float, default=0.95, show_default=True, help="How sure, for an agent that varies.")
@click.option("--seeds", default="0", show_default=True, help="Seeds of the agent, such as 0,1,2.")
@click.option("--reason", default="", help="One sentence for people.")
@click.option("--workers", type=int, default=1, show_default=True, help="Processes that act.")
@click.option(
    "--journal", type=click.Path(dir_okay=False), default=None, help="Keep plays in this file, and go on from it."
)
@click.option("--dry-run", is_flag=True, help="Judge, and write nothing.")
@options.branch
@options.actor
@options.as_json
def gate(
    store: str,
    suite: str | None,
    seed: int | None,
    n: int | None,
    set_: bool,
    open_: bool,
    show: bool,
    agent: str | None,
    tolerance: float,
    confidence: float,
    seeds: str,
    reason: str,
    workers: int,
    journal: str | None,
    dry_run: bool,
    branch: str,
    actor: str,
    as_json: bool,
    **of_suite: Any,
) -> None:
    """
    Judge every candidate that waits, by the gate that is set: it is accepted if it makes nothing worse, else rejected.

    While a gate is set, no candidate is accepted otherwise, save by hand. To set one: --set --suite NAME.
    """
    if set_ + open_ + show > 1:
        raise click.UsageError("--set, --open and --show exclude each other.")
    if suite is not None and not set_:
        raise click.UsageError("The suite is part of the gate: it is named with --set, and made again from then on.")
    if show:
        with options.open_for_planning(store, branch=branch) as memory:
            _print_gate(memory, as_json)
        return
    if dry_run and not (set_ or open_):
        with options.open_for_planning(store, branch=branch) as memory:
            _print_verdicts(_judge(memory, workers, journal, dry_run=True), as_json, written=False)
        return
    with options.open_for_writing(store, actor=actor, branch=branch) as memory:
        if open_:
            memory.set_gate(None, reason=reason)
            _print_gate(memory, as_json)
        elif set_:
            if suite is None:
                raise click.UsageError("Name what candidates are measured on: --set --suite NAME.")
            chosen = given_suite(suite, seed=seed, n=n, options=of_suite)
            memory.set_gate(
                chosen,
                agent or chosen.agent,
                tolerance=tolerance,
                confidence=confidence,
                seeds=seeds_of(seeds),
                reason=reason,
            )
            _print_gate(memory, as_json)
        else:
            _print_verdicts(_judge(memory, workers, journal, dry_run=False), as_json, written=True)


def _judge(memory: Memory, workers: int, journal: str | None, *, dry_run: bool) -> tuple[GateVerdict, ...]:
    from memp.cli.output import progress_bar
    from memp.evaluation.gate import gate

    with progress_bar() as progress:
        return gate(memory, workers=workers, journal=journal, dry_run=dry_run, on_progress=progress)


def _print_gate(memory: Memory, as_json: bool) -> None:
    from memp.cli.output import console, counted, pairs, print_json

    setting, waiting = memory.gate(), len(memory.candidates())
    if as_json:
        print_json({"gate": None if setting is None else attrs.asdict(setting), "candidates": waiting})
        return
    if setting is None:
        console().print("No gate is set: evidence decides about candidates.")
        return
    console().print(pairs(_rows(setting)))
    console().print(f"\n{counted(waiting, 'candidate')} {'waits' if waiting == 1 else 'wait'}.")


def _rows(setting: GateSet) -> dict[str, object]:
    made_with = ", ".join(f"{name} {value}" for name, value in setting.options)
    return {
        "suite": f"{setting.suite} ({made_with})" if made_with else str(setting.suite),
        "agent": setting.agent,
        "seeds": ", ".join(map(str, setting.seeds)),
        "tolerance": f"{setting.tolerance:.1%}",
        "confidence": f"{setting.confidence:.0%}",
        "reason": setting.reason,
    }


def _print_verdicts(verdicts: Sequence[GateVerdict], as_json: bool, *, written: bool) -> None:
    from memp.cli.output import console, print_json, row, table

    if as_json:
        print_json([attrs.asdict(verdict) for verdict in verdicts])
        return
    if not verdicts:
        console().print("No candidate waits.")
        return
    shown = table("#", "procedure", "verdict", "# base", "# with it", "why", wide="why")
    for one in verdicts:
        judged = one.judgement
        base, tried = ("", "") if judged is None else (f"{judged.base:.0%}", f"{judged.candidate:.0%}")
        row(shown, one.position, one.procedure, one.verdict, base, tried, one.reason)
    console().print(shown)
    if not written:
        console().print("\nNothing was written.")


COMMANDS = (gate,)
