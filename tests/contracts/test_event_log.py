"""What every event log must do; one suite, run against each implementation."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memp.errors import InvalidInputError, RetryKeyError, VersionConflictError
from memp.log.base import EventLog, Pending, VectorKey
from memp.log.duckdb import DuckDBLog
from memp.log.identity import Identity
from memp.log.memory import MemoryLog
from memp.record import GENESIS, Head, digest_of_body, digest_of_record

Open = Callable[[Identity], EventLog]

IDS = Identity()


@pytest.fixture(params=["memory", "duckdb"])
def open_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens a log of each implementation; the one on disk can be opened again."""
    opened: list[EventLog] = []

    def open_one(identity: Identity = IDS) -> EventLog:
        log: EventLog = (
            MemoryLog(identity=identity)
            if request.param == "memory"
            else DuckDBLog(tmp_path / "log.duckdb", identity=identity)
        )
        opened.append(log)
        return log

    yield open_one
    for log in opened:
        log.close()


@pytest.fixture
def log(open_log: Open) -> EventLog:
    """A new log."""
    return open_log(IDS)


def pending(stream: str = "procedure/a", body: bytes = b'{"n":1}', **more: object) -> Pending:
    """An event to append."""
    return Pending(event_id=IDS.event_id(), stream=stream, type="procedure-erased", schema=1, body=body, **more)  # type: ignore[arg-type]


def test_positions_and_versions_have_no_gaps(log: EventLog) -> None:
    """Positions count through the log, versions through each stream, from 1."""
    log.append([pending("a"), pending("b"), pending("a")], actor="me")
    log.append([pending("b")], actor="me")
    assert [(r.position, r.stream, r.version) for r in log.read()] == [
        (1, "a", 1),
        (2, "b", 1),
        (3, "a", 2),
        (4, "b", 2),
    ]


def test_append_returns_what_read_yields(log: EventLog) -> None:
    """What is acknowledged is, field by field, what is stored."""
    appended = log.append(
        [pending(cause=IDS.event_id(), key="k", derived_from=("x", "y"), read=("z",)), pending("b")], actor="me"
    )
    assert list(log.read()) == list(appended)
    assert appended[0].actor == "me"
    assert {r.batch_size for r in appended} == {2}
    assert len({r.batch for r in appended}) == 1


def test_every_record_is_chained_to_the_one_before(log: EventLog) -> None:
    """Digests cover all fields and the body, and each names the one before."""
    for _ in range(3):
        log.append([pending(), pending("b")], actor="me")
    previous = GENESIS
    for record in log.read():
        assert record.previous == previous
        assert record.salt is not None
        assert record.body is not None
        assert record.body_digest == digest_of_body(record.salt, record.body)
        assert record.digest == digest_of_record(record.hashed)
        previous = record.digest
    assert log.head.digest == previous
    assert log.head.position == 6


def test_equal_bodies_have_different_digests(log: EventLog) -> None:
    """A salt of its own keeps a purged body from being guessed by its digest."""
    one, other = log.append([pending(), pending()], actor="me")
    assert one.body == other.body
    assert one.body_digest != other.body_digest


def test_a_stale_version_changes_nothing(log: EventLog) -> None:
    """Law 9: the batch of a stale writer leaves no trace, not even of its other events."""
    log.append([pending("a")], actor="me")
    before = list(log.read())
    with pytest.raises(VersionConflictError) as caught:
        log.append([pending("b", expected_version=0), pending("a", expected_version=0)], actor="me")
    assert (caught.value.stream, caught.value.expected, caught.value.found) == ("a", 0, 1)
    assert list(log.read()) == before
    log.append([pending("b", expected_version=0), pending("a", expected_version=1)], actor="me")


def test_versions_are_expected_within_a_batch(log: EventLog) -> None:
    """Two events of one stream in one batch expect consecutive versions."""
    log.append([pending("a", expected_version=0), pending("a", expected_version=1)], actor="me")
    with pytest.raises(VersionConflictError):
        log.append([pending("c", expected_version=0), pending("c", expected_version=0)], actor="me")


