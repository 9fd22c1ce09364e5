"""
The thread that works behind a search index: at most one, and only while there is something to do.

A pool or a thread that waits for work was not taken: most memories never grow large enough to need one, and a thread
that is inside a library when Python ends takes the process down with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

Step: TypeAlias = Callable[[Callable[[], bool]], bool]
"""One piece of work; is given what to ask whether to stop, and returns whether there may be more."""


class Builder:
    """Runs steps in one daemon thread until there are none left; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._again = False
        self._stopped = threading.Event()

    def wake(self, step: Step) -> None:
        """See to it that *step* is called until it returns False, at least once from now on. Does not wait."""
        with self._lock:
            if self._stopped.is_set():
                return
            self._again = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, args=(step,), name="memp-index", daemon=True)
                self._thread.start()

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until there is nothing to do; return False if that takes longer than *timeout_seconds*."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout_seconds)
        return thread is None or not thread.is_alive()

    def close(self) -> None:
        """Stop after the piece at hand, and wait for it. Closing twice does nothing."""
        self._stopped.set()
        if threading.current_thread() is not self._thread:
            self.wait()

    def _run(self, step: Step) -> None:
        try:
            while self._more():
                while not self._stopped.is_set() and step(self._stopped.is_set):
                    pass
        finally:
            self._end()

    def _more(self) -> bool:
        """Take up a call for work, or end: whoever calls after that starts a new thread."""
        with self._lock:
            if self._again and not self._stopped.is_set():
                self._again = False
                return True
            self._thread = None
            return False

    def _end(self) -> None:
        """Let the next call start a thread even if a step failed; one that was started meanwhile goes on."""
        with self._lock:
            if self._thread is threading.current_thread():
                self._thread = None
