"""
ScienceWorld: what the run of another variation is worth when it is done again.

Run it with ``python -m bench.scienceworld RUNS [-n 90] [--seed 7]``; it needs ``memp[scienceworld]`` and Java. RUNS are
won runs of train variations. A memory learns them as they are and serves one for each dev variation; scripts do it
again to the letter, with the words of the task swapped, and in the rooms in which the run was. Beside them stand the
run of another task, drawn by lot, and an agent that does anything at random. Scores are from -100 to 100; -100, a
forbidden focus, is also counted as nothing, as many papers do.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter

import memp
from memp.evaluation.agent import NO_PROMPT, Agent, Prompt, play
from memp.evaluation.environment import Task
from memp.evaluation.intervals import mean_interval
from memp.evaluation.scienceworld import Replayer, ScienceWorld, Wanderer, read_tasks
from memp.model import Procedure, Trajectory
from memp.reading import read_trajectories
from memp.script.lift import lift
from memp.script.loader import load_toolset

MAX_STEPS = 100


def lifts(runs: list[Trajectory]) -> None:
    """Print by kind of action how many of the runs' actions the toolset knows."""
    toolset = load_toolset("science")
    known, seen = Counter[str](), Counter[str]()
    for action in (action for run in runs for action in run.actions):
        kind = "a number" if action.isdigit() else action.split()[0]
        seen[kind] += 1
        known[kind] += lift(action, toolset) is not None
    print(f"lifted: {known.total()}/{seen.total()} actions; " + ", ".join(f"{k} {known[k]}/{seen[k]}" for k in seen))


def measure(name: str, tasks: tuple[Task, ...], agent: Agent, served: dict[str, Procedure]) -> None:
    """Print the mean score of *agent* over *tasks*."""
    world = ScienceWorld(commands=isinstance(agent, Wanderer))
    rewards = []
    for task in tasks:
        prompt = Prompt(procedures=(served[task.id],)) if task.id in served else NO_PROMPT
        rewards.append(100 * (play(world, task, agent, prompt, max_steps=MAX_STEPS).reward or 0.0))
    world.close()
    mild = [max(0.0, reward) for reward in rewards]
    sure = mean_interval(rewards)
    print(
        f"{name:34} mean {sum(rewards) / len(rewards):6.1f} [{sure.low:.1f}, {sure.high:.1f}]",
        f"-100 as 0: {sum(mild) / len(mild):5.1f}",
        f"solved {rewards.count(100.0):2}",
        f"forbidden {rewards.count(-100.0):2}",
        sep="   ",
        flush=True,
    )


def main() -> None:
    """Measure every arm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?")
    parser.add_argument("-n", type=int, default=90)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    if chosen.runs is None:
        print("no runs were named: python -m bench.scienceworld RUNS")
        return
    runs = list(read_trajectories(chosen.runs))
    lifts(runs)
    tasks = read_tasks("dev", n=chosen.n, seed=chosen.seed)
    with memp.open(":memory:") as memory:
        memory.learn(runs, policy="validation")
        found = {task.id: memory.retrieve(task.text, 1)[0].procedure for task in tasks}
        every = [procedure for procedure in memory.procedures() if procedure.run is not None]
    kinds = {task.id: task.type for task in tasks}
    dice = random.Random(chosen.seed)
    others = {
        task.id: dice.choice([one for one in every if one.run is not None and one.run.task_type != kinds[task.id]])
        for task in tasks
    }
    right = sum(one.run is not None and one.run.task_type == kinds[id] for id, one in found.items())
    print(f"{len(runs)} runs, {len(tasks)} variations; the run that was served is of the same task in {right}")
    measure("anything at random", tasks, Wanderer(), {})
    measure("run of another task, all repairs", tasks, Replayer(), others)
    measure("to the letter, where it stands", tasks, Replayer(swap=False, travel=False), found)
    measure("words swapped, where it stands", tasks, Replayer(travel=False), found)
    measure("to the letter, where the run was", tasks, Replayer(swap=False), found)
    measure("words swapped, where the run was", tasks, Replayer(), found)


if __name__ == "__main__":
    main()
