"""Tables, queries and plans are read as they are written, or refused by name."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.travelplanner import Tables, read_plan, read_request, read_tables
from memp.evaluation.travelplanner.plan import name_and_city, way_of
from memp.evaluation.travelplanner.request import read_requests
from memp.evaluation.travelplanner.suite import read_tasks

CITIES = {"Cove": "Southland", "Ahus": "Nordland", "Oslo City": "Oslo", "Bergen": "Oslo"}


def test_tables_are_found_by_name_and_city(tables: Tables) -> None:
    """A name is looked up in its city only, whole or without its end; a way that takes a day is none."""
    assert tables.find_stay("Big House", "Ahus") is not None
    assert tables.find_stay("Big", "Ahus") is not None
    assert tables.find_stay("Big House", "Belo") is None
    assert tables.find_restaurant("", "Ahus") is None
    drive = tables.find_drive("Cove", "Ahus")
    assert drive is not None
    assert (drive.km, drive.cost(taxi=False), drive.cost(taxi=True)) == (1000.0, 50, 1000)
    assert tables.find_drive("Belo", "Cove") is None
    assert tables.find_drive("Cove", "Belo") is None
    assert tables.cities_of("Nordland") == ("Ahus", "Belo")


def test_packed_tables_are_read_too(world: Path, tmp_path: Path) -> None:
    """A table may be packed."""
    for path in (world / "db").iterdir():
        if path.suffix == ".csv":
            (tmp_path / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        else:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    assert read_tables(str(tmp_path)) == read_tables(str(world))


@pytest.mark.parametrize("missing", ["flights.csv", "cities_with_states.txt"])
def test_a_missing_table_is_named(world: Path, tmp_path: Path, missing: str) -> None:
    """The error says which file is not there."""
    for path in (world / "db").iterdir():
        if path.name != missing:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(InvalidInputError, match=missing.removesuffix(".csv")):
        read_tables(str(tmp_path))


def test_a_bad_row_is_named(world: Path, tmp_path: Path) -> None:
    """The error says which row of which file cannot be read."""
    for path in (world / "db").iterdir():
        text = path.read_text(encoding="utf-8").replace("F2,60", "F2,cheap")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"Row 2 of .*flights\.csv"):
        read_tables(str(tmp_path))


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("for a group of 7", "people", 7),
        ("for a party of 4", "people", 4),
        ("for two, starting now,", "people", 2),
        ("for a duo", "people", 2),
        ("for me alone", "people", 1),
        ("where smoking is fine", "house_rule", "smoking"),
        ("for children as well", "house_rule", "children under 10"),
        ("in rooms that are not shared", "room_type", "not shared room"),
        ("in entire rooms", "room_type", "entire room"),
        ("and we do not plan on self-driving", "transportation", "no self-driving"),
        ("and please avoid any flight", "transportation", "no flight"),
        ("with French and Indian food", "cuisines", ("Indian", "French")),
        ("on 5 days", "days", 5),
        ("for a week", "days", 7),
    ],
)
def test_wishes_are_read_off_the_words(words: str, field: str, value: object) -> None:
    """Numbers and wishes are understood in several wordings."""
    query = f"From Cove to Ahus from March 4th to March 6th, 2022 {words}, for $1,200."
    assert getattr(read_request(query, CITIES, id="q"), field) == value


def test_places_and_days_are_read_off_the_words() -> None:
    """A state inside the name of a city is no state, and the days follow from the dates where nobody counts them."""
    query = "We start in Oslo City and see 2 cities in Nordland from March 4th to March 8th, 2022, with $900."
    found = read_request(query, CITIES, id="q")
    assert (found.origin, found.destination, found.days, found.cities) == ("Oslo City", "Nordland", 5, 2)
    assert found.dates[0] == "2022-03-04"
    assert found.dates[-1] == "2022-03-08"


def test_a_query_without_budget_is_refused() -> None:
    """Without a budget or a known city there is nothing to plan."""
    with pytest.raises(InvalidInputError, match="budget"):
        read_request("From Cove to Ahus.", CITIES, id="q")
    with pytest.raises(InvalidInputError, match="city"):
        read_request("From here to there for $9.", CITIES, id="q")


def test_tasks_take_what_is_official_and_read_the_rest(world: Path, tables: Tables) -> None:
    """A row's own figures come before the words, and a split is chosen by the id."""
    train, validation = read_tasks(world)
    assert (train.people, train.offered, validation.people) == (2, ("Ahus",), 3)
    assert [request.id for request in read_tasks(world, "validation")] == ["validation-2"]
    with pytest.raises(InvalidInputError, match="'split' must be"):
        read_tasks(world, "test")
    with pytest.raises(InvalidInputError, match="must be in a file"):
        read_requests(world / "none.jsonl", tables.states)


def test_a_row_that_is_no_task_is_named(tmp_path: Path, tables: Tables) -> None:
    """The line is named."""
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps({"id": "a"}), encoding="utf-8")
    with pytest.raises(InvalidInputError, match="Line 1"):
        read_requests(path, tables.states)


def test_plans_are_read_from_actions() -> None:
    """Other actions and days that are no object are passed over; a missing field is None and not nothing."""
    days = read_plan(["FlightSearch[a, b, c]", 'plan day {"days": 1, "dinner": "-"}', "plan day 7", "plan day {"])
    assert [(day.number, day.dinner, day.lunch) for day in days] == [(1, "-", None)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Flying Fish, Ahus", ("Flying Fish", "Ahus")),
        ("Fish, Chips, Ahus(Nordland)", ("Fish, Chips", "Ahus")),
        ("Alone", ("Alone", "")),
    ],
)
def test_names_and_cities_are_told_apart(text: str, found: tuple[str, str]) -> None:
    """The city stands behind the last comma, without its state."""
    assert name_and_city(text) == found


def test_a_way_is_read_with_and_without_states() -> None:
    """Both ends of a way are cities without states."""
    assert way_of("Taxi, from Cove(Southland) to Ahus(Nordland), duration: 9 hours") == ("Cove", "Ahus")
    assert way_of("Ahus") is None
