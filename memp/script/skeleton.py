"""
What is left of a procedure when its names and literals do not count.

Two procedures with the same skeleton do the same with other things: merging and content keys go by it, so its form is
part of what is stored, and a change to it is a change of every content key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from memp.model import content_digest
from memp.script.nodes import (
    Act,
    Attempts,
    Avoid,
    BoolLiteral,
    Both,
    Break,
    Call,
    Compare,
    Do,
    Either,
    Ensure,
    Expression,
    Find,
    ForEach,
    FormattedText,
    If,
    ListLiteral,
    Name,
    Not,
    Note,
    NullLiteral,
    NumberLiteral,
    ProcedureDef,
    RecordLiteral,
    Repeat,
    Script,
    Statement,
    Stop,
    TextLiteral,
    Try,
)
from memp.script.toolset import Toolset, bind_arguments
from memp.script.type_rules import bound_type
from memp.script.types import ANY, BOOL, NUMBER, TEXT, ListType, Type, type_text
from memp.script.values import literal_type
from memp.script.walk import iter_expressions


class _Skeleton:
    """Writes one procedure without its names: parameters by order of first use, variables by order of naming."""

    def __init__(self, node: ProcedureDef, toolset: Toolset | None, procedures: Mapping[str, ProcedureDef]) -> None:
        self.node = node
        self.toolset = toolset
        self.procedures = procedures
        self.order = {name: index for index, name in enumerate(procedures)}
        self.types: dict[str, Type] = {parameter.name: parameter.type for parameter in node.parameters}
        self.parameters: dict[str, int] = {}
        self.variables: dict[str, int] = {}

    def write(self) -> list[Any]:
        body = self.block(self.node.body)
        unused = sorted(type_text(p.type) for p in self.node.parameters if p.name not in self.parameters)
        used = [type_text(self.types[name]) for name in self.parameters]
        return ["procedure", used, unused, body]

    def block(self, statements: Sequence[Statement]) -> list[Any]:
        return [self.statement(statement) for statement in statements]

    def statement(self, node: Statement) -> list[Any]:
        match node:
            case Act(call=call):
                return ["act", *self.call(call)]
            case Find(target=target, call=call):
                written = self.call(call)
                found = ANY if self.toolset is None else bound_type(call, self.toolset)
                return ["find", self.bind(target, found), *written]
            case If(branches=branches, otherwise=otherwise):
                ways = [[self.value(branch.condition, BOOL), self.block(branch.body)] for branch in branches]
                return ["if", ways, self.block(otherwise)]
            case ForEach(variable=variable, items=items, body=body, otherwise=otherwise):
                written_items = self.value(items, ListType(ANY))
                return ["for", self.bind(variable, ANY), written_items, self.block(body), self.block(otherwise)]
            case Repeat(count=count, body=body, otherwise=otherwise):
                return ["times", self.count(count), self.block(body), self.block(otherwise)]
            case Attempts(count=count, body=body, otherwise=otherwise):
                return ["attempts", self.count(count), self.block(body), self.block(otherwise)]
            case Break():
                return ["break"]
            case Try(body=body, handler=handler):
                return ["try", self.block(body), self.block(handler)]
            case Ensure(condition=condition):
                return ["ensure", self.value(condition, BOOL)]
            case Avoid(what=what):
                return ["avoid", *(self.call(what) if isinstance(what, Call) else [self.words(what)])]
            case Note(text=text):
                return ["note", self.words(text)]
            case Do(text=text):
                return ["do", self.words(text)]
            case Stop():
                return ["stop"]

    def bind(self, name: str, type_: Type) -> list[Any]:
        self.variables.setdefault(name, len(self.variables))
        self.types.setdefault(name, type_)
        return ["variable", self.variables[name]]

    def call(self, call: Call) -> list[Any]:
        """Return the callee and its arguments in the parameters' order, so that the way of calling does not count."""
        entry = None if self.toolset is None else self.toolset.find_entry(call.name)
        procedure = self.procedures.get(call.name)
        parameters = entry.parameters if entry else procedure.parameters if procedure else None
        callee: Any = ["procedure", self.order[call.name]] if entry is None and procedure else call.name
        bound = None if parameters is None else bind_arguments(call, parameters)
        if parameters is None or bound is None:
            words = sorted(call.keywords, key=lambda word: word.name)
            named = [[word.name, self.value(word.value, ANY)] for word in words]
            return [callee, [self.value(value, ANY) for value in call.args], named]
        types = {parameter.name: parameter.type for parameter in parameters}
        return [callee, [], [[name, self.value(value, types[name])] for name, value in bound.items()]]

    def count(self, node: Expression) -> Any:
        """Return a number of rounds as it is: doing a thing twice is not doing it three times."""
        return ["number", node.value] if isinstance(node, NumberLiteral) else self.value(node, NUMBER)

    def words(self, node: Expression) -> list[Any]:
        """Return a step in words as it is, but for its names: the words are all there is to tell such steps apart."""
        match node:
            case FormattedText(parts=parts):
                return [_plain(part) if isinstance(part, str) else self.value(part, TEXT) for part in parts]
            case TextLiteral(value=text):
                return [_plain(text)]
            case _:
                return []

    def value(self, node: Expression, wanted: Type) -> list[Any]:
        match node:
            case Name(name=name) if name in self.variables:
                return ["variable", self.variables[name]]
            case Name(name=name):
                self.parameters.setdefault(name, len(self.parameters))
                return ["parameter", self.parameters[name]]
            case Call():
                return ["call", *self.call(node)]
            case Not(operand=operand):
                return ["not", self.value(operand, BOOL)]
            case Both(operands=operands):
                return ["and", *(self.value(operand, BOOL) for operand in operands)]
            case Either(operands=operands):
                return ["or", *(self.value(operand, BOOL) for operand in operands)]
            case Compare(left=left, operator=operator, right=right):
                return ["compare", operator, self.value(left, ANY), self.value(right, ANY)]
            case FormattedText(parts=parts):
                names = [self.value(part, TEXT) for part in parts if isinstance(part, Name)]
                return ["text", names]
            case ListLiteral() | RecordLiteral():
                return self._collection(node, wanted)
            case TextLiteral() | NumberLiteral() | BoolLiteral() | NullLiteral():
                return ["literal", type_text(literal_type(node) if wanted == ANY else wanted)]

    def _collection(self, node: ListLiteral | RecordLiteral, wanted: Type) -> list[Any]:
        """Return a list or record: its type if all in it is literal, otherwise what it holds as well."""
        kind = type_text(wanted) if wanted not in (ANY, ListType(ANY)) else type(node).__name__
        if not any(isinstance(part, Name) for part in iter_expressions(node)):
            return ["literal", kind]
        if isinstance(node, RecordLiteral):
            return [
                "record",
                kind,
                [[key, self.value(part, ANY)] for key, part in sorted(node.entries, key=lambda e: e[0])],
            ]
        return ["list", kind, [self.value(part, ANY) for part in node.items]]


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def skeleton(node: Script | ProcedureDef, toolset: Toolset | None = None) -> list[Any]:
    """
    Return the typed skeleton of *node*: what is left when names and literals do not count.

    What counts: the statements and how they nest, what is called, how often a loop runs, which parameter or variable
    stands where (parameters numbered by first use, variables by first naming), the types of parameters and literals,
    the words of ``do``, ``note`` and ``avoid``. What does not: names, patterns, texts, literals (a list of literals
    of any length is one literal), reasons, and whether an argument was given by place or by name.

    Args:
        node: A script, or one of its procedures.

        toolset: Gives the types of arguments; without it literals have the type that they show.

    Returns:
        Lists, texts and numbers alone, ready for canonical JSON.
    """
    if isinstance(node, Script):
        procedures = {procedure.name: procedure for procedure in node.procedures}
        return ["script", *(_Skeleton(procedure, toolset, procedures).write() for procedure in node.procedures)]
    return _Skeleton(node, toolset, {}).write()


def skeleton_digest(node: Script | ProcedureDef, toolset: Toolset | None = None) -> str:
    """Return the hex SHA-256 of the skeleton of *node*; the same for two procedures that differ in names alone."""
    return content_digest(skeleton(node, toolset))
