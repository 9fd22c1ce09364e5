"""
Files that may be thrown away: a header, a body, and proof that both are as they were written.

What is computed from the log is kept on disk only to save time, so a file that is not exactly what was written is worth
nothing and may do harm: the index library dies of a wrong byte, or answers wrongly. Therefore every byte is covered by
a digest, everything is checked before anybody looks at the body, and whatever is wrong is a *reason*, not an exception:
the caller builds anew. The alternatives, a database table or the library's own file, cannot do that: the first ties a
cache to the log that it must be deletable beside, the second is neither checked nor synced.

The bytes, in order: the magic number; format and length of the header, little-endian, four bytes each; the header, JSON
in UTF-8; the SHA-256 of all that; the body, whose length and SHA-256 stand in the header. Nothing follows.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import attrs

from memp.errors import StorageError

MAGIC: Final = b"\x89memp\r\n\x1a"
"""First bytes of a container; a transfer that touches line ends or the eighth bit changes them, as in PNG."""

FORMAT: Final = 1
"""Version of the arrangement of bytes, raised when an older reader would misread it."""

_LENGTHS: Final = struct.Struct("<II")
_DIGEST_BYTES: Final = 32

HEADER_BYTES_MAX: Final = 64 << 20
"""A header that says that it is longer is damaged; ours are some kilobytes, and nothing is allocated for a lie."""

CHUNK_BYTES: Final = 1 << 20
"""How much of a file is read at a time."""

Body: TypeAlias = bytes | memoryview | tuple[bytes | memoryview, ...] | BinaryIO
"""What a container holds: bytes, several pieces of bytes, or a file that can be read twice from its start."""


class Reason(enum.StrEnum):
    """Why a container is not used."""

    MISSING = "missing"
    """There is no such file."""

    DAMAGED = "damaged"
    """It is not what was written, or cannot be read."""

    NEWER = "newer"
    """A newer version of memp wrote it."""

    FOREIGN = "foreign"
    """It is whole, but of something else."""


@attrs.frozen(kw_only=True)
class Refused:
    """
    A container that is not used.

    Attributes:
        reason: Why, for programs.

        detail: Why, as one sentence for people.
    """

    reason: Reason
    detail: str


@attrs.frozen(kw_only=True, eq=False)
class Container:
    """
    A container that is exactly what was written.

    Attributes:
        header: What the writer said about the body.

        body: The bytes.
    """

    header: dict[str, Any]
    body: memoryview


def write_container(path: Path, header: Mapping[str, Any], body: Body, *, kind: str) -> None:
    """
    Write a container whole or not at all; what stood at *path* stays until the new one is on disk.

    It is written beside *path* (one writer at a time), synced, read back and checked, renamed, and the folder synced.

    Args:
        path: Where to.

        header: What JSON can hold; said about the body.

        body: What is kept.

        kind: What it is, such as ``index``; a reader asks for it by this.

    Raises:
        StorageError: The disk did not take it; what stood there before is untouched.
    """
    digest = hashlib.sha256()
    size = 0
    for chunk in _chunks(body):
        digest.update(chunk)
        size += memoryview(chunk).nbytes
    values = {"kind": kind, "body_bytes": size, "body_sha256": digest.hexdigest(), "header": dict(header)}
    text = json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
    head = MAGIC + _LENGTHS.pack(FORMAT, len(text)) + text
    temporary = path.with_name(path.name + ".writing")
    try:
        with temporary.open("wb") as file:
            file.write(head + hashlib.sha256(head).digest())
            for chunk in _chunks(body):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        written = read_container(temporary, kind=kind)
        if isinstance(written, Refused):
            raise StorageError(f"{str(path)!r} could not be written: {written.detail}")
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StorageError(f"{str(path)!r} could not be written: {error}.") from error


def read_container(path: Path, *, kind: str, expect: Mapping[str, Any] | None = None) -> Container | Refused:
    """
    Return the container at *path*, checked to the last byte, or why it is not used.

    Args:
        path: Where it lies.

        kind: What it must be.

        expect: What its header must say; asked before the body is read.
    """
    try:
        with path.open("rb") as file:
            return _read(file, str(path), kind, expect or {})
    except FileNotFoundError:
        return Refused(reason=Reason.MISSING, detail=f"There is no {str(path)!r}.")
    except OSError as error:
        return Refused(reason=Reason.DAMAGED, detail=f"{str(path)!r} cannot be read: {error}.")


def _read(file: BinaryIO, name: str, kind: str, expect: Mapping[str, Any]) -> Container | Refused:
    values = _read_head(file, name)
    if isinstance(values, Refused):
        return values
    said = {"kind": values["kind"], **values["header"]}
    for field, wanted in {"kind": kind, **expect}.items():
        if said.get(field) != wanted:
            detail = f"{name!r} is of something else: {field!r} is {said.get(field)!r}, expected {wanted!r}."
            return Refused(reason=Reason.FOREIGN, detail=detail)
    size = values["body_bytes"]
    if os.fstat(file.fileno()).st_size - file.tell() != size:
        return _damaged(name, "its body is not what was written")
    # Read where it stays: all that is left of a file would be put together from two pieces, and copied once more.
    body = bytearray(size)
    if file.readinto(body) != size or hashlib.sha256(body).hexdigest() != values["body_sha256"]:  # type: ignore[attr-defined]
        return _damaged(name, "its body is not what was written")
    return Container(header=values["header"], body=memoryview(body).toreadonly())


def _read_head(file: BinaryIO, name: str) -> dict[str, Any] | Refused:
    """Return what stands before the body, checked."""
    start = file.read(len(MAGIC) + _LENGTHS.size)
    if len(start) < len(MAGIC) + _LENGTHS.size or not start.startswith(MAGIC):
        return _damaged(name, "it does not begin like a file of memp")
    format_, length = _LENGTHS.unpack(start[len(MAGIC) :])
    if format_ > FORMAT:
        detail = f"{name!r} was written by a newer version of memp (form {format_}, this version knows {FORMAT})."
        return Refused(reason=Reason.NEWER, detail=detail)
    if length > HEADER_BYTES_MAX:
        return _damaged(name, "its header is not what was written")
    text, digest = file.read(length), file.read(_DIGEST_BYTES)
    if hashlib.sha256(start + text).digest() != digest:
        return _damaged(name, "its header is not what was written")
    values: dict[str, Any] = json.loads(text)
    return values


def _damaged(name: str, what: str) -> Refused:
    return Refused(reason=Reason.DAMAGED, detail=f"{name!r} is damaged: {what}.")


def _chunks(body: Body) -> Iterator[bytes | memoryview]:
    """Yield the bytes of *body* from its start, piece by piece."""
    if isinstance(body, bytes | memoryview):
        yield body
    elif isinstance(body, tuple):
        yield from body
    else:
        body.seek(0)
        while chunk := body.read(CHUNK_BYTES):
            yield chunk


def _sync_folder(folder: Path) -> None:
    """Make a rename in *folder* outlive a loss of power; on Windows folders cannot be opened, and need not be."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
