"""
A small household to live in: rooms from a seed, ALFWorld's words, thousands of steps a second.

It is a small world, not a benchmark. It exists so that an agent with a memory can be watched, tested and broken in
milliseconds, with nothing to download; figures from it say how the parts work together, not how good an agent is. Real
worlds come through the same port, :mod:`memp.evaluation.environment`.
"""

from memp.evaluation.household.oracle import solve
from memp.evaluation.household.rules import SHIFTS, USUAL, Rules, shifted
from memp.evaluation.household.scene import (
    TASK_TYPES,
    Catalogue,
    Game,
    Goal,
    Receptacle,
    Thing,
    ThingKind,
    kind_of,
)
from memp.evaluation.household.tasks import WORDINGS, make_task, make_tasks
from memp.evaluation.household.world import Household

__all__ = [
    "SHIFTS",
    "TASK_TYPES",
    "USUAL",
    "WORDINGS",
    "Catalogue",
    "Game",
    "Goal",
    "Household",
    "Receptacle",
    "Rules",
    "Thing",
    "ThingKind",
    "kind_of",
    "make_task",
    "make_tasks",
    "shifted",
    "solve",
]
