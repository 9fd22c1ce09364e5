"""
An agent and a suite as one function, for whoever wants runs and not results: task in, run out.

``Memory.bootstrap`` takes any such function, so that it need know nothing of environments.
"""

from __future__ import annotations

from collections.abc import Callable

from memp.evaluation.agent import NO_PROMPT, Agent, play
from memp.evaluation.agents.named import seeded
from memp.evaluation.environment import Task
from memp.evaluation.suite import Suite
from memp.model import Trajectory


def player(suite: Suite, agent: Agent) -> Callable[[Task, int], Trajectory]:
    """
    Return what lets *agent* do a task of *suite*, without memory.

    Its second argument is the number of the try, and the seed of an agent that takes one.
    """

    def do(task: Task, attempt: int) -> Trajectory:
        return play(suite.make_environment(), task, seeded(agent, attempt), NO_PROMPT, max_steps=suite.max_steps)

    return do
