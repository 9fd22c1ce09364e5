"""
How the scripted agents read a command: its verb and the things that it names.

They know the grammar of commands as anybody does who can read them, and nothing of what a command is good for. Reading
is by form, ``word number`` being a thing, so that both of ALFWorld's dialects ("move X to Y", "put X in/on Y") and
worlds with other verbs are read alike; a toolset makes it exact where there is one.
"""

from __future__ import annotations

import re
from functools import lru_cache

import attrs

_THING = re.compile(r"\b([a-z]+) (\d+)\b")
_WORD = re.compile(r"[a-z]+")

GO = frozenset({"go to"})
"""Verbs that walk."""

OPEN = frozenset({"open"})
"""Verbs that may show what was hidden."""

TAKE = frozenset({"take"})
"""Verbs that fill the hands."""

PUT = frozenset({"move", "put"})
"""Verbs that empty them."""

IDLE = frozenset({"look", "inventory", "help", "examine", "close"})
"""Verbs that change nothing worth changing."""

FUNCTION_WORDS = frozenset(
    "a an the some any it them they one two in on at to of and with under from into onto put find look place".split()
)
"""Words of a task that name no thing and no deed that could be recognised in a command."""


@attrs.frozen
class Command:
    """
    A command as read.

    Attributes:
        text: As the world lists it.

        verb: What stands before the first thing; the whole text if it names none.

        things: The things that it names, in order, such as ``mug 1``.
    """

    text: str
    verb: str
    things: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the things, in order."""
        return tuple(kind(thing) for thing in self.things)


@lru_cache(maxsize=1 << 16)
def read(text: str) -> Command:
    """Return *text* as a command; reading is by form alone and never fails."""
    lowered = text.lower()
    found = list(_THING.finditer(lowered))
    verb = lowered[: found[0].start()].strip() if found else lowered.strip()
    return Command(text, verb, tuple(f"{match[1]} {match[2]}" for match in found))


def things_in(observation: str) -> tuple[str, ...]:
    """Return every thing that an observation names, in order, each once."""
    return tuple(dict.fromkeys(f"{match[1]} {match[2]}" for match in _THING.finditer(observation.lower())))


def kind(name: str) -> str:
    """Return the kind of a thing: ``mug`` for ``mug 1``, and ``mug`` for ``mug``."""
    first, _, last = name.rpartition(" ")
    return first if first and last.isdigit() else name


def words_of(task: str) -> tuple[str, ...]:
    """Return the words of a task that may name something, in order, each once."""
    return tuple(word for word in dict.fromkeys(_WORD.findall(task.lower())) if word not in FUNCTION_WORDS)
