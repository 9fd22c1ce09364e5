"""
The household as an environment: a small world, not a benchmark.

It speaks ALFWorld's action grammar and sentences and has its preconditions and effects, but holds them in
dictionaries, so that an episode costs a few milliseconds and a test can live through thousands. A PDDL engine was not
taken for that reason: it derives every admissible command anew from the facts. What is said here of an agent is true
of this world only; real benchmarks come through the same port.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memp.errors import InvalidInputError
from memp.evaluation.environment import NOTHING_HAPPENS, Answer, not_set
from memp.evaluation.household import text
from memp.evaluation.household.rules import USUAL, Rules
from memp.evaluation.household.scene import Game
from memp.evaluation.household.state import State

if TYPE_CHECKING:
    from memp.evaluation.environment import Task

_ONE = re.compile(r"(go to|open|close|examine|use) (\S+ \d+)")
_TWO = re.compile(r"(take|move|clean|heat|cool|slice) (\S+ \d+) (from|to|with) (\S+ \d+)")
_LINK = {"take": "from", "move": "to", "clean": "with", "heat": "with", "cool": "with", "slice": "with"}
"""The word between the two names of a command. Case and spacing must be exact, as in ALFWorld."""


class Household:
    """
    A room with receptacles and things, one agent in it, and a goal.

    Args:
        rules: How the world works, whatever a task says; None leaves it to the task, and to the usual rules if the task
            says nothing either.
    """

    name = "household"
    version = "1"

    def __init__(self, *, rules: Rules | None = None) -> None:
        self._rules = rules
        self._state: State | None = None
        self._won = False
        self._admissible: tuple[str, ...] | None = None

    @property
    def state(self) -> State:
        """
        What is so now; for tests, solvers and goal checks, never for an agent.

        Raises:
            InvalidInputError: ``reset`` was never called.
        """
        if self._state is None:
            raise not_set()
        return self._state

    def reset(self, task: Task) -> str:
        """
        Set up the game of *task* and return the first observation.

        Raises:
            InvalidInputError: The task's setting is not a game of the household.
        """
        game = task.setting
        if not isinstance(game, Game):
            raise InvalidInputError(
                f"The setting of a household task must be a Game (got {game!r} in task {task.id!r}). "
                "Make tasks with memp.evaluation.household.make_tasks."
            )
        self._state = State(game, self._rules or game.rules or USUAL)
        self._won = self._state.reached()
        self._admissible = None
        return text.intro([receptacle.name for receptacle in game.receptacles], task.text)

    def step(self, action: str) -> Answer:
        """
        Carry out *action*; what cannot be done is answered "Nothing happens." and changes nothing.

        Raises:
            InvalidInputError: ``reset`` was never called.
        """
        said = self._carry_out(self.state, action)
        if said is None:
            said = NOTHING_HAPPENS
        else:
            self._admissible = None
            self._won = self.state.reached()
        return Answer(observation=said, won=self._won, done=self._won, reward=float(self._won))

    def admissible(self) -> tuple[str, ...]:
        """
        Return every command that can be carried out now, sorted.

        Raises:
            InvalidInputError: ``reset`` was never called.
        """
        if self._admissible is None:
            self._admissible = tuple(self.state.commands())
        return self._admissible

    @staticmethod
    def _carry_out(state: State, action: str) -> str | None:
        """Return what is said to *action*, or None if it is no command or cannot be carried out."""
        match action:
            case "look":
                return state.look()
            case "inventory":
                return text.carrying(state.held)
            case "help":
                return text.HELP
        if found := _ONE.fullmatch(action):
            verb, name = found.groups()
            one = {
                "go to": state.go,
                "open": state.open,
                "close": state.close,
                "examine": state.examine,
                "use": state.use,
            }
            return one[verb](name)
        found = _TWO.fullmatch(action)
        if found is None or _LINK[found[1]] != found[3]:
            return None
        two = {
            "take": state.take,
            "move": state.move,
            "clean": state.wash,
            "heat": state.heat,
            "cool": state.cool,
            "slice": state.slice,
        }
        return two[found[1]](found[2], found[4])
