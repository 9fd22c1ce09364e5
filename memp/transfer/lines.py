"""
The lines of an export: what they hold and how bytes are written in JSON.

A body is the text that it is, as one JSON string: unlike nested JSON it survives every reader byte for byte, which is
what its digest is about. Digests and salts are hex, vectors base64. ``docs/reference/export.md`` is the description for
those who read exports without memp.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

import msgspec

from memp.model import EventId, Position, Version
from memp.record import Record

FORMAT = 1
"""Version of the form of an export; raised when an older reader would misread it."""


class Header(msgspec.Struct, frozen=True, tag="header", tag_field="kind", forbid_unknown_fields=True):
    """The first line."""

    format: int
    log_id: str
    head: str
    embedders: tuple[str, ...]


class RecordLine(
    msgspec.Struct, frozen=True, tag="record", tag_field="kind", forbid_unknown_fields=True, omit_defaults=True
):
    """A record; ``body_hex`` stands in place of ``body`` where the bytes are no UTF-8."""

    log_id: str
    position: int
    event_id: str
    branch: str
    stream: str
    version: int
    type: str
    schema: int
    recorded_at: int
    clock_at: int
    actor: str
    batch: str
    batch_size: int
    body_digest: str
    previous: str
    digest: str
    cause: str | None = None
    key: str | None = None
    derived_from: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    salt: str | None = None
    body: str | None = None
    body_hex: str | None = None


class VectorLine(msgspec.Struct, frozen=True, tag="vector", tag_field="kind", forbid_unknown_fields=True):
    """A captured embedding."""

    embedder: str
    text: str
    vector: str


class Trailer(msgspec.Struct, frozen=True, tag="trailer", tag_field="kind", forbid_unknown_fields=True):
    """The last line."""

    records: int
    vectors: int
    head: str
    sha256: str


Line = Header | RecordLine | VectorLine | Trailer
"""Any line."""

_encode = msgspec.json.Encoder().encode
decode: Callable[[bytes], Line] = msgspec.json.Decoder(Line).decode
"""Returns the line that bytes are; raises what msgspec raises."""


def encode(line: Line) -> bytes:
    """Return the bytes of *line*, its end included."""
    return _encode(line) + b"\n"


def record_line(record: Record) -> RecordLine:
    """Return the line that *record* is."""
    body = body_hex = None
    if record.body is not None:
        try:
            body = record.body.decode()
        except UnicodeDecodeError:
            body_hex = record.body.hex()
    return RecordLine(
        log_id=record.log_id,
        position=record.position,
        event_id=record.event_id,
        branch=record.branch,
        stream=record.stream,
        version=record.version,
        type=record.type,
        schema=record.schema,
        recorded_at=record.recorded_at,
        clock_at=record.clock_at,
        actor=record.actor,
        cause=record.cause,
        key=record.key,
        derived_from=record.derived_from,
        read=record.read,
        batch=record.batch,
        batch_size=record.batch_size,
        body_digest=record.body_digest.hex(),
        previous=record.previous.hex(),
        digest=record.digest.hex(),
        salt=None if record.salt is None else record.salt.hex(),
        body=body,
        body_hex=body_hex,
    )


def record_of(line: RecordLine) -> Record:
    """
    Return the record that *line* is.

    Raises:
        ValueError: What should be hex is not.
    """
    body = None if line.body is None else line.body.encode()
    if line.body_hex is not None:
        if body is not None:
            raise ValueError("'body' and 'body_hex' cannot both be there")
        body = bytes.fromhex(line.body_hex)
    return Record(
        log_id=line.log_id,
        position=Position(line.position),
        event_id=EventId(line.event_id),
        branch=line.branch,
        stream=line.stream,
        version=Version(line.version),
        type=line.type,
        schema=line.schema,
        recorded_at=line.recorded_at,
        clock_at=line.clock_at,
        actor=line.actor,
        cause=line.cause,
        key=line.key,
        derived_from=line.derived_from,
        read=line.read,
        batch=line.batch,
        batch_size=line.batch_size,
        body_digest=bytes.fromhex(line.body_digest),
        previous=bytes.fromhex(line.previous),
        digest=bytes.fromhex(line.digest),
        salt=None if line.salt is None else bytes.fromhex(line.salt),
        body=body,
    )


def vector_line(embedder: str, text: bytes, vector: bytes) -> VectorLine:
    """Return the line of a captured embedding."""
    return VectorLine(embedder=embedder, text=text.hex(), vector=base64.b64encode(vector).decode())


def vector_of(line: VectorLine) -> tuple[str, bytes, bytes]:
    """
    Return embedder, digest of the text and bytes of the embedding that *line* is.

    Raises:
        ValueError: What should be hex or base64 is not.
    """
    try:
        return line.embedder, bytes.fromhex(line.text), base64.b64decode(line.vector, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
