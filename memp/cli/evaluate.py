"""What versions are worth: measure them, compare what was measured, and see how it went over time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from memp.cli import options
from memp.cli.bisect import seeds_of
from memp.cli.suites import SuiteCommand, check_one_of, given_suite, suite_options

if TYPE_CHECKING:
    from memp import Memory, Record
    from memp.evaluation.agent import Agent
    from memp.evaluation.arms import ArmSpec
    from memp.evaluation.replay import ReplaySuite
    from memp.evaluation.result import Result
    from memp.evaluation.runner import Runner
    from memp.evaluation.suite import Suite
    from memp.events.measuring import Measured

POINTS = 10
"""Versions that a curve has when nobody says otherwise: enough to see where it turns."""

BAR_CHARACTERS = 30
"""Length of the bar of a version that solves everything."""


def measuring(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what commands that measure have in common."""
    added = (
        options.store,
        suite_options,
        click.option("--replay", "replay", metavar="FILE", default=None, help="Held-out runs instead of a suite."),
        click.option("--agent", default=None, help="Who acts: follower, explorer, model; the suite's own if left out."),
        click.option("--seeds", default="0", show_default=True, help="Seeds of the agent, such as 0,1,2."),
        click.option("--workers", type=int, default=1, show_default=True, help="Processes that act."),
        click.option("--max-steps", type=int, default=None, help="Limit of actions; the suite's if left out."),
        click.option("-k", default=3, show_default=True, help="How many procedures are served at most."),
        click.option("--key", default=None, help="How they are found, as 'memp ask --key' takes it."),
        options.branch,
        click.option("--journal", type=click.Path(dir_okay=False), default=None, help="Keep what is done here."),
        click.option("--resume", is_flag=True, help="Go on where the same evaluation was stopped."),
        click.option("--report", type=click.Path(dir_okay=False), default=None, help="Write an HTML file besides."),
        click.option("--record", "recorded", is_flag=True, help="Put the result on record in the store."),
        options.actor,
        options.model,
        options.base_url,
        options.mode,
        options.as_json,
    )
    for one in reversed(added):
        command = one(command)
    return command


@click.command("eval", cls=SuiteCommand)
@measuring
@click.option(
    "--at",
    "arms",
    metavar="VIEW",
    multiple=True,
    help="A version, or none, random, bm25, raw; several times. The present if left out.",
)
def eval_(store: str, arms: tuple[str, ...], as_json: bool, **asked: Any) -> None:
    """
    Measure versions of the memory against each other, on a suite or on held-out runs.

    Beside the versions there are always 'none' (nothing is served) and 'random' (procedures drawn by lot).
    """
    result, beside = _measure(store, lambda memory: {arm: arm for arm in arms} or {memory.branch_name: memory}, **asked)
    _print_result(result, as_json, beside=beside)


def _print_result(result: Result, as_json: bool, *, beside: str | None = None) -> None:
    from memp.cli.output import plain, print_json

    if as_json:
        print_json(result.summary() | ({} if beside is None else {"appendix": beside}))
        return
    click.echo(plain(result.table()), nl=False)
    if beside is not None:
        click.echo(plain(f"\n{beside}"))


@attrs.frozen(kw_only=True)
class _Asked:
    """What the command line says of a measurement; fields are named as the options are."""

    suite: str | None
    replay: str | None
    seed: int | None
    n: int | None
    agent: str | None
    seeds: tuple[int, ...]
    workers: int
    max_steps: int | None
    k: int
    key: str | None
    branch: str
    journal: str | None
    resume: bool
    report: str | None
    recorded: bool
    actor: str
    model: str | None
    base_url: str | None
    mode: Any
    options: dict[str, Any]

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> _Asked:
        """Return what is asked; what is no option of the command is one of the suite."""
        own = {field.name for field in attrs.fields(cls)} - {"options", "seeds"}
        others = {name: value for name, value in asked.items() if name not in own and name != "seeds"}
        seeds = seeds_of(asked["seeds"])
        check_one_of(asked["suite"], asked["replay"])
        return cls(seeds=seeds, options=others, **{name: asked[name] for name in own})

    def find_suite(self) -> Suite | ReplaySuite:
        """Return what is measured on."""
        from memp.evaluation.replay import replay_suite

        if self.replay is not None:
            return replay_suite(self.replay, n=self.n, seed=self.seed or 0)
        assert self.suite is not None
        return given_suite(self.suite, seed=self.seed, n=self.n, options=self.options)

    def find_agent(self, memory: Memory, suite: Suite) -> Agent:
        """Return who acts: who was named, or whom the suite has."""
        from memp.evaluation.agents.named import agent_named

        if self.agent == "model" and self.model is not None:
            from memp.evaluation.agents.model import ModelAgent
            from memp.llm import Model

            return ModelAgent(model=Model(self.model, base_url=self.base_url, mode=self.mode))
        return agent_named(self.agent or suite.agent, memory)


