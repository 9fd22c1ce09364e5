"""Questions in SQL: what they see, and what they cannot do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import memp
from memp import sql
from memp.errors import InvalidInputError
from memp.sql import TABLES, plain_value


def run(task: str, *actions: str, reward: float = 1.0) -> memp.Trajectory:
    """A recorded run."""
    return memp.Trajectory(task=task, steps=[memp.Step(action=action) for action in actions], reward=reward)


@pytest.fixture
def memory() -> Iterator[memp.Memory]:
    """A memory with two procedures, one of them rewritten, and outcomes."""
    with memp.open(":memory:", actor="me") as opened:
        opened.learn([run("warm the soup", "heat soup 1"), run("look at a book", "look"), run("fail", "x", reward=0)])
        opened.tag("learned")
        opened.validate("warm-the-soup", success=True, steps=3)
        opened.validate("warm-the-soup", success=False, judge="rule", reason="It burnt.")
        opened.reflect("look-at-a-book", script='do("sit down")', critique="Nobody sat down", activate=True)
        yield opened


def rows(memory: memp.View, query: str) -> list[tuple[object, ...]]:
    """What a query returns."""
    return list(memory.sql(query).rows)


def test_events_are_the_records(memory: memp.Memory) -> None:
    """Every record that is seen has a row, its body is JSON, and times are UTC."""
    records = list(memory.events())
    found = rows(memory, "select position, event_id, actor, type, recorded_at from events order by position")
    assert found == [
        (r.position, r.event_id, r.actor, r.type, datetime.fromtimestamp(r.recorded_at / 1e6, UTC).replace(tzinfo=None))
        for r in records
    ]
    assert rows(memory, "select body->>'$.name' from events where type = 'procedure-added' order by position") == [
        ("warm-the-soup",),
        ("look-at-a-book",),
    ]
    assert rows(memory, "select len(derived_from) from events where type = 'procedure-reflected'") == [(1,)]


def test_procedures_revisions_and_evidence_are_as_they_stand(memory: memp.Memory) -> None:
    """The other views hold the state of the version, one row for each thing in it."""
    assert rows(memory, "select name, status, support, helped, episodes, revisions from procedures order by name") == [
        ("look-at-a-book", "live", 1, 0, 0, 2),
        ("warm-the-soup", "live", 1, 1, 2, 1),
    ]
    query = (
        "select p.name, r.status, r.critique, r.run is not null from revisions r join procedures p "
        "using (procedure_id) order by r.position"
    )
    assert rows(memory, query) == [
        ("warm-the-soup", "active", None, True),
        ("look-at-a-book", "superseded", None, True),
        ("look-at-a-book", "active", "Nobody sat down", True),
    ]
    assert rows(memory, "select success, steps, judge, weight, reason from evidence order by position") == [
        (True, 3, "person", 1.0, ""),
        (False, None, "rule", 1.0, "It burnt."),
    ]
    assert rows(memory, "select credit, helped_credit from revisions where episodes > 0") == [(2.0, 1.0)]


def test_the_past_and_what_is_undone(memory: memp.Memory) -> None:
    """A view answers as it was, and what is out of force is marked among the events and absent elsewhere."""
    assert rows(memory.at("learned"), "select count(*), sum(revisions) from procedures") == [(2, 2)]
    assert rows(memory.at("learned"), "select count(*) from evidence") == [(0,)]
    [bad] = memory.events(type="procedure-reflected")
    [good, _] = memory.events(type="procedure-validated")
    memory.undo([bad.event_id, good.event_id], reason="r")
    assert rows(memory, "select position from events where not in_force order by 1") == [
        (good.position,),
        (bad.position,),
    ]
    assert rows(memory, "select count(*) from revisions") == [(2,)]
    assert rows(memory, "select success from evidence") == [(False,)]


def test_an_empty_memory_has_empty_views() -> None:
    """There is nothing to fill in, and that is no error."""
    with memp.open(":memory:") as empty:
        for name in TABLES:
            assert rows(empty, f"select * from {name}") == []


def test_without_a_name_all_views_are_there(memory: memp.Memory) -> None:
    """What lists the views finds the four."""
    assert {name for (name,) in rows(memory, "show tables")} == set(TABLES)
    found = rows(memory, "select table_name from information_schema.tables")
    assert {name for (name,) in found} == set(TABLES)


FORBIDDEN = [
    "select * from read_csv('{file}')",
    "select * from read_text('{file}')",
    "select * from read_blob('{file}')",
    "select * from read_json('{file}')",
    "select * from '{file}'",
    "select * from glob('{folder}/*')",
    "select * from read_csv('https://example.org/a.csv')",
    "copy events to '{folder}/out.csv'",
    "copy events from '{file}'",
    "export database '{folder}/out'",
    "attach '{folder}/other.duckdb'",
    "attach ':memory:' as other",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set memory_limit = '1TB'",
    "reset memory_limit",
    "pragma database_list",
    "pragma memory_limit = '1TB'",
    "select getenv('HOME')",
    "select * from duckdb_secrets()",
    "create table mine (a int)",
    "create temp table mine (a int)",
    "insert into events (position) values (1)",
    "update procedures set name = 'x'",
    "delete from events",
    "with gone as (delete from events returning *) select * from gone",
    "drop table events",
    "begin",
    "explain analyze delete from events",
    "select 1; select 2",
    "select 1; copy events to '{folder}/out.csv'",
    "call pragma_version()",
    "select * from memory",
    "select * from rows",
    "selec 1",
    "select * from event",
    "select nothing from events",
    "",
    ";",
    "-- nothing",
]


@pytest.mark.parametrize("query", FORBIDDEN)
def test_a_query_can_only_read_the_views(memory: memp.Memory, query: str, tmp_path: Path) -> None:
    """Files, network, settings, the environment, variables of this program and changes are out of reach."""
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n")
    with pytest.raises(InvalidInputError, match=r"The query cannot be answered|A query "):
        memory.sql(query.format(file=file, folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert rows(memory, "select count(*) from procedures") == [(2,)]


def test_the_message_is_the_database_s_own(memory: memp.Memory) -> None:
    """A mistyped column is named, and what there is instead."""
    with pytest.raises(InvalidInputError, match="nam"):
        memory.sql("select nam from procedures")


@pytest.mark.parametrize(
    "query",
    [
        "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n",
        "select sum(a.range * b.range) from range(10000000) a, range(10000000) b",
    ],
)
def test_a_query_without_end_is_stopped(memory: memp.Memory, query: str) -> None:
    """The time limit ends it, and says so."""
    with pytest.raises(InvalidInputError, match=r"stopped after 0.2 seconds"):
        memory.sql(query, timeout_seconds=0.2)


def test_an_answer_without_end_is_cut(memory: memp.Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and characters are limited, and the answer says that there was more."""
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n"
    found = memory.sql(endless, max_rows=5)
    assert (len(found.rows), found.truncated) == (5, True)
    assert memory.sql("select range from range(5)", max_rows=5).truncated is False
    monkeypatch.setattr(sql, "ANSWER_CHARACTERS_MAX", 1_000)
    found = memory.sql("select repeat('x', 300), [range], {'a': range} from range(2000)")
    assert (len(found.rows), found.truncated) == (3, True)
    found = memory.sql("select repeat('x', 3000)")
    assert (len(found.rows), found.truncated) == (1, False)


