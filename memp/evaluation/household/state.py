"""
What is so at one moment of a game, and the one place that may change it.

Every command is a method that returns the sentence to say, or None if it cannot be carried out; nothing else writes to
the state. It is mutable, unlike most of ``memp``: copying fifty dictionaries for every step would make the world a
hundred times slower, and no two episodes share a state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memp.evaluation.household import text
from memp.evaluation.household.scene import CLEAN, COOL, HEAT, LOOK, PUT_TWO, kind_of

if TYPE_CHECKING:
    from memp.evaluation.household.rules import Rules
    from memp.evaluation.household.scene import Game, Receptacle, ThingKind


class State:
    """
    One game in progress.

    Attributes:
        game: What was there at the start.

        rules: How the world works.

        opened: Names of the receptacles whose door is open.

        contents: Receptacle name to the names of what it holds, in the order of the game.

        clean, hot, cold, sliced: Names of the things of which that is true.

        switched: Names of the lamps that were ever switched on.

        held: What the agent carries; None for empty hands.

        spot: Where the agent stands; None in the middle of the room.
    """

    def __init__(self, game: Game, rules: Rules) -> None:
        self.game = game
        self.rules = rules
        self.receptacles = {receptacle.name: receptacle for receptacle in game.receptacles}
        self.opened = {receptacle.name for receptacle in game.receptacles if receptacle.opened}
        self.contents: dict[str, list[str]] = {receptacle.name: [] for receptacle in game.receptacles}
        self.clean: set[str] = set()
        self.hot: set[str] = set()
        self.cold = {thing.name for thing in game.things if thing.cold}
        self.sliced: set[str] = set()
        self.switched: set[str] = set()
        self.held: str | None = None
        self.spot: int | None = None
        self._kinds = game.catalogue.things
        self._order = {thing.name: number for number, thing in enumerate(game.things)}
        self._seen_from: dict[str, set[int]] = {}
        self._left: dict[str, set[str]] = {}
        self._inside: dict[str, list[str]] = {}
        for thing in game.things:
            for place in thing.places:
                self.contents[place].append(thing.name)
            spots = [self.receptacles[place].spot for place in thing.places[:1]] if thing.spot is None else [thing.spot]
            self._seen_from[thing.name] = set(spots)
            if thing.inside is not None:
                self._inside.setdefault(thing.inside, []).append(thing.name)
        self._gos = tuple((f"go to {receptacle.name}", receptacle.spot) for receptacle in game.receptacles)

    def here(self) -> list[Receptacle]:
        """Return the receptacles at the agent's spot, in the order of the game; empty in the middle of the room."""
        if self.spot is None:
            return []
        return [receptacle for receptacle in self.game.receptacles if receptacle.spot == self.spot]

    def reachable(self, receptacle: Receptacle) -> bool:
        """Return whether the hands reach into *receptacle* from its spot: it has no door, or the door is open."""
        return not receptacle.openable or receptacle.name in self.opened

    def can(self, thing: str) -> ThingKind:
        """Return what the kind of *thing* can do."""
        return self._kinds[kind_of(thing)]

    def go(self, name: str) -> str | None:
        """Walk to another spot; where one stands already there is nowhere to go."""
        receptacle = self.receptacles.get(name)
        if receptacle is None or receptacle.spot == self.spot:
            return None
        self.spot = receptacle.spot
        return f"You arrive at {name}. {self._described(receptacle)}"

    def open(self, name: str) -> str | None:
        """Open a door at the agent's spot."""
        receptacle = self._at(name)
        if receptacle is None or not receptacle.openable or name in self.opened:
            return None
        self.opened.add(name)
        return f"You open the {name}. {self._described(receptacle)}"

    def close(self, name: str) -> str | None:
        """Close an open door at the agent's spot."""
        if self._at(name) is None or name not in self.opened or not self.receptacles[name].openable:
            return None
        self.opened.discard(name)
        return f"You close the {name}."

    def take(self, thing: str, name: str) -> str | None:
        """Pick up a thing that lies within reach, with empty hands."""
        receptacle = self._at(name)
        if receptacle is None or self.held is not None or not self.reachable(receptacle):
            return None
        if thing not in self.contents[name] or not self.can(thing).carried:
            return None
        self.contents[name].remove(thing)
        self._seen_from[thing].discard(receptacle.spot)
        self._left.setdefault(thing, set()).add(name)
        self.held = thing
        return f"You pick up the {thing} from the {name}."

    def move(self, thing: str, name: str) -> str | None:
        """Put what is carried into a receptacle that takes in its kind."""
        receptacle = self._at(name)
        if receptacle is None or self.held != thing or not self.reachable(receptacle):
            return None
        if kind_of(thing) not in self.game.catalogue.holds.get(kind_of(name), ()):
            return None
        if thing not in self.contents[name]:  # it may have stayed there, see Thing.places
            self.contents[name].append(thing)
            self.contents[name].sort(key=self._order.__getitem__)
        self._seen_from[thing].add(receptacle.spot)
        self._left.get(thing, set()).discard(name)
        self.held = None
        return f"You move the {thing} to the {name}."

    def wash(self, thing: str, name: str) -> str | None:
        """Clean what is carried; doors do not matter."""
        if not self._usable(thing, name, self.rules.cleans) or not self.can(thing).cleaned:
            return None
        self.clean.add(thing)
        return f"You clean the {thing} using the {name}."

    def heat(self, thing: str, name: str) -> str | None:
        """Heat what is carried; it is not cold any more. Doors do not matter."""
        if not self._usable(thing, name, self.rules.heats) or not self.can(thing).heated:
            return None
        self.hot.add(thing)
        self.cold.discard(thing)
        return f"You heat the {thing} using the {name}."

    def cool(self, thing: str, name: str) -> str | None:
        """Cool what is carried; it is not hot any more. Doors do not matter."""
        if not self._usable(thing, name, self.rules.cools) or not self.can(thing).cooled:
            return None
        self.cold.add(thing)
        self.hot.discard(thing)
        return f"You cool the {thing} using the {name}."

    def slice(self, thing: str, knife: str) -> str | None:
        """Cut a thing at the agent's spot with the knife that is carried."""
        if knife != self.held or kind_of(knife) not in self.game.catalogue.knives or self.spot is None:
            return None
        if self.spot not in self._seen_from.get(thing, ()) or not self.can(thing).sliced:
            return None
        self.sliced.add(thing)
        return f"You sliced the {thing} with the {knife}."

    def use(self, lamp: str) -> str | None:
        """Switch on a lamp at the agent's spot; one that is on is switched on again, as in ALFWorld."""
        if not any(lamp in self.contents[receptacle.name] for receptacle in self.here()) or not self.can(lamp).lamp:
            return None
        self.switched.add(lamp)
        return f"You turn on the {lamp}."

    def examine(self, name: str) -> str | None:
        """Describe a receptacle at the agent's spot, or what is carried."""
        receptacle = self._at(name)
        if receptacle is not None:
            return self._described(receptacle)
        if name != self.held:
            return None
        if self.can(name).hollow:
            return text.hollow(name, self._inside.get(name, ()))
        return text.described(
            name,
            clean=name in self.clean,
            hot=name in self.hot,
            cold=name in self.cold,
            sliced=name in self.sliced,
        )

    def look(self) -> str:
        """Say where one stands; from the middle of the room only the first look sees anything."""
        here = self.here()
        if not here:
            return text.middle(())
        beside = [thing.name for thing in self.game.things if self._beside(thing.name, here)]
        return text.facing([receptacle.name for receptacle in here], beside)

    def reached(self) -> bool:
        """Return whether the goal holds now."""
        goal = self.game.goal
        if goal.type == LOOK:
            return (
                self.held is not None
                and kind_of(self.held) == goal.thing
                and any(
                    kind_of(lamp) == goal.place and lamp in self.contents[receptacle.name]
                    for receptacle in self.here()
                    for lamp in self.switched
                )
            )
        state = {CLEAN: self.clean, HEAT: self.hot, COOL: self.cold}.get(goal.type)
        wanted = 2 if goal.type == PUT_TWO else 1
        for name, things in self.contents.items():
            if kind_of(name) == goal.place:
                fitting = [t for t in things if kind_of(t) == goal.thing and (state is None or t in state)]
                if len(fitting) >= wanted:
                    return True
        return False

    def commands(self) -> list[str]:
        """Return every command that can be carried out now, sorted."""
        found = ["help", "inventory", "look"]
        found += [command for command, spot in self._gos if spot != self.spot]
        held = self.held
        if held is not None:
            found.append(f"examine {held}")
        for receptacle in self.here():
            name = receptacle.name
            found.append(f"examine {name}")
            if receptacle.openable:
                found.append(f"close {name}" if name in self.opened else f"open {name}")
            found += [f"use {thing}" for thing in self.contents[name] if self.can(thing).lamp]
            if held is not None:
                found += self._with_held(held, receptacle)
            elif self.reachable(receptacle):
                found += [f"take {thing} from {name}" for thing in self.contents[name] if self.can(thing).carried]
        if held is not None and kind_of(held) in self.game.catalogue.knives:
            found += [
                f"slice {thing} with {held}"
                for thing, spots in self._seen_from.items()
                if self.spot in spots and self.can(thing).sliced
            ]
        return sorted(found)

    def _with_held(self, held: str, receptacle: Receptacle) -> list[str]:
        """Return what can be done with the carried thing at *receptacle*."""
        found, name, kind, can = [], receptacle.name, kind_of(receptacle.name), self.can(held)
        if self.reachable(receptacle) and kind_of(held) in self.game.catalogue.holds.get(kind, ()):
            found.append(f"move {held} to {name}")
        if can.cleaned and kind in self.rules.cleans:
            found.append(f"clean {held} with {name}")
        if can.heated and kind in self.rules.heats:
            found.append(f"heat {held} with {name}")
        if can.cooled and kind in self.rules.cools:
            found.append(f"cool {held} with {name}")
        return found

    def _beside(self, thing: str, here: list[Receptacle]) -> bool:
        """
        Return whether a look says that *thing* lies next to the receptacles here: it was taken out of one of them.

        So a thing moved between two receptacles that share a spot lies in the one and beside the other, as in ALFWorld.
        """
        left = self._left.get(thing, ())
        return self.spot in self._seen_from[thing] and any(receptacle.name in left for receptacle in here)

    def _at(self, name: str) -> Receptacle | None:
        """Return the receptacle *name* if the agent stands at it."""
        receptacle = self.receptacles.get(name)
        return receptacle if receptacle is not None and receptacle.spot == self.spot else None

    def _usable(self, thing: str, name: str, kinds: frozenset[str]) -> bool:
        """Return whether *thing* is carried and the agent stands at *name*, which is one of *kinds*."""
        return thing == self.held and self._at(name) is not None and kind_of(name) in kinds

    def _described(self, receptacle: Receptacle) -> str:
        name = receptacle.name
        return text.contents(name, self.contents[name], openable=receptacle.openable, opened=name in self.opened)
