"""
ScienceWorld: thirty kinds of task in a school laboratory, played in words, with a graded score.

The world is an extra (``pip install 'memp[scienceworld]'``) and needs Java. Its agents here are scripts: one that does
again what a stored run did, and one that does anything at all.
"""

from memp.evaluation.scienceworld.replayer import Replayer, exchange, swap_words
from memp.evaluation.scienceworld.suite import read_tasks
from memp.evaluation.scienceworld.wanderer import Wanderer
from memp.evaluation.scienceworld.world import ScienceGame, ScienceWorld

__all__ = ["Replayer", "ScienceGame", "ScienceWorld", "Wanderer", "exchange", "read_tasks", "swap_words"]
