"""``memp record``: let somebody play a suite, and keep the runs to learn from."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from memp.cli import options
from memp.cli.suites import SuiteCommand, given_suite, suite_options


@click.command(cls=SuiteCommand)
@click.argument("out", metavar="OUT.jsonl.gz", type=click.Path(dir_okay=False))
@suite_options
@click.option(
    "--agent", default="explorer", show_default=True, help="Who plays: expert, explorer, follower or another."
)
@click.option("--agent-seed", default=0, show_default=True, help="For an agent that draws lots.")
@click.option("--max-steps", type=int, default=None, help="Limit of actions; the suite's if left out.")
@click.option("--memory", "store", type=click.Path(dir_okay=False), default=None, help="A store that serves the agent.")
@click.option("--at", default=None, help="Which version of it; the present if left out.")
@click.option("-k", default=1, show_default=True, help="How many procedures it serves at most.")
@click.option("--key", default=None, help="How they are found, as 'memp ask --key' takes it.")
@options.branch
@options.as_json
def record(
    out: str,
    suite: str | None,
    n: int | None,
    seed: int | None,
    agent: str,
    agent_seed: int,
    max_steps: int | None,
    store: str | None,
    at: str | None,
    k: int,
    key: str | None,
    branch: str,
    as_json: bool,
    **of_suite: Any,
) -> None:
    """
    Let an agent, or the expert of a suite, do its tasks, and write the runs to a file.

    'memp learn' reads the file. It is written whole or not at all, won and lost runs alike.
    """
    from memp.cli.output import counted, print_json, progress_bar
    from memp.evaluation.recording import record_runs, write_runs

    if suite is None:
        raise click.UsageError("Name what is played: --suite NAME.")
    if store is None and (at is not None or key is not None):
        raise click.UsageError("--at and --key say what a memory serves: name it with --memory STORE.")
    made = given_suite(suite, seed=seed, n=n, options=of_suite)
    won = []
    with ExitStack() as opened:
        memory = None if store is None else opened.enter_context(options.open_for_planning(store, branch=branch))
        progress = opened.enter_context(progress_bar())
        runs = record_runs(made, agent, seed=agent_seed, max_steps=max_steps, memory=memory, at=at, k=k, key=key)

        def told() -> Any:
            for run in runs:
                won.append(bool(run.success))
                progress("playing", len(won), len(made.tasks))
                yield run

        count = write_runs(told(), out)
    if as_json:
        print_json({"runs": count, "won": sum(won), "file": out, "suite": made.name, "agent": agent})
    else:
        click.echo(f"Wrote {counted(count, 'run')} to {out}: {sum(won)} won, {count - sum(won)} lost.")


COMMANDS = (record,)
