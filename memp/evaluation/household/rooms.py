"""
What rooms there are and what can be found in them: the tables from which a game is furnished.

The kinds and what they can do are ALFWorld's, so that a procedure means the same in both; how many of each there are
and where they lie is this world's own, made small. Scans of real rooms were not taken: they are large, licensed apart,
and there are only a few dozen of them, while a seed gives as many rooms as a test wants.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import attrs

from memp.evaluation.household.scene import Catalogue, Receptacle, Thing, ThingKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FOOD = ThingKind(cleaned=True, heated=True, cooled=True, sliced=True)
_DISH = ThingKind(cleaned=True, heated=True, cooled=True, hollow=True)
_COLD_DISH = ThingKind(cleaned=True, cooled=True, hollow=True)
_WASHED = ThingKind(cleaned=True)
_PLAIN = ThingKind()

KINDS: Mapping[str, ThingKind] = {
    "alarmclock": _PLAIN,
    "apple": _FOOD,
    "book": _PLAIN,
    "bowl": _COLD_DISH,
    "bread": ThingKind(heated=True, cooled=True, sliced=True),
    "butterknife": _WASHED,
    "candle": _PLAIN,
    "cd": _PLAIN,
    "cellphone": _PLAIN,
    "cloth": _WASHED,
    "creditcard": _PLAIN,
    "cup": _DISH,
    "desklamp": ThingKind(carried=False, lamp=True),
    "dishsponge": _WASHED,
    "egg": _FOOD,
    "fork": _WASHED,
    "handtowel": _PLAIN,
    "houseplant": ThingKind(carried=False),
    "kettle": _WASHED,
    "keychain": _PLAIN,
    "knife": _WASHED,
    "laptop": _PLAIN,
    "lettuce": ThingKind(cleaned=True, cooled=True, sliced=True),
    "mug": _DISH,
    "newspaper": _PLAIN,
    "pan": _COLD_DISH,
    "pen": _PLAIN,
    "pencil": _PLAIN,
    "peppershaker": _PLAIN,
    "pillow": _PLAIN,
    "plate": _DISH,
    "pot": _COLD_DISH,
    "potato": _FOOD,
    "remotecontrol": _PLAIN,
    "saltshaker": _PLAIN,
    "soapbar": _WASHED,
    "soapbottle": _PLAIN,
    "spatula": _WASHED,
    "spoon": _WASHED,
    "spraybottle": _PLAIN,
    "television": ThingKind(carried=False),
    "tissuebox": _PLAIN,
    "toiletpaper": _PLAIN,
    "tomato": _FOOD,
    "vase": _PLAIN,
    "watch": _PLAIN,
    "winebottle": ThingKind(cooled=True),
}
"""What each kind of thing can do."""

_HOLDS = {
    "armchair": "book cellphone creditcard keychain laptop newspaper pillow remotecontrol",
    "bathtubbasin": "cloth dishsponge handtowel soapbar",
    "bed": "book cellphone laptop pillow",
    "cabinet": "bowl candle cloth cup dishsponge handtowel kettle mug pan peppershaker plate pot saltshaker soapbar "
    "soapbottle spraybottle toiletpaper vase winebottle",
    "coffeemachine": "mug",
    "coffeetable": "book candle cellphone creditcard houseplant keychain laptop newspaper pen pencil plate "
    "remotecontrol tissuebox vase watch",
    "countertop": "apple bowl bread butterknife candle cloth cup dishsponge egg fork handtowel houseplant kettle knife "
    "lettuce mug pan peppershaker plate pot potato saltshaker soapbar soapbottle spatula spoon "
    "spraybottle tissuebox toiletpaper tomato vase winebottle",
    "desk": "alarmclock book bowl cd cellphone creditcard desklamp keychain laptop mug pen pencil tissuebox vase watch",
    "diningtable": "apple bowl bread butterknife candle cup dishsponge egg fork houseplant kettle knife laptop lettuce "
    "mug newspaper pan peppershaker plate pot potato remotecontrol saltshaker soapbottle spatula spoon "
    "tissuebox tomato vase watch winebottle",
    "drawer": "book butterknife candle cd cellphone cloth creditcard dishsponge fork keychain knife newspaper pen "
    "pencil peppershaker remotecontrol saltshaker soapbar spatula spoon spraybottle tissuebox toiletpaper "
    "watch",
    "dresser": "alarmclock book bowl cd cellphone creditcard desklamp keychain laptop mug newspaper pen pencil "
    "remotecontrol television tissuebox vase watch",
    "fridge": "apple bowl bread cup egg lettuce mug pan plate pot potato tomato winebottle",
    "garbagecan": "apple bread cd cloth dishsponge egg lettuce newspaper pen pencil potato soapbar soapbottle "
    "spraybottle tissuebox toiletpaper tomato winebottle",
    "handtowelholder": "handtowel",
    "laundryhamper": "cloth",
    "microwave": "apple bread cup egg mug plate potato tomato",
    "safe": "cd cellphone creditcard keychain vase",
    "shelf": "alarmclock book bowl candle cd cellphone creditcard cup desklamp houseplant keychain mug newspaper "
    "pen pencil peppershaker plate remotecontrol saltshaker soapbar soapbottle spraybottle tissuebox "
    "toiletpaper vase watch",
    "sidetable": "alarmclock book bowl candle cd cellphone creditcard desklamp houseplant keychain laptop mug "
    "newspaper pen pencil remotecontrol soapbottle tissuebox vase watch",
    "sinkbasin": "apple bowl butterknife cloth cup dishsponge egg fork kettle knife lettuce mug pan plate pot potato "
    "soapbar spatula spoon tomato",
    "sofa": "book cellphone creditcard keychain laptop newspaper pillow remotecontrol",
    "stoveburner": "kettle pan pot",
    "toaster": "",
    "toilet": "candle cloth soapbar soapbottle spraybottle tissuebox toiletpaper",
    "toiletpaperhanger": "toiletpaper",
    "towelholder": "",
    "tvstand": "television tissuebox",
}

CATALOGUE = Catalogue(things=KINDS, holds={kind: frozenset(things.split()) for kind, things in _HOLDS.items()})
"""The kinds of every generated game."""

_DOORS = frozenset({"cabinet", "drawer", "fridge", "microwave", "safe"})
"""Receptacles that are closed at the start."""

_ROWS = frozenset({"cabinet", "drawer", "shelf", "stoveburner"})
"""Receptacles that stand in rows, so that two neighbours may share a spot."""

_SHARED_SPOT = 0.25
"""How often a receptacle of a row is used from the spot of its neighbour; about as often as in ALFWorld's rooms."""


