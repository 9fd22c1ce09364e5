"""
The package's engine behind four calls: load a game, give a command, list the commands, ask what is so.

It is the engine itself with the package's own wrapper for names, without the batches, limits and filters of its gym:
those hand the same sentences on. A game is handed over as values, so nothing is written to disk.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from memp.evaluation.alfworld.caching import cached
from memp.evaluation.alfworld.package import load_package, quiet

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from memp.evaluation.alfworld.games import AlfworldGame

GREETING = "-= Welcome to TextWorld, ALFRED! =-\n\n"
"""What the engine says before the room; left out, as the field's published runs have it."""


class Engine:
    """
    One engine; games are loaded into it one after the other.

    Args:
        plain: Whether to do without :mod:`memp.evaluation.alfworld.caching`.

        facts: Whether to keep what is so now by its readable names; the expert needs it, and it costs time.

    Raises:
        InvalidInputError: The package is not installed.
    """

    def __init__(self, *, plain: bool = False, facts: bool = False) -> None:
        package = load_package()
        self._plain = plain
        infos = package.infos(won=True, admissible_commands=True, facts=facts)
        self._inner = package.demangler(package.environment(infos))
        self._state: Any = None

    def load(self, game: AlfworldGame) -> str:
        """Set *game* up and return what is seen first."""
        data = {"pddl_domain": game.domain, "grammar": game.grammar, "pddl_problem": game.problem, "solvable": True}
        with quiet(), self._quicker():
            self._inner.load(data)
            self._state = self._inner.reset()
        return str(self._state.feedback).removeprefix(GREETING)

    def step(self, command: str) -> str:
        """Give *command* and return what is said, to the letter; an impossible one is answered."""
        with self._quicker():
            self._state, _, _ = self._inner.step(command)
        return str(self._state.feedback)

    @property
    def won(self) -> bool:
        """Whether the game is solved now."""
        return bool(self._state["won"])

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that can be carried out now, sorted."""
        return tuple(self._state["admissible_commands"])

    @property
    def state(self) -> Any:
        """The engine's own state, as the package's expert wants it."""
        return self._state

    def _quicker(self) -> AbstractContextManager[None]:
        return nullcontext() if self._plain else cached()
