"""What the doctor says of a store, and going on without what is lost."""

from __future__ import annotations

import pytest

from memp import codec
from memp.errors import CorruptStoreError, InvalidInputError, StorageError, StoreNotFoundError
from memp.events import LossAccepted
from memp.log import doctor
from memp.log.doctor import DAMAGED, HEALTHY, LOCKED, LOST, UNWITNESSED, adopt, examine
from memp.log.duckdb import DuckDBLog
from memp.log.files import StoreFiles
from memp.log.lock import StoreLock

from .conftest import Crashed, event, numbers  # noqa: TID252


def everything(files: StoreFiles) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in files.database.parent.iterdir() if path.is_file()}


def test_each_state_of_a_store_is_told_apart(crashed: Crashed) -> None:
    """Healthy, locked, lost, unwitnessed and damaged; looking changes nothing, and the ways out are named."""
    files, heads = crashed()
    before = everything(files)
    found = examine(files.database)
    assert (found.verdict, found.head, found.witness, found.slots) == (HEALTHY, heads[7], heads[7], 2)
    assert found.holder is None
    assert set(found.sizes) == {"agent.duckdb", "agent.duckdb.wal", "agent.duckdb.witness"}
    assert everything(files) == before
    lock = StoreLock(files, shared=False, now=0)
    found = examine(files.database)
    assert found.verdict == LOCKED
    assert found.holder is not None
    lock.release()
    wal = files.wal.read_bytes()
    files.wal.unlink()
    found = examine(files.database)
    assert (found.verdict, found.loss and (found.loss.first, found.loss.last)) == (LOST, (4, 7))
    assert "restore-backup" in found.explanation
    assert "--adopt" in found.explanation
    files.wal.write_bytes(wal[:900] + b"\xff" + wal[901:])
    found = examine(files.database)
    assert found.verdict == DAMAGED
    assert "sets the write-ahead log aside" in found.explanation
    files.wal.write_bytes(wal)
    files.witness.unlink()
    found = examine(files.database)
    assert (found.verdict, found.slots, found.witness) == (UNWITNESSED, 0, None)
    files.database.write_bytes(b"x" * 5000)
    found = examine(files.database)
    assert found.verdict == DAMAGED
    assert "--adopt" not in found.explanation
    with pytest.raises(StoreNotFoundError):
        examine(files.database.with_name("none.duckdb"))


def said(log: DuckDBLog) -> LossAccepted:
    [record] = (record for record in log.read() if record.type == LossAccepted.TYPE)
    event = codec.decode(record.type, record.schema, record.body or b"")
    assert isinstance(event, LossAccepted)
    assert record.actor == "keeper"
    return event


def adopted(files: StoreFiles, left: int) -> LossAccepted:
    """Accept the loss; afterwards the store is written again, and what was found is kept."""
    before = everything(files)
    done = adopt(files.database, actor="keeper", reason="the disk died")
    kept = {path.name: path.read_bytes() for folder in files.quarantine.iterdir() for path in folder.iterdir()}
    assert {name: content for name, content in kept.items() if name in before} == before
    assert done.record.position == left + 1
    assert examine(files.database).verdict == HEALTHY
    log = DuckDBLog(files.database)
    log.append([event(9)], actor="me")
    event_said = said(log)
    assert log.head.position == left + 2
    assert event_said.reason == "the disk died"
    log.close()
    return event_said


def test_a_loss_can_be_accepted(crashed: Crashed) -> None:
    """An event says for ever what was lost."""
    files, heads = crashed()
    files.wal.unlink()
    event = adopted(files, left=3)
    assert (event.expected, event.found, event.first, event.last) == (str(heads[7]), str(heads[3]), 4, 7)


def test_a_store_without_a_witness_can_be_taken_as_it_is(crashed: Crashed) -> None:
    """The event says that nobody could tell."""
    files, heads = crashed()
    files.witness.unlink()
    event = adopted(files, left=7)
    assert (event.expected, event.found, event.first, event.last) == (None, str(heads[7]), None, None)


def test_a_damaged_write_ahead_log_can_be_set_aside(crashed: Crashed) -> None:
    """DuckDB refuses to open with it; without it, what was only there is lost, and named."""
    files, _ = crashed()
    wal = files.wal.read_bytes()
    files.wal.write_bytes(wal[:900] + b"\xff" + wal[901:])
    event = adopted(files, left=3)
    assert (event.first, event.last) == (4, 7)


def test_an_acceptance_that_was_interrupted_can_be_repeated(crashed: Crashed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the new witness stands, the old one refuses the store: nothing is accepted by half."""
    files, _ = crashed()
    files.wal.unlink()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("memp.log.opening.keep_copies", full)
        with pytest.raises(StorageError, match="nothing was changed"):
            adopt(files.database, actor="keeper")
    assert examine(files.database).verdict == LOST
    DuckDBLog(files.database, accept_loss=True).close()
    assert examine(files.database).verdict == LOST
    adopted(files, left=3)


def test_there_must_be_something_to_accept(crashed: Crashed) -> None:
    """A healthy store, a missing one and one that only a backup can mend are refused."""
    files, _ = crashed()
    with pytest.raises(InvalidInputError, match="Nothing is the matter"):
        adopt(files.database, actor="keeper")
    with pytest.raises(InvalidInputError, match="'actor'"):
        adopt(files.database, actor="")
    whole = files.database.read_bytes()
    files.database.write_bytes(whole[:9000])
    with pytest.raises(CorruptStoreError):
        adopt(files.database, actor="keeper")
    files.database.unlink()
    with pytest.raises(StoreNotFoundError):
        doctor.adopt(files.database, actor="keeper")
    files.database.write_bytes(whole)
    log = DuckDBLog(files.database)
    assert numbers(log) == [*range(7)]
    log.close()
