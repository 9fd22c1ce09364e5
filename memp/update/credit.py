"""
Who gets how much of an outcome, and what the outcomes of a revision come to.

An episode serves several procedures and ends one way. All of it to each would count one outcome several times; all of
it to the first would say nothing of the others. So it is shared by rank, as a reader's attention is, and success, steps
and tokens are kept apart. Support, the runs that something was built from, is never looked at here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import attrs

from memp.episodes import EpisodeStatus, episodes_serving
from memp.events import ProcedureValidated
from memp.model import CREDIT_UNIT, EventId, Procedure, Revision
from memp.update.posterior import Posterior

if TYPE_CHECKING:
    from memp.projection import Entry
    from memp.state import State

MICROSECONDS_PER_DAY = 86_400_000_000

SERVED_KEPT = 64
"""Numbers of served procedures of which the shares are kept; few are ever in use."""


@lru_cache(maxsize=SERVED_KEPT)
def rank_weights(count: int) -> tuple[float, ...]:
    """
    Return the share of the outcome for each of *count* procedures, best first; together they are 1 in millionths.

    The share falls as one over the rank: 1; 2/3, 1/3; 6/11, 3/11, 2/11. Source of the decay: G. K. Zipf's law of
    attention to ranks, as in the reciprocal rank of E. M. Voorhees, The TREC-8 question answering track report (1999).
    """
    total = sum(1.0 / rank for rank in range(1, count + 1))
    parts = [int(CREDIT_UNIT / rank / total) for rank in range(1, count + 1)]
    if parts:
        parts[0] += CREDIT_UNIT - sum(parts)
    return tuple(part / CREDIT_UNIT for part in parts)


def outcomes(state: State, procedure: Procedure, revision: Revision) -> list[Entry]:
    """Return the outcomes in force of *revision* and its family, oldest first."""
    family = {one.id for one in procedure.revisions if one.family == revision.family}
    out = state.out
    return [
        entry
        for entry in state.entries_of(procedure.id)
        if isinstance(entry.event, ProcedureValidated) and entry.event.revision in family and entry.event_id not in out
    ]


def posterior(
    state: State,
    procedure: Procedure,
    revision: Revision,
    *,
    half_life_days: float | None = None,
    after: int = 0,
) -> Posterior:
    """
    Return what is known of how often *revision* helps.

    Args:
        state: The version that is asked.

        procedure: As it stands there.

        revision: One of its revisions.

        half_life_days: An outcome counts half after so many days, a quarter after twice as many; None counts all alike.
            Ages count to the version's last event, so that the same version always gives the same answer.

        after: Only outcomes behind this position.
    """
    if half_life_days is None and not after:
        known = procedure.evidence_of(revision)
        failed_credit = known.credit - known.helped_credit
        return Posterior(helped=known.helped_credit / CREDIT_UNIT, failed=failed_credit / CREDIT_UNIT)
    now, placed = state.recorded_at, state.history.placed
    helped = failed = 0.0
    for entry in outcomes(state, procedure, revision):
        event = entry.event
        assert isinstance(event, ProcedureValidated)
        if entry.position <= after:
            continue
        share = event.weight
        if half_life_days is not None and entry.event_id in placed:
            days = max(0, now - placed[entry.event_id].recorded_at) / MICROSECONDS_PER_DAY
            share *= 0.5 ** (days / half_life_days)
        if event.success:
            helped += share
        else:
            failed += share
    return Posterior(helped=helped, failed=failed)


@attrs.frozen(kw_only=True)
class Credit:
    """
    What is known of how much one revision helps; it prints as ``helped in 9 of 12 (95 %: .47–.92)``.

    Attributes:
        procedure: Readable name.

        revision: The revision; it shares what is known with those that say the same of more runs.

        episodes: How many outcomes there are, 0 or more.

        helped: How many of them were solved.

        mean: Expected share of episodes in which it helps: mean of the Beta posterior, in which each outcome counts
            with its credit weight, and less with age if that was asked for.

        low: Lower end of the posterior's 95 % interval, from 0.

        high: Its upper end, to 1.

        steps: Mean steps of the outcomes that said so; None if none did.

        tokens: Mean tokens of the episodes that served it and said so; None if none did.

        support: How many runs it was built from: another thing than evidence, and no part of the above.
    """

    procedure: str
    revision: EventId
    episodes: int
    helped: int
    mean: float
    low: float
    high: float
    steps: float | None
    tokens: float | None
    support: int

    def __str__(self) -> str:
        return f"helped in {self.helped} of {self.episodes} (95 %: {_short(self.low)}–{_short(self.high)})"


def _short(share: float) -> str:
    """Return a share as ``.47``; the ends are ``0`` and ``1`` where nothing speaks against them."""
    text = f"{share:.2f}"
    return {"0.00": "0", "1.00": "1"}.get(text, text.removeprefix("0"))


def credit(state: State, procedure: Procedure, revision: Revision, *, half_life_days: float | None = None) -> Credit:
    """Return what is known of how much *revision* helps; see ``posterior`` for the arguments."""
    known = procedure.evidence_of(revision)
    belief = posterior(state, procedure, revision, half_life_days=half_life_days)
    low, high = belief.interval()
    family = {one.id for one in procedure.revisions if one.family == revision.family}
    tokens = [
        episode.tokens
        for episode in episodes_serving(state, procedure.id)
        if episode.status is EpisodeStatus.FINISHED
        and episode.tokens is not None
        and any(one.revision in family for one in episode.served)
    ]
    return Credit(
        procedure=procedure.name,
        revision=revision.id,
        episodes=known.episodes,
        helped=known.helped,
        mean=belief.mean,
        low=low,
        high=high,
        steps=known.steps / known.steps_known if known.steps_known else None,
        tokens=sum(tokens) / len(tokens) if tokens else None,
        support=len(revision.sources),
    )
