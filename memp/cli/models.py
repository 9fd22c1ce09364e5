"""What models are asked for beside writing procedures: verdicts, facts, a start without runs, and what it all cost."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from memp.cli import options

if TYPE_CHECKING:
    from memp import Cost, Trajectory
    from memp.llm.judge import Agreement, Judge, Judged
    from memp.operations.learned import FactsReport

PROBLEMS_SHOWN = 10
"""Enough to see what is wrong; the count says how many there are."""


@click.command()
@options.store
@click.option(
    "--by",
    default="model",
    show_default=True,
    type=click.Choice(["procedure", "model", "day"]),
    help="What is added up.",
)
@options.view
@options.as_json
def costs(store: str, by: str, at: str | None, branch: str, as_json: bool) -> None:
    """Show what the calls to models came to."""
    from memp.cli.output import console, print_json

    with options.open_for_reading(store, at=at, branch=branch) as memory:
        found = memory.costs(by)
    if as_json:
        print_json([cost.to_dict() for cost in found])
        return
    if not found:
        console().print("No model was called yet.")
        return
    _print_costs(found, by)


def _print_costs(found: tuple[Cost, ...], by: str) -> None:
    from memp.cli.output import console, row, table

    shown = table(by, "# calls", "# failed", "# tokens in", "# tokens out", "# price", wide=by)
    for cost in found:
        price = "-" if cost.price is None else f"{cost.price:.4f}"
        price += f" (+{cost.unpriced} calls)" if cost.unpriced and cost.price is not None else ""
        row(shown, cost.what, cost.calls, cost.failed, cost.tokens_in, cost.tokens_out, price)
    console().print(shown)


@click.command()
@click.argument("runs", metavar="RUNS...", nargs=-1, required=True, type=click.Path())
@click.option("--against", type=click.Choice(["reward"]), default=None, help="Compare with what the runs say.")
@click.option(
    "--rubric", default=None, type=click.Path(exists=True, dir_okay=False), help="File that says what counts, in words."
)
@click.option("--store", default=None, type=click.Path(dir_okay=False), help="Store that keeps the calls on record.")
@click.option("--parallel", default=4, show_default=True, type=click.IntRange(min=1), help="Questions at once.")
@options.asks
@options.actor
@options.as_json
def judge(
    runs: tuple[str, ...],
    against: str | None,
    rubric: str | None,
    store: str | None,
    parallel: int,
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
    Let a model score the runs in the files RUNS, from 0 to 1.

    With --against reward, print how far it agrees with what the runs say of themselves: accuracy, kappa and
    calibration. Runs without a known outcome are left out then.
    """
    import memp
    from memp.cli.output import progress_bar
    from memp.llm.judge import agreement, judge_all

    asked = options.model_of(model, base_url, mode, price_in, price_out)
    if asked is None:
        raise memp.InvalidInputError("'memp judge' needs a model: name one with --model.")
    read = [run for path in runs for run in memp.read_trajectories(path)]
    if against is not None:
        read = [run for run in read if run.success is not None]
    with ExitStack() as stack:
        progress = stack.enter_context(progress_bar())
        memory = None
        if store is not None:
            memory = stack.enter_context(options.open_for_writing(store, actor=actor, create=True))
        judging = memp.Judge(asked, rubric=None if rubric is None else Path(rubric), memory=memory, cached=cached)
        stack.callback(judging.close)
        judged = judge_all(judging, read, parallel=parallel, progress=progress)
    known = [(one.verdict.score, one.trajectory.success is True) for one in judged if one.verdict is not None]
    found = None if against is None else agreement(known, failed=sum(one.verdict is None for one in judged))
    _print_verdicts(judged, found, judging, as_json=as_json)


def _print_verdicts(judged: list[Judged], found: Agreement | None, judging: Judge, *, as_json: bool) -> None:
    from memp.cli.output import console, counted, print_json, row, table

    if as_json:
        rows = [_verdict_json(one) for one in judged]
        print_json({"runs": rows, "agreement": None if found is None else found.to_dict()})
        return
    out = console()
    shown = table("# score", "outcome", "task", "why", wide="why")
    for one in judged:
        outcome = {None: "-", True: "won", False: "lost"}[one.trajectory.success]
        score = "-" if one.verdict is None else f"{one.verdict.score:.2f}"
        why = one.problem
        if one.verdict is not None:
            why = f"{one.verdict.reasons[0]} (step {', '.join(map(str, one.verdict.steps)) or '-'})"
        row(shown, score, outcome, one.trajectory.task, why)
    out.print(shown)
    if found is not None:
        kappa = "not defined, for only one outcome occurs" if found.kappa is None else f"{found.kappa:.2f}"
        out.print()
        out.print(
            f"{counted(found.runs, 'run')} judged, {found.failed} could not be. Accuracy {found.accuracy:.2f}, "
            f"kappa {kappa}, Brier score {found.brier:.3f}, calibration error {found.calibration_error:.3f}.",
            soft_wrap=True,
        )
        bins = table("score", "# runs", "# mean score", "# won")
        for one_bin in found.bins:
            row(
                bins,
                f"{one_bin.low:.1f} to {one_bin.high:.1f}",
                one_bin.runs,
                f"{one_bin.score:.2f}",
                f"{one_bin.won:.2f}",
            )
        out.print(bins)
    nowhere = "" if judging.recorded else " Without --store they are on record nowhere."
    out.print(f"{counted(len(judging.calls), 'call')} made.{nowhere}")