def _measure(store: str, arms_of: Callable[[Memory], Mapping[str, ArmSpec]], **given: Any) -> tuple[Result, str | None]:
    """
    Measure what the command line asks for, and do with the result what it says; what the suite adds comes second.

    The store is open only while versions are asked what they serve; agents may take hours, and need it no more.
    """
    from memp.cli.output import progress_bar
    from memp.evaluation.arms import named_arms

    asked = _Asked.of(given)
    _check_ends(asked)
    suite = asked.find_suite()
    with ExitStack() as opened, ExitStack() as shown:
        memory = opened.enter_context(options.open_for_planning(store, branch=asked.branch))
        arms = named_arms(arms_of(memory))
        progress = shown.enter_context(progress_bar())
        runner = _runner(store, memory, suite, asked, on_progress=progress)
        with _journal_kept_until_done(store, runner.measured, asked):
            with runner:
                planned = runner.plan(arms)
                if runner.measured.kind == "live":
                    opened.close()
                result = runner.play(planned)
            opened.close()
            shown.close()
            _keep(store, result, asked)
    appendix = getattr(suite, "appendix", None)
    return result, None if appendix is None else appendix()


def _check_ends(asked: _Asked) -> None:
    """Refuse now what would only be noticed when the work is done."""
    from memp.evaluation.report import check_report
    from memp.evaluation.statistics import require_statistics

    require_statistics()
    if asked.report is not None:
        check_report(asked.report)


def _runner(store: str, memory: Memory, suite: Suite | ReplaySuite, asked: _Asked, *, on_progress: Any) -> Runner:
    from memp.evaluation.replay import ReplaySuite
    from memp.evaluation.runner import Runner, live_measured

    settings: dict[str, Any] = {
        "seeds": asked.seeds,
        "k": asked.k,
        "key": asked.key,
        "workers": asked.workers,
        "on_progress": on_progress,
    }
    if isinstance(suite, ReplaySuite):
        if asked.agent is not None:
            click.echo("In a replay nobody acts: --agent changes nothing.", err=True)
        return Runner(memory, suite, **settings)
    agent = asked.find_agent(memory, suite)
    limit = suite.max_steps if asked.max_steps is None else asked.max_steps
    counted: dict[str, Any] = {"k": asked.k, "key": asked.key, "max_steps": limit}
    journal: Path | None = None
    if asked.journal is not None:
        journal = Path(asked.journal)
    else:
        journal = _journal_of(store, live_measured(suite, agent, **counted))
        if not os.access(journal.parent, os.W_OK):
            click.echo("Nothing can be written beside the store: what is done is kept nowhere (--journal).", err=True)
            journal = None
    done = 0 if journal is None else _plays_in(journal, live_measured(suite, agent, **counted))
    if done > 0 and not asked.resume:
        raise click.UsageError(
            f"This evaluation was stopped after {done} plays, which are in {str(journal)!r}. "
            "Go on with --resume, or remove that file to begin anew."
        )
    if done == 0 and asked.resume:
        click.echo("There is nothing to go on from: no journal has a play of this. It begins anew.", err=True)
    return Runner(memory, suite, agent, max_steps=limit, journal=journal, **settings)


