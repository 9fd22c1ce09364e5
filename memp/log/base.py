"""
The port of the log: append batches of events, read records back.

A log decides nothing about procedures. It hands out positions and versions, chains digests, refuses what is stale or
was said before, and makes durable what it acknowledges. The classes that implement it differ only in where the records
lie; what is common to all (``Sequencer``) is written once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import attrs

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
        """Where the log ends."""
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

            StorageError: The disk did not take it; nothing of the batch is there.
        """
        ...

    def said(self, key: str, *, branch: str = MAIN) -> tuple[Record, ...]:
        """Return the batch whose first event holds the retry key; empty if no event holds it."""
        ...

    def read(self, *, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """
        Yield the records with ``after < position <= until`` in order; *until* None means to the end.

        The iterator reads in ranges and holds no lock between them.
        """
        ...

    def vectors(self, embedder: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield (digest of the text, little-endian float32 bytes) of every captured embedding of *embedder*."""
        ...

    def close(self) -> None:
        """Give back what is held; a closed log refuses further calls. Closing twice does nothing."""
        ...
