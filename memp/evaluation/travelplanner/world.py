"""
The closed world as an environment: searches are answered from the tables, days are written down, the plan is judged.

It is the benchmark's second mode, planning with the reference information at hand: the cities in question are named at
the beginning, and every search of the toolset ``travel`` is one action. Thousands of rows at once were not taken as
first observation: an agent's steps would then show nothing of what it looked at. An answer is a list of lines with the
name at the end, because a name may hold anything, the mark between two fields included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from memp.errors import InvalidInputError
from memp.evaluation.environment import NOTHING_HAPPENS, Answer, Task, not_set
from memp.evaluation.travelplanner.hard import cost_of
from memp.evaluation.travelplanner.judge import judge
from memp.evaluation.travelplanner.plan import PLAN_DAY, SELF_DRIVING, TAXI, Day, read_day
from memp.evaluation.travelplanner.request import Request
from memp.evaluation.travelplanner.tables import Tables

VERSION = "1"
"""Of the answers; a search that answers otherwise, or another verdict, is another version."""

_SEARCH = re.compile(r"(\w+)\[(.*)\]", re.DOTALL)


def task_of(request: Request) -> Task:
    """Return *request* as a task; its type says how long the trip is and how many wishes it has."""
    asked = (request.house_rule, request.cuisines, request.room_type, request.transportation)
    wishes = sum(wish not in (None, ()) for wish in asked)
    return Task(
        id=request.id,
        text=request.query,
        type=f"{request.days} days, {'no wishes' if not wishes else 'one wish' if wishes == 1 else 'several wishes'}",
        setting=request,
    )


class TravelWorld:
    """
    One traveller's request at a time.

    Args:
        tables: The closed world; treat as read-only.
    """

    name = "travelplanner"
    version = VERSION

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._request: Request | None = None
        self._days: list[Day] = []
        self._searches: dict[str, Callable[..., Iterator[str]]] = {
            "FlightSearch": self._flights,
            "GoogleDistanceMatrix": self._drive,
            "AccommodationSearch": self._stays,
            "RestaurantSearch": self._restaurants,
            "AttractionSearch": self._sights,
            "CitySearch": self._cities,
            "CostEnquiry": self._cost,
        }

    def reset(self, task: Task) -> str:
        """Take in a request; returns its words, its days and the cities in question."""
        if not isinstance(task.setting, Request):
            raise InvalidInputError(f"A task of the travel world must hold a Request (got {task.setting!r}).")
        self._request, self._days = task.setting, []
        return "\n".join(
            [
                f"Your task is to: {task.text}",
                f"Start: {self._request.origin}",
                f"Days: {', '.join(self._request.dates) or self._request.days}",
                f"Cities in question: {', '.join(self._request.offered) or self._request.destination}",
            ]
        )

    def step(self, action: str) -> Answer:
        """Answer a search, or write a day down; with the last day the plan is judged and the episode is over."""
        if self._request is None:
            raise not_set()
        if action.startswith(PLAN_DAY):
            return self._write(self._request, action)
        found = _SEARCH.fullmatch(action.strip())
        if found is None:
            return Answer(observation=NOTHING_HAPPENS)
        if found[1] == "NotebookWrite":
            return Answer(observation="It is written down.")
        search = self._searches.get(found[1])
        arguments = [part.strip() for part in found[2].split(",")] if found[1] != "CostEnquiry" else []
        try:
            lines = list(search(*arguments)) if search is not None else []
        except TypeError:  # too few or too many arguments for this search
            lines = []
        return Answer(observation="\n".join(lines) or NOTHING_HAPPENS)

    def admissible(self) -> tuple[str, ...]:
        """Return nothing: there are as many searches as there are names."""
        return ()

    def _write(self, request: Request, action: str) -> Answer:
        try:
            fields = msgspec.json.decode(action.removeprefix(PLAN_DAY))
        except msgspec.DecodeError:
            return Answer(observation=NOTHING_HAPPENS)
        if not isinstance(fields, dict):
            return Answer(observation=NOTHING_HAPPENS)
        self._days.append(read_day(fields))
        if len(self._days) < request.days:
            return Answer(observation=f"Day {len(self._days)} of {request.days} is planned.")
        found = judge(request, self._days, self._tables)
        broken = "; ".join(f"{verdict.constraint}: {verdict.why}" for verdict in found.broken)
        said = f"The plan breaks {broken}." if broken else "The plan keeps everything."
        return Answer(observation=said, won=found.success, done=True, reward=found.reward)

    def _flights(self, origin: str, destination: str, date: str) -> Iterator[str]:
        known = [
            flight
            for flight in self._tables.flights
            if (flight.origin, flight.destination, flight.date) == (origin, destination, date)
        ]
        for flight in known:
            yield f"{flight.price:g} dollars | {flight.departs} | {flight.arrives} | {flight.number}"
        if not known:
            yield f"There is no flight from {origin} to {destination} on {date}."

    def _drive(self, origin: str, destination: str, mode: str) -> Iterator[str]:
        drive = self._tables.find_drive(origin, destination)
        if drive is None or mode not in (SELF_DRIVING, TAXI):
            yield f"There is no way by road from {origin} to {destination}."
        else:
            yield f"{drive.cost(taxi=mode == TAXI)} dollars a car | {drive.duration} | {drive.km:g} km | {mode}"

    def _stays(self, city: str) -> Iterator[str]:
        for stay in self._tables.stays.get(city, ()):
            rules = ", ".join(stay.rules) or "no rules"
            yield (
                f"{stay.price:g} dollars a night | {stay.room_type} | at least {stay.nights_min:g} nights | "
                f"up to {stay.guests_max} guests | {rules} | {stay.name}"
            )
        if not self._tables.stays.get(city):
            yield f"There is no place to stay in {city}."

    def _restaurants(self, city: str) -> Iterator[str]:
        for found in self._tables.restaurants.get(city, ()):
            yield f"{found.cost:g} dollars a meal | {', '.join(found.cuisines)} | {found.name}"
        if not self._tables.restaurants.get(city):
            yield f"There is no restaurant in {city}."

    def _sights(self, city: str) -> Iterator[str]:
        for sight in self._tables.sights.get(city, ()):
            yield sight.name
        if not self._tables.sights.get(city):
            yield f"There is no attraction in {city}."

    def _cities(self, state: str) -> Iterator[str]:
        yield ", ".join(self._tables.cities_of(state)) or f"There is no state {state}."

    def _cost(self) -> Iterator[str]:
        if self._request is not None:
            cost = cost_of(self._request, self._days, self._tables)
            yield f"The {len(self._days)} days planned so far cost {cost:g} dollars."
