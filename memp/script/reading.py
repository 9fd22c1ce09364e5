"""
From Python's syntax tree to types and expressions of the language.

Shared by scripts and toolsets, which have these in common. Whatever is not listed here is a mistake: the language grows
only by a case in this file.
"""

from __future__ import annotations

import ast

from memp.script.mistakes import MistakeList
from memp.script.nodes import (
    BoolLiteral,
    Both,
    Call,
    Compare,
    Either,
    Expression,
    FormattedText,
    Keyword,
    ListLiteral,
    Name,
    Not,
    NullLiteral,
    NumberLiteral,
    Parameter,
    RecordLiteral,
    Span,
    TextLiteral,
    formatted,
)
from memp.script.source import BROKEN
from memp.script.texts import has_surrogates
from memp.script.toolset import RESERVED
from memp.script.types import ANY, BOOL, NUMBER, TEXT, ListType, LiteralType, NamedType, Type

EXPRESSION_DEPTH_MAX = 30
"""How deep expressions may nest, so that no walk over a script can run out of stack."""

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_BUILTINS = {"Text": TEXT, "Number": NUMBER, "Bool": BOOL}
_PYTHON_TYPES = {"str": "Text", "int": "Number", "float": "Number", "bool": "Bool", "List": "list"}

_NAMES_OF_SYNTAX = {
    "Attribute": "Attribute access",
    "Lambda": "A lambda",
    "ListComp": "A comprehension",
    "SetComp": "A comprehension",
    "DictComp": "A comprehension",
    "GeneratorExp": "A comprehension",
    "Subscript": "Indexing",
    "BinOp": "Arithmetic",
    "UnaryOp": "Arithmetic",
    "IfExp": "A conditional expression",
    "NamedExpr": "An assignment inside an expression",
    "Starred": "Unpacking",
    "Set": "A set",
    "Tuple": "A tuple",
    "Await": "await",
    "Yield": "yield",
    "YieldFrom": "yield",
    "JoinedStr": "An f-string",
    "Constant": "This literal",
    "Assign": "An assignment",
    "AugAssign": "An assignment",
    "AnnAssign": "An annotated assignment",
    "AsyncFunctionDef": "async",
    "AsyncFor": "async",
    "AsyncWith": "async",
    "FunctionDef": "A function",
    "ClassDef": "A class",
    "ImportFrom": "An import",
}
EXPRESSIONS = "a name, a literal, a list, an f-string, a condition, 'not', 'and', 'or' or a comparison"


class NotReadError(Exception):
    """A node was not understood; the mistake is noted. Never leaves the readers."""


