"""
Opening the files of a store: look first, compare with the witness, and only then let DuckDB write.

Opening a damaged file for writing folds the write-ahead log into it and removes what would show the damage. So a store
is first opened for reading only, which changes nothing, and what is found is held against the witness. A new store is
made under another name and put in its place with its witness, so that no crash leaves a file that cannot be opened.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from pathlib import Path

import attrs
import duckdb

from memp.errors import (
    CorruptStoreError,
    InvalidInputError,
    MempError,
    StorageError,
    StoreLockedError,
    StoreNotFoundError,
    TailLostError,
    WitnessError,
)
from memp.log.files import StoreFiles, disk_errors, keep_copies, sync_folder
from memp.log.identity import Identity
from memp.log.migrate import check_known, migrate
from memp.log.witness import Slot, WitnessSlots, make_witness, read_witness
from memp.model import Position
from memp.record import GENESIS, Head

STORAGE_VERSION = "v2.0.0"
"""Pinned, so that a later DuckDB goes on writing what this one can read."""

MAGIC = b"DUCK"
"""What stands at byte 8 of every DuckDB file."""

EMPTY = Head(Position(0), GENESIS)
"""Where a log without events ends."""


@attrs.frozen(kw_only=True)
class Contents:
    """
    What a look into a store found.

    Attributes:
        log_id: The log; None if there is no database, or no log in it.

        head: Where it ends.

        digests: Digest of the record at each position that was asked for and is there.
    """

    log_id: str | None
    head: Head
    digests: dict[int, bytes]


@attrs.frozen(kw_only=True)
class Loss:
    """
    What a store lacks that was acknowledged.

    Attributes:
        expected: Where the log ended when an event was acknowledged last.

        found: Where it ends now.

        first: The first position that is lost, or that may be another event than was acknowledged.

        last: The last such position.

        foreign: Whether the database is of another log altogether.
    """

    expected: Head
    found: Head
    first: int
    last: int
    foreign: bool = False

    def __str__(self) -> str:
        if self.foreign:
            return f"it is of another log than the one that the witness saw, which reached position {self.last}"
        if self.found.position < self.last:
            return (
                f"what was acknowledged at {self.range} is gone. "
                f"The log ends at {self.found.position} and must reach {self.expected.position}"
            )
        return f"position {self.last} holds another event than was acknowledged there; {self.range} may be others"

    @property
    def range(self) -> str:
        """The lost positions in words."""
        if self.first == self.last:
            return f"position {self.first}"
        return f"positions {self.first} to {self.last}"


def judge(testimony: WitnessSlots, contents: Contents) -> Loss | None:
    """
    Return what *contents* lacks of what the witness saw; None if nothing.

    A log that goes on behind the witness is fine: what stands there is durable, and nobody was told so yet. Without a
    slot that can be read there is nothing to compare with, and None says only that.
    """
    slot = testimony.newest
    if slot is None or (slot.head == EMPTY and contents.log_id in (None, slot.log_id)):
        return None
    head, found = slot.head, contents.head
    foreign = contents.log_id not in (None, slot.log_id)
    if not foreign and contents.digests.get(head.position) == head.digest:
        return None
    if foreign:
        first = 1
    elif found.position < head.position:
        first = found.position + 1
    else:
        agreed = [s.head.position for s in testimony.valid if contents.digests.get(s.head.position) == s.head.digest]
        first = max(agreed, default=0) + 1
    return Loss(expected=head, found=found, first=first, last=head.position, foreign=foreign)


def look(files: StoreFiles, testimony: WitnessSlots) -> Contents:
    """
    Return what is in the store, without changing a byte of its files.

    Raises:
        CorruptStoreError: It is no store, DuckDB finds it damaged, or a newer version of memp wrote it.

        StoreLockedError: Another process has it open.
    """
    if not files.database.exists():
        return Contents(log_id=None, head=EMPTY, digests={})
    connection = attach(files.database, read_only=True)
    try:
        check_known(connection)
        return contents_of(connection, testimony)
    except duckdb.Error as error:
        raise _opening_error(files.database, error) from error
    finally:
        connection.close()


def contents_of(connection: duckdb.DuckDBPyConnection, testimony: WitnessSlots) -> Contents:
    """Return what is in the store that *connection* has attached."""
    log = connection.execute("select log_id from store.log").fetchall()
    [(last,)] = connection.execute("select coalesce(max(position), 0) from store.records").fetchall()
    wanted = sorted({last, *(slot.head.position for slot in testimony.valid)})
    digests = dict(
        connection.execute("select position, digest from store.records where position in $1", [wanted]).fetchall()
    )
    digests[0] = GENESIS
    return Contents(log_id=log[0][0] if log else None, head=Head(Position(last), digests[last]), digests=digests)


def open_for_reading(files: StoreFiles) -> duckdb.DuckDBPyConnection:
    """
    Open what is there, and warn if it is not all that was acknowledged.

    Raises:
        StoreNotFoundError: There is no database.

        CorruptStoreError: It is no store, or DuckDB finds it damaged.
    """
    if not files.database.exists():
        raise StoreNotFoundError(str(files.database))
    testimony = read_witness(files.witness)
    connection = attach(files.database, read_only=True)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(connection.close)
        try:
            migrate(connection, applied_at=0, read_only=True)
            loss = judge(testimony, contents_of(connection, testimony))
        except duckdb.Error as error:
            raise _opening_error(files.database, error) from error
        on_failure.pop_all()
    if testimony.newest is None:
        _warn(f"no valid witness stands beside {str(files.database)!r}, so its last events may be missing")
    elif loss is not None:
        _warn(f"{str(files.database)!r} is not whole: {loss}")
    return connection


def _warn(what: str) -> None:
    warnings.warn(f"Reading what is there: {what}. 'memp doctor' says more.", RuntimeWarning, stacklevel=5)


def open_for_writing(files: StoreFiles, *, identity: Identity, accept_loss: bool) -> duckdb.DuckDBPyConnection:
    """
    Open the store, made if it is not there, once it is clear that nothing is lost.

    Args:
        files: The store, locked.

        identity: Time and id of a new store.

        accept_loss: Go on with what is there whatever the witness says; copies are kept first.

    Raises:
        TailLostError: Events that were acknowledged are gone. Copies of what was found are kept.

        WitnessError: There is no valid witness.

        CorruptStoreError: It is no store, or DuckDB finds it damaged.

        StorageError: The disk does not take a new store.
    """
    testimony = read_witness(files.witness)
    contents = look(files, testimony)
    loss = judge(testimony, contents)
    if accept_loss:
        with disk_errors(files.database, "be copied, so nothing was changed"):
            keep_copies(files)
    elif loss is not None:
        raise _tail_lost(files, loss)
    elif files.database.exists() and testimony.newest is None:
        raise WitnessError(str(files.database), witness=str(files.witness))
    if testimony.damaged:
        warnings.warn(
            f"One of the two slots of {str(files.witness)!r} could not be read; the other served. It is written anew.",
            RuntimeWarning,
            stacklevel=4,
        )
    if not files.database.exists():
        _create(files, identity)
    connection = attach(files.database, read_only=False)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(connection.close)
        try:
            migrate(connection, applied_at=identity.clock())
            # A purge or an import that was killed leaves a store that never got its name.
            for leftover in (*files.unfinished.present(), files.unfinished.witness):
                leftover.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"What an unfinished store left could not be removed: {error}.") from error
        except duckdb.Error as error:
            raise _opening_error(files.database, error) from error
        on_failure.pop_all()
    return connection


def _tail_lost(files: StoreFiles, loss: Loss) -> TailLostError:
    quarantine: Path | None = None
    try:
        quarantine = keep_copies(files)
    except OSError as error:
        warnings.warn(f"No copies could be made of what was found: {error}.", RuntimeWarning, stacklevel=5)
    return TailLostError(
        str(files.database),
        f"The store {str(files.database)!r} is not whole: {loss}.",
        expected=loss.expected,
        found=loss.found,
        first=loss.first,
        last=loss.last,
        quarantine=quarantine,
    )


def _create(files: StoreFiles, identity: Identity) -> None:
    """
    Make a store whose database and witness are there together.

    The witness is put in place first: a witness of an empty log without a database is what a crash may leave, and says
    that nothing was acknowledged yet.
    """
    if files.present():
        raise CorruptStoreError(
            f"There is a write-ahead log {str(files.wal)!r} and no database that it belongs to. "
            "Put the database back, or move the log away to start a new store."
        )
    new = files.unfinished
    with disk_errors(files.database, "be made"):
        for leftover in (*new.present(), new.witness):
            leftover.unlink(missing_ok=True)
        log_id = identity.random_id()
        make_database(new.database, log_id=log_id, created_at=identity.clock(), now=identity.clock())
        make_witness(files.witness, Slot(log_id, EMPTY))
        new.database.rename(files.database)
        sync_folder(files.database.parent)


def make_database(path: Path, *, log_id: str, created_at: int, now: int) -> None:
    """
    Make a database with all tables and no events.

    Args:
        path: The file; not there.

        log_id: The log that it is to hold.

        created_at: When that log began, microseconds since 1970 UTC.

        now: What time it is, in the same unit.

    Raises:
        StorageError: The disk does not take it.
    """
    connection = attach(path, read_only=False)
    try:
        migrate(connection, applied_at=now)
        connection.execute("insert into store.log values (?, ?)", [log_id, created_at])
        connection.execute("checkpoint store")
    except duckdb.Error as error:
        raise StorageError(f"The store {str(path)!r} could not be made: {error}") from error
    finally:
        connection.close()


def attach(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """
    Open *path* as the database ``store`` of a new instance that loads no extension and reaches no network.

    Raises:
        InvalidInputError: It is a folder, or is in none.

        StoreLockedError: A process that does not know of the lock file has it open.

        CorruptStoreError: It is no database, or DuckDB finds it damaged.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise InvalidInputError(f"A store is one file in a folder that is there (got {str(path)!r}).")
    _check_magic(path)
    connection = duckdb.connect(
        # One thread: rows are read and written in order, so that others would only hand them on.
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": "1"},
    )
    options = f"storage_version '{STORAGE_VERSION}'" + (", read_only" if read_only else "")
    quoted = str(path).replace("'", "''")
    try:
        connection.execute(f"attach '{quoted}' as store ({options})")
        connection.execute("use store")
        connection.execute("set enable_progress_bar = false")
    except duckdb.Error as error:
        connection.close()
        raise _opening_error(path, error) from error
    return connection


