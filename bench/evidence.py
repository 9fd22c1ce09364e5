"""
The tables of docs/explanation/evidence.md about the household and ALFWorld, each with one command.

``python -m bench.evidence household|rooms|curve|served`` need nothing but memp and, for rooms, ``memp[alfworld]``;
``python -m bench.evidence seen|transfer --games DIR [--runs FILE …]`` play the benchmark's own games. Agents are
scripts: the explorer without memory, the follower with it. Every arm does the same tasks with the same seed. ``memp
eval`` gives most of these figures for one store; what it has no arm for is a procedure of the *wrong* type.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack

import attrs

import memp
from memp.evaluation.agent import Prompt, play
from memp.evaluation.agents import Follower
from memp.evaluation.agents.named import toolsets_of
from memp.evaluation.arms import Server
from memp.evaluation.environment import Environment, Task
from memp.evaluation.household import TASK_TYPES
from memp.evaluation.intervals import Interval, mean_interval, share_interval
from memp.evaluation.recording import record_runs
from memp.evaluation.statistics import mcnemar_exact
from memp.evaluation.suite import Suite, suite
from memp.events import TrajectoryRecorded
from memp.model import Procedure, Trajectory

SHORT = dict(zip(TASK_TYPES, ("put", "two", "clean", "heat", "cool", "look"), strict=True))
"""Heads of the columns."""

BUILDERS = ("verbatim", "induce", "both")
NONE, RANDOM, WRONG, RAW = "none", "random", "wrong type", "raw"

LEARNED_FROM = 120
"""Tasks that the explorer lives through where an agent learns from its own experience; twenty of each type."""

CURVE = (6, 12, 24, 48, 96, 192)
"""How many tasks were lived through at each point of the curve."""

POOL = 12
"""Matches among which those with more runs behind them are looked for: what the usual key ranks by all it knows."""

SERVED_FROM = (6, 12, 192)
"""After how many tasks the number of procedures that are served is varied: little experience, and the most."""


@attrs.frozen(kw_only=True)
class Outcome:
    """How one task went in one arm; a lost task counts the limit of steps."""

    type: str
    won: bool
    steps: int


Outcomes = dict[str, list[Outcome]]
"""Arm to outcomes, of the same tasks in the same order."""

# -- what is served ---------------------------------------------------------------------------------------------------


def remember(runs: Sequence[Trajectory], build: str) -> memp.Memory:
    """Return a memory in memory that learned *runs*."""
    memory = memp.open(":memory:")
    memory.learn(runs, build=build)
    return memory


def types_of(memory: memp.Memory) -> dict[str, set[str | None]]:
    """Return, for each procedure, the types of the tasks whose runs it was built from."""
    types = {
        record.data["trajectory_id"]: record.data["trajectory"]["task_type"]
        for record in memory.events(type=TrajectoryRecorded.TYPE)
        if record.data is not None
    }
    return {known.id: {types[source] for source in known.sources} for known in memory.procedures()}


def served_by(
    memory: memp.Memory, arm: str, tasks: Sequence[Task], *, k: int, key: str | None, by_support: bool = False
) -> list[Prompt]:
    """
    Return what *arm* serves for each task; any name that is no yardstick stands for the memory itself.

    With *by_support*, of matches whose patterns say the same, those with more runs behind them come first.
    """
    if by_support:
        return [Prompt(procedures=supported[:k]) for supported in _by_support(memory, tasks, key)]
    if arm == WRONG:
        return [Prompt(procedures=wrong) for wrong in _wrong(memory, tasks, k, key)]
    server = Server(memory, k=k, key=key)
    source = server.source(arm if arm in (NONE, RANDOM, RAW) else memory)
    try:
        return [server.serve(source, task.text, reads="procedures").prompt for task in tasks]
    finally:
        server.close()


def _by_support(memory: memp.Memory, tasks: Sequence[Task], key: str | None) -> Iterator[tuple[Procedure, ...]]:
    for task in tasks:
        found = list(memory.retrieve(task.text, POOL, key=key))
        found.sort(key=lambda match: (-match.parts.get("pattern", 0.0), -match.procedure.support))
        yield tuple(match.procedure for match in found)


def _wrong(memory: memp.Memory, tasks: Sequence[Task], k: int, key: str | None) -> Iterator[tuple[Procedure, ...]]:
    types = types_of(memory)
    for task in tasks:
        found = (match.procedure for match in memory.retrieve(task.text, len(types), key=key))
        yield tuple([known for known in found if task.type not in types[known.id]][:k])


# -- doing the tasks --------------------------------------------------------------------------------------------------

_world: Environment
_agent: Follower


def _begin(made: Suite, agent: Follower) -> None:
    global _world, _agent  # a worker process has one world, made when it starts
    _world, _agent = made.make_environment(), agent


def _do(task: Task, prompts: Mapping[str, Prompt], max_steps: int) -> dict[str, Outcome]:
    done: dict[tuple[str, ...], Outcome] = {}
    for prompt in prompts.values():
        if _key(prompt) not in done:  # the follower looks at nothing else, and acts the same on the same
            run = play(_world, task, _agent, prompt, max_steps=max_steps)
            done[_key(prompt)] = Outcome(type=str(task.type), won=bool(run.success), steps=int(run.extra["steps"]))
    return {arm: done[_key(prompt)] for arm, prompt in prompts.items()}


def _key(prompt: Prompt) -> tuple[str, ...]:
    return tuple(known.id for known in prompt.procedures)


def do_all(made: Suite, served: Mapping[str, Sequence[Prompt]], agent: Follower, *, workers: int) -> Outcomes:
    """Let *agent* do every task of the suite in every arm."""
    outcomes: Outcomes = {arm: [] for arm in served}
    jobs = [{arm: prompts[place] for arm, prompts in served.items()} for place in range(len(made.tasks))]
    spawned = multiprocessing.get_context("spawn")
    bare = attrs.evolve(made, tasks=made.tasks[:1])
    with ProcessPoolExecutor(workers, spawned, initializer=_begin, initargs=(bare, agent)) as pool:
        results = pool.map(_do, made.tasks, jobs, [made.max_steps] * len(jobs), chunksize=2)
        for number, result in enumerate(results, 1):
            for arm, outcome in result.items():
                outcomes[arm].append(outcome)
            if sys.stderr.isatty():
                print(f"\r{number} of {len(jobs)} tasks", end="", file=sys.stderr, flush=True)
    return outcomes


# -- tables -----------------------------------------------------------------------------------------------------------


def _share(outcomes: Sequence[Outcome]) -> str:
    won = sum(outcome.won for outcome in outcomes)
    return f"{100 * won / len(outcomes):.1f} {_between(share_interval(won, len(outcomes)), 100)}"


def _mean(outcomes: Sequence[Outcome]) -> str:
    steps = [outcome.steps for outcome in outcomes]
    return f"{sum(steps) / len(steps):.1f} {_between(mean_interval(steps), 1)}"


def _between(interval: Interval, times: int) -> str:
    digits = 0 if times > 1 else 1
    return f"({times * interval.low:.{digits}f}–{times * interval.high:.{digits}f})"


def print_all(outcomes: Outcomes) -> None:
    """Print what the arms come to, with 95 % intervals, and each against none."""
    print("| served | solved, % | mean steps | only with it | only without it | p |\n|---|---|---|---|---|---|")
    for arm, lived in outcomes.items():
        pairs = list(zip(lived, outcomes[NONE], strict=True))
        gained, lost = (sum(a.won > b.won for a, b in pairs), sum(a.won < b.won for a, b in pairs))
        against = "| | | |" if arm == NONE else f"| {gained} | {lost} | {mcnemar_exact(gained, lost):.2g} |"
        print(f"| {arm} | {_share(lived)} | {_mean(lived)} {against}")
    print()


def print_tables(outcomes: Outcomes) -> None:
    """Print what the arms come to, for all tasks and by type, with 95 % intervals, and each against none."""
    print_all(outcomes)
    types = [type_ for type_ in TASK_TYPES if any(outcome.type == type_ for outcome in outcomes[NONE])]
    for title, cell in (("solved, %", _share), ("mean steps", _mean)):
        counts = [sum(outcome.type == type_ for outcome in outcomes[NONE]) for type_ in types]
        heads = [f"{SHORT[type_]} ({count})" for type_, count in zip(types, counts, strict=True)]
        print(f"| {title} | {' | '.join(heads)} |\n|---|{'---|' * len(types)}")
        for arm, lived in outcomes.items():
            cells = [cell([outcome for outcome in lived if outcome.type == type_]) for type_ in types]
            print(f"| {arm} | {' | '.join(cells)} |")
        print()


def compare(runs: Sequence[Trajectory], made: Suite, chosen: argparse.Namespace) -> None:
    """Learn *runs* in every way, and print what each is worth on *made*, beside what is no memory."""
    print(f"learned from {len(runs)} runs, {sum(bool(run.success) for run in runs)} of them won")
    with ExitStack() as opened:
        memories = {build: opened.enter_context(remember(runs, build)) for build in BUILDERS}
        asked = {"k": chosen.k, "key": chosen.key}
        served = {arm: served_by(memories["induce"], arm, made.tasks, **asked) for arm in (NONE, RANDOM, WRONG, RAW)}
        served |= {build: served_by(memory, build, made.tasks, **asked) for build, memory in memories.items()}
        agent = Follower(toolsets=toolsets_of(memories["induce"]))
        counts = ", ".join(f"{build} {len(memory.procedures())}" for build, memory in memories.items())
    print(f"procedures: {counts}; measured on {len(made.tasks)} tasks of {made.name} ({made.version})\n")
    print_tables(do_all(made, served, agent, workers=chosen.workers))


def live(made: Suite) -> list[Trajectory]:
    """Return the runs of the explorer on *made*."""
    return list(record_runs(made, "explorer"))


# -- the sections -----------------------------------------------------------------------------------------------------


def household(chosen: argparse.Namespace) -> None:
    """Measure the household: own experience there, then new tasks."""
    compare(live(suite("household", n=LEARNED_FROM, seed=1)), suite("household", n=chosen.n or 300), chosen)


def rooms(chosen: argparse.Namespace) -> None:
    """Measure rooms from a seed in the real engine: own experience in such rooms of the household, then new ones."""
    compare(live(suite("household", n=LEARNED_FROM, seed=1)), suite("alfworld", rooms=chosen.n or 60), chosen)


def seen(chosen: argparse.Namespace) -> None:
    """Measure the benchmark's valid_seen games: learned from run files, or from own experience on train games."""
    if chosen.runs:
        runs = [run for path in chosen.runs for run in memp.read_trajectories(path)]
    else:
        runs = live(suite("alfworld", games=chosen.games, split="train", n=LEARNED_FROM))
    compare(runs, suite("alfworld", games=chosen.games, n=chosen.n), chosen)


