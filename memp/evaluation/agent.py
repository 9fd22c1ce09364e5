"""
The port to whoever acts, and the loop that lets it act in an environment.

An agent is a function from (task, prompt, observation, admissible actions, history) to an action. Whatever it wants to
remember within an episode it keeps in that function: an :class:`Agent` makes a new one for every episode, so nothing
can leak from one task to the next. A base class with a ``reset`` method was not taken: forgetting to call it, or to
override it, makes results depend on the order of the tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from memp.errors import InvalidInputError
from memp.model import Procedure, Step, Trajectory

if TYPE_CHECKING:
    from memp.evaluation.environment import Environment, Task

STEPS_MAX = 50
"""Actions per episode when nobody says otherwise: the usual limit of the benchmarks; a lost task counts it in full."""


@attrs.frozen(kw_only=True)
class Prompt:
    """
    What memory gives an agent for one task.

    Attributes:
        text: The rendered block, for agents that read; empty if nothing was served.

        procedures: The same procedures as values, best first, for agents that are scripts.
    """

    text: str = ""
    procedures: tuple[Procedure, ...] = ()


TOKENS = "tokens"
"""Key of a step's ``extra`` under which an agent says what the step cost."""

SPENT = "memp_spent"
"""Key under which an agent that is a model says what it asked for the step, as the plain values of a ``Spent``."""

NO_PROMPT = Prompt()
"""Nothing was served: the arm without memory."""


@attrs.frozen(kw_only=True)
class Choice:
    """
    An action with what the agent says of it; an agent with nothing to say returns the action alone.

    Attributes:
        action: What to do.

        thought: What it wrote before acting; None if nothing.

        extra: Whatever else is worth keeping with the step (tokens, a tool call id).
    """

    action: str
    thought: str | None = None
    extra: dict[str, Any] = attrs.field(factory=dict)


Act = Callable[["Task", Prompt, str, tuple[str, ...], tuple[Step, ...]], "str | Choice"]
"""(task, prompt, last observation, admissible commands, steps so far) to the next action."""


class Agent(Protocol):
    """
    Somebody who can be asked to do many tasks.

    Callers may not rely on two episodes knowing of each other: ``start`` gives a fresh function each time.
    """

    @property
    def name(self) -> str:
        """Stands in trajectories and results; results of agents with different names are not compared."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the agent could act differently on the same input."""
        ...

    def start(self) -> Act:
        """Return the function that acts in one episode."""
        ...


@attrs.frozen(kw_only=True)
class FunctionAgent:
    """
    An agent made of one function that remembers nothing by itself; the history it is given is often enough.

    Attributes:
        name: Stands in trajectories and results.

        act: The function.

        version: Changes whenever the function does.
    """

    name: str
    act: Act
    version: str = "1"

    def start(self) -> Act:
        """Return the function itself."""
        return self.act


def play(
    environment: Environment,
    task: Task,
    agent: Agent,
    prompt: Prompt = NO_PROMPT,
    *,
    max_steps: int = STEPS_MAX,
) -> Trajectory:
    """
    Let *agent* do *task* once and return what it lived through.

    Args:
        environment: Where; it is reset first.

        task: What to do.

        agent: Who.

        prompt: What memory serves it; nothing by default.

        max_steps: How many actions it may take; 1 or more.

    Returns:
        The run, won or lost; ``extra["steps"]`` is the number that comparisons use: the actions taken if it was won,
        *max_steps* if not.

    Raises:
        InvalidInputError: *max_steps* is below 1, or *task* is not one of the environment's.
    """
    if max_steps < 1:
        raise InvalidInputError(f"'max_steps' must be 1 or more (got {max_steps!r}).")
    act = agent.start()
    observation = first = environment.reset(task)
    steps: tuple[Step, ...] = ()
    won, reward = False, 0.0
    while len(steps) < max_steps:
        chosen = act(task, prompt, observation, environment.admissible(), steps)
        choice = Choice(action=chosen) if isinstance(chosen, str) else chosen
        answer = environment.step(choice.action)
        observation, won, reward = answer.observation, answer.won, answer.reward
        lived = Step(action=choice.action, observation=observation, thought=choice.thought, extra=choice.extra)
        steps = (*steps, lived)
        if answer.done:
            break
    return Trajectory(
        task=task.text,
        steps=steps,
        reward=reward,
        success=won,
        task_type=task.type,
        env=environment.name,
        source="play",
        agent=agent.name,
        task_id=task.id,
        initial_observation=first,
        extra={"steps": len(steps) if won else max_steps},
    )
