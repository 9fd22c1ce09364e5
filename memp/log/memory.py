"""
The log in memory: the same rules and the same chain as on disk, and nothing outlives the process.

It ships because it is useful (trials, tests of the user's own code), and it is the twin that every property of the
log on disk is checked against.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from memp.errors import InvalidInputError
from memp.log.base import MAIN, Pending, Staged, VectorKey
from memp.log.copies import Copy
from memp.log.identity import Identity
from memp.log.sequencer import Sequencer
from memp.log.verify import StoredRow, VerifyReport, verify_rows
from memp.model import Position
from memp.record import Head, Record


class MemoryLog:
    """An ``EventLog`` that holds its records in a list."""

    def __init__(self, *, identity: Identity | None = None) -> None:
        identity = identity or Identity()
        self._identity = identity
        self._records: list[Record] = []
        self._copies: list[Copy] = []
        self._vectors: dict[VectorKey, bytes] = {}
        self._sequencer = Sequencer(identity.random_id(), identity=identity, load=lambda p: self._records[p - 1])
        self._order = threading.RLock()
        self._closed = False

    @classmethod
    def holding(cls, records: Iterable[Record], vectors: Mapping[VectorKey, bytes]) -> MemoryLog:
        """
        Return a log that holds just these records, for asking what would be without the others.

        Args:
            records: In order. Positions and versions close up, so digests and chain are no longer theirs.

            vectors: The embeddings that their bodies name.
        """
        log = cls()
        versions: Counter[tuple[str, str]] = Counter()
        for position, record in enumerate(records, 1):
            stream = (record.branch, record.stream)
            versions[stream] += 1
            moved = msgspec.structs.replace(record, position=position, version=versions[stream])
            log._records.append(moved)
            log._sequencer.follow(moved)
        log._vectors.update(vectors)
        return log

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
        return self.stage(pending, actor=actor, branch=branch, vectors=vectors).wait()

    def stage(
        self,
        pending: Sequence[Pending],
        *,
        actor: str,
        branch: str = MAIN,
        vectors: Mapping[VectorKey, bytes] | None = None,
    ) -> Staged:
        """See ``EventLog.stage``. What is staged is as durable as memory is."""
        with self._order:
            return Staged(self._store(pending, actor, branch, vectors or {}), lambda: None)

    def _store(
        self, pending: Sequence[Pending], actor: str, branch: str, vectors: Mapping[VectorKey, bytes]
    ) -> tuple[Record, ...]:
        self._check_open()
        if (known := self._sequencer.said_before(pending, branch=branch)) is not None:
            return known
        records = self._sequencer.sequence(pending, actor=actor, branch=branch)
        self._records.extend(records)
        for key, vector in vectors.items():
            self._vectors.setdefault(key, vector)
        for record in records:
            self._sequencer.follow(record)
        return records

    @property
    def failed(self) -> bool:
        """See ``EventLog.failed``."""
        return False

    def recover(self) -> None:
        """See ``EventLog.recover``. Nothing fails here."""
        self._check_open()

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

    def vectors(self, embedder: str, *, after: int = 0) -> Iterator[tuple[bytes, bytes]]:
        """See ``EventLog.vectors``."""
        self._check_open()
        captured = [*self._vectors.items()][after:]
        yield from [(key.text, vector) for key, vector in captured if key.embedder == embedder]

    def vector_counts(self) -> dict[str, int]:
        """See ``EventLog.vector_counts``."""
        self._check_open()
        return dict(Counter(key.embedder for key in self._vectors))

    def embedders(self) -> list[str]:
        """See ``EventLog.embedders``."""
        self._check_open()
        return sorted({key.embedder for key in self._vectors})

    def purge(self, positions: Collection[int], *, texts: Collection[bytes], pending: Pending, actor: str) -> Record:
        """See ``EventLog.purge``."""
        with self._order:
            [record] = self._store([pending], actor, MAIN, {})
            for position in positions:
                whole = self._records[position - 1]
                self._records[position - 1] = msgspec.structs.replace(whole, salt=None, body=None)
            for key in [key for key in self._vectors if key.text in texts]:
                del self._vectors[key]
            return record

    def note_copy(self, kind: str, path: str | Path, head: Head) -> None:
        """See ``EventLog.note_copy``."""
        copy = Copy(kind=kind, path=str(path), position=head.position, made_at=self._identity.clock())
        self._copies.append(copy)

    def copies(self) -> tuple[Copy, ...]:
        """See ``EventLog.copies``."""
        return tuple(self._copies)

    def verify(self, *, expect: Head | None = None) -> VerifyReport:
        """See ``EventLog.verify``."""
        self._check_open()
        with self._order:
            rows = RowsInMemory(self._records, self._vectors)
            return verify_rows(rows, log_id=self.log_id, testimony=None, expect=expect)

    def backup(self, path: str | Path) -> Head:
        """See ``EventLog.backup``."""
        raise InvalidInputError(f"A log in memory has no file to copy to {str(path)!r}. Open the store on disk.")

    def close(self) -> None:
        """See ``EventLog.close``."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise InvalidInputError("This store is closed. Open it again with memp.open(…).")


class RowsInMemory:
    """The rows of a log in memory as ``verify_rows`` asks for them."""

    def __init__(self, records: Sequence[Record], vectors: Mapping[VectorKey, bytes]) -> None:
        self._records = {record.position: record for record in records}
        self._vectors = vectors

    def positions(self) -> tuple[int, int]:
        """See ``Rows.positions``."""
        return min(self._records, default=0), max(self._records, default=0)

    def next_position(self, after: int) -> int | None:
        """See ``Rows.next_position``."""
        return min((position for position in self._records if position > after), default=None)

    def stream(self) -> Iterator[list[StoredRow]]:
        """See ``Rows.stream``."""
        yield self.rows(0, max(self._records, default=0))

    def rows(self, after: int, until: int) -> list[StoredRow]:
        """See ``Rows.rows``."""
        found = (self._records.get(Position(position)) for position in range(after + 1, until + 1))
        return [(r.position, r.header.decode(), r.digest, r.position, r.salt, r.body) for r in found if r is not None]

    def stray_bodies(self) -> list[int]:
        """See ``Rows.stray_bodies``. A body is a part of its record here."""
        return []

    def vectors(self) -> Iterator[list[tuple[str, bytes, bytes]]]:
        """See ``Rows.vectors``."""
        yield [(key.embedder, key.text, vector) for key, vector in self._vectors.items()]
