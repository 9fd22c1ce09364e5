"""
What is the matter with a store, and what can be done: the words behind ``memp doctor``.

Looking changes nothing. Going on without what is lost is the one thing that it can do, and only when it is told to:
copies are kept first, and an event says for ever what was lost.
"""

from __future__ import annotations

from pathlib import Path

import attrs

from memp import codec
from memp.errors import CorruptStoreError, InvalidInputError, MempError, StoreNotFoundError
from memp.events import LossAccepted
from memp.log.base import Pending
from memp.log.duckdb import DuckDBLog
from memp.log.files import StoreFiles, disk_errors, keep_copies
from memp.log.identity import Identity
from memp.log.lock import Holder, StoreLock, read_holder
from memp.log.opening import EMPTY, Contents, Loss, judge, look
from memp.log.witness import WitnessSlots, read_witness
from memp.model import EventId
from memp.record import Head, Record

HEALTHY = "healthy"
"""Nothing is the matter."""

LOST = "lost"
"""Events that were acknowledged are not there."""

UNWITNESSED = "unwitnessed"
"""No valid witness: nobody can say whether the end is missing."""

DAMAGED = "damaged"
"""DuckDB cannot open the file, or it is no store."""

LOCKED = "locked"
"""Somebody has it open, so that nobody else can look."""


@attrs.frozen(kw_only=True)
class Diagnosis:
    """
    What is known of a store.

    Attributes:
        path: The store.

        verdict: ``healthy``, ``lost``, ``unwitnessed``, ``damaged`` or ``locked``.

        explanation: The same in a sentence, with what can be done.

        log_id: The log; None if it could not be read.

        head: Where the log ends; None if it could not be read.

        witness: Where the witness says that it must end; None if no slot can be read.

        slots: How many of the witness's two slots can be read.

        loss: What is lost; None if nothing is known to be.

        holder: Who has it open, or had when a crash left the lock file; None if nobody.

        sizes: Name of each file of the store to its size in bytes.

        quarantine: The folders with copies of what was found damaged.
    """

    path: str
    verdict: str
    explanation: str
    log_id: str | None
    head: Head | None
    witness: Head | None
    slots: int
    loss: Loss | None
    holder: Holder | None
    sizes: dict[str, int]
    quarantine: tuple[str, ...]


def examine(path: str | Path) -> Diagnosis:
    """
    Return what is the matter with the store at *path*, without changing it.

    Raises:
        StoreNotFoundError: There is nothing.
    """
    files = StoreFiles(Path(path))
    if not files.database.is_file() and not files.witness.is_file():
        raise StoreNotFoundError(str(path))
    testimony, holder = read_witness(files.witness), read_holder(files.lock)
    contents: Contents | None = None
    problem: MempError | None = None
    try:
        lock = StoreLock(files, shared=True, now=Identity().clock())
        try:
            contents = look(files, testimony)
        finally:
            lock.release()
    except MempError as error:
        problem = error
    loss = judge(testimony, contents) if contents is not None else None
    verdict, explanation = _verdict(files, testimony, loss, problem)
    return Diagnosis(
        path=str(path),
        verdict=verdict,
        explanation=explanation,
        log_id=contents.log_id if contents else None,
        head=contents.head if contents else None,
        witness=testimony.newest.head if testimony.newest else None,
        slots=len(testimony.valid),
        loss=loss,
        holder=holder,
        sizes={
            one.name: one.stat().st_size for one in (*files.present(), files.witness, *files.caches()) if one.is_file()
        },
        quarantine=tuple(sorted(str(folder) for folder in files.quarantine.glob("*"))),
    )


