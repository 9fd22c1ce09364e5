"""
What any plan must keep, whoever asks for it: the eight commonsense constraints.

Written from their published definitions: TravelPlanner (arXiv 2402.01622), table of constraints. Where the definition
leaves room, the choice that agrees with the verdicts that were published for thousands of plans was taken; the
agreement is measured by constraint (``agreement``), and what is left over is named in ``docs/explanation/evidence.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise

import attrs

from memp.evaluation.travelplanner.plan import (
    FLIGHT,
    MEALS,
    SELF_DRIVING,
    TAXI,
    Day,
    name_and_city,
    says,
    way_of,
)
from memp.evaluation.travelplanner.request import Request
from memp.evaluation.travelplanner.tables import Tables


@attrs.frozen(kw_only=True)
class Verdict:
    """
    What one constraint says of one plan.

    Attributes:
        constraint: Its name, as the benchmark has it.

        kept: Whether the plan keeps it; None if it does not apply.

        why: What breaks it, in words; empty if nothing does.
    """

    constraint: str
    kept: bool | None
    why: str = ""


Check = Callable[[Request, Sequence[Day], Tables], Iterator[str]]
"""Yields what breaks a constraint, in words; nothing if the plan keeps it."""


def reasonable_route(request: Request, plan: Sequence[Day], tables: Tables) -> Iterator[str]:
    """The trip is a closed circle through known cities, in the state that was asked for, and returns to none."""
    route = route_of(plan)
    if not route or route[0] != request.origin:
        yield f"the trip must start in {request.origin}"
    if len(route) < 2 or route[-1] != request.origin:
        yield f"the trip must end in {request.origin}"
    visited = route[1:-1]
    if any(day.cities[:1] != before.cities[-1:] for before, day in pairwise(plan)):
        yield "a day begins elsewhere than the day before ended"
    if plan and (plan[0].way is None or plan[-1].way is None):
        yield "the first and the last day are not days of travel"
    if len(set(visited)) < len(visited) or request.origin in visited:
        yield "a city is left and visited again"
    for city in dict.fromkeys(visited):
        if city not in tables.states:
            yield f"{city} is no known city"
        elif request.days > SHORT_TRIP_DAYS and tables.states[city] != request.destination:
            yield f"{city} is not in {request.destination}"


SHORT_TRIP_DAYS = 3
"""A trip up to this length goes to one city, a longer one to several of a state. Source: as the module."""


def complete(request: Request, plan: Sequence[Day], _: Tables) -> Iterator[str]:
    """Nothing that the trip needs is left out: days, cities, ways, meals, sights and nights."""
    if len(plan) != request.days:
        yield f"the plan has {len(plan)} days, not {request.days}"
    if len(visited_cities(request, plan)) != request.cities:
        yield f"the plan visits {len(visited_cities(request, plan))} cities, not {request.cities}"
    for number, day in enumerate(plan, start=1):
        for field in ("transportation", *MEALS, "attraction", "accommodation"):
            if getattr(day, field) is None:
                yield f"day {number} says nothing of {field}"
        if day.way is not None and not says(day.transportation):
            yield f"day {number} has no transportation"
        if day.way is None and not says(day.attraction):
            yield f"day {number} has no attraction"
        if number < len(plan) and not says(day.accommodation):
            yield f"day {number} has no accommodation"
        if day.way is None and not all(says(text) for _, text in day.meals):
            yield f"day {number} misses a meal"


def within_current_city(_: Request, plan: Sequence[Day], __: Tables) -> Iterator[str]:
    """Whatever a day holds is in a city of that day; the night is in the last of them."""
    yield from _elsewhere(plan, strict=True)


def within_current_city_as_published(_: Request, plan: Sequence[Day], __: Tables) -> Iterator[str]:
    """
    The same as the published verdicts have it, which are milder on a day in one city.

    There a single letter that the text shares with the city's name lets it pass; the night needs the name's last.
    Following them is what makes a figure comparable with published ones; it concerns one check in a hundred.
    """
    yield from _elsewhere(plan, strict=False)


def _elsewhere(plan: Sequence[Day], *, strict: bool) -> Iterator[str]:
    for number, day in enumerate(plan, start=1):
        cities: Sequence[str] = day.cities if strict or len(day.cities) != 1 else tuple(day.cities[0])
        if says(day.transportation) and not all(city in (day.transportation or "") for city in cities):
            yield f"the transportation of day {number} is not between its cities"
        for meal, text in day.meals:
            if says(text) and not _names_one(text, cities):
                yield f"the {meal} of day {number} is elsewhere"
        for sight in day.sights:
            if not _names_one(sight, cities):
                yield f"the attraction {sight!r} of day {number} is elsewhere"
        if says(day.accommodation) and not _names_one(day.accommodation, cities[-1:]):
            yield f"the accommodation of day {number} is elsewhere"


def _names_one(text: str | None, cities: Sequence[str]) -> bool:
    """Return whether *text* names one of *cities* anywhere: plans write ``(Name, City)`` and ``Zoo City`` as well."""
    return any(city in (text or "") for city in cities)


def within_sandbox(_: Request, plan: Sequence[Day], tables: Tables) -> Iterator[str]:
    """Whatever a plan names is in the tables."""
    for number, day in enumerate(plan, start=1):
        yield from (f"{what} of day {number} is in no table" for what in _unknown_ways(day, tables))
        for meal, text in day.meals:
            if says(text) and tables.find_restaurant(*name_and_city(text or "")) is None:
                yield f"the {meal} {text!r} of day {number} is in no table"
        for sight in day.sights:
            if tables.find_sight(*name_and_city(sight)) is None:
                yield f"the attraction {sight!r} of day {number} is in no table"
        if says(day.accommodation) and tables.find_stay(*name_and_city(day.accommodation or "")) is None:
            yield f"the accommodation {day.accommodation!r} of day {number} is in no table"


def _unknown_ways(day: Day, tables: Tables) -> Iterator[str]:
    if not says(day.transportation):
        return
    way = way_of(day.transportation or "")
    if day.mode == FLIGHT:
        flight = tables.find_flight(day.flight or "")
        if flight is None or way != (flight.origin, flight.destination):
            yield f"the flight {day.flight!r}"
    elif day.mode is not None and (way is None or tables.find_drive(*way) is None):
        yield f"the {day.mode}"


def diverse_restaurants(_: Request, plan: Sequence[Day], __: Tables) -> Iterator[str]:
    """No restaurant is visited twice."""
    seen = set()
    for number, day in enumerate(plan, start=1):
        for meal, text in day.meals:
            if says(text):
                if text in seen:
                    yield f"the {meal} of day {number} is repeated"
                seen.add(text)


def diverse_attractions(_: Request, plan: Sequence[Day], __: Tables) -> Iterator[str]:
    """Nothing is seen twice."""
    seen = set()
    for number, day in enumerate(plan, start=1):
        for sight in day.sights:
            if sight in seen:
                yield f"the attraction {sight!r} of day {number} is repeated"
            seen.add(sight)


def one_way_to_travel(_: Request, plan: Sequence[Day], __: Tables) -> Iterator[str]:
    """Who drives the own car drives it all the way, so it goes with neither flights nor taxis; and one sets out."""
    if plan and not says(plan[0].transportation):
        yield "day 1 has no transportation"
    said = " ".join((day.transportation or "").lower() for day in plan)
    modes = {mode for mode in (FLIGHT, SELF_DRIVING, TAXI) if mode in said}
    if SELF_DRIVING in modes and len(modes) > 1:
        yield f"{SELF_DRIVING} does not go with {' and '.join(sorted(modes - {SELF_DRIVING}))}"


def minimum_nights(_: Request, plan: Sequence[Day], tables: Tables) -> Iterator[str]:
    """A place is booked for as many nights in a row as it asks for."""
    if any(day.accommodation is None for day in plan):
        yield "a day says nothing of its accommodation"
    for place, nights in groupby(day.accommodation for day in plan):
        if says(place):
            stay, booked = tables.find_stay(*name_and_city(place or "")), len(list(nights))
            if stay is not None and booked < stay.nights_min:
                yield f"{place!r} is booked for {booked} nights and asks for {stay.nights_min:g}"


COMMONSENSE: dict[str, Check] = {
    "Reasonable City Route": reasonable_route,
    "Diverse Restaurants": diverse_restaurants,
    "Diverse Attractions": diverse_attractions,
    "Minimum Nights Stay": minimum_nights,
    "Non-conflicting Transportation": one_way_to_travel,
    "Within Current City": within_current_city_as_published,
    "Within Sandbox": within_sandbox,
    "Complete Information": complete,
}
"""The constraints by the benchmark's names."""


