"""
A solver that sees everything and knows the rules: the proof that a game can be won, and the shortest sensible way.

It is no agent: it reads the game instead of observations. Its plans are what a step count can be compared with, and its
runs are clean material for tests. A general planner was not taken, because six goals need six lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memp.errors import InvalidInputError
from memp.evaluation.household.rules import USUAL
from memp.evaluation.household.scene import CLEAN, COOL, HEAT, LOOK, PUT_TWO, Game, Receptacle, Thing, kind_of

if TYPE_CHECKING:
    from memp.evaluation.household.rules import Rules


class _Walk:
    """The commands so far, and what they have done to doors and to the spot."""

    def __init__(self, game: Game) -> None:
        self.commands: list[str] = []
        self._by_name = {receptacle.name: receptacle for receptacle in game.receptacles}
        self._opened = {receptacle.name for receptacle in game.receptacles if receptacle.opened}
        self._spot: int | None = None

    def go(self, name: str) -> None:
        if self._by_name[name].spot != self._spot:
            self._spot = self._by_name[name].spot
            self.commands.append(f"go to {name}")

    def reach(self, name: str) -> None:
        self.go(name)
        if self._by_name[name].openable and name not in self._opened:
            self._opened.add(name)
            self.commands.append(f"open {name}")


def solve(game: Game, rules: Rules | None = None) -> tuple[str, ...]:
    """
    Return commands that win *game* from its start.

    Args:
        game: What stands where.

        rules: How the world works; None for the game's own, or the usual ones.

    Raises:
        InvalidInputError: There is no thing, place or tool for the goal.
    """
    rules = rules or game.rules or USUAL
    goal, walk = game.goal, _Walk(game)
    things = [thing for thing in game.things if kind_of(thing.name) == goal.thing and thing.places]
    tools = {CLEAN: ("clean", rules.cleans), HEAT: ("heat", rules.heats), COOL: ("cool", rules.cools)}
    if goal.type == LOOK:
        lamp = _first([thing for thing in game.things if kind_of(thing.name) == goal.place and thing.places], game)
        _take(walk, _first(things, game))
        walk.go(lamp.places[0])
        return (*walk.commands, f"use {lamp.name}")
    place = _receptacle(game, frozenset({goal.place}))
    wanted = 2 if goal.type == PUT_TWO else 1
    if len(things) < wanted:
        raise _unsolvable(game)
    for thing in things[:wanted]:
        if place.name in thing.places and goal.type not in tools:
            continue
        _take(walk, thing)
        if goal.type in tools:
            verb, kinds = tools[goal.type]
            tool = _receptacle(game, kinds)
            walk.go(tool.name)
            walk.commands.append(f"{verb} {thing.name} with {tool.name}")
        walk.reach(place.name)
        walk.commands.append(f"move {thing.name} to {place.name}")
    return tuple(walk.commands)


def _take(walk: _Walk, thing: Thing) -> None:
    walk.reach(thing.places[0])
    walk.commands.append(f"take {thing.name} from {thing.places[0]}")


def _first(things: list[Thing], game: Game) -> Thing:
    if not things:
        raise _unsolvable(game)
    return things[0]


def _receptacle(game: Game, kinds: frozenset[str]) -> Receptacle:
    for receptacle in game.receptacles:
        if kind_of(receptacle.name) in kinds:
            return receptacle
    raise _unsolvable(game)


def _unsolvable(game: Game) -> InvalidInputError:
    return InvalidInputError(f"The game must hold all that its goal needs (got {game.goal!r} in a {game.room!r}).")
