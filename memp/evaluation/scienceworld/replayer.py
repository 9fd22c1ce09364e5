"""
The replayer: a script, not a model, that does again what a recorded run did, with the words of the task swapped.

Two tasks of one kind differ in names ("boil water", "boil lead"). Aligning their words says which name took the place
of which; the run's actions are done with them exchanged. It knows two things of this world: that one can be elsewhere
at once, so it does every action in the room in which the run did it, and that a question is answered by a number. It
explores nothing and mends nothing else: where a room holds other things it fails, and so it shows what a stored run
alone is worth. Swapping names by a model was not taken: it would measure the model.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from memp.evaluation.agent import Act, Prompt
    from memp.evaluation.environment import Task
    from memp.model import Step

IDLE = "look around"
"""What is done when nothing is left to do; it changes nothing in any room."""

_WORD = re.compile(r"[\w'-]+")
_ROOM = re.compile(r"(?:This (?:room|outside location) is called the|You (?:move|teleport) to the) ([a-z ]+?)[.\n]")
_WALK = re.compile(r"go |open door|close door|teleport ")
_FOCUSED = re.compile(r"You focus on the (.+)\.")
_QUESTION = "Ambiguous request"
"""How the package begins when it asks which of several things was meant."""


@attrs.frozen(kw_only=True)
class Replayer:
    """
    The agent: the runs that it was served, best first, one after the other.

    Attributes:
        swap: Whether the words in which the tasks differ are exchanged.

        travel: Whether it goes where the run was, and answers only what is asked; without, every action is done where
            it stands.
    """

    swap: bool = True
    travel: bool = True

    version = "1"
    deterministic = True
    reads = "procedures"

    @property
    def name(self) -> str:
        """``science-replayer``; one that does less is another agent."""
        return "science-replayer" + ("" if self.swap else "-literal") + ("" if self.travel else "-on-the-spot")

    def start(self) -> Act:
        """Return the function that replays in one episode."""
        replaying: list[Generator[str, str, None]] = []

        def act(
            task: Task, prompt: Prompt, observation: str, _admissible: tuple[str, ...], _history: tuple[Step, ...]
        ) -> str:
            if replaying:
                return replaying[0].send(observation)
            replaying.append(self._actions(task, prompt, room_in(observation)))
            return next(replaying[0])

        return act

    def _actions(self, task: Task, prompt: Prompt, here: str | None) -> Generator[str, str, None]:
        for procedure in prompt.procedures:
            run = procedure.run
            if run is None:
                continue
            swapped = swap_words(run.task, task.text) if self.swap else {}
            there, seen = room_in(run.initial_observation), ""
            for step in run.steps:
                if self.travel and there is not None and here != there and not _WALK.match(step.action):
                    seen = yield f"teleport to {there}"
                    here = room_in(seen) or here
                if not (self.travel and step.action.isdigit() and _QUESTION not in seen):
                    seen = yield _told(step, swapped)
                    here = room_in(seen) or here
                there = room_in(step.observation) or there
        while True:
            yield IDLE


def _told(step: Step, swapped: Mapping[str, str]) -> str:
    """
    Return the action of *step* in the words of the new task.

    What it focused on without naming it is called what the observation called it, if that was swapped: "the substance
    in the pot" is another substance now, and pointing at the wrong thing ends the game.
    """
    told = exchange(step.action, swapped)
    meant = _FOCUSED.fullmatch(step.observation.strip())
    if meant is None or told != step.action:
        return told
    renamed = exchange(meant[1], swapped)
    return told if renamed == meant[1] else f"focus on {renamed}"


def room_in(observation: str) -> str | None:
    """Return the room that *observation* says one is in now; None if it says nothing of it."""
    found = _ROOM.search(observation)
    return None if found is None else found[1]


def swap_words(before: str, after: str) -> dict[str, str]:
    """
    Return the phrases of *before* with what stands in their place in *after*.

    The words of both are aligned; where a stretch of one was replaced by a stretch of the other, these two are a pair,
    in lower case. A phrase that is replaced in two ways keeps the first.
    """
    old, new = ([word.lower() for word in _WORD.findall(text)] for text in (before, after))
    pairs: dict[str, str] = {}
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "replace":
            pairs.setdefault(" ".join(old[i:j]), " ".join(new[k:m]))
            if j - i == m - k:  # stretches of equal length are pairs word by word as well
                for one, other in zip(old[i:j], new[k:m], strict=True):
                    if one != other:
                        pairs.setdefault(one, other)
    return pairs


def exchange(text: str, pairs: Mapping[str, str]) -> str:
    """Return *text* with every whole phrase of *pairs* exchanged at once, the longest first."""
    if not pairs:
        return text
    phrases = sorted(pairs, key=len, reverse=True)
    form = re.compile(r"(?<![\w'-])(" + "|".join(map(re.escape, phrases)) + r")(?![\w'-])", re.IGNORECASE)
    return form.sub(lambda found: pairs[found[1].lower()], text)
