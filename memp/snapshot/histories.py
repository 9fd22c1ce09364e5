"""
Every version of a memory as plain values, and back.

Whole mappings of short texts and numbers are written as they are: reading them costs less than working them out again.
What is made of classes is written in pieces and made when it is asked for: events, places, runs, timelines, episodes.
Events are in the canonical form that the log has them in, so they are read as a replay reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np

from memp import codec
from memp.episodes import Diary, Noted, QueuedRun
from memp.events import (
    EVENT_TYPES,
    EpisodeFinished,
    EpisodeStarted,
    Event,
    EventsUndone,
    GateSet,
    PolicySet,
    ProcedureAdded,
    ResourceRecorded,
    VersionTagged,
)
from memp.heads import StoredProcedure
from memp.model import ContentKey, EpisodeId, EventId, Position, ProcedureId, QueuedId, TrajectoryId
from memp.projection import Entry, Run, Tombstone
from memp.snapshot.lazy import Lazy, Shelf, unmade
from memp.snapshot.timelines import pack_timeline, unpack_timeline
from memp.state import Branch, History, Placed, Timeline

_encode = msgspec.msgpack.Encoder().encode

At = tuple[int, bytes]
"""A position, and the event that stands there, in its canonical form."""


class Numbers(msgspec.Struct, array_like=True):
    """Whole numbers, little-endian int64."""

    data: memoryview

    @classmethod
    def of(cls, numbers: Sequence[int] | Any) -> Numbers:
        """Return *numbers*, a list or an array."""
        return cls(data=memoryview(np.asarray(numbers, dtype="<i8").tobytes()))

    def array(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return them as an array."""
        return np.frombuffer(self.data, dtype="<i8").astype(np.int64)

    def list(self) -> list[int]:
        """Return them as a list."""
        found: list[int] = np.frombuffer(self.data, dtype="<i8").tolist()
        return found


class DiaryForm(msgspec.Struct):
    """A ``Diary``."""

    started: Shelf
    finished: Shelf
    served: dict[ProcedureId, list[tuple[int, EpisodeId]]]
    policies: list[At]
    gates: list[At]
    queued: dict[QueuedId, QueuedRun]
    dropped: dict[QueuedId, int]


class BranchForm(msgspec.Struct):
    """
    A ``Branch``.

    Runs are written once for all branches, and named here by the event that recorded them; of what is out of force,
    only what changed.
    """

    name: str
    parent: str | None
    forked_at: int
    position: int
    recorded_at: int
    deleted: str | None
    promoted: dict[EventId, EventId]
    procedures: Shelf
    entries: dict[ProcedureId, list[EventId]]
    runs: dict[TrajectoryId, EventId]
    runs_by_digest: dict[tuple[str, str], list[EventId]]
    resources: list[tuple[str, str, list[At]]]
    undos: list[tuple[int, EventId, bytes]]
    out: list[tuple[int, list[EventId]]]
    times: tuple[Numbers, Numbers]
    times_by_scope: dict[str, tuple[Numbers, Numbers]]
    versions: dict[str, int]
    diary: DiaryForm


class HistoryForm(msgspec.Struct):
    """A ``History``."""

    position: int
    branches: list[BranchForm]
    placed: Shelf
    said: Shelf
    recorded: Shelf
    tags: dict[str, list[At]]
    tombstones: list[Tombstone]
    by_name: dict[str, tuple[ProcedureId, ...]]
    by_key: dict[tuple[str, ContentKey], tuple[ProcedureId, ...]]
    born: dict[ProcedureId, Position]
    scopes: dict[str, str]
    derivatives: dict[EventId, list[EventId]]


COVERED: dict[type, frozenset[str]] = {
    History: frozenset(
        "position branches placed said recorded tags tombstones by_name by_key born scopes _derivatives".split()
    ),
    Branch: frozenset(
        "name parent forked_at position deleted promoted procedures entries runs runs_by_digest resources undos out "
        "recorded_at times times_by_scope versions diary".split()
    ),
    Diary: frozenset("started finished served policies gates queued dropped".split()),
}
"""What each class keeps; a test fails when one keeps more, which a snapshot would then forget."""


# -- to plain values ---------------------------------------------------------------------------------------------------


