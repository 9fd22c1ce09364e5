"""When a procedure is no longer retrieved: by its posterior, by the paper's rule, or because there are too many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from memp.model import Procedure
from memp.update.base import Command, Erase, FinishedEpisode, Remark
from memp.update.credit import posterior
from memp.update.trial import open_candidates

if TYPE_CHECKING:
    from memp.state import State

BOUND = 0.5
"""A procedure is erased once the upper end of its 95 % interval is below this: it most likely fails more often than it
helps. It takes four failures in a row to get there. One that helps in 0.7 of its episodes is erased, some day in an
endless life, with probability 0.0093 (exact, by summing over all lives); 0.025 is what we promise."""

PAPER_USES = 3
"""Uses after which the rule of the paper's code looks at a procedure. Source: the code of Memp (arXiv 2508.06433)."""

PAPER_SHARE = 0.5
"""Below this share of helpful uses it is dropped by that rule."""


def erasure(state: State, episode: FinishedEpisode) -> Iterable[Command]:
    """
    Erase what most likely fails more often than it helps.

    A procedure is left alone while a candidate of it is on trial, which may be better.
    """
    for served in episode.served:
        procedure = state.get(served.procedure.id)
        if procedure is None or procedure.status != "live":
            continue
        belief = posterior(state, procedure, procedure.revision, half_life_days=episode.settings.half_life_days)
        if not belief.lies_below(BOUND):
            continue
        if open_candidates(procedure):
            yield Remark(text=f"{procedure.name!r} was left alone: a candidate of it is on trial")
            continue
        known, high = procedure.evidence, belief.interval()[1]
        yield Erase(
            procedure_id=procedure.id,
            reason=f"helped in {known.helped} of {known.episodes}; the interval ends at {high:.2f}, below {BOUND}",
        )


def paper(state: State, episode: FinishedEpisode) -> Iterable[Command]:
    """Erase what was used three times or more and helped in less than half: the rule of the paper's code."""
    for served in episode.served:
        procedure = state.get(served.procedure.id)
        if procedure is None or procedure.status != "live":
            continue
        known = procedure.evidence
        if known.episodes >= PAPER_USES and known.helped / known.episodes < PAPER_SHARE:
            reason = f"helped in {known.helped} of {known.episodes}: below one half after {PAPER_USES} uses or more"
            yield Erase(procedure_id=procedure.id, reason=reason)


def over_capacity(state: State, *, scope: str, most: int, half_life_days: float | None = None) -> list[Erase]:
    """
    Return what must go so that *most* procedures of *scope* are retrieved: those of the least expected value.

    The expected value is the posterior mean; one that was never served has the prior's, one half. Ties go by support,
    the smaller first, then by content key.
    """
    there = [procedure for procedure in state.live() if procedure.scope == scope]
    if len(there) <= most:
        return []

    def value(procedure: Procedure) -> float:
        return posterior(state, procedure, procedure.revision, half_life_days=half_life_days).mean

    ranked = sorted(there, key=lambda one: (round(value(one), 9), one.support, one.content_key))
    return [
        Erase(
            procedure_id=one.id,
            reason=f"more than {most} procedures; this one is expected to help in {value(one):.2f} of its episodes",
        )
        for one in ranked[: len(there) - most]
    ]
