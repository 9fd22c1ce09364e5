"""A game of the real engine as one of the household, so that both can play it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import attrs

from memp.evaluation.alfworld import AlfworldGame
from memp.evaluation.environment import Task
from memp.evaluation.household import Catalogue, Game, Goal, Receptacle, Thing, ThingKind, kind_of

ABILITIES = {
    "carried": "pickupable",
    "cleaned": "cleanable",
    "heated": "heatable",
    "cooled": "coolable",
    "lamp": "toggleable",
    "sliced": "sliceable",
    "hollow": "isReceptacleObject",
}


def as_household(task: Task) -> Task:
    """Return a task of ALFWorld with a setting that the household can play."""
    game = task.setting
    assert isinstance(game, AlfworldGame)
    begin, goal = game.problem.index("(:init"), game.problem.index("(:goal")
    facts: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for words in re.findall(r"\(([^()]+)\)", game.problem[begin:goal]):
        name, *arguments = words.split()
        facts[name].append(tuple(arguments))
    declared = re.findall(r"(\S+_bar_\S+)\s+-\s+(?:object|receptacle)", game.problem[:begin])
    names = _names(sorted(set(declared), key=str.lower))
    spots: dict[str, int] = {}
    for places in (facts["receptacleAtLocation"], facts["objectAtLocation"]):
        for _, location in places:
            spots.setdefault(location, len(spots) + 1)
    receptacles = {id_ for id_, _ in facts["receptacleType"]}
    things = {id_ for id_, _ in facts["objectType"]}
    at, openable, opened = _pairs(facts["receptacleAtLocation"]), _first(facts["openable"]), _first(facts["opened"])
    inside, lies = _pairs(facts["inReceptacleObject"]), _pairs(facts["objectAtLocation"])
    holds = defaultdict(set)
    for place, thing in facts["canContain"]:
        holds[_kind(place)].add(_kind(thing))
    can = {ability: {kind_of(names[id_]) for (id_,) in facts[fact]} for ability, fact in ABILITIES.items()}
    kinds = {kind_of(names[id_]) for id_ in things}
    params = dict(game.params)
    setting = Game(
        room=task.id,
        receptacles=tuple(
            Receptacle(name=names[id_], spot=spots[at[id_]], openable=id_ in openable, opened=id_ in opened)
            for id_ in sorted(receptacles, key=str.lower)
        ),
        things=tuple(
            Thing(
                name=names[id_],
                places=tuple(names[place] for thing, place in facts["inReceptacle"] if thing == id_),
                spot=spots[lies[id_]] if id_ in lies else 0,
                cold=id_ in _first(facts["isCool"]),
                inside=names.get(inside.get(id_, "")),
            )
            for id_ in sorted(things, key=str.lower)
        ),
        catalogue=Catalogue(
            things={kind: ThingKind(**{ability: kind in able for ability, able in can.items()}) for kind in kinds},
            holds={kind: frozenset(held) for kind, held in holds.items()},
        ),
        goal=Goal(
            type=params["task_type"],
            thing=params["object_target"].lower(),
            place=(params["parent_target"] or params["toggle_target"]).lower(),
        ),
    )
    return attrs.evolve(task, setting=setting)


def _first(facts: list[tuple[str, ...]]) -> set[str]:
    return {fact[0] for fact in facts}


def _pairs(facts: list[tuple[str, ...]]) -> dict[str, str]:
    return {fact[0]: fact[1] for fact in facts}


def _kind(type_: str) -> str:
    return type_.removesuffix("Type").lower()


def _names(ids: list[str]) -> dict[str, str]:
    """Return the names that the engine gives: numbered by kind, the first id with the highest number."""
    kinds = {id_: (id_.split("_bar_")[0] + ("basin" if "Basin" in id_ else "")).lower() for id_ in ids}
    left = Counter(kinds.values())
    names = {}
    for id_ in ids:
        names[id_] = f"{kinds[id_]} {left[kinds[id_]]}"
        left[kinds[id_]] -= 1
    return names
