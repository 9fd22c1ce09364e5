"""
Calls to models as a memory keeps them: noted, found again, and added up.

What a call cost belongs to the procedures whose content was made from its answer, which the records say
(``derived_from``), so nothing is folded for it: a report reads the few records that it is about.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, get_args

import attrs

from memp import codec
from memp.decide import Decided, Ids
from memp.errors import InvalidInputError
from memp.events import EvaluationRecorded, ModelCalled, TextsEmbedded
from memp.events.measuring import Spent, summed
from memp.llm.base import VECTORS
from memp.log.base import EventLog
from memp.model import CallId, EventId, ProcedureId, canonical_bytes, content_digest
from memp.retrieval.catalogue import NAMING_VECTORS, WITH_CONTENT, search_texts
from memp.state import State

if TYPE_CHECKING:
    from memp.llm.base import Call
    from memp.store import Embedded

By = Literal["procedure", "model", "day"]
"""What costs are added up by."""

NO_PROCEDURE = "(none)"
"""Where calls stand whose answers became no procedure: failures, verdicts, moves, tasks of episodes."""


@attrs.frozen(kw_only=True)
class Cost:
    """
    What calls came to.

    Attributes:
        what: The procedure, the model, or the day (UTC, as ``2026-01-31``).

        calls: How many requests were sent.

        failed: How many of them gave nothing of use.

        tokens_in: Tokens of the requests, where the endpoint said.

        tokens_out: Tokens of the answers, where it said.

        price: What it cost, in the money of the models' prices, where these are known; None if none is.

        unpriced: Calls of which the price is not known.
    """

    what: str
    calls: int
    failed: int
    tokens_in: int
    tokens_out: int
    price: float | None
    unpriced: int

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values, as JSON has them."""
        return attrs.asdict(self)


@attrs.frozen
class NotedCall:
    """A call on record, with where it stands."""

    event_id: EventId
    recorded_at: int
    event: ModelCalled


def noted(
    calls: Iterable[Call],
    *,
    scope: str,
    ids: Ids,
    runs: Sequence[str] = (),
    procedures: Sequence[ProcedureId] = (),
    derived_from: Sequence[EventId] = (),
    cause: EventId | None = None,
) -> list[Decided]:
    """
    Return the events that put *calls* on record.

    Args:
        calls: What was asked, in order.

        scope: For whose memory.

        ids: Where ids come from.

        runs: Content digests of the runs that they quote.

        procedures: The procedures that they quote.

        derived_from: The events that recorded what they quote.

        cause: The event that they answer.
    """
    return [
        Decided(
            event=ModelCalled(
                call_id=CallId(ids.random()),
                scope=scope,
                runs=tuple(runs),
                procedures=tuple(procedures),
                **attrs.asdict(call),
            ),
            event_id=EventId(ids.event()),
            cause=cause,
            derived_from=tuple(derived_from),
        )
        for call in calls
    ]


def noted_embedding(asked: Iterable[Embedded], decided: Sequence[Decided], *, scope: str, ids: Ids) -> list[Decided]:
    """
    Return the events that put requests for embeddings on record.

    Args:
        asked: The requests.

        decided: The events that hold their texts; whoever removes one of them removes the request. Without any, no
            later purge could reach what a request says of its texts, so their number alone is kept.

        scope: For whose memory.

        ids: Where ids come from.
    """
    holding: dict[str, list[Decided]] = {}
    for one in decided:
        if isinstance(one.event, WITH_CONTENT):
            for _, text in search_texts(one.event.content):
                holding.setdefault(text, []).append(one)
        elif isinstance(one.event, TextsEmbedded):
            for ref in one.event.vectors:
                holding.setdefault(ref.text, []).append(one)
    found: list[Decided] = []
    for embedded in asked:
        of = {one.event_id: one for text in embedded.texts for one in holding.get(text, ())}
        if not of and not embedded.texts:
            of = {one.event_id: one for one in decided}
        touched = {one.event.procedure_id: None for one in of.values() if isinstance(one.event, NAMING_VECTORS)}
        call = embedded.call if of else _without_texts(embedded.call)
        found += noted([call], scope=scope, ids=ids, procedures=tuple(touched), derived_from=tuple(of))
    return found


def _without_texts(call: Call) -> Call:
    """Return a request for embeddings with the number of its texts instead of their digests."""
    said = json.loads(call.request)
    request = {**said, "input": len(said["input"])}
    return attrs.evolve(
        call,
        request=canonical_bytes(request).decode(),
        request_digest=content_digest([call.endpoint, call.mode, request, call.parameters]),
    )


