"""
The household's expert as an agent: it sees the whole game and carries out its solver's plan.

It is no agent to compare a memory with; its runs are what one learns from where runs without a detour are wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from memp.evaluation.household.oracle import solve
from memp.evaluation.household.scene import Game

if TYPE_CHECKING:
    from memp.evaluation.agent import Act, Prompt
    from memp.evaluation.environment import Environment, Task
    from memp.model import Step


@attrs.frozen
class HouseholdExpert:
    """
    Carries out the solver's plan for every task.

    Attributes:
        world: The world in which it acts; the plan needs only the task.

        seed: Changes nothing: there is one plan for a game.
    """

    world: Environment
    seed: int = 0

    name = "expert"
    version = "1"
    deterministic = True
    reads = "nothing"

    def start(self) -> Act:
        """Return the function that acts in one episode."""
        return _act


def _act(task: Task, _prompt: Prompt, _seen: str, _admissible: tuple[str, ...], history: tuple[Step, ...]) -> str:
    assert isinstance(task.setting, Game)
    return solve(task.setting)[len(history)]
