"""
Rooms from a seed for the real engine: games of the household written as PDDL problems.

The household draws the room, the things in it and the goal, and its solver proves that each can be won; here that is
said in the words of the installed package's own domain and grammar. So nothing is downloaded, there are as many games
as one wants, and the two worlds can be held against each other on the same game. Drawing rooms anew for the engine was
not taken: there would be two generators, and no such comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from memp.errors import InvalidInputError
from memp.evaluation.alfworld.games import AlfworldGame
from memp.evaluation.alfworld.package import require_package, shipped_rules
from memp.evaluation.household.rules import USUAL
from memp.evaluation.household.scene import CLEAN, COOL, HEAT, LOOK, PUT_TWO, TASK_TYPES, Game, Goal, kind_of
from memp.evaluation.household.tasks import make_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memp.evaluation.environment import Task

TASK_MARK = "UNKNOWN GOAL"
"""Where the installed package's grammar leaves room for the task."""

_START = "loc_bar_0"
"""Where the agent begins: in the middle of the room, where nothing stands."""

_PLACES_NAMED_BY_RULES = ("fridge", "microwave", "sink", "sinkbasin")
_THINGS_NAMED_BY_RULES = ("butterknife", "knife")
"""Kinds that the domain mentions; a problem must know them even if its room has none."""

_BASINS = {"sinkbasin": "sink", "bathtubbasin": "bathtub"}
"""Kinds of which the engine puts the name together from the beginning of the id and a ``basin`` at its end."""

_NUMBER_MAX = 999
"""Names are numbered from the highest id down, so ids count down from here to keep the household's numbers."""


def make_rooms(n: int, *, seed: int) -> tuple[Task, ...]:
    """
    Return *n* tasks in rooms of their own, the six types in turn; all of them can be won.

    Args:
        n: How many, 0 or more.

        seed: The same seed gives the same tasks, and a longer list begins with the shorter one.

    Raises:
        InvalidInputError: *n* is negative, or the package is not installed.
    """
    require_package()
    if n < 0:
        raise InvalidInputError(f"'n' must be 0 or more (got {n!r}).")
    # Named apart from the household's own tasks: nobody is measured on the games that it learned from over there.
    drawn = (make_task(TASK_TYPES[i % len(TASK_TYPES)], seed=f"room/{seed}/{i}") for i in range(n))
    return tuple(map(as_room, drawn))


def as_room(task: Task) -> Task:
    """
    Return a task of the household as one for the engine; the same words, things and goal.

    Raises:
        InvalidInputError: It is no task of the household, or its rules are not those of ALFWorld.
    """
    game = task.setting
    if not isinstance(game, Game) or game.rules not in (None, USUAL):
        raise InvalidInputError(
            f"Only a household game with the usual rules can be played by ALFWorld's engine (got task {task.id!r})."
        )
    domain, grammar = shipped_rules()
    params = {
        "task_type": game.goal.type,
        "object_target": game.goal.thing,
        "parent_target": "" if game.goal.type == LOOK else game.goal.place,
        "toggle_target": game.goal.place if game.goal.type == LOOK else "",
        "mrecep_target": "",
        "object_sliced": "",
    }
    room = AlfworldGame(
        domain=domain,
        grammar=grammar.replace(TASK_MARK, task.text),
        problem=write_problem(game),
        params=tuple(sorted(params.items())),
    )
    return attrs.evolve(task, id=f"room/{task.id}", setting=room)


