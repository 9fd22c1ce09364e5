"""
Which recorded runs procedures are built from.

Failures are always recorded as trajectories, whatever the policy: they are evidence, and a later policy may learn from
them. Source of the two rules: Memp (arXiv 2508.06433), Update, "vanilla" and "validation".
"""

from __future__ import annotations

from collections.abc import Callable

from memp.errors import InvalidInputError
from memp.model import Trajectory

IntakePolicy = Callable[[Trajectory], bool]
"""Whether a procedure is built from the run."""


def vanilla(_: Trajectory) -> bool:
    """Build from every run."""
    return True


def validation(run: Trajectory) -> bool:
    """Build from the runs that solved their task."""
    return run.success is True


INTAKE_POLICIES: dict[str, IntakePolicy] = {"vanilla": vanilla, "validation": validation}
"""The policies that ship, by the name that ``learn(policy=…)`` takes."""


def intake_policy(name: str) -> IntakePolicy:
    """
    Return the policy called *name*.

    Raises:
        InvalidInputError: There is no such policy.
    """
    if name not in INTAKE_POLICIES:
        raise InvalidInputError(f"'policy' must be one of {', '.join(sorted(INTAKE_POLICIES))} (got {name!r}).")
    return INTAKE_POLICIES[name]
