"""
From a script to its one canonical text.

``ast.unparse`` was not taken: its quoting and spacing change between Python versions, and digests rest on this text.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    Parameter,
    ProcedureDef,
    RecordLiteral,
    Repeat,
    Script,
    Statement,
    Stop,
    TextLiteral,
    Try,
)
from memp.script.texts import escape, quote
from memp.script.types import type_text

LINE_CHARS_MAX = 100
"""From this length on the arguments of a call stand on lines of their own."""

INDENT = "    "


def format_expression(node: Expression) -> str:
    """Return *node* as it is written, on one line."""
    match node:
        case Name(name=name):
            return name
        case TextLiteral(value=text):
            return quote(text)
        case NumberLiteral(value=number):
            return repr(number)
        case BoolLiteral(value=truth):
            return repr(truth)
        case NullLiteral():
            return "None"
        case FormattedText(parts=parts):
            return f'f"{"".join(_format_part(part) for part in parts)}"'
        case ListLiteral(items=items):
            return f"[{', '.join(format_expression(item) for item in items)}]"
        case RecordLiteral(entries=entries):
            return f"{{{', '.join(f'{quote(key)}: {format_expression(value)}' for key, value in entries)}}}"
        case Call():
            return f"{node.name}({', '.join(_arguments(node))})"
        case Not(operand=operand):
            return f"not {_operand(operand, (Both, Either))}"
        case Both(operands=operands):
            return " and ".join(_operand(operand, (Either,)) for operand in operands)
        case Either(operands=operands):
            return " or ".join(format_expression(operand) for operand in operands)
        case Compare(left=left, operator=operator, right=right):
            looser = (Not, Both, Either, Compare)
            return f"{_operand(left, looser)} {operator} {_operand(right, looser)}"


def _operand(node: Expression, looser: tuple[type, ...]) -> str:
    text = format_expression(node)
    return f"({text})" if isinstance(node, looser) else text


def _format_part(part: str | Name) -> str:
    return escape(part).replace("{", "{{").replace("}", "}}") if isinstance(part, str) else f"{{{part.name}}}"


def _arguments(call: Call) -> list[str]:
    args = [format_expression(value) for value in call.args]
    return args + [f"{word.name}={format_expression(word.value)}" for word in call.keywords]


def _call_lines(head: str, arguments: Sequence[str], indent: str, tail: str = "") -> list[str]:
    """Return a call on one line, or with its arguments below each other if it is long."""
    line = f"{indent}{head}({', '.join(arguments)}){tail}"
    if len(line) <= LINE_CHARS_MAX or not arguments:
        return [line]
    return [f"{indent}{head}(", *(f"{indent}{INDENT}{argument}," for argument in arguments), f"{indent}){tail}"]


def _doc_lines(doc: str, indent: str) -> list[str]:
    if not doc:
        return []
    is_plain = all(char.isprintable() or char == "\n" for char in doc) and "\\" not in doc and '"""' not in doc
    if not is_plain or doc.endswith('"'):
        return [indent + quote(doc)]
    first, *rest = doc.split("\n")
    if not rest:
        return [f'{indent}"""{first}"""']
    return [f'{indent}"""{first}', *(f"{indent}{line}" if line else "" for line in rest), f'{indent}"""']


