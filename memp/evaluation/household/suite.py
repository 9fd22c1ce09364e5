"""
The household as a suite: new rooms and tasks from a seed, of all six types in turn.

Its games are named apart from those of ``make_tasks``, so no seed can ask an agent for what it has learned from; with
the tasks of ``make_tasks`` themselves, a version would be measured on its own runs without anybody noticing.
"""

from __future__ import annotations

from memp.errors import InvalidInputError
from memp.evaluation.household.rules import SHIFTS, USUAL
from memp.evaluation.household.scene import TASK_TYPES
from memp.evaluation.household.tasks import make_task
from memp.evaluation.household.world import Household
from memp.evaluation.suite import Suite, SuiteMaker, SuiteOption

TASKS = 60
"""Ten of each type, which is what a minute allows; they can show fifteen points or so."""


def household_suite(*, seed: int, n: int | None, rules: str | None = None) -> Suite:
    """
    Return *n* new tasks in the household.

    Args:
        seed: Decides the rooms, the things and the tasks; a longer suite begins with the shorter one.

        n: How many tasks, 1 or more; None makes 60.

        rules: Name of the household's rules, such as ``stove heats``; None keeps the usual ones.

    Raises:
        InvalidInputError: There are no rules of that name.
    """
    known = {one.name: one for one in (USUAL, *SHIFTS)}
    if rules is not None and rules not in known:
        raise InvalidInputError(f"'rules' must be one of {', '.join(map(repr, known))} (got {rules!r}).")
    ruled = None if rules is None else known[rules]
    count = TASKS if n is None else n
    tasks = (
        make_task(TASK_TYPES[number % len(TASK_TYPES)], seed=f"suite/{seed}/{number}", rules=ruled)
        for number in range(count)
    )
    return Suite(
        name="household",
        version=Household.version if rules is None else f"{Household.version}, {rules}",
        tasks=tuple(tasks),
        make_environment=Household,
        toolset="household",
    )


MAKER = SuiteMaker(
    make=household_suite,
    help="A small household with six types of task; rooms and tasks come from the seed.",
    options=(SuiteOption(name="rules", help="Rules of another household, such as 'stove heats'."),),
)
