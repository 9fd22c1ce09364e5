"""
Questions in SQL, over one version of the memory.

The query never meets the store: its tables are filled into a database in memory of their own, which is then shut off
from files, network and settings. Opening the log's file to queries was not taken: it knows nothing of branches, undo
and views, and a statement that is meant to read can do much else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import attrs
import duckdb
import msgspec

from memp.errors import InvalidInputError
from memp.events import ProcedureValidated
from memp.model import CREDIT_UNIT, EventId, Procedure, Revision
from memp.record import Record
from memp.state import State

MEMORY_BYTES_MAX = 1_000_000_000
"""What the tables and the query may take together: a million events fit, and the machine stays usable."""

ANSWER_CHARACTERS_MAX = 16_000_000
"""How much is returned at most, in characters of text: more than anybody reads, less than hurts."""

ROWS_AT_A_TIME = 1_000
"""Rows that are filled in, and fetched, at a time."""

TABLES: dict[str, dict[str, str]] = {
    "events": {
        "position": "BIGINT",
        "event_id": "VARCHAR",
        "branch": "VARCHAR",
        "stream": "VARCHAR",
        "version": "BIGINT",
        "type": "VARCHAR",
        "schema": "INTEGER",
        "recorded_at": "TIMESTAMP",
        "actor": "VARCHAR",
        "cause": "VARCHAR",
        "key": "VARCHAR",
        "derived_from": "VARCHAR[]",
        "read": "VARCHAR[]",
        "batch": "VARCHAR",
        "batch_size": "INTEGER",
        "in_force": "BOOLEAN",
        "body": "JSON",
        "digest": "VARCHAR",
    },
    "procedures": {
        "procedure_id": "VARCHAR",
        "name": "VARCHAR",
        "status": "VARCHAR",
        "scope": "VARCHAR",
        "builder": "VARCHAR",
        "toolset": "VARCHAR",
        "tags": "VARCHAR[]",
        "task": "VARCHAR",
        "patterns": "VARCHAR[]",
        "script": "VARCHAR",
        "revision": "VARCHAR",
        "revisions": "INTEGER",
        "support": "INTEGER",
        "episodes": "INTEGER",
        "helped": "INTEGER",
        "tainted": "BOOLEAN",
        "merged_into": "VARCHAR",
        "content_key": "VARCHAR",
    },
    "revisions": {
        "revision": "VARCHAR",
        "procedure_id": "VARCHAR",
        "base": "VARCHAR",
        "status": "VARCHAR",
        "position": "BIGINT",
        "recorded_at": "TIMESTAMP",
        "actor": "VARCHAR",
        "task": "VARCHAR",
        "patterns": "VARCHAR[]",
        "facts": "VARCHAR[]",
        "script": "VARCHAR",
        "run": "JSON",
        "sources": "VARCHAR[]",
        "support": "INTEGER",
        "family": "VARCHAR",
        "episodes": "INTEGER",
        "helped": "INTEGER",
        "credit": "DOUBLE",
        "helped_credit": "DOUBLE",
        "critique": "VARCHAR",
        "tainted": "BOOLEAN",
        "content_key": "VARCHAR",
    },
    "evidence": {
        "event_id": "VARCHAR",
        "position": "BIGINT",
        "recorded_at": "TIMESTAMP",
        "actor": "VARCHAR",
        "procedure_id": "VARCHAR",
        "revision": "VARCHAR",
        "success": "BOOLEAN",
        "reward": "DOUBLE",
        "steps": "INTEGER",
        "weight": "DOUBLE",
        "judge": "VARCHAR",
        "reason": "VARCHAR",
    },
}
"""The views and their columns; ``docs/reference/sql.md`` says what each holds."""

_LOCKS = (
    "set python_enable_replacements = false",
    "set temp_directory = ''",
    "set enable_external_access = false",
    "set lock_configuration = true",
)
"""What shuts the database off, in this order. Without the first, a query could read variables of this program."""


@attrs.frozen(kw_only=True)
class Answer:
    """
    What a query returned.

    Attributes:
        columns: Their names; two may be the same.

        rows: The rows, in their order; values as DuckDB gives them to Python.

        truncated: Whether there were more rows than are here.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...] = attrs.field(repr=False)
    truncated: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as JSON has them: times and numbers that JSON does not have become text."""
        return {
            "columns": list(self.columns),
            "rows": [[plain_value(value) for value in row] for row in self.rows],
            "truncated": self.truncated,
        }


def plain_value(value: object) -> object:
    """Return *value* as JSON has it; times in UTC, bytes as hex, other things as their text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value - value == 0 else str(value)
        case datetime():
            return value.isoformat() if value.tzinfo is not None else f"{value.isoformat()}Z"
        case bytes() | bytearray():
            return value.hex()
        case list() | tuple():
            return [plain_value(part) for part in value]
        case dict():
            return {str(key): plain_value(part) for key, part in value.items()}
        case _:
            return str(value)


