"""
The lock of a store: one process writes, or several read.

DuckDB locks its file too, but says only a process id, and in one message for all cases. This lock is taken first and
says who holds it, on which machine and since when. It is an ``flock``: the system gives it back when the process dies,
however it dies, so a file that was left behind locks nobody out.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import weakref
from datetime import UTC, datetime
from pathlib import Path

import attrs

from memp.errors import StorageError, StoreLockedError
from memp.log.files import StoreFiles


@attrs.frozen(kw_only=True)
class Holder:
    """
    Who holds a lock.

    Attributes:
        pid: Id of the process.

        host: The machine that it runs on.

        since: When it took the lock, UTC, as text.

        writing: Whether it holds it alone.
    """

    pid: int
    host: str
    since: str
    writing: bool

    def __str__(self) -> str:
        doing = "writing" if self.writing else "reading"
        if self.host == socket.gethostname() and self.pid == os.getpid():
            return f"in this process, {self.pid} on {self.host}, {doing} since {self.since}, and not closed"
        return f"process {self.pid} on {self.host}, {doing} since {self.since}"


def read_holder(path: Path) -> Holder | None:
    """Return who wrote into the lock file at *path* last; None if it does not say."""
    try:
        said = json.loads(path.read_bytes())
        return Holder(pid=said["pid"], host=said["host"], since=said["since"], writing=said["writing"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


_held: weakref.WeakSet[StoreLock] = weakref.WeakSet()


def _forget_in_child() -> None:
    """A forked child shares its parent's locks; it must not keep them when the parent dies."""
    for lock in list(_held):
        lock.forget()


os.register_at_fork(after_in_child=_forget_in_child)


class StoreLock:
    """
    A lock that is held.

    Args:
        files: The store.

        shared: Let others read too; several readers exclude a writer.

        now: Microseconds since 1970 UTC, said to whoever finds the lock.

    Raises:
        StoreLockedError: Somebody else holds it.

        StorageError: The lock file cannot be made.
    """

    def __init__(self, files: StoreFiles, *, shared: bool, now: int) -> None:
        self._path = files.lock
        self._descriptor: int | None = None
        while self._descriptor is None:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                if shared:
                    # A folder that nobody can write to has no writer to be kept out.
                    return
                raise StorageError(f"The lock {str(self._path)!r} cannot be made: {error.strerror}.") from error
            self._descriptor = self._take(descriptor, files, shared=shared)
        _held.add(self)
        since = datetime.fromtimestamp(now / 1_000_000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        holder = Holder(pid=os.getpid(), host=socket.gethostname(), since=since, writing=not shared)
        # Only for people: a disk that has no room for it takes nothing away from the lock.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, json.dumps(attrs.asdict(holder)).encode() + b"\n", 0)

    def _take(self, descriptor: int, files: StoreFiles, *, shared: bool) -> int | None:
        """Return *descriptor* once it is locked; None if the file was replaced meanwhile."""
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise locked(files.database, read_holder(self._path)) from error
        # Whoever closes a store removes the file. A lock on a removed file would keep nobody out.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), self._path.stat()):
                return descriptor
        os.close(descriptor)
        return None

    def release(self) -> None:
        """Give the lock back; twice does nothing. The last to hold it removes the file."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._path.unlink()
        os.close(descriptor)

    def forget(self) -> None:
        """Close what a forked child inherited, without giving the parent's lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def locked(path: Path, holder: Holder | None) -> StoreLockedError:
    """Return the error for a store that *holder* has open."""
    if holder is None:
        return StoreLockedError(str(path), holder="by whom is not known")
    return StoreLockedError(str(path), holder=str(holder), pid=holder.pid, host=holder.host, since=holder.since)
