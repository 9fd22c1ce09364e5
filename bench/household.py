"""
What living in the household costs, and what its scripted agents win there with and without something served.

Run it with ``python bench/household.py [--episodes 300] [--rounds 5]``. For the speed the world is stepped with random
admissible commands, so listing them is part of the price; the best round counts, since everything that disturbs only
makes it slower. The goal is 5,000 steps a second for the world. The table below it is the same on every machine: each
game is played with nothing, with the solver's run of another game of the next type, and with one of its own type.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable

from memp.evaluation.agent import NO_PROMPT, Agent, Prompt, play
from memp.evaluation.agents import Explorer, Follower
from memp.evaluation.environment import Task
from memp.evaluation.household import TASK_TYPES, Game, Household, make_tasks, solve
from memp.model import Content, ContentKey, EventId, Procedure, ProcedureId, Revision, Step, Trajectory


def step_at_random(tasks: tuple[Task, ...]) -> int:
    """Live every task for fifty random admissible commands; return the steps taken."""
    world, rng = Household(), random.Random(1)
    for task in tasks:
        world.reset(task)
        for _ in range(50):
            world.step(rng.choice(world.admissible()))
    return 50 * len(tasks)


def serve_runs(tasks: tuple[Task, ...]) -> dict[str | None, Prompt]:
    """Return a prompt for each task type: the solver's run of another game as a procedure."""
    served = {}
    for task in tasks[:6]:
        assert isinstance(task.setting, Game)
        steps = tuple(Step(action=command, observation="done") for command in solve(task.setting))
        run, event = Trajectory(task=task.text, steps=steps, success=True), EventId("e")
        content = Content(task=task.text, run=run)
        revision = Revision(id=event, content=content, content_key=ContentKey("k"), family=event)
        procedure = Procedure(id=ProcedureId("p"), name="run", builder="verbatim", revisions=(revision,), active=event)
        served[task.type] = Prompt(procedures=(procedure,))
    return served


def let_play(agent: Agent, tasks: tuple[Task, ...], prompts: dict[str | None, Prompt]) -> int:
    """Let *agent* live every task; return the steps taken."""
    world = Household()
    return sum(len(play(world, task, agent, prompts.get(task.type, NO_PROMPT)).steps) for task in tasks)


def measure(name: str, live: Callable[[], int], rounds: int) -> None:
    """Print the best round of *live* in steps a second."""
    best = 0.0
    for _ in range(rounds):
        begin = time.perf_counter()
        steps = live()
        best = max(best, steps / (time.perf_counter() - begin))
    print(f"{name:24} {best:>10,.0f} steps/s")


def compare(tasks: tuple[Task, ...], served: dict[str | None, Prompt]) -> None:
    """Print success and mean steps by type and arm; a lost game counts the limit of fifty steps."""
    other = dict(zip(TASK_TYPES, TASK_TYPES[1:] + TASK_TYPES[:1], strict=True))
    arms: dict[str, tuple[Agent, dict[str | None, Prompt]]] = {
        "explorer, nothing": (Explorer(), {}),
        "follower, wrong type": (Follower(), {type_: served[other[type_]] for type_ in TASK_TYPES}),
        "follower, right type": (Follower(), served),
    }
    world = Household()
    print(f"\n{'':32}" + "".join(f"{arm:>22}" for arm in arms))
    runs = {
        arm: [play(world, task, agent, given.get(task.type, NO_PROMPT)) for task in tasks]
        for arm, (agent, given) in arms.items()
    }
    for type_ in (*TASK_TYPES, None):
        cells = []
        for lived in runs.values():
            kept = [run for run in lived if type_ in (None, run.task_type)]
            share = sum(bool(run.success) for run in kept) / len(kept)
            cells.append(f"{share:>14.0%} {sum(run.extra['steps'] for run in kept) / len(kept):>7.1f}")
        print(f"{type_ or 'all':32}" + "".join(cells))


def main() -> None:
    """Measure world and agents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    tasks = make_tasks(chosen.episodes, seed=1)
    served = serve_runs(make_tasks(6, seed=2))
    measure("world, random commands", lambda: step_at_random(tasks), chosen.rounds)
    measure("explorer", lambda: let_play(Explorer(), tasks, {}), chosen.rounds)
    measure("follower, served a run", lambda: let_play(Follower(), tasks, served), chosen.rounds)
    compare(make_tasks(chosen.episodes, seed=7), served)


if __name__ == "__main__":
    main()
