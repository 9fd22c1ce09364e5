"""
Which runs change the memory, and how.

A policy is a small pure function with a name; what it decides is carried out, and recorded, elsewhere.
"""

from memp.update.intake import INTAKE_POLICIES, IntakePolicy, intake_policy

__all__ = ["INTAKE_POLICIES", "IntakePolicy", "intake_policy"]
