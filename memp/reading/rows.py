"""
Rows: a run as one flat object with its steps, the plainest form that a run can have.

::

    {"task": "…", "reward": 1.0, "steps": [{"thought": "…", "action": "…", "observation": "…"}], …}

Only ``task`` and ``steps`` must be there. Fields that memp has a place for are checked; all others are kept as they
came, in ``Trajectory.extra`` and ``Step.extra``: a source's own verdicts and lessons are worth something later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memp.model import Step, Trajectory

if TYPE_CHECKING:
    from memp.reading.fields import Fields

STEP_FIELDS = frozenset({"action", "observation", "thought"})

RUN_FIELDS = frozenset(
    {"task", "steps", "reward", "success", "task_type", "env", "source", "agent", "task_id", "initial_observation"}
)


def read(row: Fields) -> Trajectory:
    """
    Return the run that *row* holds.

    An empty action is kept: an agent that stopped while thinking leaves one behind. So is a run without steps.

    Raises:
        TrajectoryFormatError: A field is missing or of the wrong kind.
    """
    return Trajectory(
        task=row.filled_text("task"),
        steps=tuple(_read_step(step) for step in row.objects("steps", of="steps")),
        reward=row.optional_number("reward"),
        success=row.optional_flag("success"),
        task_type=row.optional_text("task_type"),
        env=row.optional_text("env"),
        source=row.optional_text("source"),
        agent=row.optional_text("agent"),
        task_id=row.optional_label("task_id"),
        initial_observation=row.optional_text("initial_observation") or "",
        extra=row.rest(RUN_FIELDS),
    )


def _read_step(step: Fields) -> Step:
    return Step(
        action=step.text("action"),
        observation=step.optional_text("observation") or "",
        thought=step.optional_text("thought"),
        extra=step.rest(STEP_FIELDS),
    )
