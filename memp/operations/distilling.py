"""
The course of a distillation: one question for each few runs of a kind, and what each answer becomes.

Every answer is one operation of its own, appended in the order of the runs, so what is done stays done. A question that
fails by the endpoint's fault leaves its runs in the queue; one that fails by its own leaves them as they are, with the
reason on record. Neither stops the others, but an endpoint that fails again and again is left alone.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from memp import decide
from memp.build.distil import Distil, kind_of_task, kinds
from memp.build.effects import choose_toolset
from memp.decide import Decided
from memp.episodes import QueuedRun, queue
from memp.errors import ContextTooLongError, EmbeddingError, ModelError
from memp.events import ProcedureAdded, ProcedureGeneralised, RunDropped, RunQueued, TrajectoryRecorded
from memp.llm.ordered import in_order
from memp.llm.retrying import TRANSIENT, is_endpoints_fault
from memp.model import EventId, QueuedId, Trajectory
from memp.operations.calls import noted
from memp.record import Record
from memp.toolsets import available, given_toolset
from memp.update.outcome import capped

if TYPE_CHECKING:
    from memp.build.distil import Written
    from memp.llm.client import Recall, Talk
    from memp.operations.modelled import Modelled
    from memp.script.toolset import Toolset
    from memp.store import Progress
    from memp.toolsets import GivenToolset
    from memp.update import IntakePolicy

PARALLEL = 4
"""Questions that are asked at once: hosted endpoints take that much from anybody, and a local one does no more."""

TOGETHER = 3
"""Runs of one kind that one question holds: what two have in common shows, and a third says whether it is chance."""

FAILURES_MAX = 3
"""Questions in a row that may fail by the endpoint's fault before the rest is left for later: each was sent several
times by then."""


@attrs.frozen(kw_only=True)
class Job:
    """
    One question: runs of a kind.

    Attributes:
        built: The runs that a procedure is built from.

        shown: A run beside them that failed, and shows what not to do.

        toolset: The words that the procedure must speak; None for steps in words.

        beside: Runs that are recorded with these and that the question does not hold.
    """

    built: tuple[Trajectory, ...]
    shown: tuple[Trajectory, ...]
    toolset: Toolset | None
    beside: tuple[Trajectory, ...] = ()

    @property
    def asked(self) -> tuple[Trajectory, ...]:
        """All that the question holds."""
        return (*self.built, *self.shown)

    @property
    def runs(self) -> tuple[Trajectory, ...]:
        """All that is recorded with it."""
        return (*self.asked, *self.beside)

    def apart(self) -> list[Job]:
        """Return the questions about each run that a procedure is built from alone."""
        first, *others = (attrs.evolve(self, built=(run,), shown=()) for run in self.built)
        return [attrs.evolve(first, beside=self.shown), *others]


@attrs.frozen(kw_only=True)
class Outcome:
    """
    What came of a question.

    Attributes:
        talk: The requests.

        written: The procedure; None if there is none.

        error: Why there is none.

        quoted: The runs that the requests quote.
    """

    talk: Talk
    written: Written | None = None
    error: ModelError | EmbeddingError | None = None
    quoted: tuple[Trajectory, ...] = ()


@attrs.define
class Tally:
    """What a course did so far; see ``LearnReport``."""

    recorded: int = 0
    unbuilt: int = 0
    added: list[str] = attrs.field(factory=list)
    generalised: list[str] = attrs.field(factory=list)
    waiting: int = 0
    dropped: int = 0
    problems: list[str] = attrs.field(factory=list)
    events: list[Record] = attrs.field(factory=list)


def dropped(id: QueuedId) -> RunDropped:
    """Return what takes a run that was learned out of the queue."""
    return RunDropped(queued_id=id, learned=True, reason="it was its turn")


def jobs(
    runs: Sequence[Trajectory], *, policy: IntakePolicy, toolsets: Sequence[Toolset], given: bool, together: int
) -> tuple[list[Job], list[Trajectory]]:
    """
    Return the questions that *runs* make, in their order, and the runs that take part in none.

    Args:
        runs: The runs, no two the same.

        policy: Which of them procedures are built from; a failure of the same kind is shown beside them.

        toolsets: What a run may be told in.

        given: Whether the caller named it, so that it is spoken whatever it knows of a run.

        together: How many runs one question is built from at most.
    """
    chosen = [run for run in runs if policy(run)]
    taken = {run.digest for run in chosen}
    failures: dict[str, list[Trajectory]] = {}
    for run in runs:
        if run.digest not in taken and run.success is False:
            failures.setdefault(kind_of_task(run), []).append(run)
    found = []
    for group in kinds(chosen, together=together):
        toolset = toolsets[0] if given else choose_toolset(group[0], toolsets)
        beside = failures.get(kind_of_task(group[0]), [])[:1]
        # A failure is shown once: the next question of its kind gets the next one.
        del failures.get(kind_of_task(group[0]), [])[:1]
        found.append(Job(built=group, shown=tuple(beside), toolset=toolset))
    asked = {run.digest for job in found for run in job.runs}
    return found, [run for run in runs if run.digest not in asked]


@attrs.frozen(kw_only=True)
class Course:
    """
    A distillation of many runs.

    Attributes:
        memory: What learns.

        builder: What makes drafts of answers.

        policy: Which runs procedures are built from.

        toolset: What they are told in; None chooses for each.

        tags: Words to filter by, for procedures that are new.

        key: Retry token; it stands with the last operation and only if nothing waits, so that a course that was cut
            short goes on where it stopped.

        recall: Finds answers on record; None always asks.

        parallel: Questions at once, 1 or more.

        together: Runs of a kind that one question is built from at most, 1 or more.

        progress: Called as work goes on.
    """

    memory: Modelled
    builder: Distil
    policy: IntakePolicy
    toolset: GivenToolset = None
    tags: tuple[str, ...] = ()
    key: str | None = None
    recall: Recall | None = None
    parallel: int = PARALLEL
    together: int = TOGETHER
    progress: Progress | None = None

    def run(self, runs: Sequence[Trajectory]) -> Tally:
        """
        Learn from *runs*, none of which is on record, and return what was done.

        Raises:
            StorageError: The disk did not take it; what was done before is done.
        """
        tally = Tally()
        with self.memory._store.lock:
            state = self.memory._state
            given = None if self.toolset is None else given_toolset(state, self.toolset)
            toolsets = available(state) if given is None else (given,)
            queued = self._queued()
        asked, left = jobs(runs, policy=self.policy, toolsets=toolsets, given=given is not None, together=self.together)
        stop, failing = threading.Event(), 0
        for job, outcome, is_last in self._answers(asked, stop):
            last = is_last and not left and not tally.waiting
            error = outcome.error
            if not stop.is_set():
                error = self._tried(job, outcome, tally, queued, key=self.key if last else None)
            if error is None and not stop.is_set():
                failing = 0
            else:
                failing += 1
                if not isinstance(error, (*TRANSIENT, EmbeddingError)) or failing >= FAILURES_MAX:
                    stop.set()
                self._put_off(job, attrs.evolve(outcome, error=error), tally, queued)
        self._record(left, tally, queued)
        return tally

    def _answers(self, asked: Sequence[Job], stop: threading.Event) -> Iterator[tuple[Job, Outcome, bool]]:
        """Yield each question with what came of it, and whether it is the last, in their order."""
        ask = functools.partial(self._ask, stop)
        for number, (_, parts) in enumerate(in_order(asked, ask, parallel=self.parallel), start=1):
            for job, outcome in parts:
                yield job, outcome, number == len(asked) and job is parts[-1][0]
            if self.progress is not None:
                self.progress("distilling", number, len(asked))

    def _ask(self, stop: threading.Event, job: Job) -> list[tuple[Job, Outcome]]:
        """Return what came of *job*, or of its runs one by one if the model does not read as much at once."""
        outcome = self._asked(stop, job)
        if not isinstance(outcome.error, ContextTooLongError) or len(job.asked) == 1:
            return [(job, outcome)]
        parts = [(one, self._asked(stop, one)) for one in job.apart()]
        first = parts[0][1]
        first.talk.calls[:0] = outcome.talk.calls
        return [(parts[0][0], attrs.evolve(first, quoted=job.asked)), *parts[1:]]

    def _asked(self, stop: threading.Event, job: Job) -> Outcome:
        workers = self.memory._workers("distil", self.recall)
        outcome = Outcome(talk=workers.talk, quoted=job.asked)
        if stop.is_set():
            return outcome
        try:
            return attrs.evolve(outcome, written=workers.distil(job.asked, toolset=job.toolset).written)
        except ModelError as error:
            return attrs.evolve(outcome, error=error)

    def _queued(self) -> dict[str, list[QueuedRun]]:
        """Return the runs that wait already, by content digest."""
        found: dict[str, list[QueuedRun]] = {}
        for one in queue(self.memory._state):
            run = self.memory._queued_run(one) if one.scope == self.memory._scope else None
            if run is not None:
                found.setdefault(run.digest, []).append(one)
        return found

    # -- what becomes of an answer -------------------------------------------------------------------------------

    def _tried(
        self, job: Job, outcome: Outcome, tally: Tally, queued: Mapping[str, Sequence[QueuedRun]], *, key: str | None
    ) -> ModelError | EmbeddingError | None:
        """Learn from *job*, and return why that has to wait; None if it is done."""
        if isinstance(outcome.error, ModelError) and is_endpoints_fault(outcome.error):
            return outcome.error
        try:
            self._learn(job, outcome, tally, queued, key=key)
        except EmbeddingError as error:
            # What the model wrote is in its calls, so having it again from there costs nothing.
            return error
        return None

    def _learn(
        self, job: Job, outcome: Outcome, tally: Tally, queued: Mapping[str, Sequence[QueuedRun]], *, key: str | None
    ) -> None:
        """Record the runs of *job*, build what was written from them, or keep them as they are."""
        built = {run.digest for run in job.built}
        answers = {} if outcome.written is None else dict.fromkeys(built, outcome.written)
        spoken = () if job.toolset is None else (job.toolset,)
        builder = attrs.evolve(self.builder, answers=answers, toolsets=spoken)
        with self.memory._store.lock:
            ids = self.memory._store.ids
            plan = decide.learn(
                self.memory._state,
                job.runs,
                builder=builder,
                policy=lambda run: run.digest in built,
                tags=self.tags,
                scope=self.memory._scope,
                ids=ids,
            )
            recorded = [one for one in plan.decided if isinstance(one.event, TrajectoryRecorded)]
            runs = tuple(one.event_id for one in recorded)
            calls = noted(
                outcome.talk.calls,
                scope=self.memory._scope,
                ids=ids,
                runs=[run.digest for run in outcome.quoted],
                derived_from=runs,
            )
            said = (*map(EventId, outcome.talk.recalled), *(one.event_id for one in calls))
            rest = [_made_by(one, said, runs) for one in plan.decided if one not in recorded]
            gone = [decide.single(dropped(one.id), ids) for run in job.runs for one in queued.get(run.digest, ())]
            toolsets = self.memory._new_toolsets(rest, builder)
            self._append([*toolsets, *recorded, *calls, *rest, *gone], tally, key=key)
        if outcome.error is not None:
            tally.problems.append(f"{job.built[0].task!r} is kept as it is: {outcome.error}")
        tally.recorded += len(plan.recorded)
        tally.unbuilt += plan.unbuilt
        tally.added += plan.added
        tally.generalised += plan.generalised
        tally.dropped += len(gone)

    def _put_off(self, job: Job, outcome: Outcome, tally: Tally, queued: Mapping[str, Sequence[QueuedRun]]) -> None:
        """Leave the runs of *job* in the queue."""
        why = "the endpoint is left alone for now" if outcome.error is None else outcome.error
        tally.problems.append(f"{job.built[0].task!r} waits: {why}")
        tally.waiting += len(job.runs)
        with self.memory._store.lock:
            ids, scope = self.memory._store.ids, self.memory._scope
            new = [
                decide.single(RunQueued(queued_id=QueuedId(ids.random()), scope=scope, trajectory=run), ids)
                for run in job.runs
                if run.digest not in queued
            ]
            there = [one.event_id for run in job.runs for one in queued.get(run.digest, ())]
            calls = noted(
                outcome.talk.calls,
                scope=scope,
                ids=ids,
                runs=[run.digest for run in outcome.quoted],
                derived_from=[*there, *(one.event_id for one in new)],
            )
            self._append([*new, *calls], tally, key=None)

    def _record(self, runs: Sequence[Trajectory], tally: Tally, queued: Mapping[str, Sequence[QueuedRun]]) -> None:
        """Record runs that nothing is built from."""
        with self.memory._store.lock:
            plan = decide.learn(
                self.memory._state,
                runs,
                builder=self.builder,
                policy=lambda _: False,
                scope=self.memory._scope,
                ids=self.memory._store.ids,
            )
            gone = [
                decide.single(dropped(one.id), self.memory._store.ids)
                for run in runs
                for one in queued.get(run.digest, ())
            ]
            self._append([*plan.decided, *gone], tally, key=None if tally.waiting else self.key)
        tally.recorded += len(plan.recorded)
        tally.unbuilt += plan.unbuilt
        tally.dropped += len(gone)

    def _append(self, decided: Sequence[Decided], tally: Tally, *, key: str | None) -> None:
        memory = self.memory
        whole = capped(memory._state, decided, memory._settings(), scope=memory._scope, ids=memory._store.ids)
        tally.events += memory._append(whole, key=key)


def _made_by(decided: Decided, said: tuple[EventId, ...], runs: tuple[EventId, ...]) -> Decided:
    """
    Return *decided* with the calls that it came from.

    What a model wrote was made from its answers and from every run that it was shown; what was kept as it is only
    answers the last of the calls, which says why.
    """
    event = decided.event
    content = event.content if isinstance(event, ProcedureAdded | ProcedureGeneralised) else None
    if content is not None and content.script is not None:
        return attrs.evolve(decided, derived_from=tuple(dict.fromkeys((*decided.derived_from, *runs, *said))))
    return attrs.evolve(decided, cause=said[-1] if said else None, read=said)
