"""Which events are in force, and what procedures become by them."""

from __future__ import annotations

from itertools import count

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp import codec
from memp.errors import StreamGapError, UnknownEventTypeError
from memp.events import (
    Event,
    EventsUndone,
    ProcedureAdded,
    ProcedureErased,
    ProcedureGeneralised,
    ProcedureMerged,
    ProcedureReflected,
    ProcedureUnerased,
    ProcedureValidated,
    RevisionAccepted,
    RevisionRejected,
)
from memp.log.base import Pending
from memp.log.memory import MemoryLog
from memp.model import Content, ContentKey, EventId, Evidence, Procedure, ProcedureId, ProcedureStatus, RevisionStatus
from memp.projection import out_of_force
from memp.state import History, State, replay

P = ProcedureId("p")
Q = ProcedureId("q")


class Story:
    """Appends events to a log in memory and folds them as they come."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.history = History()
        self.state = State(self.history)
        self._numbers = count(1)

    def tell(self, event: Event, *derived_from: str) -> EventId:
        """Append one event and return its id."""
        event_id = EventId(f"e{next(self._numbers)}")
        pending = Pending(
            event_id=event_id,
            stream=event.stream,
            type=event.TYPE,
            schema=event.VERSION,
            body=codec.encode(event),
            derived_from=tuple(EventId(source) for source in derived_from),
        )
        for record in self.log.append([pending], actor="me"):
            self.history.apply(record)
        return event_id

    def procedure(self, procedure_id: ProcedureId) -> Procedure:
        """The procedure as it stands."""
        procedure = self.state.get(procedure_id)
        assert procedure is not None
        return procedure


def content(text: str = "do it") -> Content:
    """A content that says *text*."""
    return Content(task="a task", script=text)


def added(procedure: ProcedureId = P, text: str = "do it", key: str = "k") -> ProcedureAdded:
    """A new procedure."""
    return ProcedureAdded(
        procedure_id=procedure,
        name=f"name-{procedure}",
        builder="hand",
        content_key=ContentKey(key),
        content=content(text),
    )


def reflected(base: EventId, text: str, *, candidate: bool = True) -> ProcedureReflected:
    """A reflection."""
    return ProcedureReflected(
        procedure_id=P,
        base=base,
        content_key=ContentKey(text),
        content=content(text),
        critique="wrong",
        candidate=candidate,
    )


def validated(revision: str, *, success: bool = True, weight: float = 1.0) -> ProcedureValidated:
    """Evidence."""
    return ProcedureValidated(procedure_id=P, revision=EventId(revision), success=success, weight=weight, steps=4)


def undone(*events: str) -> EventsUndone:
    """An undo."""
    return EventsUndone(undone=tuple(EventId(event) for event in events), dependents="cascade", reason="wrong")


def test_an_added_procedure_is_live_with_one_revision() -> None:
    """The first revision is active and is named by the event that made it."""
    story = Story()
    first = story.tell(added())
    procedure = story.procedure(P)
    assert procedure.status is ProcedureStatus.LIVE
    assert (procedure.active, procedure.revision.id, procedure.script) == (first, first, "do it")


def test_a_candidate_waits_and_an_accepted_one_supersedes() -> None:
    """A reflection changes nothing until it is accepted; then the old revision stays readable as superseded."""
    story = Story()
    first = story.tell(added())
    second = story.tell(reflected(first, "better"), first)
    assert story.procedure(P).script == "do it"
    story.tell(RevisionAccepted(procedure_id=P, revision=second, reason="tried"))
    procedure = story.procedure(P)
    assert procedure.script == "better"
    assert procedure.find_revision(first).status is RevisionStatus.SUPERSEDED


def test_a_rejected_candidate_stays_readable() -> None:
    """A verdict against a candidate leaves the active revision alone."""
    story = Story()
    first = story.tell(added())
    second = story.tell(reflected(first, "worse"), first)
    story.tell(RevisionRejected(procedure_id=P, revision=second, reason="tried"))
    procedure = story.procedure(P)
    assert (procedure.active, procedure.find_revision(second).status) == (first, RevisionStatus.REJECTED)


def test_a_reflection_starts_with_no_evidence_and_a_generalisation_keeps_it() -> None:
    """A generalisation says the same of more runs; a reflection says something else."""
    story = Story()
    first = story.tell(added())
    story.tell(validated(first))
    more = story.tell(
        ProcedureGeneralised(procedure_id=P, base=first, content_key=ContentKey("k"), content=content("wider")), first
    )
    assert story.procedure(P).evidence == Evidence(
        episodes=1, helped=1, credit=1_000_000, helped_credit=1_000_000, steps=4, steps_known=1
    )
    story.tell(validated(first, success=False, weight=0.5))
    assert story.procedure(P).evidence.episodes == 2
    assert story.procedure(P).evidence.helped_credit == 1_000_000
    story.tell(reflected(more, "other", candidate=False), more)
    assert story.procedure(P).evidence == Evidence()


def test_evidence_about_an_absent_revision_changes_nothing() -> None:
    """The fold is total: what an undo took away may still be spoken of."""
    story = Story()
    story.tell(added())
    before = story.procedure(P)
    story.tell(validated("gone"))
    story.tell(RevisionAccepted(procedure_id=P, revision=EventId("gone"), reason="r"))
    story.tell(RevisionRejected(procedure_id=P, revision=EventId("gone"), reason="r"))
    story.tell(ProcedureUnerased(procedure_id=P, reason="r"))
    assert story.procedure(P) == before


def test_evidence_changes_evidence_alone() -> None:
    """Whatever else is known of a procedure stays, even of one that was merged into another."""
    story = Story()
    revision = story.tell(attrs.evolve(added(), tags=("kitchen",), toolset="0" * 64, name="mug"))
    story.tell(reflected(revision, "better"))
    story.tell(added(Q, "two", "k2"))
    story.tell(
        ProcedureMerged(
            procedure_id=ProcedureId("r"),
            merged=(P, Q),
            name="both",
            content_key=ContentKey("k3"),
            content=content(),
            reason="same",
        )
    )
    before = story.procedure(P)
    story.tell(validated(revision))
    after = story.procedure(P)
    assert after.evidence_of(after.find_revision(revision)).episodes == 1
    assert attrs.evolve(after, evidences=before.evidences) == before


def test_a_merge_retires_its_sources_in_favour_of_the_new_one() -> None:
    """Sources stay readable, and looking one up by content leads to what it became."""
    story = Story()
    story.tell(added(P, "one", "k1"))
    story.tell(added(Q, "two", "k2"))
    story.tell(
        ProcedureMerged(
            procedure_id=ProcedureId("r"),
            merged=(P, Q),
            name="both",
            content_key=ContentKey("k3"),
            content=content(),
            reason="same",
        )
    )
    assert [p.id for p in story.state.live()] == ["r"]
    assert story.procedure(P).merged_into == "r"
    found = story.state.find_by_key("", ContentKey("k2"))
    assert found is not None
    assert found.id == "r"


def test_an_undone_event_is_as_if_it_never_was() -> None:
    """An undone reflection gives back the revision before, and an undone first event takes the procedure away."""
    story = Story()
    first = story.tell(added())
    second = story.tell(reflected(first, "bad", candidate=False), first)
    story.tell(undone(second))
    assert story.procedure(P).script == "do it"
    story.tell(undone(first))
    assert story.state.all() == []
    assert story.state.named("name-p") == []
    assert story.state.find_by_key("", ContentKey("k")) is None


def test_undoing_an_undo_brings_back() -> None:
    """The state is then what it was, digest and all."""
    story = Story()
    story.tell(added())
    erased = story.tell(ProcedureErased(procedure_id=P, reason="r"))
    before = story.state.digest()
    undo = story.tell(undone(erased))
    assert story.state.digest() != before
    story.tell(undone(undo))
    assert story.state.digest() == before


def test_what_was_made_from_an_undone_event_is_marked() -> None:
    """A revision that stays although its base is out of force is tainted, and clean again once the base is back."""
    story = Story()
    first = story.tell(added())
    bad = story.tell(reflected(first, "bad", candidate=False), first)
    good = story.tell(reflected(bad, "good", candidate=False), bad)
    undo = story.tell(undone(bad))
    procedure = story.procedure(P)
    assert (procedure.active, procedure.script, procedure.revision.tainted) == (good, "good", True)
    story.tell(undone(undo))
    assert not story.procedure(P).revision.tainted


def test_folding_as_it_comes_equals_folding_the_log() -> None:
    """Law 2: an undo is settled in place exactly as a replay would settle it."""
    story = Story()
    first = story.tell(added())
    second = story.tell(reflected(first, "bad", candidate=False), first)
    story.tell(validated(second))
    story.tell(added(Q, key="k2"))
    story.tell(undone(second))
    again = State(replay(story.log.read()))
    assert again.all() == story.state.all()
    assert again.digest() == story.state.digest()


def test_a_log_that_goes_back_is_refused() -> None:
    """A state applies each record once, in order."""
    story = Story()
    story.tell(added())
    [record] = story.log.read()
    with pytest.raises(StreamGapError):
        story.history.apply(record)


def test_an_unknown_type_stops_the_fold() -> None:
    """Skipping what a newer version wrote would give a wrong answer in silence."""
    story = Story()
    strange = Pending(event_id=EventId("x"), stream="s", type="procedure-danced", schema=1, body=b"{}")
    [record] = story.log.append([strange], actor="me")
    with pytest.raises(UnknownEventTypeError):
        story.history.apply(record)


def test_the_digest_knows_content_and_not_ids() -> None:
    """Two stores that lived through the same have the same digest, whatever their ids and times."""
    one, other = Story(), Story()
    one.tell(added(P))
    other.tell(added(Q))
    assert one.state.digest() == other.state.digest()
    other.tell(ProcedureErased(procedure_id=Q, reason="r"))
    assert one.state.digest() != other.state.digest()


@given(st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=3), max_size=8))
def test_in_force_follows_its_definition(named: list[list[int]]) -> None:
    """An event is in force unless an undo that is in force names it: checked against the recursive definition."""
    # Undo number i names events among the ten plain ones (negative) and the undos before it.
    undos = [
        (EventId(f"u{i}"), tuple(EventId(f"u{n}" if n < i else f"e{n}") for n in names))
        for i, names in enumerate(named)
    ]

    def in_force(event: str, before: int) -> bool:
        return not any(event in names and in_force(undo, n) for n, (undo, names) in enumerate(undos) if n > before)

    out = out_of_force(undos)
    assert all((f"e{n}" in out) == (not in_force(f"e{n}", -1)) for n in range(8))
    assert all((undo in out) == (not in_force(undo, n)) for n, (undo, _) in enumerate(undos))
