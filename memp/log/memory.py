"""
The log in memory: the same rules and the same chain as on disk, and nothing outlives the process.

It ships because it is useful (trials, tests of the user's own code), and it is the twin that every property of the
log on disk is checked against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from memp.errors import InvalidInputError
from memp.log.base import MAIN, Pending, VectorKey
from memp.log.identity import Identity
from memp.log.sequencer import Sequencer
from memp.record import Head, Record


class MemoryLog:
    """An ``EventLog`` that holds its records in a list."""

    def __init__(self, *, identity: Identity | None = None) -> None:
        identity = identity or Identity()
        self._records: list[Record] = []
        self._vectors: dict[VectorKey, bytes] = {}
        self._sequencer = Sequencer(identity.random_id(), identity=identity, load=lambda p: self._records[p - 1])
        self._closed = False

    @property
    def log_id(self) -> str:
        """The id of this log; random, made once."""
        return self._sequencer.log_id

    @property
    def head(self) -> Head:
        """Where the log ends."""
        return self._sequencer.head

    def append(
        self,
        pending: Sequence[Pending],
        *,
        actor: str,
        branch: str = MAIN,
        vectors: Mapping[VectorKey, bytes] | None = None,
    ) -> tuple[Record, ...]:
        """See ``EventLog.append``."""
        self._check_open()
        if (known := self._sequencer.said_before(pending, branch=branch)) is not None:
            return known
        records = self._sequencer.sequence(pending, actor=actor, branch=branch)
        self._records.extend(records)
        for key, vector in (vectors or {}).items():
            self._vectors.setdefault(key, vector)
        for record in records:
            self._sequencer.follow(record)
        return records

    def said(self, key: str, *, branch: str = MAIN) -> tuple[Record, ...]:
        """See ``EventLog.said``."""
        position = self._sequencer.position_of(key, branch=branch)
        if position is None:
            return ()
        [first] = self.read(after=position - 1, until=position)
        return tuple(self.read(after=position - 1, until=position - 1 + first.batch_size))

    def read(self, *, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """See ``EventLog.read``."""
        self._check_open()
        yield from self._records[max(after, 0) : until if until is None else max(until, 0)]

    def vectors(self, embedder: str) -> Iterator[tuple[bytes, bytes]]:
        """See ``EventLog.vectors``."""
        self._check_open()
        yield from [(key.text, vector) for key, vector in self._vectors.items() if key.embedder == embedder]

    def close(self) -> None:
        """See ``EventLog.close``."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise InvalidInputError("This store is closed. Open it again with memp.open(…).")
