"""
The values that a script is made of.

Own nodes rather than Python's ``ast`` classes: those are mutable, compare by identity, change between Python versions
and can express the whole of Python. These are frozen, hold tuples, compare by meaning, and can express nothing else
than the language, so a script that was built can also be written. Where a node came from (``span``), its comments and
how an action was spelled (``surface``) take no part in equality.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, TypeAlias

import attrs

from memp.script.texts import clean_doc, has_surrogates
from memp.script.types import Type

INTEGER_MAX = 2**63 - 1
"""Integers beyond 64 bits cannot be written as canonical JSON, which digests need."""


@attrs.frozen(kw_only=True)
class Span:
    """
    Where a node stands in its source.

    Attributes:
        line: First line, from 1.

        column: First character in that line, from 1; characters, not bytes.

        end_line: Last line, from 1.
    """

    line: int
    column: int
    end_line: int


@attrs.frozen(kw_only=True)
class Surface:
    """
    How an action was spelled when it was lifted, so that it can be written back the same way.

    Attributes:
        form: Index among the surface forms of the action, from 0.

        compact: Whether its JSON had no white space; False for forms in words.
    """

    form: int = 0
    compact: bool = False


@attrs.frozen(kw_only=True)
class Node:
    """Anything that has a place in a source text; None if it was not read from one."""

    span: Span | None = attrs.field(default=None, eq=False, repr=False)


def _check_text(_: object, attribute: attrs.Attribute[Any], value: str) -> None:
    if has_surrogates(value):
        raise ValueError(f"{attribute.name!r} must be text that UTF-8 can hold (got {value!r}).")


def _check_number(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{attribute.name!r} must be a finite number (got {value!r}).")
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        raise ValueError(f"{attribute.name!r} must fit into 64 bits (got a number of {value.bit_length()} bits).")


def _check_words(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, TextLiteral) and not value.value.strip():
        raise ValueError(f"{attribute.name!r} must hold words (got {value.value!r}).")


# -- expressions ------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Name(Node):
    """A parameter, or what a finder or a loop named."""

    name: str


@attrs.frozen(kw_only=True)
class TextLiteral(Node):
    """A text; also the way to write a thing of a toolset's class, such as ``"mug 1"``."""

    value: str = attrs.field(validator=[attrs.validators.instance_of(str), _check_text])


@attrs.frozen(kw_only=True)
class NumberLiteral(Node):
    """A number; ``1`` and ``1.0`` are two different literals, because an environment may tell them apart."""

    value: int | float = attrs.field(eq=repr, validator=_check_number)


@attrs.frozen(kw_only=True)
class BoolLiteral(Node):
    """``True`` or ``False``."""

    value: bool = attrs.field(validator=attrs.validators.instance_of(bool))


@attrs.frozen(kw_only=True)
class NullLiteral(Node):
    """``None``: nothing, where a tool takes that."""


@attrs.frozen(kw_only=True)
class FormattedText(Node):
    """
    An f-string: texts and names in turn.

    Attributes:
        parts: Never two texts side by side, never an empty text, at least one name; ``formatted`` makes such parts.
    """

    parts: tuple[str | Name, ...] = attrs.field()

    @parts.validator
    def _check(self, attribute: attrs.Attribute[Any], value: tuple[str | Name, ...]) -> None:
        texts = [isinstance(part, str) for part in value]
        if all(texts) or "" in value or any(a and b for a, b in itertools.pairwise(texts)):
            raise ValueError("'parts' must hold a name, and no text may be empty or follow a text; use formatted().")
        for part in value:
            if isinstance(part, str):
                _check_text(self, attribute, part)


def formatted(parts: list[str | Name], *, span: Span | None = None) -> TextLiteral | FormattedText:
    """Return the f-string of *parts*, or a plain text if no part is a name."""
    merged: list[str | Name] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    if all(isinstance(part, str) for part in merged):
        return TextLiteral(value="".join(str(part) for part in merged), span=span)
    return FormattedText(parts=tuple(merged), span=span)


@attrs.frozen(kw_only=True)
class ListLiteral(Node):
    """``[a, b]``."""

    items: tuple[Expression, ...]


