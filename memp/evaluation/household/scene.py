"""
The values that describe one game: what stands where at the start, what each kind of thing can do, what must be reached.

They are apart from the world that moves things, so that a game can be built from a seed, written out by hand in a
test, or read from another engine's problem file, and be played by the same rules. Names are as the agent sees them
(``mug 1``); the kind is the part before the number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from memp.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memp.evaluation.household.rules import Rules

PUT = "pick_and_place_simple"
PUT_TWO = "pick_two_obj_and_place"
CLEAN = "pick_clean_then_place_in_recep"
HEAT = "pick_heat_then_place_in_recep"
COOL = "pick_cool_then_place_in_recep"
LOOK = "look_at_obj_in_light"

TASK_TYPES = (PUT, PUT_TWO, CLEAN, HEAT, COOL, LOOK)
"""The six kinds of task, by the names that ALFWorld gives them, so that results can stand side by side."""


def kind_of(name: str) -> str:
    """Return the kind in a name: ``mug`` for ``mug 1``."""
    return name.rpartition(" ")[0]


@attrs.frozen(kw_only=True)
class ThingKind:
    """
    What a kind of thing can do.

    Attributes:
        carried: It can be picked up.

        cleaned: Washing it makes it clean.

        heated: Heating it makes it hot.

        cooled: Cooling it makes it cold.

        lamp: It has a switch.

        sliced: A knife cuts it.

        hollow: Other things fit into it; it is described by what is in it.
    """

    carried: bool = True
    cleaned: bool = False
    heated: bool = False
    cooled: bool = False
    lamp: bool = False
    sliced: bool = False
    hollow: bool = False


@attrs.frozen(kw_only=True)
class Catalogue:
    """
    What the kinds of a game are.

    Attributes:
        things: Kind of thing to what it can do.

        holds: Kind of receptacle to the kinds of things that it takes in.

        knives: The kinds that cut.
    """

    things: Mapping[str, ThingKind]
    holds: Mapping[str, frozenset[str]]
    knives: frozenset[str] = frozenset({"knife", "butterknife"})


@attrs.frozen(kw_only=True)
class Receptacle:
    """
    A place that holds things.

    Attributes:
        name: Kind and number, ``cabinet 3``.

        spot: Where one stands to use it; receptacles that share a spot are reached together. 1 or more.

        openable: It has a door.

        opened: The door is open at the start.
    """

    name: str
    spot: int
    openable: bool = False
    opened: bool = False


@attrs.frozen(kw_only=True)
class Thing:
    """
    Something that lies in or on a receptacle.

    Attributes:
        name: Kind and number, ``mug 1``.

        places: The receptacle that it lies in; none for a thing that cannot be reached. Engines that place things by
            camera may name several (a pot across two burners): taking it from one leaves it on the other, as there.

        spot: Where one stands to see it; None for the spot of its first place.

        cold: It starts cold.

        inside: The hollow thing that it lies in; None if it lies in none.
    """

    name: str
    places: tuple[str, ...] = ()
    spot: int | None = None
    cold: bool = False
    inside: str | None = None


@attrs.frozen(kw_only=True)
class Goal:
    """
    What must be so for the task to be solved.

    Attributes:
        type: One of :data:`TASK_TYPES`.

        thing: The kind of thing that it is about.

        place: The kind of receptacle that it must end in; for a task about light the kind of lamp.
    """

    type: str = attrs.field(validator=attrs.validators.in_(TASK_TYPES))
    thing: str
    place: str


@attrs.frozen(kw_only=True)
class Game:
    """
    Everything that one game of the household needs: the ``setting`` of its task.

    Attributes:
        room: Which kind of room it is, for people.

        receptacles: In the order in which the first look lists them.

        things: In the order in which a look lists them.

        catalogue: What the kinds can do.

        goal: What must be reached.

        rules: How the world works in this game; None to leave it to the world.
    """

    room: str
    receptacles: tuple[Receptacle, ...]
    things: tuple[Thing, ...]
    catalogue: Catalogue = attrs.field(repr=False)
    goal: Goal
    rules: Rules | None = None

    def __attrs_post_init__(self) -> None:
        names = {receptacle.name for receptacle in self.receptacles}
        if len(names) != len(self.receptacles) or len({thing.name for thing in self.things}) != len(self.things):
            raise InvalidInputError("Every receptacle and thing of a game must have its own name (got one twice).")
        for thing in self.things:
            for place in thing.places:
                if place not in names:
                    raise InvalidInputError(
                        f"{thing.name!r} must lie in a receptacle of the game (got {place!r}). "
                        f"Name one of {sorted(names)!r}."
                    )
