"""
The planner: a script, not a model. It knows the form of a plan and takes the first that each list offers.

Whatever else a plan must keep it takes from the procedures that it was served: a rule that a stay must be bookable for
the nights, that a meal must be new, that money must be saved. It can test each condition of the toolset ``travel``; it
tests those that a served procedure asks for. So the constraints that it breaks without memory and keeps with it are
those that the memory named. A planner that minds them by itself was not taken as base line: nothing would be left for
memory to add, and it would say nothing of models, which break the same constraints.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import attrs
import msgspec

from memp.errors import InvalidInputError
from memp.evaluation.environment import NOTHING_HAPPENS
from memp.evaluation.travelplanner.hard import ROOM_TYPES, way_cost
from memp.evaluation.travelplanner.plan import FLIGHT, NOTHING, PLAN_DAY, SELF_DRIVING, TAXI
from memp.evaluation.travelplanner.request import Request, read_request
from memp.evaluation.travelplanner.rules import MEAL, SIGHT, STAY, WAY, Rule, read_rules

if TYPE_CHECKING:
    from memp.evaluation.agent import Act, Prompt
    from memp.evaluation.environment import Task
    from memp.model import Step

UNDATED = "some day"
"""What stands for a date where the request names only how many days there are; no flight goes on it."""

_Item = TypeVar("_Item")
Asking = Generator[str, str, _Item]
"""Yields actions, is sent what they were answered, and returns what was found out."""


@attrs.frozen(kw_only=True)
class Planner:
    """The agent; with nothing served it knows of no constraint."""

    name = "planner"
    version = "1"
    deterministic = True
    reads = "procedures"

    def start(self) -> Act:
        """Return the function that plans one trip."""
        planning: list[Generator[str, str, None]] = []

        def act(
            task: Task, prompt: Prompt, observation: str, _admissible: tuple[str, ...], _history: tuple[Step, ...]
        ) -> str:
            if planning:
                return planning[0].send(observation)
            trip = _Trip(_understand(task.text, observation), read_rules(prompt.procedures))
            planning.append(trip.plan())
            return next(planning[0])

        return act


@attrs.frozen(kw_only=True)
class _Choice:
    """One line of an answer: its name, what it costs all travellers, and what stands before the name."""

    name: str
    cost: float
    parts: tuple[str, ...]


@attrs.frozen(kw_only=True)
class _Way:
    mode: str
    cost: float
    text: str


def _understand(query: str, observation: str) -> Request:
    """Return the request that the words of the task and of the first observation state."""
    said = dict(re.findall(r"^(Start|Days|Cities in question): (.*)$", observation, re.MULTILINE))
    if len(said) < 3:
        raise InvalidInputError("The planner must be in the world of the suite 'travelplanner' (got another).")
    cities = tuple(said["Cities in question"].split(", "))
    days = said["Days"]
    dates = (UNDATED,) * int(days) if days.isdigit() else tuple(days.split(", "))
    request = read_request(query, dict.fromkeys((said["Start"], *cities), ""), id="trip")
    return attrs.evolve(request, origin=said["Start"], offered=cities, dates=dates, days=len(dates))


class _Trip:
    """One trip in the making."""

    def __init__(self, request: Request, rules: frozenset[Rule]) -> None:
        self._request = request
        self._rules = rules
        self._used: set[str] = set()
        self._missing = set(request.cuisines)

    def plan(self) -> Generator[str, str, None]:
        """Search for all that is needed, choose, and write one day after the other."""
        request = self._request
        cities = request.offered[: request.cities]
        stops = (request.origin, *cities, request.origin)
        nights = max(1, (request.days - 1) // len(cities))
        # Each city gets as many nights as the others, and the last one what is left over.
        leaves = [*(nights * number for number in range(len(cities))), request.days - 1]
        ways = yield from self._ways([(stops[n], stops[n + 1], request.dates[day]) for n, day in enumerate(leaves)])
        stays, meals, sights = {}, {}, {}
        for city, (since, until) in zip(cities, pairwise(leaves), strict=True):
            stays[city] = yield from self._stay(city, until - since)
            meals[city] = yield from self._search(f"RestaurantSearch[{city}]", 2, self._meal_cost)
            sights[city] = yield from self._search(f"AttractionSearch[{city}]", 0, lambda _: 0.0)
        for day in range(request.days):
            leg = max(number for number, left in enumerate(leaves) if left <= day)
            travels, last = day in leaves, day == request.days - 1
            here = stops[min(leg + 1, len(cities))]
            before = stops[leg] if travels else here
            fields = {
                "days": day + 1,
                "current_city": f"from {before} to {stops[leg + 1]}" if travels else here,
                "transportation": ways[leg].text if travels else NOTHING,
                "breakfast": self._meal(before, meals) if day else NOTHING,
                "attraction": self._sight(here, sights) if not last else NOTHING,
                "lunch": self._meal(here, meals) if not travels else NOTHING,
                "dinner": self._meal(here, meals) if not last else NOTHING,
                "accommodation": f"{stays[here]}, {here}" if not last else NOTHING,
            }
            yield PLAN_DAY + msgspec.json.encode(fields).decode()

    def _asks(self, condition: str, subject: str) -> bool:
        return Rule(condition, subject) in self._rules or Rule(condition, None) in self._rules

    def _search(self, action: str, fields: int, cost: Callable[[Sequence[str]], float]) -> Asking[list[_Choice]]:
        """Ask, and read the lines of the answer: so many *fields*, and then the name."""
        answer = yield action
        if answer.startswith("There is no") or answer == NOTHING_HAPPENS:
            return []
        rows = [tuple(line.split(" | ", fields)) for line in answer.splitlines()]
        return [_Choice(name=row[-1], cost=cost(row), parts=row[:-1]) for row in rows]

    # -- the way ------------------------------------------------------------------------------------------------------

    def _ways(self, legs: Sequence[tuple[str, str, str]]) -> Asking[list[_Way]]:
        offers = []
        for origin, destination, date in legs:
            offers.append((yield from self._offers(origin, destination, date)))
        if not self._asks("go_together", WAY):
            return [self._best(offer) for offer in offers]
        whole = []
        for alone in (False, True):
            kept = [[way for way in offer if (way.mode == SELF_DRIVING) == alone] for offer in offers]
            if all(kept):
                whole.append([self._best(offer) for offer in kept])
        whole = whole or [[self._best(offer) for offer in offers]]
        return min(whole, key=lambda plan: sum(way.cost for way in plan)) if self._asks("cheapest", WAY) else whole[0]

    def _offers(self, origin: str, destination: str, date: str) -> Asking[list[_Way]]:
        people, legs = self._request.people, f"from {origin} to {destination}"
        offers = []
        flights = yield from self._search(f"FlightSearch[{origin}, {destination}, {date}]", 3, _dollars)
        for flight in flights:
            times = f"Departure Time: {flight.parts[1]}, Arrival Time: {flight.parts[2]}"
            text = f"Flight Number: {flight.name}, {legs}, {times}"
            offers.append(_Way(mode=FLIGHT, cost=way_cost(flight.cost, FLIGHT, people), text=text))
        for mode in (SELF_DRIVING, TAXI):
            drives = yield from self._search(f"GoogleDistanceMatrix[{origin}, {destination}, {mode}]", 3, _dollars)
            for drive in drives:
                said = f"duration: {drive.parts[1]}, distance: {drive.parts[2]}, cost: {drive.cost:g}"
                text = f"{mode.capitalize()}, {legs}, {said}"
                offers.append(_Way(mode=mode, cost=way_cost(drive.cost, mode, people), text=text))
        banned = {"no flight": FLIGHT, "no self-driving": SELF_DRIVING}.get(self._request.transportation or "")
        allowed = [way for way in offers if way.mode != banned]
        return allowed if allowed and self._asks("allowed", WAY) else offers

    def _best(self, offer: Sequence[_Way]) -> _Way:
        if not offer:
            return _Way(mode="", cost=0.0, text=NOTHING)
        return min(offer, key=lambda way: way.cost) if self._asks("cheapest", WAY) else offer[0]

    # -- the night ----------------------------------------------------------------------------------------------------

    def _stay(self, city: str, nights: int) -> Asking[str]:
        found = yield from self._search(f"AccommodationSearch[{city}]", 5, self._night_cost)
        if self._asks("bookable", STAY):
            found = [stay for stay in found if _number(stay.parts[2]) <= nights] or found
        if self._asks("meets", STAY):
            found = [stay for stay in found if self._meets(stay)] or found
        if self._asks("cheapest", STAY):
            found = sorted(found, key=lambda stay: stay.cost)
        return found[0].name if found else NOTHING

    def _night_cost(self, row: Sequence[str]) -> float:
        return _dollars(row) * math.ceil(self._request.people / max(1, _number(row[3])))

    def _meets(self, stay: _Choice) -> bool:
        request = self._request
        kinds = ROOM_TYPES.get(request.room_type or "")
        rule = f"no {request.house_rule}"
        return (kinds is None or stay.parts[1] in kinds) and rule not in stay.parts[4].lower().split(", ")

    # -- meals and sights ---------------------------------------------------------------------------------------------

    def _meal_cost(self, row: Sequence[str]) -> float:
        return _dollars(row) * self._request.people

    def _meal(self, city: str, meals: dict[str, list[_Choice]]) -> str:
        found = self._new(meals.get(city, []), MEAL, city)
        if not found:
            return NOTHING
        if self._asks("cheapest", MEAL):
            found = sorted(found, key=lambda meal: meal.cost)
        if self._asks("still_wished", MEAL):
            found = sorted(found, key=lambda meal: -len(self._missing & _cuisines(meal)))
        self._missing -= _cuisines(found[0])
        return self._take(found[0], city)

    def _sight(self, city: str, sights: dict[str, list[_Choice]]) -> str:
        found = self._new(sights.get(city, []), SIGHT, city)
        return self._take(found[0], city) + ";" if found else NOTHING

    def _new(self, found: list[_Choice], subject: str, city: str) -> list[_Choice]:
        if not self._asks("new", subject):
            return found
        return [choice for choice in found if f"{choice.name}, {city}" not in self._used] or found

    def _take(self, choice: _Choice, city: str) -> str:
        self._used.add(f"{choice.name}, {city}")
        return f"{choice.name}, {city}"


def _cuisines(meal: _Choice) -> set[str]:
    return set(meal.parts[1].split(", "))


def _dollars(row: Sequence[str]) -> float:
    """Return the price with which a line begins."""
    return float(row[0].split(" ")[0])


def _number(text: str) -> float:
    """Return the first number in *text*, such as that of ``at least 2 nights``."""
    found = re.search(r"\d+(\.\d+)?", text)
    return float(found[0]) if found else 0.0
