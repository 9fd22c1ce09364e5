"""
A store made anew from records as they are: for an import, and for a purge.

A deleted row stays in a DuckDB file after DELETE, CHECKPOINT and VACUUM, so content is removed by writing a file that
never held it. The new file is made beside the store, in full and synced, and takes its place by one rename. No second
file has to change with it: the witness of the store says that the log reaches so far at least, and a new file that
goes further is what a crash between commit and witness leaves too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Self

import duckdb

from memp.errors import CorruptStoreError, StorageError
from memp.log.files import StoreFiles, disk_errors, sync_data, sync_folder
from memp.log.opening import EMPTY, STORAGE_VERSION, attach, make_database
from memp.log.rows import StoredRows
from memp.log.verify import VerifyReport, verify_rows
from memp.log.witness import Slot, make_witness
from memp.log.writing import VectorRow, insert
from memp.record import Head, Record

ROWS_PER_COPY = 50_000
"""Positions copied by one statement: a few hundred megabytes of common events at most."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


class NewStore:
    """
    A store that is being filled and gets its name only once it is whole. Use it as a context manager.

    Args:
        files: The store that is to be; locked, and nothing of it is there.

        log_id: Its log.

        now: Microseconds since 1970 UTC.

    Raises:
        StorageError: The disk does not take it.
    """

    def __init__(self, files: StoreFiles, *, log_id: str, now: int) -> None:
        self._files = files
        self._log_id = log_id
        self._new = files.unfinished
        with disk_errors(files.database, "be made"):
            discard(self._new)
        make_database(self._new.database, log_id=log_id, created_at=now, now=now)
        self._connection: duckdb.DuckDBPyConnection | None = attach(self._new.database, read_only=False)
        self._connection.execute("set checkpoint_threshold = '1GB'")

    def add(self, records: Sequence[Record], vectors: Sequence[VectorRow] = ()) -> None:
        """
        Take records and captured embeddings as they are.

        Raises:
            StorageError: The disk does not take them.
        """
        assert self._connection is not None
        try:
            self._connection.execute("begin")
            insert(self._connection, records, vectors)
            self._connection.execute("commit")
        except duckdb.Error as error:
            raise StorageError(f"The store {str(self._files.database)!r} could not be made: {error}") from error

    def verify(self, expect: Head) -> VerifyReport:
        """Go through all that it holds; it must reach *expect*."""
        assert self._connection is not None
        cursor = self._connection.cursor()
        try:
            cursor.execute("use store")
            return verify_rows(StoredRows(cursor), log_id=self._log_id, testimony=None, expect=expect)
        finally:
            cursor.close()

    def install(self, head: Head) -> None:
        """
        Give it its name; a crash leaves nothing, or all of it.

        Raises:
            StorageError: The disk does not take it.
        """
        assert self._connection is not None
        with disk_errors(self._files.database, "be made"):
            try:
                self._connection.execute("checkpoint store")
            except duckdb.Error as error:
                raise StorageError(f"The store {str(self._files.database)!r} could not be made: {error}") from error
            self._close()
            _sync(self._new)
            # First, as for every new store: it says that nothing was acknowledged yet, so that a database may follow.
            make_witness(self._files.witness, Slot(self._log_id, EMPTY))
            self._new.database.rename(self._files.database)
            sync_folder(self._files.database.parent)
            make_witness(self._files.witness, Slot(self._log_id, head))

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()
        discard(self._new)


