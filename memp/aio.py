"""
The same memory for programs that must not wait: every method of ``memp.Memory``, awaited.

There is one implementation, and it is synchronous: the disk has no other way, and two would differ. Each call runs in a
thread of ``asyncio``'s pool, and the lock of the store keeps order there as it does for threads. What a call gives back
is a finished value: sequences for what ``Memory`` yields piece by piece, and an ``AsyncMemory`` for another branch.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from memp.memory import Memory
from memp.memory import open as open_memory
from memp.operations.serving import Episode
from memp.record import Record

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

Opener = Callable[[], Memory]
"""Opens a memory; called once, in a thread, when it is first needed."""


def _later(method: Callable[Concatenate[Memory, P], R]) -> Callable[Concatenate[AsyncMemory, P], Awaitable[R]]:
    """Return *method* of ``Memory`` as a method of ``AsyncMemory``."""

    async def run(self: AsyncMemory, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(lambda: method(self._opened(), *args, **kwargs))

    return _called(run, method)


def _as_list(
    method: Callable[Concatenate[Memory, P], Iterator[T]],
) -> Callable[Concatenate[AsyncMemory, P], Awaitable[list[T]]]:
    """Return a *method* that yields as one that gives all at once: its reading happens in the thread too."""

    async def run(self: AsyncMemory, /, *args: P.args, **kwargs: P.kwargs) -> list[T]:
        return await asyncio.to_thread(lambda: list(method(self._opened(), *args, **kwargs)))

    return _called(run, method)


def _as_memory(
    method: Callable[Concatenate[Memory, P], Memory],
) -> Callable[Concatenate[AsyncMemory, P], Awaitable[AsyncMemory]]:
    """Return a *method* that gives a memory as one that gives an ``AsyncMemory``; the first one closes the store."""

    async def run(self: AsyncMemory, /, *args: P.args, **kwargs: P.kwargs) -> AsyncMemory:
        found = await asyncio.to_thread(lambda: method(self._opened(), *args, **kwargs))
        return AsyncMemory(lambda: found)

    return _called(run, method)


def _asked_for(name: str, known: property) -> Callable[..., Awaitable[Any]]:
    """Return the awaited form of a property, a method because the store may have to be opened first."""

    async def run(self: AsyncMemory) -> Any:
        return await asyncio.to_thread(lambda: getattr(self._opened(), name))

    assert known.fget is not None
    return _called(run, known.fget)


def _called(run: F, method: Callable[..., object]) -> F:
    """Give *run* the name and the words of *method*."""
    run.__name__, run.__qualname__, run.__doc__ = method.__name__, f"AsyncMemory.{method.__name__}", method.__doc__
    return run


class AsyncEpisode:
    """
    One task that an agent does with what the memory serves, for ``async with``; see ``memp.Episode``.

    ``step`` writes nothing and needs no waiting.
    """

    def __init__(self, make: Callable[[], Episode]) -> None:
        self._make = make
        self._episode: Episode | None = None

    def __getattr__(self, name: str) -> Any:
        # prompt, matches, task, id, step and trajectory are the episode's own.
        return getattr(self._entered(), name)

    async def __aenter__(self) -> Self:
        def enter() -> Episode:
            return self._make().__enter__()

        self._episode = await asyncio.to_thread(enter)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        episode = self._entered()
        # A cancelled task must leave its mark too, so the writing is not given up with it.
        await asyncio.shield(asyncio.to_thread(episode.__exit__, kind, error, traceback))

    async def finish(
        self, *, reward: float | None = None, success: bool | None = None, tokens: int | None = None
    ) -> tuple[Record, ...]:
        """Say how it ended, and let the policies decide; see ``memp.Episode.finish``."""
        episode = self._entered()
        return await asyncio.to_thread(lambda: episode.finish(reward=reward, success=success, tokens=tokens))

    def _entered(self) -> Episode:
        if self._episode is None:
            raise AttributeError("The episode has not begun: use it with 'async with'.")
        return self._episode


class AsyncMemory:
    """
    A memory whose methods are awaited; made by ``memp.open_async``. Use it with ``async with``, or await ``close``.

    The store is opened in a thread when it is first needed.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._memory: Memory | None = None
        self._opening = threading.Lock()

    def _opened(self) -> Memory:
        with self._opening:
            if self._memory is None:
                self._memory = self._opener()
            return self._memory

    def __await__(self) -> Generator[Any, None, Self]:
        return self._open().__await__()

    async def _open(self) -> Self:
        await asyncio.to_thread(self._opened)
        return self

    async def __aenter__(self) -> Self:
        return await self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the store; one that was never opened stays so."""
        memory = self._memory
        if memory is not None:
            await asyncio.shield(asyncio.to_thread(memory.close))

    def episode(self, task: str, k: int = 3, **options: Any) -> AsyncEpisode:
        """Return an episode for ``async with``; the options are those of ``memp.Memory.episode``."""
        return AsyncEpisode(lambda: self._opened().episode(task, k, **options))

    async def position(self) -> int:
        """Return the last event that is seen here; 0 in an empty memory."""
        return await asyncio.to_thread(lambda: self._opened().position)

    async def scope(self) -> str:
        """Return whose memory it is; empty for everybody's."""
        return await asyncio.to_thread(lambda: self._opened().scope)

    learn = _later(Memory.learn)
    learn_later = _later(Memory.learn_later)
    drain = _later(Memory.drain)
    bootstrap = _later(Memory.bootstrap)
    find_facts = _later(Memory.find_facts)
    costs = _later(Memory.costs)
    drop = _later(Memory.drop)
    queue = _later(Memory.queue)
    retrieve = _later(Memory.retrieve)
    procedures = _later(Memory.procedures)
    procedure = _later(Memory.procedure)
    evidence = _later(Memory.evidence)
    episodes = _later(Memory.episodes)
    candidates = _later(Memory.candidates)
    accept = _later(Memory.accept)
    reject = _later(Memory.reject)
    policy = _later(Memory.policy)
    set_policy = _later(Memory.set_policy)
    validate = _later(Memory.validate)
    add = _later(Memory.add)
    reflect = _later(Memory.reflect)
    erase = _later(Memory.erase)
    unerase = _later(Memory.unerase)
    merge = _later(Memory.merge)
    events = _as_list(Memory.events)
    fork = _as_memory(Memory.fork)
    branch = _as_memory(Memory.branch)
    rederive = _as_memory(Memory.rederive)
    within = _as_memory(Memory.within)


def _delegate_the_rest() -> None:
    """
    Give ``AsyncMemory`` what is not written out above: reading the past, names for versions, the store's upkeep.

    What is written out is what type checkers know the signature of; the rest works the same.
    """
    for name, method in inspect.getmembers(Memory, inspect.isfunction):
        if not name.startswith("_") and not hasattr(AsyncMemory, name):
            setattr(AsyncMemory, name, _later(method))
    for name, known in inspect.getmembers(Memory, lambda member: isinstance(member, property)):
        if not name.startswith("_") and not hasattr(AsyncMemory, name):
            setattr(AsyncMemory, name, _asked_for(name, known))


_delegate_the_rest()


def open_async(*args: Any, **options: Any) -> AsyncMemory:
    """
    Return a memory whose methods are awaited; the arguments are those of ``memp.open``.

    Nothing is opened before it is needed, so the event loop does not wait: ``async with memp.open_async(path) as
    memory`` opens it in a thread, and so does the first method that is awaited.
    """
    inspect.signature(open_memory).bind(*args, **options)
    return AsyncMemory(lambda: open_memory(*args, **options))
