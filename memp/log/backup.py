"""
Copies of a store: made while it is open, and put in its place again.

A copy is a database with its own witness, so it opens like any store. Copying the file by hand while the store is open
would lose what is in the write-ahead log, and leaves the witness behind.
"""

from __future__ import annotations

import os
from pathlib import Path

import attrs

from memp.errors import CorruptStoreError, InvalidInputError, StoreNotFoundError
from memp.log.files import StoreFiles, copy_durably, disk_errors, keep_copies, sync_folder
from memp.log.identity import Identity
from memp.log.lock import StoreLock
from memp.log.opening import judge, look
from memp.log.witness import Slot, make_witness, read_witness
from memp.record import Head


@attrs.frozen(kw_only=True)
class Restored:
    """
    What putting a copy in place did.

    Attributes:
        head: Where the store ends now.

        before: Where the store that stood there said that it ended; None if there was none, or none that could say.

        quarantine: The folder with what stood there; None if nothing did.
    """

    head: Head
    before: Head | None
    quarantine: Path | None


def copy_store(database: int, wal: Path, target: Path, slot: Slot) -> None:
    """
    Write a copy of a store that stands still.

    Args:
        database: An open descriptor of its database file.

        wal: Its write-ahead log, copied too if it holds anything.

        target: The copy; must not be there.

        slot: What the witness of the copy says.

    Raises:
        InvalidInputError: There is something at *target* already, or no folder for it.

        StorageError: The disk did not take the copy.
    """
    files = StoreFiles(target)
    for path in (files.database, files.wal, files.witness):
        if path.exists():
            raise InvalidInputError(f"A copy never replaces a file, and {str(path)!r} is there. Name another.")
    if not target.parent.is_dir():
        raise InvalidInputError(f"There is no folder {str(target.parent)!r} for the copy.")
    unfinished = files.unfinished
    with disk_errors(target, "be written"):
        copy_durably(database, unfinished.database)
        if wal.exists() and wal.stat().st_size:
            copy_durably(wal, files.wal)
        make_witness(files.witness, slot)
        # Last, so that a copy that has its name is whole.
        unfinished.database.rename(target)
        sync_folder(target.parent)


def restore_backup(copy: str | Path, store: str | Path, *, identity: Identity | None = None) -> Restored:
    """
    Put a copy made by a backup in the place of a store; what stood there is kept in its quarantine folder.

    However this is interrupted, the store is the old one, or one that refuses to be written because its witness speaks
    of another: running it again finishes it.

    Args:
        copy: The copy. It stays as it is.

        store: The store, which need not be there.

        identity: The clock; None takes the system's.

    Raises:
        StoreNotFoundError: There is no copy.

        CorruptStoreError: The copy is damaged or has no witness; nothing was changed.

        StoreLockedError: One of both is open.

        StorageError: The disk did not take it.
    """
    source, files = StoreFiles(Path(copy)), StoreFiles(Path(store))
    now = (identity or Identity()).clock()
    if not source.database.is_file():
        raise StoreNotFoundError(str(copy))
    if not files.database.parent.is_dir():
        raise InvalidInputError(f"There is no folder {str(files.database.parent)!r} for the store.")
    if files.database.exists() and os.path.samefile(source.database, files.database):
        raise InvalidInputError(f"{str(copy)!r} is the store itself. Name a copy that 'memp backup' made.")
    read_lock = StoreLock(source, shared=True, now=now)
    try:
        slot = _slot_of(source)
        write_lock = StoreLock(files, shared=False, now=now)
        try:
            with disk_errors(files.database, "be put in place"):
                return _install(source, files, slot)
        finally:
            write_lock.release()
    finally:
        read_lock.release()


def _slot_of(source: StoreFiles) -> Slot:
    testimony = read_witness(source.witness)
    contents = look(source, testimony)
    loss = judge(testimony, contents)
    if testimony.newest is None or loss is not None or contents.log_id is None:
        why = f"it is not whole: {loss}" if loss else f"its witness {str(source.witness)!r} is missing or damaged"
        raise CorruptStoreError(f"The copy {str(source.database)!r} cannot be trusted: {why}. Nothing was changed.")
    return Slot(contents.log_id, contents.head)


def _install(source: StoreFiles, files: StoreFiles, slot: Slot) -> Restored:
    there = read_witness(files.witness).newest
    quarantine = keep_copies(files) if files.present() or files.witness.exists() else None
    new = files.unfinished
    for leftover in (*new.present(), new.witness):
        leftover.unlink(missing_ok=True)
    copy_durably(source.database, new.database)
    # The old write-ahead log must never meet the new database; without it, the old database fails the old witness.
    for stale in files.present():
        if stale != files.database:
            stale.unlink()
    sync_folder(files.database.parent)
    if source.wal.exists() and source.wal.stat().st_size:
        copy_durably(source.wal, new.wal)
        files.database.unlink(missing_ok=True)
        new.wal.rename(files.wal)
    new.database.rename(files.database)
    sync_folder(files.database.parent)
    make_witness(files.witness, slot)
    return Restored(head=slot.head, before=there.head if there else None, quarantine=quarantine)
