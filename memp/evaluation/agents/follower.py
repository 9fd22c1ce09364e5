"""
The follower: the explorer with the procedures that it was served; a script, not a model.

It binds a procedure's parameters from the words of the task, prefers the command that is the procedure's next step,
and explores where there is none. A procedure that does not work out is dropped, and the next one, or exploring, takes
its place. It holds no knowledge of what things are for: with procedures that do not fit it is an explorer that was led
astray for a while. So what it gains is what the memory gave it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from memp.errors import NotFoundError, ScriptError
from memp.evaluation.agents.binding import bind
from memp.evaluation.agents.explorer import Exploring
from memp.evaluation.agents.interpreter import FailedError, Interpreter
from memp.evaluation.agents.reading import Reader
from memp.evaluation.agents.replay import steps_of
from memp.script.forms import slot_names
from memp.script.loader import load_shipped_toolset
from memp.script.parser import parse_script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memp.evaluation.agent import Act, Prompt
    from memp.evaluation.agents.interpreter import Walk
    from memp.evaluation.environment import Task
    from memp.model import Procedure, Step
    from memp.script.nodes import ProcedureDef, Script
    from memp.script.toolset import Toolset


@attrs.frozen(kw_only=True)
class Follower:
    """
    The agent with memory: it follows the procedures of its prompt, best first, and explores otherwise.

    Attributes:
        seed: As for the explorer; with nothing served both act the same.

        toolsets: Vocabularies of the procedures that it may be served. A script that imports a toolset by name finds
            the ones that ship with memp besides; one without is read by the form of its words.
    """

    seed: int = 0
    toolsets: tuple[Toolset, ...] = ()

    name = "follower"
    version = "3"
    deterministic = True
    reads = "procedures"

    def start(self) -> Act:
        """Return the function that follows and explores for one episode."""
        following: list[_Following] = []

        def act(
            task: Task, prompt: Prompt, _observation: str, admissible: tuple[str, ...], history: tuple[Step, ...]
        ) -> str:
            if not following:
                following.append(_Following(self, task, prompt))
            return following[0].choose(admissible, history)

        return act

    def find_toolset(self, name: str) -> Toolset:
        """
        Return the toolset called *name*, one of its own or a shipped one.

        Raises:
            NotFoundError: There is none of that name.
        """
        for toolset in self.toolsets:
            if toolset.name == name:
                return toolset
        return load_shipped_toolset(name)


class _Following:
    """One episode: the procedures not yet dropped, and the exploring to fall back on."""

    def __init__(self, follower: Follower, task: Task, prompt: Prompt) -> None:
        self._follower = follower
        self._task = task
        self._exploring = Exploring(task, seed=follower.seed)
        self._walks = self._begin(prompt.procedures)
        self._walk: Walk | None = next(self._walks, None)

    def choose(self, admissible: tuple[str, ...], history: tuple[Step, ...]) -> str:
        self._exploring.notice(admissible, history)
        while self._walk is not None:
            try:
                return next(self._walk)
            except (StopIteration, FailedError):
                self._walk = next(self._walks, None)
        return self._exploring.choose()

    def _begin(self, procedures: tuple[Procedure, ...]) -> Iterator[Walk]:
        """Yield the walk of each procedure that can be bound to the task, when its turn has come."""
        for procedure in procedures:
            walk = self._walk_script(procedure) if procedure.script is not None else self._walk_run(procedure)
            if walk is not None:
                # What the last one put down did not solve the task, so the next one may take it up again.
                self._exploring.notebook.placed.clear()
                self._exploring.treated.clear()
                yield walk

    def _walk_script(self, procedure: Procedure) -> Walk | None:
        assert procedure.script is not None
        toolset = next((known for known in self._follower.toolsets if known.digest == procedure.toolset), None)
        try:
            script = parse_script(procedure.script, toolset, resolve=self._follower.find_toolset)
            if toolset is None and script.toolset is not None:
                toolset = self._follower.find_toolset(script.toolset)
        except (ScriptError, NotFoundError):
            return None  # it does not work out here: it is of another world, or no script at all
        bound = _bind(script, procedure.patterns, self._task.text)
        if bound is None:
            return None
        definition, names = bound
        procedures = {known.name: known for known in script.procedures}
        return Interpreter(self._exploring, Reader(toolset), procedures).run_procedure(definition, names)

    def _walk_run(self, procedure: Procedure) -> Walk | None:
        assert procedure.run is not None
        toolset = next((known for known in self._follower.toolsets if known.digest == procedure.toolset), None)
        reader = Reader(toolset)
        found = steps_of(procedure.run, self._task.text, reader)
        return None if found is None else Interpreter(self._exploring, reader, {}).run(*found)


def _bind(script: Script, patterns: tuple[str, ...], task: str) -> tuple[ProcedureDef, dict[str, str]] | None:
    """Return the procedure of *script* that is for *task*, with what its parameters stand for; None if none is."""
    for definition in script.procedures:
        names = {parameter.name for parameter in definition.parameters}
        wordings = dict.fromkeys((*definition.patterns, *patterns))
        bound = bind([wording for wording in wordings if names >= set(slot_names(wording))], task)
        needed = {parameter.name for parameter in definition.parameters if parameter.default is None}
        if bound is not None and needed <= set(bound):
            return definition, bound
    return None
