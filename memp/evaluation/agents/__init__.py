"""
Agents that are scripts, so that an evaluation needs no model, no key and no luck.

They are documented as scripts, not models: what they show is what a memory is worth to *them*. They choose among the
commands that a world says can be carried out, and know the words of the task; the follower knows besides what it was
served.
"""

from memp.evaluation.agents.explorer import Explorer
from memp.evaluation.agents.follower import Follower

__all__ = ["Explorer", "Follower"]
