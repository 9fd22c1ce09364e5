"""
The demo: an agent lives, memp learns from its runs, and new tasks show what that was worth; then something goes wrong.

The second half, in which a bad reflection slips in and is found, is ``memp.evaluation.story``. It is the whole way of
the data in one sitting, in a world that needs no download and with agents that need no model. Everything is decided by
the seed; only ids and times in the store are not. Nothing is printed here: the command line does that, and a test reads
the same values. Prepared runs were not taken, although they would look better: what is learned here is what a script
found out by trying.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from memp.errors import CorruptStoreError, InvalidInputError, StoreLockedError
from memp.evaluation.agent import Prompt, play
from memp.evaluation.agents import Explorer, Follower
from memp.evaluation.household import TASK_TYPES, Household, make_tasks
from memp.evaluation.intervals import Interval, mean_interval, share_interval
from memp.evaluation.story import LEARNED, REFLECTOR, Story, go_on
from memp.events import TrajectoryRecorded
from memp.memory import Memory
from memp.memory import open as open_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memp.evaluation.agent import Agent
    from memp.evaluation.environment import Task
    from memp.model import Procedure, Trajectory
    from memp.record import Record
    from memp.store import Progress
    from memp.view import View

SEED = 7
"""The seed of the other figures in the documentation."""

TASKS = 60
"""Tasks that are lived through: five dozens hold ten of each type, of which the explorer wins about half."""

TASKS_MIN = len(TASK_TYPES)
"""One of each type."""

TASKS_MAX = 600
"""Ten times the usual number takes about half a minute; more is an experiment and not a demo."""

NEW_PER_LIVED = 3
"""New tasks for each that was lived through: with thirty of a type, intervals are narrow enough to tell arms apart."""

ROUND = 12
"""Tasks between one learning and the next, so that the log shows procedures that grow."""

SERVED = 3
"""Procedures that an agent gets for a task; what ``retrieve`` gives when nobody says otherwise."""

BUILD = "both"
"""The builder: keeps a script for those who follow and the best run for those who want to see."""

TOOLSET = "household"
"""The vocabulary that the scripts are written in."""

NOTHING, WRONG, MEMORY = "nothing", "wrong", "memory"
ARMS = (NOTHING, WRONG, MEMORY)
"""What the agent is served: nothing; the best matches that no run of the task's own type supports; the best matches."""

ACTOR = "demo"
"""Who writes, apart from the bad reflection."""

STORE = "memp-demo.duckdb"
"""Where the memory is kept if nobody says otherwise: in the current folder, since what comes next is to look at it."""


@attrs.frozen(kw_only=True)
class Outcome:
    """
    How one task went in one arm.

    Attributes:
        task_id: The task.

        type: Its type.

        won: Whether it was solved.

        steps: Steps taken; a lost task counts the limit.

        served: Names of the procedures that the agent was given, best first.
    """

    task_id: str
    type: str
    won: bool
    steps: int
    served: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Score:
    """
    What several outcomes come to, with 95 % intervals.

    Attributes:
        n: How many outcomes, 1 or more.

        won: How many of them were won.

        success_interval: Of the share that was won, in [0, 1].

        steps: Mean steps; a lost task counts the limit.

        steps_interval: Of that mean.
    """

    n: int
    won: int
    success_interval: Interval
    steps: float
    steps_interval: Interval

    @property
    def success(self) -> float:
        """The share that was won, in [0, 1]."""
        return self.won / self.n


@attrs.frozen(kw_only=True)
class Learned:
    """
    One procedure with where it comes from and what it did.

    Attributes:
        procedure: The procedure.

        solved: New tasks that were won with it as the best match, and lost with nothing.

        example: The words of one new task for which it was the best match; its own task if there is none.

        events: The records about it, oldest first.

        sources: The records of the runs that it was built from, oldest first.
    """

    procedure: Procedure
    solved: int
    example: str
    events: tuple[Record, ...]
    sources: tuple[Record, ...]


@attrs.frozen(kw_only=True)
class Demo:
    """
    All that the demo found out.

    Attributes:
        seed: What decided everything.

        lived: Tasks that were lived through to learn from.

        lived_won: How many of them were won; memp learns procedures from those.

        procedures: How many procedures there were in the end.

        outcomes: Arm to the outcomes of the new tasks, the same tasks in the same order in each.

        learned: The procedure that made the most difference; None if nothing was learned.

        story: What happened after that; None if nothing was learned.

        store: Where the memory lies.

        was_there: Whether a demo before this one had left just this memory there.

        passed_over: Stores that were there already with something else in them; they were left alone.
    """

    seed: int
    lived: int
    lived_won: int
    procedures: int
    outcomes: dict[str, tuple[Outcome, ...]]
    learned: Learned | None
    story: Story | None
    store: Path
    was_there: bool
    passed_over: tuple[Path, ...]

    def score(self, arm: str, type_: str | None = None) -> Score:
        """Return what the outcomes of an arm come to: those of one type, or all."""
        return score([outcome for outcome in self.outcomes[arm] if type_ in (None, outcome.type)])

    def compare(self, first: str, second: str) -> tuple[int, int]:
        """Return how many tasks the *first* arm won and the *second* lost, and how many the other way round."""
        pairs = list(zip(self.outcomes[first], self.outcomes[second], strict=True))
        return sum(a.won > b.won for a, b in pairs), sum(a.won < b.won for a, b in pairs)


