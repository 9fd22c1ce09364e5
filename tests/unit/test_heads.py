"""What a replay reads of long bodies, and what stays bytes."""

from __future__ import annotations

import attrs
import msgspec
import pytest

import memp
from memp import codec, heads
from memp.errors import BodyError
from memp.events import Event, ProcedureAdded, TrajectoryRecorded
from memp.heads import StoredProcedure, decode_procedure_head, decode_trajectory_head
from memp.model import (
    Content,
    ContentKey,
    EventId,
    Position,
    ProcedureId,
    Revision,
    Step,
    Trajectory,
    TrajectoryId,
    canonical_bytes,
)
from memp.projection import Entry
from memp.state import State, replay

RUN = Trajectory(
    task="a task", steps=[Step(action="go", thought="why")], reward=0.5, task_type="kind", extra={"a": [1]}
)
ADDED = ProcedureAdded(
    procedure_id=ProcedureId("p"),
    name="a-task",
    scope="team",
    tags=("kitchen",),
    builder="verbatim",
    content_key=ContentKey("0" * 64),
    content=Content(task="a task", patterns=("a {}",), run=RUN),
    sources=(TrajectoryId("t"),),
)
BODY = codec.encode(ADDED)


def test_the_head_of_a_run_is_what_the_whole_says() -> None:
    """Reading a run without its steps gives the same values as reading all of it."""
    event = TrajectoryRecorded(trajectory_id=TrajectoryId("t"), scope="s", digest=RUN.digest, trajectory=RUN)
    head = decode_trajectory_head(1, codec.encode(event))
    assert (head.trajectory_id, head.scope, head.digest) == ("t", "s", RUN.digest)
    assert (head.task, head.task_type, head.success, head.reward) == ("a task", "kind", False, 0.5)


def test_the_head_of_a_procedure_is_what_the_whole_says() -> None:
    """Every field but the content is the event's, and the content is its bytes."""
    head = decode_procedure_head(1, BODY)
    assert head is not None
    for field in attrs.fields(ProcedureAdded):
        if field.name != "content":
            assert getattr(head, field.name) == getattr(ADDED, field.name)
    assert bytes(head.content) == canonical_bytes(ADDED.content)


def test_a_stored_procedure_is_the_event_that_it_holds() -> None:
    """Asked for, it is what decoding at once would have been; its bytes stay as they were."""
    stored = StoredProcedure(BODY, 7)
    assert (stored.event, stored.read(), stored.body) == (ADDED, ADDED.content, BODY)
    assert stored.event is stored.event
    assert stored == StoredProcedure(BODY, 8)
    assert stored == ADDED
    assert stored != StoredProcedure(BODY.replace(b"a-task", b"b-task"), 7)
    entry = Entry(event_id=EventId("e"), position=Position(7), derived_from=(), said=stored)
    assert entry.event == ADDED


def test_a_revision_is_the_same_read_or_not() -> None:
    """Equality and repr go by what the content says, however it is kept; so does a copy with a field changed."""
    e, key = EventId("e"), ADDED.content_key
    read = Revision(id=e, content=ADDED.content, content_key=key, family=e)
    unread = Revision(id=e, content=StoredProcedure(BODY, 7), content_key=key, family=e)
    assert (read, unread) == (unread, read)
    assert repr(read) == repr(unread)
    assert unread.content == ADDED.content
    assert attrs.evolve(unread, tainted=True) == attrs.evolve(read, tainted=True) != read


def test_a_key_that_nobody_knows_is_refused_with_its_name() -> None:
    """At once beside the content, and within it when somebody asks, with the position."""
    beside = canonical_bytes({**msgspec.to_builtins(ADDED), "extra": 1})
    with pytest.raises(BodyError, match=r"\$\.extra"):
        decode_procedure_head(1, beside, position=7)
    within = msgspec.to_builtins(ADDED)
    within["content"]["run"]["steps"][0]["extras"] = 1
    body = canonical_bytes(within)
    assert decode_procedure_head(1, body, position=7) is not None
    with pytest.raises(BodyError, match=r"7.*\$\.content\.run\.steps\[0\]\.extras"):
        StoredProcedure(body, 7).read()


def test_a_wrong_value_is_refused_and_another_schema_left_to_others() -> None:
    """A head without a name is no head; what is not in the current schema is decoded whole."""
    with pytest.raises(BodyError, match="name"):
        decode_procedure_head(1, canonical_bytes({**msgspec.to_builtins(ADDED), "name": None}))
    assert decode_procedure_head(2, BODY) is None


def test_only_what_is_asked_for_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay decodes no content; a question decodes what it shows."""
    runs = [memp.Trajectory(task=f"task {i}", steps=[memp.Step(action=f"go {i}")], reward=1.0) for i in range(5)]
    with memp.open(":memory:", actor="me") as memory:
        memory.learn(runs)
        records = list(memory.events())
    asked: list[str] = []

    def noted(type: str, schema: int, body: bytes, *, position: int | None = None) -> Event:
        asked.append(type)
        return codec.decode(type, schema, body, position=position)

    monkeypatch.setattr(heads, "decode", noted)
    state = State(replay(records))
    assert [one.name for one in state.live()] == [f"task-{i}" for i in range(5)]
    assert asked == []
    assert state.live()[0].task == "task 0"
    assert asked == ["procedure-added"]
