"""
What differs between two versions of the memory, procedure by procedure.

Ids say nothing here: a procedure that was built anew on another branch has another id and is the same, so procedures
without a partner of their own id are matched by content key. What changed inside is worked out when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import attrs

from memp.history.contents import content_changes
from memp.model import Evidence, Procedure, ProcedureId, Revision, RevisionStatus
from memp.script.diff import Change
from memp.state import State

KINDS = ("added", "removed", "changed")
"""What can become of a procedure, in the order in which it is counted."""


@attrs.frozen(kw_only=True)
class FieldChange:
    """
    One thing about a procedure, other than what it says, that is not the same.

    Attributes:
        field: ``name``, ``status``, ``builder``, ``toolset``, ``tags``, ``support`` (how many runs), ``evidence``,
            ``tainted``, ``candidate`` (why the one that waits was written; one that came or went) or ``revisions`` (how
            many there are, where only history differs).

        before: As it was; None if it was not there.

        after: As it is; None if it is gone.
    """

    field: str
    before: str | int | bool | tuple[str, ...] | Evidence | None
    after: str | int | bool | tuple[str, ...] | Evidence | None


@attrs.frozen(kw_only=True)
class ProcedureChange:
    """
    A procedure that is not the same in two versions.

    Attributes:
        kind: ``added`` (only in the later), ``removed`` (only in the earlier) or ``changed``.

        before: As it stood; None if it was not there.

        after: As it stands; None if it is not there.
    """

    kind: str
    before: Procedure | None
    after: Procedure | None

    @property
    def name(self) -> str:
        """Its readable name."""
        procedure = self.after or self.before
        assert procedure is not None
        return procedure.name

    @cached_property
    def fields(self) -> tuple[FieldChange, ...]:
        """What changed about it; empty unless it is ``changed``."""
        if self.before is None or self.after is None:
            return ()
        found = tuple(_field_changes(self.before, self.after))
        if found or self.content:
            return found
        # Nothing that is read or ranked differs, but how it came to be does.
        counts = len(self.before.revisions), len(self.after.revisions)
        return (FieldChange(field="revisions", before=counts[0], after=counts[1]),)

    @cached_property
    def content(self) -> tuple[Change, ...]:
        """What changed in what it says; empty unless it is ``changed``."""
        if self.before is None or self.after is None:
            return ()
        return content_changes(self.before.revision.content, self.after.revision.content)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as JSON has them."""
        return {
            "kind": self.kind,
            "name": self.name,
            "before": _summary(self.before),
            "after": _summary(self.after),
            "fields": [
                {"field": change.field, "before": _plain(change.before), "after": _plain(change.after)}
                for change in self.fields
            ],
            "content": [attrs.asdict(change) for change in self.content],
        }


