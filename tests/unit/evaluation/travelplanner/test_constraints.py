"""Every constraint of a plan, kept and broken, in an invented world."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from memp.evaluation.travelplanner import Day, Request, Tables, judge
from memp.evaluation.travelplanner.hard import cost_of

NO_LINKS = ("Self-driving, from Cove to Ahus", "Self-driving, from Ahus to Cove")


def broken(request: Request, plan: tuple[Day, ...], tables: Tables, **options: bool) -> set[str]:
    return {verdict.constraint for verdict in judge(request, plan, tables, **options).broken}


def test_a_good_plan_keeps_everything(request_of_two: Request, good_plan: tuple[Day, ...], tables: Tables) -> None:
    """A plan that keeps everything is a success with the whole reward, and its cost counts what each needs of all."""
    found = judge(request_of_two, good_plan, tables)
    assert (found.success, found.reward, found.broken) == (True, 1.0, ())
    # Two flights for two, five meals for two, two nights in one house for six.
    assert found.cost == cost_of(request_of_two, good_plan, tables) == 2 * 140 + 2 * 100 + 2 * 120


@pytest.mark.parametrize(
    ("day", "change", "constraint"),
    [
        (0, {"current_city": "from Belo to Ahus"}, "Reasonable City Route"),
        (2, {"current_city": "Ahus"}, "Reasonable City Route"),
        (1, {"lunch": "Green Door, Ahus"}, "Diverse Restaurants"),
        (1, {"attraction": "Ahus Tower, Ahus;Ahus Tower, Ahus"}, "Diverse Attractions"),
        (1, {"accommodation": "Long House, Ahus"}, "Minimum Nights Stay"),
        (2, {"transportation": NO_LINKS[1]}, "Non-conflicting Transportation"),
        (0, {"accommodation": "Belo Loft, Belo"}, "Within Current City"),
        (0, {"dinner": "Belo Bar, Belo"}, "Within Current City"),
        (1, {"dinner": "Nowhere, Ahus"}, "Within Sandbox"),
        (1, {"attraction": "Nothing, Ahus"}, "Within Sandbox"),
        (0, {"transportation": "Flight Number: F9, from Cove to Ahus"}, "Within Sandbox"),
        (0, {"transportation": "Flight Number: F3, from Cove to Ahus"}, "Within Sandbox"),
        (1, {"lunch": "-"}, "Complete Information"),
        (1, {"attraction": "-"}, "Complete Information"),
        (0, {"accommodation": "-"}, "Complete Information"),
        (2, {"transportation": "-"}, "Complete Information"),
        (1, {"dinner": None}, "Complete Information"),
    ],
)
def test_a_flaw_breaks_its_commonsense_constraint(
    request_of_two: Request,
    good_plan: tuple[Day, ...],
    tables: Tables,
    day: int,
    change: dict[str, Any],
    constraint: str,
) -> None:
    """One flaw in a good plan breaks the constraint that is about it, and the plan is no success."""
    plan = tuple(attrs.evolve(one, **change) if number == day else one for number, one in enumerate(good_plan))
    assert constraint in broken(request_of_two, plan, tables)
    assert not judge(request_of_two, plan, tables).success


@pytest.mark.parametrize(
    ("wish", "constraint"),
    [
        ({"budget": 700.0}, "Budget"),
        ({"house_rule": "pets"}, None),
        ({"room_type": "private room"}, "Room Type"),
        ({"room_type": "not shared room"}, None),
        ({"cuisines": ("French", "Indian")}, None),
        ({"cuisines": ("French", "Italian")}, "Cuisine"),
        ({"transportation": "no flight"}, "Transportation"),
        ({"transportation": "no self-driving"}, None),
    ],
)
def test_a_wish_is_kept_or_broken(
    request_of_two: Request,
    good_plan: tuple[Day, ...],
    tables: Tables,
    wish: dict[str, Any],
    constraint: str | None,
) -> None:
    """The same plan breaks just the wishes that it does not meet."""
    request = attrs.evolve(request_of_two, **wish)
    assert broken(request, good_plan, tables) == ({constraint} if constraint else set())


def test_what_is_not_allowed_in_a_stay_breaks_the_house_rule(
    request_of_two: Request, good_plan: tuple[Day, ...], tables: Tables
) -> None:
    """A stay that forbids what was wished for breaks the room rule; two of its single units are paid."""
    request = attrs.evolve(request_of_two, house_rule="smoking")
    plan = tuple(
        attrs.evolve(day, accommodation="Quiet Room, Ahus") if day.accommodation != "-" else day for day in good_plan
    )
    assert broken(request, plan, tables) == {"Room Rule"}
    assert judge(request, plan, tables).cost == 2 * 140 + 2 * 100 + 2 * 2 * 30


def test_hard_constraints_wait_for_a_whole_plan(
    request_of_two: Request, good_plan: tuple[Day, ...], tables: Tables
) -> None:
    """A plan that leaves something out is not asked for its wishes, and that counts as one more failed check."""
    plan = (attrs.evolve(good_plan[0], accommodation="-"), *good_plan[1:])
    found = judge(request_of_two, plan, tables)
    kept = [verdict.kept for verdict in found.verdicts]
    assert not found.hard
    assert kept[8:] == [None] * 5
    assert found.reward == round(sum(one is True for one in kept) / 9, 4)


def test_nothing_is_no_plan(request_of_two: Request, tables: Tables) -> None:
    """Without a day there is no reward."""
    assert (judge(request_of_two, (), tables).reward, judge(request_of_two, (), tables).success) == (0.0, False)


def test_days_beyond_the_trip_are_not_looked_at(
    request_of_two: Request, good_plan: tuple[Day, ...], tables: Tables
) -> None:
    """A day too many changes nothing."""
    assert judge(request_of_two, (*good_plan, good_plan[1]), tables).success


def test_strict_keeps_to_the_definition(request_of_two: Request, good_plan: tuple[Day, ...], tables: Tables) -> None:
    """A meal elsewhere on a day in one city passes where the published verdicts let it, and not when strict."""
    plan = (good_plan[0], attrs.evolve(good_plan[1], dinner="Belo Bar, Belos shore"), good_plan[2])
    assert "Within Current City" not in broken(request_of_two, plan, tables)
    assert "Within Current City" in broken(request_of_two, plan, tables, strict=True)


def test_driving_oneself_goes_all_the_way(request_of_two: Request, good_plan: tuple[Day, ...], tables: Tables) -> None:
    """One's own car there and back is one way to travel, paid by the car."""
    plan = (
        attrs.evolve(good_plan[0], transportation=NO_LINKS[0]),
        good_plan[1],
        attrs.evolve(good_plan[2], transportation=NO_LINKS[1]),
    )
    found = judge(request_of_two, plan, tables)
    assert found.success
    assert found.cost == 2 * 50 + 2 * 100 + 2 * 120