@pytest.mark.parametrize(("seconds", "count"), [(0, 1), (float("nan"), 1), (1, 0)])
def test_limits_must_be_positive(memory: memp.Memory, seconds: float, count: int) -> None:
    """A limit of nothing is a mistake."""
    with pytest.raises(InvalidInputError, match="must be"):
        memory.sql("select 1", timeout_seconds=seconds, max_rows=count)


def test_an_answer_has_a_plain_form(memory: memp.Memory) -> None:
    """Whatever DuckDB returns can be written as JSON."""
    query = (
        "select 1, 1.5, 'x', null, true, [1, 2], {'a': 1.25::decimal(4, 2)}, timestamp '2026-01-01 10:00:00', "
        "date '2026-01-01', 'ab'::blob, 'nan'::double, interval 1 day, 170141183460469231731687303715884105727"
    )
    [row] = json.loads(json.dumps(memory.sql(query).to_dict()))["rows"]
    assert row[:8] == [1, "1.5", "x", None, True, [1, 2], {"a": "1.25"}, "2026-01-01T10:00:00Z"]
    assert row[8:11] == ["2026-01-01", "6162", "nan"]
    assert plain_value(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00+00:00"
    assert (plain_value(date(2026, 1, 1)), plain_value(Decimal("1.50"))) == ("2026-01-01", "1.50")


def test_the_reference_page_names_every_column(repository: Path) -> None:
    """A column that is added is documented, and none is documented that is not there."""
    page = (repository / "docs/reference/sql.md").read_text(encoding="utf-8")
    documented: dict[str, list[str]] = {}
    for line in page.splitlines():
        if line.startswith("## `"):
            documented[line.split("`")[1]] = []
        elif documented and line.startswith("| `"):
            documented[list(documented)[-1]] += line.split("|")[1].split("`")[1::2]
    assert documented == {name: list(columns) for name, columns in TABLES.items()}
