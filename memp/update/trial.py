"""
Candidates on trial: when they are served, and when their trial is over.

A candidate never replaces what works until it was shown to be better. Both are served in turn from the day on that the
candidate was written, and only outcomes from that day on count, for both: what the active revision did in a world that
has changed since says nothing about which of the two is better now.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from memp.episodes import gate, times_served
from memp.model import Procedure, ProcedureStatus, Revision, RevisionStatus
from memp.update.base import AcceptRevision, Command, FinishedEpisode, RejectRevision
from memp.update.credit import Credit, credit, posterior
from memp.update.posterior import better_chance

if TYPE_CHECKING:
    from memp.state import State

EVERY = 2
"""A procedure with candidates is served as one of them in every second episode: equal shares decide soonest, and with
fewer the agent would fail longer where the active revision is what is wrong."""

ACCEPT_CHANCE = 0.95
"""A candidate is accepted once it is better than the active revision with this probability."""

REJECT_CHANCE = 0.10
"""It is rejected once that probability has fallen to this."""

TRIAL_EPISODES_MIN = 3
"""No verdict before the candidate was served so often: against one that fails, two lucky tasks would do."""

TRIAL_EPISODES_MAX = 40
"""It is also rejected if so many of its episodes have not decided: what works stays."""


@attrs.frozen(kw_only=True)
class Candidate:
    """
    A revision that waits for a verdict, beside the active one.

    Attributes:
        procedure: As it stands.

        revision: The candidate.

        credit: What is known of how much it helps.

        active: The same of the active revision, since the candidate was written or before.

        chance: How probable it is that the candidate helps more often, by outcomes since it was written.
    """

    procedure: Procedure
    revision: Revision
    credit: Credit
    active: Credit
    chance: float


def candidates(state: State) -> list[Candidate]:
    """
    Return the candidates of procedures that are retrieved or wait for a verdict themselves, in the order of these.
    """
    return [
        Candidate(
            procedure=procedure,
            revision=revision,
            credit=credit(state, procedure, revision),
            active=credit(state, procedure, procedure.revision),
            chance=chance(state, procedure, revision),
        )
        for procedure in state.all()
        if procedure.status in (ProcedureStatus.LIVE, ProcedureStatus.CANDIDATE)
        for revision in open_candidates(procedure)
    ]


def chance(state: State, procedure: Procedure, candidate: Revision, *, half_life_days: float | None = None) -> float:
    """Return how probable it is that *candidate* helps more often than the active revision, by what came after it."""
    placed = state.history.placed.get(candidate.id)
    born = state.position if placed is None else placed.position
    mine = posterior(state, procedure, candidate, half_life_days=half_life_days, after=born)
    theirs = posterior(state, procedure, procedure.revision, half_life_days=half_life_days, after=born)
    return better_chance(mine, theirs)


def open_candidates(procedure: Procedure) -> list[Revision]:
    """Return the candidates of *procedure* that have no verdict yet, oldest first."""
    return [one for one in procedure.revisions if one.status is RevisionStatus.CANDIDATE and not one.tainted]


def on_trial(state: State, procedure: Procedure) -> Procedure:
    """
    Return *procedure* as the next episode is to be given it: with a candidate active, or as it is.

    It is decided by how often the procedure was served so far, not by lot, so that the same log gives the same. Where a
    gate is set, nobody is served a candidate before it has passed.
    """
    candidates = open_candidates(procedure)
    if not candidates or gate(state) is not None:
        return procedure
    turn, off = divmod(times_served(state, procedure.id), EVERY)
    if off:
        return procedure
    return attrs.evolve(procedure, active=candidates[turn % len(candidates)].id)


def trial(state: State, episode: FinishedEpisode) -> Iterable[Command]:
    """Accept a candidate that evidence shows to be better than the active revision, reject one that is not."""
    if gate(state) is not None:
        return  # candidates wait for the gate, and until then nobody is served one
    for served in episode.served:
        procedure = state.get(served.procedure.id)
        if procedure is None:
            continue
        for candidate in open_candidates(procedure):
            verdict = _verdict(state, procedure, candidate, episode.settings.half_life_days)
            if verdict is not None:
                yield verdict
                if isinstance(verdict, AcceptRevision):
                    break


def _verdict(
    state: State, procedure: Procedure, candidate: Revision, half_life_days: float | None
) -> AcceptRevision | RejectRevision | None:
    known = procedure.evidence_of(candidate)
    if known.episodes < TRIAL_EPISODES_MIN:
        return None
    better = chance(state, procedure, candidate, half_life_days=half_life_days)
    figures = f"helped in {known.helped} of {known.episodes}, better than the active one with probability {better:.2f}"
    if known.helped and better >= ACCEPT_CHANCE:
        return AcceptRevision(procedure_id=procedure.id, revision=candidate.id, reason=f"on trial it {figures}")
    if better <= REJECT_CHANCE:
        return RejectRevision(procedure_id=procedure.id, revision=candidate.id, reason=f"on trial it {figures}")
    if known.episodes >= TRIAL_EPISODES_MAX:
        reason = f"{known.episodes} episodes have not shown it to be better: it {figures}"
        return RejectRevision(procedure_id=procedure.id, revision=candidate.id, reason=reason)
    return None
