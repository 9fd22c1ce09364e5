"""
Events to canonical bytes and back.

msgspec reads and writes attrs classes without a detour through dicts, three times faster than cattrs, but it drops
keys that a class does not have without a word. What is dropped would be gone from every later answer, so the codec
writes each decoded event again and compares: bytes that do not come back are refused, and the message names the keys.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from memp.errors import BodyError, InvalidInputError, UnknownEventTypeError
from memp.events import EVENT_TYPES, Event
from memp.model import canonical_bytes
from memp.upcast import UPCASTS, Upcast, upcast

_DECODERS = {type: msgspec.json.Decoder(cls) for type, cls in EVENT_TYPES.items()}


def encode(event: Event) -> bytes:
    """
    Return the canonical body of *event*: UTF-8 JSON, keys sorted.

    Raises:
        InvalidInputError: A value in it has no JSON form (a lone surrogate, an object of an unknown class).
    """
    try:
        return canonical_bytes(event)
    except (UnicodeEncodeError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidInputError(
            f"What {event.TYPE!r} would store has no JSON form ({error}). Pass text, numbers, lists and mappings."
        ) from error


def decode(
    type: str,
    schema: int,
    body: bytes,
    *,
    position: int | None = None,
    upcasts: Mapping[tuple[str, int], Upcast] = UPCASTS,
) -> Event:
    """
    Return the event that *body* holds.

    Args:
        type: Stored tag.

        schema: Version of the body's form; older ones are brought to the current one first.

        body: Canonical bytes as stored.

        position: Where it stands, for the messages.

        upcasts: How old bodies become current ones.

    Raises:
        UnknownEventTypeError: The type or the schema is newer than this version of memp.

        MissingUpcastError: An old schema has no way to the current one.

        BodyError: The bytes are not what the type says, or have keys that the type does not know.
    """
    cls = EVENT_TYPES.get(type)
    if cls is None or schema > cls.VERSION:
        raise UnknownEventTypeError(type, schema=schema, position=position)
    try:
        if schema == cls.VERSION:
            event: Event = _DECODERS[type].decode(body)
            if canonical_bytes(event) != body:
                raise BodyError(_why_not_same(type, body, event), position=position)
        else:
            data = upcast(type, schema, msgspec.json.decode(body), to=cls.VERSION, upcasts=upcasts)
            event = msgspec.convert(data, cls)
            _compare_keys(type, data, event, position)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError(f"The body of {type!r} cannot be read: {error}", position=position) from error
    return event


def _compare_keys(type: str, data: object, event: Event, position: int | None) -> None:
    unknown = sorted(_paths(data) - _paths(msgspec.to_builtins(event)))
    if unknown:
        raise BodyError(
            f"The body of {type!r} has keys that memp does not know: {', '.join(unknown)}.", position=position
        )


def _why_not_same(type: str, body: bytes, event: Event) -> str:
    unknown = sorted(_paths(msgspec.json.decode(body)) - _paths(msgspec.to_builtins(event)))
    if unknown:
        return f"The body of {type!r} has keys that memp does not know: {', '.join(unknown)}."
    return f"The body of {type!r} is not in canonical form (sorted keys, no white space, every field written)."


def _paths(value: object, path: str = "$") -> set[str]:
    """Return the paths of all mapping keys below *value*, such as ``$.content.task``."""
    match value:
        case dict():
            found = {f"{path}.{key}" for key in value}
            return found.union(*(_paths(inner, f"{path}.{key}") for key, inner in value.items()))
        case list() | tuple():
            return set().union(*(_paths(inner, f"{path}[{index}]") for index, inner in enumerate(value)))
        case _:
            return set()
