"""
ALFWorld as an environment: the same port as the household's, with the real engine behind it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import attrs

from memp.errors import InvalidInputError
from memp.evaluation.alfworld.engine import Engine
from memp.evaluation.alfworld.games import DIALECTS, AlfworldGame
from memp.evaluation.alfworld.package import package_version, require_package
from memp.evaluation.environment import Answer, not_set

if TYPE_CHECKING:
    from memp.evaluation.environment import Task


@attrs.frozen(kw_only=True)
class MakeAlfworld:
    """
    Makes worlds, in this process or another.

    Attributes:
        plain_engine: See :class:`Alfworld`.

        dialect: See :class:`Alfworld`.
    """

    plain_engine: bool = False
    dialect: str | None = None

    def __call__(self) -> Alfworld:
        """Return a new world."""
        return Alfworld(plain_engine=self.plain_engine, dialect=self.dialect)


class Alfworld:
    """
    Games of ALFWorld, one episode at a time.

    Args:
        plain_engine: Whether the package runs as shipped, fifteen times slower; what it says is the same to the letter.

        dialect: ``newer`` ("move mug 1 to desk 1") or ``older`` ("put mug 1 in/on desk 1"); None leaves it to the game.

    Raises:
        InvalidInputError: The package is not installed, or there is no such dialect.
    """

    name = "alfworld"

    def __init__(self, *, plain_engine: bool = False, dialect: str | None = None) -> None:
        if dialect is not None and dialect not in DIALECTS:
            raise InvalidInputError(f"'dialect' must be one of {', '.join(DIALECTS)} (got {dialect!r}).")
        require_package()
        self._plain = plain_engine
        self._dialect = dialect
        self._engine: Engine | None = None
        self._game: AlfworldGame | None = None
        self._knows_facts = False

    @property
    def version(self) -> str:
        """The versions of the packages, and the dialect if one was asked for."""
        return version_of(self._dialect)

    def reset(self, task: Task) -> str:
        """
        Set up the game of *task* and return the first observation.

        Raises:
            InvalidInputError: The task's setting is not a game of ALFWorld.
        """
        game = task.setting
        if not isinstance(game, AlfworldGame):
            raise InvalidInputError(
                f"The setting of a task of ALFWorld must be an AlfworldGame (got {game!r} in task {task.id!r}). "
                "Read tasks with memp.evaluation.alfworld.read_games, or make them with make_rooms."
            )
        self._game = game if self._dialect is None else game.speaking(self._dialect)
        if self._engine is None:
            self._engine = Engine(plain=self._plain, facts=self._knows_facts)
        return self._engine.load(self._game)

    def step(self, action: str) -> Answer:
        """
        Carry out *action*; what cannot be done is answered "Nothing happens." and changes nothing.

        Raises:
            InvalidInputError: ``reset`` was never called.
        """
        engine = self._loaded()
        said = engine.step(action)
        return Answer(observation=said.strip(), won=engine.won, done=engine.won, reward=float(engine.won))

    def admissible(self) -> tuple[str, ...]:
        """
        Return every command that can be carried out now, sorted.

        Raises:
            InvalidInputError: ``reset`` was never called.
        """
        return self._loaded().commands

    @property
    def game(self) -> AlfworldGame:
        """
        The game that is being played; for experts, never for an agent.

        Raises:
            InvalidInputError: ``reset`` was never called.
        """
        if self._game is None:
            raise not_set()
        return self._game

    @property
    def state(self) -> Any:
        """
        The engine's state, with the facts if :meth:`tell_facts` was called; for experts, never for an agent.

        Raises:
            InvalidInputError: ``reset`` was never called.
        """
        return self._loaded().state

    def tell_facts(self) -> None:
        """Let the state tell all that is so, from the next ``reset`` on; it takes time."""
        self._knows_facts = True
        self._engine = None

    def _loaded(self) -> Engine:
        if self._engine is None or self._game is None:
            raise not_set()
        return self._engine


@functools.cache
def version_of(dialect: str | None) -> str:
    """Return what the version of a world of that dialect is."""
    return package_version() if dialect is None else f"{package_version()}, {dialect} dialect"
