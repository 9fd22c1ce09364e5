"""
The memory that asks a model: procedures distilled from runs, failures reflected on, and what all of it cost.

A model is asked while nothing is held, for it takes seconds; what came of it is appended as whole operations, one for
each question, in the order of the runs. So whenever a process dies or an endpoint fails, what is on record is done, and
what is not can be done again. Asking inside the operation that writes would be one batch instead of many, and would
keep every other writer waiting for a model.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import attrs

from memp import decide
from memp.build.distil import DISTIL, Distil, same_steps
from memp.build.keys import written_key
from memp.decide import Decided
from memp.episodes import episodes_serving, queue
from memp.errors import EmbeddingError, InvalidInputError, ModelAnswerError, ModelError, NotFoundError
from memp.events import ProcedureGeneralised, ProcedureReflected, RevisionRejected, TrajectoryRecorded
from memp.llm.answers import DONE
from memp.llm.base import NO_MODEL
from memp.llm.ordered import in_order
from memp.llm.retrying import is_endpoints_fault
from memp.lookup import find_procedure
from memp.model import EventId, Procedure, Trajectory, TrajectoryId
from memp.operations.calls import calls_seen, noted
from memp.operations.coldstart import ATTEMPTS, KEEP, BootstrapReport, best_runs
from memp.operations.distilling import PARALLEL, TOGETHER, Course, dropped
from memp.operations.learned import FactsReport, LearnReport
from memp.operations.living import Drained, Living
from memp.record import Record
from memp.toolsets import spoken_by
from memp.update import intake_policy
from memp.update.trial import open_candidates

if TYPE_CHECKING:
    from memp.llm.answers import Found as Facts
    from memp.llm.answers import Reflected
    from memp.llm.base import Call
    from memp.llm.client import Client, Recall, Talk
    from memp.llm.judge import Metric
    from memp.llm.workers import Workers
    from memp.operations.coldstart import Player
    from memp.store import Progress
    from memp.toolsets import GivenToolset
    from memp.update.base import StoredRun

SUCCESSES_READ = 2
"""Runs that won that a reflection reads: what must not break is seen in one, and what may vary in a second."""


class Modelled(Living):
    """What a memory does with a model."""

    def _asks_model(self, build: str) -> bool:
        """Whether procedures are built by the model."""
        return build == DISTIL or (build == "both" and self._store.model is not None)

    def _check_writable(self) -> None:
        """
        Refuse where nothing may be written, before a model is asked and paid for nothing.

        Raises:
            InvalidInputError: The memory is open for reading only.
        """
        if self._store.read_only:
            raise InvalidInputError("This memory is open for reading only. Open it without read_only to change it.")

    # -- asking --------------------------------------------------------------------------------------------------

    def _client(self) -> Client:
        """
        Return the open connection to the model.

        Raises:
            InvalidInputError: There is no model, its packages are missing, or nothing may be written here.
        """
        from memp.llm.client import Client

        with self._store.lock:
            self._check_writable()
            if self._store.model is None:
                raise InvalidInputError(NO_MODEL)
            if self._store.client is None:
                self._store.client = Client(self._store.model)
            return self._store.client

    def _recall(self, *, cached: bool) -> Recall | None:
        """Return what finds answers on record; None if they are not to be used."""
        if not cached:
            return None
        from memp.llm.client import Recorded

        with self._store.lock:
            found = {
                call.event.request_digest: Recorded(event_id=call.event_id, response=call.event.response)
                for call in calls_seen(self._state, self._store.log)
                if call.event.response
            }
        return found.get

    def _workers(self, purpose: str, recall: Recall | None) -> Workers:
        from memp.llm.client import Talk
        from memp.llm.workers import Workers

        return Workers(client=self._client(), talk=Talk(purpose, recall=recall))

    def _note_calls(
        self, calls: Sequence[Call], *, runs: Sequence[Trajectory] = (), procedures: Sequence[Procedure] = ()
    ) -> tuple[Record, ...]:
        """
        Put calls to a model on record that were made elsewhere, as one operation; no calls, no operation.

        Args:
            calls: What was asked, in order.

            runs: The runs that they quote.

            procedures: The procedures that they quote.
        """
        with self._store.lock:
            there = (self._state.known_run(self._scope, run.digest) for run in runs)
            quoted = (*(run.event_id for run in there if run is not None), *(one.active for one in procedures))
            return self._append(
                noted(
                    calls,
                    scope=self._scope,
                    ids=self._store.ids,
                    runs=[run.digest for run in runs],
                    procedures=[one.id for one in procedures],
                    derived_from=quoted,
                )
            )

    # -- distilling ----------------------------------------------------------------------------------------------

    def drain(
        self,
        limit: int | None = None,
        *,
        build: str | None = None,
        policy: str | None = None,
        cached: bool = False,
        parallel: int = PARALLEL,
        together: int = TOGETHER,
    ) -> Drained:
        """
        Learn from the runs that wait, oldest first: what is done stays done.

        Args:
            limit: How many at most, 0 or more; None for all.

            build: How procedures are built, as ``learn`` takes it; None takes what ``set_policy`` said, or
                ``verbatim``.

            policy: Which runs they are built from, ``validation`` or ``vanilla``; None takes the one that is set, or
                ``validation``.

            cached: See ``learn``, as *parallel* and *together*.

            parallel: How many questions are asked at once.

            together: How many runs of one kind a question holds at most.

        Raises:
            InvalidInputError: There is no such builder or policy, or no model to ask.
        """
        if build is None or not self._asks_model(build):
            return super().drain(limit, build=build, policy=policy)
        if limit is not None and limit < 0:
            raise InvalidInputError(f"'limit' must be 0 or more (got {limit!r}).")
        return self._drain_by_model(
            limit, keep_run=build == "both", policy=policy, cached=cached, parallel=parallel, together=together
        )

    def _learn_by_model(
        self,
        runs: Sequence[Trajectory],
        *,
        keep_run: bool,
        policy: str | None,
        toolset: GivenToolset,
        tags: tuple[str, ...],
        key: str | None,
        progress: Progress | None,
        cached: bool,
        parallel: int,
        together: int,
    ) -> LearnReport:
        """See ``Memory.learn``."""
        self._client()
        with self._store.lock:
            fresh = {run.digest: run for run in runs if self._state.known_run(self._scope, run.digest) is None}
        course = Course(
            memory=self,
            builder=Distil(keep_run=keep_run),
            policy=intake_policy(policy or self._intake_name()),
            toolset=toolset,
            tags=tags,
            key=key,
            recall=self._recall(cached=cached),
            parallel=parallel,
            together=together,
            progress=progress,
        )
        tally = course.run(list(fresh.values()))
        return LearnReport(
            runs=len(runs),
            recorded=tally.recorded,
            known=len(runs) - len(fresh),
            unbuilt=tally.unbuilt,
            added=tuple(tally.added),
            generalised=tuple(dict.fromkeys(tally.generalised)),
            waiting=tally.waiting,
            problems=tuple(tally.problems),
            events=tuple(tally.events),
        )

    def _drain_by_model(
        self, limit: int | None, *, keep_run: bool, policy: str | None, cached: bool, parallel: int, together: int
    ) -> Drained:
        """See ``Memory.drain``."""
        self._client()
        with self._store.lock:
            waiting = [one for one in queue(self._state) if one.scope == self._scope][:limit]
            loaded = [(one.id, self._queued_run(one)) for one in waiting]
            runs = {run.digest: run for _, run in loaded if run is not None}
            known = {digest for digest in runs if self._state.known_run(self._scope, digest) is not None}
            gone = [id for id, run in loaded if run is None or run.digest in known]
            self._append([decide.single(dropped(id), self._store.ids) for id in gone])
        course = Course(
            memory=self,
            builder=Distil(keep_run=keep_run),
            policy=intake_policy(policy or self._intake_name()),
            recall=self._recall(cached=cached),
            parallel=parallel,
            together=together,
        )
        tally = course.run([run for digest, run in runs.items() if digest not in known])
        return Drained(
            runs=tally.dropped + len(gone),
            known=len(known),
            added=tuple(tally.added),
            generalised=tuple(dict.fromkeys(tally.generalised)),
            problems=tuple(tally.problems),
            waiting=tally.waiting,
        )

    def bootstrap(
        self,
        tasks: Iterable[Any],
        agent: Player,
        metric: Metric | None = None,
        *,
        attempts: int = ATTEMPTS,
        keep: int = KEEP,
        won_from: float = DONE,
        build: str = "verbatim",
        toolset: GivenToolset = None,
        tags: Iterable[str] = (),
        progress: Progress | None = None,
    ) -> BootstrapReport:
        """
        Start without runs: let *agent* try each task, and learn the best that it did.

        Args:
            tasks: What to do; handed to the agent as they are.

            agent: Does a task and returns the run; called with the task, and with the number of the try, from 0, if it
                takes two arguments. ``memp.evaluation.player`` makes one of a suite and an agent.

            metric: Scores a run: a function, or a ``memp.Judge``. None takes the reward that the run came with.

            attempts: Tries at each task, 1 or more.

            keep: How many runs of each task are learned at most, 1 or more.

            won_from: The score from which a run is good enough to be learned.

            build: See ``learn``, as *toolset* and *tags*.

            toolset: What scripts are told in.

            tags: Words to filter by.

            progress: Called as work goes on.

        Raises:
            InvalidInputError: A number is out of range, the agent or the metric gave what it may not, or ``learn``
                refuses the rest.
        """
        kept, count, tried = best_runs(
            tasks, agent, metric, attempts=attempts, keep=keep, won_from=won_from, progress=progress
        )
        learned = self.learn(
            [one.run for one in kept], build=build, policy="vanilla", toolset=toolset, tags=tags, progress=progress
        )
        return BootstrapReport(tasks=count, attempts=tried, kept=len(kept), learned=learned)

    @abstractmethod
    def learn(
        self,
        rows: Iterable[Trajectory],
        *,
        build: str = "verbatim",
        policy: str | None = None,
        toolset: GivenToolset = None,
        tags: Iterable[str] = (),
        progress: Progress | None = None,
    ) -> LearnReport:
        """See ``Memory.learn``."""

    # -- facts ---------------------------------------------------------------------------------------------------

    def find_facts(
        self, ids: Iterable[str] | None = None, *, cached: bool = False, parallel: int = PARALLEL
    ) -> FactsReport:
        """
        Ask the model when procedures apply, and write it into them: facts, and further wordings of their tasks.

        Their steps, their support and their evidence stay. One that the model says nothing new of is left alone.

        Args:
            ids: The procedures; None for all that are retrieved and have no facts yet.

            cached: Whether a question that is on record, word for word, is answered from there.

            parallel: How many questions are asked at once, 1 or more.

        Raises:
            ProcedureNotFoundError: There is no such procedure.

            InvalidInputError: There is no model to ask.
        """
        self._client()
        recall = self._recall(cached=cached)
        with self._store.lock:
            if ids is None:
                chosen = [one for one in self._state.live() if not one.revision.content.facts]
            else:
                chosen = [find_procedure(self._state, id) for id in ids]
            asked = [(one, [run for _, run in self._won_with(one)]) for one in chosen]
        changed: list[str] = []
        problems: list[str] = []
        done = 0
        events: list[Record] = []

        def ask(item: tuple[Procedure, list[Trajectory]]) -> tuple[Talk, Facts | ModelError]:
            workers = self._workers("facts", recall)
            try:
                return workers.talk, workers.facts(*item)
            except ModelError as error:
                return workers.talk, error

        for (procedure, runs), (talk, found) in in_order(asked, ask, parallel=parallel):
            if isinstance(found, ModelError):
                problems.append(f"{procedure.name!r}: {found}")
            try:
                written = self._write_facts(procedure, runs, talk, found)
            except EmbeddingError as error:
                problems.append(f"{procedure.name!r}: {error}")
                events += self._note_calls(talk.calls, runs=runs, procedures=[procedure])
                break
            events += written
            changed += [procedure.name] * any(one.type == ProcedureGeneralised.TYPE for one in written)
            if isinstance(found, ModelError) and is_endpoints_fault(found):
                break
            done += 1
        return FactsReport(
            changed=tuple(changed), problems=tuple(problems), left=len(asked) - done, events=tuple(events)
        )

    def _write_facts(
        self, procedure: Procedure, runs: Sequence[Trajectory], talk: Talk, found: Facts | ModelError
    ) -> tuple[Record, ...]:
        """Put the calls on record and, if they say something new, a revision that says it."""
        with self._store.lock:
            calls = noted(
                talk.calls,
                scope=self._scope,
                ids=self._store.ids,
                runs=[run.digest for run in runs],
                procedures=[procedure.id],
                derived_from=[procedure.active],
            )
            now = self._state.get(procedure.id)
            if isinstance(found, ModelError) or now is None or now.active != procedure.active:
                return self._append(calls)
            base = now.revision
            content = attrs.evolve(
                base.content,
                facts=tuple(dict.fromkeys((*base.content.facts, *found.facts))),
                patterns=tuple(dict.fromkeys((*base.content.patterns, *found.patterns))),
            )
            if content == base.content:
                return self._append(calls)
            event = ProcedureGeneralised(
                procedure_id=now.id, base=base.id, content_key=base.content_key, content=content
            )
            said = (*map(EventId, talk.recalled), *(one.event_id for one in calls))
            return self._append([*calls, decide.single(event, self._store.ids, derived_from=(base.id, *said))])

    # -- reflecting ----------------------------------------------------------------------------------------------

    def _reflect_by_model(
        self, id: str, trajectory: Trajectory | str, *, reason: str, activate: bool, key: str | None, cached: bool
    ) -> Record:
        """See ``Memory.reflect``."""
        workers = self._workers("reflect", self._recall(cached=cached))
        with self._store.lock:
            if key is not None and (records := self._store.log.said(key, branch=self._branch)):
                return next(record for record in records if record.type == ProcedureReflected.TYPE)
            procedure = find_procedure(self._state, id)
            decide.require_live(procedure, "reflected on")
            failed = self._failed_run(trajectory)
            procedure = _as_served(procedure, self._served_in(procedure, failed))
            toolset = spoken_by(self._state, procedure)
            shown = [one for one in self._won_with(procedure) if one[1].digest != failed.digest]
        answer: Reflected | ModelAnswerError
        try:
            answer = workers.reflect(procedure, failed, successes=[run for _, run in shown], toolset=toolset)
        except ModelAnswerError as error:
            answer = error
        except ModelError:
            with self._store.lock:
                self._append(self._noted_reflection(workers.talk, procedure, failed, shown, ())[1])
            raise
        with self._store.lock:
            procedure = _as_served(find_procedure(self._state, procedure.id), procedure.active)
            recorded, run_event, run_id = self._on_record(failed)
            calls, events = self._noted_reflection(workers.talk, procedure, failed, shown, (run_event,))
            event, why = _reflection(procedure, answer, answers=run_id, reason=reason, activate=activate)
            made_from = (procedure.active, run_event, *(one for one, _ in shown), *calls)
            reflected = decide.single(event, self._store.ids, derived_from=tuple(dict.fromkeys(made_from)))
            decided = [*recorded, *events, reflected]
            if why:
                rejected = RevisionRejected(procedure_id=procedure.id, revision=reflected.event_id, reason=why)
                decided.append(decide.single(rejected, self._store.ids))
            try:
                records = self._append(decided, key=key)
            except EmbeddingError:
                self._append(self._noted_reflection(workers.talk, procedure, failed, shown, ())[1])
                raise
            return next(record for record in records if record.event_id == reflected.event_id)

    def _noted_reflection(
        self,
        talk: Talk,
        procedure: Procedure,
        failed: Trajectory,
        shown: Sequence[tuple[EventId, Trajectory]],
        run_events: Sequence[EventId],
    ) -> tuple[tuple[EventId, ...], list[Decided]]:
        """Return the calls that the answer came from, by their events, and the events that put new ones on record."""
        events = noted(
            talk.calls,
            scope=self._scope,
            ids=self._store.ids,
            runs=[failed.digest, *(run.digest for _, run in shown)],
            procedures=[procedure.id],
            derived_from=tuple(dict.fromkeys((procedure.active, *run_events, *(one for one, _ in shown)))),
        )
        return (*(EventId(id) for id in talk.recalled), *(one.event_id for one in events)), events

    def _won_with(self, procedure: Procedure) -> list[StoredRun]:
        """Return the last runs that won with *procedure*, or that it was made from, as many as a question holds."""
        return list(islice(self._successes(procedure, others_too=False), SUCCESSES_READ))

    def _served_in(self, procedure: Procedure, failed: Trajectory) -> EventId:
        """Return the revision that was served where *failed* was lived; the active one if no episode says."""
        run = self._state.known_run(self._scope, failed.digest)
        for episode in () if run is None else episodes_serving(self._state, procedure.id):
            if run is not None and episode.trajectory_id == run.head.trajectory_id:
                return next(one.revision for one in episode.served if one.procedure_id == procedure.id)
        return procedure.active

    def _failed_run(self, trajectory: Trajectory | str) -> Trajectory:
        """
        Return the run that is meant: itself, or one on record by its id.

        Raises:
            NotFoundError: There is no such run on record.
        """
        if isinstance(trajectory, Trajectory):
            return self._store.masked_run(trajectory)
        run = self._state.run(TrajectoryId(trajectory))
        if run is None:
            raise NotFoundError(f"There is no recorded run {trajectory!r} here.")
        return self._load_run(run)

    def _on_record(self, run: Trajectory) -> tuple[list[Decided], EventId, TrajectoryId]:
        """Return what records *run*, if it is not on record; the event that does or did; and its id."""
        there = self._state.known_run(self._scope, run.digest)
        if there is not None:
            return [], there.event_id, there.head.trajectory_id
        id = TrajectoryId(self._store.ids.random())
        event = TrajectoryRecorded(trajectory_id=id, scope=self._scope, digest=run.digest, trajectory=run)
        decided = decide.single(event, self._store.ids)
        return [decided], decided.event_id, id


def _as_served(procedure: Procedure, revision: EventId) -> Procedure:
    """Return *procedure* with *revision* in the place of the active one; as it is if there is no such revision."""
    there = any(one.id == revision for one in procedure.revisions)
    return attrs.evolve(procedure, active=revision) if there else procedure


def _reflection(
    procedure: Procedure,
    answer: Reflected | ModelAnswerError,
    *,
    answers: TrajectoryId,
    reason: str,
    activate: bool,
) -> tuple[ProcedureReflected, str]:
    """Return the revision that *answer* makes, and why it is rejected at once; empty if it is not."""
    base = procedure.revision.content
    if isinstance(answer, ModelAnswerError):
        # What cannot be read cannot be a revision; what the model wrote stands in its calls.
        content, critique = base, "The model gave no script that can be used."
        why = answer.complaint.splitlines()[0]
    else:
        new, critique = answer.written.content, answer.critique
        content = attrs.evolve(base, task=new.task, patterns=new.patterns, script=new.script)
        if same_steps(new.script, base.script, answer.written.toolset):
            why = "it changes nothing"
        elif any(
            same_steps(new.script, one.content.script, answer.written.toolset) for one in open_candidates(procedure)
        ):
            why = "a candidate says just that already"
        else:
            why = ""
    event = ProcedureReflected(
        procedure_id=procedure.id,
        base=procedure.active,
        content_key=written_key(content, scope=procedure.scope, toolset=procedure.toolset, builder=procedure.builder),
        content=content,
        critique=critique,
        reason=reason,
        answers=(answers,),
        candidate=bool(why) or not activate,
    )
    return event, why
