"""
The timeline of one procedure as bytes, as long as what happened to it and no longer.

A timeline holds the whole procedure after each change, with all its revisions, which share nearly everything in memory
and would be written again and again: a procedure that was generalised a thousand times holds half a million revisions.
So each revision is written once, each value says what changed since the one before, and contents are not written at
all, since the events that said them are kept beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from memp.heads import StoredProcedure
from memp.model import (
    Content,
    ContentKey,
    EventId,
    Evidence,
    Procedure,
    ProcedureId,
    ProcedureStatus,
    Revision,
    RevisionStatus,
    TrajectoryId,
    Unread,
    canonical_bytes,
)
from memp.projection import Entry
from memp.state import Timeline

Said = Mapping[EventId, Entry]
"""The events that touch procedures, by id."""


class _Told(msgspec.Struct, array_like=True):
    """A revision; ``content`` is None where the event that made it says the same, ``shared`` counts the sources that
    it begins with and has from the revision before it in the list."""

    id: EventId
    base: EventId | None
    content: bytes | None
    content_key: ContentKey
    status: RevisionStatus
    shared: int
    sources: list[TrajectoryId]
    family: EventId
    critique: str | None
    tainted: bool


class _Shell(msgspec.Struct, array_like=True):
    """A procedure without its revisions and their evidence."""

    name: str
    status: ProcedureStatus
    scope: str
    builder: str
    toolset: str | None
    tags: tuple[str, ...]
    active: EventId
    merged_into: ProcedureId | None


class _Value(msgspec.Struct, array_like=True):
    """
    What the procedure is from a position on.

    Attributes:
        position: The position.

        there: Whether it is there at all; nothing else is said of one that is not.

        shell: None where it is that of the last value that was there.

        shared: With how many of that value's revisions it begins.

        revisions: Places of the others in the list of revisions.

        anew: Whether its evidence begins anew rather than with that of that value.

        evidences: What is new in its evidence.
    """

    position: int
    there: bool
    shell: _Shell | None = None
    shared: int = 0
    revisions: list[int] = []
    anew: bool = False
    evidences: dict[EventId, tuple[int, ...]] = {}


class _Written(msgspec.Struct, array_like=True):
    """A timeline."""

    revisions: list[_Told]
    values: list[_Value]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Written).decode
_decode_content = msgspec.json.Decoder(Content).decode


def pack_timeline(timeline: Timeline[Procedure | None], said: Said) -> bytes:
    """
    Return *timeline* as bytes.

    Args:
        timeline: Of one procedure.

        said: The events that touch procedures; contents are looked up there.
    """
    return _encode(_Packer(said).pack(timeline))


class _Packer:
    def __init__(self, said: Said) -> None:
        self._said = said
        self._told: list[_Told] = []
        # The same revision stands in value after value, and is the very same object.
        self._places: dict[int, int] = {}
        self._sources: tuple[TrajectoryId, ...] = ()

    def pack(self, timeline: Timeline[Procedure | None]) -> _Written:
        values: list[_Value] = []
        before: Procedure | None = None
        for position, procedure in zip(*timeline.columns(), strict=True):
            if procedure is None:
                values.append(_Value(position=position, there=False))
                continue
            values.append(self._value(position, procedure, before))
            before = procedure
        return _Written(revisions=self._told, values=values)

    def _value(self, position: int, procedure: Procedure, before: Procedure | None) -> _Value:
        shell = _shell(procedure)
        shared = 0
        if before is not None:
            for mine, its in zip(procedure.revisions, before.revisions, strict=False):
                if mine is not its:
                    break
                shared += 1
        old = {} if before is None else before.evidences
        changed = {family: one for family, one in procedure.evidences.items() if old.get(family) != one}
        grown = list({**old, **changed}) == list(procedure.evidences)
        return _Value(
            position=position,
            there=True,
            shell=None if before is not None and _shell(before) == shell else shell,
            shared=shared,
            revisions=[self._place(revision) for revision in procedure.revisions[shared:]],
            anew=not grown,
            evidences={
                family: attrs.astuple(one) for family, one in (changed if grown else procedure.evidences).items()
            },
        )

    def _place(self, revision: Revision) -> int:
        place = self._places.get(id(revision))
        if place is None:
            place = self._places[id(revision)] = len(self._told)
            self._told.append(self._tell(revision))
        return place

    def _tell(self, revision: Revision) -> _Told:
        before, self._sources = self._sources, revision.sources
        shared = len(before) if revision.sources[: len(before)] == before else 0
        return _Told(
            id=revision.id,
            base=revision.base,
            content=None if self._is_said(revision) else canonical_bytes(revision.content),
            content_key=revision.content_key,
            status=revision.status,
            shared=shared,
            sources=list(revision.sources[shared:]),
            family=revision.family,
            critique=revision.critique,
            tainted=revision.tainted,
        )

    def _is_said(self, revision: Revision) -> bool:
        entry = self._said.get(revision.id)
        if entry is None:
            return False
        return entry.said is revision.kept or getattr(entry.event, "content", None) == revision.content


def _shell(procedure: Procedure) -> _Shell:
    return _Shell(
        name=procedure.name,
        status=procedure.status,
        scope=procedure.scope,
        builder=procedure.builder,
        toolset=procedure.toolset,
        tags=procedure.tags,
        active=procedure.active,
        merged_into=procedure.merged_into,
    )


def unpack_timeline(procedure_id: ProcedureId, packed: bytes | memoryview, said: Said) -> Timeline[Procedure | None]:
    """
    Return the timeline of *procedure_id*.

    Args:
        procedure_id: Whose it is.

        packed: What ``pack_timeline`` returned.

        said: The events that touch procedures.
    """
    written = _decode(packed)
    revisions = _revisions(written.revisions, said)
    timeline: Timeline[Procedure | None] = Timeline()
    shell: _Shell | None = None
    there: tuple[Revision, ...] = ()
    evidences: dict[EventId, Evidence] = {}
    for value in written.values:
        if not value.there:
            timeline.append(value.position, None)
            continue
        shell = value.shell or shell
        assert shell is not None
        there = (*there[: value.shared], *(revisions[place] for place in value.revisions))
        news = {
            family: Evidence(**dict(zip(_COUNTS, counts, strict=True))) for family, counts in value.evidences.items()
        }
        evidences = news if value.anew else {**evidences, **news}
        timeline.append(
            value.position,
            Procedure(
                id=procedure_id,
                name=shell.name,
                status=shell.status,
                scope=shell.scope,
                builder=shell.builder,
                toolset=shell.toolset,
                tags=shell.tags,
                revisions=there,
                active=shell.active,
                evidences=evidences,
                merged_into=shell.merged_into,
            ),
        )
    return timeline


_COUNTS = tuple(field.name for field in attrs.fields(Evidence))


def _revisions(told: list[_Told], said: Said) -> list[Revision]:
    found: list[Revision] = []
    sources: tuple[TrajectoryId, ...] = ()
    for one in told:
        sources = (*sources[: one.shared], *one.sources)
        found.append(
            Revision(
                id=one.id,
                base=one.base,
                content=_content(one, said),
                content_key=one.content_key,
                status=one.status,
                sources=sources,
                family=one.family,
                critique=one.critique,
                tainted=one.tainted,
            )
        )
    return found


def _content(told: _Told, said: Said) -> Content | Unread:
    if told.content is not None:
        return _decode_content(told.content)
    event: Any = said[told.id].said
    if isinstance(event, StoredProcedure):
        return event
    content: Content = event.content
    return content
