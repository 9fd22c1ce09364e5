"""
Agents at work, here or in other processes.

Workers are processes that were started anew (``spawn``): a fork of a process that has a database open, and threads,
is asking for trouble. So nothing reaches them but what can be pickled: how to make the world, the agent, and then
tasks with their prompts. The store stays where it is.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from typing import TYPE_CHECKING

import attrs
import msgspec

from memp.errors import ConflictError, CorruptStoreError, InvalidInputError, MempError, NotFoundError, ServiceError
from memp.evaluation.agent import SPENT, TOKENS, play
from memp.evaluation.agents.named import seeded
from memp.evaluation.journal import Outcome, PlayKey
from memp.events.measuring import Spent, summed

if TYPE_CHECKING:
    from memp.evaluation.agent import Agent, Prompt
    from memp.evaluation.environment import Environment, Task
    from memp.model import Trajectory

AHEAD_PER_WORKER = 4
"""Jobs that wait for each worker: enough that none is idle, few enough that stopping is quick."""

_GROUPS: tuple[type[MempError], ...] = (
    InvalidInputError,
    NotFoundError,
    ConflictError,
    CorruptStoreError,
    ServiceError,
)
"""The groups of errors. What a worker raises comes back as its group: not every error survives being pickled."""


@attrs.frozen(kw_only=True)
class Job:
    """
    One play to be done.

    Attributes:
        key: What it is called.

        task: The task.

        prompt: What the agent gets.
    """

    key: PlayKey
    task: Task
    prompt: Prompt


@attrs.frozen
class _Failed:
    """What went wrong in a worker: the group of the error, and what it says."""

    group: int
    message: str


class Workers:
    """
    Does plays.

    Args:
        make_environment: Makes a world.

        agent: Who acts.

        max_steps: How many actions it may take, 1 or more.

        workers: How many processes, 1 or more; with 1 it is done in this one.

    Raises:
        InvalidInputError: A number is out of range, or world or agent cannot be sent to another process.
    """

    def __init__(
        self, make_environment: Callable[[], Environment], agent: Agent, *, max_steps: int, workers: int = 1
    ) -> None:
        if max_steps < 1:
            raise InvalidInputError(f"'max_steps' must be 1 or more (got {max_steps!r}).")
        if workers < 1:
            raise InvalidInputError(f"'workers' must be 1 or more (got {workers!r}).")
        self._workers = workers
        self._here: _Stage | None = None
        self._pool: ProcessPoolExecutor | None = None
        if workers == 1:
            self._here = _Stage(make_environment, agent, max_steps)
        else:
            self._pool = _pool(make_environment, agent, max_steps, workers)

    def play(self, jobs: Sequence[Job]) -> Iterator[tuple[PlayKey, Outcome]]:
        """
        Do *jobs* and yield each outcome as soon as it is there, in any order.

        Raises:
            MempError: A world or an agent could not do one; those that were yielded before are done.

            ServiceError: A worker died.
        """
        if self._here is not None:
            for job in jobs:
                yield job.key, self._here.play(job)
            return
        assert self._pool is not None
        yield from self._in_pool(self._pool, jobs)

    def _in_pool(self, pool: ProcessPoolExecutor, jobs: Sequence[Job]) -> Iterator[tuple[PlayKey, Outcome]]:
        waiting = iter(jobs)
        running: dict[Future[Outcome | _Failed], PlayKey] = {}
        try:
            while True:
                for job in waiting:
                    running[pool.submit(_play, job)] = job.key
                    if len(running) >= AHEAD_PER_WORKER * self._workers:
                        break
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    key, outcome = running.pop(future), future.result()
                    if isinstance(outcome, _Failed):
                        raise _GROUPS[outcome.group](outcome.message)
                    yield key, outcome
        except BrokenProcessPool as error:
            raise ServiceError(
                "A worker process died: it was killed, or ran out of memory, or could not start. In a script, evaluate "
                "below 'if __name__ == \"__main__\":', since workers import the script. What was done stays done if "
                "there is a journal."
            ) from error
        finally:
            for future in running:
                future.cancel()

    def close(self) -> None:
        """Let the workers go; closing twice does nothing."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


def _pool(
    make_environment: Callable[[], Environment], agent: Agent, max_steps: int, workers: int
) -> ProcessPoolExecutor:
    for what, value in (("The world's maker", make_environment), ("The agent", agent)):
        try:
            pickle.dumps(value)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InvalidInputError(
                f"{what} must be picklable to be sent to {workers} workers ({error}). Make it of functions and classes "
                "of a module, not of lambdas or local functions, or evaluate with workers=1."
            ) from error
    return ProcessPoolExecutor(
        max_workers=workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(make_environment, agent, max_steps),
    )


class _Stage:
    """A world and an agent, in one process."""

    def __init__(self, make_environment: Callable[[], Environment], agent: Agent, max_steps: int) -> None:
        self._make_environment = make_environment
        self._agent = agent
        self._max_steps = max_steps
        self._environment: Environment | None = None

    def play(self, job: Job) -> Outcome:
        if self._environment is None:
            self._environment = self._make_environment()
        agent = seeded(self._agent, job.key.seed)
        return outcome_of(play(self._environment, job.task, agent, job.prompt, max_steps=self._max_steps))


def outcome_of(run: Trajectory) -> Outcome:
    """Return how *run*, one attempt of ``play``, ended."""
    said = [step.extra[TOKENS] for step in run.steps if TOKENS in step.extra]
    return Outcome(
        won=bool(run.success),
        reward=run.reward or 0.0,
        steps=int(run.extra["steps"]),
        tokens=sum(said) if said else None,
        spent=summed(msgspec.convert(step.extra[SPENT], type=Spent) for step in run.steps if SPENT in step.extra),
    )


_stage: list[_Stage] = []
"""The one of this process, if it is a worker."""


def _begin(make_environment: Callable[[], Environment], agent: Agent, max_steps: int) -> None:
    """Make this process a worker; whoever presses Ctrl-C means the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _stage[:] = [_Stage(make_environment, agent, max_steps)]
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait until the process that started this one is gone, and then go too: a worker would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(0)


def _play(job: Job) -> Outcome | _Failed:
    """Do *job* in a worker."""
    try:
        return _stage[0].play(job)
    except MempError as error:
        group = next(number for number, group in enumerate(_GROUPS) if isinstance(error, group))
        return _Failed(group, str(error))
