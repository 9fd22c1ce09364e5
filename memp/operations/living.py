"""
The memory that lives with an agent: episodes, what becomes of their outcomes, candidates, and work put off for later.

An episode is two operations on the log and nothing in between: what was served, before the agent acts, and then the
run, the outcome, the evidence and all that policies decide, as one batch. So whenever a process dies, the log holds
the first without the second, or both whole.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import chain, islice
from typing import TYPE_CHECKING

import attrs

from memp import codec, decide
from memp.build import builder_named
from memp.decide import Decided
from memp.episodes import (
    EpisodeInfo,
    EpisodeStatus,
    QueuedRun,
    episodes_serving,
    find_episode,
    policy,
    queue,
    unfinished,
)
from memp.errors import BodyError, ConflictError, EmbeddingError, InvalidInputError, NotFoundError
from memp.events import (
    EpisodeFinished,
    EpisodeStarted,
    PolicySet,
    ProcedureAdded,
    RunDropped,
    RunQueued,
    Served,
)
from memp.found import Found
from memp.model import EpisodeId, Match, Procedure, QueuedId, Trajectory
from memp.operations.serving import Asking, Episode
from memp.operations.verdicts import Verdicts
from memp.operations.versions import as_invalid_input
from memp.record import Record
from memp.retrieval.filters import Filter
from memp.toolsets import builder_for, by_digest, is_recorded, resource_of
from memp.update import intake_policy
from memp.update.base import Remark, StoredRun
from memp.update.outcome import Around, Outcome, abandon, capped, finish
from memp.update.registry import DEFAULT, TRYING, GivenPolicy, policy_named, resolve
from memp.update.trial import on_trial

if TYPE_CHECKING:
    from memp.build import Builder
    from memp.projection import Run

OTHERS_LOOKED_AT = 50
"""Runs that won and have nothing to do with a procedure, among which an example for it is looked for all the same."""

DRAIN_RUNS = 100
"""Runs that are learned as one operation when the queue is drained: what is done stays done if the rest fails."""


@attrs.frozen(kw_only=True)
class Drained:
    """
    What draining the queue did.

    Attributes:
        runs: How many runs waited and wait no more.

        known: How many of them were on record already.

        added: Names of the new procedures.

        generalised: Names of the procedures that further runs now support.

        problems: What went wrong with the model, one sentence each.

        waiting: How many runs that were to be learned wait on, because an endpoint failed.
    """

    runs: int
    known: int
    added: tuple[str, ...]
    generalised: tuple[str, ...]
    problems: tuple[str, ...] = ()
    waiting: int = 0


UNSET = PolicySet(policies=DEFAULT)
"""The rules where nobody set any."""

FORGOTTEN = "the process that ran it ended before it did"
"""Why an episode was abandoned that stands open when a store is opened."""


class Living(Verdicts):
    """What a memory does while an agent works with it."""

    # -- episodes ------------------------------------------------------------------------------------------------

    def episode(
        self,
        task: str,
        k: int = 3,
        *,
        policy: GivenPolicy = None,
        key: str | None = None,
        where: Filter | None = None,
        evidence_weight: float = 0.0,
        style: str = "steps",
        budget_tokens: int | None = 600,
        scope: str | None = None,
    ) -> Episode:
        """
        Return an episode: serve procedures for *task*, let the agent act, and learn from what came of it.

        Entering the block writes what was served; ``finish`` writes the rest as one batch. A block that is left without
        ``finish`` is recorded as abandoned.

        Args:
            task: What is to be done, in words.

            k: How many procedures at most, 1 or more.

            policy: What decides about the outcome: a name, a function, or several of them in their order; None takes
                what ``set_policy`` said, or ``validation``.

            key: How procedures are found; as ``retrieve`` takes it.

            where: What a procedure must be to be served; as ``retrieve`` takes it.

            evidence_weight: What it counts that a procedure helped before; as ``retrieve`` takes it.

            style: Form of the prompt; as ``Found.prompt`` takes it.

            budget_tokens: Its length; as ``Found.prompt`` takes it.

            scope: Whose episode it is: a scope below the memory's own; None means the memory's own.

        Raises:
            InvalidInputError: There is no such policy, or the scope stands elsewhere.
        """
        if scope is not None and scope != self._scope:
            return self.within(scope).episode(
                task,
                k,
                policy=policy,
                key=key,
                where=where,
                evidence_weight=evidence_weight,
                style=style,
                budget_tokens=budget_tokens,
            )
        policies = resolve(policy, default=self._policies() if policy is None else DEFAULT)
        asking = Asking(
            k=k, key=key, where=where, evidence_weight=evidence_weight, style=style, budget_tokens=budget_tokens
        )
        return Episode(self, task, asking=asking, policies=policies)

    def _start(self, episode: Episode) -> None:
        names = tuple(name for name, _ in episode._policies)
        with self._store.lock:
            asking = episode._asking
            with self._store.noting() as asked:
                try:
                    found = self.retrieve(
                        episode.task,
                        asking.k,
                        key=asking.key,
                        where=asking.where,
                        evidence_weight=asking.evidence_weight,
                    )
                except EmbeddingError:
                    self._note_embedded(asked, ())
                    raise
            matches = found.matches
            if TRYING.intersection(names):
                matches = tuple(
                    attrs.evolve(match, procedure=on_trial(self._state, match.procedure)) for match in matches
                )
            # Rendering may put templates on record, so the view that was read is the one after it.
            prompt = Found(episode.task, matches, renderer=self._use_renderer, toolset_of=self.toolset_of).prompt(
                budget_tokens=asking.budget_tokens, style=asking.style
            )
            id = EpisodeId(self._store.ids.random())
            event = EpisodeStarted(
                episode_id=id,
                task=self._store.masked(episode.task),
                scope=self._scope,
                branch=self._branch,
                position=self.position,
                served=tuple(_served(match) for match in matches),
                prompt=sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest(),
                policies=names,
            )
            read = tuple(match.procedure.active for match in matches)
            decided = decide.single(event, self._store.ids, read=read)
            self._append([decided])
            self._note_embedded(asked, [decided])
        episode.id, episode.matches, episode.prompt = id, matches, prompt

    def _finish(self, episode: Episode, outcome: Outcome) -> tuple[Record, ...]:
        run = self._store.masked_run(outcome.trajectory)
        if run is not outcome.trajectory:
            outcome = attrs.evolve(outcome, trajectory=run)
        with self._store.lock:
            info = self._open_episode(episode.id)
            settings = self._settings()
            builder = builder_for(self._state, settings.build)
            ended = partial(finish, self._state, info, outcome, settings=settings, around=self._around(builder))
            decided = ended(policies=episode._policies)
            try:
                return self._append([*self._new_toolsets(decided, builder), *decided])
            except EmbeddingError as error:
                # How it ended is known now and never again; what would have been made of it is not worth that.
                why = f"nothing was made of the run, because its words could not be embedded: {error}"
                warnings.warn(f"The episode is over, and {why}", RuntimeWarning, stacklevel=3)
                return self._append(ended(policies=[("none", lambda *_: [Remark(text=why)])]))

    def _abandon(self, episode: Episode, why: str) -> None:
        with self._store.lock:
            info = self._open_episode(episode.id)
            run = self._store.masked_run(episode.trajectory()) if episode._steps else None
            self._append(abandon(self._state, info, run, why=self._store.masked(why), ids=self._store.ids))
        episode._ended = True

    def _abandon_forgotten(self) -> None:
        """Record as abandoned what was begun and can be finished by nobody: the process that ran it is gone."""
        with self._store.lock:
            for branch in tuple(self._store.history.branches.values()):
                ends = [
                    decide.single(
                        EpisodeFinished(episode_id=id, abandoned=True, why=FORGOTTEN), self._store.ids, cause=event_id
                    )
                    for id, event_id in unfinished(branch.diary)
                ]
                if ends and branch.deleted is None:
                    self._on(branch.name)._append(ends)

    def _open_episode(self, id: EpisodeId) -> EpisodeInfo:
        info = find_episode(self._state, id)
        if info is None or info.status is not EpisodeStatus.STARTED:
            raise ConflictError(f"The episode {id!r} is not open here.")
        return info

    def _policies(self) -> tuple[str, ...]:
        with self._store.lock:
            return self._settings().policies

    def _settings(self) -> PolicySet:
        return policy(self._state) or UNSET

    def _around(self, builder: Builder) -> Around:
        return Around(
            ids=self._store.ids,
            builder=builder,
            toolset_of=lambda digest: by_digest(self._state, digest),
            successes=self._successes,
        )

    def _new_toolsets(self, decided: Sequence[Decided], builder: Builder) -> list[Decided]:
        """Return what puts toolsets on record that *decided* speaks and that are not there yet, in the same batch."""
        spoken = {one.event.toolset for one in decided if isinstance(one.event, ProcedureAdded)}
        new = [t for t in builder.toolsets if t.digest in spoken and not is_recorded(self._state, t)]
        return [decide.single(resource_of(toolset), self._store.ids) for toolset in new]

    def _successes(self, procedure: Procedure, *, others_too: bool = True) -> Iterator[StoredRun]:
        """Yield the runs that won, newest first: of episodes that served *procedure*, its sources, the last others."""
        lived = (episode.trajectory_id for episode in episodes_serving(self._state, procedure.id))
        near = (self._state.run(id) for id in (*lived, *procedure.sources) if id is not None)
        others = islice(
            (run for run in reversed(self._state.runs()) if run.head.success), OTHERS_LOOKED_AT * others_too
        )
        chosen = {run.event_id: run for run in chain(near, others) if run is not None and run.head.success}
        for run in sorted(chosen.values(), key=lambda run: run.position, reverse=True):
            if self._readable(run):
                try:
                    yield run.event_id, self._load_run(run)
                except BodyError:
                    continue  # it was purged and can teach nothing any more

    def _readable(self, run: Run) -> bool:
        """Whether the run is in force, and everybody's or this scope's own."""
        return run.head.scope in ("", self._scope) and self._state.in_force(run.event_id)

    # -- rules and candidates ------------------------------------------------------------------------------------

    def set_policy(
        self,
        *policies: str,
        build: str = "verbatim",
        half_life_days: float | None = None,
        max_procedures: int | None = None,
        reason: str = "",
    ) -> Record:
        """
        Say what decides about outcomes from here on; it is an event, so the past keeps its own rules.

        Args:
            policies: Names of policies, in the order in which they decide.

            build: The builder of procedures from episodes' runs; as ``learn`` takes it.

            half_life_days: An outcome counts half after so many days, over 0; None counts all alike.

            max_procedures: How many procedures are retrieved at most, 1 or more; what is over is erased, the least
                useful first. None for no limit.

            reason: One sentence for people.

        Raises:
            InvalidInputError: There is no such policy or builder, none was named, or a value is out of range.
        """
        if not policies:
            raise InvalidInputError("Name a policy or more; 'none' leaves the memory as it is.")
        for name in policies:
            policy_named(name)
        builder_named(build)
        with self._store.lock, as_invalid_input():
            event = PolicySet(
                policies=policies,
                build=build,
                half_life_days=half_life_days,
                max_procedures=max_procedures,
                reason=reason,
            )
            decided = capped(
                self._state, [decide.single(event, self._store.ids)], event, scope=self._scope, ids=self._store.ids
            )
            return self._append(decided)[0]

    def _limit(self, max_procedures: int | None) -> None:
        """Set how many procedures there may be, unless the rules in force say so already; None leaves them be."""
        with self._store.lock:
            rules = self._settings()
            if max_procedures is None or rules.max_procedures == max_procedures:
                return
            self.set_policy(
                *rules.policies,
                build=rules.build,
                half_life_days=rules.half_life_days,
                max_procedures=max_procedures,
                reason="the limit that the memory was opened with",
            )

    # -- work for later ------------------------------------------------------------------------------------------

    def learn_later(self, rows: Iterable[Trajectory], *, key: str | None = None) -> tuple[Record, ...]:
        """
        Put runs into the queue, as one operation; ``drain`` learns from them.

        Args:
            rows: The runs.

            key: Retry token.

        Raises:
            InvalidInputError: A row is not a trajectory.
        """
        runs = list(rows)
        for run in runs:
            if not isinstance(run, Trajectory):
                raise InvalidInputError(f"'rows' must hold memp.Trajectory (got {type(run).__name__}).")
        runs = [self._store.masked_run(run) for run in runs]
        ids = self._store.ids
        with self._store.lock:
            if key is not None and (records := self._store.log.said(key, branch=self._branch)):
                return tuple(records)
            events = [RunQueued(queued_id=QueuedId(ids.random()), scope=self._scope, trajectory=run) for run in runs]
            return self._append([decide.single(event, ids) for event in events], key=key)

    def drop(self, id: str, *, reason: str) -> Record:
        """
        Take a run out of the queue without learning from it.

        Raises:
            NotFoundError: No run of that id waits.

            InvalidInputError: The reason is empty.
        """
        with self._store.lock, as_invalid_input():
            if id not in {run.id for run in queue(self._state)}:
                raise NotFoundError(f"No run {id!r} waits in the queue.")
            return self._say(RunDropped(queued_id=QueuedId(id), reason=reason))

    def drain(self, limit: int | None = None, *, build: str | None = None, policy: str | None = None) -> Drained:
        """
        Learn from the runs that wait, oldest first, a hundred at a time: what is done stays done.

        Args:
            limit: How many at most, 0 or more; None for all.

            build: How procedures are built; None takes what ``set_policy`` said, or ``verbatim``.

            policy: Which runs they are built from, ``validation`` or ``vanilla``; None takes the one that is set, or
                ``validation``.

        Raises:
            InvalidInputError: There is no such builder or policy.
        """
        if limit is not None and limit < 0:
            raise InvalidInputError(f"'limit' must be 0 or more (got {limit!r}).")
        total = Drained(runs=0, known=0, added=(), generalised=())
        while limit is None or total.runs < limit:
            done = self._drain_some(DRAIN_RUNS if limit is None else min(DRAIN_RUNS, limit - total.runs), build, policy)
            if not done.runs:
                break
            total = Drained(
                runs=total.runs + done.runs,
                known=total.known + done.known,
                added=(*total.added, *done.added),
                generalised=tuple(dict.fromkeys((*total.generalised, *done.generalised))),
            )
        return total

    def _drain_some(self, most: int, build: str | None, policy: str | None) -> Drained:
        with self._store.lock:
            waiting = [run for run in queue(self._state) if run.scope == self._scope][:most]
            settings = self._settings()
            builder = builder_for(self._state, build or settings.build)
            chosen = intake_policy(policy or self._intake_name())
            runs = [run for run in (self._queued_run(one) for one in waiting) if run is not None]
            ids = self._store.ids
            plan = decide.learn(self._state, runs, builder=builder, policy=chosen, scope=self._scope, ids=ids)
            learned = capped(self._state, plan.decided, settings, scope=self._scope, ids=ids)
            gone = [RunDropped(queued_id=one.id, learned=True, reason="it was its turn") for one in waiting]
            done = [decide.single(event, ids) for event in gone]
            self._append([*self._new_toolsets(learned, builder), *learned, *done])
        return Drained(
            runs=len(waiting), known=plan.known, added=plan.added, generalised=tuple(dict.fromkeys(plan.generalised))
        )

    def _queued_run(self, queued: QueuedRun) -> Trajectory | None:
        """Return the run that waits, steps and all; None if it was purged."""
        [record] = self._store.log.read(after=queued.position - 1, until=queued.position)
        if record.body is None:
            return None
        event = codec.decode(record.type, record.schema, record.body, position=record.position)
        assert isinstance(event, RunQueued)
        return event.trajectory

    def _intake_name(self) -> str:
        """Return which runs procedures are built from where a caller does not say."""
        return "vanilla" if "vanilla" in self._settings().policies else "validation"


def _served(match: Match) -> Served:
    return Served(procedure_id=match.procedure.id, revision=match.procedure.active, rank=match.rank, score=match.score)
