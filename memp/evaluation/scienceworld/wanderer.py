"""
The wanderer: a script, not a model, that does anything at random; the floor under every other figure.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import attrs

from memp.errors import InvalidInputError

if TYPE_CHECKING:
    from memp.evaluation.agent import Act, Prompt
    from memp.evaluation.environment import Task
    from memp.model import Step


@attrs.frozen(kw_only=True)
class Wanderer:
    """
    The agent that reads neither task nor prompt.

    Attributes:
        seed: With the task's id it decides everything.
    """

    seed: int = 0

    name = "wanderer"
    version = "1"
    deterministic = True
    reads = "nothing"

    def start(self) -> Act:
        """Return the function that wanders for one episode."""
        dice: list[random.Random] = []

        def act(
            task: Task, _prompt: Prompt, _observation: str, admissible: tuple[str, ...], _history: tuple[Step, ...]
        ) -> str:
            if not admissible:
                raise InvalidInputError("The wanderer chooses among commands: the world must list them (it does not).")
            if not dice:
                dice.append(random.Random(f"{self.seed}/{task.id}"))
            return dice[0].choice(admissible)

        return act
