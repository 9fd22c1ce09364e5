"""Events to bytes and back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from memp import codec
from memp.errors import BodyError, InvalidInputError, MissingUpcastError, UnknownEventTypeError
from memp.events import EVENT_TYPES, ProcedureErased, TrajectoryRecorded
from memp.model import ProcedureId, Step, Trajectory, TrajectoryId

GOLDEN = Path(__file__).parents[1] / "golden" / "records"

ERASED = ProcedureErased(procedure_id=ProcedureId("p"), reason="no longer true")


def test_what_is_encoded_decodes_to_the_same() -> None:
    """decode(encode(e)) == e."""
    assert codec.decode(ERASED.TYPE, 1, codec.encode(ERASED)) == ERASED


def test_an_unknown_key_is_named_and_refused() -> None:
    """msgspec drops unknown keys in silence; the codec does not."""
    body = b'{"procedure_id":"p","reason":"r","weight":1}'
    with pytest.raises(BodyError, match=r"Position 7.*\$\.weight"):
        codec.decode(ERASED.TYPE, 1, body, position=7)


def test_an_unknown_key_deep_inside_is_named() -> None:
    """The path of the key leads to the step that has it."""
    event = TrajectoryRecorded(
        trajectory_id=TrajectoryId("t"), digest="d", trajectory=Trajectory(task="a task", steps=[Step(action="go")])
    )
    data = json.loads(codec.encode(event))
    data["trajectory"]["steps"][0]["mood"] = "good"
    with pytest.raises(BodyError, match=r"\$\.trajectory\.steps\[0\]\.mood"):
        codec.decode(event.TYPE, 1, json.dumps(data, sort_keys=True, separators=(",", ":")).encode())


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"procedure_id":"p"}', b'{"procedure_id":1,"reason":"r"}', b"\xff\xfe", b"[" * 5000],
)
def test_what_is_no_such_event_is_refused(body: bytes) -> None:
    """Bytes that are not what the type says raise one clear error."""
    with pytest.raises(BodyError, match="procedure-erased"):
        codec.decode(ERASED.TYPE, 1, body)


def test_old_data_meets_todays_checks() -> None:
    """Decoding goes through the ordinary constructor, so an empty reason is refused in old events too."""
    with pytest.raises(BodyError, match="reason"):
        codec.decode(ERASED.TYPE, 1, b'{"procedure_id":"p","reason":""}')


def test_another_form_of_the_same_json_is_refused() -> None:
    """Only the canonical bytes are what was hashed."""
    with pytest.raises(BodyError, match="canonical"):
        codec.decode(ERASED.TYPE, 1, b'{"reason": "r", "procedure_id": "p"}')


@pytest.mark.parametrize(("type", "schema"), [("procedure-danced", 1), ("procedure-erased", 99)])
def test_a_newer_log_stops_clearly(type: str, schema: int) -> None:
    """A type or schema that this version does not know is never skipped."""
    with pytest.raises(UnknownEventTypeError, match="newer") as caught:
        codec.decode(type, schema, b"{}", position=3)
    assert (caught.value.type, caught.value.schema, caught.value.position) == (type, schema, 3)


def test_an_old_schema_is_brought_to_todays() -> None:
    """An upcast turns plain values of the old form into those of the new one."""
    upcasts = {(ERASED.TYPE, 0): lambda data: {"procedure_id": data["id"], "reason": data["why"]}}
    event = codec.decode(ERASED.TYPE, 0, b'{"id":"p","why":"no longer true"}', upcasts=upcasts)
    assert event == ERASED


def test_an_upcast_may_leave_no_unknown_key() -> None:
    """What an upcast forgets to remove is refused as well."""
    upcasts = {(ERASED.TYPE, 0): lambda data: {**data, "procedure_id": "p", "reason": "r"}}
    with pytest.raises(BodyError, match=r"\$\.left"):
        codec.decode(ERASED.TYPE, 0, b'{"left":1}', upcasts=upcasts)


def test_a_missing_upcast_is_named() -> None:
    """An old schema without a way to the current one is memp's mistake and says so."""
    with pytest.raises(MissingUpcastError, match="schema 0"):
        codec.decode(ERASED.TYPE, 0, b"{}", upcasts={})


@pytest.mark.parametrize("extra", [{"a": "\ud800"}, {"a": {1, 2}.__iter__()}])
def test_what_json_cannot_say_is_refused_before_it_is_stored(extra: dict[str, object]) -> None:
    """A lone surrogate or a strange object is the caller's mistake."""
    run = Trajectory(task="a task", steps=(), extra=extra)
    with pytest.raises(InvalidInputError, match="no JSON form"):
        codec.encode(TrajectoryRecorded(trajectory_id=TrajectoryId("t"), digest="d", trajectory=run))


def golden_records() -> list[dict[str, object]]:
    """Every golden record: type, schema, body as text, and the digest of the body."""
    return [json.loads(line) for path in sorted(GOLDEN.glob("*.jsonl")) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("golden", golden_records(), ids=lambda g: f"{g['type']}-{g['schema']}")
def test_every_golden_record_still_decodes(golden: dict[str, object]) -> None:
    """Law 10: a body written by any version decodes, and one of today's schema comes back byte for byte."""
    body = str(golden["body"]).encode()
    assert hashlib.sha256(body).hexdigest() == golden["sha256"]
    event = codec.decode(str(golden["type"]), int(str(golden["schema"])), body)
    if golden["schema"] == event.VERSION:
        assert codec.encode(event) == body


def test_every_event_type_has_a_golden_record() -> None:
    """Law 10 covers every type and every schema up to the current one."""
    there = {(golden["type"], golden["schema"]) for golden in golden_records()}
    wanted = {(type, schema) for type, cls in EVENT_TYPES.items() for schema in range(1, cls.VERSION + 1)}
    assert wanted <= there
