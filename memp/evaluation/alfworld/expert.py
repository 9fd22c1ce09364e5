"""
The package's own expert as an agent: hand-written rules for each of the six tasks, searching as anybody must.

It reads the engine's state beside the observations and knows what every appliance is for, so it is no agent to compare
a memory with; it is who one learns from. Where it is at a loss it draws lots; the lots are its own, so a task is
played the same way each time.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from memp.errors import InvalidInputError
from memp.evaluation.alfworld.package import load_package, package_version
from memp.evaluation.alfworld.world import Alfworld

if TYPE_CHECKING:
    from memp.evaluation.agent import Act, Prompt
    from memp.evaluation.environment import Environment, Task
    from memp.model import Step

STEPS_MAX = 200
"""Steps after which the expert gives up by itself; what the package gives it."""

IDLE = "look"
"""What it does while it takes the first look, and when it has no idea."""


class PackageExpert:
    """
    The expert in one world.

    Args:
        world: The world in which it will be asked to act; it reads the state there.

        seed: Decides its lots, together with the task's id.

    Raises:
        InvalidInputError: *world* is another world, or the package is not installed.
    """

    name = "expert"

    def __init__(self, world: Environment, *, seed: int = 0) -> None:
        if not isinstance(world, Alfworld):
            raise InvalidInputError(f"The package's expert plays ALFWorld only (got {world!r}).")
        world.tell_facts()
        self._world = world
        self._seed = seed

    @property
    def version(self) -> str:
        """The versions of the packages."""
        return package_version()

    def start(self) -> Act:
        """Return the function that acts in one episode."""
        playing: list[_Episode] = []

        def act(
            task: Task, _prompt: Prompt, _observation: str, _admissible: tuple[str, ...], history: tuple[Step, ...]
        ) -> str:
            if not playing:
                playing.append(_Episode(self._world, seed=f"{self._seed}/{task.id}"))
            return playing[0].choose(history[-1].action if history else "")

        return act


class _Episode:
    """One episode: the package's agent, and the state of the lots that it draws."""

    def __init__(self, world: Alfworld, *, seed: str) -> None:
        experts = load_package().expert
        self._world = world
        self._gave_up: type[Exception] = experts.HandCodedAgentTimeout
        self._agent: Any = experts.HandCodedTWAgent(max_steps=STEPS_MAX)
        # The agent would read these from a file beside the game; what it reads is what the game knows.
        params = {name: value if name == "task_type" else value.lower() for name, value in world.game.params}
        self._agent.task_params = params
        self._agent.policy = self._agent.get_task_policy(params)(params, max_steps=STEPS_MAX)
        self._lots = random.Random(seed).getstate()

    def choose(self, last: str) -> str:
        state = self._world.state
        if not last:
            self._agent.observe(state["feedback"])
            return IDLE
        others = random.getstate()
        random.setstate(self._lots)
        try:
            command: str = self._agent.act(state, 0, state["won"], last)
        except self._gave_up:
            return IDLE
        finally:
            self._lots = random.getstate()
            random.setstate(others)
        return command if command in state["admissible_commands"] else IDLE
