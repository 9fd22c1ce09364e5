"""
Does a reflection name what the next attempt did differently? Measured on logs, with nobody acting.

A log that holds a failure and a later success at the same task holds the answer to what a reflection should have said:
the difference between the two runs. So each reflection on a failure is compared with that difference, and, because some
steps are in every run, with the difference of another pair as well; only what exceeds that is knowledge. Playing the
tasks again with each candidate would say more, but needs the world that the log came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import attrs

from memp.build.effects import Deed, effective_deeds
from memp.build.places import kind_of
from memp.errors import ScriptError
from memp.evaluation.intervals import share_interval
from memp.retrieval.filters import Filter
from memp.script.nodes import Act, Avoid, Call, Statement, TextLiteral
from memp.script.parser import parse_script
from memp.script.toolset import Toolset, bind_arguments
from memp.script.walk import iter_statements

if TYPE_CHECKING:
    from memp.model import Trajectory
    from memp.script.nodes import Script

QUESTIONS = """
"Questions that are answered by looking things up in an encyclopaedia; ReAct's tools."

toolset("questions")
no_effect("Could not find *", "*Invalid Action*", "The last page Searched was not found*")


class Topic: "A person, a place, a work: what a page is about."


@action("Search[{topic}]")
def search(topic: Topic): "Open the page of a topic; shows its first sentences."

@action("Lookup[{words}]")
def lookup(words: Text): "Find the next sentence of the open page that holds the words."

