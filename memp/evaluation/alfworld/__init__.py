"""
ALFWorld's own engine behind the environment port (extra ``memp[alfworld]``).

Official games, packed games, and rooms from a seed; both dialects; as fast as the engine can be without changing a
letter of what it says. It speaks like :mod:`memp.evaluation.household`, so agents, toolsets and procedures pass between
the two.
"""

from memp.evaluation.alfworld.games import AlfworldGame, read_games
from memp.evaluation.alfworld.rooms import as_room, make_rooms
from memp.evaluation.alfworld.world import Alfworld, MakeAlfworld

__all__ = ["Alfworld", "AlfworldGame", "MakeAlfworld", "as_room", "make_rooms", "read_games"]