class _Writer:
    """Writes the lines of a script."""

    def __init__(self, *, comments: bool) -> None:
        self.lines: list[str] = []
        self.with_comments = comments

    def comments(self, comments: Sequence[str], indent: str) -> None:
        if self.with_comments:
            self.lines += [f"{indent}# {comment}".rstrip() for comment in comments]

    def script(self, node: Script) -> None:
        self.lines += _doc_lines(node.doc, "")
        if node.toolset is not None:
            self.lines += ["", f"from {node.toolset} import *"] if self.lines else [f"from {node.toolset} import *"]
        for procedure in node.procedures:
            if self.lines:
                self.lines += ["", ""]
            self.procedure(procedure)
        self.comments(node.comments, "")

    def procedure(self, node: ProcedureDef) -> None:
        self.comments(node.comments, "")
        self.lines += _call_lines("@procedure", [quote(pattern) for pattern in node.patterns], "")
        parameters = [format_parameter(parameter) for parameter in node.parameters]
        self.lines += _call_lines(f"def {node.name}", parameters, "", ":")
        self.lines += _doc_lines(node.doc, INDENT)
        self.block(node.body, INDENT)

    def block(self, statements: Sequence[Statement], indent: str) -> None:
        for statement in statements:
            self.comments(statement.comments, indent)
            self.statement(statement, indent)

    def statement(self, node: Statement, indent: str) -> None:
        match node:
            case Act(call=call):
                self.lines += _call_lines(call.name, _arguments(call), indent)
            case Find(target=target, call=call):
                self.lines += _call_lines(f"{target} = {call.name}", _arguments(call), indent)
            case If():
                self._if(node, indent)
            case ForEach(variable=variable, items=items):
                self._loop(node, f"for {variable} in {format_expression(items)}:", indent)
            case Repeat(count=count):
                self._loop(node, f"for _ in times({format_expression(count)}):", indent)
            case Attempts(count=count):
                self._loop(node, f"for _ in attempts({format_expression(count)}):", indent)
            case Break():
                self.lines.append(f"{indent}break")
            case Try(body=body, handler=handler):
                self.lines.append(f"{indent}try:")
                self.block(body, indent + INDENT)
                self.lines.append(f"{indent}except failed:")
                self.block(handler, indent + INDENT)
            case _:
                head, arguments = statement_call(node)
                self.lines += _call_lines(head, [format_expression(value) for value in arguments], indent)

    def _if(self, node: If, indent: str) -> None:
        for index, branch in enumerate(node.branches):
            word = "elif" if index else "if"
            self.lines.append(f"{indent}{word} {format_expression(branch.condition)}:")
            self.block(branch.body, indent + INDENT)
        self._otherwise(node.otherwise, indent)

    def _loop(self, node: ForEach | Repeat | Attempts, head: str, indent: str) -> None:
        self.lines.append(indent + head)
        self.block(node.body, indent + INDENT)
        self._otherwise(node.otherwise, indent)

    def _otherwise(self, statements: Sequence[Statement], indent: str) -> None:
        if statements:
            self.lines.append(f"{indent}else:")
            self.block(statements, indent + INDENT)


def statement_call(node: Ensure | Avoid | Note | Do | Stop) -> tuple[str, tuple[Expression, ...]]:
    """Return the word and the arguments of a statement that the language itself defines."""
    match node:
        case Ensure(condition=condition, why=why):
            return "ensure", (condition, why)
        case Avoid(what=what, because=because):
            return "avoid", (what, because)
        case Note(text=text):
            return "note", (text,)
        case Do(text=text):
            return "do", (text,)
        case Stop(reason=reason):
            return "stop", (reason,)


def format_parameter(node: Parameter) -> str:
    """Return *node* as it is written in a ``def``."""
    default = "" if node.default is None else f" = {format_expression(node.default)}"
    return f"{node.name}: {type_text(node.type)}{default}"


def format_script(script: Script, *, comments: bool = False) -> str:
    """
    Return the canonical text of *script*; equal scripts have equal texts.

    Args:
        script: What to write.

        comments: Whether to keep the comments of the source that it was read from. They are no part of a script, so the
            canonical text has none; a person's file should keep them.

    Returns:
        Text that ends with a newline; ``parse_script(format_script(s)) == s``.
    """
    writer = _Writer(comments=comments)
    writer.script(script)
    return "\n".join(writer.lines) + "\n"


def format_statements(statements: Sequence[Statement], *, indent: int = 0) -> str:
    """Return *statements* as they are written, each block four spaces deeper; no newline at the end."""
    writer = _Writer(comments=False)
    writer.block(statements, " " * indent)
    return "\n".join(writer.lines)