def score(outcomes: Sequence[Outcome]) -> Score:
    """
    Return what *outcomes* come to.

    Raises:
        InvalidInputError: There are none.
    """
    steps, won = [outcome.steps for outcome in outcomes], sum(outcome.won for outcome in outcomes)
    return Score(
        n=len(outcomes),
        won=won,
        success_interval=share_interval(won, len(outcomes)),
        steps=sum(steps) / len(outcomes),
        steps_interval=mean_interval(steps),
    )


def run_demo(
    store: str | Path | None = None, *, seed: int = SEED, tasks: int = TASKS, progress: Progress | None = None
) -> Demo:
    """
    Live, learn, and do new tasks with nothing, with the wrong procedures and with memory; then go wrong and mend it.

    A store is written only after the first tasks were lived through, and every change is one operation, so whenever
    this is stopped it leaves no store or one that is whole; the next call with the same seed and number goes on from
    there. The report lies beside the store, with the ending ``.html``.

    Args:
        store: Where the memory is kept: a path at which there is nothing, or what a demo of the same seed and number
            left there. None takes ``memp-demo.duckdb`` in the current folder, or the next free number after it.

        seed: Decides everything: the same seed gives the same figures.

        tasks: How many tasks are lived through, 6 to 600; three times as many new ones are done in each arm.

        progress: Called as work goes on.

    Raises:
        InvalidInputError: *tasks* is out of range, or there is something else at *store*.

        StoreLockedError: Another process has *store* open.

        CorruptStoreError: What lies at *store* is no memory, or is damaged.
    """
    if not TASKS_MIN <= tasks <= TASKS_MAX:
        raise InvalidInputError(
            f"'tasks' must be between {TASKS_MIN}, one of each type, and {TASKS_MAX} (got {tasks!r})."
        )
    told = progress or _say_nothing
    every = make_tasks(tasks * (1 + NEW_PER_LIVED), seed=seed)
    runs = _live(every[:tasks], seed=seed, progress=told)
    path, passed_over = _choose_store(store, mark := _mark(seed, tasks))
    was_there = path.exists()
    with open_memory(path, actor=ACTOR) as memory:
        if not memory.position:
            memory.tag(mark, at=0, reason="this store is a demo's")
        if LEARNED not in {tag.name for tag in memory.tags()}:
            _learn(memory, runs, progress=told)
            memory.tag(LEARNED)
        view = memory.at(LEARNED)
        outcomes = _do(view, every[tasks:], seed=seed, progress=told)
        learned = _choose_procedure(view, every[tasks:], outcomes)
        new = every[tasks : 2 * tasks]
        story = go_on(memory, new, seed=seed, report=path.with_suffix(".html"), progress=told)
        return Demo(
            seed=seed,
            lived=len(runs),
            lived_won=sum(bool(run.success) for run in runs),
            procedures=len(view.procedures()),
            outcomes=outcomes,
            learned=learned,
            story=story,
            store=path,
            was_there=was_there,
            passed_over=passed_over,
        )


