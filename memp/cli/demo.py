"""``memp demo``: a scripted agent in a small world gets better by what memp learned; then worse, and better again."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from memp.evaluation.demo import Demo, Learned, Score
    from memp.evaluation.story import Story

    Cell = Callable[[Score, Score], Text]

NOTE = (
    "The agents are scripts, not models, and the household is a small world, not a benchmark. "
    "What you see is how the parts of memp work together; how good an agent of yours gets, only your tasks can say."
)

TYPE_NAMES = {
    "pick_and_place_simple": "put",
    "pick_two_obj_and_place": "put two",
    "pick_clean_then_place_in_recep": "clean, then put",
    "pick_heat_then_place_in_recep": "heat, then put",
    "pick_cool_then_place_in_recep": "cool, then put",
    "look_at_obj_in_light": "look under lamp",
}
"""What people call the types of the household."""

ARM_NAMES = {"nothing": "nothing", "wrong": "wrong", "memory": "memory"}
"""Heads of the columns; short, so that the tables fit into 80."""

ARM_WIDTH = max(map(len, ARM_NAMES.values()))
INTERVAL_WIDTH = len("12.3–45.6")
"""Widths that make figures and intervals stand below each other."""

WIDTH_MAX = 100
"""Columns of running text: longer lines are hard to follow, and where it goes to a file nothing else breaks them."""

BAR_CHARACTERS = 40
"""Length of the bar of a version that solves everything."""

SOURCES_SHOWN = 5
"""Runs that are listed below a procedure; the log shows all."""


@click.command()
@click.option("--seed", default=7, show_default=True, help="Decides everything: the same seed gives the same figures.")
@click.option("--tasks", default=60, show_default=True, help="Tasks to learn from; three times as many are new.")
@click.option(
    "--store",
    default=None,
    type=click.Path(dir_okay=False),
    help="Where the memory is kept.  [default: memp-demo.duckdb, or the next free number after it]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def demo(seed: int, tasks: int, store: str | None, as_json: bool) -> None:
    """
    Watch an agent learn: it lives through tasks, memp learns from its runs, and new tasks show what that was worth.

    Then a bad reflection slips in, 'bisect' finds it, and it is taken back. It needs no model, no network and less than
    a minute. A store that holds something else is never written to.
    """
    from memp.cli.output import console, print_json, progress_bar
    from memp.evaluation.demo import run_demo

    with progress_bar() as progress:
        result = run_demo(store, seed=seed, tasks=tasks, progress=progress)
    if as_json:
        print_json(demo_json(result))
        return
    out = console()
    _print_story(result, out)
    _print_scores(result, out)
    if result.learned is not None:
        _print_learned(result.learned, out)
    if result.story is not None:
        _print_fall(result.story, out)
    _print_next(result, out)


def _print_story(result: Demo, out: Console) -> None:
    from memp.cli.output import counted
    from memp.evaluation.demo import BUILD, NOTHING, ROUND

    _say(NOTE, out, style="dim")
    _heading("Live and learn", out)
    _say(
        f"The explorer, who knows nothing but the words of a task, lived through {result.lived} tasks and won "
        f"{result.lived_won}. After every {ROUND} tasks memp learned from the runs that were won (the lost ones are "
        f"kept as experience): {counted(result.procedures, 'procedure')} in the end, built by '{BUILD}'.",
        out,
    )
    _heading("Do new tasks", out)
    _say(
        f"{result.score(NOTHING).n} new tasks, each done three times in the same world with the same seed: "
        "with nothing; with the best procedures that were learned from tasks of other types (wrong); "
        "with what the memory finds.",
        out,
    )


def _heading(text: str, out: Console) -> None:
    out.print(f"\n{text}", style="bold cyan")


def _say(text: str, out: Console, *, style: str = "") -> None:
    out.print(text, style=style, width=min(out.width, WIDTH_MAX))


# -- the figures -----------------------------------------------------------------------------------------------------


def _print_scores(result: Demo, out: Console) -> None:
    from memp.evaluation.agent import STEPS_MAX
    from memp.evaluation.demo import MEMORY, NOTHING

    for head, cell in (("solved, %", _share_cell), ("mean steps", _steps_cell)):
        out.print()
        out.print(_score_table(result, head, cell))
    out.print()
    _say(
        f"Behind each figure its 95 % interval: Wilson's for solved, bootstrap for steps. A lost task counts "
        f"{STEPS_MAX} steps, the limit. A figure is coloured where its interval does not touch that of 'nothing'.",
        out,
        style="dim",
    )
    gained, lost = result.compare(MEMORY, NOTHING)
    out.print(f"\nWon with memory and lost with nothing: {gained}. The other way round: {lost}.", style="bold")


def _score_table(result: Demo, head: str, cell: Cell) -> Table:
    """Return a table of one figure: a row for each type and one for all, figure and interval for each arm."""
    from rich.table import Table
    from rich.text import Text

    from memp.evaluation.demo import ARMS, NOTHING

    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column(head, no_wrap=True, min_width=max(map(len, TYPE_NAMES.values())))
    made.add_column("tasks", no_wrap=True, justify="right")
    for arm in ARMS:
        made.add_column(ARM_NAMES[arm].rjust(ARM_WIDTH), no_wrap=True)
    for type_ in (*TYPE_NAMES, None):
        scores = {arm: result.score(arm, type_) for arm in ARMS}
        name = "all" if type_ is None else TYPE_NAMES[type_]
        cells = [cell(scores[arm], scores[NOTHING]) for arm in ARMS]
        made.add_row(Text(name), Text(str(scores[NOTHING].n)), *cells, style="" if type_ else "bold")
    return made


def _share_cell(score: Score, base: Score) -> Text:
    interval, better = score.success_interval, score.success > base.success
    between = f"{100 * interval.low:.0f}–{100 * interval.high:.0f}"
    return _figure(f"{100 * score.success:.0f}", between, better, interval.apart_from(base.success_interval))


def _steps_cell(score: Score, base: Score) -> Text:
    interval, better = score.steps_interval, score.steps < base.steps
    between = f"{interval.low:.1f}–{interval.high:.1f}"
    return _figure(f"{score.steps:.1f}", between, better, interval.apart_from(base.steps_interval))


def _figure(shown: str, between: str, better: bool, apart: bool) -> Text:
    """Return a figure with its interval behind it; coloured where the interval lies apart from that of the base."""
    from rich.text import Text

    style = "" if not apart else "bold green" if better else "bold red"
    return Text.assemble((shown.rjust(ARM_WIDTH), style), "  ", (between.ljust(INTERVAL_WIDTH), "dim"))


# -- one procedure, and what comes next ------------------------------------------------------------------------------


def _print_learned(learned: Learned, out: Console) -> None:
    from memp.cli.output import counted, plain

    procedure = learned.procedure
    _heading("Look at one procedure", out)
    made_difference = f"; it won {counted(learned.solved, 'new task')} that nothing won" if learned.solved else ""
    out.print(f"{plain(procedure.name)}, from {counted(procedure.support, 'run')}{made_difference}:")
    out.print()
    out.print(script_text(learned, coloured=out.is_terminal), soft_wrap=True)
    out.print()
    out.print("The events that made it, and the runs that it was built from:")
    out.print()
    out.print(_events(learned))
    if len(learned.sources) > SOURCES_SHOWN:
        out.print(f"  and {len(learned.sources) - SOURCES_SHOWN} more runs", style="dim")


def script_text(learned: Learned, *, coloured: bool) -> Text:
    """Return what the procedure says: its script, or the actions of its run."""
    from rich.text import Text

    from memp.cli.output import one_line, plain
    from memp.evaluation.demo import TOOLSET
    from memp.script import highlight, load_toolset, to_terminal

    procedure = learned.procedure
    if procedure.script is None:
        assert procedure.run is not None
        actions = (f"{number:3}. {one_line(step.action)}" for number, step in enumerate(procedure.run.steps, 1))
        return Text("\n".join(actions))
    script = plain(procedure.script.rstrip())
    return Text.from_ansi(to_terminal(highlight(script, load_toolset(TOOLSET)))) if coloured else Text(script)


def _events(learned: Learned) -> Table:
    from memp.cli.output import row, table
    from memp.cli.read import summary

    shown = table("#", "event", "type", "about", wide="about")
    for record in sorted((*learned.events, *learned.sources[:SOURCES_SHOWN]), key=lambda record: record.position):
        row(shown, record.position, record.event_id, record.type, summary(record))
    return shown


# -- what went wrong, and how it was found ----------------------------------------------------------------------------


def _print_fall(story: Story, out: Console) -> None:
    """Tell what slipped in, what it did, what the search named, and what taking it back gave."""
    from memp.evaluation.story import LEARNED, MENDED, REFLECTOR, SLIPPED

    _heading("Something goes wrong", out)
    _say(
        f"The agent does {story.episodes} more tasks as episodes, and memp learns from what comes of them. In between, "
        f'{REFLECTOR!r} rewrites {story.procedure}: "{story.critique}" It sounds like experience.',
        out,
    )
    out.print()
    out.print(_curve_table(story, [arm.name for arm in story.result.arms if arm.name != MENDED]))
    _heading("Find it, and take it back", out)
    good, bad = story.success(LEARNED), story.success(SLIPPED)
    fell = f"{good:.0%} of {story.tasks} new tasks with {LEARNED}, {bad:.0%} with {SLIPPED}"
    _say(f"{fell}. Which of the events in between did it?", out)
    out.print()
    out.print(f"  memp bisect … --good {LEARNED} --bad {SLIPPED}", style="bold")
    out.print()
    told = story.found.told()
    for line in (told["headline"], told["title"], *told["lines"][:1], told["steps"][0]):
        _say(line, out)
    if story.undone is None:
        return
    right = "the one that slipped in" if story.found.event == story.slipped else "another one than slipped in"
    _say(
        f"That is {right}. One more event takes it back and leaves what was learned in the meantime; nothing is "
        "removed from history:",
        out,
    )
    out.print()
    out.print(_curve_table(story, [LEARNED, SLIPPED, MENDED]))


def _curve_table(story: Story, arms: Sequence[str]) -> Table:
    """Return some of the versions with what the agent solves with each, as bars."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    for head, side in (("version", "left"), ("position", "right"), ("solved, %", "right"), ("", "left")):
        made.add_column(head, no_wrap=True, justify=side)  # type: ignore[arg-type]
    for arm in story.result.arms:
        if arm.name not in arms:
            continue
        share = story.success(arm.name)
        name = "" if arm.name.isdecimal() else arm.name
        slipped = arm.position is not None and arm.position == story.slipped_at
        style = "red" if slipped else "cyan" if arm.kind == "view" else "dim"
        bar = Text("█" * round(share * BAR_CHARACTERS), style=style)
        if slipped:
            bar.append("  the reflection", style="red")
        position = "" if arm.kind != "view" else str(arm.position)
        made.add_row(Text(name, style="bold"), Text(position), Text(f"{100 * share:.0f}"), bar)
    return made


