"""``memp bisect``: which event made it worse?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from memp.cli import options
from memp.cli.suites import SuiteCommand, check_one_of, given_suite, suite_options

if TYPE_CHECKING:
    from memp import Bisection, ReplaySuite, Suite


def seeds_of(text: str) -> tuple[int, ...]:
    """
    Return the seeds that an option says.

    Raises:
        UsageError: They are no numbers, or two are the same.
    """
    try:
        seeds = tuple(int(seed) for seed in text.split(","))
    except ValueError as error:
        raise click.UsageError(f"--seeds must be numbers such as 0,1,2 (got {text!r}).") from error
    if len(set(seeds)) < len(seeds):
        raise click.UsageError(f"--seeds must be different numbers such as 0,1,2 (got {text!r}).")
    return seeds


@click.command(cls=SuiteCommand)
@options.store
@suite_options
@click.option("--replay", metavar="FILE", default=None, help="Held-out runs instead of a suite.")
@click.option("--good", required=True, metavar="VIEW", help="An earlier version that was good.")
@click.option("--bad", required=True, metavar="VIEW", help="A later version that is worse.")
@click.option("--agent", default=None, help="Who acts: a name, such as follower; the suite's own if left out.")
@click.option("--measure", default="success", show_default=True, help="By what it is worse: success, steps or reward.")
@click.option("--seeds", default="0", show_default=True, help="Seeds of the agent, such as 0,1,2.")
@click.option("--budget", type=int, default=None, help="Evaluations besides the two ends.  [default: what it takes]")
@click.option(
    "--error-rate", type=float, default=0.05, show_default=True, help="How often a wrong event may be named, at most."
)
@click.option("--workers", type=int, default=1, show_default=True, help="Processes that act.")
@click.option("--max-steps", type=int, default=None, help="Limit of actions; the suite's if left out.")
@click.option("-k", default=3, show_default=True, help="How many procedures are served at most.")
@click.option("--key", default=None, help="How they are found, as 'memp ask --key' takes it.")
@click.option(
    "--journal", type=click.Path(dir_okay=False), default=None, help="Keep plays in this file, and go on from it."
)
@click.option("--report", type=click.Path(dir_okay=False), default=None, help="Write an HTML file besides.")
@options.branch
@options.as_json
def bisect(
    store: str,
    suite: str | None,
    replay: str | None,
    seed: int | None,
    n: int | None,
    good: str,
    bad: str,
    agent: str | None,
    seeds: str,
    report: str | None,
    branch: str,
    as_json: bool,
    measure: Any,
    budget: int | None,
    error_rate: float,
    workers: int,
    max_steps: int | None,
    k: int,
    key: str | None,
    journal: str | None,
    **of_suite: Any,
) -> None:
    """
    Find the event that made the memory worse between two versions, or say that the data cannot tell.

    Nothing is written to STORE; 'memp undo' takes back what is named.
    """
    from memp.cli.output import progress_bar
    from memp.evaluation.bisect import bisect as search
    from memp.evaluation.replay import replay_suite
    from memp.evaluation.report import check_report, write_report

    check_one_of(suite, replay)
    if report is not None:
        check_report(report)
    chosen: Suite | ReplaySuite
    chosen_seeds, who = seeds_of(seeds), agent or "follower"
    if suite is not None:
        chosen = given_suite(suite, seed=seed, n=n, options=of_suite)
        who = agent or chosen.agent
    else:
        assert replay is not None
        chosen = replay_suite(replay, n=n, seed=seed or 0)
    with options.open_for_planning(store, branch=branch) as memory:
        with progress_bar() as progress:
            found = search(
                memory,
                chosen,
                who,
                good=good,
                bad=bad,
                measure=measure,
                seeds=chosen_seeds,
                error_rate=error_rate,
                budget=budget,
                k=k,
                key=key,
                max_steps=max_steps,
                workers=workers,
                journal=journal,
                on_progress=progress,
            )
        if report is not None and found.result is not None:
            write_report(found.result, report, memory=memory, bisection=found)
            click.echo(f"Wrote {report}.", err=True)
    _print(found, store, as_json)


def _print(found: Bisection, store: str, as_json: bool) -> None:
    import shlex

    from memp.cli.output import console, plain, print_json

    if as_json:
        print_json(found.to_dict())
        return
    out = console()
    told = found.told()
    out.print(plain(told["headline"]), style="bold", soft_wrap=True)
    for line in ([told["title"]] if found.found else []) + told["lines"]:
        out.print(plain(line), soft_wrap=True)
    out.print()
    for step in told["steps"]:
        out.print(plain(step), style="dim", soft_wrap=True)
    if found.found:
        undo = shlex.join(["memp", "undo", store, str(found.event), "--dry-run", "--reason", "bisect named it"])
        out.print(f"\nTo take it back: {undo}", soft_wrap=True)


COMMANDS = (bisect,)