class Reading:
    """
    Reads the parts that scripts and toolsets share, noting mistakes.

    A method that cannot read its node notes the mistake and raises ``NotReadError``, which the nearest list of
    statements or declarations catches, so that its neighbours are read all the same.
    """

    def __init__(self, mistakes: MistakeList) -> None:
        self.mistakes = mistakes

    def span(self, node: ast.AST) -> Span:
        """Return where *node* stands; Python counts columns in bytes, people in characters."""
        line = getattr(node, "lineno", 1)
        offset = getattr(node, "col_offset", 0)
        source = self.mistakes.lines[line - 1] if line <= len(self.mistakes.lines) else ""
        column = len(source.encode("utf-8", "replace")[:offset].decode("utf-8", "replace")) + 1
        return Span(line=line, column=column, end_line=getattr(node, "end_lineno", None) or line)

    def refuse(
        self, node: ast.AST, message: str, *, expected: str | None = None, suggestion: str | None = None
    ) -> NotReadError:
        """Note a mistake at *node*; return what leaves the node out when it is raised."""
        self.mistakes.add(message, at=self.span(node), expected=expected, suggestion=suggestion)
        return NotReadError()

    def refuse_syntax(self, node: ast.AST, *, expected: str) -> NotReadError:
        """Note that the language has no such thing as *node*; return what to raise."""
        if is_broken(node):
            return NotReadError()
        kind = type(node).__name__
        return self.refuse(
            node, f"{_NAMES_OF_SYNTAX.get(kind, repr(kind.lower()))} is not part of the language.", expected=expected
        )

    def name(self, node: ast.AST, name: str, what: str) -> str:
        """Return *name* if it may name a *what*."""
        if name in RESERVED or name.startswith("_") or not name.isascii():
            raise self.refuse(node, f"{name!r} cannot be the name of a {what}.", expected="a name that is not reserved")
        return name

    # -- types --------------------------------------------------------------------------------------------------------

    def type(self, node: ast.expr, *, depth: int = 0) -> Type:
        """Return the type that *node* writes; whether its class exists is for the checker."""
        match node:
            case ast.Name(id=name) if name in _BUILTINS:
                return _BUILTINS[name]
            case ast.Name(id=name) if name in _PYTHON_TYPES:
                raise self.refuse(node, f"There is no type {name!r}.", suggestion=_PYTHON_TYPES[name])
            case ast.Name(id=name) if name not in RESERVED and not name.startswith("_"):
                return NamedType(name)
            case ast.Subscript(value=ast.Name(id="list"), slice=item) if depth < EXPRESSION_DEPTH_MAX:
                return ListType(self.type(item, depth=depth + 1))
            case ast.Subscript(value=ast.Name(id="Literal"), slice=values):
                return self._literal_type(values)
            case _:
                raise self.refuse(
                    node, "This is no type.", expected="Text, Number, Bool, list[T], Literal[…] or a class"
                )

    def _literal_type(self, node: ast.expr) -> Type:
        items = node.elts if isinstance(node, ast.Tuple) else [node]
        values: list[str] = []
        for item in items:
            if not (isinstance(item, ast.Constant) and isinstance(item.value, str)) or has_surrogates(item.value):
                raise self.refuse(
                    item, "Literal[…] holds something that is no text.", expected='texts, such as Literal["a", "b"]'
                )
            if item.value in values:
                raise self.refuse(item, f"Literal[…] holds {item.value!r} twice.")
            values.append(item.value)
        return LiteralType(tuple(values))

    # -- expressions --------------------------------------------------------------------------------------------------

    def expression(self, node: ast.expr, *, depth: int = 0) -> Expression:
        """Return the expression that *node* writes."""
        if depth > EXPRESSION_DEPTH_MAX:
            raise self.refuse(
                node, "The expression nests too deeply.", expected=f"at most {EXPRESSION_DEPTH_MAX} levels"
            )
        span = self.span(node)
        match node:
            case ast.Constant(value=value):
                return self._constant(node, value)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return self._constant(node, -value)
            case ast.Name(id=name):
                if is_broken(node):
                    raise NotReadError
                return Name(name=self.name(node, name, "value"), span=span)
            case ast.JoinedStr():
                return self.formatted(node)
            case ast.List(elts=items):
                return ListLiteral(items=tuple(self.expression(item, depth=depth + 1) for item in items), span=span)
            case ast.Dict():
                return self._record(node, depth)
            case ast.Call():
                return self.call(node, depth=depth + 1)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(operand=self.expression(operand, depth=depth + 1), span=span)
            case ast.BoolOp(op=operator, values=values):
                return self._connected(operator, [self.expression(value, depth=depth + 1) for value in values], span)
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _OPERATORS:
                first, second = self.expression(left, depth=depth + 1), self.expression(right, depth=depth + 1)
                return Compare(left=first, operator=_OPERATORS[type(operator)], right=second, span=span)
            case ast.Compare(ops=[_]):
                raise self.refuse(node, "'is' is not part of the language.", suggestion="==")
            case ast.Compare():
                raise self.refuse(node, "Comparisons cannot be chained.", expected="two comparisons joined by 'and'")
            case _:
                raise self.refuse_syntax(node, expected=EXPRESSIONS)

    def _connected(self, operator: ast.boolop, operands: list[Expression], span: Span) -> Expression:
        """Return ``and`` or ``or``; one inside another of its kind joins it, so that each thought has one form."""
        kind = Both if isinstance(operator, ast.And) else Either
        flat: list[Expression] = []
        for operand in operands:
            flat += operand.operands if isinstance(operand, kind) else (operand,)
        return kind(operands=tuple(flat), span=span)

    def _constant(self, node: ast.expr, value: object) -> Expression:
        span = self.span(node)
        try:
            match value:
                case None:
                    return NullLiteral(span=span)
                case bool():
                    return BoolLiteral(value=value, span=span)
                case int() | float():
                    return NumberLiteral(value=value, span=span)
                case str():
                    return TextLiteral(value=value, span=span)
        except ValueError as error:
            raise self.refuse(node, f"This literal cannot be used: {error}") from error
        raise self.refuse_syntax(node, expected="a text, a number, True, False or None")

    def formatted(self, node: ast.JoinedStr) -> TextLiteral | FormattedText:
        """Return the f-string that *node* writes."""
        parts: list[str | Name] = []
        for value in node.values:
            match value:
                case ast.Constant(value=str() as text) if not has_surrogates(text):
                    parts.append(text)
                case ast.FormattedValue(value=ast.Name(id=name), conversion=-1, format_spec=None):
                    parts.append(Name(name=self.name(node, name, "value"), span=self.span(node)))
                case _:
                    raise self.refuse(
                        node, "Braces in an f-string hold more than a name.", expected="names alone, such as {thing}"
                    )
        return formatted(parts, span=self.span(node))

    def _record(self, node: ast.Dict, depth: int) -> Expression:
        entries: list[tuple[str, Expression]] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str) or has_surrogates(key.value):
                raise self.refuse(
                    key or value, "A record has a key that is no text.", expected='keys in quotes: {"key": value}'
                )
            if key.value in dict(entries):
                raise self.refuse(key, f"The record has the key {key.value!r} twice.")
            entries.append((key.value, self.expression(value, depth=depth + 1)))
        return RecordLiteral(entries=tuple(entries), span=self.span(node))

    def call(self, node: ast.Call, *, depth: int = 0) -> Call:
        """Return the call that *node* writes; what it calls is for the checker."""
        if not isinstance(node.func, ast.Name):
            raise self.refuse_syntax(node.func, expected="a call by name, such as take(thing, place)")
        name = node.func.id
        if name.startswith("_"):
            raise self.refuse(node, f"{name!r} cannot be called: it is not part of the language.")
        args = tuple(self.expression(value, depth=depth) for value in node.args)
        keywords: list[Keyword] = []
        for word in node.keywords:
            if word.arg is None:
                raise self.refuse(word.value, "Unpacking is not part of the language.", expected="name=value")
            keywords.append(
                Keyword(name=word.arg, value=self.expression(word.value, depth=depth), span=self.span(word))
            )
        return Call(name=name, args=args, keywords=tuple(keywords), span=self.span(node))

    # -- declarations -------------------------------------------------------------------------------------------------

    def parameters(self, node: ast.FunctionDef) -> tuple[Parameter, ...]:
        """Return the parameters of a ``def``; one that cannot be read is left out."""
        arguments = node.args
        extra = (arguments.vararg, arguments.kwarg, *arguments.kwonlyargs, *arguments.posonlyargs)
        for argument in extra:
            if argument is not None:
                self.mistakes.add(
                    f"The parameter {argument.arg!r} is of a kind that the language does not have.",
                    at=self.span(argument),
                    expected="name: Type",
                )
        defaults: list[ast.expr | None] = [None] * (len(arguments.args) - len(arguments.defaults))
        found: list[Parameter] = []
        for argument, default in zip(arguments.args, [*defaults, *arguments.defaults], strict=False):
            try:
                found.append(self._parameter(argument, default))
            except NotReadError:
                # The name is declared even though its type is not understood: its uses are no further mistakes.
                found.append(Parameter(name=argument.arg, type=ANY, span=self.span(argument)))
        return tuple(found)

    def _parameter(self, node: ast.arg, default: ast.expr | None) -> Parameter:
        name = self.name(node, node.arg, "parameter")
        if node.annotation is None:
            raise self.refuse(
                node, f"The parameter {name!r} has no type.", expected="name: Type", suggestion=f"{name}: Text"
            )
        value = None if default is None else self.expression(default)
        if value is not None and not is_constant(value):
            raise self.refuse(node, f"The default of {name!r} is no literal.", expected="a literal")
        return Parameter(name=name, type=self.type(node.annotation), default=value, span=self.span(node))


def is_constant(value: Expression) -> bool:
    """Return whether *value* holds no name and no call."""
    match value:
        case TextLiteral() | NumberLiteral() | BoolLiteral() | NullLiteral():
            return True
        case ListLiteral(items=items):
            return all(is_constant(item) for item in items)
        case RecordLiteral(entries=entries):
            return all(is_constant(item) for _, item in entries)
        case _:
            return False


def is_broken(node: ast.AST) -> bool:
    """Return whether *node* stands for a line that was left out."""
    match node:
        case ast.Name(id=name) | ast.Expr(value=ast.Name(id=name)) | ast.If(test=ast.Name(id=name)):
            return name == BROKEN
        case _:
            return False
