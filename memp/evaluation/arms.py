"""
What each arm serves for a task: versions of the memory, and the yardsticks beside them.

All arms are asked in the one process that has the store open. Versions share its vectors, and a question is embedded
and multiplied once for all of them, so a hundred versions cost a hundred masks and no store is ever built anew. What
goes to workers is finished prompts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from memp.build.verbatim import without_extras
from memp.codec import decode
from memp.errors import InvalidInputError
from memp.evaluation.agent import Prompt
from memp.evaluation.result import BASELINES, BM25, NONE, RANDOM, RAW, Arm, Involved
from memp.events import TrajectoryRecorded
from memp.found import Found
from memp.model import content_digest
from memp.view import View

if TYPE_CHECKING:
    from memp.evaluation.agents.named import Reads
    from memp.events.measuring import ArmKind
    from memp.memory import Memory
    from memp.model import Procedure, Trajectory
    from memp.record import Record

ArmSpec = str | int | View
"""
An arm as users name it: a tag, position, branch, event id or time as ``Memory.at`` takes it; ``BRANCH@VERSION`` for a
position or time of another branch; a view; or ``none``, ``random``, ``bm25``, ``raw`` of the present, which with
``@VERSION`` behind them are of that version.
"""

Arms = Sequence[ArmSpec] | Mapping[str, ArmSpec]
"""Several arms; a mapping gives them names of its own."""

YARDSTICKS: dict[str, ArmKind] = {RANDOM: "random", BM25: "bm25", RAW: "raw"}
"""The arms that are asked of a version, and do not serve as it does."""

BUDGET_TOKENS = 600
"""How long the text for an agent may be when nobody says otherwise: as for ``Found.prompt``."""

Ask = Callable[[str, int], "Found | None"]
"""From a task and a seed to what is served; None for nothing."""


@attrs.frozen(kw_only=True)
class Serving:
    """
    What one arm serves for one task.

    Attributes:
        prompt: What the agent gets.

        digest: Hex digest of all of it that the agent looks at; empty if nothing is served, or nothing looked at.

        served: The procedures, best first.
    """

    prompt: Prompt
    digest: str
    served: tuple[Involved, ...]


NOTHING = Serving(prompt=Prompt(), digest="", served=())


@attrs.frozen(kw_only=True, eq=False)
class Source:
    """
    An arm that can be asked.

    Attributes:
        arm: The arm.

        ask: Returns what it finds.

        budget_tokens: How long its text may be; None for no limit.

        varies: Whether another seed finds something else.
    """

    arm: Arm
    ask: Ask
    budget_tokens: int | None
    varies: bool = False


class Server:
    """
    Serves tasks from any version of one memory.

    Args:
        memory: The memory; open for reading is enough.

        k: How many procedures at most, 1 or more.

        key: How they are found, as ``retrieve`` takes it; None for the usual way.

        budget_tokens: How long the text may be; None for no limit. Whole runs (``raw``) are never cut.

        style: Of the text, as ``Found.prompt`` takes it.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        k: int = 3,
        key: str | None = None,
        budget_tokens: int | None = BUDGET_TOKENS,
        style: str = "steps",
    ) -> None:
        self._memory = memory
        self._k, self._key, self._budget, self._style = k, key, budget_tokens, style
        self._digests: dict[str, str] = {}
        self._runs: dict[str, Memory] = {}
        self._recorded: dict[str, dict[str, None]] = {}

    def close(self) -> None:
        """Give back what whole runs were found with."""
        for twin in self._runs.values():
            twin.close()
        self._runs.clear()

    def source(self, spec: ArmSpec, *, name: str | None = None) -> Source:
        """
        Return the arm that *spec* means.

        Args:
            spec: The arm as users name it.

            name: What it is called; None takes *spec*.

        Raises:
            NotFoundError: There is no such version.

            InvalidInputError: It is nothing that could name one.
        """
        if isinstance(spec, View):
            return self._of_view(spec, name or f"{spec.branch_name}@{spec.position}")
        called = name or str(spec)
        if isinstance(spec, str):
            kind, _, version = spec.partition("@")
            if kind == NONE and not version:
                return Source(arm=Arm(name=called, kind="none"), ask=_nothing, budget_tokens=0)
            if (yardstick := YARDSTICKS.get(kind)) is not None:
                return self._yardstick(yardstick, self.view(version) if version else self._memory, called)
        return self._of_view(self.view(spec), called)

    def view(self, spec: str | int) -> View:
        """
        Return the version that *spec* names.

        Raises:
            NotFoundError: There is none.

            InvalidInputError: It is nothing that could name one.
        """
        if isinstance(spec, str) and "@" in spec:
            branch, _, version = spec.rpartition("@")
            return self._memory.branch(branch).at(version)
        return self._memory.at(spec)

    def _of_view(self, view: View, name: str) -> Source:
        def ask(task: str, _seed: int) -> Found:
            return view.retrieve(task, self._k, key=self._key)

        return Source(arm=_arm(name, "view", view), ask=ask, budget_tokens=self._budget)

    def _yardstick(self, kind: ArmKind, view: View, name: str) -> Source:
        if kind == RAW:
            return self._of_runs(view, name)

        def ask(task: str, seed: int) -> Found:
            return view.retrieve(task, self._k, key=kind, seed=seed)

        return Source(arm=_arm(name, kind, view), ask=ask, budget_tokens=self._budget, varies=kind == RANDOM)

    def _of_runs(self, view: View, name: str) -> Source:
        """Return the arm that serves the runs on record that were won, whole, found as procedures are."""
        arm = _arm(name, "raw", view)
        twin = self._twin(view, str(arm.state_digest))

        def ask(task: str, _seed: int) -> Found:
            return twin.retrieve(task, self._k, key=self._key)

        return Source(arm=arm, ask=ask, budget_tokens=None)

    def _twin(self, view: View, digest: str) -> Memory:
        """Return a memory that holds the runs of *view* as they are, one procedure for each."""
        if digest not in self._runs:
            records = list(view.events(type=TrajectoryRecorded.TYPE))
            in_force = {told.event_id for told in view.tell(record.event_id for record in records) if told.in_force}
            runs = [run_of(record) for record in records if record.event_id in in_force and record.body is not None]
            for run in runs:
                # A procedure keeps a run without what only its source said; the recording has all of it.
                self._recorded.setdefault(without_extras(run).digest, {})[run.digest] = None
            twin = self._memory.empty_twin()
            twin.learn(runs, build="verbatim", policy="validation")
            self._runs[digest] = twin
        return self._runs[digest]

    def serve(self, source: Source, task: str, *, seed: int = 0, reads: Reads = "both") -> Serving:
        """
        Return what *source* serves for *task*.

        Args:
            source: The arm.

            task: The task in words.

            seed: Another one draws other procedures by lot; for the other arms it changes nothing.

            reads: What the agent looks at; nothing else is made, and nothing else enters the digest.
        """
        found = source.ask(task, seed if source.varies else 0)
        if not found:
            return NOTHING
        procedures = tuple(match.procedure for match in found)
        text = found.prompt(budget_tokens=source.budget_tokens, style=self._style) if reads == "both" else ""
        return Serving(
            prompt=Prompt(text=text, procedures=procedures),
            digest="" if reads == "nothing" else self._digest(text, procedures),
            served=tuple(self._involved(procedure, raw=source.arm.kind == RAW) for procedure in procedures),
        )

    def _involved(self, procedure: Procedure, *, raw: bool) -> Involved:
        if raw and procedure.run is not None:
            [digest, *_] = self._recorded[procedure.run.digest]
            return Involved(name=procedure.name, subject=f"run/{digest}")
        return Involved(name=procedure.name, subject=f"procedure/{procedure.id}")

    def _digest(self, text: str, procedures: Sequence[Procedure]) -> str:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
        for procedure in procedures:
            revision = procedure.revision
            if revision.id not in self._digests:
                self._digests[revision.id] = content_digest((procedure.toolset, revision.content))
            digest.update(self._digests[revision.id].encode())
        return digest.hexdigest()


