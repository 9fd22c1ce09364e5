"""
What versions were measured to be worth.

An evaluation is a fact about versions, so it stands in their log: a verdict can rest on it, and years later it can be
asked again. It holds every attempt and not the sums, because results are compared task by task.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, Literal

import attrs

from memp.model import as_float, check_filled, check_finite

SuiteKind = Literal["live", "replay"]
"""Whether an agent lived through tasks, or runs on record were asked what they had needed."""

ArmKind = Literal["view", "none", "random", "bm25", "raw"]
"""A version as it serves; nothing served; drawn by lot; compared by words; whole runs instead of procedures."""


@attrs.frozen(kw_only=True)
class Measured:
    """
    On what and by whom an evaluation was done; results that differ in it are not compared.

    Attributes:
        suite: Name of the suite.

        suite_version: Its version; that of the environment is in it.

        suite_digest: Hex digest of its name, version and tasks; in a replay, of its version and runs.

        kind: ``live`` or ``replay``.

        toolset: Name of the toolset of the suite's world; None if it has none.

        agent: Name of the agent; empty in a replay.

        agent_version: Its version.

        memp_version: The version of memp that measured; of the same attempts another one may say something else.

        k: How many procedures were served at most.

        key: How they were found; None for the usual way.

        max_steps: The limit of actions; 0 in a replay.
    """

    suite: str = attrs.field(validator=check_filled)
    suite_version: str
    suite_digest: str
    kind: SuiteKind = "live"
    toolset: str | None = None
    agent: str = ""
    agent_version: str = ""
    memp_version: str = ""
    k: int = 3
    key: str | None = None
    max_steps: int = 0


@attrs.frozen(kw_only=True)
class Arm:
    """
    What an agent was served from.

    Attributes:
        name: What the caller called it; the column of every table.

        kind: ``view``, ``none``, ``random``, ``bm25`` or ``raw``.

        branch: The branch of the version that was read; None where nothing is served.

        position: Its last event; None where nothing is served.

        state_digest: Hex digest of the version's content; None where nothing is served.
    """

    name: str = attrs.field(validator=check_filled)
    kind: ArmKind = "view"
    branch: str | None = None
    position: int | None = None
    state_digest: str | None = None


@attrs.frozen(kw_only=True)
class Spent:
    """
    What the requests to one model came to, of an agent that is one.

    Attributes:
        model: What its endpoint calls it.

        calls: How many requests were sent.

        failed: How many of them gave nothing of use.

        tokens_in: Tokens of the requests, where the endpoint said.

        tokens_out: Tokens of the answers, where it said.

        price: What it cost, in the money of the model's prices; None if these are not known.

        unpriced: Answers of which the price is not known.
    """

    model: str = attrs.field(validator=check_filled)
    calls: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    failed: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    tokens_in: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    tokens_out: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    price: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(as_float), validator=check_finite
    )
    unpriced: int = attrs.field(default=0, validator=attrs.validators.ge(0))


def summed(spent: Iterable[Spent]) -> tuple[Spent, ...]:
    """Return what *spent* comes to, one for each model, by name."""
    found: dict[str, Spent] = {}
    for one in spent:
        so_far = found.get(one.model, Spent(model=one.model))
        prices = [price for price in (so_far.price, one.price) if price is not None]
        found[one.model] = Spent(
            model=one.model,
            calls=so_far.calls + one.calls,
            failed=so_far.failed + one.failed,
            tokens_in=so_far.tokens_in + one.tokens_in,
            tokens_out=so_far.tokens_out + one.tokens_out,
            price=round(math.fsum(prices), 12) if prices else None,
            unpriced=so_far.unpriced + one.unpriced,
        )
    return tuple(found[model] for model in sorted(found))


@attrs.frozen(kw_only=True)
class Attempt:
    """
    How one task went, once, in one arm.

    Attributes:
        arm: Name of the arm.

        task_id: The task; attempts of two arms are paired by it and the seed.

        type: The type of the task; None if it has none.

        seed: The seed of the agent.

        won: Whether the task was solved. In a replay: whether the procedure that was served first names every action
            that the run needed, in order.

        reward: The score at the end, any finite number. In a replay: the share of the needed actions that it names.

        steps: Actions taken; a lost task counts the limit. In a replay: the needed actions that it does not name.

        tokens: Tokens that the attempt cost, prompts and answers; None where nobody counts, such as with scripts.

        spent: What the requests of an agent that is a model came to, a model each; empty for other agents.

        served: Names of the procedures that were served, best first.

        prompt_digest: Hex digest of all that was served; where two arms have the same, a deterministic agent acts the
            same, and is not asked twice.

        superfluous: In a replay, the share of the first procedure's actions that the run did not need, in [0, 1];
            None where nothing was served, and in a live suite.

        kind_first: In a replay, whether the first procedure is for the run's kind of task; None where that is not
            known, and in a live suite.
    """

    arm: str
    task_id: str
    type: str | None = None
    seed: int = 0
    won: bool = False
    reward: float = attrs.field(default=0.0, converter=as_float, validator=check_finite)
    steps: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    tokens: int | None = None
    spent: tuple[Spent, ...] = ()
    served: tuple[str, ...] = ()
    prompt_digest: str = ""
    superfluous: float | None = attrs.field(default=None, converter=attrs.converters.optional(as_float))
    kind_first: bool | None = None


@attrs.frozen(kw_only=True)
class Involved:
    """
    A procedure that was served in some attempt.

    Attributes:
        name: What it was called.

        subject: ``procedure/ID``, or ``run/DIGEST`` for a whole run that was served as it was. If the content of that
            is purged, so is the evaluation.
    """

    name: str
    subject: str


@attrs.frozen(kw_only=True)
class EvaluationRecorded:
    """
    Versions were measured on a suite; it happened and is never undone.

    Attributes:
        evaluation_id: Random id of this evaluation.

        scope: Whose memory was measured; empty for everybody's.

        measured: On what and by whom.

        seeds: The seeds; every task was done once with each.

        arms: What was compared.

        attempts: Every single attempt: arms, tasks and seeds in their order.

        involved: The procedures that were served.
    """

    TYPE: ClassVar[str] = "evaluation-recorded"
    VERSION: ClassVar[int] = 2

    evaluation_id: str = attrs.field(validator=check_filled)
    scope: str = ""
    measured: Measured
    seeds: tuple[int, ...] = (0,)
    arms: tuple[Arm, ...] = attrs.field(validator=attrs.validators.min_len(1))
    attempts: tuple[Attempt, ...] = ()
    involved: tuple[Involved, ...] = ()

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return f"evaluation/{self.evaluation_id}"


@attrs.frozen(kw_only=True)
class GateSet:
    """
    From here on, a candidate takes the place of what works only after an evaluation, or by hand; or no longer.

    Everything that another process needs to make the same suite and agent again stands here.

    Attributes:
        suite: Name of the suite; None opens the gate.

        options: What the suite was made with, by name.

        suite_digest: Hex digest of its name, version and tasks; a suite that has another one is not this one.

        agent: Name of the agent.

        agent_version: Its version.

        seeds: The seeds; every task is done once with each.

        tolerance: By how much success may fall below the best that was measured, a share, 0 or more and below 1.

        confidence: How sure that must be for an agent that varies, over one half and below 1.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "gate-set"
    VERSION: ClassVar[int] = 1

    suite: str | None = attrs.field(validator=attrs.validators.optional(check_filled))
    options: tuple[tuple[str, str], ...] = ()
    suite_digest: str = ""
    agent: str = ""
    agent_version: str = ""
    seeds: tuple[int, ...] = (0,)
    tolerance: float = attrs.field(
        default=0.0, converter=as_float, validator=[attrs.validators.ge(0), attrs.validators.lt(1)]
    )
    confidence: float = attrs.field(
        default=0.95, converter=as_float, validator=[attrs.validators.gt(0.5), attrs.validators.lt(1)]
    )
    reason: str = ""

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "gate"
