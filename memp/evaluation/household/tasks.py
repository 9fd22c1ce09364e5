"""
Tasks from a seed: which room, what lies in it, what is to be done, and how it is worded.

Every task is drawn from its own generator, named by seed and number, so the first ten tasks of a hundred are the ten
tasks of a ten, and two arms of an evaluation play the same games. One shared generator was not taken: asking for other
types would change every game after the first.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from memp.errors import InvalidInputError
from memp.evaluation.environment import Task
from memp.evaluation.household.rooms import CATALOGUE, KINDS, ROOMS, furnish, scatter
from memp.evaluation.household.rules import USUAL, Rules
from memp.evaluation.household.scene import (
    CLEAN,
    COOL,
    HEAT,
    LOOK,
    PUT,
    PUT_TWO,
    TASK_TYPES,
    Game,
    Goal,
    Receptacle,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDINGS = {
    PUT: ("put a {thing} in {place}", "put some {thing} on {place}"),
    PUT_TWO: ("put two {thing} in {place}", "find two {thing} and put them in {place}"),
    CLEAN: ("put a clean {thing} in {place}", "clean some {thing} and put it in {place}"),
    HEAT: ("put a hot {thing} in {place}", "heat some {thing} and put it in {place}"),
    COOL: ("put a cool {thing} in {place}", "cool some {thing} and put it in {place}"),
    LOOK: ("look at {thing} under the {place}", "examine the {thing} with the {place}"),
}
"""How each kind of task is said; ALFWorld's wordings, because agents and task patterns must know them."""

_ROOMS_OF = {
    PUT: tuple(ROOMS),
    PUT_TWO: tuple(ROOMS),
    CLEAN: ("kitchen", "kitchen", "bathroom"),
    HEAT: ("kitchen",),
    COOL: ("kitchen",),
    LOOK: ("bedroom", "living room"),
}
"""In which rooms each kind of task is set; a room named twice comes up twice as often."""

_LAMP = "desklamp"


def make_task(type_: str, *, seed: int | str, rules: Rules | None = None) -> Task:
    """
    Return the task of that type and *seed*: the same in every process.

    Args:
        type_: One of the six task types.

        seed: Names the game; it is also the end of the task's id.

        rules: How the world works in it; None leaves that to the world.

    Raises:
        InvalidInputError: *type_* is no task type, or *rules* leave no way to do it in any room.
    """
    if type_ not in TASK_TYPES:
        raise InvalidInputError(f"A task type must be one of {', '.join(TASK_TYPES)} (got {type_!r}).")
    random_ = random.Random(f"household/{type_}/{seed}")
    room = random_.choice(_ROOMS_OF[type_])
    receptacles = furnish(ROOMS[room], random_)
    kinds = {kind_of(receptacle.name) for receptacle in receptacles}
    goals = _goals(type_, room, receptacles, rules or USUAL)
    if not goals:
        raise InvalidInputError(
            f"The rules must leave a receptacle in the {room} for {type_!r} "
            f"(got {rules!r}, with {sorted(kinds)!r} there). Add one of these kinds to the rules."
        )
    goal = random_.choice(goals)
    counts = {kind: random_.randint(*span) for kind, span in sorted(ROOMS[room].things.items())}
    counts[goal.thing] = max(counts[goal.thing], 2 if type_ == PUT_TWO else 1)
    bare = "" if type_ == LOOK else f"{goal.thing}/{goal.place}"
    things = scatter(counts, [receptacle.name for receptacle in receptacles], random_, bare=bare)
    text = random_.choice(WORDINGS[type_]).format(thing=goal.thing, place=goal.place)
    game = Game(room=room, receptacles=receptacles, things=things, catalogue=CATALOGUE, goal=goal, rules=rules)
    return Task(id=f"household/{type_}/{seed}", text=text, type=type_, setting=game)


def make_tasks(n: int, *, seed: int, types: Sequence[str] = TASK_TYPES, rules: Rules | None = None) -> tuple[Task, ...]:
    """
    Return *n* tasks, taking the *types* in turn.

    Args:
        n: How many; 0 or more.

        seed: The same seed gives the same tasks, and a longer list begins with the shorter one.

        types: Which kinds of task; at least one.

        rules: How the world works in all of them; None leaves that to the world.

    Raises:
        InvalidInputError: *n* is negative, *types* is empty or names an unknown type, or *rules* leave no way to do
        one.
    """
    if n < 0 or not types:
        raise InvalidInputError(f"'n' must be 0 or more and 'types' must name one or more (got {n!r} and {types!r}).")
    return tuple(make_task(types[i % len(types)], seed=f"{seed}/{i}", rules=rules) for i in range(n))


def _goals(type_: str, room: str, receptacles: Sequence[Receptacle], rules: Rules) -> list[Goal]:
    """Return every goal of that type that the furniture of *room* allows and that is some work."""
    present = sorted({kind_of(receptacle.name) for receptacle in receptacles})
    tools = {CLEAN: rules.cleans, HEAT: rules.heats, COOL: rules.cools}.get(type_, frozenset())
    if type_ in (CLEAN, HEAT, COOL) and not tools.intersection(present):
        return []
    goals = []
    for thing in sorted(ROOMS[room].things):
        can = KINDS[thing]
        homes = [kind for kind in present if thing in CATALOGUE.holds[kind]]
        fit = can.carried and {CLEAN: can.cleaned, HEAT: can.heated, COOL: can.cooled}.get(type_, True)
        if not fit or not homes:
            continue
        if type_ == LOOK:
            goals.append(Goal(type=type_, thing=thing, place=_LAMP))
        elif len(homes) > 1:
            # A thing that must end where it was washed or warmed would be put there by an agent that knows nothing.
            goals += [Goal(type=type_, thing=thing, place=home) for home in homes if home not in tools]
    return goals
