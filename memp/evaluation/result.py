"""
What an evaluation found out: who did which task how, in which arm, and what that says.

A result is a value that holds every single attempt, because everything that is said of it is paired: which tasks
changed, not only how many. Summed up figures were not taken; they cannot be compared task by task, and no later
question can be asked of them. What it says is worked out when it is asked for: the sums in
``memp.evaluation.metrics``, the comparisons in ``memp.evaluation.comparison``.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from memp.errors import ConflictError, InvalidInputError
from memp.evaluation.comparison import Comparison, Comparisons
from memp.evaluation.metrics import Score, score, telling
from memp.events import EvaluationRecorded
from memp.events.measuring import Arm, Attempt, Involved, Measured, Spent, summed
from memp.model import canonical_bytes, content_digest

if TYPE_CHECKING:
    from memp.memory import Memory
    from memp.record import Record

__all__ = ["Arm", "Attempt", "Involved", "Measured", "Result", "Spent"]

NONE, RANDOM, BM25, RAW = "none", "random", "bm25", "raw"
"""Arms that are no version: nothing is served; drawn by lot; compared by words; whole runs instead of procedures."""

BASELINES = (NONE, RANDOM)
"""The arms that are always there: without them nobody can say whether a memory helps at all."""

ALL_PAIRS_ARMS = 12
"""Arms up to which all pairs are shown: 66 lines; with a hundred there would be five thousand."""

FORMAT = "memp-evaluation-1"
"""What the JSON of a result begins with."""


@attrs.frozen(kw_only=True)
class Result:
    """
    An evaluation: every attempt of every arm.

    Attributes:
        measured: On what and by whom.

        seeds: The seeds; every task was done once with each.

        arms: The arms, in the order in which they were asked for.

        attempts: One for each arm, task and seed; arms, tasks and seeds in their order.

        involved: The procedures that were served.

        scope: Whose memory was measured; empty for everybody's.
    """

    measured: Measured
    seeds: tuple[int, ...]
    arms: tuple[Arm, ...] = attrs.field(validator=attrs.validators.min_len(1))
    attempts: tuple[Attempt, ...] = attrs.field(repr=False)
    involved: tuple[Involved, ...] = attrs.field(default=(), repr=False)
    scope: str = ""

    def __attrs_post_init__(self) -> None:
        done = [(arm.name, [(one.task_id, one.seed) for one in self.of(arm.name)]) for arm in self.arms]
        for name, tasks in done:
            if not tasks or tasks != done[0][1]:
                raise InvalidInputError(
                    f"Every arm must have done the same tasks with the same seeds (got {len(tasks)} attempts in "
                    f"{name!r} and {len(done[0][1])} in {done[0][0]!r}, or others). Evaluate them together."
                )

    # -- what it says --------------------------------------------------------------------------------------------

    def of(self, arm: str, type: str | None = None) -> tuple[Attempt, ...]:
        """
        Return the attempts of one arm, tasks and seeds in their order; of one type of task, or of all.

        Raises:
            InvalidInputError: There is no such arm.
        """
        if arm not in self._of_arm:
            raise InvalidInputError(f"There is no arm {arm!r} in this result; there are {', '.join(self._of_arm)}.")
        return tuple(one for one in self._of_arm[arm] if type in (None, one.type))

    @cached_property
    def _of_arm(self) -> dict[str, tuple[Attempt, ...]]:
        found: dict[str, list[Attempt]] = {arm.name: [] for arm in self.arms}
        for attempt in self.attempts:
            found[attempt.arm].append(attempt)
        return {arm: tuple(attempts) for arm, attempts in found.items()}

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The types of the tasks, in the order in which they come; empty if the tasks have none."""
        return tuple(dict.fromkeys(one.type for one in self.of(self.arms[0].name) if one.type is not None))

    @cached_property
    def spent(self) -> tuple[Spent, ...]:
        """What the requests of an agent that is a model came to, a model each; empty for other agents."""
        return summed(one for attempt in self.attempts for one in attempt.spent)

    def score(self, arm: str, type: str | None = None) -> Score:
        """
        Return what an arm comes to, on all tasks or on those of one type.

        Raises:
            InvalidInputError: There is no such arm or type.
        """
        if type is not None and type not in self.types:
            offered = ", ".join(self.types) or "no types"
            raise InvalidInputError(f"There are no tasks of type {type!r}; there are {offered}.")
        return score(arm, self.of(arm, type), type=type)

    def compare(self, a: str, b: str, *, type: str | None = None) -> Comparison:
        """
        Compare two arms task by task; the p values are adjusted for all pairs of arms of this result.

        Args:
            a: The arm that is compared with.

            b: The arm that is judged, as in a diff: "better" says that *b* is better than *a*.

            type: Only tasks of this type; None for all, with each type besides.

        Raises:
            InvalidInputError: There is no such arm or type, they are the same arm, or scipy and statsmodels are not
                installed.
        """
        return self._comparisons.of(a, b, type=type)

    @cached_property
    def _comparisons(self) -> Comparisons:
        return Comparisons(self._of_arm)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """
        The pairs of arms that tables show, in the order of the arms.

        All of them; with more than a dozen arms, each with the baselines and with the one before it.
        """
        names = [arm.name for arm in self.arms]
        every = ((a, b) for place, b in enumerate(names) for a in names[:place])
        if len(names) <= ALL_PAIRS_ARMS:
            return tuple(every)
        return tuple((a, b) for a, b in every if a in BASELINES or names.index(b) == names.index(a) + 1)

    def table(self) -> str:
        """Return the figures of every arm, and the comparisons, as plain text for people."""
        from memp.evaluation.text import table_text

        return table_text(self)

    def summary(self) -> dict[str, Any]:
        """
        Return arms, types and pairs as plain values: what ``memp eval --json`` prints.

        Shares and their intervals lie in [0, 1], differences are those of the second arm to the first, and a lost task
        counts the limit of steps.
        """
        from memp.evaluation.text import summary

        return summary(self)

    # -- where it goes -------------------------------------------------------------------------------------------

    def record(self, memory: Memory) -> Record:
        """
        Put the evaluation on record in *memory*; a later verdict or report can rest on it.

        Recording the same result again changes nothing and returns the record that is there.

        Raises:
            InvalidInputError: The memory is open for reading only, or of another scope.
        """
        if memory.scope != self.scope:
            raise InvalidInputError(
                f"The evaluation is of the scope {self.scope!r} and the memory of {memory.scope!r}. "
                "Record it where it was done: memory.within(scope)."
            )
        return memory.record_evaluation(self.to_event())

    def to_event(self) -> EvaluationRecorded:
        """Return the event that says all of it; its id is the digest of the rest."""
        event = EvaluationRecorded(
            evaluation_id="-",
            scope=self.scope,
            measured=self.measured,
            seeds=self.seeds,
            arms=self.arms,
            attempts=self.attempts,
            involved=self.involved,
        )
        return attrs.evolve(event, evaluation_id=content_digest(event))

    @classmethod
    def from_event(cls, event: EvaluationRecorded) -> Result:
        """Return the evaluation that is on record."""
        return cls(
            measured=event.measured,
            seeds=event.seeds,
            arms=event.arms,
            attempts=event.attempts,
            involved=event.involved,
            scope=event.scope,
        )

    def report(self, path: str | os.PathLike[str], memory: Memory | None = None) -> None:
        """
        Write a report as one HTML file that needs no network.

        Args:
            path: Where; what is there is replaced.

            memory: Where the procedures that were served are read from; None leaves their texts out.

        Raises:
            InvalidInputError: matplotlib is not installed, or the file cannot be written.
        """
        from memp.evaluation.report import write_report

        write_report(self, path, memory=memory)

    def to_json(self) -> str:
        """Return all of it as JSON; ``from_json`` makes the same result of it."""
        body = canonical_bytes(self.to_event()).decode()
        return f'{{"format":"{FORMAT}","evaluation":{body}}}'

    @classmethod
    def from_json(cls, text: str | bytes) -> Result:
        """
        Return the result that ``to_json`` wrote.

        Raises:
            InvalidInputError: It is no such JSON.
        """
        try:
            said = msgspec.json.decode(text, type=_Written)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"A result must be the JSON that Result.to_json writes ({error}).") from error
        if said.format != FORMAT:
            raise InvalidInputError(f"A result must be of the format {FORMAT!r} (got {said.format!r}).")
        return cls.from_event(said.evaluation)

    def joined(self, other: Result) -> Result:
        """
        Return this result with the arms that only *other* has: those of two evaluations, to be compared.

        An arm of the same name and another version, such as what is drawn by lot from a memory that has grown, is
        called by name and position.

        Raises:
            ConflictError: They were done on different suites, by different agents or in another way.
        """
        check_comparable(self, other)
        arms, attempts = list(self.arms), list(self.attempts)
        for arm in other.arms:
            if any(same_version(arm, mine) for mine in self.arms):
                continue
            taken = {one.name for one in arms}
            name = arm.name if arm.name not in taken else f"{arm.name}@{arm.position}"
            arms.append(attrs.evolve(arm, name=name))
            attempts += [attrs.evolve(one, arm=name) for one in other.of(arm.name)]
        return attrs.evolve(
            self,
            arms=tuple(arms),
            attempts=tuple(attempts),
            involved=tuple(dict.fromkeys((*self.involved, *other.involved))),
        )


