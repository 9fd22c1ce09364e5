"""
Which runs change the memory, and how.

A policy is a small pure function with a name; what it decides is carried out, and recorded, elsewhere: ``outcome`` does
so for episodes. ``posterior`` and ``credit`` say what outcomes are worth, ``trial`` judges candidates, ``reflection``
and ``erasure`` are the policies of those names, ``registry`` is where a policy is found.
"""

from memp.update.intake import INTAKE_POLICIES, IntakePolicy, intake_policy

__all__ = ["INTAKE_POLICIES", "IntakePolicy", "intake_policy"]