def _print_next(result: Demo, out: Console) -> None:
    _heading("Where it is, and what to type next", out)
    for path in result.passed_over:
        out.print(f"{path} holds something else and was left alone.", soft_wrap=True)
    again = " (it was there from a demo like this one; nothing was learned twice)" if result.was_there else ""
    out.print(f"The memory lies in {result.store}{again}.", soft_wrap=True)
    story = result.story
    if story is not None and story.report is not None:
        out.print(f"The report, with all of this drawn, lies in {story.report}; open it in a browser.", soft_wrap=True)
    elif story is not None:
        out.print("To have all of this drawn as a report: pip install 'memp[evaluation]', and again.", soft_wrap=True)
    out.print()
    for command in next_commands(result):
        out.print(f"  {command}", soft_wrap=True, style="bold")


def next_commands(result: Demo) -> list[str]:
    """Return commands that look into the store, as they can be typed where the demo was started."""
    store = str(result.store)
    calls = [["list", store]]
    if result.learned is not None:
        name = result.learned.procedure.name
        calls += [
            ["ask", store, result.learned.example, "-k", "1"],
            ["show", store, name],
            ["log", store, "--procedure", name],
        ]
    if result.story is not None and result.story.slipped is not None:
        calls.append(["why", store, result.story.procedure])
    calls.append(["log", store, "-n", "10"])
    return [shlex.join([_own_name(), *call]) for call in calls]


