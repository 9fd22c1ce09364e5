"""
Taking procedures from one store to another: what a strong model's agent learned helps one with a weak model.

What comes out of a pack is somebody else's word. So it waits as a candidate unless the caller says otherwise, its
scripts are checked against their toolsets like any other, and what was known of it elsewhere is kept beside it and
counted nowhere: evidence here is what happened here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import attrs
import msgspec

from memp import __version__, decide
from memp.build.keys import written_key
from memp.build.written import read_written
from memp.decide import Decided, Names
from memp.errors import ConflictError, InvalidInputError
from memp.events import ProcedureAdded, ProcedureImported, ProcedureReflected, ResourceRecorded
from memp.events.procedures import Origin, OriginEvent
from memp.history.origins import imports_of
from memp.history.told import Teller
from memp.model import (
    Content,
    ContentKey,
    Evidence,
    Procedure,
    ProcedureId,
    ProcedureStatus,
)
from memp.operations.versions import Versions, as_invalid_input
from memp.record import Record
from memp.retrieval.filters import Filter
from memp.script.toolset import Toolset
from memp.toolsets import TOOLSET, by_digest, by_name, read_toolset, resource_of
from memp.transfer.pack import (
    FORMAT,
    Pack,
    PackEvent,
    PackEvidence,
    PackHeader,
    PackProcedure,
    PackToolset,
    as_written,
    read_key,
    read_pack,
    write_pack,
)

ImportAs = Literal["candidate", "active"]
"""What procedures of a pack become: candidates that wait for a verdict, or retrieved at once."""

NEWER = "a newer revision of it came out of a pack"
"""Why a further revision of an imported procedure was written."""


@attrs.frozen(kw_only=True)
class PackReport:
    """
    What a pack holds that was written.

    Attributes:
        procedures: Names of the procedures.

        sha256: Hex digest of its lines, which an import puts on record.

        signed: Whether it is signed.
    """

    procedures: tuple[str, ...]
    sha256: str
    signed: bool


@attrs.frozen(kw_only=True)
class ImportedPack:
    """
    What an import of a pack did.

    Attributes:
        added: Names, here, of the procedures that are new.

        revised: Names of those that came out of an earlier pack and got a further revision.

        known: How many were here already.

        as_: Whether they wait as candidates or are active.

        log_id: The log that they come from.

        sha256: Hex digest of the pack.

        signed: ``checked`` if its signature fits the key, ``unchecked`` if no key was given, ``no`` if there is none.

        events: The records that were written, oldest first; empty if nothing was new.
    """

    added: tuple[str, ...]
    revised: tuple[str, ...]
    known: int
    as_: ImportAs
    log_id: str
    sha256: str
    signed: str
    events: tuple[Record, ...] = attrs.field(repr=False)


class Packs(Versions):
    """Packing procedures, and unpacking them."""

    def export_pack(
        self, path: str | Path, *, where: Filter | None = None, key_file: str | Path | None = None
    ) -> PackReport:
        """
        Write procedures to *path* for another store: what they say, their toolsets, and what is known of them here.

        Runs that they were built from, episodes and embeddings stay here; of a procedure that is kept with a run, the
        run goes with it. Secrets are masked as this memory masks them.

        Args:
            path: The file, which must not be there.

            where: Which procedures, of those that are retrieved; None takes all.

            key_file: A file with a key of 16 bytes or more, to sign the pack with; None does not sign it.

        Raises:
            InvalidInputError: There is something at *path*, no folder for it, no procedure to pack, or the key is too
                short.

            NotFoundError: There is no such key file.

            ConflictError: The toolset of a procedure is nowhere on record.

            StorageError: The disk did not take it.
        """
        key = None if key_file is None else read_key(key_file)
        with self._store.settled():
            state = self._state
            chosen = [p for p in state.live() if where is None or where.admits(p, state)]
            if not chosen:
                raise InvalidInputError(
                    "There is no procedure to pack" + (": none meets 'where'." if where is not None else " here.")
                )
            toolsets = {p.toolset: self._spoken(p) for p in chosen if p.toolset is not None}
            header = PackHeader(
                format=FORMAT,
                log_id=self._store.log.log_id,
                branch=self._branch,
                position=self.position,
                head=str(self._store.log.head),
                memp=__version__,
            )
            teller = Teller(state)
            sha256 = write_pack(
                path,
                header,
                [PackToolset(digest=digest, text=told.to_text()) for digest, told in sorted(toolsets.items())],
                [self._packed(procedure, teller) for procedure in chosen],
                key=key,
            )
        return PackReport(procedures=tuple(p.name for p in chosen), sha256=sha256, signed=key is not None)

    def _spoken(self, procedure: Procedure) -> Toolset:
        found = by_digest(self._state, procedure.toolset)
        if found is None:
            raise ConflictError(f"The toolset of {procedure.name!r} is nowhere on record; it cannot be packed.")
        return found

    def _packed(self, procedure: Procedure, teller: Teller) -> PackProcedure:
        told = (teller.tell(entry.event_id, about=procedure.id) for entry in self._state.entries_of(procedure.id))
        history = tuple(
            PackEvent(
                event_id=one.event_id,
                type=one.type,
                position=one.position,
                recorded_at=one.recorded_at,
                actor=one.actor,
                says=self._store.masked(one.sentence),
            )
            for one in told
            if one.in_force
        )
        text, digest = as_written(self._without_secrets(procedure.revision.content))
        return PackProcedure(
            content=text,
            digest=digest,
            evidence=PackEvidence(**attrs.asdict(procedure.evidence)),
            id=procedure.id,
            revision=procedure.active,
            name=procedure.name,
            scope=procedure.scope,
            tags=procedure.tags,
            builder=procedure.builder,
            toolset=procedure.toolset,
            content_key=procedure.content_key,
            support=procedure.support,
            history=history,
        )

    def _without_secrets(self, content: Content) -> Content:
        masked = self._store.masked
        return Content(
            task=masked(content.task),
            patterns=tuple(map(masked, content.patterns)),
            script=None if content.script is None else masked(content.script),
            run=None if content.run is None else self._store.masked_run(content.run),
            facts=tuple(map(masked, content.facts)),
        )

    def import_pack(
        self, path: str | Path, *, as_: ImportAs = "candidate", key_file: str | Path | None = None
    ) -> ImportedPack:
        """
        Take in the procedures of a pack, as one operation; what is here already is left alone.

        They belong to the scope of this memory. One that came out of an earlier pack and says something else by now
        gets a further revision. Where each comes from, and what happened there, is on record: ``origins`` tells it.

        Args:
            path: The pack.

            as_: ``candidate`` lets them wait for a verdict (``accept``, ``reject`` or a gate), unretrieved; ``active``
                retrieves them at once.

            key_file: A file with the key that the pack must be signed with; None takes any pack.

        Raises:
            NotFoundError: There is no such file.

            ExportFormatError: It is no pack, damaged, written by a newer version, or not signed with the key; carries
                the line. Nothing was written.

            ScriptError: A script in it has mistakes; carries all of them. Nothing was written.

            InvalidInputError: *as_* is neither, the key is too short, or the memory is open for reading only.

            StorageError: The disk did not take it.
        """
        if as_ not in get_args(ImportAs):
            raise InvalidInputError(f"'as_' must be 'candidate' or 'active' (got {as_!r}).")
        pack = read_pack(path, key=None if key_file is None else read_key(key_file))
        with self._store.lock, as_invalid_input():
            unpacking = _Unpacking(self, pack, as_)
            decided = unpacking.decided()
            records = self._append(decided)
        return ImportedPack(
            added=tuple(unpacking.added),
            revised=tuple(unpacking.revised),
            known=unpacking.known,
            as_=as_,
            log_id=pack.header.log_id,
            sha256=pack.sha256,
            signed=pack.signed,
            events=records,
        )


class _Unpacking:
    """
    What one pack becomes in a memory.

    Attributes:
        added: Names of the procedures that are new.

        revised: Names of those that get a further revision.

        known: How many are here already.
    """

    def __init__(self, memory: Packs, pack: Pack, as_: ImportAs) -> None:
        self._memory, self._pack, self._candidate = memory, pack, as_ == "candidate"
        self._state, self._ids, self._scope = memory._state, memory._store.ids, memory._scope
        self._names = Names(self._state)
        self._toolsets = {digest: read_toolset(text) for digest, text in pack.toolsets.items()}
        self._revisions: set[str] = set()
        self._by_origin: dict[str, Procedure] = {}
        for procedure in self._state.all():
            for event in imports_of(self._state, procedure):
                if event.origin.log_id == pack.header.log_id and procedure.scope == self._scope:
                    self._revisions.add(event.origin.revision)
                    self._by_origin[event.origin.procedure_id] = procedure
        self._keys: set[ContentKey] = set()
        self.added: list[str] = []
        self.revised: list[str] = []
        self.known = 0

    def decided(self) -> list[Decided]:
        """Return the events that take it in; none if all of it is here."""
        procedures: list[Decided] = []
        spoken: set[str] = set()
        for line, content in self._pack.procedures:
            said = list(self._taken_in(line, self._memory._without_secrets(content)))
            if said and line.toolset is not None:
                spoken.add(line.toolset)
            procedures += said
        return [*self._new_toolsets(spoken), *procedures]

    def _taken_in(self, line: PackProcedure, content: Content) -> Iterator[Decided]:
        self._check(line, content)
        key = self._key(line, content)
        there = self._by_origin.get(line.id)
        says_so = there is not None and there.revision.content == content
        if line.revision in self._revisions or key in self._keys or says_so:
            self.known += 1
        elif there is not None and there.status in (ProcedureStatus.LIVE, ProcedureStatus.CANDIDATE):
            self.revised.append(there.name)
            yield from self._further(line, content, key, there)
        elif self._state.find_by_key(self._scope, key) is not None:
            self.known += 1
        else:
            self._keys.add(key)
            yield from self._new(line, content, key)

    def _new(self, line: PackProcedure, content: Content, key: ContentKey) -> Iterator[Decided]:
        event = ProcedureAdded(
            procedure_id=ProcedureId(self._ids.random()),
            name=self._names.take(line.name),
            scope=self._scope,
            tags=tuple(sorted(set(line.tags))),
            toolset=line.toolset,
            builder=line.builder,
            content_key=key,
            content=content,
        )
        self.added.append(event.name)
        yield (made := decide.single(event, self._ids))
        yield self._origin(line, event.procedure_id, made)

    def _further(self, line: PackProcedure, content: Content, key: ContentKey, there: Procedure) -> Iterator[Decided]:
        event = ProcedureReflected(
            procedure_id=there.id,
            base=there.active,
            content_key=key,
            content=content,
            critique=NEWER,
            candidate=self._candidate,
        )
        # Nothing of it was made from what is here, so undoing what is here leaves it alone.
        yield (made := decide.single(event, self._ids))
        yield self._origin(line, there.id, made)

    def _origin(self, line: PackProcedure, procedure_id: ProcedureId, made: Decided) -> Decided:
        header = self._pack.header
        origin = Origin(
            log_id=header.log_id,
            branch=header.branch,
            position=header.position,
            head=header.head,
            pack=self._pack.sha256,
            signed=self._pack.signed,
            procedure_id=line.id,
            revision=line.revision,
            name=line.name,
            scope=line.scope,
            support=line.support,
            evidence=Evidence(**msgspec.structs.asdict(line.evidence)),
            history=tuple(
                OriginEvent(
                    event_id=one.event_id,
                    type=one.type,
                    recorded_at=one.recorded_at,
                    actor=one.actor,
                    says=self._memory._store.masked(one.says),
                )
                for one in line.history
            ),
        )
        event = ProcedureImported(
            procedure_id=procedure_id, revision=made.event_id, origin=origin, candidate=self._candidate
        )
        return decide.single(event, self._ids)

    def _key(self, line: PackProcedure, content: Content) -> ContentKey:
        """Return what it is here: the same as there if it belongs to the same scope, since keys hold the scope."""
        if line.scope == self._scope:
            return ContentKey(line.content_key)
        return written_key(content, scope=self._scope, toolset=line.toolset, builder=line.builder)

    def _check(self, line: PackProcedure, content: Content) -> None:
        """Refuse a script that does not speak its toolset, as one that was written here would be."""
        if content.script is not None:
            toolset = None if line.toolset is None else self._toolsets[line.toolset]
            read_written(content.script, toolset, resolve=self._resolve, path=line.name)

    def _resolve(self, name: str) -> Toolset:
        packed = (toolset for toolset in self._toolsets.values() if toolset.name == name)
        return next(packed, None) or by_name(self._state, name)

    def _new_toolsets(self, spoken: set[str]) -> Iterator[Decided]:
        """Yield what puts toolsets on record; where another has its name here, it gets a longer one."""
        for digest in sorted(spoken):
            toolset = self._toolsets[digest]
            recorded = self._state.resource(TOOLSET, toolset.name)
            if recorded is not None and recorded.digest == digest:
                continue
            event: ResourceRecorded = resource_of(toolset)
            if recorded is not None:
                if by_digest(self._state, digest) is not None:
                    continue
                event = attrs.evolve(event, name=f"{toolset.name} {digest[:12]}")
            yield decide.single(event, self._ids)