def route_of(plan: Sequence[Day]) -> list[str]:
    """Return the cities in the order in which the plan is in them, each stay once."""
    lived = [city for day in plan for city in day.cities]
    return [city for city, _ in groupby(lived)]


def visited_cities(request: Request, plan: Sequence[Day]) -> set[str]:
    """Return the cities that the plan visits, without the one that it starts from."""
    return {city for day in plan for city in day.cities} - {request.origin}


def check_commonsense(
    request: Request, plan: Sequence[Day], tables: Tables, *, strict: bool = False
) -> tuple[Verdict, ...]:
    """
    Return what the eight commonsense constraints say of *plan*, in their order.

    Args:
        request: What was asked for.

        plan: The days of the trip, no more of them than were asked for.

        tables: The closed world.

        strict: Whether to keep to the definitions also where the published verdicts are milder.
    """
    checks = COMMONSENSE | ({"Within Current City": within_current_city} if strict else {})
    return tuple(verdict_of(name, check, request, plan, tables) for name, check in checks.items())


def verdict_of(name: str, check: Check, request: Request, plan: Sequence[Day], tables: Tables) -> Verdict:
    """Return what one constraint says, with the first thing that breaks it."""
    why = next(check(request, plan, tables), None)
    return Verdict(constraint=name, kept=why is None, why=why or "")