Rows = Mapping[str, Iterable[tuple[Any, ...]]]
"""The rows of each table that a query needs, by its name."""


def answer(rows: Rows, query: str, *, timeout_seconds: float, max_rows: int) -> Answer:
    """
    Return what *query* says of *rows*.

    Args:
        rows: What ``rows_of`` returned for the query.

        query: One ``select`` statement.

        timeout_seconds: When it is stopped, over 0. A single function that makes one huge value is not stopped before
            it is done.

        max_rows: How many rows are returned at most, 1 or more.

    Raises:
        InvalidInputError: It is no query, names what there is not, tries to do more than read, or takes too long.
    """
    if not timeout_seconds > 0:
        raise InvalidInputError(f"'timeout_seconds' must be over 0 (got {timeout_seconds!r}).")
    if max_rows < 1:
        raise InvalidInputError(f"'max_rows' must be 1 or more (got {max_rows!r}).")
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": f"{MEMORY_BYTES_MAX}B",
    }
    with duckdb.connect(":memory:", config=config) as connection:
        try:
            _check_reads(connection, query)
            for table, its_rows in rows.items():
                _fill(connection, table, its_rows)
            for statement in (*_LOCKS, "begin transaction read only"):
                connection.execute(statement)
        except duckdb.Error as error:
            raise InvalidInputError(_message(error)) from error
        return _run(connection, query, timeout_seconds=timeout_seconds, max_rows=max_rows)


