"""
Doing the plays: each of them once, in as many processes as wanted, and nothing that is known already.

A *play* is a task done with a seed and a prompt. Several arms often serve the same prompt; where the agent says that
it then acts the same, they share the play, and versions that differ in one procedure cost the tasks that it is served
for. What goes to a worker is a task and a finished prompt, and what comes back is a handful of numbers; every play is
its own episode, so the figures do not depend on how many workers there are or who was faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING, Self

import attrs

from memp.errors import InvalidInputError
from memp.evaluation.agents.named import Reads, agent_named, is_deterministic, reads
from memp.evaluation.arms import BUDGET_TOKENS, ArmSpec, Server, Serving, Source
from memp.evaluation.journal import Journal, Outcome, PlayKey
from memp.evaluation.replay import Replays, ReplaySuite
from memp.evaluation.result import Arm, Attempt, Measured, Result
from memp.evaluation.suite import Suite
from memp.evaluation.workers import Job, Workers

if TYPE_CHECKING:
    import os

    from memp.evaluation.agent import Agent
    from memp.memory import Memory

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

PLAYING = "doing tasks"
"""What progress says while agents act."""

SERVING = "asking versions"
"""What progress says while prompts are made."""


def _say_nothing(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@attrs.frozen(kw_only=True)
class Planned:
    """
    One arm with all that it serves, ready to be played; holds nothing of the store.

    Attributes:
        arm: The arm.

        servings: What is served, by task and seed, tasks in their order.
    """

    arm: Arm
    servings: dict[tuple[str, int], Serving]


class Runner:
    """
    Measures versions of one memory on one suite with one agent; a context manager.

    Args:
        memory: The memory; open for reading is enough.

        suite: What to do.

        agent: Who: a name, or an agent. In a replay nobody acts.

        seeds: Every task is done once with each; different from each other, one or more.

        k: How many procedures are served at most, 1 or more.

        key: How they are found, as ``retrieve`` takes it; None for the usual way.

        max_steps: How many actions an agent may take; None leaves it to the suite.

        budget_tokens: How long the text for the agent may be; None for no limit.

        workers: Processes that act; with 1 it is done here.

        journal: A file in which every play is kept; what stands in it is not done again.

        share: Whether arms that serve the same share a play even if the agent may act otherwise the next time. The
            difference of such a pair is then exactly 0, as is its expectation.

        on_progress: Called as work goes on.

    Attributes:
        plays: How many episodes were really played here, and not taken from elsewhere.

        measured: On what and by whom.

    Raises:
        InvalidInputError: A value is out of range, *suite* is none, there is no such agent, or agent and world cannot
            be sent to another process.
    """

    def __init__(
        self,
        memory: Memory,
        suite: Suite | ReplaySuite,
        agent: str | Agent = "follower",
        *,
        seeds: Sequence[int] = (0,),
        k: int = 3,
        key: str | None = None,
        max_steps: int | None = None,
        budget_tokens: int | None = BUDGET_TOKENS,
        workers: int = 1,
        journal: str | os.PathLike[str] | None = None,
        share: bool = False,
        on_progress: Progress | None = None,
    ) -> None:
        check_suite(suite)
        self.seeds = checked_seeds(seeds)
        self.suite = suite
        self.plays = 0
        self._told = on_progress or _say_nothing
        self._memory = memory
        self._known: dict[PlayKey, Outcome] = {}
        self._scope = memory.scope
        self._server = Server(memory, k=k, key=key, budget_tokens=budget_tokens)
        self._players: Workers | Replays
        self._reads: Reads
        if isinstance(suite, ReplaySuite):
            self._reads, self.deterministic = "procedures", True
            self._players = Replays(suite, memory)
            self.measured = replay_measured(suite, k=k, key=key)
        else:
            who = agent_named(agent, memory) if isinstance(agent, str) else agent
            self._reads, self.deterministic = reads(who), is_deterministic(who)
            limit = suite.max_steps if max_steps is None else max_steps
            self._players = Workers(suite.make_environment, who, max_steps=limit, workers=workers)
            self.measured = live_measured(suite, who, k=k, key=key, max_steps=limit)
        self._shares = share or self.deterministic
        self._journal = None if journal is None else Journal(journal, self.measured)
        if self._journal is not None:
            self._known.update(self._journal.done)

    # -- asking versions -----------------------------------------------------------------------------------------

    def arm(self, spec: ArmSpec, *, name: str | None = None) -> Arm:
        """
        Return the arm that *spec* means.

        Raises:
            NotFoundError: There is no such version.

            InvalidInputError: It is nothing that could name one.
        """
        return self._server.source(spec, name=name).arm

    def plan(self, specs: Mapping[str, ArmSpec], *, seeds: Sequence[int] | None = None) -> tuple[Planned, ...]:
        """
        Ask versions for all that they serve; after that the store is not needed any more.

        Args:
            specs: The arms by name.

            seeds: Instead of the runner's own.

        Raises:
            NotFoundError: There is no such version.

            InvalidInputError: Something names no arm.
        """
        sources = [self._server.source(spec, name=name) for name, spec in specs.items()]
        chosen = self.seeds if seeds is None else checked_seeds(seeds)
        planned = []
        with self._memory.asked_again():
            for number, source in enumerate(sources):
                self._told(SERVING, number, len(sources))
                planned.append(Planned(arm=source.arm, servings=self._serve(source, chosen)))
        self._told(SERVING, len(sources), len(sources))
        return tuple(planned)

    def _serve(self, source: Source, seeds: Sequence[int]) -> dict[tuple[str, int], Serving]:
        servings: dict[tuple[str, int], Serving] = {}
        for task in self.suite.tasks:
            for seed in seeds:
                first = servings.get((task.id, seeds[0]))
                if first is None or source.varies:
                    first = self._server.serve(source, task.text, seed=seed, reads=self._reads)
                servings[task.id, seed] = first
        return servings

    def prompts(self, spec: ArmSpec) -> tuple[str, ...]:
        """Return the digest of what an arm serves for every task, with the first seed; nobody acts."""
        source = self._server.source(spec)
        with self._memory.asked_again():
            return tuple(serving.digest for serving in self._serve(source, self.seeds[:1]).values())

    # -- acting --------------------------------------------------------------------------------------------------

    def attempts(
        self, spec: ArmSpec, *, name: str | None = None, seeds: Sequence[int] | None = None
    ) -> tuple[Attempt, ...]:
        """
        Let the agent do every task with what an arm serves; what was played before is not played again.

        Args:
            spec: The arm.

            name: What it is called in the attempts; None takes *spec*.

            seeds: Instead of the runner's own, such as one more round.

        Returns:
            Tasks and seeds in their order.

        Raises:
            MempError: A world or an agent could not do a task; what was done stays known.
        """
        arm = self.arm(spec, name=name)
        return self.play(self.plan({arm.name: spec}, seeds=seeds)).attempts

    def play(self, planned: Sequence[Planned]) -> Result:
        """
        Let the agent do all that is planned, and return the result.

        Raises:
            MempError: A world or an agent could not do a task; what was done stays known, and in the journal.
        """
        tasks = {task.id: task for task in self.suite.tasks}
        jobs: dict[PlayKey, Job] = {}
        for one in planned:
            for (task_id, seed), serving in one.servings.items():
                key = self._key(one.arm, task_id, seed, serving)
                if key not in self._known:
                    jobs.setdefault(key, Job(key=key, task=tasks[task_id], prompt=serving.prompt))
        self._do(list(jobs.values()))
        seeds = tuple(dict.fromkeys(seed for _, seed in planned[0].servings))
        served = (served for one in planned for serving in one.servings.values() for served in serving.served)
        return Result(
            measured=self.measured,
            seeds=seeds,
            arms=tuple(one.arm for one in planned),
            attempts=tuple(attempt for one in planned for attempt in self._attempts(one)),
            involved=tuple(dict.fromkeys(served)),
            scope=self._scope,
        )

    def _do(self, jobs: Sequence[Job]) -> None:
        self._told(PLAYING, 0, len(jobs))
        for number, (key, outcome) in enumerate(self._players.play(jobs), 1):
            if self._journal is not None:
                self._journal.write(key, outcome)
            self._known[key] = outcome
            self.plays += 1
            self._told(PLAYING, number, len(jobs))

    def _key(self, arm: Arm, task_id: str, seed: int, serving: Serving) -> PlayKey:
        return PlayKey("" if self._shares else arm.name, task_id, seed, serving.digest)

    def _attempts(self, planned: Planned) -> Iterator[Attempt]:
        types = {task.id: task.type for task in self.suite.tasks}
        for (task_id, seed), serving in planned.servings.items():
            outcome = self._known[self._key(planned.arm, task_id, seed, serving)]
            yield Attempt(
                arm=planned.arm.name,
                task_id=task_id,
                type=types[task_id],
                seed=seed,
                won=outcome.won,
                reward=outcome.reward,
                steps=outcome.steps,
                tokens=outcome.tokens,
                spent=outcome.spent,
                served=tuple(one.name for one in serving.served),
                prompt_digest=serving.digest,
                superfluous=outcome.superfluous,
                kind_first=outcome.kind_first,
            )

    # -- the end -------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let workers go and give the journal back; closing twice does nothing."""
        self._server.close()
        self._players.close()
        if self._journal is not None:
            self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def check_suite(suite: object) -> None:
    """
    Refuse what cannot be measured on.

    Raises:
        InvalidInputError: *suite* is neither a suite nor held-out runs; its name alone is a likely slip.
    """
    if not isinstance(suite, Suite | ReplaySuite):
        raise InvalidInputError(
            f"'suite' must be a suite, as memp.suite(name) or memp.replay_suite(file) give it (got {suite!r})."
        )


def checked_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """
    Return *seeds*.

    Raises:
        InvalidInputError: There are none, two are the same, or one is no whole number.
    """
    chosen = tuple(seeds)
    if not chosen or len(set(chosen)) < len(chosen) or not all(type(seed) is int for seed in chosen):
        raise InvalidInputError(f"'seeds' must be one or more different whole numbers (got {list(seeds)!r}).")
    return chosen


def live_measured(suite: Suite, agent: Agent, *, k: int, key: str | None, max_steps: int) -> Measured:
    """Return on what and by whom a live evaluation is done."""
    return Measured(
        suite=suite.name,
        suite_version=suite.version,
        suite_digest=suite.digest,
        toolset=suite.toolset,
        agent=agent.name,
        agent_version=agent.version,
        memp_version=version("memp"),
        k=k,
        key=key,
        max_steps=max_steps,
    )


def replay_measured(suite: ReplaySuite, *, k: int, key: str | None) -> Measured:
    """Return on what a replay is done; nobody acts."""
    return Measured(
        suite=suite.name,
        suite_version=suite.version,
        suite_digest=suite.digest,
        kind="replay",
        memp_version=version("memp"),
        k=k,
        key=key,
    )
