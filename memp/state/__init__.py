"""
The procedures as they stood at any position of any branch.

Each procedure has a timeline on each branch: what it became, and at which position. Looking at an old version is then a
search in a sorted list, and nothing is folded again; folding up to a position for every question about the past would
make ``bisect`` and ``diff`` quadratic. A fork starts with empty timelines and looks further back in its parent's.
An undo appends to the timelines of the procedures that it touches what they become without the undone events.

``History`` alone mutates, and only by the next record; a ``State`` reads one version of it.
"""

from memp.state.branch import WHAT_IF, Branch, Placed
from memp.state.history import Applied, History, replay
from memp.state.timeline import Timeline
from memp.state.version import State, also, without

__all__ = ["WHAT_IF", "Applied", "Branch", "History", "Placed", "State", "Timeline", "also", "replay", "without"]
