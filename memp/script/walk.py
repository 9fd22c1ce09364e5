"""
Walking over scripts: what they call and name, and the same script with other names or values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from memp.script.formatter import format_script
from memp.script.forms import rename_slots
from memp.script.nodes import (
    Act,
    Attempts,
    Avoid,
    Both,
    Branch,
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
    NumberLiteral,
    ProcedureDef,
    RecordLiteral,
    Repeat,
    Script,
    Statement,
    Stop,
    TextLiteral,
    Try,
    formatted,
)


def digest(script: Script) -> str:
    """Return the hex SHA-256 of the canonical text of *script*; equal scripts have equal digests."""
    return hashlib.sha256(format_script(script).encode()).hexdigest()


# -- looking ----------------------------------------------------------------------------------------------------------


def child_blocks(node: Statement) -> tuple[tuple[Statement, ...], ...]:
    """Return the blocks inside *node*, in order; an absent ``else`` is an empty one."""
    match node:
        case If(branches=branches, otherwise=otherwise):
            return (*(branch.body for branch in branches), otherwise)
        case ForEach() | Repeat() | Attempts():
            return (node.body, node.otherwise)
        case Try(body=body, handler=handler):
            return (body, handler)
        case _:
            return ()


def iter_statements(node: Script | ProcedureDef | Sequence[Statement]) -> Iterator[Statement]:
    """Yield every statement, each before those inside it, in the order of the text."""
    if isinstance(node, Script):
        for procedure in node.procedures:
            yield from iter_statements(procedure.body)
        return
    for statement in node.body if isinstance(node, ProcedureDef) else node:
        yield statement
        for block in child_blocks(statement):
            yield from iter_statements(block)


def own_expressions(node: Statement) -> tuple[Expression, ...]:
    """Return the expressions of *node* itself, not of the statements inside it, in order."""
    match node:
        case Act(call=call) | Find(call=call):
            return (call,)
        case If(branches=branches):
            return tuple(branch.condition for branch in branches)
        case ForEach(items=items):
            return (items,)
        case Repeat(count=count) | Attempts(count=count):
            return (count,)
        case Ensure(condition=condition, why=why):
            return (condition, why)
        case Avoid(what=what, because=because):
            return (what, because)
        case Note(text=text) | Do(text=text) | Stop(reason=text):
            return (text,)
        case Break() | Try():
            return ()


def child_expressions(node: Expression) -> tuple[Expression, ...]:
    """Return the expressions directly inside *node*, in order."""
    match node:
        case FormattedText(parts=parts):
            return tuple(part for part in parts if isinstance(part, Name))
        case ListLiteral(items=items):
            return items
        case RecordLiteral(entries=entries):
            return tuple(value for _, value in entries)
        case Call(args=args, keywords=keywords):
            return (*args, *(word.value for word in keywords))
        case Not(operand=operand):
            return (operand,)
        case Both(operands=operands) | Either(operands=operands):
            return operands
        case Compare(left=left, right=right):
            return (left, right)
        case _:
            return ()


def iter_expressions(node: Statement | Expression) -> Iterator[Expression]:
    """Yield every expression of *node* itself, each before those inside it, in order."""
    roots = (node,) if isinstance(node, Expression) else own_expressions(node)
    for root in roots:
        yield root
        for child in child_expressions(root):
            yield from iter_expressions(child)


def called_names(node: Script | ProcedureDef) -> tuple[str, ...]:
    """Return the names that *node* calls, each once, in order of first use."""
    calls = (
        part.name
        for statement in iter_statements(node)
        for part in iter_expressions(statement)
        if isinstance(part, Call)
    )
    return tuple(dict.fromkeys(calls))


def used_names(node: ProcedureDef) -> tuple[str, ...]:
    """Return the parameters and variables that the steps of *node* use, each once, in order of first use."""
    names = (
        part.name
        for statement in iter_statements(node)
        for part in iter_expressions(statement)
        if isinstance(part, Name)
    )
    return tuple(dict.fromkeys(names))


def bound_names(node: ProcedureDef) -> tuple[str, ...]:
    """Return the variables that finders and loops of *node* name, each once, in order."""
    found = (
        statement.target if isinstance(statement, Find) else statement.variable
        for statement in iter_statements(node)
        if isinstance(statement, Find | ForEach)
    )
    return tuple(dict.fromkeys(found))


# -- rewriting --------------------------------------------------------------------------------------------------------

Rewriter = Callable[[Expression], Expression]
"""Gives what takes the place of an expression whose own parts are already rewritten."""


def rewrite_expression(node: Expression, change: Rewriter) -> Expression:
    """Return *node* with *change* applied to every part, inner ones first."""

    def inside(part: Expression) -> Expression:
        return rewrite_expression(part, change)

    match node:
        case FormattedText(parts=parts):
            changed = [part if isinstance(part, str) else inside(part) for part in parts]
            return change(formatted([_text_part(part) for part in changed], span=node.span))
        case ListLiteral(items=items):
            return change(attrs.evolve(node, items=tuple(map(inside, items))))
        case RecordLiteral(entries=entries):
            return change(attrs.evolve(node, entries=tuple((key, inside(value)) for key, value in entries)))
        case Call(args=args, keywords=keywords):
            words = tuple(attrs.evolve(word, value=inside(word.value)) for word in keywords)
            return change(attrs.evolve(node, args=tuple(map(inside, args)), keywords=words))
        case Not(operand=operand):
            return change(attrs.evolve(node, operand=inside(operand)))
        case Both(operands=operands) | Either(operands=operands):
            return change(attrs.evolve(node, operands=tuple(map(inside, operands))))
        case Compare(left=left, right=right):
            return change(attrs.evolve(node, left=inside(left), right=inside(right)))
        case _:
            return change(node)


def _text_part(part: str | Expression) -> str | Name:
    match part:
        case str() | Name():
            return part
        case TextLiteral(value=text):
            return text
        case NumberLiteral(value=number):
            return repr(number)
        case _:
            raise ValueError("Only a name, a text or a number can stand inside an f-string.")


def rewrite(node: Any, change: Rewriter, *, bind: Callable[[str], str] | None = None) -> Any:
    """
    Return *node* with *change* applied to every expression, inner ones first.

    Args:
        node: A statement, or a procedure (its steps; not its patterns and parameters).

        change: Gives what takes the place of an expression. A ``Name`` inside an f-string may become a name, a text
            or a number.

        bind: Gives the new name for a variable that a finder or a loop names; None leaves them.

    Returns:
        A node of the same class.
    """
    renamed = bind or (lambda name: name)

    def block(statements: Sequence[Statement]) -> tuple[Statement, ...]:
        return tuple(rewrite(statement, change, bind=bind) for statement in statements)

    def value(part: Expression) -> Any:
        return rewrite_expression(part, change)

    match node:
        case ProcedureDef(body=body):
            return attrs.evolve(node, body=block(body))
        case Branch(condition=condition, body=body):
            return attrs.evolve(node, condition=value(condition), body=block(body))
        case Act(call=call):
            return attrs.evolve(node, call=value(call))
        case Find(target=target, call=call):
            return attrs.evolve(node, target=renamed(target), call=value(call))
        case If(branches=branches, otherwise=otherwise):
            changed = tuple(rewrite(branch, change, bind=bind) for branch in branches)
            return attrs.evolve(node, branches=changed, otherwise=block(otherwise))
        case ForEach(variable=variable, items=items, body=body, otherwise=otherwise):
            name = renamed(variable)
            return attrs.evolve(node, variable=name, items=value(items), body=block(body), otherwise=block(otherwise))
        case (
            Repeat(count=count, body=body, otherwise=otherwise) | Attempts(count=count, body=body, otherwise=otherwise)
        ):
            return attrs.evolve(node, count=value(count), body=block(body), otherwise=block(otherwise))
        case Try(body=body, handler=handler):
            return attrs.evolve(node, body=block(body), handler=block(handler))
        case Ensure(condition=condition, why=why):
            return attrs.evolve(node, condition=value(condition), why=value(why))
        case Avoid(what=what, because=because):
            return attrs.evolve(node, what=value(what), because=value(because))
        case Note(text=text) | Do(text=text):
            return attrs.evolve(node, text=value(text))
        case Stop(reason=reason):
            return attrs.evolve(node, reason=value(reason))
        case _:
            return node


def rename(node: ProcedureDef, names: Mapping[str, str]) -> ProcedureDef:
    """Return *node* with its parameters and variables renamed everywhere: patterns, signature and steps."""
    table = dict(names)

    def change(part: Expression) -> Expression:
        return attrs.evolve(part, name=table.get(part.name, part.name)) if isinstance(part, Name) else part

    renamed: ProcedureDef = rewrite(node, change, bind=lambda name: table.get(name, name))
    return attrs.evolve(
        renamed,
        patterns=tuple(rename_slots(pattern, table) for pattern in node.patterns),
        parameters=tuple(attrs.evolve(p, name=table.get(p.name, p.name)) for p in node.parameters),
    )
