"""A process that measures slowly, to be killed; started by the test beside it."""

from __future__ import annotations

import sys
import time

import attrs

import memp
from memp.evaluation.agent import Act, Prompt
from memp.evaluation.environment import Task
from memp.evaluation.household import Household
from memp.evaluation.suite import Suite
from memp.model import Step


@attrs.frozen(kw_only=True)
class Sleeper:
    """An agent that takes its time and looks around once."""

    seed: int = 0

    name = "sleeper"
    version = "1"
    deterministic = True
    reads = "nothing"

    def start(self) -> Act:
        """Return what acts."""
        return _look


def _look(
    _task: Task, _prompt: Prompt, _observation: str, _admissible: tuple[str, ...], _history: tuple[Step, ...]
) -> str:
    time.sleep(0.02)
    return "look"


def measured_suite() -> Suite:
    """Return what is done: forty tasks of one step each."""
    return attrs.evolve(memp.suite("household", n=40), max_steps=1, make_environment=Household)


def main() -> None:
    """Measure, with the journal and the number of workers that the command line names."""
    with memp.open(":memory:") as memory:
        memp.evaluate(memory, measured_suite(), Sleeper(), workers=int(sys.argv[2]), journal=sys.argv[1])


if __name__ == "__main__":
    main()
