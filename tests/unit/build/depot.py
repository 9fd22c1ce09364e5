"""A toolset of its own for tests, so that no rule of building can rest on a word of a world that ships."""

from __future__ import annotations

from collections.abc import Sequence

from memp.build.base import Draft, SourcedRun
from memp.build.induce import Induce
from memp.model import Step, Trajectory, TrajectoryId
from memp.script.toolset import Toolset

DEPOT = Toolset.from_text(
    """
"A depot with crates to fetch, paint and store."

toolset("depot")
no_effect("Nothing came of it.")

class Crate: "Something that can be carried."
class Bay: "A place that holds crates."

@action("walk to {bay}")
def walk_to(bay: Bay): ...

@action("unlock {bay}")
def unlock(bay: Bay): ...

@action("grab {crate} from {origin}")
def grab(crate: Crate, origin: Bay): ...

@action("store {crate} in {goal}", terse="stow {crate} at {goal}")
def store(crate: Crate, goal: Bay): ...

@action("paint {crate} at {machine}")
def paint(crate: Crate, machine: Bay): ...

@action("ring {bell}")
def ring(bell: Crate): ...

@action("wait")
def wait(): ...

@action("report {message}")
def report(message: Text): ...

@action("look around")
@observing
def look_around(): ...

@condition("{bay} is locked")
def locked(bay: Bay): ...

@finder("search for {crate}", by=[walk_to, unlock])
def search(crate: Crate, near: list[Text] = []) -> Bay: ...
"""
)


def run_of(task: str, *actions: str | tuple[str, str], reward: float = 1.0, agent: str | None = None) -> Trajectory:
    """Return a run; an action may come with what was answered."""
    pairs = [action if isinstance(action, tuple) else (action, "Done.") for action in actions]
    steps = [Step(action=action, observation=observation) for action, observation in pairs]
    return Trajectory(task=task, steps=tuple(steps), reward=reward, agent=agent)


def sourced(runs: Sequence[Trajectory]) -> list[SourcedRun]:
    """Return *runs* with ids."""
    return [SourcedRun(id=TrajectoryId(f"run-{number}"), trajectory=run) for number, run in enumerate(runs)]


def induced(*runs: Trajectory, toolset: Toolset | None = DEPOT, keep_run: bool = False) -> list[Draft]:
    """Return what induction makes of *runs* in the words of *toolset*."""
    toolsets = () if toolset is None else (toolset,)
    return Induce(toolsets=toolsets, keep_run=keep_run).build(sourced(runs))


def script_of(*runs: Trajectory, toolset: Toolset | None = DEPOT) -> str:
    """Return the steps of the one procedure that *runs* make, without what stands around them."""
    (draft,) = induced(*runs, toolset=toolset)
    assert draft.content.script is not None
    lines = draft.content.script.splitlines()
    first = next(number for number, line in enumerate(lines) if line.endswith(":") and not line.startswith(" "))
    return "\n".join(line.removeprefix("    ") for line in lines[first + 1 :])


FETCHED = run_of(
    "store a bolt in rack",
    "look around",
    ("walk to shelf 3", "You see nothing."),
    ("walk to bin 1", "The bin 1 is locked."),
    "unlock bin 1",
    "grab bolt 2 from bin 1",
    ("walk to rack 1", "You see nothing."),
    "store bolt 2 in rack 1",
)
"""A run that wanders, unlocks and stores."""