def calls_seen(state: State, log: EventLog) -> Iterator[NotedCall]:
    """Yield the calls seen in *state*, oldest first, purged ones apart, as they stand in *log*."""
    for event_id, place in state.history.placed.items():
        if place.type == ModelCalled.TYPE and place.position not in state.history.tombstones and state.sees(event_id):
            [record] = log.read(after=place.position - 1, until=place.position)
            if record.body is not None:
                event = codec.decode(record.type, record.schema, record.body, position=record.position)
                assert isinstance(event, ModelCalled)
                yield NotedCall(event_id, place.recorded_at, event)


def evaluations_seen(state: State, log: EventLog) -> Iterator[tuple[int, Spent]]:
    """Yield what agents spent in the evaluations seen in *state*, oldest first, each with when that was recorded."""
    for event_id, place in state.history.placed.items():
        if (
            place.type == EvaluationRecorded.TYPE
            and place.position not in state.history.tombstones
            and state.sees(event_id)
        ):
            [record] = log.read(after=place.position - 1, until=place.position)
            if record.body is not None:
                event = codec.decode(record.type, record.schema, record.body, position=record.position)
                assert isinstance(event, EvaluationRecorded)
                for spent in summed(one for attempt in event.attempts for one in attempt.spent):
                    yield place.recorded_at, spent


def added_up(
    state: State, calls: Iterable[NotedCall], *, by: str, evaluations: Iterable[tuple[int, Spent]] = ()
) -> tuple[Cost, ...]:
    """
    Return what *calls* and *evaluations* came to, the dearest first, then by name; days in their order.

    A call whose answer became several procedures, or that embedded texts of several, is shared equally, to the whole
    token.

    Raises:
        InvalidInputError: *by* is none of ``procedure``, ``model`` and ``day``.
    """
    if by not in get_args(By):
        raise InvalidInputError(f"'by' must be one of {', '.join(get_args(By))} (got {by!r}).")
    made = _made(state) if by == "procedure" else {}
    sums: dict[str, _Sum] = {}
    for call in calls:
        if by == "day":
            names = [_day(call.recorded_at)]
        elif by == "model":
            names = [call.event.model]
        else:
            names = sorted(made.get(call.event_id, ()) or _embedded_for(state, call.event)) or [NO_PROCEDURE]
        for number, name in enumerate(names):
            sums.setdefault(name, _Sum()).add(call.event, number, len(names))
    for recorded_at, spent in evaluations:
        name = {"day": _day(recorded_at), "model": spent.model}.get(by, NO_PROCEDURE)
        sums.setdefault(name, _Sum()).add_spent(spent)
    costs = [one.cost(name) for name, one in sums.items()]
    if by == "day":
        return tuple(sorted(costs, key=lambda cost: cost.what))
    return tuple(sorted(costs, key=lambda cost: (-(cost.price or 0.0), -cost.tokens_in - cost.tokens_out, cost.what)))


def _day(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).date().isoformat()


def _made(state: State) -> dict[EventId, set[str]]:
    """Return calls to the names of the procedures whose content was made from their answers, or that they are about."""
    found: dict[EventId, set[str]] = {}
    placed = state.history.placed
    for event_id, place in placed.items():
        if place.touched and state.sees(event_id):
            names = {procedure.name for id in place.touched if (procedure := state.get(id)) is not None}
            for source in place.derived_from:
                there = placed.get(EventId(source))
                if there is not None and there.type == ModelCalled.TYPE:
                    found.setdefault(EventId(source), set()).update(names)
    return found


def _embedded_for(state: State, call: ModelCalled) -> set[str]:
    """Return the names of the procedures whose texts a call embedded; none for a call of another kind."""
    if call.mode != VECTORS:
        return set()
    return {procedure.name for id in call.procedures if (procedure := state.get(id)) is not None}


@attrs.define
class _Sum:
    calls: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    price: float = 0.0
    priced: int = 0
    unpriced: int = 0

    def add(self, call: ModelCalled, share: int, shares: int) -> None:
        self.calls += 1
        self.failed += bool(call.error)
        self.tokens_in += _part(call.tokens_in or 0, share, shares)
        self.tokens_out += _part(call.tokens_out or 0, share, shares)
        if call.price is None:
            # A request that never reached a model costs nothing, so nothing of its price is unknown.
            self.unpriced += bool(call.response)
        else:
            self.priced += 1
            self.price += call.price / shares

    def add_spent(self, spent: Spent) -> None:
        self.calls += spent.calls
        self.failed += spent.failed
        self.tokens_in += spent.tokens_in
        self.tokens_out += spent.tokens_out
        self.unpriced += spent.unpriced
        if spent.price is not None:
            self.priced += 1
            self.price += spent.price

    def cost(self, what: str) -> Cost:
        return Cost(
            what=what,
            calls=self.calls,
            failed=self.failed,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            price=round(self.price, 9) if self.priced else None,
            unpriced=self.unpriced,
        )


def _part(whole: int, share: int, shares: int) -> int:
    """Return the share of *whole* with that number, so that the shares add up to it."""
    return whole // shares + (share < whole % shares)
