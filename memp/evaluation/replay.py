"""
Replay suites: what a memory is worth to those who only have logs.

Nobody acts. For each held-out run that was won, the memory is asked what it would serve, and the procedure that comes
first is laid beside what the run did: which of the needed actions does it name, in the same order; how much of it was
not needed; is it for that kind of task? That is no success rate, and a procedure that knows a better way is marked
down for it; what it shows is whether a version finds and says what worked.

Both sides are brought to one form first: the run is told by rule as procedures are (``memp.build.induce``), without
what had no effect and without the wandering of a search, and both become a sequence of typed calls. Comparing the
texts of actions was not taken: no two rooms have the same "cabinet 4". Where no toolset knows a run, actions are
compared as words, with names left open.
"""

from __future__ import annotations

import functools
import hashlib
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import attrs

from memp.build.base import SourcedRun
from memp.build.canonical import for_comparing
from memp.build.effects import choose_toolset
from memp.build.induce import Induce
from memp.build.places import kind_of, vocabulary
from memp.errors import InvalidInputError
from memp.evaluation.environment import Task
from memp.evaluation.journal import Outcome, PlayKey
from memp.evaluation.suite import digest_of
from memp.events import TrajectoryRecorded
from memp.model import Step, Trajectory, TrajectoryId
from memp.reading import read_trajectories
from memp.retrieval.patterns import SPEAKING_VERBS, normal_pattern, task_pattern
from memp.script.loader import load_shipped_toolset, shipped_names
from memp.script.nodes import (
    Act,
    Do,
    Find,
    FormattedText,
    Name,
    NumberLiteral,
    Parameter,
    ProcedureDef,
    Repeat,
    Statement,
    TextLiteral,
)
from memp.script.parser import parse_script
from memp.script.toolset import bind_arguments
from memp.script.types import LiteralType, type_text
from memp.script.walk import child_blocks

if TYPE_CHECKING:
    from memp.evaluation.workers import Job
    from memp.memory import Memory
    from memp.model import Procedure
    from memp.script.nodes import Call, Expression
    from memp.script.toolset import Toolset

VERSION = "1"
"""Changes whenever the same procedure could be judged otherwise."""

ROUNDS_MAX = 10
"""Rounds of a loop that are counted; more of the same says nothing new and would drown the rest."""

ANYTHING = "_"
"""What stands for an argument that is only known when one is there, such as the place where a thing was found."""


@attrs.frozen
class Deed:
    """
    A needed or named action, as it is compared.

    Attributes:
        name: The action; in words, the action with its names left open.

        args: What stands in it: the type of what the task names, the kind of any other thing, or ``_``.
    """

    name: str
    args: tuple[str, ...] = ()

    def fits(self, other: Deed) -> bool:
        """Whether the two are the same, as far as one can know before one is there."""
        if self.name != other.name or len(self.args) != len(other.args):
            return False
        return all(one == two or ANYTHING in (one, two) for one, two in zip(self.args, other.args, strict=True))


@attrs.frozen(kw_only=True)
class ReplaySuite:
    """
    Held-out runs, all of them won.

    Attributes:
        name: What the suite is called.

        runs: The runs, all different; 1 or more.

        version: That of the way in which procedures are judged.

        agent: Empty: nobody acts.
    """

    name: str = attrs.field(validator=attrs.validators.min_len(1))
    runs: tuple[Trajectory, ...] = attrs.field(validator=attrs.validators.min_len(1), repr=False)
    version: str = VERSION
    agent: ClassVar[str] = ""

    @functools.cached_property
    def tasks(self) -> tuple[Task, ...]:
        """The runs as tasks: what is asked, and the run itself as the setting."""
        return tuple(
            Task(id=f"{run.task_id or 'run'}/{run.digest[:12]}", text=run.task, type=run.task_type, setting=run)
            for run in self.runs
        )

    @functools.cached_property
    def digest(self) -> str:
        """Hex SHA-256 of version and runs: results of suites with another one are not compared."""
        return digest_of("replay", self.version, *(run.digest for run in self.runs))


def replay_suite(
    source: str | os.PathLike[str] | Iterable[Trajectory],
    *,
    n: int | None = None,
    seed: int = 0,
    name: str | None = None,
) -> ReplaySuite:
    """
    Return a suite of the runs in *source* that were won and did something, each once.

    Args:
        source: A file of runs, as ``read_trajectories`` takes it, or runs.

        n: How many of them at most, 1 or more; None takes all.

        seed: Decides which, where there are more than *n*; the same runs in another order give the same choice.

        name: What to call it; None takes the name of the file.

    Raises:
        InvalidInputError: No run was won, *n* is below 1, or the file is none.

        TrajectoryFormatError: A line of the file cannot be read.
    """
    if n is not None and n < 1:
        raise InvalidInputError(f"'n' must be 1 or more (got {n!r}).")
    if isinstance(source, str | os.PathLike):
        called = Path(source).name.partition(".")[0]
        runs: Iterable[Trajectory] = read_trajectories(source)
    else:
        called, runs = "runs", source
    won = {run.digest: run for run in runs if run.success and run.actions}
    if not won:
        raise InvalidInputError("A replay suite needs runs that were won (got none). Give it a file with some.")
    if n is not None and n < len(won):
        drawn = sorted(won, key=lambda digest: hashlib.sha256(f"{seed}/{digest}".encode()).digest())[:n]
        won = {digest: run for digest, run in won.items() if digest in drawn}
    return ReplaySuite(name=name or called, runs=tuple(won.values()))


