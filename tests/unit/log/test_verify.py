"""Verification: whatever is changed, removed, reordered or inserted is found and named."""

from __future__ import annotations

import json

import attrs
import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import memp
from memp.errors import CorruptStoreError, InvalidInputError
from memp.log import verify_store
from memp.log.base import Pending, VectorKey
from memp.log.duckdb import DuckDBLog
from memp.log.files import StoreFiles
from memp.log.memory import MemoryLog, RowsInMemory
from memp.log.opening import EMPTY
from memp.log.verify import VerifyReport, verify_rows
from memp.log.witness import Slot, make_witness, read_witness
from memp.model import EventId, Position
from memp.record import FIELDS, GENESIS, Head, Record, digest_of_body, digest_of_record

from .conftest import Crashed, event  # noqa: TID252

RUNS = [
    memp.Trajectory(task=f"put mug {n} away", steps=[memp.Step(action=f"take mug {n}")], reward=1.0) for n in range(6)
]


def found(report: VerifyReport) -> list[tuple[int, str]]:
    return [(problem.position, problem.what) for problem in report.problems]


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> StoreFiles:
    """A store of a memory: two templates and runs, six procedures, and the vectors that find them."""
    files = StoreFiles(tmp_path_factory.mktemp("store") / "agent.duckdb")
    with memp.open(files.database) as memory:
        memory.learn(RUNS)
        memory.erase(memory.procedures()[0].id, reason="r")
    return files


def tamper(files: StoreFiles, *statements: str) -> None:
    """Change a store as somebody could who knows its tables."""
    with duckdb.connect(str(files.database)) as connection:
        for table in ("log", "records", "bodies", "vectors"):
            for kind in ("update", "delete"):
                connection.execute(f"drop trigger {table}_no_{kind} on {table}")
        for statement in statements:
            connection.execute(statement)


def test_a_store_as_it_was_written_has_no_problems(store: StoreFiles) -> None:
    """Everything is counted, and the head is the log's; a head kept earlier is still in it."""
    with memp.open(store.database, read_only=True) as memory:
        report = memory.verify()
        records = list(memory.events())
        head = memory.head()
        assert report.ok
        assert (report.position, report.events, report.digest) == (14, 14, records[-1].digest.hex())
        assert report.vectors == 7
        early = Head(Position(5), records[4].digest)
        for said in (early, tuple(early), (5, early.digest.hex()), str(early), str(head), (0, GENESIS)):
            assert memory.verify(said).ok  # type: ignore[arg-type]
    assert verify_store(store.database) == report


@pytest.mark.parametrize("said", ["", "5", "x:00", "5:zz", "5:00", "-1:" + "0" * 64, (5,), (5, 32), 7])
def test_what_is_no_head_is_refused(store: StoreFiles, said: object) -> None:
    """The message says what a head looks like."""
    with memp.open(store.database, read_only=True) as memory, pytest.raises(InvalidInputError, match="POSITION:DIGEST"):
        memory.verify(said)  # type: ignore[arg-type]


def test_a_log_without_the_expected_head_is_not_the_one(store: StoreFiles) -> None:
    """An older copy of the whole folder looks sound from inside; a head that was kept elsewhere tells."""
    for position, what in ((20, "the log ends at 14"), (3, "3:")):
        report = verify_store(store.database, expect=Head(Position(position), b"x" * 32))
        assert found(report) == [(position, "expected")]
        assert report.problems[0].found.startswith(what)


def in_header(position: int, field: str, value: object) -> str:
    """Return the statement that changes a field of a record where it is stored."""
    before = FIELDS.index(field) + 1
    written = json.dumps(value).replace("'", "''")
    return f"""
        update records set header = (
            select '[' || array_to_string(parts[:{before}] || ['{written}'] || parts[{before + 2}:], ',') || ']'
            from (select [json_extract(header, i)::varchar for i in range(20)] as parts)
        )
        where position = {position}
    """


OTHER_VALUES = {
    "event_id": "e",
    "branch": "b",
    "stream": "s",
    "version": 7,
    "type": "procedure-added",
    "schema": 2,
    "recorded_at": 1,
    "clock_at": 1,
    "actor": 'somebody "else" \\',
    "cause": "c",
    "key": "k",
    "derived_from": ["d"],
    "read": ["r"],
    "batch": "b",
    "batch_size": 9,
}


@pytest.mark.parametrize("field", OTHER_VALUES)
def test_a_changed_field_is_named(store: StoreFiles, field: str) -> None:
    """Law 7: every field of a record is covered by its digest."""
    tamper(store, in_header(4, field, OTHER_VALUES[field]))
    assert found(verify_store(store.database)) == [(4, "record")]