def _plays_in(path: Path, measured: Measured) -> int:
    """Return how many plays of that evaluation are in the journal at *path*; 0 if there is no such file."""
    from memp.evaluation.journal import Journal

    if not path.exists():
        return 0
    with Journal(path, measured) as journal:
        return len(journal.done)


def _journal_of(store: str, measured: Measured) -> Path:
    """Return where the journal of an evaluation lies: beside the store, named by what is measured."""
    from memp.model import content_digest

    path = Path(store)
    return path.with_name(f"{path.name}.eval-{content_digest(measured)[:12]}.jsonl")


@contextmanager
def _journal_kept_until_done(store: str, measured: Measured, asked: _Asked) -> Iterator[None]:
    """
    Remove the journal beside the store once it served its purpose, or if nothing stands in it.

    Served means that the result was written where it was wanted: a report that could not be written must not cost the
    plays that it is made of.
    """
    if measured.kind == "replay":
        yield
        return
    journal = Path(asked.journal) if asked.journal is not None else _journal_of(store, measured)
    done = False
    try:
        yield
        done = True
    finally:
        plays = _plays_in(journal, measured)
        if asked.journal is None and (done or plays == 0):
            journal.unlink(missing_ok=True)
        elif not done and plays > 0:
            click.echo(f"What was done is kept in {str(journal)!r}; the same command with --resume goes on.", err=True)


def _keep(store: str, result: Result, asked: _Asked) -> None:
    """Record the result and write the report, if that was asked for."""
    if asked.recorded:
        with options.open_for_writing(store, actor=asked.actor, branch=asked.branch) as memory:
            record = result.record(memory)
        click.echo(f"Recorded as event {record.position}, {record.event_id}.", err=True)
    if asked.report is not None:
        with options.open_for_planning(store, branch=asked.branch) as memory:
            result.report(asked.report, memory)
        click.echo(f"Wrote {asked.report}.", err=True)


# -- over time -------------------------------------------------------------------------------------------------------


@click.command(cls=SuiteCommand)
@measuring
@click.option("--points", type=int, default=POINTS, show_default=True, help="How many positions.")
@click.option("--tags", is_flag=True, help="The tagged versions instead of positions.")
def curve(store: str, points: int, tags: bool, as_json: bool, **asked: Any) -> None:
    """Measure the memory at several positions, or at its tags, and show how it went."""
    if points < 1:
        raise click.UsageError(f"--points must be 1 or more (got {points}).")
    result, _ = _measure(store, lambda memory: _tagged(memory) if tags else _spread(memory, points), **asked)
    from memp.cli.output import print_json

    if as_json:
        print_json(result.summary() | {"curve": _curve_json(result)})
        return
    _print_curve(result)


def _tagged(memory: Memory) -> dict[str, ArmSpec]:
    """Return the tagged versions by name, oldest first."""
    tags = sorted(memory.tags(), key=lambda tag: tag.position)
    if not tags:
        raise click.UsageError("There is no tag: 'memp tag' makes one. Leave --tags out for positions.")
    return {tag.name: tag.name for tag in tags}


def _spread(memory: Memory, points: int) -> dict[str, ArmSpec]:
    """Return positions at which procedures changed, evenly spread, the first and the last change among them."""
    changed = [record.position for record in memory.events() if record.type.startswith(CHANGES)]
    if not changed:
        raise click.UsageError("There is no procedure yet: 'memp learn' makes some.")
    count = min(points, len(changed))
    places = [round(place * (len(changed) - 1) / max(1, count - 1)) for place in range(count)] if count > 1 else [-1]
    return {str(changed[place]): int(changed[place]) for place in places}


CHANGES = ("procedure-", "revision-", "events-undone", "branch-promoted")
"""What the types of events begin with that may change what is served."""


def _versions(result: Result) -> Sequence[str]:
    return [arm.name for arm in result.arms if arm.kind == "view"]


def _curve_json(result: Result) -> list[dict[str, Any]]:
    return [
        {
            "name": arm.name,
            "branch": arm.branch,
            "position": arm.position,
            "success": result.score(arm.name).success,
            "steps": result.score(arm.name).steps,
        }
        for arm in result.arms
        if arm.kind == "view"
    ]