def test_the_same_key_twice_is_one_event(log: EventLog) -> None:
    """Law 9: a retry returns the records that stand there and writes nothing."""
    batch = [pending("a", key="k"), pending("b", key="k/1")]
    first = log.append(batch, actor="me")
    assert log.append(batch, actor="me") == first
    assert log.head.position == 2
    assert log.said("k") == first
    assert log.said("other") == ()


def test_a_key_with_another_body_is_refused(log: EventLog) -> None:
    """Law 9: a retry key belongs to one content."""
    log.append([pending("a", key="k")], actor="me")
    with pytest.raises(RetryKeyError) as caught:
        log.append([pending("a", b'{"n":2}', key="k")], actor="me")
    assert (caught.value.key, caught.value.position) == ("k", 1)
    assert log.head.position == 1


def test_half_a_batch_is_not_a_retry(log: EventLog) -> None:
    """A batch of which only a part was said before is refused whole."""
    first = pending("a", key="k")
    log.append([first], actor="me")
    with pytest.raises(RetryKeyError):
        log.append([first, pending("b", key="new")], actor="me")
    assert log.head.position == 1


def test_keys_are_known_after_reopening(log: EventLog, open_log: Open) -> None:
    """A retry after a restart is still a retry."""
    if isinstance(log, MemoryLog):
        pytest.skip("a log in memory cannot be opened again")
    one = pending("a", key="k")
    first = log.append([one, pending("a")], actor="me")[0]
    with pytest.raises(RetryKeyError):
        log.append([one, pending("b", key="k2")], actor="me")
    log.close()
    again = open_log(IDS)
    assert again.said("k")[0] == first
    again.append([pending("a", expected_version=2)], actor="me")


@pytest.mark.parametrize(
    ("batch", "actor", "message"),
    [
        ([], "me", "at least one event"),
        ([pending()], "", "'actor'"),
        ([pending(key="k"), pending(key="k")], "me", "twice"),
    ],
)
def test_what_makes_no_sense_is_refused(log: EventLog, batch: list[Pending], actor: str, message: str) -> None:
    """An empty batch, nobody who writes, and one key for two events are the caller's mistakes."""
    with pytest.raises(InvalidInputError, match=message):
        log.append(batch, actor=actor)
    assert log.head.position == 0


def test_reading_a_range(log: EventLog) -> None:
    """'after' is exclusive and 'until' inclusive; beyond the end there is nothing."""
    log.append([pending() for _ in range(25)], actor="me")
    assert [r.position for r in log.read(after=3, until=6)] == [4, 5, 6]
    assert [r.position for r in log.read(after=24, until=99)] == [25]
    assert list(log.read(after=25)) == []
    assert list(log.read(until=0)) == []
    assert [r.position for r in log.read(after=-5, until=1)] == [1]


def test_time_never_goes_backwards(open_log: Open) -> None:
    """A clock that is set back by minutes is kept beside the time, which stands still until the clock has caught up."""
    now = [0]
    log = open_log(Identity(clock=lambda: now[0]))
    for now[0] in (1_000_000, 5_000_000, 3_000_000, 6_000_000):
        log.append([pending()], actor="me")
    assert [(r.recorded_at, r.clock_at) for r in log.read()] == [
        (1_000_000, 1_000_000),
        (5_000_000, 5_000_000),
        (5_000_000, 3_000_000),
        (6_000_000, 6_000_000),
    ]


def test_a_clock_hours_behind_warns(open_log: Open) -> None:
    """A clock that somebody set back by hours is worth a word; nothing is refused."""
    now = [10 * 3_600_000_000]
    log = open_log(Identity(clock=lambda: now[0]))
    log.append([pending()], actor="me")
    now[0] = 0
    with pytest.warns(RuntimeWarning, match=r"10\.0 hours"):
        log.append([pending()], actor="me")
    assert [r.recorded_at for r in log.read()] == [10 * 3_600_000_000] * 2