def _check_reads(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    statements = connection.extract_statements(query)
    if len(statements) != 1:
        raise InvalidInputError(f"A query must be one 'select' statement (got {len(statements)} statements).")
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        raise InvalidInputError(f"A query can only read: it must be a 'select' (got {kind.name.lower()!r}).")


def _run(connection: duckdb.DuckDBPyConnection, query: str, *, timeout_seconds: float, max_rows: int) -> Answer:
    timer = threading.Timer(timeout_seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        result = connection.execute(query)
        columns = tuple(column[0] for column in result.description)
        rows, truncated = _fetch(result, max_rows)
    except duckdb.InterruptException as error:
        raise InvalidInputError(
            f"The query was stopped after {timeout_seconds:g} seconds. Ask for less, or allow more time."
        ) from error
    except duckdb.Error as error:
        raise InvalidInputError(_message(error)) from error
    finally:
        timer.cancel()
        # What is left of a query that was cut would run on, and closing would wait for it.
        connection.interrupt()
    return Answer(columns=columns, rows=tuple(rows), truncated=truncated)


def _fetch(result: duckdb.DuckDBPyConnection, max_rows: int) -> tuple[list[tuple[Any, ...]], bool]:
    """Return the rows up to what may be returned, and whether there are more."""
    rows: list[tuple[Any, ...]] = []
    characters = 0
    while chunk := result.fetchmany(ROWS_AT_A_TIME):
        for row in chunk:
            characters += _size(row)
            if len(rows) == max_rows or (rows and characters > ANSWER_CHARACTERS_MAX):
                return rows, True
            rows.append(row)
    return rows, False


def _size(value: object) -> int:
    """Return about how many characters *value* takes when it is shown."""
    match value:
        case str() | bytes():
            return len(value)
        case list() | tuple():
            return sum(map(_size, value))
        case dict():
            return sum(map(_size, value.values()))
        case _:
            return 8


def _message(error: duckdb.Error) -> str:
    """Return what DuckDB says of a query that it does not take."""
    return f"The query cannot be answered. {error}"


# -- the tables -------------------------------------------------------------------------------------------------------


def rows_of(state: State, events: Iterable[Record], query: str) -> Rows:
    """
    Return the rows of the tables that *query* names, or of all if it names none: the log is long and seldom asked for.

    Args:
        state: The version.

        events: The records that are seen there; read only when the table is filled.

        query: The query.
    """
    text = query.lower()
    procedures, out = state.all(), state.out
    makers: dict[str, Callable[[], Iterable[tuple[Any, ...]]]] = {
        "events": lambda: (_event_row(record, out) for record in events),
        "procedures": lambda: [_procedure_row(procedure) for procedure in procedures],
        "revisions": lambda: [_revision_row(p, revision, state) for p in procedures for revision in p.revisions],
        "evidence": lambda: list(_evidence_rows(procedures, state)),
    }
    named = [name for name in TABLES if name in text]
    return {name: makers[name]() for name in named or TABLES}


def _fill(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    columns = ", ".join(f'"{column}" {kind}' for column, kind in TABLES[table].items())
    connection.execute(f"create table {table} ({columns})")
    waiting = iter(rows)
    while chunk := list(islice(waiting, ROWS_AT_A_TIME)):
        appender = connection.appender(table)
        appender.append_rows(chunk)
        appender.flush()


def _time(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, tz=UTC).replace(tzinfo=None)


def _event_row(record: Record, out: frozenset[EventId]) -> tuple[Any, ...]:
    return (
        record.position,
        record.event_id,
        record.branch,
        record.stream,
        record.version,
        record.type,
        record.schema,
        _time(record.recorded_at),
        record.actor,
        record.cause,
        record.key,
        list(record.derived_from),
        list(record.read),
        record.batch,
        record.batch_size,
        record.event_id not in out,
        None if record.body is None else record.body.decode(),
        record.digest.hex(),
    )


def _procedure_row(procedure: Procedure) -> tuple[Any, ...]:
    evidence = procedure.evidence
    return (
        procedure.id,
        procedure.name,
        procedure.status.value,
        procedure.scope,
        procedure.builder,
        procedure.toolset,
        list(procedure.tags),
        procedure.task,
        list(procedure.patterns),
        procedure.script,
        procedure.active,
        len(procedure.revisions),
        procedure.support,
        evidence.episodes,
        evidence.helped,
        procedure.revision.tainted,
        procedure.merged_into,
        procedure.content_key,
    )


def _revision_row(procedure: Procedure, revision: Revision, state: State) -> tuple[Any, ...]:
    placed = state.history.place(revision.id)
    evidence, content = procedure.evidence_of(revision), revision.content
    return (
        revision.id,
        procedure.id,
        revision.base,
        revision.status.value,
        placed.position,
        _time(placed.recorded_at),
        placed.actor,
        content.task,
        list(content.patterns),
        list(content.facts),
        content.script,
        None if content.run is None else msgspec.json.encode(content.run).decode(),
        list(revision.sources),
        len(revision.sources),
        revision.family,
        evidence.episodes,
        evidence.helped,
        evidence.credit / CREDIT_UNIT,
        evidence.helped_credit / CREDIT_UNIT,
        revision.critique,
        revision.tainted,
        revision.content_key,
    )


def _evidence_rows(procedures: Sequence[Procedure], state: State) -> Iterator[tuple[Any, ...]]:
    """Yield the outcomes that count: in force, and of a revision that is there."""
    out = state.out
    for procedure in procedures:
        there = {revision.id for revision in procedure.revisions}
        for entry in state.entries_of(procedure.id):
            event = entry.event
            if not isinstance(event, ProcedureValidated) or event.revision not in there or entry.event_id in out:
                continue
            placed = state.history.place(entry.event_id)
            yield (
                entry.event_id,
                entry.position,
                _time(placed.recorded_at),
                placed.actor,
                procedure.id,
                event.revision,
                event.success,
                event.reward,
                event.steps,
                event.weight,
                event.judge,
                event.reason,
            )
