"""
What a traveller asks for: from where, to where, how long, how many, for how much, with which wishes.

The official tasks come with it; of others it is read off the words of the query, because a planner has nothing else
either. Only what the benchmark's queries are made of is understood; what is not said is no wish.
"""

from __future__ import annotations

import datetime
import gzip
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec

from memp.errors import InvalidInputError

CUISINES = ("Chinese", "American", "Italian", "Mexican", "Indian", "Mediterranean", "French")
"""The cuisines that a query may wish for. Source: TravelPlanner (arXiv 2402.01622), table of constraints."""

ROOM_TYPES = ("entire room", "private room", "shared room", "not shared room")
"""The kinds of room that a query may wish for. Source: as above."""

HOUSE_RULES = ("parties", "smoking", "children under 10", "pets", "visitors")
"""What a query may wish to be allowed. Source: as above."""


@attrs.frozen(kw_only=True)
class Request:
    """
    One trip that is asked for.

    Attributes:
        id: The task's id.

        query: The words in which it is asked.

        origin: Where the trip begins and ends.

        destination: A city for a trip of three days, a state for a longer one; None if it is not known.

        days: How many, 1 or more.

        cities: How many cities are to be visited.

        people: How many travel, 1 or more.

        budget: In dollars, for all together.

        dates: The days, as ISO dates; empty if they are not known.

        house_rule: What must be allowed where one stays; None for no wish.

        cuisines: Each of them must be eaten at least once.

        room_type: One of ``ROOM_TYPES``; None for no wish.

        transportation: ``no flight`` or ``no self-driving``; None for no wish.

        offered: The cities of which the benchmark gives the reference information; empty if it does not say.
    """

    id: str
    query: str
    origin: str
    destination: str | None = None
    days: int = attrs.field(validator=attrs.validators.ge(1))
    cities: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    people: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    budget: float
    dates: tuple[str, ...] = ()
    house_rule: str | None = None
    cuisines: tuple[str, ...] = ()
    room_type: str | None = None
    transportation: str | None = None
    offered: tuple[str, ...] = ()


_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}

_COUNT = r"(\d+|" + "|".join(_NUMBERS) + ")"

_PEOPLE = (
    re.compile(rf"\b(?:group|party) of {_COUNT}\b", re.IGNORECASE),
    re.compile(rf"\b{_COUNT}[ -](?:people|persons?|individuals?|travell?ers?)\b", re.IGNORECASE),
    re.compile(rf"\bfor {_COUNT}(?=[,.]| starting| departing| leaving)", re.IGNORECASE),
)
_CITIES = re.compile(rf"\b{_COUNT}(?: \w+)? cities\b", re.IGNORECASE)
_DAYS = re.compile(rf"\b{_COUNT}[ -]days?\b", re.IGNORECASE)
_BUDGET = re.compile(r"\$\s?([\d,]+)")
_MONTHS = "January February March April May June July August September October November December".split()
_DATE = re.compile(rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}})")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)\b.*?\b({'|'.join(_MONTHS)})\b")
_YEAR = re.compile(r"\b(20\d\d)\b")

_RULE_WORDS = {
    "parties": r"\bpart(?:y|ies)\b(?! of)",
    "smoking": r"\bsmok",
    "children under 10": r"\b(?:child|children|kids)\b",
    "pets": r"\bpets?\b",
    "visitors": r"\bvisitors?\b",
}
_ROOM_WORDS = {
    "not shared room": r"\b(?:not|non|n't be)[ -]shared\b",
    "entire room": r"\bentire (?:room|place|home|apartment)",
    "private room": r"\bprivate room",
    "shared room": r"\bshared (?:room|accommodation)",
}
_WAY_WORDS = {
    "no self-driving": r"\bself-driv|\bnot (?:plan )?to drive\b|\bdrive ourselves\b",
    "no flight": r"\b(?:no|not|avoid|exclude|without)\b[^.]*\bfl(?:y|ights?)",
}


