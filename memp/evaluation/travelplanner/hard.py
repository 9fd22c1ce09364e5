"""
What this traveller asks for: the five hard constraints, and what a plan costs.

Written from their published definitions: TravelPlanner (arXiv 2402.01622), table of constraints; which units of
something a group needs is given there as well (a car takes five, a taxi four, a stay its own number of guests).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from memp.evaluation.travelplanner.commonsense import Check, Verdict, verdict_of
from memp.evaluation.travelplanner.plan import FLIGHT, SELF_DRIVING, TAXI, Day, name_and_city, says, way_of
from memp.evaluation.travelplanner.request import Request
from memp.evaluation.travelplanner.tables import Restaurant, Stay, Tables

CAR_SEATS, TAXI_SEATS = 5, 4
"""How many people one car and one taxi take. Source: as the module."""

ROOM_TYPES = {
    "entire room": frozenset({"Entire home/apt"}),
    "private room": frozenset({"Private room"}),
    "shared room": frozenset({"Shared room"}),
    "not shared room": frozenset({"Entire home/apt", "Private room"}),
}
"""Which rooms of the table meet a wish."""


def cost_of(request: Request, plan: Sequence[Day], tables: Tables) -> float:
    """Return what *plan* costs all travellers together, in dollars; what is in no table is free."""
    return (
        sum(_way_cost(request, day, tables) for day in plan)
        + sum(request.people * restaurant.cost for restaurant in _restaurants(plan, tables))
        + sum(stay.price * math.ceil(request.people / stay.guests_max) for stay in _stays(plan, tables))
    )


def way_cost(flight_or_km: float, mode: str, people: int) -> float:
    """Return what a way costs *people*: the price of a flight for one, or of one car, times what they need of it."""
    seats = {FLIGHT: 1, SELF_DRIVING: CAR_SEATS, TAXI: TAXI_SEATS}[mode]
    return flight_or_km * math.ceil(people / seats)


def _way_cost(request: Request, day: Day, tables: Tables) -> float:
    if day.mode == FLIGHT:
        flight = tables.find_flight(day.flight or "")
        return 0.0 if flight is None else way_cost(flight.price, FLIGHT, request.people)
    way = way_of(day.transportation or "")
    drive = None if way is None or day.mode is None else tables.find_drive(*way)
    if drive is None or day.mode is None:
        return 0.0
    return way_cost(drive.cost(taxi=day.mode == TAXI), day.mode, request.people)


def _restaurants(plan: Sequence[Day], tables: Tables) -> Iterator[Restaurant]:
    for day in plan:
        for _, text in day.meals:
            found = tables.find_restaurant(*name_and_city(text or "")) if says(text) else None
            if found is not None:
                yield found


def _stays(plan: Sequence[Day], tables: Tables) -> Iterator[Stay]:
    for day in plan:
        found = tables.find_stay(*name_and_city(day.accommodation or "")) if says(day.accommodation) else None
        if found is not None:
            yield found


def within_budget(request: Request, plan: Sequence[Day], tables: Tables) -> Iterator[str]:
    """The whole trip costs no more than the budget."""
    cost = cost_of(request, plan, tables)
    if cost > request.budget:
        yield f"the plan costs {cost:g} and the budget is {request.budget:g}"


def room_rule(request: Request, plan: Sequence[Day], tables: Tables) -> Iterator[str]:
    """What the traveller wants to do is allowed wherever one stays."""
    forbidden = f"no {request.house_rule}"
    for stay in _stays(plan, tables):
        if any(rule.lower() == forbidden for rule in stay.rules):
            yield f"{stay.name!r} allows no {request.house_rule}"


def room_type(request: Request, plan: Sequence[Day], tables: Tables) -> Iterator[str]:
    """Every stay is of the kind that was asked for."""
    allowed = ROOM_TYPES[request.room_type or "entire room"]
    for stay in _stays(plan, tables):
        if stay.room_type not in allowed:
            yield f"{stay.name!r} is no {request.room_type}"


def cuisine(request: Request, plan: Sequence[Day], tables: Tables) -> Iterator[str]:
    """Every cuisine that was asked for is eaten somewhere on the way, the city of departure aside."""
    eaten = {one for found in _restaurants(plan, tables) if found.city != request.origin for one in found.cuisines}
    for wanted in request.cuisines:
        if wanted not in eaten:
            yield f"{wanted} is never eaten"


def transportation(request: Request, plan: Sequence[Day], _: Tables) -> Iterator[str]:
    """Nobody travels in a way that was ruled out."""
    banned = FLIGHT if request.transportation == "no flight" else SELF_DRIVING
    for number, day in enumerate(plan, start=1):
        if banned in (day.transportation or "").lower():
            yield f"day {number} is travelled by {banned}"


HARD: dict[str, Check] = {
    "Cuisine": cuisine,
    "Room Rule": room_rule,
    "Transportation": transportation,
    "Room Type": room_type,
    "Budget": within_budget,
}
"""The constraints by the benchmark's names."""


def check_hard(request: Request, plan: Sequence[Day], tables: Tables) -> tuple[Verdict, ...]:
    """Return what the five hard constraints say of *plan*, in their order; one that nobody asked for does not apply."""
    asked = {
        "Cuisine": bool(request.cuisines),
        "Room Rule": request.house_rule is not None,
        "Transportation": request.transportation is not None,
        "Room Type": request.room_type is not None,
        "Budget": True,
    }
    return tuple(
        verdict_of(name, check, request, plan, tables) if asked[name] else Verdict(constraint=name, kept=None)
        for name, check in HARD.items()
    )
