"""
Bringing the tables of a store to the form that this version knows.

Each file of ``migrations/`` runs once, in order, in its own transaction, and is kept with its digest in the store.
A migration library is not taken: the ones for Python speak through SQLAlchemy, which has no DuckDB 2 dialect, and what
is needed is this loop.
"""

from __future__ import annotations

import hashlib

import duckdb

from memp import _resources
from memp.errors import CorruptStoreError, NewerStoreError

_RECORD = """
create table if not exists migrations (
    number integer not null primary key,
    name varchar not null,
    digest varchar not null,
    applied_at bigint not null
)
"""


def available() -> list[tuple[int, str]]:
    """Return (number, file name) of every shipped migration, in order."""
    names = sorted(name for name in _resources.list_names("migrations") if name.endswith(".sql"))
    return [(int(name.split("_", 1)[0]), name) for name in names]


def migrate(connection: duckdb.DuckDBPyConnection, *, applied_at: int, read_only: bool = False) -> list[str]:
    """
    Apply what is missing and return the names of what was applied.

    Args:
        connection: Its current database is the store.

        applied_at: Microseconds since 1970 UTC, kept beside each applied migration.

        read_only: Only check that nothing is missing.

    Raises:
        NewerStoreError: The store has a migration that this version does not ship.

        CorruptStoreError: A migration was edited after it was applied, or one is missing and the store is read-only.
    """
    done = check_known(connection)
    applied = []
    for number, name in available():
        text = _resources.read_text("migrations", name)
        digest = hashlib.sha256(text.encode()).hexdigest()
        if number in done:
            if done[number] != digest:
                raise CorruptStoreError(
                    f"Migration {name!r} is not the one that made this store: it was edited afterwards."
                )
            continue
        if read_only:
            raise CorruptStoreError(
                f"The store lacks migration {name!r}. Open it once for writing to bring it up to date."
            )
        connection.execute("begin")
        try:
            connection.execute(_RECORD)
            connection.execute(text)
            connection.execute("insert into migrations values (?, ?, ?, ?)", [number, name, digest, applied_at])
        except duckdb.Error:
            connection.execute("rollback")
            raise
        connection.execute("commit")
        connection.execute("checkpoint")
        applied.append(name)
    return applied


def check_known(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """
    Return number to digest of the migrations that the store has.

    Raises:
        NewerStoreError: One of them is not shipped with this version.
    """
    done, shipped = _applied(connection), dict(available())
    if done and max(done) > max(shipped):
        raise NewerStoreError(found=max(done), known=max(shipped))
    return done


def _applied(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Return number to digest of what the store has; empty for a new file."""
    there = connection.execute(
        "select count(*) from duckdb_tables() where database_name = current_database() and table_name = 'migrations'"
    ).fetchone()
    if not there or not there[0]:
        return {}
    return dict(connection.execute("select number, digest from migrations").fetchall())
