"""
Every sentence that the household says, and nothing else.

They are ALFWorld's, to the letter, in its newer dialect ("You arrive at fridge 1."), because an agent and a toolset
that work here must work there; sentences of our own would make the household an island. The world decides what is so,
this room only puts it into words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = """
Available commands:
  look:                             look around your current location
  inventory:                        check your current inventory
  go to (receptacle):               move to a receptacle
  open (receptacle):                open a receptacle
  close (receptacle):               close a receptacle
  take (object) from (receptacle):  take an object from a receptacle
  move (object) to (receptacle):  place an object in or on a receptacle
  examine (something):              examine a receptacle or an object
  use (object):                     use an object
  heat (object) with (receptacle):  heat an object using a receptacle
  clean (object) with (receptacle): clean an object using a receptacle
  cool (object) with (receptacle):  cool an object using a receptacle
  slice (object) with (object):     slice an object using a sharp object
""".strip()
"""What ``help`` answers."""


def listed(names: Sequence[str], *, article: str = "a ") -> str:
    """Return *names* as one enumeration, each with *article*; ``nothing`` if there are none."""
    if not names:
        return "nothing"
    words = [article + name for name in names]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + ", and " + words[-1]


def middle(receptacles: Sequence[str]) -> str:
    """Return what is seen from the middle of the room."""
    return f"You are in the middle of a room. Looking quickly around you, you see {listed(receptacles)}."


def intro(receptacles: Sequence[str], task: str) -> str:
    """Return the first observation: the room and the task."""
    return f"{middle(receptacles)}\n\nYour task is to: {task}."


def facing(receptacles: Sequence[str], beside: Sequence[str]) -> str:
    """Return what a look says at a spot: which receptacles one faces and what lies beside them."""
    return f"You are facing the {listed(receptacles, article='')}. Next to it, you see {listed(beside)}."


def contents(receptacle: str, things: Sequence[str], *, openable: bool, opened: bool) -> str:
    """Return how a receptacle is described: closed, or with what it holds."""
    if not openable:
        return f"On the {receptacle}, you see {listed(things)}."
    if not opened:
        return f"The {receptacle} is closed."
    return f"The {receptacle} is open. In it, you see {listed(things)}."


def carrying(thing: str | None) -> str:
    """Return what the hands hold."""
    return "You are not carrying anything." if thing is None else f"You are carrying: a {thing}."


def hollow(thing: str, inside: Sequence[str]) -> str:
    """Return how a thing that others fit into is described, whatever else is true of it."""
    return f"This is a normal {thing}. In it, you see {listed(inside)}."


def described(thing: str, *, clean: bool, hot: bool, cold: bool, sliced: bool) -> str:
    """Return how a thing is described after what was done to it; heat is named before cold."""
    temperature = "hot" if hot else "cool" if cold else ""
    if clean and temperature:
        state = f"{temperature} and clean"
    elif clean:
        state = "clean"
    else:
        state = temperature if sliced or temperature != "cool" else "cold"
    words = [word for word in (state, "sliced" if sliced else "") if word]
    return f"This is a {' '.join(words)} {thing}." if words else f"There's nothing special about {thing}."
