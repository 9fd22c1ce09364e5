"""A memory with some versions, small suites, and invented results, for the tests of measuring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import memp
from memp.evaluation.agent import Act, FunctionAgent, play
from memp.evaluation.agents import Explorer
from memp.evaluation.environment import Place, ScriptedEnvironment, Task
from memp.evaluation.household import Household, make_tasks
from memp.evaluation.result import Arm, Attempt, Measured, Result
from memp.evaluation.suite import Suite
from memp.events.measuring import ArmKind

MEASURED = Measured(
    suite="household", suite_version="1", suite_digest="d", agent="follower", agent_version="1", max_steps=50
)


def lived(n: int, *, seed: int = 3) -> list[memp.Trajectory]:
    """Return runs of the explorer in the household."""
    world, explorer = Household(), Explorer(seed=seed)
    return [play(world, task, explorer) for task in make_tasks(n, seed=seed)]


def memory_with_versions(runs: Sequence[memp.Trajectory], *, versions: int = 3) -> memp.Memory:
    """Return a memory that learned *runs* in some steps, each with a tag ``v1``, ``v2`` and so on."""
    memory = memp.open(":memory:")
    size = -(-len(runs) // versions)
    for number in range(versions):
        memory.learn(runs[number * size : (number + 1) * size], build="both", toolset="household")
        memory.tag(f"v{number + 1}")
    return memory


def result_of(
    wins: Mapping[str, Sequence[int]],
    *,
    seeds: int = 1,
    steps: Mapping[str, Sequence[int]] | None = None,
    types: Sequence[str] = ("a",),
    measured: Measured = MEASURED,
) -> Result:
    """
    Return a result whose arms won each task with so many of the seeds.

    Args:
        wins: Of each arm: how many seeds won, by task.

        seeds: How many seeds.

        steps: Of each arm: the steps of each task that was won; 10 if left out.

        types: Given to the tasks in turn.

        measured: On what and by whom.
    """
    kinds: dict[str, ArmKind] = {"none": "none", "random": "random"}
    attempts = [
        Attempt(
            arm=arm,
            task_id=f"t{task}",
            type=types[task % len(types)],
            seed=seed,
            won=seed < won,
            reward=float(seed < won),
            steps=(10 if steps is None else steps[arm][task]) if seed < won else 50,
        )
        for arm, of_arm in wins.items()
        for task, won in enumerate(of_arm)
        for seed in range(seeds)
    ]
    arms = tuple(Arm(name=arm, kind=kinds.get(arm, "view"), branch="main", state_digest=arm) for arm in wins)
    return Result(measured=measured, seeds=tuple(range(seeds)), arms=arms, attempts=tuple(attempts))


def doors() -> ScriptedEnvironment:
    """Return a world with one door, behind which the task is done."""
    here = Place(moves={"open door": ("It is open.", "there"), "wait": ("Time goes by.", "here")})
    return ScriptedEnvironment({"here": here, "there": Place(won=True)}, start="here")


def door_suite(n: int = 4, *, version: str = "1") -> Suite:
    """Return a suite of tasks in that world."""
    tasks = tuple(Task(id=f"door-{number}", text=f"open door {number}", type="door") for number in range(n))
    return Suite(name="doors", version=version, tasks=tasks, make_environment=doors, max_steps=3)


def opener(act: Act, **extra: object) -> FunctionAgent:
    """Return an agent of a function."""
    return FunctionAgent(name="opener", act=act, **extra)  # type: ignore[arg-type]
