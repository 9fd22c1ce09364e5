"""
A plan as a value: one day after another, each with what it says of the way, the meals, the sights and the night.

Plans come as text, from models as well as from scripts, so nothing of a day is certain: a field may be missing (None),
empty on purpose (``-``), or speak of a city that is not there. Reading only takes the text apart; what is wrong with
it is for the constraints to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from memp.evaluation.travelplanner.tables import bare_city

if TYPE_CHECKING:
    from memp.model import Trajectory

NOTHING = "-"
"""What a plan says where nothing is needed."""

MEALS = ("breakfast", "lunch", "dinner")
"""The three meals, in the order of a day."""

PLAN_DAY = "plan day "
"""The action that fills one day; its argument is a JSON object."""

FLIGHT, SELF_DRIVING, TAXI = "flight", "self-driving", "taxi"
"""The three ways of travelling."""

_WAY = re.compile(r"\bfrom\s+(.+?)\s+to\s+([^,]+?)(?=\s*(?:,|$))")
_NUMBER = re.compile(r"Flight Number:\s*(\w+)")


@attrs.frozen(kw_only=True)
class Day:
    """
    One day as the plan has it; every field is its text, ``-`` for nothing on purpose, None if it was not said.

    Attributes:
        number: Its place in the trip, as the plan counts.

        current_city: A city, or ``from A to B`` on a day of travel.

        transportation: How one gets there.

        breakfast: ``Name, City``.

        attraction: ``Name, City`` and more of them behind semicolons.

        lunch: As breakfast.

        dinner: As breakfast.

        accommodation: ``Name, City``.
    """

    number: object = None
    current_city: str | None = None
    transportation: str | None = None
    breakfast: str | None = None
    attraction: str | None = None
    lunch: str | None = None
    dinner: str | None = None
    accommodation: str | None = None

    @property
    def way(self) -> tuple[str, str] | None:
        """From where to where the day leads; None on a day in one city."""
        return way_of(self.current_city or "")

    @property
    def cities(self) -> tuple[str, ...]:
        """The city or the two cities of the day, without states; empty if it names none."""
        if self.way is not None:
            return self.way
        return (bare_city(self.current_city),) if says(self.current_city) and self.current_city else ()

    @property
    def meals(self) -> tuple[tuple[str, str | None], ...]:
        """Name and text of the three meals."""
        return tuple((meal, getattr(self, meal)) for meal in MEALS)

    @property
    def sights(self) -> tuple[str, ...]:
        """What is seen, each as ``Name, City``."""
        if not says(self.attraction) or self.attraction is None:
            return ()
        return tuple(part.strip() for part in self.attraction.split(";") if part.strip())

    @property
    def mode(self) -> str | None:
        """How one travels; None if the day says nothing of it, or nothing that is known."""
        text = (self.transportation or "").lower()
        return next((mode for mode in (FLIGHT, SELF_DRIVING, TAXI) if mode in text), None)

    @property
    def flight(self) -> str | None:
        """The number of its flight; None if it names none."""
        found = _NUMBER.search(self.transportation or "")
        return None if found is None else found[1]


def says(text: str | None) -> bool:
    """Return whether a field of a plan says something."""
    return text is not None and text.strip() not in ("", NOTHING)


def way_of(text: str) -> tuple[str, str] | None:
    """Return the two cities of ``from A to B``, without states; None if *text* has no such words."""
    found = _WAY.search(text)
    return None if found is None else (bare_city(found[1]), bare_city(found[2]))


def name_and_city(text: str) -> tuple[str, str]:
    """Return ``Name, City`` in its two parts, the city without a state; no comma gives an empty city."""
    name, _, city = text.rstrip("; ").rpartition(",")
    return (name.strip(), bare_city(city)) if name else (city.strip(), "")


def read_day(fields: dict[str, Any]) -> Day:
    """Return a day from the JSON object that an agent wrote; unknown fields are passed over."""
    known = {field.name for field in attrs.fields(Day)} - {"number"}
    texts = {name: value if isinstance(value, str) else None for name, value in fields.items() if name in known}
    return Day(number=fields.get("days", fields.get("day")), **texts)


def read_plan(actions: Iterable[str]) -> tuple[Day, ...]:
    """Return the days that *actions* plan; other actions, and days that are no JSON object, are passed over."""
    days = []
    for action in actions:
        if not action.startswith(PLAN_DAY):
            continue
        try:
            fields = msgspec.json.decode(action.removeprefix(PLAN_DAY))
        except msgspec.DecodeError:
            continue
        if isinstance(fields, dict):
            days.append(read_day(fields))
    return tuple(days)


def plan_of(run: Trajectory) -> tuple[Day, ...]:
    """Return the plan that a recorded run made."""
    return read_plan(step.action for step in run.steps)
