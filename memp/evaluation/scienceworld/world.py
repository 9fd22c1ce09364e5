"""
ScienceWorld as an environment: a school laboratory in words, with a score between 0 and 100.

The score is given as a share, so that 1.0 is a solved task here as everywhere. What the package takes back to -100,
focusing on what one must not, is -1.0 and ends the episode.
"""

from __future__ import annotations

import attrs

from memp.errors import InvalidInputError
from memp.evaluation.environment import Answer, Task, not_set
from memp.evaluation.scienceworld.engine import Engine, require_package

SOLVED = 100
"""The score of a solved task."""


@attrs.frozen(kw_only=True)
class ScienceGame:
    """
    One variation of one task.

    Attributes:
        task: The package's name of the task, such as ``boil``.

        variation: Its number.

        simplifications: What the package makes easier, as it names it; ``easy`` is all of it, empty is nothing.
    """

    task: str = attrs.field(validator=attrs.validators.min_len(1))
    variation: int = attrs.field(validator=attrs.validators.ge(0))
    simplifications: str = "easy"


class ScienceWorld:
    """
    The world; it starts a Java machine with its first task and ends it when it is closed.

    Args:
        commands: Whether ``admissible`` lists the hundreds of commands that could be carried out, which costs as much
            as several steps; without it the list is empty. An agent that chooses from the list needs it.
    """

    name = "scienceworld"

    def __init__(self, *, commands: bool = True) -> None:
        self._commands = commands
        self._engine: Engine | None = None
        self._over = True

    @property
    def version(self) -> str:
        """The version of the package, which is what answers."""
        return require_package()

    def reset(self, task: Task) -> str:
        """Load the variation; returns the task's words and what is to be seen."""
        game = task.setting
        if not isinstance(game, ScienceGame):
            raise InvalidInputError(f"A task of ScienceWorld must hold a ScienceGame (got {game!r}).")
        if self._engine is None:
            self._engine = Engine()
        self._engine.load(game.task, game.variation, game.simplifications)
        self._over = False
        return f"{self._engine.look()}\n\n{self._engine.description()}"

    def step(self, action: str) -> Answer:
        """Do *action*; what cannot be done changes nothing but the time."""
        if self._engine is None:
            raise not_set()
        observation, score, over = self._engine.act(action)
        self._over = over or score >= SOLVED
        return Answer(observation=observation.strip(), won=score >= SOLVED, done=self._over, reward=score / SOLVED)

    def admissible(self) -> tuple[str, ...]:
        """Return the commands that can be carried out now, sorted; empty if it was made without."""
        if self._engine is None:
            raise not_set()
        return self._engine.commands() if self._commands and not self._over else ()

    def close(self) -> None:
        """End the Java machine; a later reset starts another."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


@attrs.frozen(kw_only=True)
class MakeScienceWorld:
    """Makes a world in each worker process."""

    commands: bool = True

    def __call__(self) -> ScienceWorld:
        """Return a world of its own."""
        return ScienceWorld(commands=self.commands)