def _check_magic(path: Path) -> None:
    """Refuse a file that begins as no DuckDB file does: by its name alone, DuckDB would open some as something else."""
    if not path.is_file():
        return
    with path.open("rb") as stream:
        beginning = stream.read(12)
    if beginning and beginning[8:] != MAGIC:
        raise CorruptStoreError(
            f"{str(path)!r} is no store: it does not begin as a DuckDB file does. If it holds runs, name it behind the "
            "store: 'memp learn STORE RUNS'. If it was a store, 'memp restore-backup' puts a copy in its place."
        )


def _opening_error(path: Path, error: duckdb.Error) -> MempError:
    """Return what *error*, raised while the store is opened, means to a user."""
    text = str(error)
    if "Could not set lock" in text:
        holder = re.search(r"\(PID (\d+)[^)]*\)", text)
        pid = int(holder[1]) if holder else None
        return StoreLockedError(str(path), holder=f"process {pid}" if pid else "by whom is not known", pid=pid)
    if "already attached" in text:
        return StoreLockedError(str(path), holder="in this process, and not closed")
    if any(word in text for word in ("Could not write", "fsync failed", "No space left")):
        return StorageError(f"The store {str(path)!r} could not be written: {text}")
    return CorruptStoreError(f"{str(path)!r} cannot be opened as a store: {text}")
