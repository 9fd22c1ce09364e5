"""
Group commit: callers that append at the same time share one commit and one write of the witness.

A batch is *staged* first: it gets its positions and is visible to whoever stages the next one. Then its caller waits
for the commit. Who is alone waits for nobody: while one caller commits, the batches of the others gather, and the next
of them commits all of these at once. A thread that commits in the background would do the same and would have to be
started, stopped, and told what to do with its errors.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

import attrs

from memp.errors import StorageError
from memp.log.base import VectorKey
from memp.record import Record

GATHER_SECONDS = 0.0003
"""A tenth of a commit: long enough for a thread to wake up, decide and stage its next batch."""


@attrs.define(eq=False)
class Group:
    """
    Batches that are committed together.

    Attributes:
        records: Their records, in order.

        vectors: Their captured embeddings.

        batches: How many callers put something in.

        settled: Whether it was committed, or failed.

        error: Why it failed; None if it did not.
    """

    records: list[Record] = attrs.Factory(list)
    vectors: dict[VectorKey, bytes] = attrs.Factory(dict)
    batches: int = 0
    settled: bool = False
    error: BaseException | None = None


class GroupCommit:
    """
    Gathers batches into groups and commits one group at a time.

    Args:
        commit: Makes a group durable, or raises and makes nothing of it durable.

        failed: Called once with the groups that failed together, before their callers are told.
    """

    def __init__(self, commit: Callable[[Group], None], *, failed: Callable[[BaseException], None]) -> None:
        self._commit = commit
        self._on_failure = failed
        self._turn = threading.Condition()
        self._busy = False
        self._staging = threading.Lock()
        self._open = Group()
        self._company = 0

    def add(self, records: Sequence[Record], vectors: Mapping[VectorKey, bytes]) -> Group:
        """Put a batch into the group that is gathering, and return the group. Calls must come in the log's order."""
        with self._staging:
            self._open.records.extend(records)
            self._open.vectors.update(vectors)
            self._open.batches += 1
            return self._open

    def wait(self, group: Group) -> None:
        """
        Return once *group* is durable; commit it if nobody else does.

        Raises:
            StorageError: It is not durable. An error of its own for each caller.
        """
        self._see_to(lambda: not group.settled)
        if group.error is not None:
            raise _for_caller(group.error) from group.error

    def flush(self) -> None:
        """Commit what is gathering; what its callers are told is their affair."""
        self._see_to(lambda: self._open.batches > 0)

    def _see_to(self, needed: Callable[[], bool]) -> None:
        """Wait for whoever commits, and commit what is gathering if it is still *needed* then."""
        with self._turn:
            while needed() and self._busy:
                self._turn.wait()
            if not needed():
                return
            self._busy = True
        try:
            self._gather()
            self._settle()
        finally:
            with self._turn:
                self._busy = False
                self._turn.notify_all()

    def _gather(self) -> None:
        """
        Give those who shared the last commit a moment to come back with their next batch, as long as some do.

        Without it the first to wake would commit alone, over and over. Who appends alone never waits.
        """
        before = 0
        while before < self._open.batches < self._company:
            before = self._open.batches
            time.sleep(GATHER_SECONDS)

    def _settle(self) -> None:
        group = self._take()
        try:
            self._commit(group)
        except StorageError as error:
            self._fail(group, error)
        except BaseException as error:
            # A keyboard interrupt, between the commit and the witness for all we know. Nothing narrower will do:
            # whatever ends a commit, the others who wait for it must be told, and this is what they are told.
            self._fail(group, error)
            raise
        else:
            group.settled = True

    def _take(self) -> Group:
        with self._staging:
            group, self._open = self._open, Group()
        self._company = group.batches
        return group

    def _fail(self, group: Group, error: BaseException) -> None:
        """What was staged meanwhile stands on what failed, and fails with it."""
        self._on_failure(error)
        for one in (group, self._take()):
            one.error, one.settled = error, True


def _for_caller(error: BaseException) -> StorageError:
    """Return what *error*, which ended a commit, means to a caller whose events were in it."""
    if isinstance(error, StorageError) and not error.in_doubt:
        return StorageError(f"{error} Nothing of it was written.")
    what = str(error) or f"The commit ended with {type(error).__name__}."
    hint = "It may be there all the same: look before you repeat it, or repeat it with its retry key."
    return StorageError(f"{what} {hint}", in_doubt=True)
