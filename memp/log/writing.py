"""
Rows into a DuckDB store: the one place that knows which table takes what.

Rows are only ever inserted, by whoever appends and by whoever fills a new store with records as they are. DuckDB spends
a millisecond on planning a statement and next to nothing on running it, so a few rows go into all tables by one
statement, which is a transaction of its own; three statements between a ``begin`` and a ``commit`` take twice as long.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import duckdb

from memp.record import Record

APPENDER_ROWS = 10
"""From this many rows of one table on, DuckDB's appender is faster than one statement with values."""

Row = tuple[object, ...]
"""A row of any table."""

VectorRow = tuple[str, bytes, bytes]
"""Embedder, digest of the text, little-endian float32 bytes."""

Rows = Mapping[str, Sequence[Row]]
"""Table to the rows that it takes, at least one."""


def rows_by_table(records: Sequence[Record], vectors: Sequence[VectorRow]) -> Rows:
    """Return the rows that *records* and *vectors* are; a purged record has no body."""
    rows: Rows = {
        "records": [(r.position, r.header.decode(), r.digest) for r in records],
        "bodies": [(r.position, r.salt, r.body) for r in records if r.body is not None],
        "vectors": vectors,
    }
    return {table: its_rows for table, its_rows in rows.items() if its_rows}


def insert(
    connection: duckdb.DuckDBPyConnection,
    records: Sequence[Record],
    vectors: Sequence[VectorRow] = (),
    *,
    store: str = "store",
) -> None:
    """
    Insert records with their bodies, and captured embeddings; many rows need a transaction around this.

    Args:
        connection: Its current database is *store*, unless there are few rows.

        records: In the order of the log.

        vectors: Captured embeddings.

        store: The database.
    """
    rows = rows_by_table(records, vectors)
    if rows and _are_few(rows):
        connection.execute(_statement(rows, store), _values(rows))
        return
    for table, its_rows in rows.items():
        appender = connection.appender(table)
        appender.append_rows(its_rows)
        appender.flush()


def _are_few(rows: Rows) -> bool:
    return all(len(its_rows) < APPENDER_ROWS for its_rows in rows.values())


def _statement(rows: Rows, store: str) -> str:
    """Return the one statement that inserts as many rows into each table."""
    *before, last = (_insert(f"{store}.{table}", its_rows) for table, its_rows in rows.items())
    named = ", ".join(f"inserted_{number} as ({text})" for number, text in enumerate(before))
    return f"with {named} {last}" if named else last


def _insert(table: str, rows: Sequence[Row]) -> str:
    places = f"({', '.join('?' * len(rows[0]))})"
    return f"insert into {table} values {', '.join([places] * len(rows))}"


def _values(rows: Rows) -> list[object]:
    return [value for its_rows in rows.values() for row in its_rows for value in row]


class Writer:
    """
    A connection that only appends.

    Args:
        connection: Its current database is ``store``.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._cursor = connection.cursor()
        self._cursor.execute("use store")
        # There is nothing to optimise about rows that are given, and looking for it takes a tenth of a commit.
        self._cursor.execute("pragma disable_optimizer")
        self._parsed: dict[tuple[tuple[str, int], ...], duckdb.Statement] = {}

    def commit(self, records: Sequence[Record], vectors: Sequence[VectorRow]) -> None:
        """
        Commit *records* with their bodies, and *vectors*: all, or nothing if this raises.

        A failed statement is never followed by a commit: DuckDB's commit would then return normally and store nothing.
        """
        rows = rows_by_table(records, vectors)
        if _are_few(rows):
            self._cursor.execute(self._parse(rows), _values(rows))
            return
        self._cursor.execute("begin")
        try:
            insert(self._cursor, records, vectors)
            self._cursor.execute("commit")
        except duckdb.Error:
            with contextlib.suppress(duckdb.Error):
                self._cursor.execute("rollback")
            raise

    def _parse(self, rows: Rows) -> duckdb.Statement:
        """Return the statement for as many rows as these; each is parsed once."""
        shape = tuple((table, len(its_rows)) for table, its_rows in rows.items())
        if shape not in self._parsed:
            [self._parsed[shape]] = self._cursor.extract_statements(_statement(rows, "store"))
        return self._parsed[shape]

    def close(self) -> None:
        """Give the connection back; an open one keeps the file open."""
        self._cursor.close()