class Replays:
    """
    Judges what a memory serves for held-out runs.

    Args:
        suite: The runs.

        memory: The memory, which knows the toolsets of its scripts and the kinds of the runs that it learned from.

    Warns:
        UserWarning: Some of the runs are on record in the memory, and so are not held out.
    """

    def __init__(self, suite: ReplaySuite, memory: Memory) -> None:
        self._memory = memory
        self._kinds: dict[str, str | None] = {}
        known = set()
        for record in memory.events(type=TrajectoryRecorded.TYPE):
            if record.data is not None:
                self._kinds[record.data["trajectory_id"]] = record.data["trajectory"]["task_type"]
                known.add(record.data["digest"])
        if seen := sum(run.digest in known for run in suite.runs):
            warnings.warn(
                f"{seen} of the {len(suite.runs)} runs are on record in the memory: it has seen what it is asked.",
                stacklevel=4,
            )
        self._toolsets = _toolsets(memory)
        self._needed: dict[tuple[str, bool], tuple[Deed, ...]] = {}
        self._named: dict[str, tuple[bool, tuple[Deed, ...]]] = {}

    def play(self, jobs: Sequence[Job]) -> Iterator[tuple[PlayKey, Outcome]]:
        """Judge what each of *jobs* serves, and yield the outcomes in their order."""
        for job in jobs:
            run = job.task.setting
            assert isinstance(run, Trajectory)
            yield job.key, self._judge(run, job.prompt.procedures[0] if job.prompt.procedures else None)

    def close(self) -> None:
        """Do nothing: nobody was at work."""

    def _judge(self, run: Trajectory, served: Procedure | None) -> Outcome:
        typed, named = (True, ()) if served is None else self._named_by(served)
        needed = self._needed_by(run, typed)
        common = in_common(needed, named)
        kinds = frozenset[str | None]() if served is None else self._kinds_of(served)
        return Outcome(
            won=common == len(needed),
            reward=common / len(needed) if needed else 1.0,
            steps=len(needed) - common,
            superfluous=1 - common / len(named) if named else None,
            kind_first=None if run.task_type is None else run.task_type in kinds,
        )

    def _kinds_of(self, procedure: Procedure) -> frozenset[str | None]:
        """Return the kinds of task of the runs that *procedure* was made from."""
        own = () if procedure.run is None else (procedure.run.task_type,)
        return frozenset((*own, *(self._kinds.get(source) for source in procedure.sources)))

    def _needed_by(self, run: Trajectory, typed: bool) -> tuple[Deed, ...]:
        key = (run.digest, typed)
        if key not in self._needed:
            toolset = choose_toolset(run, self._toolsets) if typed else None
            self._needed[key] = deeds_of_run(run, toolset)
        return self._needed[key]

    def _named_by(self, procedure: Procedure) -> tuple[bool, tuple[Deed, ...]]:
        """Return the deeds that *procedure* names, and whether they are typed."""
        revision = procedure.active
        if revision not in self._named:
            if procedure.script is None:
                assert procedure.run is not None
                toolset = choose_toolset(procedure.run, self._toolsets)
                self._named[revision] = toolset is not None, deeds_of_run(procedure.run, toolset)
            else:
                toolset = self._memory.toolset_of(procedure)
                self._named[revision] = toolset is not None, deeds_of_script(procedure.script, toolset)
        return self._named[revision]


def _toolsets(memory: Memory) -> tuple[Toolset, ...]:
    """Return the toolsets that runs may be told in: those of the memory's procedures, then those that ship."""
    from memp.evaluation.agents.named import toolsets_of

    known = {toolset.name: toolset for toolset in toolsets_of(memory)}
    shipped = {name: load_shipped_toolset(name) for name in shipped_names() if name not in known}
    return (*known.values(), *shipped.values())


# -- to one form -----------------------------------------------------------------------------------------------------