def test_vectors_are_kept_once(log: EventLog) -> None:
    """An embedding is stored beside the events; one that is there already is left alone."""
    key = VectorKey("hashed-1", b"t" * 32)
    log.append([pending()], actor="me", vectors={key: b"one"})
    log.append([pending()], actor="me", vectors={key: b"two", VectorKey("other-1", b"t" * 32): b"three"})
    assert dict(log.vectors("hashed-1")) == {b"t" * 32: b"one"}
    assert dict(log.vectors("other-1")) == {b"t" * 32: b"three"}
    assert dict(log.vectors("none-1")) == {}


def test_what_is_staged_has_its_place_before_it_is_durable(log: EventLog) -> None:
    """The next to stage builds on it; waiting makes it durable, and everything that was staged with it."""
    first = log.stage([pending("a", key="k")], actor="me")
    second = log.stage([pending("a", expected_version=1)], actor="me")
    assert [record.position for record in (*first.records, *second.records)] == [1, 2]
    with pytest.raises(VersionConflictError):
        log.stage([pending("a", expected_version=1)], actor="me")
    assert second.wait() == second.records
    assert first.wait() == first.records
    assert list(log.read()) == [*first.records, *second.records]
    assert log.head.position == 2


def test_a_retry_of_what_is_staged_waits_for_it(log: EventLog) -> None:
    """The same key again is the same event, also while its commit is under way."""
    one = pending("a", key="k")
    first = log.stage([one], actor="me")
    again = log.stage([one], actor="me")
    assert again.wait() == first.records
    assert list(log.read()) == list(first.records)
    other = log.stage([pending("b", key="l")], actor="me")
    assert log.said("l") == other.records


def test_nobody_is_told_of_what_was_not_waited_for(log: EventLog) -> None:
    """The head moves only with what is durable; closing makes durable what was given up."""
    if isinstance(log, MemoryLog):
        pytest.skip("what is in memory is as durable as it gets")
    log.stage([pending()], actor="me")
    assert log.head.position == 0
    assert list(log.read()) == []


def test_threads_append_at_the_same_time(log: EventLog) -> None:
    """Positions stay without gaps, every thread's events keep their order, and the chain holds."""

    def work(name: str) -> None:
        for number in range(10):
            log.append([pending(name, b"%d" % number), pending(name, b"%d" % number)], actor=name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [f"t{number}" for number in range(8)]))
    records = list(log.read())
    assert [record.position for record in records] == [*range(1, 161)]
    for thread_name in {record.actor for record in records}:
        bodies = [int(record.body or b"") for record in records if record.actor == thread_name]
        assert bodies == sorted(bodies)
    assert log.verify().ok


def test_a_log_verifies_against_a_head_that_was_kept(log: EventLog) -> None:
    """What was appended verifies; the log still has each of its earlier heads, and none that it never had."""
    heads = [log.head]
    for _ in range(4):
        log.append([pending()], actor="me")
        heads.append(log.head)
    for head in heads:
        assert log.verify(expect=head).ok
    report = log.verify(expect=Head(heads[2].position, heads[3].digest))
    assert [(problem.position, problem.what) for problem in report.problems] == [(2, "expected")]
    assert (report.position, report.digest, report.events) == (4, heads[4].digest.hex(), 4)


def test_a_log_that_did_not_fail_needs_no_recovery(log: EventLog) -> None:
    """Recovering then does nothing."""
    log.append([pending()], actor="me")
    assert not log.failed
    log.recover()
    log.append([pending()], actor="me")
    assert log.head.position == 2


def test_a_closed_log_refuses(log: EventLog) -> None:
    """After close, appending and reading say what to do; closing again does nothing."""
    log.append([pending()], actor="me")
    log.close()
    log.close()
    with pytest.raises(InvalidInputError, match="closed"):
        log.append([pending()], actor="me")
    with pytest.raises(InvalidInputError, match="closed"):
        list(log.read())


def test_event_ids_are_uuid7_in_order_of_time() -> None:
    """Ids sort by the time at which they were made, to the microsecond, and say their version."""
    ids = [Identity(clock=lambda t=t: 1_700_000_000_000_000 + t).event_id() for t in range(0, 4_000, 3)]  # type: ignore[misc]
    assert ids == sorted(ids)
    assert all(event_id[14] == "7" and event_id[19] in "89ab" for event_id in ids)


