"""Timelines as bytes: whole, and no longer than what happened."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from memp.events import ProcedureAdded
from memp.model import (
    Content,
    ContentKey,
    EventId,
    Evidence,
    Position,
    Procedure,
    ProcedureId,
    Revision,
    RevisionStatus,
    TrajectoryId,
)
from memp.projection import Entry
from memp.snapshot.timelines import pack_timeline, unpack_timeline
from memp.state import Timeline

ID = ProcedureId("p")


def revision(number: int, **said: object) -> Revision:
    """A revision that was built from as many runs as its number says."""
    made = Revision(
        id=EventId(f"r{number}"),
        content=Content(task=f"fold map {number}", script='do("fold")\n'),
        content_key=ContentKey(f"k{number}"),
        sources=tuple(TrajectoryId(f"t{n}") for n in range(number)),
        family=EventId("r0"),
    )
    return attrs.evolve(made, **said)  # type: ignore[arg-type]


def grown(count: int) -> Timeline[Procedure | None]:
    """A procedure that got a revision at each position, each made from one more run, and was served each time."""
    timeline: Timeline[Procedure | None] = Timeline()
    there: tuple[Revision, ...] = ()
    for number in range(count):
        before = tuple(attrs.evolve(r, status=RevisionStatus.SUPERSEDED) for r in there[-1:])
        there = (*there[:-1], *before, revision(number))
        evidences = {EventId("r0"): Evidence(episodes=number)}
        timeline.append(
            number + 1,
            Procedure(id=ID, name="fold", builder="induce", revisions=there, active=there[-1].id, evidences=evidences),
        )
    return timeline


def values(timeline: Timeline[Procedure | None]) -> tuple[list[int], list[Procedure | None]]:
    """The columns of a timeline."""
    positions, procedures = timeline.columns()
    return list(positions), list(procedures)


def test_a_long_life_is_not_written_again_with_every_change() -> None:
    """Ten times as many changes take ten times the bytes, although each value holds all revisions before it."""
    short, long = (pack_timeline(grown(count), {}) for count in (50, 500))
    assert len(long) < 12 * len(short)
    assert values(unpack_timeline(ID, long, {})) == values(grown(500))


def test_contents_are_those_of_the_events() -> None:
    """What the event said is not written again, and is the very same object afterwards."""
    one = revision(0)
    event = ProcedureAdded(
        procedure_id=ID, name="fold", content=one.content, content_key=one.content_key, builder="hand", sources=()
    )
    said = {one.id: Entry(event_id=one.id, position=Position(1), derived_from=(), said=event)}
    timeline: Timeline[Procedure | None] = Timeline()
    timeline.append(1, Procedure(id=ID, name="fold", builder="hand", revisions=(one,), active=one.id))
    packed = pack_timeline(timeline, said)
    assert b"fold map" not in packed
    found = unpack_timeline(ID, packed, said).last()
    assert found is not None
    assert found.revision.content is one.content


POOL = [revision(n % 3, tainted=n > 2, critique="c" if n % 2 else None) for n in range(6)]
FAMILIES = st.dictionaries(
    st.sampled_from([EventId("r0"), EventId("r1")]), st.builds(Evidence, episodes=st.integers(0, 3))
)
PROCEDURES = st.none() | st.builds(
    lambda numbers, evidences, name: Procedure(
        id=ID,
        name=name,
        builder="hand",
        revisions=tuple(POOL[n] for n in numbers),
        active=POOL[numbers[0]].id,
        evidences=evidences,
    ),
    st.lists(st.integers(0, 5), min_size=1, max_size=4),
    FAMILIES,
    st.sampled_from(["fold", "unfold"]),
)


@given(st.lists(PROCEDURES, max_size=6))
def test_any_timeline_comes_back(told: list[Procedure | None]) -> None:
    """An undo may take revisions, evidence, or all of it away, and bring it back."""
    timeline: Timeline[Procedure | None] = Timeline()
    for position, value in enumerate(told):
        timeline.append(2 * position + 1, value)
    found = unpack_timeline(ID, pack_timeline(timeline, {}), {})
    assert values(found) == values(timeline)
    for one, other in zip(values(found)[1], told, strict=True):
        assert (one is None) == (other is None)
        assert one is None or other is None or list(one.evidences) == list(other.evidences)