def _say_nothing(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


# -- living and learning ---------------------------------------------------------------------------------------------


def _live(tasks: Sequence[Task], *, seed: int, progress: Progress) -> tuple[Trajectory, ...]:
    """Let the explorer live through *tasks*."""
    world, explorer, runs = Household(), Explorer(seed=seed), []
    for task in tasks:
        runs.append(play(world, task, explorer))
        progress("living through tasks", len(runs), len(tasks))
    return tuple(runs)


def _learn(memory: Memory, runs: Sequence[Trajectory], *, progress: Progress) -> None:
    """Let *memory* learn *runs*, a round at a time; what it knows already is left alone."""
    for start in range(0, len(runs), ROUND):
        memory.learn(runs[start : start + ROUND], build=BUILD, toolset=TOOLSET)
        progress("learning", min(start + ROUND, len(runs)), len(runs))


def _mark(seed: int, tasks: int) -> str:
    """Return the tag by which a demo knows its own store."""
    return f"demo-of-seed-{seed}-and-{tasks}-tasks"


def _choose_store(wanted: str | Path | None, mark: str) -> tuple[Path, tuple[Path, ...]]:
    """Return where the memory goes, and what was passed over on the way; see ``run_demo``."""
    if wanted is not None:
        path = Path(wanted)
        if path.exists() and not _is_ours(path, mark):
            raise InvalidInputError(
                "The store must be a new one, or what a demo with the same seed and number of tasks left behind "
                f"(got {str(path)!r}, which holds something else). Name another path, or move that file away."
            )
        return path, ()
    passed_over: list[Path] = []
    first = Path(STORE)
    for number in itertools.count(1):
        path = first if number == 1 else first.with_stem(f"{first.stem}-{number}")
        if not path.exists():
            break
        try:
            if _is_ours(path, mark):
                break
        except (CorruptStoreError, StoreLockedError):
            pass  # whatever it is, it is not ours to touch
        passed_over.append(path)
    return path, tuple(passed_over)


def _is_ours(path: Path, mark: str) -> bool:
    """Whether the store at *path* bears our mark, and nobody else ever wrote to it; or is empty."""
    with open_memory(path, read_only=True) as memory:
        authors = {record.actor for record in memory.events()}
        return not authors or (authors <= {ACTOR, REFLECTOR} and mark in {tag.name for tag in memory.tags()})


# -- doing new tasks -------------------------------------------------------------------------------------------------


def _do(memory: View, tasks: Sequence[Task], *, seed: int, progress: Progress) -> dict[str, tuple[Outcome, ...]]:
    """Let every arm do every task, in the same worlds and with the same seeds."""
    types = _types_of(memory)
    agents: dict[str, Agent] = {NOTHING: Explorer(seed=seed), WRONG: Follower(seed=seed), MEMORY: Follower(seed=seed)}
    world = Household()
    outcomes: dict[str, list[Outcome]] = {arm: [] for arm in ARMS}
    for number, task in enumerate(tasks, 1):
        for arm, served in _serve(memory, task, types).items():
            run = play(world, task, agents[arm], Prompt(procedures=served))
            outcome = Outcome(
                task_id=task.id,
                type=str(task.type),
                won=bool(run.success),
                steps=run.extra["steps"],
                served=tuple(known.name for known in served),
            )
            outcomes[arm].append(outcome)
        progress("doing new tasks, three times each", number, len(tasks))
    return {arm: tuple(lived) for arm, lived in outcomes.items()}


def _types_of(memory: View) -> dict[str, frozenset[str | None]]:
    """Return, for each procedure, the types of the tasks whose runs it was built from."""
    of_run = {
        record.data["trajectory_id"]: record.data["trajectory"]["task_type"]
        for record in memory.events(type=TrajectoryRecorded.TYPE)
        if record.data is not None
    }
    return {known.id: frozenset(of_run[source] for source in known.sources) for known in memory.procedures()}


def _serve(memory: View, task: Task, types: dict[str, frozenset[str | None]]) -> dict[str, tuple[Procedure, ...]]:
    """Return what each arm gets for *task*."""
    if not types:
        return dict.fromkeys(ARMS, ())
    ranked = [match.procedure for match in memory.retrieve(task.text, k=len(types))]
    wrong = [known for known in ranked if task.type not in types[known.id]]
    found = [match.procedure for match in memory.retrieve(task.text, k=SERVED)]
    return {NOTHING: (), WRONG: tuple(wrong[:SERVED]), MEMORY: tuple(found)}


# -- one procedure, looked at ----------------------------------------------------------------------------------------


def _choose_procedure(memory: View, tasks: Sequence[Task], outcomes: dict[str, tuple[Outcome, ...]]) -> Learned | None:
    """Return the procedure that was the best match for most of the tasks that only memory won."""
    procedures = memory.procedures()
    if not procedures:
        return None
    examples: dict[str, str] = {}
    solved = dict.fromkeys((known.name for known in procedures), 0)
    for task, without, with_ in zip(tasks, outcomes[NOTHING], outcomes[MEMORY], strict=True):
        examples.setdefault(with_.served[0], task.text)
        solved[with_.served[0]] += with_.won and not without.won
    chosen = min(procedures, key=lambda known: (-solved[known.name], -known.support, known.content_key))
    return Learned(
        procedure=chosen,
        solved=solved[chosen.name],
        example=examples.get(chosen.name, chosen.task),
        events=tuple(memory.events(procedure=chosen.id)),
        sources=tuple(
            record
            for record in memory.events(type=TrajectoryRecorded.TYPE)
            if record.data is not None and record.data["trajectory_id"] in chosen.sources
        ),
    )