def _print_curve(result: Result) -> None:
    from memp.cli.output import console, row, table
    from memp.evaluation.metrics import METRICS
    from memp.evaluation.text import figure_text, heading

    out = console()
    out.print(heading(result), soft_wrap=True)
    out.print()
    success, steps = (METRICS[name].labels[result.measured.kind] for name in ("success", "steps"))
    shown = table("version", "#", f"# {success}", "", f"# {steps}")
    for arm in result.arms:
        figures = result.score(arm.name).figures
        bar = "█" * round(BAR_CHARACTERS * figures["success"].value)
        position = "" if arm.position is None or arm.name == str(arm.position) else arm.position
        row(shown, arm.name, position, figure_text(figures["success"]), bar, figure_text(figures["steps"]))
    out.print(shown)


# -- what is on record -----------------------------------------------------------------------------------------------


@click.command()
@options.store
@click.argument("a", metavar="[A]", required=False)
@click.argument("b", metavar="[B]", required=False)
@click.option("--evaluation", metavar="EVENT", default=None, help="This one, by event id or position; else the newest.")
@click.option("--type", "type_", default=None, help="Only tasks of this type.")
@options.as_json
def compare(store: str, a: str | None, b: str | None, evaluation: str | None, type_: str | None, as_json: bool) -> None:
    """
    Compare two versions, A and B, by evaluations on record; B is judged against A.

    A and B are arms of an evaluation, versions that were measured, or two evaluations (event ids or positions). Without
    both, the evaluations on record are listed.
    """
    from memp.evaluation.recorded import compared, recorded

    if b is None and (a, evaluation, type_) != (None, None, None):
        raise click.UsageError("Name two to compare, A and B; with neither, the evaluations on record are listed.")
    with options.open_for_reading(store) as memory:
        found = recorded(memory)
        if a is None or b is None:
            _print_evaluations(found, as_json)
            return
        result, first, second = compared(memory, found, a, b, evaluation=evaluation)
    if first is None or second is None:
        _print_result(result, as_json)
        return
    _print_comparison(result, first, second, type_, as_json)


def _print_evaluations(found: Sequence[tuple[Record, Result]], as_json: bool) -> None:
    from memp.cli.output import console, moment, print_json, row, table
    from memp.cli.views import record_json

    if as_json:
        print_json([record_json(record) | {"summary": _outline(result)} for record, result in found])
        return
    out = console()
    if not found:
        out.print("No evaluation is on record: 'memp eval --record' makes one.")
        return
    shown = table("#", "when", "suite", "agent", "# tasks", "arms and what they solved, %", wide="arms")
    for record, result in found:
        arms = ", ".join(f"{arm} {100 * share:.0f}" for arm, share in _outline(result).items())
        measured = result.measured
        tasks = result.score(result.arms[0].name).n
        row(shown, record.position, moment(record.recorded_at), measured.suite, measured.agent or "-", tasks, arms)
    out.print(shown)


def _outline(result: Result) -> dict[str, float]:
    return {arm.name: result.score(arm.name).success for arm in result.arms}


def _print_comparison(result: Result, a: str, b: str, type_: str | None, as_json: bool) -> None:
    from memp.cli.output import console, print_json, row, table
    from memp.evaluation.text import comparison_values

    comparison = result.compare(a, b, type=type_)
    if as_json:
        print_json(comparison_values(comparison))
        return
    out = console()
    for one in (comparison, *comparison.by_type):
        out.print(str(one), soft_wrap=True)
    for what, tasks in (
        ("better", comparison.better),
        ("worse", comparison.worse),
        ("faster", comparison.faster),
        ("slower", comparison.slower),
    ):
        if tasks:
            out.print()
            shown = table(what, f"# solved by {a}", f"# by {b}", "# steps", "#  ", wide=what)
            for task in tasks:
                row(shown, task.task_id, f"{task.won_a:g}", f"{task.won_b:g}", f"{task.steps_a:g}", f"{task.steps_b:g}")
            out.print(shown)


COMMANDS = (eval_, curve, compare)
