"""
Which type fits where.
"""

from __future__ import annotations

from memp.script.nodes import Call
from memp.script.toolset import Finder, ToolClass, Toolset, bind_arguments
from memp.script.types import ANY, BOOL, NUMBER, TEXT, ListType, LiteralType, NamedType, Type

WRITTEN = NamedType("written text")
"""The type of what a loop over written texts names: each may be a thing of any class, as a text in its place may."""


class TypeRules:
    """Which type fits where, in the classes of a toolset; without one, unknown classes fit everywhere."""

    def __init__(self, toolset: Toolset | None) -> None:
        self.toolset = toolset

    def tool_class(self, type_: Type) -> ToolClass | None:
        """Return the class that *type_* names; None if it is no class."""
        return (
            self.toolset.find_class(type_.name) if self.toolset is not None and isinstance(type_, NamedType) else None
        )

    def fits(self, found: Type, wanted: Type) -> bool:
        """Return whether a value of type *found* may stand where *wanted* is expected."""
        if found == wanted or ANY in (found, wanted):
            return True
        if found == WRITTEN:
            return self.is_written_as_text(wanted)
        wanted_class, found_class = self.tool_class(wanted), self.tool_class(found)
        if wanted_class is not None and wanted_class.open and not wanted_class.fields:
            return True
        match found, wanted:
            case ListType(item), ListType(other):
                return self.fits(item, other)
            case LiteralType(values), LiteralType(allowed):
                return set(values) <= set(allowed)
            case LiteralType(), NamedType("Text"):
                return True
            case NamedType(), NamedType("Text"):
                return self.toolset is None or (found_class is not None and not found_class.is_record)
            case NamedType(name), NamedType(ancestor) if self.toolset is not None:
                return self.toolset.is_kind_of(name, ancestor)
            case _:
                return False

    def is_written_as_text(self, type_: Type) -> bool:
        """Return whether a text literal may stand for a value of *type_*."""
        if type_ in (TEXT, ANY) or isinstance(type_, LiteralType):
            return True
        if not isinstance(type_, NamedType) or type_ in (NUMBER, BOOL):
            return False
        found = self.tool_class(type_)
        return found is None or not found.is_record


def bound_type(call: Call, toolset: Toolset) -> Type:
    """Return the type of what the finder *call* finds; ``Any`` if the toolset does not know it."""
    entry = toolset.find_entry(call.name)
    fits = isinstance(entry, Finder) and bind_arguments(call, entry.parameters) is not None
    return entry.returns if fits and isinstance(entry, Finder) else ANY