def pack_history(history: History) -> HistoryForm:
    """Return *history* as plain values; it is as it was afterwards."""
    return HistoryForm(
        position=history.position,
        branches=[_pack_branch(branch, history) for branch in history.branches.values()],
        placed=Shelf.of(history.placed, _encode),
        said=Shelf.of(history.said, _pack_entry),
        recorded=Shelf.of(history.recorded, _encode),
        tags={name: _pack_events(zip(*timeline.columns(), strict=True)) for name, timeline in history.tags.items()},
        tombstones=list(history.tombstones.values()),
        by_name=history.by_name,
        by_key=history.by_key,
        born=history.born,
        scopes=history.scopes,
        derivatives=history._derivatives,
    )


def _pack_branch(branch: Branch, history: History) -> BranchForm:
    return BranchForm(
        name=branch.name,
        parent=None if branch.parent is None else branch.parent.name,
        forked_at=branch.forked_at,
        position=branch.position,
        recorded_at=branch.recorded_at,
        deleted=branch.deleted,
        promoted=branch.promoted,
        procedures=Shelf.of(branch.procedures, partial(pack_timeline, said=history.said)),
        entries=dict(zip(branch.entries, unmade(branch.entries, _ids), strict=True)),
        runs=dict(zip(branch.runs, unmade(branch.runs, lambda run: run.event_id), strict=True)),
        runs_by_digest=dict(zip(branch.runs_by_digest, unmade(branch.runs_by_digest, _ids), strict=True)),
        resources=[
            (kind, name, _pack_events(zip(*timeline.columns(), strict=True)))
            for (kind, name), timeline in branch.resources.items()
        ],
        undos=[(position, event_id, codec.encode(undo)) for position, event_id, undo in branch.undos],
        out=_pack_out(branch.out),
        times=_pack_times(branch.times),
        times_by_scope={scope: _pack_times(times) for scope, times in branch.times_by_scope.items()},
        versions=branch.versions,
        diary=_pack_diary(branch.diary),
    )


def _pack_diary(diary: Diary) -> DiaryForm:
    return DiaryForm(
        started=Shelf.of(diary.started, _pack_noted),
        finished=Shelf.of(diary.finished, _pack_noted),
        served=diary.served,
        policies=_pack_events(diary.policies),
        gates=_pack_events(diary.gates),
        queued=diary.queued,
        dropped=diary.dropped,
    )


def _ids(found: Iterable[Entry] | Iterable[Run]) -> list[EventId]:
    return [one.event_id for one in found]


def _pack_entry(entry: Entry) -> bytes:
    if isinstance(entry.said, StoredProcedure):
        return _encode((entry.position, entry.derived_from, ProcedureAdded.TYPE, entry.said.body))
    return _encode((entry.position, entry.derived_from, entry.said.TYPE, codec.encode(entry.said)))


def _pack_noted(noted: Noted) -> bytes:
    return _encode((noted.position, noted.event_id, noted.recorded_at, noted.event.TYPE, codec.encode(noted.event)))


def _pack_events(events: Iterable[tuple[int, Event | None]]) -> list[At]:
    return [(position, b"" if event is None else codec.encode(event)) for position, event in events]


def _pack_times(times: Timeline[int]) -> tuple[Numbers, Numbers]:
    positions, values = times.columns()
    return Numbers.of(positions), Numbers.of(values)


def _pack_out(out: Timeline[frozenset[EventId] | None]) -> list[tuple[int, list[EventId]]]:
    packed = []
    before: frozenset[EventId] = frozenset()
    for position, value in zip(*out.columns(), strict=True):
        now = value or frozenset()
        packed.append((position, sorted(before ^ now)))
        before = now
    return packed


# -- and back ----------------------------------------------------------------------------------------------------------


def unpack_history(form: HistoryForm) -> History:
    """Return the history that *form* was made of; it keeps *form* and changes it."""
    history = History()
    history.position = Position(form.position)
    history.placed = form.placed.open(_unpack_placed)
    history.said = form.said.open(_unpack_entry)
    history.recorded = form.recorded.open(_unpack_run)
    history.branches = {}
    for branch in form.branches:
        history.branches[branch.name] = _unpack_branch(branch, history)
    history.tags = {name: _timeline(events, VersionTagged) for name, events in form.tags.items()}
    history.tombstones = {stone.position: stone for stone in form.tombstones}
    history.by_name = form.by_name
    history.by_key = form.by_key
    history.born = form.born
    history.scopes = form.scopes
    history._derivatives = form.derivatives
    return history