@attrs.frozen(kw_only=True)
class RecordLiteral(Node):
    """``{"key": value}``: a value of a toolset's class that has fields, in the order written; keys are unique."""

    entries: tuple[tuple[str, Expression], ...] = attrs.field()

    @entries.validator
    def _check(self, attribute: attrs.Attribute[Any], value: tuple[tuple[str, Expression], ...]) -> None:
        keys = [key for key, _ in value]
        if len(set(keys)) != len(keys):
            raise ValueError(f"'entries' must have each key once (got {keys!r}).")
        for key in keys:
            _check_text(self, attribute, key)


@attrs.frozen(kw_only=True)
class Keyword(Node):
    """``name=value`` in a call."""

    name: str
    value: Expression


@attrs.frozen(kw_only=True)
class Call(Node):
    """
    A call of an action, a procedure, a finder or a condition.

    Attributes:
        name: What is called.

        args: Arguments by place.

        keywords: Arguments by name, in the order written.

        surface: How the environment's text was spelled that it was lifted from; None if it was not.
    """

    name: str
    args: tuple[Expression, ...] = ()
    keywords: tuple[Keyword, ...] = ()
    surface: Surface | None = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Not(Node):
    """``not x``."""

    operand: Expression


@attrs.frozen(kw_only=True)
class Both(Node):
    """``a and b and c``: two or more, none of them an ``and`` itself."""

    operands: tuple[Expression, ...] = attrs.field(validator=attrs.validators.min_len(2))

    @operands.validator
    def _check(self, _: attrs.Attribute[Any], value: tuple[Expression, ...]) -> None:
        if any(isinstance(operand, Both) for operand in value):
            raise ValueError("'operands' must not hold another 'and': put its operands here instead.")


@attrs.frozen(kw_only=True)
class Either(Node):
    """``a or b or c``: two or more, none of them an ``or`` itself."""

    operands: tuple[Expression, ...] = attrs.field(validator=attrs.validators.min_len(2))

    @operands.validator
    def _check(self, _: attrs.Attribute[Any], value: tuple[Expression, ...]) -> None:
        if any(isinstance(operand, Either) for operand in value):
            raise ValueError("'operands' must not hold another 'or': put its operands here instead.")


COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")


@attrs.frozen(kw_only=True)
class Compare(Node):
    """``left operator right``; one comparison, never a chain."""

    left: Expression
    operator: str = attrs.field(validator=attrs.validators.in_(COMPARISONS))
    right: Expression


TextExpression: TypeAlias = TextLiteral | FormattedText
Expression: TypeAlias = (
    Name
    | TextLiteral
    | NumberLiteral
    | BoolLiteral
    | NullLiteral
    | FormattedText
    | ListLiteral
    | RecordLiteral
    | Call
    | Not
    | Both
    | Either
    | Compare
)
"""Everything that has a value. A ``Call`` among them is a condition."""