def _verdict_json(one: Judged) -> dict[str, object]:
    run: Trajectory = one.trajectory
    return {
        "task": run.task,
        "digest": run.digest,
        "success": run.success,
        "verdict": None if one.verdict is None else one.verdict.to_dict(),
        "problem": one.problem,
    }


@click.command()
@options.store
@click.argument("procedures", metavar="[PROCEDURE]...", nargs=-1)
@click.option("--parallel", default=4, show_default=True, type=click.IntRange(min=1), help="Questions at once.")
@options.asks
@options.branch
@options.actor
@options.as_json
def facts(
    store: str,
    procedures: tuple[str, ...],
    parallel: int,
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
    Let a model say when each PROCEDURE applies; all that have no facts yet if none is named.

    Where its endpoint fails, the rest is left as it is, and the exit code is 6.
    """
    from memp.cli.exits import end_waiting
    from memp.cli.output import counted, print_json

    asked = options.model_of(model, base_url, mode, price_in, price_out)
    with options.open_for_writing(store, actor=actor, branch=branch, model=asked) as memory:
        report = memory.find_facts(procedures or None, cached=cached, parallel=parallel)
    if as_json:
        print_json({"changed": list(report.changed), "problems": list(report.problems), "left": report.left})
    else:
        _print_facts(report)
    if report.left:
        end_waiting(
            f"Nothing new is known of {counted(report.left, 'procedure')} because an endpoint failed. What was found "
            "of others is kept; try again later."
        )


def _print_facts(report: FactsReport) -> None:
    from memp.cli.output import console, counted, plain

    out = console()
    named = f": {', '.join(report.changed)}" if report.changed else ""
    out.print(f"{counted(len(report.changed), 'procedure')} with more facts{named}.", soft_wrap=True)
    for problem in report.problems[:PROBLEMS_SHOWN]:
        out.print(f"  {plain(problem)}", soft_wrap=True)


@click.command()
@options.store
@click.option("--suite", required=True, help="The tasks, by the name of their suite.")
@click.option("--agent", required=True, help="Who tries them, by name.")
@click.option("--n", default=None, type=click.IntRange(min=1), help="How many tasks; all of the suite if left out.")
@click.option("--seed", default=0, show_default=True, help="Which tasks.")
@click.option("--attempts", default=4, show_default=True, type=click.IntRange(min=1), help="Tries at each task.")
@click.option("--keep", default=1, show_default=True, type=click.IntRange(min=1), help="Runs of a task that are kept.")
@click.option("--judge", "judging", is_flag=True, help="Let the model score the runs, not the suite.")
@click.option("--build", default="verbatim", show_default=True, help="How procedures are made, as in 'memp learn'.")
@options.asks
@options.actor
@options.as_json
def bootstrap(
    store: str,
    suite: str,
    agent: str,
    n: int | None,
    seed: int,
    attempts: int,
    keep: int,
    judging: bool,
    build: str,
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
    Start without runs: let an agent try the tasks of a suite, and learn the best that it did.

    Where an endpoint fails while procedures are made, the runs wait in the queue, and the exit code is 6.
    """
    import memp
    from memp.cli.learn import end_if_waiting
    from memp.cli.output import console, counted, plain, print_json, progress_bar
    from memp.cli.views import learned_json
    from memp.evaluation.agents.model import ModelAgent
    from memp.evaluation.agents.named import agent_named
    from memp.evaluation.player import player
    from memp.evaluation.suite import suite as suite_named

    asked = options.model_of(model, base_url, mode, price_in, price_out)
    if judging and asked is None:
        raise memp.InvalidInputError("'--judge' needs a model: name one with --model.")
    tasks = suite_named(suite, seed=seed, n=n)
    with (
        progress_bar() as progress,
        options.open_for_writing(store, actor=actor, create=True, model=asked) as memory,
    ):
        player_agent = agent_named(agent, memory)
        if isinstance(player_agent, ModelAgent):
            player_agent = attrs.evolve(player_agent, memory=memory)
        metric = None if not judging or asked is None else memp.Judge(asked, memory=memory, cached=cached)
        report = memory.bootstrap(
            tasks.tasks,
            player(tasks, player_agent),
            metric,
            attempts=attempts,
            keep=keep,
            build=build,
            progress=progress,
        )
    if as_json:
        print_json(
            {"tasks": report.tasks, "attempts": report.attempts, "kept": report.kept} | learned_json(report.learned)
        )
    else:
        out = console()
        out.print(
            f"{counted(report.attempts, 'run')} of {counted(report.tasks, 'task')}; {report.kept} kept, "
            f"{counted(len(report.learned.added), 'procedure')} added.",
            soft_wrap=True,
        )
        for problem in report.learned.problems:
            out.print(f"  {plain(problem)}", soft_wrap=True)
    end_if_waiting(report.learned, store, build)


COMMANDS = (costs, judge, facts, bootstrap)
