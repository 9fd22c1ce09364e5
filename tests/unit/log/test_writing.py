"""Rows go into every table by one statement, or by appenders if they are many, and the log can be read by columns."""

from __future__ import annotations

from pathlib import Path

import attrs
import duckdb
import msgspec
import pytest

from memp.events import EVENT_TYPES, VectorRef
from memp.log.base import VectorKey
from memp.log.duckdb import DuckDBLog
from memp.log.writing import APPENDER_ROWS
from memp.model import EventId
from memp.record import FIELDS, Record

from .conftest import event  # noqa: TID252


def stored(path: Path, query: str) -> list[tuple[object, ...]]:
    """Return what DuckDB itself finds in a store that is closed."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("count", [1, 2, APPENDER_ROWS - 1, APPENDER_ROWS, 3 * APPENDER_ROWS])
@pytest.mark.parametrize("vectors", [0, 1, 3, APPENDER_ROWS + 1])
def test_every_table_takes_its_rows(tmp_path: Path, count: int, vectors: int) -> None:
    """However many rows of each kind come at once, all of them are there afterwards."""
    path = tmp_path / "agent.duckdb"
    log = DuckDBLog(path)
    named = {VectorKey("e-1", number.to_bytes(32)): bytes(8) for number in range(vectors)}
    records = log.append([event(number) for number in range(count)], actor="me", vectors=named)
    assert tuple(log.read()) == records
    log.close()
    headers = [(r.position, r.header.decode(), r.digest) for r in records]
    assert stored(path, "select * from records order by position") == headers
    assert stored(path, "select * from bodies order by position") == [(r.position, r.salt, r.body) for r in records]
    assert stored(path, "select count(*) from vectors") == [(vectors,)]


def test_the_log_can_be_read_by_columns(tmp_path: Path) -> None:
    """The view of the events has every field that is hashed, and the digest, as the record has them."""
    path = tmp_path / "agent.duckdb"
    log = DuckDBLog(path)
    said = attrs.evolve(
        event(1), key='a "key"', cause=EventId("c"), derived_from=(EventId("d"), EventId("e")), read=(EventId("é"),)
    )
    log.append([said], actor="me\n")
    records = log.append([event(2)], actor="you")
    records = (*log.read(until=1), *records)
    log.close()
    rows = stored(path, "select * from events order by position")
    fields = FIELDS[: FIELDS.index("salt")]
    assert [Record(*map(as_tuple, row), None, None) for row in rows] == [  # type: ignore[arg-type, call-arg]
        msgspec.structs.replace(record, salt=None, body=None) for record in records
    ]
    names = [name for (name,) in stored(path, "select column_name from (describe events)")]
    assert tuple(names) == fields


def as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def test_vectors_stand_at_the_end_of_a_body() -> None:
    """A verification looks for the vectors of a body at its end only, and for the digest first in each of them."""
    named = {type: sorted(field.name for field in attrs.fields(cls)) for type, cls in EVENT_TYPES.items()}
    holding = {type: names for type, names in named.items() if "vectors" in names}
    assert "procedure-added" in holding
    assert {names[-1] for names in holding.values()} == {"vectors"}
    assert min(VectorRef.__struct_fields__) == "digest"
