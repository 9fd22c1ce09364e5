"""
The lock of an open store, whose holders leave only once what they saw is durable.

Whoever changes a store stages events while holding the lock and must not be told of them before they are durable.
Waiting inside would let one caller commit at a time; so the lock is given back first, others take their turn, and all
wait for the same commit. Whoever only reads waits too, if there is something to wait for: an answer that rests on
events that are then lost would be an answer about nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from memp.errors import StorageError


class Turn:
    """
    A reentrant lock.

    Args:
        pending: Asked by whoever is about to leave, still inside: what returns once all that is staged is durable, or
            None if it is.

        failed: Called outside the lock when that raised, before the error goes to the caller.
    """

    def __init__(self, *, pending: Callable[[], Callable[[], object] | None], failed: Callable[[], None]) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._pending = pending
        self._failed = failed

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._depth -= 1
        wait = None if self._depth else self._pending()
        self._lock.release()
        if wait is None:
            return
        try:
            wait()
        except StorageError:
            self._failed()
            raise
