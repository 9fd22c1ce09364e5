"""
Whether values and calls fit where they stand.

Types are checked in both directions: what is expected of an argument decides what a text literal is (``"mug 1"`` is
an ``Object`` where one is expected), and what a name was bound to decides where it may stand. A constraint solver was
not taken: there is nothing to infer that the next line does not say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memp.script.mistakes import MistakeList, guess
from memp.script.nodes import (
    BoolLiteral,
    Both,
    Call,
    Compare,
    Either,
    Expression,
    FormattedText,
    ListLiteral,
    Name,
    Not,
    NullLiteral,
    NumberLiteral,
    Parameter,
    RecordLiteral,
    Span,
    TextLiteral,
)
from memp.script.toolset import (
    Action,
    Condition,
    Finder,
    Toolset,
    is_optional,
    signature_text,
)
from memp.script.type_rules import TypeRules
from memp.script.types import ANY, BOOL, NUMBER, TEXT, ListType, LiteralType, NamedType, Type, type_text

Names = dict[str, Type]
"""What is bound at a point of a procedure, with its type."""


class ValueChecker:
    """Checks the values and calls of one procedure, noting mistakes."""

    def __init__(
        self,
        toolset: Toolset | None,
        mistakes: MistakeList,
        *,
        is_untyped: bool,
        procedures: Mapping[str, Sequence[Parameter] | None],
        poisoned: frozenset[str],
    ) -> None:
        self.toolset = toolset
        self.rules = TypeRules(toolset)
        self.mistakes = mistakes
        self.is_untyped = is_untyped
        self.procedures = procedures
        self.poisoned = poisoned
        self.parameters: frozenset[str] = frozenset()

    # -- calls --------------------------------------------------------------------------------------------------------

    def _callable_names(self, kind: type[Action] | type[Finder] | type[Condition]) -> list[str]:
        entries = () if self.toolset is None else self.toolset.entries
        found = [entry.name for entry in entries if isinstance(entry, kind)]
        return found + (list(self.procedures) if kind is Action else [])

    def _wrong_place(self, call: Call, kind: str, expected: str, names: Names) -> None:
        self.mistakes.add(f"{call.name!r} is no use here: it is a kind of {kind}.", at=call.span, expected=expected)
        self.arguments(call, None, names)

    def _unknown(self, call: Call, names: Names, what: str, known: Sequence[str]) -> None:
        """Note that nothing is called so, unless the script is read untyped."""
        if not self.is_untyped and self.toolset is not None:
            owner = f"The toolset {self.toolset.name!r}"
            self.mistakes.add(
                f"{owner} has no {what} {call.name!r}.",
                at=call.span,
                expected='do("…") for a step in words' if what.startswith("action") else None,
                suggestion=guess(call.name, known),
            )
        self.arguments(call, None, names)

    def arguments(self, call: Call, parameters: Sequence[Parameter] | None, names: Names) -> None:
        """Check the arguments of *call*; *parameters* None: only that each means something."""
        if parameters is None:
            for value in (*call.args, *(word.value for word in call.keywords)):
                self.expression(value, ANY, names)
            return
        by_name = {parameter.name: parameter for parameter in parameters}
        expected = signature_text(call.name, parameters)
        pairs = list(zip(call.args, parameters, strict=False))
        given = {parameter.name for _, parameter in pairs}
        if len(call.args) > len(parameters):
            self.mistakes.add(
                f"{call.name!r} takes {len(parameters)} argument(s), not {len(call.args)}.",
                at=call.span,
                expected=expected,
            )
        for word in call.keywords:
            if word.name not in by_name:
                near = guess(word.name, by_name)
                self.mistakes.add(
                    f"{call.name!r} has no parameter {word.name!r}.", at=word.span, expected=expected, suggestion=near
                )
            elif word.name in given:
                self.mistakes.add(f"{word.name!r} is given twice.", at=word.span, expected=expected)
            else:
                pairs.append((word.value, by_name[word.name]))
                given.add(word.name)
        missing = [
            parameter.name for parameter in parameters if parameter.default is None and parameter.name not in given
        ]
        if missing and len(call.args) <= len(parameters):
            shown = ", ".join(repr(name) for name in missing)
            self.mistakes.add(f"{call.name!r} needs {shown} as well.", at=call.span, expected=expected)
        for value, parameter in pairs:
            self.expression(value, parameter.type, names, optional=is_optional(parameter))

    # -- expressions --------------------------------------------------------------------------------------------------

    def expression(self, node: Expression, wanted: Type, names: Names, *, optional: bool = False) -> Type:
        """Check *node* where *wanted* is expected; return its type."""
        found = self._type_of(node, wanted, names)
        if isinstance(node, NullLiteral) and optional:
            return wanted
        if not self.rules.fits(found, wanted):
            self.mistakes.add(
                f"Here stands {_describe(node)} of type {type_text(found)}.",
                at=node.span,
                expected=type_text(wanted).replace("Any", "…"),
            )
        return found

    def _type_of(self, node: Expression, wanted: Type, names: Names) -> Type:
        match node:
            case Name(name=name):
                return self._name(name, names, node.span)
            case TextLiteral(value=value):
                return self._text(value, wanted, node.span)
            case FormattedText(parts=parts):
                for part in parts:
                    if isinstance(part, Name):
                        self._name(part.name, names, node.span)
                return wanted if self.rules.is_written_as_text(wanted) else TEXT
            case NumberLiteral():
                return NUMBER
            case BoolLiteral():
                return BOOL
            case NullLiteral():
                return self._null(wanted)
            case ListLiteral(items=items):
                return self._list(items, wanted, names)
            case RecordLiteral():
                return self._record(node, wanted, names)
            case Call() | Not() | Both() | Either() | Compare():
                self.condition(node, names)
                return BOOL

    def _name(self, name: str, names: Names, at: Span | None) -> Type:
        if name in names:
            return names[name]
        if name not in self.poisoned:
            self.mistakes.add(
                f"The name {name!r} is not known here.",
                at=at,
                expected="a parameter, or what a finder or a loop named on every way to this line",
                suggestion=guess(name, names),
            )
        return ANY

    def _text(self, value: str, wanted: Type, at: Span | None) -> Type:
        if not self.rules.is_written_as_text(wanted):
            return TEXT
        if isinstance(wanted, LiteralType) and value not in wanted.values:
            self.mistakes.add(
                f"{value!r} is none of the texts that may stand here.",
                at=at,
                expected=type_text(wanted),
                suggestion=guess(value, wanted.values),
            )
        return TEXT if wanted == ANY else wanted

    def _null(self, wanted: Type) -> Type:
        tool_class = self.rules.tool_class(wanted)
        is_free = tool_class is not None and tool_class.open and not tool_class.fields
        return wanted if is_free or wanted == ANY else NamedType("None")

    def _list(self, items: Sequence[Expression], wanted: Type, names: Names) -> Type:
        if isinstance(wanted, ListType):
            found = [self.expression(item, wanted.item, names) for item in items]
            return ListType(found[0] if found and wanted.item == ANY else wanted.item)
        found = [self.expression(item, ANY, names) for item in items]
        return ListType(found[0] if found and all(item == found[0] for item in found) else ANY)

    def _record(self, node: RecordLiteral, wanted: Type, names: Names) -> Type:
        tool_class = self.rules.tool_class(wanted)
        if tool_class is None or not tool_class.is_record:
            for _, value in node.entries:
                self.expression(value, ANY, names)
            is_free = tool_class is not None and tool_class.open
            return wanted if is_free or wanted == ANY or self.toolset is None else NamedType("record")
        fields = {field.wire: field for field in tool_class.fields}
        expected = signature_text(tool_class.name, tool_class.fields)
        for key, value in node.entries:
            field = fields.get(key)
            if field is None and not tool_class.open:
                near = guess(key, fields)
                self.mistakes.add(
                    f"{tool_class.name!r} has no field {key!r}.", at=node.span, expected=expected, suggestion=near
                )
            optional = field is not None and is_optional(field)
            self.expression(value, ANY if field is None else field.type, names, optional=optional)
        missing = [
            field.wire for field in tool_class.fields if field.default is None and field.wire not in dict(node.entries)
        ]
        if missing:
            shown = ", ".join(repr(name) for name in missing)
            self.mistakes.add(f"{tool_class.name!r} needs {shown} as well.", at=node.span, expected=expected)
        return wanted

    def condition(self, node: Expression, names: Names) -> None:
        """Check *node* where something is true or not."""
        match node:
            case Call():
                self._condition_call(node, names)
            case Not(operand=operand):
                self.condition(operand, names)
            case Both(operands=operands) | Either(operands=operands):
                for operand in operands:
                    self.condition(operand, names)
            case Compare(left=left, operator="in" | "not in", right=right):
                item = self.expression(left, ANY, names)
                found = self._type_of(right, ListType(item), names)
                if not isinstance(found, ListType) and not self.rules.fits(found, TEXT):
                    self.mistakes.add(
                        f"Nothing can be in a {type_text(found)}.", at=right.span, expected="a list or a text"
                    )
            case Compare(left=left, operator="==" | "!=", right=right):
                # The side that has a type of its own says what a literal on the other side means.
                first, second = (right, left) if isinstance(left, TextLiteral | ListLiteral) else (left, right)
                self.expression(second, self.expression(first, ANY, names), names)
            case Compare(left=left, right=right):
                self.expression(left, NUMBER, names)
                self.expression(right, NUMBER, names)
            case _:
                self.expression(node, BOOL, names)

    def _condition_call(self, call: Call, names: Names) -> None:
        entry = None if self.toolset is None else self.toolset.find_entry(call.name)
        if isinstance(entry, Condition):
            self.arguments(call, entry.parameters, names)
        elif entry is not None or call.name in self.procedures:
            kind = "finder" if isinstance(entry, Finder) else "action"
            self._wrong_place(call, kind, "a condition", names)
        else:
            self._unknown(call, names, "condition", self._callable_names(Condition))


def _describe(node: Expression) -> str:
    match node:
        case Name(name=name):
            return repr(name)
        case TextLiteral() | FormattedText():
            return "a text"
        case NullLiteral():
            return "None"
        case _:
            return "something"
