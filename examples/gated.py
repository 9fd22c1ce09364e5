"""
Two hundred episodes with a bad reflector, once without a gate and once with one.

    python examples/gated.py [--episodes 200] [--csv FILE]

The reflector is deliberately bad: whatever happened, it strikes a step out of the procedure that was served first and
accepts what it wrote. Printed is the share of a suite's tasks that a script solves with the memory, as time goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import attrs

import memp
from memp.evaluation.agent import Prompt, play
from memp.evaluation.agents import Explorer, Follower
from memp.evaluation.household import Household, make_tasks
from memp.state import State
from memp.update.base import AcceptRevision, Command, FinishedEpisode, ReflectOn
from memp.update.trial import open_candidates

EVERY = 20
"""Episodes between one measurement and the next; the gate is worked through as often."""


def careless(state: State, episode: FinishedEpisode) -> Iterator[Command]:
    """Strike a step out of what was served first, and accept that at once."""
    for served in episode.served[:1]:
        content = served.revision.content
        shorter = without_a_step(content.script or "", len(episode.task))
        toolset = episode.toolset_of(served.procedure.toolset)
        if shorter is None or toolset is None or not reads(shorter, toolset):
            return
        yield ReflectOn(
            procedure_id=served.procedure.id,
            base=served.revision.id,
            content=attrs.evolve(content, script=shorter),
            critique="one step less is one step faster",
            reason="to be faster",
        )
        procedure = state.get(served.procedure.id)
        if procedure is not None and open_candidates(procedure):
            newest = open_candidates(procedure)[-1]
            yield AcceptRevision(procedure_id=procedure.id, revision=newest.id, reason="it is shorter")


def without_a_step(script: str, lot: int) -> str | None:
    """Return *script* without one of its steps; None if it has only one."""
    lines = script.rstrip().split("\n")
    steps = [number for number, line in enumerate(lines) if line.startswith("    ") and line.strip().endswith(")")]
    if len(steps) < 2:
        return None
    del lines[steps[lot % len(steps)]]
    return "\n".join(lines) + "\n"


def reads(script: str, toolset: memp.Toolset) -> bool:
    """Whether *script* is one."""
    try:
        memp.parse_script(script, toolset)
    except memp.ScriptError:
        return False
    return True


def live(memory: memp.Memory, suite: memp.Suite, *, episodes: int, gated: bool) -> list[float]:
    """Live through *episodes* and return the share of *suite* that is solved, before the first and every few."""
    world, agent, shares = Household(), Follower(), []
    with memp.Runner(memory, suite, Follower()) as runner:
        for number, task in enumerate(make_tasks(episodes, seed=21)):
            if number % EVERY == 0:
                shares.append(solved(runner, memory))
            with memory.episode(task.text, policy=careless) as episode:
                procedures = tuple(match.procedure for match in episode.matches)
                run = play(world, task, agent, Prompt(procedures=procedures))
                for step in run.steps:
                    episode.step(action=step.action, observation=step.observation)
                episode.finish(success=bool(run.success))
            if gated and number % EVERY == EVERY - 1:
                memp.gate(memory)
        shares.append(solved(runner, memory))
    return shares


def solved(runner: memp.Runner, memory: memp.Memory) -> float:
    """Return the share of the suite that is solved with the memory as it is."""
    attempts = runner.attempts(memory)
    return sum(attempt.won for attempt in attempts) / len(attempts)


def main() -> None:
    """Run both, and print one below the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    world, explorer = Household(), Explorer(seed=7)
    runs = [play(world, task, explorer) for task in make_tasks(60, seed=7)]
    suite = memp.suite("household", n=60, seed=3)
    curves = {}
    for name in ("ungated", "gated"):
        with memp.open(":memory:") as memory:
            memory.learn(runs, build="both", toolset="household")
            if name == "gated":
                memory.set_gate(suite, "follower", tolerance=0.0)
            curves[name] = live(memory, suite, episodes=asked.episodes, gated=name == "gated")
            verdicts = [record.type for record in memory.events() if record.type.startswith("revision-")]
            print(f"{name}: {verdicts.count('revision-accepted')} candidates accepted, "
                  f"{verdicts.count('revision-rejected')} rejected")  # fmt: skip
    rows = [
        (min(number * EVERY, asked.episodes), *(curve[number] for curve in curves.values()))
        for number in range(len(curves["gated"]))
    ]
    print(f"\n{'episodes':>8}  {'ungated':>8}  {'gated':>8}")
    for episodes, ungated, gated in rows:
        print(f"{episodes:8}  {ungated:8.0%}  {gated:8.0%}")
    if asked.csv is not None:
        asked.csv.write_text("episodes,ungated,gated\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))


if __name__ == "__main__":
    main()
