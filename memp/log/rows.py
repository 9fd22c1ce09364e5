"""
The rows of a DuckDB store as they are read: in ranges, as tuples, and for a verification in one transaction.

One statement with ``order by`` over the whole log would sort it in memory, five gigabytes for a million events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from memp.errors import CorruptStoreError
from memp.log.verify import Hashable
from memp.record import FIELDS, HASHED_FIELDS, RECORD_FORMAT

ROWS_PER_READ = 2_000
"""Rows fetched at a time: reading in ranges keeps memory flat, and 2,000 is 1.6 times faster than 20,000."""

_EVENT_COLUMNS = FIELDS[: HASHED_FIELDS + 1]
READ = (
    f"select {', '.join(f'e.{name}' for name in _EVENT_COLUMNS)}, b.salt, b.body "
    "from store.events e left join store.bodies b on b.position = e.position "
    "where e.position > ? and e.position <= ? order by e.position"
)
"""Every field of the records in a range of positions, in the order of ``memp.record.FIELDS``."""

_DIGESTS = frozenset({"body_digest", "previous"})
_HASHED = ", ".join(f"base64(e.{name})" if name in _DIGESTS else f"e.{name}" for name in FIELDS[:HASHED_FIELDS])
_HASHABLE = (
    f"select e.position, json_array({RECORD_FORMAT}, {_HASHED}), e.body_digest, e.previous, e.digest "
    "from store.events e where e.position > ? and e.position <= ? order by e.position"
)
_BODIES = "select position, salt || body from store.bodies where position > ? and position <= ? order by position"


class StoredRows:
    """
    The rows of a store as ``verify_rows`` asks for them, as one transaction sees them.

    Args:
        cursor: A connection of its own, so that a verification keeps nobody from writing.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        cursor.execute("begin")

    def _all(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._cursor.execute(query, values).fetchall()
        except duckdb.Error as error:
            raise CorruptStoreError(f"The rows cannot be read: {error}") from error

    def log_id(self) -> str:
        """
        Return the log that the store says it is.

        Raises:
            CorruptStoreError: It does not say one.
        """
        found = self._all("select log_id from store.log")
        if len(found) != 1:
            raise CorruptStoreError(f"A store must hold one log (got {len(found)}).")
        return str(found[0][0])

    def positions(self) -> tuple[int, int]:
        """See ``Rows.positions``."""
        [(first, last)] = self._all("select coalesce(min(position), 0), coalesce(max(position), 0) from store.events")
        return first, last

    def next_position(self, after: int) -> int | None:
        """See ``Rows.next_position``."""
        [(position,)] = self._all("select min(position) from store.events where position > ?", [after])
        return None if position is None else int(position)

    def events(self, after: int, until: int) -> list[tuple[Any, ...]]:
        """See ``Rows.events``."""
        return self._all(READ, [after, until])

    def hashable(self, after: int, until: int) -> list[Hashable] | None:
        """See ``Rows.hashable``."""
        # Two statements and no join, which would cost a fifth more.
        records, bodies = self._all(_HASHABLE, [after, until]), self._all(_BODIES, [after, until])
        return list(zip(records, bodies, strict=True)) if len(records) == len(bodies) else None

    def stray_bodies(self) -> list[int]:
        """See ``Rows.stray_bodies``."""
        return [p for (p,) in self._all("select position from store.bodies anti join store.events using (position)")]

    def vectors(self) -> Iterator[list[tuple[str, bytes, bytes]]]:
        """See ``Rows.vectors``."""
        [(count,)] = self._all("select coalesce(max(rowid), -1) + 1 from store.vectors")
        for start in range(0, count, ROWS_PER_READ):
            yield self._all(
                "select embedder, text, vector from store.vectors where rowid >= ? and rowid < ?",
                [start, start + ROWS_PER_READ],
            )
