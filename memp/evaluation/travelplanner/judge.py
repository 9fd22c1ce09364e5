"""
A plan and its thirteen verdicts: as a metric for plans, and as a reward to learn from.

The reward is the share of checks that a plan passes among those that apply, so that a plan which breaks one wish is
worth more than one that breaks five; success is all of them. Whether a plan was any good is thus one number, which
``learn`` takes like that of any other run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from memp.evaluation.travelplanner.commonsense import Verdict, check_commonsense
from memp.evaluation.travelplanner.hard import HARD, check_hard, cost_of
from memp.evaluation.travelplanner.plan import Day, plan_of
from memp.evaluation.travelplanner.request import Request, read_request
from memp.evaluation.travelplanner.tables import Tables

if TYPE_CHECKING:
    from memp.model import Trajectory

_NEEDED_FOR_HARD = ("Complete Information", "Within Sandbox")
"""A plan that breaks one of these is not asked for its hard constraints: they could be kept by leaving things out."""


@attrs.frozen(kw_only=True)
class Judgement:
    """
    All that is to be said of one plan.

    Attributes:
        verdicts: One for each constraint, the commonsense ones first; empty if there is no plan.

        cost: What the plan costs, in dollars; what is in no table is free.

        hard: Whether the hard constraints were asked.
    """

    verdicts: tuple[Verdict, ...]
    cost: float
    hard: bool

    @property
    def reward(self) -> float:
        """Checks passed over checks that apply, 0 to 1; too broken for the hard ones counts as one more failed."""
        asked = [verdict.kept for verdict in self.verdicts if verdict.kept is not None]
        return round(sum(asked) / (len(asked) + (not self.hard)), 4) if asked else 0.0

    @property
    def success(self) -> bool:
        """Whether every constraint that applies is kept."""
        return self.hard and all(verdict.kept is not False for verdict in self.verdicts)

    @property
    def broken(self) -> tuple[Verdict, ...]:
        """The constraints that are not kept."""
        return tuple(verdict for verdict in self.verdicts if verdict.kept is False)


def judge(request: Request, plan: Sequence[Day], tables: Tables, *, strict: bool = False) -> Judgement:
    """
    Return what all constraints say of *plan*.

    Args:
        request: What was asked for.

        plan: Its days; those beyond what was asked for are not looked at.

        tables: The closed world.

        strict: Whether to keep to the definitions also where the published verdicts are milder.
    """
    if not plan:
        return Judgement(verdicts=(), cost=0.0, hard=False)
    days = tuple(plan)[: request.days]
    verdicts = check_commonsense(request, days, tables, strict=strict)
    hard = all(verdict.kept for verdict in verdicts if verdict.constraint in _NEEDED_FOR_HARD)
    asked = check_hard(request, days, tables) if hard else tuple(Verdict(constraint=name, kept=None) for name in HARD)
    return Judgement(verdicts=(*verdicts, *asked), cost=cost_of(request, days, tables), hard=hard)


def score_runs(
    runs: Iterable[Trajectory], tables: Tables, requests: Iterable[Request] = (), *, strict: bool = False
) -> tuple[Trajectory, ...]:
    """
    Return *runs* with reward and success as their plans deserve, ready for ``learn``.

    Args:
        runs: Runs that made plans.

        tables: The closed world.

        requests: What was asked for, found by the runs' ``task_id``; of others it is read off the task's words.

        strict: As for ``judge``.

    Raises:
        InvalidInputError: A task is neither among *requests* nor to be understood.
    """
    known = {request.id: request for request in requests}
    scored = []
    for run in runs:
        request = known.get(run.task_id or "") or read_request(run.task, tables.states, id=run.task_id or "?")
        found = judge(request, plan_of(run), tables, strict=strict)
        scored.append(attrs.evolve(run, reward=found.reward, success=found.success))
    return tuple(scored)
