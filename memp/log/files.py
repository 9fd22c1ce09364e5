"""
The files of a store: what lies beside the database, and how a file is put in place so that a crash leaves it whole.

Everything that belongs to a store is named after it (``agent.duckdb.witness``), so that a listing shows it together and
whoever moves one file sees the others.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from memp.errors import StorageError

COPY_CHUNK_BYTES = 1 << 20
"""Bytes that are copied or hashed at a time: large enough for the disk, small enough for the memory."""

sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""Makes what was written to a file descriptor durable; macOS has no ``fdatasync``."""


@attrs.frozen
class StoreFiles:
    """
    The paths of one store.

    Attributes:
        database: The DuckDB file, which is what users name.
    """

    database: Path

    def _beside(self, suffix: str) -> Path:
        return self.database.with_name(self.database.name + suffix)

    @property
    def wal(self) -> Path:
        """DuckDB's write-ahead log; there while the store is open, and after a crash."""
        return self._beside(".wal")

    @property
    def witness(self) -> Path:
        """The head witness."""
        return self._beside(".witness")

    @property
    def lock(self) -> Path:
        """The lock; there while the store is open, and after a crash."""
        return self._beside(".lock")

    @property
    def quarantine(self) -> Path:
        """The folder with copies of what was found damaged."""
        return self._beside(".quarantine")

    @property
    def copies(self) -> Path:
        """The list of backups and exports that were made of it."""
        return self._beside(".copies")

    def caches(self) -> list[Path]:
        """Return the files that are computed from the log and are there; deleting any changes no answer."""
        name = _escaped(self.database.name)
        patterns = (f"{name}.*.index", f"{name}.*.index.writing", f"{name}.*.snapshot", f"{name}.*.snapshot.writing")
        return sorted(path for pattern in patterns for path in self.database.parent.glob(pattern) if path.is_file())

    @property
    def unfinished(self) -> StoreFiles:
        """Where a new database is made before it is put in its place."""
        return StoreFiles(self._beside(".new"))

    def present(self) -> list[Path]:
        """Return the files of DuckDB's that are there: the database, and all that it writes beside it."""
        found = [self.database] if self.database.is_file() else []
        return found + sorted(
            path for path in self.database.parent.glob(f"{_escaped(self.database.name)}.wal*") if path.is_file()
        )


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


@contextlib.contextmanager
def disk_errors(path: Path, doing: str) -> Iterator[None]:
    """Raise what the system says about *path* as a ``StorageError``; *doing* completes "could not"."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"The files of {str(path)!r} could not {doing}: {error.strerror or error}.") from error


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: bytes) -> None:
    """Put a file with *content* at *path*, whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def copy_durably(source: int | Path, target: Path) -> None:
    """Copy a file, or what an open descriptor leads to, and make the copy durable."""
    with open(source, "rb", closefd=not isinstance(source, int)) as file, target.open("wb") as copy:
        file.seek(0)
        shutil.copyfileobj(file, copy, COPY_CHUNK_BYTES)
        copy.flush()
        os.fsync(copy.fileno())


def keep_copies(files: StoreFiles) -> Path:
    """
    Copy database, write-ahead log and witness into the quarantine folder, and return the folder of these copies.

    The folder is named after what is in it, so that looking twice at the same damage keeps one copy.

    Raises:
        OSError: The disk did not take them.
    """
    kept = [*files.present(), *([files.witness] if files.witness.is_file() else [])]
    digest = hashlib.sha256()
    for path in kept:
        digest.update(path.name.encode() + b"\0" + path.stat().st_size.to_bytes(8))
        with path.open("rb") as file:
            while chunk := file.read(COPY_CHUNK_BYTES):
                digest.update(chunk)
    folder = files.quarantine / digest.hexdigest()[:16]
    if folder.is_dir():
        return folder
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for path in kept:
        copy_durably(path, partial / path.name)
    sync_folder(partial)
    partial.rename(folder)
    sync_folder(files.quarantine)
    sync_folder(files.quarantine.parent)
    return folder