@attrs.frozen(kw_only=True)
class Diff:
    """
    What differs between two versions.

    Attributes:
        changes: Each procedure that is not the same, by name.
    """

    changes: tuple[ProcedureChange, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many procedures were added, removed and changed."""
        return {kind: sum(change.kind == kind for change in self.changes) for kind in KINDS}

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as JSON has them."""
        return {**self.counts, "changes": [change.to_dict() for change in self.changes]}


def compare(before: State, after: State, ids: Iterable[ProcedureId] | None = None) -> Diff:
    """
    Return what differs from *before* to *after*.

    Args:
        before: One version.

        after: Another one.

        ids: The procedures that may differ; None looks at all.
    """
    concerned = set(ids) if ids is not None else before.ids() | after.ids()
    pairs = [(before.get(procedure_id), after.get(procedure_id)) for procedure_id in concerned]
    changes = [
        ProcedureChange(kind="changed", before=old, after=new)
        for old, new in pairs
        if old is not None and new is not None and old != new and _differ(old, new)
    ]
    changes += _matched(
        [old for old, new in pairs if old is not None and new is None],
        [new for old, new in pairs if old is None and new is not None],
    )
    return Diff(changes=tuple(sorted(changes, key=_order)))


def _order(change: ProcedureChange) -> tuple[str, str, str]:
    procedure = change.after or change.before
    assert procedure is not None
    return change.name, change.kind, procedure.content_key


def _matched(gone: Sequence[Procedure], come: Sequence[Procedure]) -> Iterator[ProcedureChange]:
    """Yield what became of procedures that only one side has; those that say the same are one."""
    left = sorted(gone, key=lambda p: (p.name, p.content_key, p.id))
    rest: list[Procedure] = []
    for procedure in sorted(come, key=lambda p: (p.name, p.content_key, p.id)):
        twin = _twin(procedure, left)
        if twin is None:
            rest.append(procedure)
            continue
        left.remove(twin)
        if _differ(twin, procedure):
            yield ProcedureChange(kind="changed", before=twin, after=procedure)
    yield from (ProcedureChange(kind="removed", before=procedure, after=None) for procedure in left)
    yield from (ProcedureChange(kind="added", before=None, after=procedure) for procedure in rest)


def _differ(old: Procedure, new: Procedure) -> bool:
    """Whether two forms of one procedure are not the same, whatever the events are called that made them."""
    return any(_field_changes(old, new)) or _contents(old) != _contents(new)


def _contents(procedure: Procedure) -> list[tuple[object, ...]]:
    return [(r.content, r.status, r.critique, r.tainted) for r in procedure.revisions]


def _twin(procedure: Procedure, others: Sequence[Procedure]) -> Procedure | None:
    """Return which of *others* is *procedure* under another id; None if none is."""
    in_scope = [other for other in others if other.scope == procedure.scope]
    same = [other for other in in_scope if other.content_key == procedure.content_key]
    keys = {revision.content_key for revision in procedure.revisions}
    related = [other for other in in_scope if any(revision.content_key in keys for revision in other.revisions)]
    return next(iter([*same, *related]), None)


def _field_changes(old: Procedure, new: Procedure) -> Iterator[FieldChange]:
    for field in ("name", "status", "builder", "toolset", "tags"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield FieldChange(field=field, before=before, after=after)
    # A run that was recorded on two branches has two ids, so those of another procedure say nothing.
    if old.support != new.support or (old.id == new.id and set(old.sources) != set(new.sources)):
        yield FieldChange(field="support", before=old.support, after=new.support)
    if old.evidence != new.evidence:
        yield FieldChange(field="evidence", before=old.evidence, after=new.evidence)
    if old.revision.tainted != new.revision.tainted:
        yield FieldChange(field="tainted", before=old.revision.tainted, after=new.revision.tainted)
    yield from _candidate_changes(old, new)


def _candidate_changes(old: Procedure, new: Procedure) -> Iterator[FieldChange]:
    """Yield the candidates that only one side has; those of the other side are known by what they say, not by id."""
    before, after = ([r for r in side.revisions if r.status is RevisionStatus.CANDIDATE] for side in (old, new))
    for candidate in before:
        if not any(_same(candidate, other) for other in after):
            yield FieldChange(field="candidate", before=_why(candidate), after=_verdict(candidate, new))
    for candidate in after:
        if not any(_same(candidate, other) for other in before):
            yield FieldChange(field="candidate", before=None, after=_why(candidate))


def _same(one: Revision, other: Revision) -> bool:
    return (one.content, one.critique, one.tainted) == (other.content, other.critique, other.tainted)


def _why(candidate: Revision) -> str:
    return candidate.critique or "covers further runs"


def _verdict(candidate: Revision, procedure: Procedure) -> str | None:
    """Return what became of a candidate that no longer waits; None if it is gone."""
    found = next((r.status for r in procedure.revisions if r.id == candidate.id), None)
    if found is None or found is RevisionStatus.CANDIDATE:
        return None
    return "accepted" if found is RevisionStatus.ACTIVE else found.value


def _summary(procedure: Procedure | None) -> dict[str, Any] | None:
    if procedure is None:
        return None
    return {
        "id": procedure.id,
        "name": procedure.name,
        "status": procedure.status.value,
        "task": procedure.task,
        "builder": procedure.builder,
        "tags": list(procedure.tags),
        "support": procedure.support,
        "evidence": _plain(procedure.evidence),
        "tainted": procedure.revision.tainted,
        "content_key": procedure.content_key,
    }


def _plain(value: object) -> object:
    match value:
        case Evidence():
            return {"episodes": value.episodes, "helped": value.helped}
        case tuple():
            return list(value)
        case str():
            return str(value)
        case _:
            return value
