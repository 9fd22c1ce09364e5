"""
How the household works, apart from what stands in it: which appliance does what, and which is out of order.

They are a value and not code, so that a test can move a world under an agent: what was learned in one household is
then wrong in the next, which is the case that a memory must survive. Everything about doors, hands and places stays
the same; an agent that cannot rely on those would measure nothing.
"""

from __future__ import annotations

import random

import attrs


@attrs.frozen(kw_only=True)
class Rules:
    """
    Which kinds of receptacle do what.

    Attributes:
        name: What to call this household in a report.

        cleans: Kinds of receptacle at which things can be cleaned.

        heats: Kinds of receptacle with which things can be heated.

        cools: Kinds of receptacle with which things can be cooled.
    """

    name: str = "usual"
    cleans: frozenset[str] = frozenset({"sinkbasin", "sink"})
    heats: frozenset[str] = frozenset({"microwave"})
    cools: frozenset[str] = frozenset({"fridge"})


USUAL = Rules()
"""The household as ALFWorld has it."""

SHIFTS = (
    Rules(name="stove heats", heats=frozenset({"stoveburner"})),
    Rules(name="toaster heats", heats=frozenset({"toaster"})),
    Rules(name="sink cools", cools=frozenset({"sinkbasin"})),
    Rules(name="counter cools", cools=frozenset({"countertop"})),
    Rules(name="bin cleans", cleans=frozenset({"garbagecan"})),
    Rules(name="stove heats, sink cools", heats=frozenset({"stoveburner"}), cools=frozenset({"sinkbasin"})),
)
"""Households in which some appliance is out of order and another does its work; all six task types stay solvable."""


def shifted(seed: int) -> Rules:
    """Return one of :data:`SHIFTS`, the same for the same *seed*."""
    return random.Random(f"rules-{seed}").choice(SHIFTS)
