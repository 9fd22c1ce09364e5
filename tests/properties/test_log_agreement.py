"""The two logs agree: whatever is asked of both, they answer alike, the one on disk after reopening too."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from memp.errors import ConflictError
from memp.log.base import EventLog, Pending, VectorKey
from memp.log.duckdb import DuckDBLog
from memp.log.identity import Identity
from memp.log.memory import MemoryLog
from memp.model import EventId, Version
from memp.record import Record

STREAMS = st.sampled_from(["a", "b", "c"])
KEYS = st.none() | st.sampled_from(["k1", "k2", "k3"])
EVENTS = st.tuples(STREAMS, st.binary(max_size=3), st.none() | st.integers(0, 4), KEYS)


def comparable(records: tuple[Record, ...] | list[Record]) -> list[tuple[object, ...]]:
    """What must be alike: everything but log id, batch id, salt and what is hashed over them."""
    return [
        (
            r.position,
            r.event_id,
            r.stream,
            r.version,
            r.type,
            r.recorded_at,
            r.clock_at,
            r.actor,
            r.key,
            r.batch_size,
            r.body,
        )
        for r in records
    ]


class Agreement(RuleBasedStateMachine):
    """Drives a log in memory and one on disk side by side."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.now = 1_000_000
        self.number = 0
        self.memory = MemoryLog(identity=Identity(clock=lambda: self.now))
        self.disk = self._open()

    def _open(self) -> DuckDBLog:
        return DuckDBLog(self.folder / "log.duckdb", identity=Identity(clock=lambda: self.now))

    @rule(
        events=st.lists(EVENTS, max_size=12), vectors=st.dictionaries(st.binary(min_size=1, max_size=1), st.just(b"v"))
    )
    def append(self, events: list[tuple[str, bytes, int | None, str | None]], vectors: dict[bytes, bytes]) -> None:
        """Appending does the same to both, refusals included."""
        pending = []
        for stream, body, version, key in events:
            self.number += 1
            expected = None if version is None else Version(version)
            event_id = EventId(f"e{self.number}")
            pending.append(
                Pending(
                    event_id=event_id, stream=stream, type="t", schema=1, body=body, expected_version=expected, key=key
                )
            )
        captured = {VectorKey("hashed-1", text): vector for text, vector in vectors.items()}
        outcomes = [self._try(log, pending, captured) for log in (self.memory, self.disk)]
        assert outcomes[0] == outcomes[1]

    def _try(self, log: EventLog, pending: list[Pending], vectors: dict[VectorKey, bytes]) -> object:
        try:
            return comparable(log.append(pending, actor="me", vectors=vectors))
        except (ConflictError, ValueError) as error:
            return type(error), str(error)

    @rule(by=st.sampled_from([-2_000_000, 0, 1, 5_000_000]))
    def turn_the_clock(self, by: int) -> None:
        """The clock jumps, back as well."""
        self.now = max(0, self.now + by)

    @precondition(lambda self: self.disk.head.position)
    @rule()
    def reopen(self) -> None:
        """Closing and opening again loses and changes nothing."""
        before = list(self.disk.read())
        self.disk.close()
        self.disk = self._open()
        assert list(self.disk.read()) == before

    @rule(after=st.integers(0, 30), until=st.none() | st.integers(0, 30))
    def read(self, after: int, until: int | None) -> None:
        """Any range reads alike."""
        one, other = (list(log.read(after=after, until=until)) for log in (self.memory, self.disk))
        assert comparable(one) == comparable(other)

    @invariant()
    def same_end(self) -> None:
        """Positions, keys and vectors agree at every moment."""
        assert self.memory.head.position == self.disk.head.position
        for key in ("k1", "k2", "k3"):
            assert comparable(self.memory.said(key)) == comparable(self.disk.said(key))
        assert dict(self.memory.vectors("hashed-1")) == dict(self.disk.vectors("hashed-1"))

    def teardown(self) -> None:
        if hasattr(self, "disk"):
            self.disk.close()
            shutil.rmtree(self.folder)


TestAgreement: Any = Agreement.TestCase
TestAgreement.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
