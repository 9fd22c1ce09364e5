"""
Agents by name, as suites have names: for the command line, for a gate that is on record, and for a user's own.

An agent may say three things of itself beside its name and version; what it does not say is taken to be the careful
answer. ``deterministic = True``: the same task, seed and prompt make it act the same, so it need not be asked twice.
``reads``: ``"nothing"``, ``"procedures"`` (as values, which saves writing a text that nobody reads) or ``"both"``.
A field ``seed``: a copy with each seed of the evaluation does the tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs

from memp.errors import ConflictError, InvalidInputError

if TYPE_CHECKING:
    from memp.evaluation.agent import Agent
    from memp.memory import Memory
    from memp.script.toolset import Toolset

Reads = Literal["nothing", "procedures", "both"]
"""What an agent looks at of a prompt."""

MakeAgent = Callable[["Memory | None"], "Agent"]
"""Makes an agent for a memory, which it may ask for toolsets and the model; None where there is none at hand."""

SHIPPED = {
    "explorer": "memp.evaluation.agents.explorer:Explorer",
    "follower": "memp.evaluation.agents.follower:Follower",
    "model": "memp.evaluation.agents.model:ModelAgent",
    "planner": "memp.evaluation.travelplanner.planner:Planner",
    "science-replayer": "memp.evaluation.scienceworld.replayer:Replayer",
    "wanderer": "memp.evaluation.scienceworld.wanderer:Wanderer",
}
"""Where the agents that ship are found; ``Explorer`` is loaded when it is asked for, and so are the others."""

_added: dict[str, MakeAgent] = {}


def register_agent(name: str, make: MakeAgent) -> None:
    """
    Give an agent a name, for this process, by which ``evaluate`` and gates find it.

    Args:
        name: The name.

        make: Makes it; called with the memory that is measured, or None.

    Raises:
        ConflictError: An agent that ships, or another one, has the name.
    """
    if name in SHIPPED or _added.get(name, make) is not make:
        raise ConflictError(f"There is an agent {name!r} already. Choose another name.")
    if not name.strip():
        raise InvalidInputError(f"An agent must have a name (got {name!r}).")
    _added[name] = make


def agent_names() -> tuple[str, ...]:
    """Return the names of all agents, sorted."""
    return tuple(sorted({**SHIPPED, **_added}))


def agent_named(name: str, memory: Memory | None = None) -> Agent:
    """
    Return the agent called *name*.

    Args:
        name: ``explorer``, ``follower``, ``model``, or one that was registered.

        memory: What is measured: the follower reads the toolsets of its procedures, the model agent asks its model.

    Raises:
        InvalidInputError: There is none, or it is the model agent and the memory was opened without a model.
    """
    if name in _added:
        return _added[name](memory)
    if name not in SHIPPED:
        raise InvalidInputError(
            f"'agent' must be one of {', '.join(agent_names())}, or an agent (got {name!r}). "
            "memp.register_agent adds one."
        )
    module, _, attribute = SHIPPED[name].partition(":")
    made = getattr(import_module(module), attribute)
    if name == "follower":
        return cast("Agent", made(toolsets=toolsets_of(memory)))
    if name == "model":
        return cast("Agent", made.of(memory))
    return cast("Agent", made())


def toolsets_of(memory: Memory | None) -> tuple[Toolset, ...]:
    """Return the toolsets that the scripts of *memory* speak, by name; those of erased procedures too."""
    if memory is None:
        return ()
    spoken: dict[str | None, Toolset | None] = {}
    for procedure in memory.procedures(everything=True):
        if procedure.toolset not in spoken:
            spoken[procedure.toolset] = memory.toolset_of(procedure)
    found = {toolset.digest: toolset for toolset in spoken.values() if toolset is not None}
    return tuple(sorted(found.values(), key=lambda toolset: toolset.name))


def is_deterministic(agent: Agent) -> bool:
    """Return whether *agent* says that the same task, seed and prompt make it act the same."""
    return bool(getattr(agent, "deterministic", False))


def reads(agent: Agent) -> Reads:
    """Return what *agent* looks at of a prompt."""
    return cast("Reads", getattr(agent, "reads", "both"))


def seeded(agent: Agent, seed: int) -> Agent:
    """Return *agent* with that seed, if it has a field ``seed``; itself otherwise."""
    made: Any = agent
    if attrs.has(type(agent)) and any(field.name == "seed" for field in attrs.fields(type(made))):
        made = attrs.evolve(made, seed=seed)
    return cast("Agent", made)
