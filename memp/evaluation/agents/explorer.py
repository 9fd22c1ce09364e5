"""
The explorer: a script, not a model. It knows the words of the task and prefers what it has not tried.

It is the agent without memory, the base line of every comparison with scripted agents. It acts on the things that the
task names and leaves others alone, carries them to the places that the task names, tries whatever else can be done
with them where it stands, and looks into what it has not seen. It does not know what any appliance is for. A random
walk was not taken as base line: it wins so little that any memory would look good beside it.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import attrs

from memp.errors import InvalidInputError
from memp.evaluation.agents.commands import GO, IDLE, OPEN, PUT, TAKE, kind, read, words_of
from memp.evaluation.agents.notebook import Notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memp.evaluation.agent import Act, Prompt
    from memp.evaluation.agents.commands import Command
    from memp.evaluation.environment import Task
    from memp.model import Step

PATIENCE = 0.5
"""How often an episode looks for another thing before it takes up the first again; neither is known to be better."""


@attrs.frozen(kw_only=True)
class Explorer:
    """
    The agent without memory; a prompt that it is given is ignored.

    Attributes:
        seed: Decides between equals; with the task's id it decides everything, so the same task is lived the same way.
    """

    seed: int = 0

    name = "explorer"
    version = "2"
    deterministic = True
    reads = "nothing"

    def start(self) -> Act:
        """Return the function that explores for one episode."""
        exploring: list[Exploring] = []

        def act(
            task: Task, _prompt: Prompt, _observation: str, admissible: tuple[str, ...], history: tuple[Step, ...]
        ) -> str:
            if not exploring:
                exploring.append(Exploring(task, seed=self.seed))
            exploring[0].notice(admissible, history)
            return exploring[0].choose()

        return act


class Exploring:
    """
    One episode of exploring; the follower falls back on it.

    Args:
        task: What is to be done; its words are all that is used of it beside the id.

        seed: Decides between equals.
    """

    def __init__(self, task: Task, *, seed: int) -> None:
        self.words = words_of(task.text)
        self.notebook = Notebook()
        self.commands: tuple[Command, ...] = ()
        self.avoided: list[Callable[[str], bool]] = []
        # What a procedure did something to, and what has not been put where the task says since.
        self.treated: set[str] = set()
        self._random = random.Random(f"{seed}/{task.id}")
        # What was put where the task said and did not solve it leaves two ways on, and the words do not say which: look
        # for another one, or take it up again and try it elsewhere. An episode keeps to one of them.
        self._patient = self._random.random() < PATIENCE
        self._order: dict[str, float] = {}
        self._heard = 0

    def notice(self, admissible: tuple[str, ...], history: tuple[Step, ...]) -> None:
        """
        Take in what happened since the last time, and what can be done now.

        Raises:
            InvalidInputError: The world does not say what can be done; a scripted agent only chooses.
        """
        if not admissible:
            raise InvalidInputError(
                "A scripted agent chooses among admissible commands (the environment named none). "
                "Use an environment that lists them, or an agent that writes its own."
            )
        for step in history[self._heard :]:
            self.notebook.live(step)
            self._remember(read(step.action))
        self._heard = len(history)
        self.notebook.hear(admissible)
        allowed = [text for text in admissible if not any(avoid(text) for avoid in self.avoided)]
        self.commands = tuple(read(text) for text in allowed or admissible)

    def choose(self) -> str:
        """Return what an agent does that knows nothing but the words of the task."""
        searching = [self.look_here, self._fetch, self.look_further]
        if self._patient:
            rules = [self._act_here, self.look_here, self._carry, self._distrust, *searching]
            rules += [self._take_back, self._wander]
        else:
            rules = [self._act_here, self._open_named, self._carry, self._distrust, self._take_back, self._wander]
            rules += searching
        for rule in rules:
            if (command := rule()) is not None:
                return command
        own = [command for command in self.commands if not self._is_foreign(command)] or list(self.commands)
        fewest = min(self.notebook.tried[command.text] for command in own)
        return self.pick(command.text for command in own if self.notebook.tried[command.text] == fewest)

    def named(self, name: str) -> bool:
        """Return whether the task names the kind of *name*."""
        return kind(name) in self.words

    def pick(self, texts: Iterable[str]) -> str:
        """Return one of *texts*; which of two comes first was drawn once and stays so for the episode."""
        for text in (found := sorted(texts)):
            self._order.setdefault(text, self._random.random())
        return min(found, key=self._order.__getitem__)

    def walks(self, places: Iterable[str]) -> list[str]:
        """Return the commands that walk to one of *places*."""
        wanted = set(places)
        return [c.text for c in self.commands if c.verb in GO and c.things and c.things[0] in wanted]

    def look_here(self) -> str | None:
        """Return the command that opens what is shut here and was not looked into, if anything is."""
        unseen = set(self.notebook.unseen())
        opens = [c.text for c in self.commands if c.verb in OPEN and c.things and c.things[0] in unseen]
        return self.pick(opens) if opens else None

    def look_further(self, likely: Sequence[str] = ()) -> str | None:
        """
        Return the command that walks to a place not looked into yet; None if there is none.

        Places of a kind of which there are few come first: the only desk is sooner looked through than nine drawers,
        and nothing says that a thing lies rather on the one or in the others.

        Args:
            likely: Kinds or names of places to look into before all others.
        """
        crowd = Counter(map(kind, self.notebook.places))
        best: dict[tuple[bool, int], list[str]] = {}
        for place in self.notebook.unseen():
            is_other = place not in likely and kind(place) not in likely
            best.setdefault((is_other, crowd[kind(place)]), []).append(place)
        for rank in sorted(best):
            if walks := self.walks(best[rank]):
                return self.pick(walks)
        return None

    def _remember(self, command: Command) -> None:
        """Note what was put down on purpose; a thing to which something was done may be carried and put down anew."""
        if not self.notebook.worked or not command.things:
            return
        first, last = command.things[0], command.things[-1]
        if command.verb in PUT and self.named(last):
            self.notebook.placed[first] = last
            self.treated.discard(first)
        elif len(command.things) > 1 and command.verb not in TAKE | PUT:
            self.notebook.carried -= {pair for pair in self.notebook.carried if pair[0] == first}
            for text in list(self.notebook.tried):
                if read(text).verb in PUT and read(text).things[:1] == (first,):
                    del self.notebook.tried[text]

    def _is_foreign(self, command: Command) -> bool:
        """Return whether *command* handles something that the task does not name."""
        return command.verb not in GO | OPEN | IDLE and bool(command.things) and not self.named(command.things[0])

    def _act_here(self) -> str | None:
        """Do what is new with what the task names; what names more of the task comes first."""
        best: dict[int, list[str]] = {}
        for command in self.commands:
            if not command.things or command.verb in GO | OPEN | IDLE or self._is_foreign(command):
                continue
            if not self.notebook.untried(command) or command.things[0] in self.notebook.placed:
                continue
            if command.verb in PUT and not self.named(command.things[-1]):
                continue
            if command.verb not in PUT | TAKE and command.things[0] in self.treated:
                continue  # it might undo what the procedure did before the rest of the task was tried
            hits = sum(map(self.named, command.things)) + (command.verb in self.words)
            best.setdefault(hits, []).append(command.text)
        return self.pick(best[max(best)]) if best else None

    def _distrust(self) -> str | None:
        """Do what is new also with what a procedure did something to, once there is no named place left to carry it."""
        if not self.treated:
            return None
        self.treated.clear()
        return self._act_here()

    def _open_named(self) -> str | None:
        """Open what is shut here and was not looked into, if the task names it: what is carried may belong in it."""
        unseen = set(filter(self.named, self.notebook.unseen()))
        opens = [c.text for c in self.commands if c.verb in OPEN and c.things and c.things[0] in unseen]
        return self.pick(opens) if opens and self.notebook.held is not None else None

    def _carry(self) -> str | None:
        """Carry a named thing to where another named thing stands fast, or to a named place, the least tried first."""
        notebook = self.notebook
        if notebook.held is None or not self.named(notebook.held):
            return None
        beside = [notebook.seen[thing] for thing in notebook.fixed if self.named(thing)]
        walks = self.walks([*beside, *filter(self.named, notebook.places)])
        fresh = [text for text in walks if (notebook.held, read(text).things[0]) not in notebook.carried]
        return self.pick(fresh) if fresh else None

    def _fetch(self) -> str | None:
        """Walk to where a thing was seen that the task names, with empty hands."""
        notebook = self.notebook
        if notebook.held is not None:
            return None
        things = [thing for thing in notebook.seen if self.named(thing) and thing not in notebook.placed]
        walks = self.walks(notebook.seen[thing] for thing in things if thing not in notebook.fixed)
        return self.pick(walks) if walks else None

    def _wander(self) -> str | None:
        """Walk to a place where one has not been with what one carries."""
        held = self.notebook.held
        if held is None:
            return None
        walks = self.walks(place for place in self.notebook.places if (held, place) not in self.notebook.carried)
        return self.pick(walks) if walks else None

    def _take_back(self) -> str | None:
        """Take up again what was put down where the task said and did not solve it."""
        notebook = self.notebook
        if notebook.held is not None or not notebook.placed:
            return None
        takes = [c.text for c in self.commands if c.verb in TAKE and c.things[0] in notebook.placed]
        walks = takes or self.walks(notebook.placed.values())
        return self.pick(walks) if walks else None
