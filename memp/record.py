"""
The record around every event: where it stands, who wrote it and what ties it to the record before.

The chain hashes the record's fields with ``body_digest`` in place of the body, so that a body can be purged and the
chain still verifies. The fields are hashed as one canonical JSON array in the order below rather than as an object:
the order is the format (``RECORD_FORMAT``), and an array is half as long. A column store's own checksums would not do:
they say that a block is as it was written, not that the row was never replaced.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, NamedTuple

import msgspec

from memp.errors import CorruptStoreError, InvalidInputError
from memp.model import EventId, Position, Version

RECORD_FORMAT = 1
"""Version of the hashed form; stands first in the hashed array, so that two forms can never have the same bytes."""

SALT_BYTES = 16
"""Length of the random salt of a body: 128 bits, so that a purged body cannot be guessed from its digest."""

_encode = msgspec.json.Encoder().encode


class Record(msgspec.Struct, frozen=True, gc=False):
    """
    One event as it stands in the log.

    A msgspec struct rather than an attrs class: a replay makes one for every event, and this is made five times faster.

    Attributes:
        log_id: The log; part of every key.

        position: Place in the whole log, from 1, no gaps.

        event_id: UUIDv7.

        branch: ``main`` or a fork's name.

        stream: What the event is about, such as ``procedure/<id>``.

        version: Place in the stream, from 1, no gaps; unique with the branch.

        type: Stored tag of the event.

        schema: Version of the body's form.

        recorded_at: Microseconds since 1970 UTC; never goes backwards.

        clock_at: What the clock said, in the same unit.

        actor: Who or which policy wrote it.

        cause: The event that this one answers; None if none.

        key: Retry token, unique per branch; None if the caller gave none.

        derived_from: The events whose content this one's content was made from.

        read: What else it looked at.

        batch: Id shared by the events of one operation.

        batch_size: How many events the operation has.

        body_digest: SHA-256 of salt and body, 32 bytes.

        previous: Digest of the record before; 32 zero bytes for the first.

        digest: SHA-256 over all fields above, 32 bytes.

        salt: Random bytes; None once purged.

        body: Canonical bytes exactly as hashed; None once purged.
    """

    log_id: str
    position: Position
    event_id: EventId
    branch: str
    stream: str
    version: Version
    type: str
    schema: int
    recorded_at: int
    clock_at: int
    actor: str
    cause: str | None
    key: str | None
    derived_from: tuple[str, ...]
    read: tuple[str, ...]
    batch: str
    batch_size: int
    body_digest: bytes
    previous: bytes
    digest: bytes
    salt: bytes | None
    body: bytes | None

    @property
    def data(self) -> dict[str, Any] | None:
        """The body as plain values, derived from the bytes; None once purged."""
        return None if self.body is None else msgspec.json.decode(self.body)

    @property
    def hashed(self) -> tuple[Any, ...]:
        """The fields that the digest covers, in order."""
        return (
            self.log_id,
            self.position,
            self.event_id,
            self.branch,
            self.stream,
            self.version,
            self.type,
            self.schema,
            self.recorded_at,
            self.clock_at,
            self.actor,
            self.cause,
            self.key,
            self.derived_from,
            self.read,
            self.batch,
            self.batch_size,
            self.body_digest,
            self.previous,
        )

    @property
    def header(self) -> bytes:
        """The JSON array that the digest covers; see ``header_of``."""
        return header_of(self.hashed)


HASHED_FIELDS = 19
"""How many fields, from the first, the digest covers."""

FIELDS = Record.__struct_fields__
"""Every field in order: those that are hashed, the digest, then the body's own."""

GENESIS = bytes(32)
"""What the first record names as the digest before it."""

_Header = tuple[
    Literal[1],  # RECORD_FORMAT
    str,
    int,
    str,
    str,
    str,
    int,
    str,
    int,
    int,
    int,
    str,
    str | None,
    str | None,
    tuple[str, ...],
    tuple[str, ...],
    str,
    int,
    bytes,
    bytes,
]
"""The format, then the hashed fields in their order."""

_decode = msgspec.json.Decoder(_Header).decode


def header_of(hashed: tuple[Any, ...]) -> bytes:
    """
    Return the one JSON form of the hashed fields: an array with the format first, UTF-8, bytes in Base64.

    Args:
        hashed: ``HASHED_FIELDS`` values in their order.
    """
    return _encode((RECORD_FORMAT, *hashed))


def digest_of_record(hashed: tuple[Any, ...]) -> bytes:
    """Return the SHA-256 of the header that *hashed*, ``HASHED_FIELDS`` values in their order, makes."""
    return hashlib.sha256(header_of(hashed)).digest()


def from_header(header: str, digest: bytes, salt: bytes | None, body: bytes | None) -> Record:
    """
    Return the record with that header; nothing of it is checked against its digests.

    Raises:
        CorruptStoreError: The header is none that this version of memp reads.
    """
    try:
        return Record(*_decode(header)[1:], digest, salt, body)  # type: ignore[call-arg]
    except msgspec.MsgspecError as error:
        raise CorruptStoreError(f"The header of a record cannot be read: {error}. It is {header[:80]!r}.") from error


def digest_of_body(salt: bytes, body: bytes) -> bytes:
    """Return the SHA-256 of salt and body."""
    return hashlib.sha256(salt + body).digest()


class Head(NamedTuple):
    """
    Where a log ends; kept elsewhere, it later proves that nothing was lost.

    Prints as ``POSITION:DIGEST``.

    Attributes:
        position: Last position; 0 for an empty log.

        digest: Digest of the last record; 32 zero bytes for an empty log.
    """

    position: Position
    digest: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.digest.hex()}"

    @classmethod
    def parse(cls, said: Head | tuple[int, bytes | str] | str) -> Head:
        """
        Return the head that *said* is.

        Args:
            said: A head, a pair of position and digest (bytes or hex), or ``POSITION:DIGEST``.

        Raises:
            InvalidInputError: It is none of these.
        """
        try:
            position, digest = said.strip().split(":") if isinstance(said, str) else said
            raw = bytes.fromhex(digest) if isinstance(digest, str) else memoryview(digest).tobytes()
            number = int(position)
        except (TypeError, ValueError) as error:
            raise _no_head(said) from error
        if number < 0 or len(raw) != len(GENESIS):
            raise _no_head(said)
        return cls(Position(number), raw)


def _no_head(said: object) -> InvalidInputError:
    return InvalidInputError(
        f"A head must be POSITION:DIGEST, as 'memp head' prints it, or a pair of these (got {said!r})."
    )
