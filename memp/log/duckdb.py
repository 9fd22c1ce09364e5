"""
The log in one DuckDB file: what a user has on disk.

DuckDB rather than SQLite, which commits five times faster: the log is also what people ask questions of, over a year
of events, and the same file answers them. Rows are only ever inserted; statement triggers refuse all else at no cost.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from memp.errors import (
    CorruptStoreError,
    InvalidInputError,
    MempError,
    StorageError,
    StoreNotFoundError,
    StreamGapError,
)
from memp.log.backup import copy_store
from memp.log.base import MAIN, Pending, Staged, VectorKey
from memp.log.copies import Copy, note, noted
from memp.log.files import StoreFiles, disk_errors
from memp.log.group import Group, GroupCommit
from memp.log.identity import Identity
from memp.log.lock import StoreLock
from memp.log.migrate import check_known
from memp.log.opening import attach, open_for_reading, open_for_writing
from memp.log.rewrite import put_in_place, write_without
from memp.log.rows import READ, ROWS_PER_READ, StoredRows
from memp.log.sequencer import Sequencer, Streams
from memp.log.verify import VerifyReport, verify_rows
from memp.log.witness import Slot, Witness, read_witness
from memp.log.writing import Writer
from memp.model import Position
from memp.record import Head, Record, from_header

BULK_ROWS = 10_000
"""From this many rows on, the write-ahead log may grow before it is folded into the file: 2.8 times faster."""


class DuckDBLog:
    """
    An ``EventLog`` in a DuckDB file.

    Args:
        path: The file; made if it is not there and *read_only* is false.

        identity: Times, ids and salts.

        read_only: Refuse to append, and let other readers open the file too. What is there is opened even if some of
            it is lost; a warning says so.

        accept_loss: Go on with what is there although events that were acknowledged are lost, or nobody can tell.
            Copies of what was found are kept, and the first commit makes the witness anew.

    Raises:
        StoreNotFoundError: *read_only*, and there is no such file.

        StoreLockedError: Another process, or another object in this one, has it open.

        TailLostError: Events that were acknowledged are gone.

        WitnessError: No valid witness says where the log must end.

        CorruptStoreError: The file is not a store, or DuckDB finds it damaged.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        identity: Identity | None = None,
        read_only: bool = False,
        accept_loss: bool = False,
    ) -> None:
        self._files = StoreFiles(Path(path))
        self._identity = identity or Identity()
        self._read_only = read_only
        self._order = threading.RLock()
        self._lock = threading.RLock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._writer: Writer | None = None
        self._witness: Witness | None = None
        self._lost: BaseException | None = None
        # Stays open once it is needed: closing any descriptor of the file would take DuckDB's own lock on it away.
        self._descriptor: int | None = None
        # Held by whoever needs the file to stay the one that it is, and by whoever replaces it.
        self._whole_file = threading.Lock()
        self._staged: dict[Position, tuple[Record, Group]] = {}
        self._groups = GroupCommit(self._commit, failed=self._take_failure)
        if read_only and not self._files.database.exists():
            raise StoreNotFoundError(str(path))
        if self._files.database.is_dir() or not self._files.database.parent.is_dir():
            raise InvalidInputError(f"A store is one file in a folder that is there (got {str(path)!r}).")
        self._held = StoreLock(self._files, shared=read_only, now=self._identity.clock())
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self.close)
            self._open(accept_loss=accept_loss)
            on_failure.pop_all()

    def _open(self, *, accept_loss: bool = False) -> None:
        """Open the files and take up where the log ends."""
        if self._read_only:
            self._connection = open_for_reading(self._files)
        else:
            self._connection = open_for_writing(self._files, identity=self._identity, accept_loss=accept_loss)
            self._writer = Writer(self._connection)
        self._sequencer = Sequencer(self._own_log_id(), identity=self._identity, load=self._load)
        self._restore()
        self._known: set[VectorKey] | None = None
        self._head = self._sequencer.head
        # After a loss, the old witness refuses the store until an event is there that says what was lost.
        if not self._read_only and not accept_loss:
            self._witness = Witness(self._files.witness, Slot(self.log_id, self._head))

    @property
    def log_id(self) -> str:
        """The id of this log; random, made with the file."""
        return self._sequencer.log_id

    @property
    def head(self) -> Head:
        """Where the log ends, as far as it was acknowledged."""
        return self._head

    def append(
        self,
        pending: Sequence[Pending],
        *,
        actor: str,
        branch: str = MAIN,
        vectors: Mapping[VectorKey, bytes] | None = None,
    ) -> tuple[Record, ...]:
        """See ``EventLog.append``."""
        return self.stage(pending, actor=actor, branch=branch, vectors=vectors).wait()

    def stage(
        self,
        pending: Sequence[Pending],
        *,
        actor: str,
        branch: str = MAIN,
        vectors: Mapping[VectorKey, bytes] | None = None,
    ) -> Staged:
        """See ``EventLog.stage``."""
        with self._order:
            self._check_writable()
            if (said := self._sequencer.said_before(pending, branch=branch)) is not None:
                return self._as_staged(said)
            records = self._sequencer.sequence(pending, actor=actor, branch=branch)
            known = self._known_vectors() if vectors else set()
            fresh = {key: vector for key, vector in (vectors or {}).items() if key not in known}
            group = self._groups.add(records, fresh)
            for record in records:
                self._sequencer.follow(record)
                self._staged[record.position] = (record, group)
            known.update(fresh)
            return Staged(records, lambda: self._groups.wait(group))

    def _known_vectors(self) -> set[VectorKey]:
        """Return what is stored or staged, asked of the store when the first is captured: readers need none of it."""
        if self._known is None:
            self._known = {VectorKey(*row) for row in self._rows("select embedder, text from store.vectors")}
        return self._known

    def _as_staged(self, records: tuple[Record, ...]) -> Staged:
        """Return records that are there already; those of a group that is not durable yet are waited for."""
        waiting = self._staged.get(records[-1].position)
        if waiting is None:
            return Staged(records, lambda: None)
        return Staged(records, lambda: self._groups.wait(waiting[1]))

    def said(self, key: str, *, branch: str = MAIN) -> tuple[Record, ...]:
        """See ``EventLog.said``."""
        with self._order:
            position = self._sequencer.position_of(key, branch=branch)
            if position is None:
                return ()
            waiting = self._staged.get(position)
        if waiting is not None:
            self._groups.wait(waiting[1])
        [first] = self.read(after=position - 1, until=position)
        return tuple(self.read(after=position - 1, until=position - 1 + first.batch_size))

    @property
    def failed(self) -> bool:
        """See ``EventLog.failed``."""
        return self._lost is not None

    def recover(self) -> None:
        """See ``EventLog.recover``."""
        with self._order, self._lock:
            self._open_connection()
            if self._lost is not None:
                self._reopen()
                self._lost = None

    def read(self, *, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """See ``EventLog.read``."""
        last = self._head.position if until is None else min(until, self._head.position)
        for start in range(max(after, 0), last, ROWS_PER_READ):
            for _, header, digest, _, salt, body in self._rows(READ, [start, min(start + ROWS_PER_READ, last)]):
                yield from_header(header, digest, salt, body)

    def vectors(self, embedder: str, *, after: int = 0) -> Iterator[tuple[bytes, bytes]]:
        """See ``EventLog.vectors``."""
        [(count,)] = self._rows("select coalesce(max(rowid), -1) + 1 from store.vectors")
        for start in range(after, count, ROWS_PER_READ):
            yield from self._rows(
                "select text, vector from store.vectors where rowid >= ? and rowid < ? and embedder = ? order by rowid",
                [start, start + ROWS_PER_READ, embedder],
            )

    def verify(self, *, expect: Head | None = None) -> VerifyReport:
        """See ``EventLog.verify``."""
        self._groups.flush()
        with self._whole_file:
            testimony = read_witness(self._files.witness)
            cursor = self._open_connection().cursor()
            try:
                cursor.execute("use store")
                return verify_rows(StoredRows(cursor), log_id=self.log_id, testimony=testimony, expect=expect)
            finally:
                cursor.close()

    def vector_counts(self) -> dict[str, int]:
        """See ``EventLog.vector_counts``."""
        return dict(self._rows("select embedder, count(*) from store.vectors group by embedder"))

    def embedders(self) -> list[str]:
        """See ``EventLog.embedders``."""
        return [name for (name,) in self._rows("select distinct embedder from store.vectors order by embedder")]

    def purge(self, positions: Collection[int], *, texts: Collection[bytes], pending: Pending, actor: str) -> Record:
        """See ``EventLog.purge``."""
        self._groups.flush()
        with self._whole_file, self._order, self._lock:
            self._check_writable()
            assert not self._staged, "nobody stages during a purge"
            [record] = self._sequencer.sequence([pending], actor=actor, branch=MAIN)
            write_without(
                self._open_connection(),
                self._files,
                positions=positions,
                texts=texts,
                record=record,
                now=self._identity.clock(),
            )
            self._swap(record)
            return record

    def _swap(self, record: Record) -> None:
        """Open the new file, which ends with *record*, in place of the old one."""
        self._disconnect()
        try:
            with disk_errors(self._files.database, "be written anew"):
                put_in_place(self._files)
        finally:
            try:
                self._reopen()
            except MempError as error:
                self._lost = error
                in_doubt = StorageError(f"The store could not be opened again: {error}", in_doubt=True)
                raise in_doubt from error
        assert self._head == Head(record.position, record.digest)

    def note_copy(self, kind: str, path: str | Path, head: Head) -> None:
        """See ``EventLog.note_copy``."""
        copy = Copy(kind=kind, path=str(Path(path).absolute()), position=head.position, made_at=self._identity.clock())
        note(self._files.copies, copy)

    def copies(self) -> tuple[Copy, ...]:
        """See ``EventLog.copies``."""
        return noted(self._files.copies)

    def backup(self, path: str | Path) -> Head:
        """See ``EventLog.backup``."""
        self._groups.flush()
        with self._order, self._lock:
            connection = self._open_connection()
            if not self._read_only:
                try:
                    connection.execute("checkpoint store")
                except duckdb.Error as error:
                    raise StorageError(
                        f"The store {str(self._files.database)!r} could not be written: {error}"
                    ) from error
            if self._descriptor is None:
                self._descriptor = os.open(self._files.database, os.O_RDONLY | os.O_CLOEXEC)
            copy_store(self._descriptor, self._files.wal, Path(path), Slot(self.log_id, self._head))
            self.note_copy("backup", path, self._head)
            return self._head

    def close(self) -> None:
        """See ``EventLog.close``."""
        if self._connection is not None and self._lost is None:
            # Whoever staged these and did not wait has given them up; they are there all the same.
            with contextlib.suppress(StorageError):
                self._groups.flush()
        with self._order, self._lock:
            self._disconnect()
            self._held.release()

    def _disconnect(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        witness, self._witness = self._witness, None
        if witness is not None:
            witness.close()
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _check_writable(self) -> None:
        self._open_connection()
        if self._read_only:
            raise InvalidInputError(
                f"The store {str(self._files.database)!r} is open for reading only. Open it without read_only."
            )
        if self._lost is not None:
            raise StorageError(
                f"The store {str(self._files.database)!r} takes no events since a commit failed ({self._lost}). "
                "Make room or mend the disk, then recover() or open it again."
            ) from self._lost

    def _open_connection(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise InvalidInputError("This store is closed. Open it again with memp.open(…).")
        return self._connection

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows at once: DuckDB refuses a second statement while a result is unfinished."""
        with self._lock:
            try:
                return self._open_connection().execute(query, values).fetchall()
            except duckdb.Error as error:
                raise CorruptStoreError(f"The store {str(self._files.database)!r} cannot be read: {error}") from error

    def _load(self, position: Position) -> Record:
        if position in self._staged:
            return self._staged[position][0]
        return next(self.read(after=position - 1, until=position))

    def _own_log_id(self) -> str:
        rows = self._rows("select log_id from store.log")
        if len(rows) != 1:
            raise CorruptStoreError(f"The store {str(self._files.database)!r} must hold one log (got {len(rows)}).")
        return str(rows[0][0])

    def _restore(self) -> None:
        """Tell the sequencer where the stored log ends, without reading its bodies."""
        [(count, last)] = self._rows("select count(*), coalesce(max(position), 0) from store.records")
        if count != last:
            raise StreamGapError("Position", expected=count, found=last)
        if last == 0:
            return
        # Times never go backwards, so the last is the latest.
        [(digest, recorded_at)] = self._rows("select digest, recorded_at from store.events where position = ?", [last])
        self._sequencer.restore(Head(last, digest), recorded_at=recorded_at, look=self._streams)

    def _streams(self) -> Streams:
        versions = self._rows("select branch, stream, max(version) from store.events group by branch, stream")
        keys = self._rows("select branch, key, position from store.events where key is not null")
        return Streams(
            versions={(branch, stream): version for branch, stream, version in versions},
            keys={(branch, key): position for branch, key, position in keys},
        )

    def _commit(self, group: Group) -> None:
        """
        Make *group* durable, all or none, and let the witness say so.

        Raises:
            StorageError: It is not durable, or nobody can say.
        """
        records = group.records
        with self._lock:
            bulk = self._store(records, group.vectors)
            head = Head(records[-1].position, records[-1].digest)
            if self._witness is None:
                self._witness = Witness(self._files.witness, Slot(self.log_id, head))
            else:
                self._witness.advance(head)
            self._head = head
            if bulk:
                self._fold()
        with self._order:
            for record in records:
                self._staged.pop(record.position, None)

    def _store(self, records: Sequence[Record], vectors: Mapping[VectorKey, bytes]) -> bool:
        """Commit *records* and *vectors*; return whether they were so many that the write-ahead log was let grow."""
        connection = self._open_connection()
        assert self._writer is not None
        bulk = len(records) >= BULK_ROWS
        try:
            if bulk:
                connection.execute("set checkpoint_threshold = '1GB'")
            self._writer.commit(records, [(key.embedder, key.text, vector) for key, vector in vectors.items()])
        except duckdb.Error as error:
            raise StorageError(
                f"The store {str(self._files.database)!r} did not take {len(records)} events: {error} "
                "Make room or mend the disk, then try again."
            ) from error
        return bulk

    def _fold(self) -> None:
        """Fold the write-ahead log into the file after many rows; what it holds is durable either way."""
        connection = self._open_connection()
        with contextlib.suppress(duckdb.Error):
            connection.execute("reset checkpoint_threshold")
            connection.execute("checkpoint store")

    def _take_failure(self, error: BaseException) -> None:
        """
        Stop taking events, forget what was staged, and look at what the disk holds.

        After some failures DuckDB refuses even to read until its file is opened again.
        """
        with self._order, self._lock:
            self._lost = error
            acknowledged = self._head
            with contextlib.suppress(MempError):
                self._reopen()
            if isinstance(error, StorageError) and self._head.position > acknowledged.position:
                error.in_doubt = True

    def _reopen(self) -> None:
        """Open the files again; for reading, as long as they cannot be written."""
        self._disconnect()
        self._staged.clear()
        try:
            self._open()
        except MempError:
            self._disconnect()
            self._connection = attach(self._files.database, read_only=True)
            raise


def verify_store(path: str | Path, *, expect: Head | None = None) -> VerifyReport:
    """
    Verify a store that may be too damaged to be opened as a log.

    Raises:
        StoreNotFoundError: There is none.

        StoreLockedError: Another process has it open for writing.

        CorruptStoreError: It is no store, or DuckDB finds it damaged.
    """
    files = StoreFiles(Path(path))
    if not files.database.is_file():
        raise StoreNotFoundError(str(path))
    lock = StoreLock(files, shared=True, now=Identity().clock())
    try:
        connection = attach(files.database, read_only=True)
        try:
            check_known(connection)
            rows = StoredRows(connection)
            return verify_rows(rows, log_id=rows.log_id(), testimony=read_witness(files.witness), expect=expect)
        except duckdb.Error as error:
            raise CorruptStoreError(f"The store {str(path)!r} cannot be read: {error}") from error
        finally:
            connection.close()
    finally:
        lock.release()
