"""Opening a store: what is lost is noticed before anything is written, and named."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from pathlib import Path

import duckdb
import pytest

import memp
from memp.errors import CorruptStoreError, NewerStoreError, StoreNotFoundError, TailLostError, WitnessError
from memp.log.duckdb import DuckDBLog
from memp.log.files import StoreFiles
from memp.log.identity import Identity
from memp.log.opening import EMPTY, Contents, judge
from memp.log.witness import SLOT_BYTES, UNREADABLE, Slot, WitnessSlots, make_witness, read_witness
from memp.model import Position
from memp.record import Head

from .conftest import Crashed, event, numbers  # noqa: TID252


def digest(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def head(position: int, said: int | None = None) -> Head:
    return Head(Position(position), digest(position if said is None else said))


def contents(last: int, log_id: str | None = "log") -> Contents:
    return Contents(log_id=log_id, head=head(last), digests={n: head(n).digest for n in range(1, last + 1)})


def slots(*heads: Head) -> WitnessSlots:
    one, other = (Slot("log", head) for head in heads)
    return WitnessSlots((one, other))


@pytest.mark.parametrize(
    ("witness", "last", "lost"),
    [
        (slots(head(7), head(6)), 7, None),
        (slots(head(6), head(7)), 9, None),
        (slots(head(7), head(7)), 5, (6, 7)),
        (slots(head(7), head(6)), 0, (1, 7)),
        (slots(head(7, said=70), head(6)), 9, (7, 7)),
        (slots(head(7, said=70), head(7, said=70)), 9, (1, 7)),
        (UNREADABLE, 5, None),
        (slots(EMPTY, EMPTY), 0, None),
    ],
)
def test_what_is_lost_is_named(witness: WitnessSlots, last: int, lost: tuple[int, int] | None) -> None:
    """A log that goes on behind the witness is fine; one that ends before it, or went another way, is not."""
    loss = judge(witness, contents(last))
    assert (None if loss is None else (loss.first, loss.last)) == lost


def test_another_log_is_not_this_one() -> None:
    """A database of another log under this witness has lost all that the witness saw."""
    loss = judge(slots(head(7), head(7)), contents(9, log_id="other"))
    assert loss is not None
    assert loss.foreign
    assert judge(slots(EMPTY, EMPTY), contents(9, log_id="other")) is not None
    assert judge(slots(EMPTY, EMPTY), Contents(log_id=None, head=EMPTY, digests={})) is None


def test_after_a_crash_everything_is_there(crashed: Crashed) -> None:
    """A store that was killed opens for reading and for writing with all that was acknowledged."""
    files, heads = crashed()
    reading = DuckDBLog(files.database, read_only=True)
    assert (numbers(reading), reading.head) == ([*range(7)], heads[-1])
    reading.close()
    log = DuckDBLog(files.database)
    log.append([event(7)], actor="me")
    log.close()
    assert read_witness(files.witness).valid[0].head.position == 8


def loses(files: StoreFiles, found: int, expected: Head) -> TailLostError:
    """The store refuses to be written, changes nothing, keeps copies, and reads what is there."""
    before = {path.name: path.read_bytes() for path in files.database.parent.iterdir() if path.is_file()}
    with pytest.raises(TailLostError) as caught:
        DuckDBLog(files.database)
    error = caught.value
    assert (error.found.position, error.expected, error.last) == (found, expected, expected.position)
    assert {p.name: p.read_bytes() for p in files.database.parent.iterdir() if p.is_file()} == before
    assert error.quarantine is not None
    assert {p.name: p.read_bytes() for p in error.quarantine.iterdir()} == before
    if files.database.exists():
        with pytest.warns(RuntimeWarning, match="not whole"):
            log = DuckDBLog(files.database, read_only=True)
        assert len(numbers(log)) == found
        log.close()
    return error


@pytest.mark.parametrize("how", ["deleted", "emptied"])
def test_a_lost_write_ahead_log_is_noticed(crashed: Crashed, how: str) -> None:
    """DuckDB would open without these events and say nothing."""
    files, heads = crashed()
    if how == "deleted":
        files.wal.unlink()
    else:
        files.wal.write_bytes(b"")
    error = loses(files, 3, heads[-1])
    assert error.first == 4
    assert "positions 4 to 7" in str(error)


def test_a_write_ahead_log_that_is_cut_anywhere_is_noticed(crashed: Crashed) -> None:
    """Wherever it is cut, what is gone is named, or nothing that was acknowledged is gone."""
    files, heads = crashed()
    whole = files.wal.read_bytes()
    ends = set()
    for length in range(0, len(whole), 131):
        files.wal.write_bytes(whole[:length])
        with pytest.raises(TailLostError) as caught:
            DuckDBLog(files.database)
        assert (caught.value.first, caught.value.last) == (caught.value.found.position + 1, 7)
        ends.add(caught.value.found.position)
        shutil.rmtree(files.quarantine)
    assert ends == {3, 4, 5, 6}
    files.wal.write_bytes(whole)
    log = DuckDBLog(files.database)
    assert log.head == heads[-1]
    log.close()


def test_an_older_database_under_a_newer_witness_is_noticed(crashed: Crashed) -> None:
    """Last week's copy of the database alone does not pass for today's."""
    files, _ = crashed(closed=3, tail=0)
    old = files.database.read_bytes()
    log = DuckDBLog(files.database)
    log.append([event(3), event(4)], actor="me")
    newest = log.head
    log.close()
    files.database.write_bytes(old)
    assert loses(files, 3, newest).first == 4


def test_a_database_that_went_another_way_is_noticed(crashed: Crashed) -> None:
    """A copy that was written to elsewhere is longer, and not the log that was acknowledged here."""
    files, heads = crashed(closed=3, tail=2)
    fork = files.database.with_name("fork.duckdb")
    shutil.copy(files.database, fork)
    make_witness(StoreFiles(fork).witness, Slot(read_witness(files.witness).valid[0].log_id, heads[3]))
    log = DuckDBLog(fork)
    for number in range(5):
        log.append([event(number)], actor="other")
    log.close()
    shutil.copy(fork, files.database)
    files.wal.unlink()
    for path in files.database.parent.glob("fork*"):
        path.unlink()
    error = loses(files, 8, heads[5])
    assert "another event" in str(error)


def test_a_lost_database_is_noticed(crashed: Crashed) -> None:
    """Where a witness saw events, no new store is begun in silence."""
    files, heads = crashed()
    files.database.unlink()
    assert loses(files, 0, heads[-1]).first == 1
    with pytest.raises(StoreNotFoundError):
        DuckDBLog(files.database, read_only=True)


def test_a_write_ahead_log_without_a_database_is_left_alone(crashed: Crashed) -> None:
    """DuckDB would begin a new database and delete it."""
    files, _ = crashed()
    files.database.unlink()
    files.witness.unlink()
    with pytest.raises(CorruptStoreError, match="no database"):
        DuckDBLog(files.database)
    assert files.wal.exists()


@pytest.mark.parametrize("how", ["missing", "damaged", "empty"])
def test_without_a_valid_witness_nothing_is_written(crashed: Crashed, how: str) -> None:
    """Nobody could tell whether the end is there; reading warns."""
    files, _ = crashed()
    if how == "missing":
        files.witness.unlink()
    else:
        files.witness.write_bytes(b"" if how == "empty" else b"\0" * 2 * SLOT_BYTES)
    with pytest.raises(WitnessError, match="adopt"):
        DuckDBLog(files.database)
    with pytest.warns(RuntimeWarning, match="no valid witness"):
        log = DuckDBLog(files.database, read_only=True)
    assert len(numbers(log)) == 7
    log.close()


def test_one_damaged_slot_is_mended_with_a_word(crashed: Crashed) -> None:
    """The other slot serves; the newer one may have said more, which the log has anyway."""
    files, heads = crashed()
    files.witness.write_bytes(b"\0" + files.witness.read_bytes()[1:])
    with pytest.warns(RuntimeWarning, match="One of the two slots"):
        log = DuckDBLog(files.database)
    assert log.head == heads[-1]
    log.close()
    assert not read_witness(files.witness).damaged


def test_a_new_store_is_whole_or_not_there(tmp_path: Path) -> None:
    """Whatever a crash leaves while a store is made, the next opening makes it: nothing was acknowledged yet."""
    made = StoreFiles(tmp_path / "made.duckdb")
    DuckDBLog(made.database).close()
    files = StoreFiles(tmp_path / "agent.duckdb")
    slot = Slot("a" * 36, EMPTY)
    for step in ("half a database", "half a log", "no witness yet", "witness without database"):
        for path in files.database.parent.glob("agent*"):
            path.unlink()
        files.unfinished.database.write_bytes(made.database.read_bytes()[: 5000 if step == "half a database" else None])
        if step == "half a log":
            files.unfinished.wal.write_bytes(b"half")
        if step == "witness without database":
            make_witness(files.witness, slot)
        log = DuckDBLog(files.database)
        log.append([event(1)], actor="me")
        log.close()
        assert sorted(p.name for p in tmp_path.glob("agent*")) == ["agent.duckdb", "agent.duckdb.witness"]


def test_a_log_from_a_newer_version_is_refused_untouched(crashed: Crashed) -> None:
    """Tables that this version does not know are left as they are, also those in a write-ahead log."""
    files, _ = crashed()
    with duckdb.connect(str(files.database)) as connection:
        connection.execute("insert into migrations values (9999, 'later', 'x', 0)")
    before = files.database.read_bytes()
    for read_only in (False, True):
        with pytest.raises(NewerStoreError, match="9999"):
            DuckDBLog(files.database, read_only=read_only)
    assert files.database.read_bytes() == before


def test_what_is_no_store_is_refused_untouched(tmp_path: Path) -> None:
    """A file of something else, and a DuckDB file of somebody else, are not taken over."""
    text, other = tmp_path / "notes.txt", tmp_path / "other.duckdb"
    text.write_text("not a database")
    with duckdb.connect(str(other)) as connection:
        connection.execute("create table mine (n integer)")
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(CorruptStoreError):
            DuckDBLog(path)
        assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["runs.jsonl.gz", "notes.txt", "agent.duckdb"])
def test_a_file_of_another_kind_is_no_store_whatever_its_name(name: str, tmp_path: Path) -> None:
    """Runs that stand where the store should are left alone, and the message says where runs belong."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(b'{"task": "t"}'))
    for read_only in (True, False):
        with pytest.raises(CorruptStoreError, match="memp learn STORE RUNS"):
            memp.open(path, read_only=read_only)
    assert gzip.decompress(path.read_bytes()) == b'{"task": "t"}'


def test_a_store_in_a_folder_with_a_strange_name(tmp_path: Path) -> None:
    """Quotes, brackets and stars in a path are part of its name."""
    folder = tmp_path / "it's [all] *mine*"
    folder.mkdir()
    path = folder / "a[b]*?'.duckdb"
    log = DuckDBLog(path, identity=Identity())
    log.append([event(1)], actor="me")
    log.close()
    log = DuckDBLog(path)
    assert numbers(log) == [1]
    log.close()