@attrs.frozen(kw_only=True)
class _Written:
    """A result as JSON has it."""

    format: str
    evaluation: EvaluationRecorded


_MUST_BE_THE_SAME = {
    "suite": "suite",
    "suite_version": "version of the suite",
    "suite_digest": "tasks",
    "kind": "kind of suite",
    "agent": "agent",
    "agent_version": "version of the agent",
    "k": "number of procedures served",
    "key": "way of finding them",
    "max_steps": "limit of steps",
}
"""What results must share to be compared, and what people call it. The version of memp may differ; it is shown."""


SHA256_CHARACTERS, DIGEST_CHARACTERS = 64, 12
"""How long a digest in hex is, and how much of it people are shown."""


def same_version(one: Arm, other: Arm) -> bool:
    """Return whether two arms serve the same: they are of one kind, and of versions of the same content."""
    return (one.kind, one.state_digest) == (other.kind, other.state_digest)


def differences(one: Result, other: Result) -> tuple[str, ...]:
    """Return in what two results were done otherwise, for people; empty if they can be compared."""
    said = [
        (called, *(getattr(result.measured, name) for result in (one, other)))
        for name, called in _MUST_BE_THE_SAME.items()
    ]
    said += [("seeds", list(one.seeds), list(other.seeds)), ("scope", one.scope, other.scope)]
    return tuple(f"{called} ({_short(mine)} and {_short(theirs)})" for called, mine, theirs in said if mine != theirs)


def _short(value: object) -> str:
    """Return *value* as a message has it: of a digest its beginning is enough."""
    text = repr(value)
    return f"{text[: DIGEST_CHARACTERS + 1]}…'" if isinstance(value, str) and len(value) == SHA256_CHARACTERS else text


def check_comparable(one: Result, other: Result) -> None:
    """
    Refuse to compare what cannot be: other tasks, another agent, other rules.

    Raises:
        ConflictError: They differ; the message says in what.
    """
    differing = differences(one, other)
    if differing:
        raise ConflictError(
            f"Two results can be compared if suite and agent are the same. These differ in: {'; '.join(differing)}. "
            "Evaluate the versions together, or on the same suite with the same agent."
        )


def shown_metrics(result: Result) -> tuple[str, ...]:
    """Return the names of the metrics that are shown of *result*, in their order."""
    found = {name for arm in result.arms for name in result.score(arm.name).figures}
    metrics = telling(result.attempts)
    return tuple(name for name, metric in metrics.items() if name in found and result.measured.kind in metric.labels)
