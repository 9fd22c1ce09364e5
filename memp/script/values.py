"""
Literals to JSON values and back, by type.

The arguments of a tool call are JSON; those of a script are expressions. Both directions stand here, because each must
undo the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memp.errors import InvalidInputError
from memp.script.nodes import (
    BoolLiteral,
    Expression,
    FormattedText,
    ListLiteral,
    Name,
    NullLiteral,
    NumberLiteral,
    Parameter,
    RecordLiteral,
    TextLiteral,
)
from memp.script.toolset import Toolset, is_optional
from memp.script.types import ANY, BOOL, NUMBER, TEXT, ListType, LiteralType, NamedType, Type

DEPTH_MAX = 20
"""How deep JSON values may nest; deeper ones are not lifted, so that no walk over a script can run out of stack."""


def from_json(value: object, type_: Type, toolset: Toolset, *, depth: int = 0) -> Expression | None:
    """Return *value* as a literal of *type_*; None if it is not of that type, or too deep."""
    if depth > DEPTH_MAX:
        return None
    match type_:
        case ListType(item):
            return _list_from_json(value, item, toolset, depth) if isinstance(value, list) else None
        case LiteralType(values):
            return TextLiteral(value=value) if isinstance(value, str) and value in values else None
        case NamedType("Text"):
            return _scalar(value) if isinstance(value, str) else None
        case NamedType("Number"):
            return _scalar(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        case NamedType("Bool"):
            return BoolLiteral(value=value) if isinstance(value, bool) else None
        case NamedType(name):
            return _thing_from_json(value, name, toolset, depth)


def argument_from_json(value: object, parameter: Parameter, toolset: Toolset, *, depth: int = 0) -> Expression | None:
    """Return *value* as an argument for *parameter*; null is one if it may be left out. None if it does not fit."""
    if value is None and is_optional(parameter):
        return NullLiteral()
    return from_json(value, parameter.type, toolset, depth=depth)


def _list_from_json(value: list[object], item: Type, toolset: Toolset, depth: int) -> Expression | None:
    items = [from_json(part, item, toolset, depth=depth + 1) for part in value]
    found = [part for part in items if part is not None]
    return ListLiteral(items=tuple(found)) if len(found) == len(items) else None


def _thing_from_json(value: object, name: str, toolset: Toolset, depth: int) -> Expression | None:
    """Return a value of the class *name*; ``Any`` and an open class without fields take what comes."""
    tool_class = toolset.find_class(name)
    free = tool_class is None or (tool_class.open and not tool_class.fields)
    if isinstance(value, dict) and (free or (tool_class is not None and tool_class.is_record)):
        fields = {} if tool_class is None else {field.wire: field for field in tool_class.fields}
        entries: list[tuple[str, Expression]] = []
        for key, part in value.items():
            field = fields.get(key)
            if field is None and not (tool_class is None or tool_class.open):
                return None
            wanted = field or Parameter(name="any", type=ANY)
            read = argument_from_json(part, wanted, toolset, depth=depth + 1)
            if read is None or not _writable(key):
                return None
            entries.append((key, read))
        if any(field.default is None and field.wire not in value for field in fields.values()):
            return None
        return RecordLiteral(entries=tuple(entries))
    if not free:
        return (
            _scalar(value) if isinstance(value, str) and not (tool_class is not None and tool_class.is_record) else None
        )
    return _list_from_json(value, ANY, toolset, depth) if isinstance(value, list) else _scalar(value)


def _writable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _scalar(value: object) -> Expression | None:
    try:
        match value:
            case None:
                return NullLiteral()
            case bool():
                return BoolLiteral(value=value)
            case int() | float():
                return NumberLiteral(value=value)
            case str():
                return TextLiteral(value=value)
            case _:
                return None
    except ValueError:  # a number beyond 64 bits, or half a character
        return None


def to_json(value: Expression, values: Mapping[str, str]) -> Any:
    """
    Return the JSON value of a literal.

    Args:
        value: A literal, or a name.

        values: What the names stand for.

    Raises:
        InvalidInputError: A name has no value, or it is a condition.
    """
    match value:
        case TextLiteral(value=text):
            return text
        case NumberLiteral(value=number):
            return number
        case BoolLiteral(value=truth):
            return truth
        case NullLiteral():
            return None
        case ListLiteral(items=items):
            return [to_json(item, values) for item in items]
        case RecordLiteral(entries=entries):
            return {key: to_json(part, values) for key, part in entries}
        case FormattedText(parts=parts):
            return "".join(part if isinstance(part, str) else str(to_json(part, values)) for part in parts)
        case Name(name=name):
            if name not in values:
                raise InvalidInputError(f"The name {name!r} has no value here: pass it in 'values'.")
            return values[name]
        case _:
            raise InvalidInputError("A condition has no value that could be written into an action.")


def literal_type(value: Expression) -> Type:
    """Return the type that a literal has when nothing is expected of it."""
    match value:
        case TextLiteral() | FormattedText():
            return TEXT
        case NumberLiteral():
            return NUMBER
        case BoolLiteral():
            return BOOL
        case ListLiteral(items=items):
            found = {literal_type(item) for item in items}
            return ListType(found.pop()) if len(found) == 1 else ListType(ANY)
        case _:
            return ANY
