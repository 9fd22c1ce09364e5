"""Many questions at once, answers in the order of the questions, so that what is made of them is the same each time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(items: Sequence[T], ask: Callable[[T], R], *, parallel: int) -> Iterator[tuple[T, R]]:
    """
    Yield each item with what *ask* returns for it, in the order of *items*.

    The first is asked alone: it finds out what the endpoint can do, and if the key is wrong, nobody else need ask.
    After it, at most *parallel* are asked at once, and none so far ahead that its answer would have to wait for long.

    Args:
        items: What to ask about.

        ask: Asks; called from several threads.

        parallel: How many at once, 1 or more.
    """
    if not items:
        return
    yield items[0], ask(items[0])
    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="memp-ask") as pool:
        ahead: deque[tuple[T, Future[R]]] = deque()
        waiting = iter(items[1:])
        try:
            for item in waiting:
                ahead.append((item, pool.submit(ask, item)))
                if len(ahead) == parallel:
                    first, future = ahead.popleft()
                    yield first, future.result()
            while ahead:
                first, future = ahead.popleft()
                yield first, future.result()
        finally:
            for _, future in ahead:
                future.cancel()
