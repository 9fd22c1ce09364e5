"""
The port to a world in which an agent acts: a task goes in, observations come out.

It exists so that the small household, real benchmarks and a team's own simulator look the same to an agent and to an
evaluation. The interface of ``gym`` was not taken: its spaces, seeds and truncation flags mean nothing for a world that
speaks in sentences, and it would bring numpy into the smallest example.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import attrs

from memp.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING_HAPPENS = "Nothing happens."
"""What a world of this family answers to a command that cannot be carried out."""


@attrs.frozen(kw_only=True)
class Task:
    """
    One thing to do in one setting.

    Attributes:
        id: Unique in its suite and the same in every process; results of two arms are paired by it.

        text: What the agent is asked to do, in words; never empty.

        type: The name of the kind of task, for reports only; an agent must not look at it. None if there are no kinds.

        setting: What the environment needs to set the scene; opaque to everybody else. Frozen, so that a task can be
            played again.
    """

    id: str = attrs.field(validator=attrs.validators.min_len(1))
    text: str = attrs.field(validator=attrs.validators.min_len(1))
    type: str | None = None
    setting: object = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Answer:
    """
    What the world says to one action.

    Attributes:
        observation: The sentence that the agent reads.

        won: Whether the task is solved now.

        done: Whether the episode is over; true as soon as it is won.

        reward: The score so far, any finite number; worlds that only know won and lost say 1.0 and 0.0.
    """

    observation: str
    won: bool = False
    done: bool = False
    reward: float = 0.0


@runtime_checkable
class Environment(Protocol):
    """
    A world that is set by a task and moved by actions, one episode at a time.

    Callers may not rely on two episodes sharing anything, on ``admissible`` listing all that would do something (it is
    empty where a world cannot say), or on a step after ``done``.
    """

    @property
    def name(self) -> str:
        """What the world is called in trajectories and reports."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same actions could be answered differently; results of two versions are not compared."""
        ...

    def reset(self, task: Task) -> str:
        """
        Set the scene of *task* and return the first observation, the task's words included.

        Raises:
            InvalidInputError: *task* is not one of this world's.
        """
        ...

    def step(self, action: str) -> Answer:
        """
        Carry out *action*; one that cannot be carried out changes nothing and is answered, not refused.

        Raises:
            InvalidInputError: ``reset`` was never called.
        """
        ...

    def admissible(self) -> tuple[str, ...]:
        """Return the commands that can be carried out now, sorted; empty if the world cannot say."""
        ...


@attrs.frozen(kw_only=True)
class Place:
    """
    One state of a :class:`ScriptedEnvironment`.

    Attributes:
        moves: Action to (observation, name of the next place).

        won: Whether being here solves the task.
    """

    moves: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)
    won: bool = False


class ScriptedEnvironment:
    """
    The in-memory twin of the port: a table of places, for tests and for the first page of a guide.

    Args:
        places: Places by name; every place that a move names must be among them.

        start: The place in which every episode begins.

        intro: What is said before the task's words.

    Raises:
        InvalidInputError: A move or *start* names a place that is not there.
    """

    name = "scripted"
    version = "1"

    def __init__(self, places: Mapping[str, Place], *, start: str, intro: str = "You are here.") -> None:
        wanted = {start} | {after for place in places.values() for _, after in place.moves.values()}
        if missing := sorted(wanted - set(places)):
            raise InvalidInputError(f"Every place must be described (missing: {missing!r}). Add them to 'places'.")
        self._places = dict(places)
        self._start = start
        self._intro = intro
        self._here: str | None = None

    def reset(self, task: Task) -> str:
        """Go to the start and return the introduction and the task's words."""
        self._here = self._start
        return f"{self._intro}\n\nYour task is to: {task.text}."

    def step(self, action: str) -> Answer:
        """Follow the move of that name, if there is one here."""
        place = self._place()
        observation, after = place.moves.get(action, (NOTHING_HAPPENS, self._here or self._start))
        self._here = after
        won = self._places[after].won
        return Answer(observation=observation, won=won, done=won, reward=float(won))

    def admissible(self) -> tuple[str, ...]:
        """Return the names of the moves from here, sorted."""
        return tuple(sorted(self._place().moves))

    def _place(self) -> Place:
        if self._here is None:
            raise not_set()
        return self._places[self._here]


def not_set() -> InvalidInputError:
    """Return the error of an environment that was asked to act before a task was set."""
    return InvalidInputError("A task must be set before the first step (none was). Call reset(task) first.")