@pytest.mark.parametrize(
    ("statements", "problems"),
    [
        (["update records set digest = 'x' where position = 4"], [(4, "record"), (5, "previous")]),
        (["update records set header = header || ' ' where position = 4"], [(4, "record")]),
        (["update records set header = 'x' where position = 4"], [(4, "record")]),
        ([in_header(4, "previous", "eA==")], [(4, "record"), (4, "previous")]),
        ([in_header(4, "body_digest", "eA==")], [(4, "record"), (4, "body")]),
        ([in_header(4, "log_id", "x")], [(4, "record"), (4, "log")]),
        ([in_header(4, "position", 5)], [(4, "record"), (4, "record")]),
        (["update bodies set body = body || 'x' where position = 4"], [(4, "body")]),
        (["update bodies set salt = 'x' where position = 4"], [(4, "body")]),
        (["update bodies set salt = salt[:15], body = salt[16:] || body where position = 4"], [(4, "body")]),
        (["delete from bodies where position = 4"], [(4, "body")]),
        (["insert into bodies values (99, 'salt', 'body')"], [(99, "body")]),
        (["delete from records where position in (4, 5)"], [(4, "missing"), (4, "body"), (5, "body")]),
        (["delete from records where position = 1"], [(1, "missing"), (1, "body")]),
        (["delete from records where position = 14"], [(14, "body"), (14, "witness")]),
        (["insert into vectors values ('hashed-1', 'text', 'vector')"], [(0, "vector")]),
    ],
)
def test_each_kind_of_damage_is_named(
    store: StoreFiles, statements: list[str], problems: list[tuple[int, str]]
) -> None:
    """Law 7: what is changed, removed or inserted is found where it is."""
    tamper(store, *statements)
    assert sorted(found(verify_store(store.database))) == sorted(problems)


def test_records_that_changed_places_are_named(store: StoreFiles) -> None:
    """Two records that were swapped fit neither their own place nor their neighbours."""
    tamper(
        store,
        "create table kept as select * from records where position in (4, 5)",
        "delete from records where position in (4, 5)",
        "insert into records select * replace (9 - position as position) from kept",
    )
    assert {(4, "record"), (5, "record"), (4, "previous")} <= set(found(verify_store(store.database)))


def test_a_record_that_was_put_in_is_named(store: StoreFiles) -> None:
    """A row far behind the end has a gap before it."""
    tamper(
        store,
        "create table one as select * from records where position = 4",
        "insert into records select * replace (1000000000000 as position) from one",
    )
    problems = found(verify_store(store.database))
    assert {(15, "missing"), (10**12, "record"), (10**12, "body")} <= set(problems)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("how", ["changed", "removed", "twice"])
def test_a_damaged_vector_is_named(store: StoreFiles, number: int, how: str) -> None:
    """Law 7: the body that names a vector covers it, and says where."""
    where = f"rowid = {number * 3}"
    tamper(
        store,
        {
            "changed": f"update vectors set vector = 'x' || vector where {where}",
            "removed": f"delete from vectors where {where}",
            "twice": f"insert into vectors select * from vectors where {where}",
        }[how],
    )
    [(position, what)] = found(verify_store(store.database))
    assert what == "vector"
    assert position > 0


def test_a_rewritten_history_is_caught_by_the_witness_alone(crashed: Crashed) -> None:
    """Whoever computes all digests anew passes the chain, but not the head that lies beside the file or elsewhere."""
    files, heads = crashed(closed=5, tail=0)
    report = verify_store(files.database)
    # The vectors of this store are named by no body.
    assert {what for _, what in found(report)} == {"vector"}
    log = MemoryLog()
    log.append([event(number) for number in range(5)], actor="forger")
    forged = Slot(read_witness(files.witness).valid[0].log_id, log.head)
    make_witness(files.witness, forged)
    assert (5, "witness") in found(verify_store(files.database))
    assert (5, "expected") in found(verify_store(files.database, expect=forged.head))
    assert (5, "expected") not in found(verify_store(files.database, expect=heads[-1]))


def test_a_store_without_a_witness_says_so(store: StoreFiles) -> None:
    """A verification does not pass where nobody can tell whether the end is there."""
    store.witness.write_bytes(b"x" + store.witness.read_bytes()[1:])
    assert found(verify_store(store.database)) == [(0, "witness")]
    store.witness.unlink()
    assert found(verify_store(store.database)) == [(0, "witness")]


def test_rows_that_cannot_be_read_are_a_problem_and_no_crash() -> None:
    """A damaged block ends the verification with what was found so far."""

    class Broken(RowsInMemory):
        def stray_bodies(self) -> list[int]:
            raise CorruptStoreError("a block is damaged")

    records = MemoryLog().append([event(1)], actor="me")
    report = verify_rows(Broken(records, {}), log_id=records[0].log_id, testimony=None, expect=None)
    assert found(report) == [(1, "unreadable")]


