"""``memp gate``: what candidates must pass, and letting those that wait try."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import click
from click.core import ParameterSource

from memp.cli import options
from memp.cli.bisect import seeds_of
from memp.cli.suites import SuiteCommand, given_suite, suite_options

if TYPE_CHECKING:
    from memp import GateVerdict, Memory
    from memp.events import GateSet


OF_A_GATE = {
    "suite": "The suite",
    "agent": "The agent",
    "tolerance": "The tolerance",
    "confidence": "The confidence",
    "seeds": "The choice of seeds",
    "n": "The number of tasks",
    "seed": "The seed of the suite",
}
"""Options that make a gate, and what people call them."""


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
    _check_set(set_)
    if show:
        with options.open_for_planning(store, branch=branch) as memory:
            _print_gate(memory, as_json)
        return
    if dry_run and not (set_ or open_):
        with options.open_for_planning(store, branch=branch) as memory:
            _print_verdicts(_judge(memory, workers, journal, dry_run=True), store, as_json, written=False)
        return
    with options.open_for_writing(store, actor=actor, branch=branch) as memory:
        if open_:
            memory.set_gate(None, reason=reason)
            _print_gate(memory, as_json)
        elif set_:
            if suite is None:
                raise click.UsageError("Name what candidates are measured on: --set --suite NAME.")
            chosen = given_suite(suite, seed=seed, n=n, options=of_suite)
            _check_agent(agent)
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
            _print_verdicts(_judge(memory, workers, journal, dry_run=False), store, as_json, written=True)


def _check_set(set_: bool) -> None:
    """Refuse what is part of a gate where none is set: it would be ignored, and candidates judged by something else."""
    given = [name for name in OF_A_GATE if _is_given(name)]
    if given and not set_:
        raise click.UsageError(
            f"{OF_A_GATE[given[0]]} is part of the gate: it is named with --set, and holds from then on. "
            "'memp gate STORE --show' says what is set."
        )


def _is_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _check_agent(name: str | None) -> None:
    """Refuse the name of an agent that nobody could find when candidates are judged."""
    from memp.evaluation.agents.named import agent_names

    if name is not None and name not in agent_names():
        raise click.UsageError(f"--agent must be one of {', '.join(agent_names())} (got {name!r}).")


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


def _print_verdicts(verdicts: Sequence[GateVerdict], store: str, as_json: bool, *, written: bool) -> None:
    import shlex

    from memp.cli.output import console, counted, print_json, row, table
    from memp.evaluation.gate import WAITS

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
    waiting = [one for one in verdicts if one.verdict == WAITS]
    if waiting:
        console().print(
            f"\n{counted(len(waiting), 'candidate')} will wait as long as no task of the suite is served what it is "
            f"about. By hand: memp accept {shlex.quote(store)} {waiting[0].position}, or memp reject. "
            "Or set the gate on a suite with such tasks.",
            soft_wrap=True,
        )
    if not written:
        console().print("\nNothing was written.")


COMMANDS = (gate,)
