"""
The life of a store on disk, with everything that happens to one: laws 1, 2, 6 to 11 and 13 in one state machine.

Beside the store runs a model from the design's words: the list of what was acknowledged, as plain values, and the fold
of it in plain dicts that ``tests/properties/test_history_laws.py`` writes down. Whatever is done to the process, the
files or the clock, the store holds what the model holds, or says exactly what is not there and writes nothing.

A crash is what a killed process leaves: the files as they are while the memory is open, read by another memory. What
real signals do is tried in ``tests/faults``.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import memp
from memp.log.identity import Identity
from memp.record import Record
from tests.properties.test_history_laws import CHANGES, PHASES, PICK, TASKS, UNDOS, answers, as_modelled, live, modelled
from tests.soak import SOAK

HOUR = 3_600_000_000
"""Microseconds."""

DECADE = 10 * 365 * 24 * HOUR

"""Whether the long profile is loaded."""


def said(record: Record) -> tuple[object, ...]:
    """What a caller was told of one event; kept apart from the record, so that nothing can change it afterwards."""
    fields = (record.position, record.event_id, record.branch, record.stream, record.version, record.type)
    return (*fields, record.recorded_at, record.actor, record.body, record.digest)


class StoreLife(RuleBasedStateMachine):
    """Lives through changes, crashes, damage, lost caches and odd clocks on one store."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.now = 1_700_000_000_000_000
        self.step = 1_000
        self.copies = 0
        self.acknowledged: list[tuple[object, ...]] = []
        self.memory = self.open(self.path)

    @property
    def path(self) -> Path:
        return self.folder / "agent.duckdb"

    def clock(self) -> int:
        """A clock that moves by as much as it was last told to, or stands still."""
        self.now += self.step
        return self.now

    def open(self, path: Path, **options: Any) -> memp.Memory:
        with warnings.catch_warnings():
            # A clock that jumped is meant to be told of; so are damaged witnesses.
            warnings.simplefilter("ignore", RuntimeWarning)
            return memp.open(path, actor="me", identity=Identity(clock=self.clock), index="hnsw", **options)

    def note(self) -> None:
        """Take down what was acknowledged since the last time; what was told before must still be told."""
        told = [said(record) for record in self.memory.events()]
        assert told[: len(self.acknowledged)] == self.acknowledged
        self.acknowledged = told

    # -- what a user does ------------------------------------------------------------------------------------------

    @rule(change=st.one_of(CHANGES, CHANGES, UNDOS))
    def change(self, change: tuple[Any, ...]) -> None:
        """One change by hand or by learning; one that is refused leaves nothing."""
        with self.jumps_allowed():
            done = live(self.memory, change)
        before = len(self.acknowledged)
        self.note()
        assert done is not None or len(self.acknowledged) == before

    @rule(
        task=st.sampled_from(TASKS),
        ending=st.sampled_from([1.0, 0.0, None]),
        policy=st.sampled_from(["reflection", "none"]),
    )
    def episode(self, task: str, ending: float | None, policy: str) -> None:
        """Serve, act, and say how it went; or never say."""
        with self.jumps_allowed(), self.memory.episode(task, policy=policy) as episode:
            episode.step(action="take mug 1", observation="Done.")
            if ending is not None:
                episode.finish(reward=ending)
        self.note()

    @rule(rows=st.integers(0, 2))
    def learn_with_a_key(self, rows: int) -> None:
        """Law 9: an operation that is said twice under one key is on record once."""
        run = memp.Trajectory(
            task=f"fold map {rows}", steps=[memp.Step(action="fold map", observation="x")], reward=1.0
        )
        with self.jumps_allowed():
            self.memory.learn([run], key=f"key {rows}")
        self.note()
        before = len(self.acknowledged)
        with self.jumps_allowed():
            self.memory.learn([run], key=f"key {rows}")
            with pytest.raises(memp.ConflictError):
                self.memory.learn(
                    [*[run], memp.Trajectory(task="else", steps=run.steps, reward=1.0)], key=f"key {rows}"
                )
        self.note()
        assert len(self.acknowledged) == before

    @precondition(lambda self: self.memory.procedures(everything=True))
    @rule(pick=PICK, derived=st.booleans())
    def purge(self, pick: int, derived: bool) -> None:
        """Law 8: bodies go, everything else that was acknowledged stays as it was, the chain included."""
        everything = self.memory.procedures(everything=True)
        chosen = everything[pick % len(everything)].id
        with self.jumps_allowed():
            plan = self.memory.plan_purge(procedure_ids=[chosen], derived=derived)
            self.memory.purge(procedure_ids=[chosen], derived=derived, reason="on demand")
        gone = set(plan.positions)
        self.acknowledged = [
            (*fields[:-2], None if fields[0] in gone else fields[-2], fields[-1]) for fields in self.acknowledged
        ]
        self.note()

    # -- what happens to the process, the caches and the clock -----------------------------------------------------

    @rule()
    def snapshot(self) -> None:
        """What was folded is kept at any moment; nothing of it is on record, and nothing answers otherwise."""
        self.note()
        self.memory.snapshot()

    @rule(drop_caches=st.booleans())
    def reopen(self, drop_caches: bool) -> None:
        """Laws 1 and 2: closed and opened again, with its caches or without, it answers as before."""
        seen = answers(self.memory)
        self.note()
        self.memory.close()
        if drop_caches:
            for one in self.folder.glob("agent.duckdb.*"):
                if one.suffix in (".index", ".snapshot"):
                    one.unlink()
        self.memory = self.open(self.path)
        assert answers(self.memory) == seen

    @rule()
    def crash(self) -> None:
        """Law 6: what a killed process leaves holds all that was acknowledged, and goes on from there."""
        seen = answers(self.memory)
        # The first prompt that is ever asked for puts the templates on record.
        self.note()
        left = self.as_left()
        self.memory.close()
        shutil.rmtree(self.folder)
        self.folder = left
        self.memory = self.open(self.path)
        assert answers(self.memory) == seen

    @rule(by=st.sampled_from([-HOUR, 0, DECADE]), step=st.sampled_from([0, 1_000]))
    def turn_the_clock(self, by: int, step: int) -> None:
        """The clock goes back an hour, stands still, or finds itself ten years on."""
        self.now, self.step = self.now + by, step

    # -- what happens to the files ---------------------------------------------------------------------------------

    @rule()
    def lose_the_log_ahead(self) -> None:
        """Law 6: without the write-ahead log nothing is missing, or what is missing is named and nothing is written."""
        left = self.as_left()
        wal = left / "agent.duckdb.wal"
        if not wal.exists():
            return
        wal.unlink()
        if not (left / "agent.duckdb").exists():
            return
        lost = self.lost_tail(left / "agent.duckdb")
        whole = len(self.acknowledged)
        there, end = (whole, whole) if lost is None else (lost.first - 1, lost.last)
        with self.open(left / "agent.duckdb", read_only=True) as memory:
            assert [said(record) for record in memory.events()] == self.acknowledged[:there]
        assert end == whole

    @precondition(lambda self: len(self.acknowledged) > 0)
    @rule(slots=st.sampled_from([(0,), (1,), (0, 1)]))
    def damage_the_witness(self, slots: tuple[int, ...]) -> None:
        """One damaged slot costs nothing; without any, nothing is written."""
        left = self.as_left()
        witness = left / "agent.duckdb.witness"
        bytes_there = bytearray(witness.read_bytes())
        half = len(bytes_there) // 2
        for slot in slots:
            bytes_there[slot * half + 12] ^= 0xFF
        witness.write_bytes(bytes(bytes_there))
        try:
            with self.open(left / "agent.duckdb") as memory:
                assert [said(record) for record in memory.events()] == self.acknowledged
        except memp.WitnessError:
            assert slots == (0, 1)
        except memp.TailLostError:
            pytest.fail("a damaged witness is no lost tail")

    @precondition(lambda self: any(fields[-2] for fields in self.acknowledged))
    @rule(pick=PICK, place=st.integers(0, 10_000), column=st.sampled_from(["body", "digest", "header"]))
    def change_an_event(self, pick: int, place: int, column: str) -> None:
        """Law 7: a byte that was changed in any event is found, and its position named."""
        whole = [int(str(fields[0])) for fields in self.acknowledged if fields[-2]]
        position = whole[pick % len(whole)]
        self.memory.close()
        copy = self.as_left()
        self.memory = self.open(self.path)
        tamper(copy / "agent.duckdb", position, place, column)
        report = self.verified(copy / "agent.duckdb")
        assert not report.ok
        assert position in {problem.position for problem in report.problems}

    @rule()
    def move(self) -> None:
        """Law 11: an export that is imported is the same log, with the same answers."""
        target = self.copy_name()
        target.mkdir()
        self.memory.export(target / "store.jsonl.zst")
        memp.import_store(target / "store.jsonl.zst", target / "agent.duckdb")
        with self.open(target / "agent.duckdb") as memory:
            assert memory.head() == self.memory.head()
            assert answers(memory) == answers(self.memory)
        self.note()

    # -- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def all_as_the_model_says(self) -> None:
        """Positions without gaps, times that never go back, a chain that verifies, and the fold of the plain dicts."""
        records = list(self.memory.events())
        assert [said(record) for record in records] == self.acknowledged
        assert [record.position for record in records] == list(range(1, len(records) + 1))
        times = [record.recorded_at for record in records]
        assert times == sorted(times)
        report = self.memory.verify()
        assert (report.ok, report.position) == (True, len(records))
        if all(record.body is not None for record in records):
            assert as_modelled(self.memory) == modelled(records)

    def teardown(self) -> None:
        if hasattr(self, "memory"):
            self.memory.close()
            shutil.rmtree(self.folder)
            for number in range(self.copies):
                shutil.rmtree(self.folder.with_name(f"{self.root}-{number}"), ignore_errors=True)

    # -- the means -------------------------------------------------------------------------------------------------

    @property
    def root(self) -> str:
        return self.folder.name.split("-")[0]

    def copy_name(self) -> Path:
        self.copies += 1
        return self.folder.with_name(f"{self.root}-{self.copies - 1}")

    def as_left(self) -> Path:
        """Copy the files as a process that is killed now would leave them."""
        target = self.copy_name()
        shutil.copytree(self.folder, target)
        return target

    def verified(self, path: Path) -> Any:
        from memp.log import verify_store

        return verify_store(path)

    def lost_tail(self, path: Path) -> memp.TailLostError | None:
        """Open for writing and say what is lost; None if nothing is."""
        try:
            self.open(path).close()
        except memp.TailLostError as error:
            return error
        return None

    @contextlib.contextmanager
    def jumps_allowed(self) -> Iterator[None]:
        """Let the warning of a clock that jumped forward pass."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=RuntimeWarning)
            yield


def tamper(path: Path, position: int, place: int, column: str) -> None:
    """Change one stored value as a bad disk or a bad hand would, past the triggers."""
    table = "bodies" if column == "body" else "records"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"drop trigger if exists {table}_no_update on {table}")
        found = connection.execute(f"select {column} from {table} where position = ?", [position]).fetchone()
        assert found is not None
        if isinstance(found[0], str):
            at = place % len(found[0])
            changed: object = found[0][:at] + ("x" if found[0][at] != "x" else "y") + found[0][at + 1 :]
        else:
            value = bytearray(found[0])
            value[place % len(value)] ^= 1 << place % 8
            changed = bytes(value)
        connection.execute(f"update {table} set {column} = ? where position = ?", [changed, position])


TestStoreLife: Any = StoreLife.TestCase
TestStoreLife.settings = settings(
    max_examples=1_000 if SOAK else 12,
    stateful_step_count=30 if SOAK else 15,
    phases=PHASES,
)
