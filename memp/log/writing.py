"""
Rows into a DuckDB store: the one place that knows which table takes what.

Rows are only ever inserted, by whoever appends and by whoever fills a new store with records as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb

from memp.record import Record

APPENDER_ROWS = 10
"""From this many rows on, DuckDB's appender is faster than an INSERT with values."""


def insert_records(connection: duckdb.DuckDBPyConnection, records: Sequence[Record], *, store: str = "store") -> None:
    """
    Insert records with their bodies; a purged one has none.

    Args:
        connection: Its current database is *store*, unless there are few records.

        records: In the order of the log.

        store: The database.
    """
    _insert(connection, f"{store}.events", [(*record.hashed, record.digest) for record in records])
    bodies = [(r.position, r.salt, r.body) for r in records if r.body is not None]
    _insert(connection, f"{store}.bodies", bodies)


def insert_vectors(connection: duckdb.DuckDBPyConnection, rows: Iterable[tuple[str, bytes, bytes]]) -> None:
    """Insert (embedder, digest of the text, little-endian float32 bytes) of captured embeddings into ``store``."""
    _insert(connection, "store.vectors", list(rows))


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    if not rows:
        return
    if len(rows) >= APPENDER_ROWS:
        appender = connection.appender(table.partition(".")[2])
        appender.append_rows(rows)
        appender.flush()
        return
    places = ", ".join(f"({', '.join('?' * len(rows[0]))})" for _ in rows)
    connection.execute(f"insert into {table} values {places}", [value for row in rows for value in row])
