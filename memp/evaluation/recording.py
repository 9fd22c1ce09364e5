"""
Letting somebody play a suite and keeping the runs: what a memory can be taught with.

Who plays is an agent by name, with or without a memory, or ``expert``: whoever knows the world of that suite. An expert
belongs to its world and reads more than an agent may, so it is found by the name of the suite and not among the agents.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from memp.errors import InvalidInputError, StorageError
from memp.evaluation.agent import NO_PROMPT, Agent, Prompt, play
from memp.evaluation.agents.named import agent_named, seeded

if TYPE_CHECKING:
    from memp.evaluation.environment import Environment, Task
    from memp.evaluation.suite import Suite
    from memp.memory import Memory
    from memp.model import Trajectory
    from memp.view import View

EXPERT = "expert"
"""Who knows the world of a suite; not the name of an agent."""

EXPERTS = {
    "household": "memp.evaluation.household.expert:HouseholdExpert",
    "alfworld": "memp.evaluation.alfworld.expert:PackageExpert",
}
"""Suite to its expert: called with a world of that suite and ``seed``."""

LEVEL = 9
"""How hard gzip tries: runs are written once."""


def record_runs(
    suite: Suite,
    agent: str = "explorer",
    *,
    seed: int = 0,
    max_steps: int | None = None,
    memory: Memory | None = None,
    at: str | int | None = None,
    k: int = 1,
    key: str | None = None,
) -> Iterator[Trajectory]:
    """
    Yield one run for each task of *suite*, in order, won or lost.

    Args:
        suite: What is played.

        agent: ``expert``, or an agent by name.

        seed: For an agent that draws lots.

        max_steps: Limit of actions; None for the suite's.

        memory: The memory that serves the agent; None serves nothing.

        at: Which version of it, as ``Memory.at`` takes it; None for the present.

        k: How many procedures it serves at most, 1 or more.

        key: How they are found, as ``retrieve`` takes it.

    Raises:
        InvalidInputError: There is no such agent, or no expert for this suite.
        NotFoundError: There is no such version.
    """
    world = suite.make_environment()
    player = _expert(suite.name, world, seed) if agent == EXPERT else seeded(agent_named(agent, memory), seed)
    view = memory if memory is None or at is None else memory.at(at)
    for task in suite.tasks:
        prompt = NO_PROMPT if view is None else _prompt(view, task, k=k, key=key)
        yield play(world, task, player, prompt, max_steps=suite.max_steps if max_steps is None else max_steps)


def write_runs(runs: Iterable[Trajectory], path: str | Path) -> int:
    """
    Write *runs* as a run file, gzip if the name ends so, and return how many.

    The file is there when all of it is; the same runs give the same bytes.

    Raises:
        InvalidInputError: There is a file already, or none can be made there.

        StorageError: The disk does not take it.
    """
    target = Path(path)
    if target.exists():
        raise InvalidInputError(f"Runs go to a new file ({str(target)!r} is there already). Choose another name.")
    beside = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        raw = beside.open("wb")
    except OSError as error:
        raise InvalidInputError(
            f"Runs cannot be written to {str(target)!r} ({error.strerror}). Name a file in a folder that is there."
        ) from error
    count = 0
    try:
        try:
            # No name and no time in the header, or the same runs would be other bytes.
            packed = gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) if target.suffix == ".gz" else None
            for run in runs:
                line = json.dumps(run_row(run), ensure_ascii=False, allow_nan=False).encode() + b"\n"
                with _on_disk(target):
                    (packed or raw).write(line)
                count += 1
            with _on_disk(target):
                if packed is not None:
                    packed.close()
        finally:
            with _on_disk(target):
                raw.close()
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return count


@contextmanager
def _on_disk(target: Path) -> Iterator[None]:
    """Call what the disk says of *target* by its name; whoever plays has errors of its own."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"Runs cannot be written to {str(target)!r} ({error.strerror}).") from error


def run_row(run: Trajectory) -> dict[str, Any]:
    """Return *run* as a line of a run file; read again it is the same, but for the count that ``play`` adds."""
    row: dict[str, Any] = {
        "task": run.task,
        "task_type": run.task_type,
        "env": run.env,
        "source": run.source,
        "agent": run.agent,
        "task_id": run.task_id,
        "reward": run.reward,
        "success": run.success,
        "initial_observation": run.initial_observation,
        "extra": {name: value for name, value in run.extra.items() if name != "steps"},
    }
    kept = {name: value for name, value in row.items() if value not in (None, "", {})}
    steps = [
        {"action": step.action, "observation": step.observation}
        | ({} if step.thought is None else {"thought": step.thought})
        | step.extra
        for step in run.steps
    ]
    return kept | {"steps": steps}


def _expert(suite: str, world: Environment, seed: int) -> Agent:
    if suite not in EXPERTS:
        raise InvalidInputError(f"There is an expert for {', '.join(EXPERTS)} only (got {suite!r}). Name an agent.")
    module, _, attribute = EXPERTS[suite].partition(":")
    return cast("Agent", getattr(import_module(module), attribute)(world, seed=seed))


def _prompt(view: View, task: Task, *, k: int, key: str | None) -> Prompt:
    found = view.retrieve(task.text, k=k, key=key)
    return Prompt(text=found.prompt(), procedures=tuple(match.procedure for match in found))
