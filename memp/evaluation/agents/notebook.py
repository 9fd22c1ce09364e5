"""
What a scripted agent remembers within one episode: where it is, what it carries, what it saw where, what it tried.

Everything in it was read from commands and observations; it is the part that a careful agent of any kind would keep,
and it holds no opinion on what to do next.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from memp.evaluation.agents.commands import GO, OPEN, PUT, TAKE, kind, read, things_in
from memp.evaluation.environment import NOTHING_HAPPENS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memp.evaluation.agents.commands import Command
    from memp.model import Step


class Notebook:
    """
    The memory of one episode.

    Attributes:
        places: Every place that one could ever walk to, in the order in which they became known.

        place: Where the agent is; None before the first walk.

        held: What it carries; None for empty hands.

        visited: Places that it went to or opened.

        shut: Places that were closed when it last looked.

        described: Place to what was last said of it.

        seen: Thing to the place where it was last seen.

        placed: Things that it put down where it meant to, and the place.

        fixed: Things that were within reach of empty hands and could not be taken.

        carried: Every thing with every place to which it was carried.

        tried: How often each command was given.

        worked: Whether the last command was carried out.
    """

    def __init__(self) -> None:
        self.places: dict[str, None] = {}
        self.place: str | None = None
        self.held: str | None = None
        self.visited: set[str] = set()
        self.shut: set[str] = set()
        self.described: dict[str, str] = {}
        self.seen: dict[str, str] = {}
        self.placed: dict[str, str] = {}
        self.fixed: set[str] = set()
        self.carried: set[tuple[str, str]] = set()
        self.tried: Counter[str] = Counter()
        self.worked = True

    def hear(self, admissible: Iterable[str]) -> None:
        """Note the places that can be walked to, and which things can be taken."""
        takeable = set()
        for command in map(read, admissible):
            if command.verb in GO and command.things:
                self.places.setdefault(command.things[0])
            elif command.verb in TAKE and len(command.things) > 1:
                takeable.add(command.things[0])
                self.seen[command.things[0]] = command.things[1]
        if self.held is None and self.place is not None and self.place not in self.shut:
            here = {thing for thing, place in self.seen.items() if place == self.place}
            self.fixed |= here - takeable

    def live(self, step: Step) -> None:
        """Note what a command did, as far as the observation tells."""
        command = read(step.action)
        self.tried[step.action] += 1
        self.worked = step.observation.strip() != NOTHING_HAPPENS
        if not self.worked or not command.things:
            return
        first, last = command.things[0], command.things[-1]
        if command.verb in GO:
            self.place = first
            self.visited.add(first)
            if self.held is not None:
                self.carried.add((self.held, first))
            self._see(first, step.observation)
        elif command.verb in OPEN:
            self.visited.add(first)
            self._see(first, step.observation)
        elif command.verb in TAKE:
            self.held = first
            self.carried.add((first, last))
            self.seen.pop(first, None)
            self.placed.pop(first, None)
        elif command.verb in PUT:
            self.held = None
            self.seen[first] = last

    def known(self, wanted: str) -> list[str]:
        """Return the things of the kind *wanted*, or *wanted* itself, that were seen and not put down on purpose."""
        return [thing for thing in self.seen if wanted in (thing, kind(thing)) and thing not in self.placed]

    def unseen(self) -> list[str]:
        """Return the places of which the inside was not seen yet, the ones never visited and the ones found shut."""
        return [place for place in self.places if place not in self.visited or place in self.shut]

    def untried(self, command: Command) -> bool:
        """Return whether *command* was never given."""
        return not self.tried[command.text]

    def _see(self, place: str, observation: str) -> None:
        self.described[place] = observation
        if f"{place} is closed" in observation.lower():
            self.shut.add(place)
            return
        self.shut.discard(place)
        named = [thing for thing in things_in(observation) if thing not in self.places]
        for thing in [thing for thing, where in self.seen.items() if where == place and thing not in named]:
            del self.seen[thing]
        for thing in named:
            self.seen[thing] = place