def write_without(
    connection: duckdb.DuckDBPyConnection,
    files: StoreFiles,
    *,
    positions: Collection[int],
    texts: Collection[bytes],
    record: Record,
    now: int,
) -> None:
    """
    Write the whole store beside itself, without some of its content and with one more record.

    Args:
        connection: The store, with nothing of it staged.

        files: Its paths.

        positions: Whose bodies are left out.

        texts: Digests of the texts whose vectors are left out, of every embedder.

        record: What is appended.

        now: Microseconds since 1970 UTC.

    Raises:
        StorageError: The disk does not take it; nothing of the store was changed.
    """
    new = files.unfinished
    last = record.position - 1
    try:
        with disk_errors(files.database, "be written anew"):
            discard(new)
            [(created_at,)] = connection.execute("select created_at from store.log").fetchall()
            make_database(new.database, log_id=record.log_id, created_at=created_at, now=now)
            quoted = str(new.database).replace("'", "''")
            connection.execute(f"attach '{quoted}' as fresh (storage_version '{STORAGE_VERSION}')")
            try:
                _copy(connection, last, sorted(positions), list(texts))
                insert(connection, [record], store="fresh")
                _compare(connection, last, len(set(positions)))
                connection.execute("checkpoint fresh")
            finally:
                connection.execute("detach fresh")
            _sync(new)
    except (duckdb.Error, StorageError) as error:
        with contextlib.suppress(OSError):
            discard(new)
        raise StorageError(
            f"The store {str(files.database)!r} could not be written anew, so nothing was changed: {error}"
        ) from error


def _copy(connection: duckdb.DuckDBPyConnection, last: int, positions: Sequence[int], texts: Sequence[bytes]) -> None:
    for start in range(0, last, ROWS_PER_COPY):
        until = min(start + ROWS_PER_COPY, last)
        within = [start, until]
        connection.execute(
            "insert into fresh.records select * from store.records where position > ? and position <= ? "
            "order by position",
            within,
        )
        connection.execute(
            "insert into fresh.bodies select * from store.bodies where position > $1 and position <= $2 "
            "and position not in (select unnest($3::bigint[])) order by position",
            [*within, [p for p in positions if start < p <= until]],
        )
    [(rows,)] = connection.execute("select coalesce(max(rowid), -1) + 1 from store.vectors").fetchall()
    for start in range(0, rows, ROWS_PER_COPY):
        connection.execute(
            "insert into fresh.vectors select * from store.vectors where rowid >= $1 and rowid < $2 "
            "and text not in (select unnest($3::blob[])) order by rowid",
            [start, start + ROWS_PER_COPY, texts],
        )


def _compare(connection: duckdb.DuckDBPyConnection, last: int, purged: int) -> None:
    """Check that nothing else is missing: the old file is about to be given up."""
    [(events, bodies)] = connection.execute(
        "select (select count(*) from fresh.records), (select count(*) from fresh.bodies)"
    ).fetchall()
    [(bodies_before,)] = connection.execute("select count(*) from store.bodies").fetchall()
    wanted = (last + 1, bodies_before - purged + 1)
    if (events, bodies) != wanted:
        raise StorageError(
            f"{wanted[0]} events with {wanted[1]} bodies should have been copied (got {events} and {bodies})."
        )


def put_in_place(files: StoreFiles) -> None:
    """
    Let the new file take the place of the store, which is closed, and remove every other file that held its content.

    What is only a copy or a cache goes first: whatever is killed in between leaves a store that holds no more than
    before, and whoever finds the new file in place finds nothing else.

    Raises:
        OSError: The disk did not take it.

        CorruptStoreError: The old store or the new one still has a write-ahead log.
    """
    for leftover in files.present():
        if leftover != files.database:
            if leftover.stat().st_size:
                raise CorruptStoreError(f"{str(leftover)!r} still holds events, although the store was closed.")
            leftover.unlink()
    if files.unfinished.wal.exists():
        raise CorruptStoreError(f"{str(files.unfinished.wal)!r} holds a part of the new store.")
    if files.quarantine.is_dir():
        shutil.rmtree(files.quarantine)
    for cache in files.caches():
        cache.unlink()
    sync_folder(files.database.parent)
    files.unfinished.database.replace(files.database)
    sync_folder(files.database.parent)


def discard(new: StoreFiles) -> None:
    """Remove what an unfinished store left."""
    for leftover in (*new.present(), new.witness):
        leftover.unlink(missing_ok=True)


def _sync(new: StoreFiles) -> None:
    descriptor = os.open(new.database, os.O_RDONLY)
    try:
        sync_data(descriptor)
    finally:
        os.close(descriptor)