def _verdict(
    files: StoreFiles, testimony: WitnessSlots, loss: Loss | None, problem: MempError | None
) -> tuple[str, str]:
    restore = f"put a backup in its place with 'memp restore-backup COPY {files.database}'"
    adopt = f"go on with what is there with 'memp doctor {files.database} --adopt'"
    if isinstance(problem, CorruptStoreError):
        aside = f"; or {adopt}, which sets the write-ahead log aside with all that is only there"
        return DAMAGED, f"{problem} To mend it, {restore}{aside if _blames_wal(problem) else ''}."
    if problem is not None:
        return LOCKED, f"{problem} Only who has it open can say more."
    if loss is not None:
        return LOST, (
            f"It is not whole: {loss}. It stays readable as it is and refuses to be written. To mend it, {restore}; "
            f"or {adopt}, which records what was lost."
        )
    if testimony.newest is None:
        return UNWITNESSED, (
            f"The witness {files.witness.name!r} is missing or damaged, so nobody can tell whether the last events "
            "are missing. It stays readable as it is. If you know where it must end, compare with 'memp head'; then "
            f"{adopt}, which makes a new witness and records that. Otherwise, {restore}."
        )
    if testimony.damaged:
        return HEALTHY, "Nothing is lost. One of the two slots of the witness is damaged; the next opening mends it."
    return HEALTHY, "Nothing is lost: the log reaches what was acknowledged."


def _blames_wal(problem: MempError) -> bool:
    return "replaying WAL" in str(problem)


@attrs.frozen(kw_only=True)
class Adopted:
    """
    What accepting a loss did.

    Attributes:
        record: The event that says so.

        quarantine: The folders with copies of what was found.
    """

    record: Record
    quarantine: tuple[str, ...]


def adopt(path: str | Path, *, actor: str, reason: str = "", identity: Identity | None = None) -> Adopted:
    """
    Go on with what is there: keep copies, record what was lost, and make a new witness.

    Args:
        path: The store.

        actor: Who decides.

        reason: One sentence for people.

        identity: Times and ids; None takes the system's.

    Raises:
        InvalidInputError: Nothing is the matter, or the actor is empty.

        StoreNotFoundError: There is no database to go on with.

        CorruptStoreError: DuckDB cannot open the database: only a backup helps.

        StoreLockedError: Somebody has it open.

        StorageError: There is no room for the copies; nothing was changed.
    """
    identity = identity or Identity()
    found = examine(path)
    files = StoreFiles(Path(path))
    if not actor:
        raise InvalidInputError("'actor' must name who decides (got an empty text).")
    if found.verdict == HEALTHY:
        raise InvalidInputError(f"Nothing is the matter with {str(path)!r}: there is no loss to accept.")
    if not files.database.is_file():
        raise StoreNotFoundError(str(path))
    if found.verdict == DAMAGED:
        found = _without_wal(path, files, identity)
    head = found.head or EMPTY
    event = LossAccepted(
        expected=str(found.witness) if found.witness else None,
        found=str(head),
        first=found.loss.first if found.loss else None,
        last=found.loss.last if found.loss else None,
        reason=reason,
    )
    pending = Pending(
        event_id=EventId(identity.event_id()),
        stream=event.stream,
        type=event.TYPE,
        schema=event.VERSION,
        body=codec.encode(event),
    )
    log = DuckDBLog(path, identity=identity, accept_loss=True)
    try:
        [record] = log.append([pending], actor=actor)
    finally:
        log.close()
    return Adopted(record=record, quarantine=examine(path).quarantine)


def _without_wal(path: str | Path, files: StoreFiles, identity: Identity) -> Diagnosis:
    """Set a write-ahead log aside that DuckDB cannot replay, and look again."""
    try:
        look(files, read_witness(files.witness))
    except CorruptStoreError as error:
        if not _blames_wal(error):
            raise
    lock = StoreLock(files, shared=False, now=identity.clock())
    try:
        with disk_errors(files.database, "be copied, so nothing was changed"):
            keep_copies(files)
            for one in files.present():
                if one != files.database:
                    one.unlink()
    finally:
        lock.release()
    return examine(path)
