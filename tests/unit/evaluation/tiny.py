"""A world of one action, so that hundreds of searches cost nothing: what is served says how likely the task is won."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import attrs

import memp
from memp.evaluation.environment import Place, ScriptedEnvironment, Task
from memp.evaluation.suite import Suite

if TYPE_CHECKING:
    from memp.evaluation.agent import Act, Prompt
    from memp.model import Step

SCRIPT = '@procedure("open the box")\ndef open_the_box():\n    do("try {chance}")\n    note("{note}")\n'
"""A procedure that says with which chance, in per cent, it opens a box."""


def make_world() -> ScriptedEnvironment:
    """Return the world: one action wins, every other loses."""
    shut = Place(moves={"win": ("It opens.", "open")})
    return ScriptedEnvironment({"shut": shut, "open": Place(won=True)}, start="shut")


def boxes(n: int = 20) -> Suite:
    """Return a suite of *n* boxes."""
    tasks = tuple(Task(id=f"box/{number}", text="open the box", type="box") for number in range(n))
    return Suite(name="boxes", version="1", tasks=tasks, make_environment=make_world, max_steps=1)


@attrs.frozen(kw_only=True)
class Lot:
    """
    An agent that wins by lot, with the chance that the procedure served first says.

    Attributes:
        seed: The round.

        luck: Another one has other luck.
    """

    seed: int = 0
    luck: int = 0

    name = "lot"
    version = "1"
    deterministic = False
    reads = "procedures"

    def start(self) -> Act:
        """Return the function that acts once."""

        def act(task: Task, prompt: Prompt, _o: str, _admissible: tuple[str, ...], _h: tuple[Step, ...]) -> str:
            script = (prompt.procedures[0].script or "") if prompt.procedures else ""
            found = re.search(r"try (\d+)", script)
            chance = 0.0 if found is None else int(found[1]) / 100
            lot = random.Random(f"{self.luck}/{self.seed}/{task.id}/{script}")
            return "win" if lot.random() < chance else "wait"

        return act


@attrs.frozen(kw_only=True)
class Sure(Lot):
    """The same without luck: it wins the boxes up to the chance, always the same."""

    name = "sure"
    deterministic = True

    def start(self) -> Act:
        """Return the function that acts once."""

        def act(task: Task, prompt: Prompt, _o: str, _admissible: tuple[str, ...], _h: tuple[Step, ...]) -> str:
            script = (prompt.procedures[0].script or "") if prompt.procedures else ""
            found = re.search(r"try (\d+)", script)
            number = int(task.id.rpartition("/")[2])
            return "win" if found is not None and 5 * number < int(found[1]) else "wait"

        return act


def script(chance: int, note: str = "as it is") -> str:
    """Return the script that opens a box with that chance, in per cent."""
    return SCRIPT.format(chance=chance, note=note)


def say(memory: memp.Memory, chance: int, note: str, *, activate: bool = True) -> memp.Record:
    """Rewrite the procedure."""
    return memory.reflect("open-the-box", script=script(chance, note), critique=f"say {note}", activate=activate)


def memory_of(chances: list[int]) -> tuple[memp.Memory, list[memp.Record]]:
    """Return a memory whose procedure was rewritten again and again, tagged v1 and v2, and the rewritings."""
    memory = memp.open(":memory:")
    memory.add(script(chances[0]), name="open-the-box")
    memory.tag("v1")
    records = [say(memory, chance, f"change {number}") for number, chance in enumerate(chances[1:])]
    memory.tag("v2")
    return memory, records
