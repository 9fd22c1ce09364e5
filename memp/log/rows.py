"""
The rows of a DuckDB store as they are read: in ranges, as tuples, and for a verification in one transaction.

One statement with ``order by`` over the whole log would sort it in memory, five gigabytes for a million events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from memp.errors import CorruptStoreError
from memp.log.verify import EVENTS_PER_READ, StoredRow

ROWS_PER_READ = 2_000
"""Rows fetched at a time: reading in ranges keeps memory flat, and 2,000 is 1.6 times faster than 20,000."""

ROWS_PER_PAGE = 128
"""Rows that a verification holds at a time: 200 kB of common events. A verification is 5 % faster than with 512."""

READ = (
    "select r.position, r.header, r.digest, b.position, b.salt, b.body "
    "from store.records r left join store.bodies b on b.position = r.position "
    "where r.position > ? and r.position <= ? order by r.position"
)
"""The records in a range of positions as they are stored; salt and body are null once purged."""


class StoredRows:
    """
    The rows of a store as ``verify_rows`` asks for them, as one transaction sees them.

    Args:
        cursor: A connection of its own, so that a verification keeps nobody from writing.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        # DuckDB draws a bar for what takes seconds where it thinks that somebody looks on; each connection is asked.
        cursor.execute("set enable_progress_bar = false")
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
        [(first, last)] = self._all("select coalesce(min(position), 0), coalesce(max(position), 0) from store.records")
        return first, last

    def next_position(self, after: int) -> int | None:
        """See ``Rows.next_position``."""
        [(position,)] = self._all("select min(position) from store.records where position > ?", [after])
        return None if position is None else int(position)

    def _stream(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """Yield all rows, a few at a time, so that the same memory serves again and again."""
        try:
            result = self._cursor.execute(query)
            while page := result.fetchmany(ROWS_PER_PAGE):
                yield page
        except duckdb.Error as error:
            raise CorruptStoreError(f"The rows cannot be read: {error}") from error

    def stream(self) -> Iterator[list[StoredRow]]:
        """See ``Rows.stream``."""
        [(whole,)] = self._all("select (select count(*) from store.records) = (select count(*) from store.bodies)")
        if whole:
            # Twice as fast as a join by position, which would have to hold all bodies, and sort.
            yield from self._stream(
                "select r.position, r.header, r.digest, b.position, b.salt, b.body "
                "from store.records r positional join store.bodies b"
            )
            return
        after = self.positions()[0] - 1
        while (found := self.next_position(after)) is not None:
            after = found - 1 + EVENTS_PER_READ
            yield self.rows(found - 1, after)

    def rows(self, after: int, until: int) -> list[StoredRow]:
        """See ``Rows.rows``."""
        return self._all(READ, [after, until])

    def stray_bodies(self) -> list[int]:
        """See ``Rows.stray_bodies``."""
        return [p for (p,) in self._all("select position from store.bodies anti join store.records using (position)")]

    def vectors(self) -> Iterator[list[tuple[str, bytes, bytes]]]:
        """See ``Rows.vectors``."""
        return self._stream("select embedder, text, vector from store.vectors")