def _unpack_branch(form: BranchForm, history: History) -> Branch:
    parent = None if form.parent is None else history.branches[form.parent]
    branch = Branch(form.name, parent=parent, forked_at=form.forked_at)
    branch.position = Position(form.position)
    branch.recorded_at = form.recorded_at
    branch.deleted = form.deleted
    branch.promoted = form.promoted
    said, recorded = history.said, history.recorded
    branch.procedures = form.procedures.open(lambda id, packed: unpack_timeline(id, packed, said))
    branch.entries = Lazy(form.entries, list(form.entries.values()), lambda _, ids: [said[id] for id in ids])
    branch.runs = Lazy(form.runs, list(form.runs.values()), lambda _, id: recorded[id])
    digests = form.runs_by_digest
    branch.runs_by_digest = Lazy(digests, list(digests.values()), lambda _, ids: [recorded[id] for id in ids])
    branch.resources = {(kind, name): _timeline(events, ResourceRecorded) for kind, name, events in form.resources}
    branch.undos = [(Position(at), event_id, _event(EventsUndone, body)) for at, event_id, body in form.undos]
    branch.out = _unpack_out(form.out)
    branch.times = _unpack_times(form.times)
    branch.times_by_scope = {scope: _unpack_times(times) for scope, times in form.times_by_scope.items()}
    branch.versions = form.versions
    branch.diary = _unpack_diary(form.diary)
    return branch


def _unpack_diary(form: DiaryForm) -> Diary:
    diary = Diary()
    diary.started = form.started.open(_unpack_noted)
    diary.finished = form.finished.open(_unpack_noted)
    diary.served = form.served
    diary.policies = [(at, _event(PolicySet, body)) for at, body in form.policies]
    diary.gates = [(at, _event(GateSet, body)) for at, body in form.gates]
    diary.queued = form.queued
    diary.dropped = form.dropped
    return diary


_decode_placed = msgspec.msgpack.Decoder(Placed).decode
_decode_run = msgspec.msgpack.Decoder(Run).decode
_decode_entry = msgspec.msgpack.Decoder(tuple[Position, tuple[str, ...], str, bytes]).decode
_decode_noted = msgspec.msgpack.Decoder(tuple[Position, EventId, int, str, bytes]).decode


def _unpack_placed(_: EventId, packed: memoryview) -> Placed:
    return _decode_placed(packed)


def _unpack_run(_: EventId, packed: memoryview) -> Run:
    return _decode_run(packed)


def _unpack_entry(event_id: EventId, packed: memoryview) -> Entry:
    position, derived_from, type, body = _decode_entry(packed)
    said = StoredProcedure(body, position) if type == ProcedureAdded.TYPE else _event(EVENT_TYPES[type], body)
    return Entry(event_id=event_id, position=position, derived_from=derived_from, said=said)


def _unpack_noted(_: str, packed: memoryview) -> Noted:
    position, event_id, recorded_at, type, body = _decode_noted(packed)
    event: EpisodeStarted | EpisodeFinished = _event(EVENT_TYPES[type], body)
    return Noted(position, event_id, recorded_at, event)


def _event(cls: Any, body: bytes) -> Any:
    return codec.decode(cls.TYPE, cls.VERSION, body)


def _timeline(events: Iterable[At], cls: Any) -> Timeline[Any]:
    timeline: Timeline[Any] = Timeline()
    for position, body in events:
        timeline.append(position, _event(cls, body) if body else None)
    return timeline


def _unpack_times(columns: tuple[Numbers, Numbers]) -> Timeline[int]:
    positions, values = columns
    return Timeline.of(positions.list(), values.list())


def _unpack_out(packed: list[tuple[int, list[EventId]]]) -> Timeline[frozenset[EventId] | None]:
    out: Timeline[frozenset[EventId] | None] = Timeline()
    now: frozenset[EventId] = frozenset()
    for position, changed in packed:
        now = now ^ frozenset(changed)
        out.append(position, now)
    return out