def read_request(query: str, places: Mapping[str, str], *, id: str) -> Request:
    """
    Return what the words of *query* ask for.

    Args:
        query: The query; it must name a budget and the city to start from.

        places: City to its state; names are known by it.

        id: The id of the task.

    Raises:
        InvalidInputError: It names no budget, or no known city.
    """
    cities, states = _places(query, places)
    budget = _BUDGET.search(query)
    if budget is None or not cities:
        raise InvalidInputError(f"A query must name a budget and the city to start from (got {query!r}).")
    days = _first(_DAYS, query) or (7 if re.search(r"\bweek", query) else _span(query))
    origin, rest = cities[0], [city for city in cities[1:] if city != cities[0]]
    destination = next(iter(rest), None) if days <= 3 else next((state for state in states if state != origin), None)
    people = next((found for form in _PEOPLE if (found := _first(form, query))), None)
    return Request(
        id=id,
        query=query,
        origin=origin,
        destination=destination or next(iter(rest), None),
        days=days,
        cities=_first(_CITIES, query) or max(1, (days - 1) // 2),
        people=people or (2 if re.search(r"\b(?:duo|pair|couple)\b", query) else 1),
        budget=float(budget[1].replace(",", "")),
        dates=_dates(query, days),
        house_rule=_wish(_RULE_WORDS, query),
        cuisines=tuple(cuisine for cuisine in CUISINES if re.search(rf"\b{cuisine}\b", query)),
        room_type=_wish(_ROOM_WORDS, query),
        transportation=_wish(_WAY_WORDS, query),
    )


def _places(query: str, places: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the cities and the states that *query* names, each in order of appearance."""
    states = set(places.values())
    named = sorted({*places, *states}, key=len, reverse=True)  # the longest first: Oklahoma City is not Oklahoma
    found = re.findall(r"\b(" + "|".join(map(re.escape, named)) + r")(?!\w)", query)
    return [name for name in found if name in places], [name for name in found if name in states]


def _first(form: re.Pattern[str], text: str) -> int | None:
    found = form.search(text)
    return None if found is None else _NUMBERS.get(found[1].lower()) or int(found[1])


def _wish(words: Mapping[str, str], query: str) -> str | None:
    return next((wish for wish, form in words.items() if re.search(form, query, re.IGNORECASE)), None)


def _span(query: str) -> int:
    """Return how many days lie between the first two dates of *query*, both included; 3 if it names no two."""
    found = [(_MONTHS.index(month), int(day)) for month, day in _DATE.findall(query)]
    if len(found) < 2 or found[0][0] != found[1][0] or found[1] < found[0]:
        return 3
    return found[1][1] - found[0][1] + 1


def _dates(query: str, days: int) -> tuple[str, ...]:
    month_first, day_first, year = _DATE.search(query), _DAY_FIRST.search(query), _YEAR.search(query)
    if year is None or (month_first is None and day_first is None):
        return ()
    if month_first is not None and (day_first is None or month_first.start() <= day_first.start()):
        month, day = month_first[1], month_first[2]
    else:
        assert day_first is not None
        day, month = day_first[1], day_first[2]
    first = datetime.date(int(year[1]), _MONTHS.index(month) + 1, int(day))
    return tuple((first + datetime.timedelta(days=number)).isoformat() for number in range(days))


# -- the files of the benchmark ---------------------------------------------------------------------------------------


def read_requests(path: str | os.PathLike[str], places: Mapping[str, str]) -> tuple[Request, ...]:
    """
    Return the tasks in *path*.

    Args:
        path: JSON lines, packed as ``.gz`` or not: ``id`` and ``query``; and ``org``, ``dest``, ``days``,
            ``visiting_city_number``, ``date``, ``people_number``, ``budget`` and ``local_constraint`` where they are
            official. What a row leaves out is read off its query.

        places: City to its state.

    Raises:
        InvalidInputError: There is no such file, or a row is no task; names its line.
    """
    file = Path(path)
    if not file.is_file():
        raise InvalidInputError(f"The tasks must be in a file (got {os.fspath(path)!r}).")
    opener = gzip.open if file.suffix == ".gz" else open
    requests = []
    with opener(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = msgspec.json.decode(line)
                requests.append(request_of(row, places))
            except (msgspec.DecodeError, AttributeError, KeyError, TypeError) as error:
                raise InvalidInputError(f"Line {number} of {os.fspath(path)!r} is no task ({error}).") from error
    return tuple(requests)


def request_of(row: Mapping[str, Any], places: Mapping[str, str]) -> Request:
    """Return the request of one row of the benchmark; what it leaves out is read off its query."""
    read = read_request(row["query"], places, id=row["id"])
    read = attrs.evolve(read, offered=tuple(row.get("cities", ())))
    wishes = row.get("local_constraint")
    if wishes is None:
        return attrs.evolve(
            read,
            origin=row.get("org", read.origin),
            days=int(row.get("days", read.days)),
            budget=float(row.get("budget", read.budget)),
        )
    return attrs.evolve(
        read,
        origin=row["org"],
        destination=row["dest"],
        days=int(row["days"]),
        cities=int(row["visiting_city_number"]),
        people=int(row["people_number"]),
        budget=float(row["budget"]),
        dates=tuple(row["date"]),
        house_rule=wishes["house rule"],
        cuisines=tuple(wishes["cuisine"] or ()),
        room_type=wishes["room type"],
        transportation=wishes["transportation"],
    )