@action("Finish[{answer}]")
def finish(answer: Text): "Give the answer."
"""
"""A toolset for the runs of question answering; it does not ship, because nothing else here speaks it."""

ARGUMENT_LENGTH_MIN = 4
"""A shorter argument ("yes", "2") is found in many texts by chance."""

TALK = frozenset({"respond", "think"})
"""Actions that are speech: two of them are never the same, and that is no difference in what was done."""

Knows = Literal["before", "after"]
"""What a reflection may look at: only what was known before the success, or the success as well."""

Named = Literal["silent", "other", "action", "argument"]
"""How near a reflection came: it said nothing, something else, the action of a new step, or its argument too."""


@attrs.frozen
class Done:
    """
    One step as it is compared: what was done, to which kinds of things.

    Attributes:
        name: The action; its first word where no toolset knows it.

        things: The kinds or words of the arguments.
    """

    name: str
    things: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Difference:
    """
    What a later run did differently.

    Attributes:
        at: How many steps both begin with.

        first: The first step of the later run that the earlier one did not do there; None if it only left steps out.

        added: Steps that only the later run has, in order.

        dropped: Steps that only the earlier run has, in order.
    """

    at: int
    first: Done | None
    added: tuple[Done, ...]
    dropped: tuple[Done, ...]


@attrs.frozen(kw_only=True)
class Pair:
    """
    A failure and the success that followed it at the same task.

    Attributes:
        task_id: The task.

        failed: The last failure before the success.

        succeeded: The success.

        difference: What it did differently.

        written: What was written after the failure, by whoever lived it; empty if nothing is on record.
    """

    task_id: str
    failed: Trajectory
    succeeded: Trajectory
    difference: Difference
    written: str = ""


@attrs.frozen(kw_only=True)
class Reflected:
    """
    How one kind of reflection did over all pairs.

    Attributes:
        reflector: Who reflected: ``rule`` or ``written``.

        knows: What it could look at.

        named: Pair by pair, how near it came.

        control: The same against the difference of the next pair: what is reached by saying what fits anywhere.

        remarks: What was said where nothing was changed, each with how often.
    """

    reflector: str
    knows: Knows
    named: tuple[Named, ...]
    control: tuple[Named, ...]
    remarks: tuple[tuple[str, int], ...] = ()

    def share(self, *named: Named) -> tuple[int, int]:
        """Return in how many pairs it came as near as one of *named*, and how many pairs there are."""
        return sum(one in named for one in self.named), len(self.named)

    def told(self) -> str:
        """Return the figures in one line, each with its 95 % interval."""
        pieces = []
        for label, kinds in (("spoke", _SPOKE), ("named the action", _ACTION), ("named the argument", _ARGUMENT)):
            count, n = self.share(*kinds)
            interval = share_interval(count, n)
            chance = sum(one in kinds for one in self.control)
            pieces.append(f"{label} {count}/{n} [{interval.low:.2f}, {interval.high:.2f}], by chance {chance}")
        return f"{self.reflector}, knowing what was {self.knows}: " + "; ".join(pieces)


_SPOKE: tuple[Named, ...] = ("other", "action", "argument")
_ACTION: tuple[Named, ...] = ("action", "argument")
_ARGUMENT: tuple[Named, ...] = ("argument",)


# -- differences ------------------------------------------------------------------------------------------------------


def difference(failed: Trajectory, succeeded: Trajectory, toolset: Toolset) -> Difference:
    """
    Return what *succeeded* did differently from *failed*.

    Steps without effect and speech are left out; the others are compared as typed calls, things by kind.
    """
    before, after = (_done(run, toolset) for run in (failed, succeeded))
    added: list[Done] = []
    dropped: list[Done] = []
    for what, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what != "equal":
            dropped += before[i:j]
            added += after[k:m]
    at = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    at = min(len(before), len(after)) if at is None else at
    return Difference(at=at, first=after[at] if at < len(after) else None, added=tuple(added), dropped=tuple(dropped))


def _done(run: Trajectory, toolset: Toolset) -> list[Done]:
    said = (_as_done(deed, toolset) for deed in effective_deeds(run, toolset))
    return [done for done in said if done.name not in TALK]


def _as_done(deed: Deed, toolset: Toolset) -> Done:
    if deed.call is None:
        name, *rest = deed.text.split(maxsplit=1)
        return Done(name.rstrip(":"), tuple(rest))
    return done_by(deed.call, toolset)


def done_by(call: Call, toolset: Toolset) -> Done:
    """Return *call* as it is compared; what is no text in it stands for anything and is left out."""
    entry = toolset.find_action(call.name)
    bound = None if entry is None else bind_arguments(call, entry.parameters)
    values = (bound or {}).values()
    return Done(call.name, tuple(kind_of(v.value).casefold() for v in values if isinstance(v, TextLiteral)))


def find_pairs(runs: Iterable[Trajectory], toolset: Toolset) -> tuple[Pair, ...]:
    """
    Return, for every task that was failed and later solved, the last failure and the success, in order of appearance.

    Args:
        runs: Attempts with ``task_id`` and in ``extra`` their ``trial``; ``reflections_given`` there is what had been
            written before an attempt. Attempts without a trial count in the order in which they come.

        toolset: Reads their actions.
    """
    attempts: dict[str, list[Trajectory]] = {}
    for run in runs:
        attempts.setdefault(run.task_id or run.task, []).append(run)
    pairs = []
    for task_id, tried in attempts.items():
        tried.sort(key=lambda run: run.extra.get("trial", 0))
        for failed, succeeded in pairwise(tried):
            if not failed.success and succeeded.success:
                pairs.append(
                    Pair(
                        task_id=task_id,
                        failed=failed,
                        succeeded=succeeded,
                        difference=difference(failed, succeeded, toolset),
                        written=_last_written(succeeded),
                    )
                )
                break
    return tuple(pairs)


def _last_written(run: Trajectory) -> str:
    given = run.extra.get("reflections_given") or ()
    texts = [given] if isinstance(given, str) else [str(text) for text in given]
    return texts[-1] if texts else ""


# -- what was written -------------------------------------------------------------------------------------------------


def reflect_as_written(pairs: Sequence[Pair]) -> Reflected:
    """Return how near the texts came that were written after the failures; pairs without a text are left out."""
    told = [pair for pair in pairs if pair.written]
    return Reflected(
        reflector="written",
        knows="before",
        named=tuple(_named_in(pair, pair) for pair in told),
        control=tuple(_named_in(pair, _next(told, n)) for n, pair in enumerate(told)),
    )


def _named_in(told: Pair, wanted: Pair) -> Named:
    """
    Return how near the text of *told* comes to the difference of *wanted*.

    An argument counts if it is in the text and neither in the task nor in what the failed run did: whoever repeats the
    question names nothing.
    """
    said, added = told.written.casefold(), wanted.difference.added
    known = " ".join((wanted.failed.task, *wanted.failed.actions)).casefold()
    new = {thing for done in added for thing in done.things if len(thing) >= ARGUMENT_LENGTH_MIN and thing not in known}
    if any(thing in said for thing in new):
        return "argument"
    return "action" if any(done.name.replace("_", " ") in said for done in added) else "other"


def _next(pairs: Sequence[Pair], number: int) -> Pair:
    return pairs[(number + 1) % len(pairs)]


# -- what the rule says -----------------------------------------------------------------------------------------------


def reflect_by_rule(
    runs: Sequence[Trajectory], pairs: Sequence[Pair], toolset: Toolset, *, knows: Knows = "before"
) -> Reflected:
    """
    Let the policy ``reflection`` answer each failure, and return how near it came.

    For each pair a memory in the working store learns the successes at all other tasks, serves the procedure that it
    finds for this one, and is told of the failure; what its candidate changed is compared with the difference.

    Args:
        runs: All runs of the log.

        pairs: Of ``find_pairs``.

        toolset: Reads their actions.

        knows: ``before``: only the other tasks; ``after``: the later success is on record too when the failure is
            reflected on, as when old failures are gone through again.
    """
    said = [_reflect(runs, pair, toolset, knows) for pair in pairs]
    remarks: dict[str, int] = {}
    for changed in said:
        if isinstance(changed, str):
            remarks[changed] = remarks.get(changed, 0) + 1
    return Reflected(
        reflector="rule",
        knows=knows,
        named=tuple(_named_by(changed, pair.difference) for changed, pair in zip(said, pairs, strict=True)),
        control=tuple(_named_by(changed, _next(pairs, n).difference) for n, changed in enumerate(said)),
        remarks=tuple(sorted(remarks.items())),
    )


@attrs.frozen(kw_only=True)
class _Change:
    does: tuple[Done, ...]
    avoids: tuple[Done, ...]


def _reflect(runs: Sequence[Trajectory], pair: Pair, toolset: Toolset, knows: Knows) -> _Change | str:
    """Return what the candidate for *pair* changed, or the remark on why there is none."""
    import memp  # the evaluation stands above the memory; importing it here keeps the differences free of it

    others = [run for run in runs if run.success and run.task_id != pair.task_id]
    with memp.open(":memory:") as memory:
        memory.set_policy("reflection", build="induce")
        memory.learn(others, build="induce", toolset=toolset)
        if knows == "after":
            memory.learn([pair.succeeded], build="verbatim")
        before = {procedure.id: procedure for procedure in memory.procedures()}
        with memory.episode(pair.failed.task, k=1, where=Filter(builder="induce")) as episode:
            for step in pair.failed.steps:
                episode.step(action=step.action, observation=step.observation)
            episode.finish(success=False)
        for candidate in memory.candidates():
            old = before[candidate.procedure.id].script
            new = candidate.revision.content.script
            if old is not None and new is not None:
                return _changed(old, new, toolset)
        return _kind_of_remark(memory.episodes()[-1].remarks)


def _kind_of_remark(remarks: Sequence[str]) -> str:
    """Return the reason in a remark without the procedure's name, so that equal ones can be counted."""
    return remarks[-1].rpartition(": ")[2] if remarks else "the run did all that the script says, or none of it"


