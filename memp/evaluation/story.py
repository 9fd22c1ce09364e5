"""
The second half of the demo: a bad reflection slips in, the curve falls, the event is found and taken back.

Life goes on after the first learning: the agent does more tasks as episodes, and memp learns from what comes of them.
Among all that somebody writes a reflection that sounds like good advice and costs every task that is served it. Nothing
here knows afterwards which event it was; the search finds it by what versions are worth.

Every step leaves its mark in the store (a tag, a retry token, a number of episodes), so that a story that was stopped
goes on where it was, and one that is told again writes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING

import attrs

from memp.episodes import EpisodeStatus
from memp.evaluation.agent import Prompt, play
from memp.evaluation.agents import Follower
from memp.evaluation.bisect import bisect
from memp.evaluation.bisection import Bisection
from memp.evaluation.household import Household, make_tasks
from memp.evaluation.result import Arm, Result
from memp.evaluation.runner import Runner
from memp.evaluation.suite import Suite
from memp.events import ProcedureReflected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memp.evaluation.environment import Task
    from memp.memory import Memory
    from memp.model import EventId, Position, Procedure
    from memp.store import Progress

EPISODES = 24
"""Tasks that the agent does after the first learning: enough that one bad event does not stand out by itself."""

SLIPS_AFTER = 13
"""Episodes before the bad reflection: neither the first event nor the last is where one would look."""

LEARNED, SLIPPED, MENDED = "v1", "v2", "v3"
"""Tags: after the first learning; after more episodes, the bad reflection among them; after it was taken back."""

BUILD = "both"
"""The builder in episodes: the same as before."""

CRITIQUE = (
    "The place was taken when the agent came with the thing. Before taking anything, go and see that there is room, "
    "and come back, until it is certain."
)
"""What the bad reflection says was wrong; it sounds like experience."""

WASTE = 30
"""How often its script goes to see and comes back: more than the steps that an agent has."""

_HEAD = re.compile(r"^def \w+\(([^)]*)\):\n", re.MULTILINE)

REFLECTOR = "reflector"
"""Who writes it."""


@attrs.frozen(kw_only=True)
class Story:
    """
    What happened after the first learning, and how it was found and mended.

    Attributes:
        episodes: Tasks that were done as episodes.

        slipped: The bad reflection; None if there was no procedure to write one about.

        slipped_at: Where it stands.

        procedure: The name of the procedure that it is about; empty if there is none.

        critique: What it says was wrong before.

        found: What the search found between the first learning and the end of the episodes.

        undone: The undo of what was found; None if nothing was.

        result: The agent on the same tasks with versions from the empty memory to the last one.

        tasks: How many tasks that are.

        report: Where the report lies; None if what draws it is not installed.
    """

    episodes: int
    slipped: EventId | None
    slipped_at: Position | None
    procedure: str
    critique: str
    found: Bisection
    undone: EventId | None
    result: Result
    tasks: int
    report: Path | None

    def success(self, arm: str) -> float:
        """Return the share of tasks that is solved with a version, in [0, 1]."""
        return self.result.score(arm).success

    def position(self, arm: str) -> int:
        """Return where a version stands."""
        return next(one.position or 0 for one in self.result.arms if one.name == arm)


def go_on(memory: Memory, tasks: Sequence[Task], *, seed: int, report: Path, progress: Progress) -> Story | None:
    """
    Live on, let the reflection slip in, find it, take it back, and write the report.

    Args:
        memory: After the first learning.

        tasks: New tasks that versions are measured on; one or more.

        seed: Decides everything.

        report: Where the report goes.

        progress: Called as work goes on.

    Returns:
        The story; None if nothing was learned that a reflection could be about.
    """
    _tag(memory, LEARNED)
    suite = Suite(name="demo", version="1", tasks=tuple(tasks), make_environment=Household, toolset="household")
    target = _target(memory, suite)
    if target is None:
        return None
    _live_on(memory, target, seed=seed, progress=progress)
    _tag(memory, SLIPPED)
    found = bisect(memory, suite, Follower(seed=seed), good=LEARNED, bad=SLIPPED, seeds=(seed,), on_progress=progress)
    undone = None
    if found.event is not None:
        assert found.evidence is not None
        reason = f"memp bisect named it: {found.evidence.before:.0%} before it, {found.evidence.after:.0%} after"
        undone = memory.undo([found.event], reason=reason, on_dependents="cascade", key="demo/undo").event_id
    _tag(memory, MENDED)
    slip = next((r for r in memory.events(type=ProcedureReflected.TYPE) if r.actor == REFLECTOR), None)
    result = _curve(memory, suite, seed=seed, slipped_at=None if slip is None else slip.position, progress=progress)
    return Story(
        episodes=EPISODES,
        slipped=None if slip is None else slip.event_id,
        slipped_at=None if slip is None else slip.position,
        procedure=target,
        critique=CRITIQUE,
        found=found,
        undone=undone,
        result=result,
        tasks=len(tasks),
        report=_write(result, memory, found, report),
    )


def _tag(memory: Memory, name: str) -> None:
    """Name the present, if the name is not given yet."""
    if name not in {tag.name for tag in memory.tags()}:
        memory.tag(name)


# -- what happens -----------------------------------------------------------------------------------------------------


def _target(memory: Memory, suite: Suite) -> str | None:
    """Return the procedure that is served first for most tasks, among those that carry a thing somewhere."""
    view = memory.at(LEARNED)
    firsts = Counter(view.retrieve(task.text, 1)[0].procedure.name for task in suite.tasks) if view.procedures() else {}
    able = [name for name in firsts if _carries(view.procedure(name))]
    return min(able, key=lambda name: (-firsts[name], name), default=None)


def _carries(procedure: Procedure) -> bool:
    """Whether the procedure has just the two parameters that the bad script is about."""
    head = _HEAD.search(procedure.script or "")
    return head is not None and [part.split(":")[0].strip() for part in head[1].split(",")] == ["thing", "target"]


def _live_on(memory: Memory, target: str, *, seed: int, progress: Progress) -> None:
    """Do tasks as episodes, those that were not done yet; after some of them the reflection slips in."""
    if memory.policy() is None:
        memory.set_policy("validation", build=BUILD, reason="the demo learns from what it lives through")
    world, agent = Household(), Follower(seed=seed)
    done = sum(episode.status is EpisodeStatus.FINISHED for episode in memory.episodes())
    for number, task in enumerate(make_tasks(EPISODES, seed=seed + 1)[done:], done + 1):
        with memory.episode(task.text) as episode:
            served = tuple(match.procedure for match in episode.matches)
            run = play(world, task, agent, Prompt(text=episode.prompt, procedures=served))
            for step in run.steps:
                episode.step(action=step.action, observation=step.observation)
            episode.finish(success=bool(run.success))
        if number == SLIPS_AFTER:
            _slip(memory, target)
        progress("living on, as episodes", number, EPISODES)
    if done >= SLIPS_AFTER:
        _slip(memory, target)


def _slip(memory: Memory, target: str) -> None:
    """Write the bad reflection, once."""
    said = memory.at(LEARNED).procedure(target).script or ""
    head = _HEAD.search(said)
    assert head is not None
    steps = (
        "source = find(thing)",
        f"for _ in times({WASTE}):",
        "    go_to(target)",
        "    go_to(source)",
        "take(thing, source)",
        "go_to(target)",
        "move(thing, target)",
    )
    script = said[: head.end()] + "".join(f"    {step}\n" for step in steps)
    memory.by(REFLECTOR).reflect(target, script=script, critique=CRITIQUE, activate=True, key="demo/slip")


# -- what it was worth ------------------------------------------------------------------------------------------------


def _curve(memory: Memory, suite: Suite, *, seed: int, slipped_at: Position | None, progress: Progress) -> Result:
    """Return what the agent does on the same tasks with nothing, and with versions from the first to the last."""
    arms: dict[str, str | int] = {"none": "none", "random": "random@v1"}
    arms |= {str(position): position for position in _positions(memory, slipped_at)}
    arms |= {LEARNED: LEARNED, SLIPPED: SLIPPED, MENDED: MENDED}
    with Runner(memory, suite, Follower(seed=seed), seeds=(seed,), on_progress=progress) as runner:
        result = runner.play(runner.plan(arms))
    order = {arm.name: number for number, arm in enumerate(sorted(result.arms, key=_place))}
    return attrs.evolve(
        result,
        arms=tuple(sorted(result.arms, key=_place)),
        attempts=tuple(sorted(result.attempts, key=lambda one: order[one.arm])),
    )


def _place(arm: Arm) -> tuple[bool, int]:
    return arm.kind == "view", arm.position or 0


def _positions(memory: Memory, slipped_at: Position | None) -> list[int]:
    """Return where the curve has points besides the tags: after every learning, every few episodes, at the slip."""
    tags = {tag.position for tag in memory.tags()}
    last: dict[str, int] = {}
    learnt: dict[str, None] = {}
    lived: list[str] = []
    for record in memory.events():
        last[record.batch] = record.position
        if record.type == "trajectory-recorded" and record.batch not in lived:
            learnt[record.batch] = None
        if record.type == "episode-finished":
            learnt.pop(record.batch, None)
            lived.append(record.batch)
    found = [last[batch] for batch in [*learnt, *lived[::4]]]
    if slipped_at is not None:
        found += [slipped_at - 1, slipped_at]
    return sorted(set(found) - tags)


def _write(result: Result, memory: Memory, found: Bisection, path: Path) -> Path | None:
    """Write the report; None if what draws it is not installed."""
    if not all(find_spec(name) for name in ("matplotlib", "scipy", "statsmodels")):
        return None
    from memp.evaluation.report import write_report

    write_report(result, path, memory=memory, bisection=found)
    return path