def deeds_of_run(run: Trajectory, toolset: Toolset | None) -> tuple[Deed, ...]:
    """
    Return what *run* needed: told by rule, as a procedure of this run alone.

    Args:
        run: The run.

        toolset: Knows its actions; None takes them as words.
    """
    builder = Induce(toolsets=() if toolset is None else (toolset,), given=toolset is not None)
    [draft] = builder.build([SourcedRun(id=TrajectoryId("held-out"), trajectory=run)])
    spoken = toolset if draft.toolset is not None else None
    if draft.content.script is None:
        return tuple(_in_words(action) for action in run.actions)
    return deeds_of_script(draft.content.script, spoken)


def deeds_of_script(script: str, toolset: Toolset | None) -> tuple[Deed, ...]:
    """Return the actions that *script* names, in the order of the text, without what is incidental."""
    parsed = parse_script(script, toolset)
    others = {node.name: node for node in parsed.procedures[1:]}
    likely = None if toolset is None else vocabulary(toolset).likely
    return tuple(_Reader(toolset, others, likely).read(parsed.procedures[0]))


class _Reader:
    """
    Reads deeds off a procedure.

    Args:
        toolset: What it speaks; None if it is untyped.

        others: The procedures that it may call; one that calls itself is not followed.

        likely: The argument of a search that is incidental.
    """

    def __init__(self, toolset: Toolset | None, others: Mapping[str, ProcedureDef], likely: str | None) -> None:
        self._toolset = toolset
        self._others = dict(others)
        self._likely = likely

    def read(self, node: ProcedureDef) -> Iterator[Deed]:
        compared = for_comparing(node, self._likely)
        types = {parameter.name: type_text(parameter.type) for parameter in compared.parameters}
        yield from self._of(compared.body, types)

    def _of(self, statements: Sequence[Statement], types: Mapping[str, str]) -> Iterator[Deed]:
        for statement in statements:
            match statement:
                case Act(call=call) if call.name in self._others:
                    yield from self._called(call.name)
                case Act(call=call) | Find(call=call):
                    yield Deed(call.name, self._args(call, types))
                case Do(text=text):
                    yield _in_words(_plain(text))
                case Repeat(count=NumberLiteral(value=count), body=body):
                    for _ in range(min(int(count), ROUNDS_MAX)):
                        yield from self._of(body, types)
                case _:
                    for block in child_blocks(statement):
                        yield from self._of(block, types)

    def _called(self, name: str) -> Iterator[Deed]:
        others = {other: node for other, node in self._others.items() if other != name}
        yield from _Reader(self._toolset, others, self._likely).read(self._others[name])

    def _args(self, call: Call, types: Mapping[str, str]) -> tuple[str, ...]:
        entry = None if self._toolset is None else self._toolset.find_entry(call.name)
        bound = None if entry is None else bind_arguments(call, entry.parameters)
        if entry is None or bound is None:
            return tuple(_said(value, types, ANYTHING) for value in call.args)
        plain = {parameter.name: self._plain(parameter) for parameter in entry.parameters}
        return tuple(_said(value, types, plain[name]) for name, value in bound.items() if name != self._likely)

    def _plain(self, parameter: Parameter) -> str:
        """Return what stands for a text or number in the place of *parameter*; empty if it names a thing or choice."""
        assert self._toolset is not None
        if isinstance(parameter.type, LiteralType):
            return ""
        name = type_text(parameter.type)
        return "" if any(name == kind.name for kind in self._toolset.classes) else name


def _said(value: Expression, types: Mapping[str, str], plain: str) -> str:
    """Return how an argument is compared; *plain* is what stands for a text or number that names no thing."""
    match value:
        case Name(name=name):
            return types.get(name, ANYTHING)
        case TextLiteral(value=text) if not plain:
            return kind_of(text)
        case _:
            return plain or ANYTHING


def _plain(text: Expression) -> str:
    if isinstance(text, FormattedText):
        return "".join(part if isinstance(part, str) else "{}" for part in text.parts)
    return text.value if isinstance(text, TextLiteral) else "{}"


@functools.lru_cache(maxsize=1 << 14)
def _in_words(action: str) -> Deed:
    """Return an action as words: its verb and words of grammar, with what it handles left open."""
    first = action.casefold().split(maxsplit=1)[:1]
    verb = first[0].partition("[")[0].strip(":.,!") if first else ""
    if verb in SPEAKING_VERBS:
        return Deed(verb)
    return Deed(normal_pattern(task_pattern(Trajectory(task=action, steps=(Step(action=action),)))))


def in_common(one: Sequence[Deed], other: Sequence[Deed]) -> int:
    """
    Return the length of the longest common subsequence.

    Source: R. A. Wagner and M. J. Fischer, The string-to-string correction problem, Journal of the ACM 21 (1974),
    168-173, with deeds that fit in the place of equal letters.
    """
    lengths = [0] * (len(other) + 1)
    for deed in one:
        before = 0
        for place, said in enumerate(other, 1):
            above = lengths[place]
            lengths[place] = before + 1 if deed.fits(said) else max(above, lengths[place - 1])
            before = above
    return lengths[-1]
