"""
What a run did, without what changed nothing: its actions as typed calls.

An action that the toolset does not know stays as words, because leaving it out could leave out what mattered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from memp.model import Trajectory
from memp.script.lift import lift
from memp.script.nodes import Call
from memp.script.toolset import Toolset

LIFT_SHARE_MIN = 0.8
"""Share of a run's actions that a toolset must know to be chosen for it unasked. The toolset of another world shares
everyday verbs ("open", "take") with a run and knows up to three quarters of it; its own knows nearly all, noise
included."""

Lifter = Callable[[str, Toolset], Call | None]
"""Gives the typed call of an action; see ``memp.script.lift``."""


@attrs.frozen(kw_only=True)
class Deed:
    """
    A step that may have changed something.

    Attributes:
        text: The action as the environment took it.

        call: The same as a typed call; None if the toolset does not know it.

        observation: What the environment answered.
    """

    text: str
    call: Call | None
    observation: str


def effective_deeds(run: Trajectory, toolset: Toolset, *, lifter: Lifter = lift) -> tuple[Deed, ...]:
    """Return the steps of *run* without those that only looked and those of which the answer says that nothing came."""
    deeds = []
    for step in run.steps:
        if not step.action.strip():
            continue
        call = lifter(step.action, toolset)
        if toolset.had_effect("" if call is None else call.name, step.observation):
            deeds.append(Deed(text=step.action, call=call, observation=step.observation))
    return tuple(deeds)


def lifted_share(run: Trajectory, toolset: Toolset, *, lifter: Lifter = lift) -> float:
    """Return the share of the actions of *run* that *toolset* knows, 0 to 1; 0 if there are none."""
    actions = run.actions
    return sum(lifter(action, toolset) is not None for action in actions) / len(actions) if actions else 0.0


def choose_toolset(run: Trajectory, toolsets: Sequence[Toolset], *, lifter: Lifter = lift) -> Toolset | None:
    """
    Return the toolset that knows most actions of *run*; None if none knows ``LIFT_SHARE_MIN`` of them.

    A function of the run alone, so that learning runs together or one by one gives the same; ties go by name.
    """
    shares = [(-lifted_share(run, toolset, lifter=lifter), toolset.name, toolset.digest) for toolset in toolsets]
    if not shares or -min(shares)[0] < LIFT_SHARE_MIN:
        return None
    digest = min(shares)[2]
    return next(toolset for toolset in toolsets if toolset.digest == digest)