# -- statements -------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class StatementNode(Node):
    """
    A statement.

    Attributes:
        comments: The comment lines that stood above or beside it, without ``#``.
    """

    comments: tuple[str, ...] = attrs.field(default=(), eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Act(StatementNode):
    """An action, or another procedure."""

    call: Call


@attrs.frozen(kw_only=True)
class Find(StatementNode):
    """``name = finder(…)``."""

    target: str
    call: Call


@attrs.frozen(kw_only=True)
class Branch(Node):
    """One ``if`` or ``elif``."""

    condition: Expression
    body: tuple[Statement, ...] = attrs.field(validator=attrs.validators.min_len(1))


@attrs.frozen(kw_only=True)
class If(StatementNode):
    """
    ``if … elif … else``.

    Attributes:
        branches: The ``if`` and every ``elif``; at least one.

        otherwise: The ``else``; empty if there is none. An ``else`` that holds one ``if`` alone *is* an ``elif`` and
            becomes one.
    """

    branches: tuple[Branch, ...] = attrs.field(validator=attrs.validators.min_len(1))
    otherwise: tuple[Statement, ...] = ()

    def __attrs_post_init__(self) -> None:
        if len(self.otherwise) == 1 and isinstance(self.otherwise[0], If):
            inner = self.otherwise[0]
            object.__setattr__(self, "branches", self.branches + inner.branches)
            object.__setattr__(self, "otherwise", inner.otherwise)


@attrs.frozen(kw_only=True)
class ForEach(StatementNode):
    """``for x in list … else``; the ``else`` runs when no ``break`` did."""

    variable: str
    items: Expression
    body: tuple[Statement, ...] = attrs.field(validator=attrs.validators.min_len(1))
    otherwise: tuple[Statement, ...] = ()


@attrs.frozen(kw_only=True)
class Repeat(StatementNode):
    """``for _ in times(n) … else``."""

    count: Expression
    body: tuple[Statement, ...] = attrs.field(validator=attrs.validators.min_len(1))
    otherwise: tuple[Statement, ...] = ()


@attrs.frozen(kw_only=True)
class Attempts(StatementNode):
    """``for _ in attempts(n) … else``: do it again until a ``break``; the ``else`` runs when no try worked."""

    count: Expression
    body: tuple[Statement, ...] = attrs.field(validator=attrs.validators.min_len(1))
    otherwise: tuple[Statement, ...] = ()


@attrs.frozen(kw_only=True)
class Break(StatementNode):
    """``break``."""


@attrs.frozen(kw_only=True)
class Try(StatementNode):
    """``try … except failed``."""

    body: tuple[Statement, ...] = attrs.field(validator=attrs.validators.min_len(1))
    handler: tuple[Statement, ...] = attrs.field(validator=attrs.validators.min_len(1))


@attrs.frozen(kw_only=True)
class Ensure(StatementNode):
    """``ensure(condition, why)``."""

    condition: Expression
    why: TextExpression = attrs.field(validator=_check_words)


@attrs.frozen(kw_only=True)
class Avoid(StatementNode):
    """``avoid(action_or_text, because)``."""

    what: Call | TextExpression = attrs.field(validator=_check_words)
    because: TextExpression = attrs.field(validator=_check_words)


@attrs.frozen(kw_only=True)
class Note(StatementNode):
    """``note(text)``."""

    text: TextExpression = attrs.field(validator=_check_words)


@attrs.frozen(kw_only=True)
class Do(StatementNode):
    """``do(text)``: an untyped step in words."""

    text: TextExpression = attrs.field(validator=_check_words)


@attrs.frozen(kw_only=True)
class Stop(StatementNode):
    """``stop(reason)``."""

    reason: TextExpression = attrs.field(validator=_check_words)


Statement: TypeAlias = Act | Find | If | ForEach | Repeat | Attempts | Break | Try | Ensure | Avoid | Note | Do | Stop
"""One step of a procedure."""

# -- procedures -------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Parameter(Node):
    """
    A parameter of a procedure, an action, a condition or a finder, or a field of a class.

    Attributes:
        name: As the script writes it.

        type: What it takes.

        default: What it is when left out; None if it must be given. ``None`` as written is a ``NullLiteral``: it may
            be left out and then nothing is said.

        key: The name on the wire of a tool call when that is no identifier; None if it is ``name``.
    """

    name: str
    type: Type
    default: Expression | None = None
    key: str | None = None

    @property
    def wire(self) -> str:
        """The name in the arguments of a tool call."""
        return self.key if self.key is not None else self.name


@attrs.frozen(kw_only=True)
class ProcedureDef(Node):
    """
    One procedure.

    Attributes:
        name: Its identifier.

        patterns: The wordings of its kind of task, with ``{slots}`` that are parameters; at least one, each once.

        parameters: What the task fills in.

        doc: What it is good for; may be empty.

        body: Its steps; at least one.

        comments: The comment lines above it.

        pattern_spans: Where each pattern stands in the source; empty if it was not read from one.
    """

    name: str
    patterns: tuple[str, ...] = attrs.field(validator=attrs.validators.min_len(1))
    parameters: tuple[Parameter, ...] = ()
    doc: str = attrs.field(default="", converter=clean_doc, validator=_check_text)
    body: tuple[Statement, ...] = attrs.field(validator=attrs.validators.min_len(1))
    comments: tuple[str, ...] = attrs.field(default=(), eq=False, repr=False)
    pattern_spans: tuple[Span, ...] = attrs.field(default=(), eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Script(Node):
    """
    A script file.

    Attributes:
        toolset: The name in ``from NAME import *``; None if it names none.

        doc: The text at its top; may be empty.

        procedures: At least one; names are unique.

        comments: The comment lines at its very end.
    """

    toolset: str | None = None
    doc: str = attrs.field(default="", converter=clean_doc, validator=_check_text)
    procedures: tuple[ProcedureDef, ...] = attrs.field(validator=attrs.validators.min_len(1))
    comments: tuple[str, ...] = attrs.field(default=(), eq=False, repr=False)
