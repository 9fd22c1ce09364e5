"""A closed world of three invented cities, as files and as values, and a plan in it that keeps everything."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from memp.evaluation.travelplanner import Day, Request, Tables, read_request, read_tables

CITIES = {"Cove": "Southland", "Ahus": "Nordland", "Belo": "Nordland"}

TABLES = {
    "accommodations.csv": (
        ",NAME,room type,price,minimum nights,review rate number,house_rules,maximum occupancy,city",
        "0,Long House,Entire home/apt,40,5,3,No pets,4,Ahus",
        "1,Quiet Room,Private room,30,1,4,No parties & No smoking,1,Ahus",
        "2,Big House,Entire home/apt,120,1,4,,6,Ahus",
        "3,Belo Loft,Entire home/apt,70,2,4,No visitors,2,Belo",
    ),
    "restaurants.csv": (
        ",Name,City,Cuisines,Average Cost,Aggregate Rating",
        '0,Old Mill,Ahus,"Tea, Pizza",30,4',
        '1,Red Door,Ahus,"Indian, Seafood",20,4',
        '2,Green Door,Ahus,"French, Cafe",10,4',
        "3,Corner,Ahus,Mexican,15,4",
        "4,Quay,Ahus,Chinese,25,4",
        '5,Belo Bar,Belo,"American, Cafe",12,4',
        "6,Belo Inn,Belo,Tea,13,4",
        "7,Belo Grill,Belo,BBQ,14,4",
        "8,Belo Deli,Belo,Cafe,15,4",
        "9,Belo Barn,Belo,Tea,16,4",
    ),
    "attractions.csv": (
        "Name,Latitude,Longitude,Address,Phone,Website,City",
        "Ahus Tower,0,0,a,1,w,Ahus",
        "Boat Museum,0,0,a,1,w,Ahus",
        "Belo Park,0,0,a,1,w,Belo",
        "Belo Mine,0,0,a,1,w,Belo",
    ),
    "distances.csv": (
        "origin,destination,cost,duration,distance",
        'Cove,Ahus,,9 hours,"1,000 km"',
        'Ahus,Cove,,9 hours,"1,000 km"',
        "Ahus,Belo,,1 hour,80 km",
        "Belo,Cove,,1 day 2 hours,900 km",
        "Cove,Belo,,,",
    ),
    "flights.csv": (
        "Flight Number,Price,DepTime,ArrTime,ActualElapsedTime,FlightDate,OriginCityName,DestCityName,Distance",
        "F1,100,08:00,09:00,1 hours,2022-03-04,Cove,Ahus,600",
        "F2,60,18:00,19:00,1 hours,2022-03-04,Cove,Ahus,600",
        "F3,80,10:00,11:00,1 hours,2022-03-06,Ahus,Cove,600",
        "F4,90,10:00,11:00,1 hours,2022-03-08,Belo,Cove,600",
    ),
}

QUERY = "Please plan a 3-day trip for two people from Cove to Ahus from March 4th to March 6th, 2022, for $900."
LONG_QUERY = (
    "Could you plan a 5-day trip from Cove to 2 cities in Nordland between March 4th and March 8th, 2022, for a group "
    "of 3 with a budget of $2,400? We would love to try Indian cuisine."
)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the invented tables and two tasks."""
    folder = tmp_path_factory.mktemp("travel")
    (folder / "db").mkdir()
    for name, lines in TABLES.items():
        (folder / "db" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    states = "\n".join(f"{city}\t{state}" for city, state in CITIES.items())
    (folder / "db" / "cities_with_states.txt").write_text(states, encoding="utf-8")
    rows = [
        {"id": "train-1", "query": QUERY, "org": "Cove", "days": 3, "budget": 900, "cities": ["Ahus"]},
        {"id": "validation-2", "query": LONG_QUERY, "cities": ["Ahus", "Belo"]},
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    (folder / "tasks.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tables(world: Path) -> Tables:
    """Return the invented tables."""
    return read_tables(str(world))


@pytest.fixture(scope="session")
def request_of_two(tables: Tables) -> Request:
    """Return the request of two people for three days."""
    return attrs.evolve(read_request(QUERY, tables.states, id="train-1"), offered=("Ahus",))


@pytest.fixture(scope="session")
def good_plan() -> tuple[Day, ...]:
    """Return a plan that keeps everything."""
    return (
        Day(
            number=1,
            current_city="from Cove to Ahus",
            transportation="Flight Number: F2, from Cove to Ahus, Departure Time: 18:00, Arrival Time: 19:00",
            breakfast="-",
            attraction="-",
            lunch="-",
            dinner="Old Mill, Ahus",
            accommodation="Big House, Ahus",
        ),
        Day(
            number=2,
            current_city="Ahus",
            transportation="-",
            breakfast="Green Door, Ahus",
            attraction="Ahus Tower, Ahus;Boat Museum, Ahus;",
            lunch="Red Door, Ahus",
            dinner="Corner, Ahus",
            accommodation="Big House, Ahus",
        ),
        Day(
            number=3,
            current_city="from Ahus to Cove",
            transportation="Flight Number: F3, from Ahus to Cove, Departure Time: 10:00, Arrival Time: 11:00",
            breakfast="Quay, Ahus",
            attraction="-",
            lunch="-",
            dinner="-",
            accommodation="-",
        ),
    )
