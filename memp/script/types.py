"""
The types of the language: three that are built in, lists, choices, and the classes of a toolset.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from memp.script.texts import quote


@attrs.frozen
class NamedType:
    """``Text``, ``Number``, ``Bool`` or a class of the toolset."""

    name: str


@attrs.frozen
class ListType:
    """``list[T]``."""

    item: Type


@attrs.frozen
class LiteralType:
    """``Literal["a", "b"]``: one of the texts, in the order of the declaration; never empty."""

    values: tuple[str, ...] = attrs.field(validator=attrs.validators.min_len(1))


Type: TypeAlias = NamedType | ListType | LiteralType
"""What a parameter takes or an expression gives."""

TEXT = NamedType("Text")
NUMBER = NamedType("Number")
BOOL = NamedType("Bool")
ANY = NamedType("Any")
"""The type of what could not be read or is not declared: fits everywhere. It cannot be written."""

BUILTIN_TYPES = ("Text", "Number", "Bool")


def type_text(type_: Type) -> str:
    """Return *type_* as it is written, such as ``list[Text]``."""
    match type_:
        case NamedType(name):
            return name
        case ListType(item):
            return f"list[{type_text(item)}]"
        case LiteralType(values):
            return f"Literal[{', '.join(quote(value) for value in values)}]"