def transfer(chosen: argparse.Namespace) -> None:
    """Measure what was learned in the household on the benchmark's valid_seen games."""
    runs = live(suite("household", n=LEARNED_FROM, seed=1))
    compare(runs, suite("alfworld", games=chosen.games, n=chosen.n), chosen)


def curve(chosen: argparse.Namespace) -> None:
    """Measure the household after more and more experience."""
    runs, made = live(suite("household", n=CURVE[-1], seed=1)), suite("household", n=chosen.n or 300)
    served, agent = {NONE: [Prompt()] * len(made.tasks)}, Follower()
    for count in CURVE:
        with remember(runs[:count], "both") as memory:
            asked = {"k": chosen.k, "key": chosen.key, "by_support": chosen.by_support}
            served[f"{count} tasks"] = served_by(memory, "both", made.tasks, **asked)
            agent = Follower(toolsets=toolsets_of(memory) or agent.toolsets)
    print_tables(do_all(made, served, agent, workers=chosen.workers))


def served(chosen: argparse.Namespace) -> None:
    """Measure the household with one to ten procedures served."""
    runs, made = live(suite("household", n=max(SERVED_FROM), seed=1)), suite("household", n=chosen.n or 300)
    for count in SERVED_FROM:
        arms = {NONE: [Prompt()] * len(made.tasks)}
        with remember(runs[:count], "both") as memory:
            arms |= {f"k={k}": served_by(memory, "both", made.tasks, k=k, key=chosen.key) for k in range(1, 11)}
            print(f"after {count} tasks: {len(memory.procedures())} procedures\n")
            agent = Follower(toolsets=toolsets_of(memory))
        print_all(do_all(made, arms, agent, workers=chosen.workers))


SECTIONS = {made.__name__: made for made in (household, rooms, seen, transfer, curve, served)}


def main() -> None:
    """Print the tables of one section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", nargs="?", choices=SECTIONS, default="household")
    parser.add_argument("--games", help="folder of the games")
    parser.add_argument("--runs", nargs="*", help="run files to learn from; own experience if left out")
    parser.add_argument("-n", type=int, help="how many tasks")
    parser.add_argument("-k", type=int, default=1, help="how many procedures are served")
    parser.add_argument("--key", help="how they are found; the default if left out")
    parser.add_argument("--by-support", action="store_true", help="curve: of equal patterns the most supported first")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    if chosen.section in ("seen", "transfer") and chosen.games is None:
        parser.error("--games DIR must name the folder of the games")
    begin = time.perf_counter()
    SECTIONS[chosen.section](chosen)
    print(f"{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