@attrs.frozen(kw_only=True)
class Room:
    """
    A kind of room.

    Attributes:
        receptacles: Kind to (fewest, most).

        things: Kind to (fewest, most).
    """

    receptacles: Mapping[str, tuple[int, int]]
    things: Mapping[str, tuple[int, int]]


def _some(kinds: str, fewest: int, most: int) -> dict[str, tuple[int, int]]:
    return dict.fromkeys(kinds.split(), (fewest, most))


ROOMS: Mapping[str, Room] = {
    "kitchen": Room(
        receptacles={
            **_some("coffeemachine fridge garbagecan microwave sinkbasin toaster", 1, 1),
            **_some("countertop", 1, 3),
            **_some("cabinet", 4, 9),
            **_some("drawer", 3, 6),
            **_some("stoveburner", 2, 4),
            **_some("diningtable", 0, 1),
            **_some("shelf", 0, 2),
        },
        things={
            **_some("apple bread egg lettuce potato tomato bowl cup mug plate fork spoon", 0, 3),
            **_some("butterknife knife dishsponge pan pot peppershaker saltshaker soapbottle spatula winebottle", 0, 2),
            **_some("kettle vase houseplant", 0, 1),
        },
    ),
    "bedroom": Room(
        receptacles={
            **_some("bed garbagecan", 1, 1),
            **_some("desk sidetable", 1, 2),
            **_some("drawer", 3, 8),
            **_some("shelf", 0, 6),
            **_some("armchair dresser laundryhamper safe", 0, 1),
        },
        things={
            **_some("alarmclock book cd cellphone creditcard keychain pen pencil", 0, 3),
            **_some("bowl laptop mug pillow vase cloth", 0, 2),
            **_some("desklamp", 1, 1),
            **_some("tissuebox houseplant", 0, 1),
        },
    ),
    "bathroom": Room(
        receptacles={
            **_some("garbagecan toilet toiletpaperhanger towelholder", 1, 1),
            **_some("sinkbasin handtowelholder", 1, 2),
            **_some("cabinet", 2, 6),
            **_some("bathtubbasin countertop", 0, 1),
            **_some("drawer", 0, 4),
            **_some("shelf", 0, 3),
        },
        things={
            **_some("candle cloth soapbar soapbottle spraybottle toiletpaper", 0, 3),
            **_some("dishsponge handtowel tissuebox", 0, 2),
        },
    ),
    "living room": Room(
        receptacles={
            **_some("coffeetable garbagecan", 1, 1),
            **_some("armchair sofa", 1, 2),
            **_some("sidetable", 1, 3),
            **_some("drawer", 0, 6),
            **_some("shelf", 0, 4),
            **_some("diningtable dresser tvstand", 0, 1),
        },
        things={
            **_some("book creditcard keychain newspaper pillow remotecontrol", 0, 3),
            **_some("cellphone laptop pen pencil vase watch tissuebox", 0, 2),
            **_some("desklamp", 1, 1),
            **_some("television houseplant", 0, 1),
        },
    ),
}
"""The kinds of room, by name."""


def furnish(room: Room, random_: random.Random) -> tuple[Receptacle, ...]:
    """Return the receptacles of one *room*, in the order in which a look lists them: by kind, highest number first."""
    receptacles: list[Receptacle] = []
    spot = 0
    for kind, (fewest, most) in sorted(room.receptacles.items()):
        count = random_.randint(fewest, most)
        for number in range(count, 0, -1):
            if number == count or kind not in _ROWS or random_.random() >= _SHARED_SPOT:
                spot += 1
            receptacles.append(Receptacle(name=f"{kind} {number}", spot=spot, openable=kind in _DOORS))
    return tuple(receptacles)


def scatter(
    counts: Mapping[str, int], receptacles: Sequence[str], random_: random.Random, *, bare: str
) -> tuple[Thing, ...]:
    """
    Return things, each in one of the *receptacles* that take in its kind, in the order in which a look lists them.

    Args:
        counts: Kind of thing to how many there shall be; a kind that fits nowhere is left out.

        receptacles: Names.

        random_: Where chance comes from.

        bare: ``thing/receptacle``, two kinds: no such thing is put into such a receptacle.
    """
    things: list[Thing] = []
    for kind, count in sorted(counts.items()):
        places = [
            name
            for name in receptacles
            if kind in CATALOGUE.holds[name.rpartition(" ")[0]] and f"{kind}/{name.rpartition(' ')[0]}" != bare
        ]
        if places:
            things += [Thing(name=f"{kind} {n}", places=(random_.choice(places),)) for n in range(count, 0, -1)]
    return tuple(things)