def run_of(record: Record) -> Trajectory:
    """Return the run of a record that holds one, and whose body was not purged."""
    assert record.body is not None
    event = decode(record.type, record.schema, record.body, position=record.position)
    assert isinstance(event, TrajectoryRecorded)
    return event.trajectory


def named_arms(arms: Arms) -> dict[str, ArmSpec]:
    """
    Return *arms* by name, ``none`` and ``random`` first if they were not named.

    Raises:
        InvalidInputError: Two arms have the same name, or there is something that cannot name an arm.
    """
    given = list(arms.items()) if isinstance(arms, Mapping) else [(_called(spec), spec) for spec in arms]
    for _, spec in given:
        if isinstance(spec, bool) or not isinstance(spec, str | int | View):
            raise InvalidInputError(f"An arm must be a version, a view, or none, random, bm25 or raw (got {spec!r}).")
    named = dict(given)
    if len(named) < len(given):
        raise InvalidInputError(f"Arms must have different names (got {[name for name, _ in given]!r}).")
    there = {str(spec).partition("@")[0] for spec in named.values() if isinstance(spec, str)}
    missing = {kind: kind for kind in BASELINES if kind not in there}
    if taken := sorted(set(missing) & set(named)):
        raise InvalidInputError(f"{taken[0]!r} is the name of an arm that is always there. Choose another name.")
    return {**missing, **named}


def _called(spec: ArmSpec) -> str:
    return f"{spec.branch_name}@{spec.position}" if isinstance(spec, View) else str(spec)


def _arm(name: str, kind: ArmKind, view: View) -> Arm:
    return Arm(
        name=name,
        kind=kind,
        branch=view.branch_name,
        position=view.position,
        state_digest=view.state_digest(),
    )


def _nothing(_task: str, _seed: int) -> None:
    """Find nothing."""
