"""
The port of the log: append batches of events, read records back.

A log decides nothing about procedures. It hands out positions and versions, chains digests, refuses what is stale or
was said before, and makes durable what it acknowledges. The classes that implement it differ only in where the records
lie; what is common to all (``Sequencer``) is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import attrs

from memp.log.copies import Copy
from memp.log.verify import VerifyReport
from memp.model import EventId, Version
from memp.record import Head, Record

MAIN = "main"
"""The branch that every log starts with."""


@attrs.frozen(kw_only=True)
class Pending:
    """
    An event that is to be appended, already encoded.

    Attributes:
        event_id: UUIDv7, made by whoever decided, because later events of the same batch may name it.

        stream: What it is about.

        type: Stored tag.

        schema: Version of the body's form.

        body: Canonical bytes.

        expected_version: The version that the decider saw the stream at; None does not check.

        cause: The event that this one answers.

        key: Retry token; the same token with the same stream, type and body again is the same event.

        derived_from: The events whose content this one's content was made from.

        read: What else the decider looked at.
    """

    event_id: EventId
    stream: str
    type: str
    schema: int
    body: bytes
    expected_version: Version | None = None
    cause: EventId | None = None
    key: str | None = None
    derived_from: tuple[EventId, ...] = ()
    read: tuple[EventId, ...] = ()


@attrs.frozen
class VectorKey:
    """
    Names a captured embedding.

    Attributes:
        embedder: Name and version, such as ``hashed-1``.

        text: SHA-256 of the UTF-8 text, 32 bytes.
    """

    embedder: str
    text: bytes


@attrs.frozen
class Staged:
    """
    Records that have their place in the log and are not durable yet.

    Attributes:
        records: The records.

        waiting: Returns once they are durable.
    """

    records: tuple[Record, ...]
    waiting: Callable[[], None]

    def wait(self) -> tuple[Record, ...]:
        """
        Return the records once they are durable.

        Raises:
            StorageError: They are not; see ``EventLog.recover``.
        """
        self.waiting()
        return self.records


class EventLog(Protocol):
    """
    A log of events.

    Callers may rely on: positions without gaps, times that never go backwards, a batch that is there whole or not at
    all, and durability of what ``append`` returned. They may not rely on: the time between two records meaning
    anything, event ids sorting like positions, or a body still being there (it may have been purged).
    """

    @property
    def log_id(self) -> str:
        """The id of this log; random, made once."""
        ...

    @property
    def head(self) -> Head:
        """Where the log ends, as far as it was acknowledged."""
        ...

    def append(
        self,
        pending: Sequence[Pending],
        *,
        actor: str,
        branch: str = MAIN,
        vectors: Mapping[VectorKey, bytes] | None = None,
    ) -> tuple[Record, ...]:
        """
        Append *pending* as one batch and return its records once they are durable.

        Args:
            pending: At least one event.

            actor: Who writes.

            branch: The branch that is written to.

            vectors: Captured embeddings to keep beside the events, as little-endian float32; those already there are
                left alone.

        Returns:
            The new records. If every event has a retry key and all of them stand in the log with the same stream,
            type and body, the records that stand there; nothing is written then.

        Raises:
            VersionConflictError: A stream is not at its expected version.

            RetryKeyError: A retry key stands for something else, or only a part of the batch was said before.

            InvalidInputError: The log is closed or open for reading only, or there is nothing to append.

            StorageError: The disk did not take it; nothing of the batch is there, unless the error says that it is in
                doubt.
        """
        ...

    def stage(
        self,
        pending: Sequence[Pending],
        *,
        actor: str,
        branch: str = MAIN,
        vectors: Mapping[VectorKey, bytes] | None = None,
    ) -> Staged:
        """
        Give *pending* its place in the log, and return at once; its caller then waits until it is durable.

        Callers that stage at the same time share a commit. Whoever stages next builds on what was staged before, so
        that a commit that fails takes with it all that was staged on top, and the log takes nothing more until
        ``recover`` is called: whoever decides on what was staged must forget it first.

        Takes what ``append`` takes, and raises what it raises before anything is written.
        """
        ...

    @property
    def failed(self) -> bool:
        """Whether a commit failed, so that the log takes nothing more until ``recover`` is called."""
        ...

    def recover(self) -> None:
        """
        Take events again after a commit failed; without a failure, do nothing.

        Raises:
            StorageError: The disk still does not take anything.

            CorruptStoreError: The files are damaged.
        """
        ...

    def said(self, key: str, *, branch: str = MAIN) -> tuple[Record, ...]:
        """
        Return the batch whose first event holds the retry key, once it is durable; empty if no event holds it.

        Raises:
            StorageError: It was staged, and its commit failed.
        """
        ...

    def read(self, *, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """
        Yield the records with ``after < position <= until`` in order; *until* None means to the end.

        The iterator reads in ranges and holds no lock between them.
        """
        ...

    def vectors(self, embedder: str, *, after: int = 0) -> Iterator[tuple[bytes, bytes]]:
        """
        Yield (digest of the text, little-endian float32 bytes) of every captured embedding of *embedder*.

        Args:
            embedder: Name and version.

            after: Leave out the first *after* embeddings, of whichever embedder, in the order in which they lie here.
                It is the order in which they were captured, or that of whoever made the store.
        """
        ...

    def vector_counts(self) -> dict[str, int]:
        """Return of how many texts an embedding was captured, by the name and version of the embedder."""
        ...

    def embedders(self) -> list[str]:
        """Return the name and version of every embedder that an embedding was captured from, sorted."""
        ...

    def purge(self, positions: Collection[int], *, texts: Collection[bytes], pending: Pending, actor: str) -> Record:
        """
        Remove content for good, append the event that says so, and return its record.

        Nobody else may stage or read meanwhile. What is on disk afterwards never held the content; if this fails or is
        killed, everything is as before, or done.

        Args:
            positions: Whose salt and body are removed; each has one.

            texts: Digests of the texts whose embeddings are removed, of every embedder.

            pending: The event.

            actor: Who writes.

        Raises:
            InvalidInputError: The log is closed or open for reading only.

            StorageError: The disk did not take it.
        """
        ...

    def note_copy(self, kind: str, path: str | Path, head: Head) -> None:
        """Remember that a copy was made: *kind* is ``backup`` or ``export``, and *head* is where the copy ends."""
        ...

    def copies(self) -> tuple[Copy, ...]:
        """Return the copies that are remembered, oldest first."""
        ...

    def verify(self, *, expect: Head | None = None) -> VerifyReport:
        """
        Go through all that is stored and name what is not as it was written.

        Args:
            expect: A head that was kept elsewhere: the log must still have it, and may go on after it.
        """
        ...

    def backup(self, path: str | Path) -> Head:
        """
        Write a copy of the log, which opens like any other, and return where it ends.

        Raises:
            InvalidInputError: This kind of log has no file, or there is something at *path* already.

            StorageError: The disk did not take it.
        """
        ...

    def close(self) -> None:
        """Give back what is held; a closed log refuses further calls. Closing twice does nothing."""
        ...