def write_problem(game: Game) -> str:
    """Return *game* as a PDDL problem for ALFWorld's domain."""
    ids = {name: _id(name) for name in (*(r.name for r in game.receptacles), *(t.name for t in game.things))}
    spots = sorted({receptacle.spot for receptacle in game.receptacles} | {t.spot for t in game.things if t.spot})
    receptacle_kinds = sorted({kind_of(r.name) for r in game.receptacles} | {*_PLACES_NAMED_BY_RULES})
    thing_kinds = sorted({kind_of(t.name) for t in game.things} | {*_THINGS_NAMED_BY_RULES, game.goal.thing})
    objects = [
        "agent1 - agent",
        *(f"{kind}type - rtype" for kind in receptacle_kinds),
        *(f"{kind}type - otype" for kind in thing_kinds),
        *(f"{location} - location" for location in (_START, *map(_location, spots))),
        *(f"{ids[receptacle.name]} - receptacle" for receptacle in game.receptacles),
        *(f"{ids[thing.name]} - object" for thing in game.things),
    ]
    facts = [
        f"atlocation agent1 {_START}",
        *_receptacle_facts(game, ids),
        *_thing_facts(game, ids),
        *(
            f"cancontain {place}type {thing}type"
            for place in receptacle_kinds
            for thing in thing_kinds
            if thing in game.catalogue.holds.get(place, ())
        ),
    ]
    return "\n".join(
        [
            "(define (problem room)",
            " (:domain alfred)",
            " (:objects",
            *(f"  {line}" for line in objects),
            " )",
            " (:init",
            "  (= (total-cost) 0)",
            *(f"  ({fact})" for fact in facts),
            " )",
            f" (:goal {_goal(game.goal)})",
            " (:metric minimize (total-cost))",
            ")",
        ]
    )


def _id(name: str) -> str:
    kind, _, number = name.rpartition(" ")
    place = f"bar_{_NUMBER_MAX - int(number):03}"
    return f"{_BASINS[kind]}_{place}_bar_{kind}" if kind in _BASINS else f"{kind}_{place}"


def _location(spot: int) -> str:
    return f"loc_bar_{spot}"


def _receptacle_facts(game: Game, ids: Mapping[str, str]) -> Iterable[str]:
    for receptacle in game.receptacles:
        name = ids[receptacle.name]
        yield f"receptacletype {name} {kind_of(receptacle.name)}type"
        yield f"receptacleatlocation {name} {_location(receptacle.spot)}"
        if receptacle.openable:
            yield f"openable {name}"
        if receptacle.opened:
            yield f"opened {name}"


def _thing_facts(game: Game, ids: Mapping[str, str]) -> Iterable[str]:
    spots = {receptacle.name: receptacle.spot for receptacle in game.receptacles}
    for thing in game.things:
        name, can = ids[thing.name], game.catalogue.things[kind_of(thing.name)]
        yield f"objecttype {name} {kind_of(thing.name)}type"
        yield from (f"inreceptacle {name} {ids[place]}" for place in thing.places)
        spot = thing.spot if thing.spot is not None else spots[thing.places[0]] if thing.places else None
        if spot is not None:
            yield f"objectatlocation {name} {_location(spot)}"
        if thing.cold:
            yield f"iscool {name}"
        if thing.inside is not None:
            yield f"inreceptacleobject {name} {ids[thing.inside]}"
        abilities = {
            "pickupable": can.carried,
            "cleanable": can.cleaned,
            "heatable": can.heated,
            "coolable": can.cooled,
            "toggleable": can.lamp,
            "sliceable": can.sliced,
            "isreceptacleobject": can.hollow,
        }
        yield from (f"{ability} {name}" for ability, has in abilities.items() if has)


def _goal(goal: Goal) -> str:
    if goal.type == LOOK:
        return (
            f"(and (exists (?o - object) (and (objecttype ?o {goal.thing}type) (holds agent1 ?o)))"
            " (exists (?lamp - object ?r - receptacle ?l - location)"
            f" (and (objecttype ?lamp {goal.place}type) (toggleable ?lamp) (istoggled ?lamp)"
            " (inreceptacle ?lamp ?r) (receptacleatlocation ?r ?l) (atlocation agent1 ?l))))"
        )
    state = {CLEAN: " (isclean {})", HEAT: " (ishot {})", COOL: " (iscool {})"}.get(goal.type, "")

    def placed(name: str) -> str:
        return f"(objecttype {name} {goal.thing}type) (inreceptacle {name} ?r)" + state.format(name)

    second = f" (exists (?p - object) (and (not (= ?o ?p)) {placed('?p')}))" if goal.type == PUT_TWO else ""
    return f"(exists (?r - receptacle ?o - object) (and (receptacletype ?r {goal.place}type) {placed('?o')}{second}))"