@pytest.mark.parametrize("random", [bytes(16), b"\xff" * 16, bytes(range(16)), bytes(range(240, 256))])
def test_random_ids_are_uuid4(random: bytes) -> None:
    """An id is what the standard library makes of the same bytes, version and variant included."""
    assert Identity(entropy=lambda size: random[:size]).random_id() == str(uuid.UUID(bytes=random, version=4))


def test_a_purge_takes_bodies_and_vectors_and_leaves_the_chain(log: EventLog, open_log: Open) -> None:
    """Law 8: salt, body and vector are gone, every digest stands, and the event that says so is appended."""
    one, other = VectorKey("hashed-1", b"1" * 32), VectorKey("hashed-1", b"2" * 32)
    log.append([pending("a", key="k"), pending("b")], actor="me", vectors={one: bytes(8), other: bytes(8)})
    before = list(log.read())
    record = log.purge([1], texts=[one.text], pending=pending("store"), actor="you")
    assert (record.position, record.actor, record.stream) == (3, "you", "store")
    after = list(log.read())
    assert (after[0].salt, after[0].body) == (None, None)
    assert [r.digest for r in after[:2]] == [r.digest for r in before]
    assert after[1:] == [before[1], record]
    assert log.head.digest == record.digest == digest_of_record(record.hashed)
    assert list(log.vectors("hashed-1")) == [(other.text, bytes(8))]
    with pytest.raises(RetryKeyError):
        log.append([pending("a", key="k")], actor="me")
    log.append([pending("a", expected_version=1)], actor="me", vectors={one: bytes(8)})
    if not isinstance(log, MemoryLog):
        log.close()
        log = open_log(IDS)
    assert [r.body is None for r in log.read()] == [True, False, False, False]
    assert {text for text, _ in log.vectors("hashed-1")} == {one.text, other.text}


def test_embedders_are_those_of_the_vectors(log: EventLog) -> None:
    """A log tells from which embedders its vectors come."""
    assert log.embedders() == []
    keys = [VectorKey("hashed-1", b"1" * 32), VectorKey("hashed-1", b"2" * 32), VectorKey("abacus-7", b"1" * 32)]
    log.append([pending()], actor="me", vectors=dict.fromkeys(keys, bytes(8)))
    assert log.embedders() == ["abacus-7", "hashed-1"]


def test_vectors_can_be_read_from_where_one_stopped(log: EventLog, open_log: Open) -> None:
    """The first so many are left out, of whichever embedder, and how many there are is known without reading them."""
    keys = [VectorKey("hashed-1", b"1" * 32), VectorKey("abacus-7", b"1" * 32), VectorKey("hashed-1", b"2" * 32)]
    for number, key in enumerate(keys):
        log.append([pending()], actor="me", vectors={key: bytes([number] * 8)})
    if not isinstance(log, MemoryLog):
        log.close()
        log = open_log(IDS)
    assert log.vector_counts() == {"hashed-1": 2, "abacus-7": 1}
    assert [vector[0] for _, vector in log.vectors("hashed-1", after=1)] == [2]
    assert list(log.vectors("hashed-1", after=3)) == list(log.vectors("abacus-7", after=2)) == []
    # What was captured before the log was opened is not captured again.
    log.append([pending()], actor="me", vectors={keys[0]: bytes(8)})
    assert log.vector_counts() == {"hashed-1": 2, "abacus-7": 1}


def test_copies_are_remembered(log: EventLog, open_log: Open, tmp_path: Path) -> None:
    """A log knows what was copied from it, and how far the copy goes."""
    log.append([pending()], actor="me")
    log.note_copy("export", tmp_path / "a.jsonl", log.head)
    if not isinstance(log, MemoryLog):
        log.close()
        log = open_log(IDS)
    assert [(copy.kind, copy.path, copy.position) for copy in log.copies()] == [
        ("export", str(tmp_path / "a.jsonl"), 1)
    ]