def _own_name() -> str:
    """Return how memp is called here: by its name if that is found, otherwise by the path that was typed."""
    typed = Path(sys.argv[0])
    return str(typed) if typed.name == "memp" and shutil.which("memp") is None else "memp"


# -- for programs ----------------------------------------------------------------------------------------------------


def demo_json(result: Demo) -> dict[str, Any]:
    """Return all of the demo; arms, types and pairs are keys, and shares and intervals lie in [0, 1]."""
    from memp.cli.views import procedure_json, record_json
    from memp.evaluation.demo import ARMS, BUILD, MEMORY, NOTHING, WRONG

    pairs = {}
    for first, second in ((MEMORY, NOTHING), (MEMORY, WRONG), (WRONG, NOTHING)):
        gained, lost = result.compare(first, second)
        pairs[f"{first}/{second}"] = {"won_only_by_first": gained, "won_only_by_second": lost}
    learned = result.learned
    return {
        "note": NOTE,
        "seed": result.seed,
        "lived": {"n": result.lived, "won": result.lived_won},
        "build": BUILD,
        "procedures": result.procedures,
        "arms": {arm: _score_json(result.score(arm)) for arm in ARMS},
        "by_type": {type_: {arm: _score_json(result.score(arm, type_)) for arm in ARMS} for type_ in TYPE_NAMES},
        "pairs": pairs,
        "procedure": None
        if learned is None
        else procedure_json(learned.procedure)
        | {
            "script": learned.procedure.script,
            "won_that_nothing_lost": learned.solved,
            "events": [record_json(record) for record in learned.events],
            "sources": [record_json(record) for record in learned.sources],
        },
        "story": None if result.story is None else _story_json(result.story),
        "store": str(result.store.resolve()),
        "passed_over": [str(path.resolve()) for path in result.passed_over],
        "next": next_commands(result),
    }


def _story_json(story: Story) -> dict[str, Any]:
    """Return what went wrong and how it was found; the curve holds the versions, and what is none, by position."""
    return {
        "episodes": story.episodes,
        "slipped": {
            "event": story.slipped,
            "position": story.slipped_at,
            "procedure": story.procedure,
            "critique": story.critique,
        },
        "curve": [
            {
                "name": arm.name,
                "kind": arm.kind,
                "position": arm.position,
                "success": story.success(arm.name),
                "steps": story.result.score(arm.name).steps,
            }
            for arm in story.result.arms
        ],
        "bisect": story.found.to_dict(),
        "undone": story.undone,
        "tasks": story.tasks,
        "report": None if story.report is None else str(story.report.resolve()),
    }


def _score_json(score: Score) -> dict[str, Any]:
    return {
        "success": score.success,
        "success_interval": [score.success_interval.low, score.success_interval.high],
        "steps": score.steps,
        "steps_interval": [score.steps_interval.low, score.steps_interval.high],
        "n": score.n,
    }


COMMANDS = (demo,)