def _changed(old: str, new: str, toolset: Toolset) -> _Change | str:
    try:
        before, after = (parse_script(text, toolset) for text in (old, new))
    except ScriptError:
        return "the candidate's script could not be read"
    had = list(_done_in(before, toolset))
    does = []
    for done in _done_in(after, toolset):
        if done in had:
            had.remove(done)
        else:
            does.append(done)
    warned = [one.what for one in _statements(after) if isinstance(one, Avoid)]
    avoids = tuple(done_by(what, toolset) for what in warned if isinstance(what, Call))
    return _Change(does=tuple(does), avoids=avoids)


def _statements(script: Script) -> Iterator[Statement]:
    for definition in script.procedures:
        yield from iter_statements(definition.body)


def _done_in(script: Script, toolset: Toolset) -> Iterator[Done]:
    for statement in _statements(script):
        if isinstance(statement, Act):
            yield done_by(statement.call, toolset)


def _named_by(changed: _Change | str, wanted: Difference) -> Named:
    if isinstance(changed, str):
        return "silent"
    hits = [(done, new) for done in changed.does for new in wanted.added if done.name == new.name]
    hits += [(done, gone) for done in changed.avoids for gone in wanted.dropped if done.name == gone.name]
    if not hits:
        return "other"
    exact = any(set(done.things) & set(other.things) for done, other in hits)
    return "argument" if exact else "action"