def taken_away(record: Record) -> Record:
    return msgspec.structs.replace(record, salt=None, body=None)


def test_a_body_may_be_missing_where_an_event_says_so() -> None:
    """Only the positions that such an event names are excused, and only by events of such a type."""
    log = MemoryLog()
    records = log.append([event(number) for number in range(4)], actor="me")
    excusing = Pending(event_id=EventId("x"), stream="s", type="taken-away", schema=1, body=b"[2,3]")
    records += log.append([excusing], actor="me")
    records = tuple(taken_away(r) if r.position in (2, 3, 4) else r for r in records)
    rows = RowsInMemory(records, {})
    excuses = {"taken-away": msgspec.json.decode}
    report = verify_rows(rows, log_id=log.log_id, testimony=None, expect=None, excuses=excuses)
    assert found(report) == [(4, "body")]
    report = verify_rows(rows, log_id=log.log_id, testimony=None, expect=None)
    assert found(report) == [(2, "body"), (3, "body"), (4, "body")]


TEXTS = st.text(max_size=8) | st.sampled_from(['"', "\\", "\x1f", "\x7f", "\u2028", "é😀", '","', "null"])


@given(
    st.lists(
        st.tuples(TEXTS, st.binary(max_size=9), TEXTS.filter(bool), st.none() | TEXTS, st.lists(TEXTS, max_size=2)),
        min_size=1,
        max_size=5,
    )
)
def test_any_text_in_a_record_verifies_in_memory(
    rows: list[tuple[str, bytes, str, str | None, list[str]]],
) -> None:
    """Quotes, control characters and other alphabets are as good as any."""
    log = MemoryLog()
    for stream, body, actor, cause, derived in rows:
        one = event(1)
        log.append(
            [attrs.evolve(one, stream=stream, body=body, cause=cause, derived_from=tuple(map(EventId, derived)))],  # type: ignore[arg-type]
            actor=actor,
        )
    assert log.verify().ok


def test_any_text_in_a_record_verifies_on_disk(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where DuckDB writes JSON otherwise than memp, the records are checked by themselves, and are sound."""
    log = DuckDBLog(tmp_path_factory.mktemp("texts") / "agent.duckdb")
    texts = ['"', "\\", "\x1f", "\x7f", "\u2028", "é😀", '","', "null", "\\u0000", "[", "'"]
    for text in texts:
        one = attrs.evolve(
            event(1), stream=text, cause=EventId(text), key=text, derived_from=(EventId(text),), read=(EventId(text),)
        )
        log.append([one], actor=text)
    report = log.verify()
    log.close()
    assert report.ok
    assert report.events == len(texts)


def test_a_body_that_only_looks_as_if_it_named_vectors() -> None:
    """A run may say 'vectors' in its extras; what does not fit names none."""
    log = MemoryLog()
    for body in (b'{"extra":{"vectors":[{"a":1}]}}', b'{"vectors":[{"a":1}]}', b'{"a":"\\"vectors\\":[{"}'):
        log.append([attrs.evolve(event(1), body=body)], actor="me")
    assert log.verify().ok


def test_a_changed_record_in_memory_is_named() -> None:
    """The log in memory is verified by the same code."""
    log = MemoryLog()
    log.append([event(number) for number in range(3)], actor="me", vectors={VectorKey("e", b"t"): b"v"})
    changed = msgspec.structs.replace(log._records[1], actor="other")
    log._records[1] = changed
    assert found(log.verify()) == [(0, "vector"), (2, "record")]
    again = msgspec.structs.replace(changed, digest=digest_of_record(changed.hashed))
    assert again.body is not None
    assert again.salt is not None
    assert digest_of_body(again.salt, again.body) == again.body_digest
    log._records[1] = again
    assert found(log.verify()) == [(0, "vector"), (3, "previous")]


def test_an_empty_log_verifies() -> None:
    """Nothing is as it was written."""
    report = MemoryLog().verify(expect=EMPTY)
    assert report.ok
    assert (report.position, report.events) == (0, 0)


@pytest.mark.parametrize("body", ["z", '{"positions":"x"}', ""])
def test_a_damaged_purge_excuses_nothing(store: StoreFiles, body: str) -> None:
    """The event that excuses missing bodies is damaged itself: that is a problem with a position, and no crash."""
    with memp.open(store.database) as memory:
        memory.purge(procedure_ids=[memory.procedures()[0].id], reason="on demand")
        position = memory.position
    tamper(store, f"update bodies set body = encode('{body}') where position = {position}")
    report = verify_store(store.database)
    assert (position, "body") in found(report)
    assert not report.ok
