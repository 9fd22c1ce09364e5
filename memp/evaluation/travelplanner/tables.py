"""
The tables of the closed world that plans are checked against: stays, restaurants, sights, flights, distances, cities.

They are read with the standard library from the folder that the benchmark fills, packed or not, once per process.
pandas was not taken: five thousand rows a table need a dictionary, and an import of half a second buys nothing.
"""

from __future__ import annotations

import csv
import functools
import gzip
import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import attrs

from memp.errors import InvalidInputError

_DRIVE_COST_PER_KM = 0.05
"""Dollars a car costs for one kilometre. Source: TravelPlanner (arXiv 2402.01622), appendix on the distance tool."""

_TAXI_COST_PER_KM = 1.0
"""Dollars a taxi costs for one kilometre. Source: as above."""


@attrs.frozen(kw_only=True)
class Stay:
    """
    A place to sleep.

    Attributes:
        name: As the table writes it.

        city: Where.

        price: Dollars a night and unit.

        nights_min: The least nights in a row for which it may be booked.

        room_type: ``Entire home/apt``, ``Private room`` or ``Shared room``.

        rules: What is not allowed, such as ``No pets``.

        guests_max: How many people one unit takes; 1 or more.
    """

    name: str
    city: str
    price: float
    nights_min: float
    room_type: str
    rules: tuple[str, ...]
    guests_max: int


@attrs.frozen(kw_only=True)
class Restaurant:
    """A place to eat: its cuisines, and what one meal for one person costs in dollars."""

    name: str
    city: str
    cuisines: tuple[str, ...]
    cost: float


@attrs.frozen(kw_only=True)
class Sight:
    """Something to see, for free."""

    name: str
    city: str


@attrs.frozen(kw_only=True)
class Flight:
    """A flight on one day (ISO date); the price is for one person."""

    number: str
    origin: str
    destination: str
    date: str
    departs: str
    arrives: str
    price: float


@attrs.frozen(kw_only=True)
class Drive:
    """The way between two cities by road: how long in words, how far in kilometres."""

    origin: str
    destination: str
    duration: str
    km: float

    def cost(self, *, taxi: bool) -> int:
        """Return what one car costs, in whole dollars, rounded down."""
        return int(self.km * (_TAXI_COST_PER_KM if taxi else _DRIVE_COST_PER_KM))


_FILES = frozenset({"accommodations", "restaurants", "attractions", "distances", "flights", "cities_with_states"})

_Row = TypeVar("_Row", Stay, Restaurant, Sight)
_Any = TypeVar("_Any")


def bare_city(city: str) -> str:
    """Return *city* without the state that some plans put behind it: ``Dallas(Texas)`` is ``Dallas``."""
    return city.split("(")[0].strip()


@attrs.frozen(kw_only=True)
class Tables:
    """
    The closed world, by city.

    Attributes:
        stays: City to its places to sleep, in the order of the table.

        restaurants: City to its places to eat.

        sights: City to what there is to see.

        flights: Every known flight.

        drives: (origin, destination) to the way by road.

        states: City to its state.
    """

    stays: dict[str, tuple[Stay, ...]] = attrs.field(repr=False)
    restaurants: dict[str, tuple[Restaurant, ...]] = attrs.field(repr=False)
    sights: dict[str, tuple[Sight, ...]] = attrs.field(repr=False)
    flights: tuple[Flight, ...] = attrs.field(repr=False)
    drives: dict[tuple[str, str], Drive] = attrs.field(repr=False)
    states: dict[str, str] = attrs.field(repr=False)

    def find_stay(self, name: str, city: str) -> Stay | None:
        """Return the stay of that name in *city*; None if there is none."""
        return _named(self.stays.get(city, ()), name)

    def find_restaurant(self, name: str, city: str) -> Restaurant | None:
        """Return the restaurant of that name in *city*, the first of several; None if there is none."""
        return _named(self.restaurants.get(city, ()), name)

    def find_sight(self, name: str, city: str) -> Sight | None:
        """Return the sight of that name in *city*; None if there is none."""
        return _named(self.sights.get(city, ()), name)

    def find_flight(self, number: str) -> Flight | None:
        """Return the flight of that number; None if there is none."""
        return next((flight for flight in self.flights if flight.number == number), None)

    def find_drive(self, origin: str, destination: str) -> Drive | None:
        """Return the way by road between two cities; None if the table knows none that takes less than a day."""
        return self.drives.get((origin, destination))

    def cities_of(self, state: str) -> tuple[str, ...]:
        """Return the cities of *state*, by name."""
        return tuple(sorted(city for city, its in self.states.items() if its == state))


