"""
Reading a version of the memory: what there is, what helps with a task, and the prompt that says so.

The memory that is open for writing and any version of it that somebody looks back at share these methods, so that a
question asked of the past is answered by the same code as one asked now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import attrs

from memp import decide
from memp import episodes as diary
from memp.episodes import EpisodeInfo, QueuedRun
from memp.errors import ConflictError, InvalidInputError
from memp.events import EVENT_TYPES, GateSet, PolicySet
from memp.found import Found
from memp.history.diff import Diff, compare
from memp.history.duplicates import SIMILAR_FROM, Duplicate, find_duplicates
from memp.history.undo import plan, select
from memp.history.when import When, resolve
from memp.lookup import find_procedure, find_revision
from memp.model import EventId, Match, Position, Procedure
from memp.operations.calls import Cost, added_up, calls_seen, evaluations_seen
from memp.projection import Entry, Tombstone
from memp.record import Record
from memp.rendering import Renderer
from memp.retrieval.filters import Filter
from memp.retrieval.lives import Lives
from memp.retrieval.search import Question, search
from memp.script.toolset import Toolset
from memp.sql import Answer, answer, rows_of
from memp.state import WHAT_IF, State, also
from memp.state import without as without_events
from memp.store import Store
from memp.storied import Storied
from memp.toolsets import spoken_by
from memp.update.credit import Credit, credit, posterior
from memp.update.trial import Candidate, candidates


@attrs.frozen(kw_only=True)
class Tag:
    """
    A name for a version.

    Attributes:
        name: The name.

        branch: The branch of the version.

        position: Its last position.

        reason: One sentence for people; may be empty.
    """

    name: str
    branch: str
    position: Position
    reason: str


@attrs.frozen(kw_only=True)
class BranchInfo:
    """
    A branch.

    Attributes:
        name: The name.

        parent: The branch whose past it shares; None for ``main``.

        forked_at: The last position that both share; 0 for ``main``.

        position: Its last event.
    """

    name: str
    parent: str | None
    forked_at: Position
    position: Position


class View(Storied):
    """
    The reading methods, over one version of the memory.

    Args:
        store: What all versions share.

        state: The version.

        lives: Which rows it finds, by position.
    """

    def __init__(self, store: Store, state: State, *, lives: Lives) -> None:
        self._store = store
        self._state = state
        self._lives = lives
        self._folded = store.folded

    @property
    def position(self) -> Position:
        """The last event that is seen here; 0 in an empty memory."""
        return self._state.position

    @property
    def branch_name(self) -> str:
        """The branch that this version is on."""
        return self._state.branch.name

    def asked_again(self) -> AbstractContextManager[None]:
        """While it lasts, expect the same questions of many versions: each is embedded and multiplied once for all."""
        return self._store.asked_again()

    def procedures(self, *, everything: bool = False) -> list[Procedure]:
        """
        Return the procedures that are retrieved, in the order in which they were added.

        Args:
            everything: Also return those that are erased or merged.
        """
        with self._store.lock:
            return self._state.all() if everything else self._state.live()

    def procedure(self, wanted: str) -> Procedure:
        """
        Return one procedure, whatever its status.

        Args:
            wanted: Its name, its id, or the first characters of its id, four or more.

        Raises:
            ProcedureNotFoundError: There is none, or more than one.
        """
        with self._store.lock:
            return find_procedure(self._state, wanted)

    def toolset_of(self, procedure: Procedure) -> Toolset | None:
        """Return the toolset that the script of *procedure* speaks; None if it is untyped."""
        with self._store.lock:
            return spoken_by(self._state, procedure)

    def retrieve(
        self,
        task: str,
        k: int = 3,
        *,
        key: str | None = None,
        where: Filter | None = None,
        diversity: float = 0.0,
        evidence_weight: float = 0.0,
        seed: int = 0,
    ) -> Found:
        """
        Return the procedures that may help with *task*, best first.

        Args:
            task: What is to be done, in words.

            k: How many at most, 1 or more.

            key: ``pattern`` compares what tasks ask for and leaves names open; ``query`` compares whole tasks;
                ``bm25`` compares words; ``hybrid`` ranks what ``pattern`` proposes by all three (the default);
                ``facts`` compares piece by piece; ``random`` draws by lot.

            where: What a procedure must be to be found; None lets all through.

            diversity: What repeating another match costs, from 0 (nothing) to 1.

            evidence_weight: What it counts that a match helped before, from 0 (nothing) to 1 (all): the lower end of
                the interval that ``evidence`` shows.

            seed: Another one gives another draw; used by ``random`` alone.

        Raises:
            InvalidInputError: The task is empty, *k* is below 1, there is no such key, or *diversity* or
                *evidence_weight* is no share.
        """
        with self._store.lock:
            if self._state.branch.name == WHAT_IF and self._folded != self._store.folded:
                raise ConflictError("Events were purged or lost since this version was asked for. Ask for it again.")
            catalogue, position, scope = self._store.catalogue, self._state.position, self._state.scope
            space = self._store.space(self._state)
            masks = self._lives.masks(position, size=len(catalogue), scope=scope)
            admitted = masks
            if where is not None:
                admitted = self._lives.admitted.of(where, masks, self._state, self._lives, catalogue.procedures)
            question = Question(
                task=self._store.masked(task),
                k=k,
                catalogue=catalogue,
                space=space,
                live=admitted.clean,
                found=masks.found,
                fixed_words=self._lives.fixed_words(position, scope=scope),
                embed=partial(self._store.embed, generation=space.generation),
                seed=seed,
                lower_end=self._lower_end,
            )
            ranked = search(
                question,
                key=key,
                tainted=admitted.tainted,
                diversity=diversity,
                evidence_weight=evidence_weight,
            )
            matches = [
                Match(procedure=self._procedure_of(found.row), score=found.score, rank=rank, parts=found.parts)
                for rank, found in enumerate(ranked, 1)
            ]
        return Found(task, matches, renderer=self._use_renderer, toolset_of=self.toolset_of)

    def _lower_end(self, row: int) -> float:
        """Return how often the procedure of *row* helps at least, by the age that the policy in force asks for."""
        procedure, rules = self._procedure_of(row), diary.policy(self._state)
        half_life_days = None if rules is None else rules.half_life_days
        return posterior(self._state, procedure, procedure.revision, half_life_days=half_life_days).lower_end()

    def _procedure_of(self, row: int) -> Procedure:
        procedure = self._state.get(self._store.catalogue.procedures[row])
        assert procedure is not None
        return procedure

    def _use_renderer(self) -> Renderer:
        """Return what renders prompts here."""
        return self._store.renderer(self._state)

    def events(self, *, procedure: str | None = None, type: str | None = None) -> Iterator[Record]:
        """
        Return the records that are seen here, oldest first, read as they are asked for.

        Args:
            procedure: Only those about this procedure: its name, id, or the first characters of its id. A merge is
                about all that it merged; the runs that a procedure was built from are not about it.

            type: Only those of this type, such as ``procedure-added``.

        Raises:
            ProcedureNotFoundError: There is no such procedure.

            InvalidInputError: There is no such type.
        """
        if type is not None and type not in EVENT_TYPES:
            raise InvalidInputError(f"'type' must be one of {', '.join(sorted(EVENT_TYPES))} (got {type!r}).")
        about: frozenset[str] | None = None
        with self._store.lock:
            if procedure is not None:
                found = find_procedure(self._state, procedure)
                about = frozenset(entry.event_id for entry in self._state.entries_of(found.id))
            until = self._state.position
        return (
            record
            for record in self._store.log.read(until=until)
            if self._state.sees(record.event_id)
            and (about is None or record.event_id in about)
            and (type is None or record.type == type)
        )

    # -- other versions ------------------------------------------------------------------------------------------

    def at(self, when: When, *, without: Iterable[str] = ()) -> View:
        """
        Return the memory as it was, to be read with the same methods.

        It answers exactly as a memory would that was fed only the events up to there: the same procedures, the same
        ranking, the same prompts.

        Args:
            when: A tag, a branch, a position, an event id, or a time: an aware datetime or a text such as
                ``2026-11-03T12:00Z``. A position that is not seen on this branch means the last one before it that is.

            without: Events to leave out, with all that was made from them, as if they had never happened.

        Raises:
            NotFoundError: No version is called that, or there is no such event in it.

            InvalidInputError: A time without its zone, or nothing of all this.

            ConflictError: An event of *without* cannot be undone, or is out of force there.
        """
        with self._store.lock:
            version = resolve(self._store.history, self._state.branch, when)
            state = State(self._store.history, version.branch, version.position, scope=self._state.scope)
            lives = self._store.catalogue.lives[version.branch.name]
            events = list(without)
            if not events:
                return View(self._store, state, lives=lives)
            undone = plan(state, select(state, events), on_dependents="cascade").undone
            hypothetical, changed = without_events(state, undone)
            lives = lives.fork(state.position)
            self._store.catalogue.move(lives, hypothetical.branch, changed)
            return View(self._store, hypothetical, lives=lives)

    def trying(self, revisions: Iterable[str]) -> View:
        """
        Return this version as it would be with candidates in the place of what is active; nothing is stored.

        Args:
            revisions: The candidates, by the events that made them; one after the other.

        Raises:
            EventNotFoundError: No revision here is called that.

            ConflictError: It is not a candidate.
        """
        with self._store.lock:
            hypothetical, _ = without_events(self._state, ())
            lives = self._lives.fork(self._state.position)
            for revision in revisions:
                procedure, found = find_revision(self._state, revision)
                event = decide.accept(procedure, found, reason="what if")
                entry = Entry(event_id=EventId(WHAT_IF), position=self.position, derived_from=(), said=event)
                self._store.catalogue.move(lives, hypothetical.branch, also(hypothetical, [entry]))
            return View(self._store, hypothetical, lives=lives)

    def diff(self, before: When, after: When | None = None) -> Diff:
        """
        Return what differs between two versions.

        Args:
            before: The earlier one, as ``at`` takes it.

            after: The later one; None means this one.

        Raises:
            NotFoundError: No version is called that.
        """
        with self._store.lock:
            earlier = self.at(before)._state
            return compare(earlier, self._state if after is None else self.at(after)._state)

    def duplicates(self, *, similar_from: float = SIMILAR_FROM) -> list[Duplicate]:
        """
        Return pairs of procedures that say the same, or nearly, the most alike first; ``merge`` makes one of a pair.

        Args:
            similar_from: Share of steps in common from which two procedures for the same kind of task are a pair, over
                0 and at most 1. Those with the same skeleton are a pair in any case.

        Raises:
            InvalidInputError: *similar_from* is no such share.
        """
        return find_duplicates(self.procedures(), similar_from=similar_from)

    def sql(self, query: str, *, timeout_seconds: float = 10.0, max_rows: int = 10_000) -> Answer:
        """
        Ask this version in SQL, over the views ``events``, ``procedures``, ``revisions`` and ``evidence``.

        The query reads and can do nothing else: it reaches no file and no network.

        Args:
            query: One ``select`` statement of DuckDB.

            timeout_seconds: When it is stopped, over 0.

            max_rows: How many rows are returned at most, 1 or more.

        Raises:
            InvalidInputError: It is no query, names what there is not, tries to do more than read, or takes too long.
        """
        with self._store.lock:
            rows = rows_of(self._state, self.events(), query)
        return answer(rows, query, timeout_seconds=timeout_seconds, max_rows=max_rows)

    # -- what it was worth ---------------------------------------------------------------------------------------

    def evidence(self, procedure: str, *, half_life_days: float | None = None) -> Credit:
        """
        Return what is known of how much the active revision helps; it prints as ``helped in 9 of 12 (95 %: .47–.92)``.

        Args:
            procedure: Its name, its id, or the first characters of its id, four or more.

            half_life_days: An outcome counts half after so many days, over 0, and ages count to the last event that is
                seen here; None counts all alike.

        Raises:
            ProcedureNotFoundError: There is none, or more than one.

            InvalidInputError: *half_life_days* is not over 0.
        """
        if half_life_days is not None and not 0 < half_life_days < float("inf"):
            raise InvalidInputError(f"'half_life_days' must be over 0 (got {half_life_days!r}).")
        with self._store.lock:
            found = find_procedure(self._state, procedure)
            return credit(self._state, found, found.revision, half_life_days=half_life_days)

    def episodes(self) -> list[EpisodeInfo]:
        """Return the episodes, oldest first; one whose process was killed stays ``started``."""
        with self._store.lock:
            return diary.episodes(self._state)

    def candidates(self) -> list[Candidate]:
        """Return the revisions that wait for a verdict, procedures in the order in which they were added."""
        with self._store.lock:
            return candidates(self._state)

    def policy(self) -> PolicySet | None:
        """Return the rules that were set last; None if nobody ever set any."""
        with self._store.lock:
            return diary.policy(self._state)

    def gate(self) -> GateSet | None:
        """Return what candidates must pass before they take the place of what works; None if there is no gate."""
        with self._store.lock:
            return diary.gate(self._state)

    def costs(self, by: str = "model") -> tuple[Cost, ...]:
        """
        Return what the calls to models that are on record here came to, those of agents in recorded evaluations too.

        Args:
            by: ``procedure`` that the answers became, ``model``, or ``day`` (UTC).

        Raises:
            InvalidInputError: *by* is none of these.
        """
        with self._store.lock:
            log = self._store.log
            return added_up(
                self._state, calls_seen(self._state, log), by=by, evaluations=evaluations_seen(self._state, log)
            )

    def queue(self) -> list[QueuedRun]:
        """Return the runs that wait to be learned from, oldest first."""
        with self._store.lock:
            return diary.queue(self._state)

    # -- names for versions --------------------------------------------------------------------------------------

    def tombstones(self) -> list[Tombstone]:
        """Return what is left of the events seen here whose content was purged, oldest first."""
        with self._store.lock:
            return self._state.tombstones()

    def tags(self) -> list[Tag]:
        """Return the tags, by name."""
        with self._store.lock:
            found = ((name, timeline.last()) for name, timeline in self._store.history.tags.items())
            return [
                Tag(name=name, branch=tag.branch, position=Position(tag.position), reason=tag.reason)
                for name, tag in sorted(found, key=lambda item: item[0])
            ]

    def branches(self) -> list[BranchInfo]:
        """Return the branches that are not deleted, oldest first."""
        with self._store.lock:
            return [
                BranchInfo(
                    name=branch.name,
                    parent=branch.parent.name if branch.parent is not None else None,
                    forked_at=branch.forked_at,
                    position=branch.position,
                )
                for branch in self._store.history.branches.values()
                if branch.deleted is None
            ]

    def state_digest(self) -> str:
        """Return the hex SHA-256 of content, support, evidence and status: the same for stores that lived the same."""
        with self._store.lock:
            return self._state.digest()