def _named(rows: Sequence[_Row], name: str) -> _Row | None:
    """Return the first row of that name, else the first whose name contains it: plans leave the ends of names out."""
    exact = (row for row in rows if row.name == name)
    return next(exact, None) or next((row for row in rows if name and name in row.name), None)


def digest_tables(folder: str | os.PathLike[str]) -> str:
    """Return the hex SHA-256 of the files of tables in *folder*: results on other tables are not compared."""
    digest = hashlib.sha256()
    for path in sorted(_base(folder).iterdir()):
        if path.is_file() and path.name.split(".")[0] in _FILES:
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


# -- reading ----------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4)
def read_tables(folder: str | os.PathLike[str]) -> Tables:
    """
    Return the tables in *folder*.

    Args:
        folder: Holds ``accommodations.csv``, ``restaurants.csv``, ``attractions.csv``, ``distances.csv``,
            ``flights.csv`` (each of them may be packed as ``.gz``) and ``cities_with_states.txt``; or it is the folder
            above one such folder called ``db``.

    Raises:
        InvalidInputError: A table is missing, or a row of it cannot be read; names it.
    """
    base = _base(folder)
    drives = [drive for drive in _read(base, "distances", _read_drive) if drive is not None]
    return Tables(
        stays=_by_city(_read(base, "accommodations", _read_stay)),
        restaurants=_by_city(_read(base, "restaurants", _read_restaurant)),
        sights=_by_city(_read(base, "attractions", _read_sight)),
        flights=tuple(_read(base, "flights", _read_flight)),
        drives={(drive.origin, drive.destination): drive for drive in reversed(drives)},
        states=_read_states(base / "cities_with_states.txt"),
    )


def _base(folder: str | os.PathLike[str]) -> Path:
    """Return the folder of the tables: *folder*, or ``db`` in it."""
    base = Path(folder)
    return base / "db" if (base / "db").is_dir() else base


def _read(base: Path, name: str, read: Callable[[dict[str, str]], _Any]) -> list[_Any]:
    """Return every row of the table *name* as *read* makes it."""
    path = next((path for path in (base / f"{name}.csv", base / f"{name}.csv.gz") if path.is_file()), None)
    if path is None:
        raise InvalidInputError(f"The folder must hold '{name}.csv' or '{name}.csv.gz' (got {os.fspath(base)!r}).")
    opener = gzip.open if path.suffix == ".gz" else open
    found = []
    with opener(path, "rt", encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=1):
            try:
                found.append(read(row))
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                raise InvalidInputError(f"Row {number} of {os.fspath(path)!r} cannot be read ({error!r}).") from error
    return found


def _one_line(name: str) -> str:
    """Return *name* on one line; some names of the benchmark are broken over several, and answers are read by lines."""
    return " ".join(name.splitlines())


def _read_stay(row: dict[str, str]) -> Stay:
    return Stay(
        name=_one_line(row["NAME"]),
        city=row["city"],
        price=float(row["price"] or 0),
        nights_min=float(row["minimum nights"] or 0),
        room_type=row["room type"],
        rules=tuple(rule for rule in row["house_rules"].split(" & ") if rule),
        guests_max=max(1, int(float(row["maximum occupancy"] or 1))),
    )


def _read_restaurant(row: dict[str, str]) -> Restaurant:
    cuisines = tuple(part.strip() for part in row["Cuisines"].split(",") if part.strip())
    cost = float(row["Average Cost"] or 0)
    return Restaurant(name=_one_line(row["Name"]), city=row["City"], cuisines=cuisines, cost=cost)


def _read_sight(row: dict[str, str]) -> Sight:
    return Sight(name=_one_line(row["Name"]), city=row["City"])


def _read_flight(row: dict[str, str]) -> Flight:
    return Flight(
        number=row["Flight Number"],
        origin=row["OriginCityName"],
        destination=row["DestCityName"],
        date=row["FlightDate"],
        departs=row["DepTime"],
        arrives=row["ArrTime"],
        price=float(row["Price"]),
    )


def _read_drive(row: dict[str, str]) -> Drive | None:
    """Return the way of one row; None where there is none, or where it takes more than a day."""
    found = re.match(r"([\d.,]+) km", row["distance"])
    if found is None or not row["duration"] or "day" in row["duration"]:
        return None
    km = float(found[1].replace(",", ""))
    return Drive(origin=row["origin"], destination=row["destination"], duration=row["duration"], km=km)


def _read_states(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise InvalidInputError(f"The folder must hold 'cities_with_states.txt' (got {os.fspath(path.parent)!r}).")
    pairs = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if "\t" in line)
    return {city.strip(): state.strip() for city, state in pairs}


def _by_city(rows: Iterable[_Row]) -> dict[str, tuple[_Row, ...]]:
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row.city].append(row)
    return {city: tuple(of_city) for city, of_city in found.items()}
