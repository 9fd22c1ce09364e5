"""
A script as plain lists, dicts and texts, for templates.

Templates are given no objects: in a sandbox every public attribute and method of an object is within reach. So what
they need to know is worked out here, in words: numbered steps, prose and code are three ways to print the same
outline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from memp.script.formatter import format_expression, format_parameter, format_script, format_statements
from memp.script.forms import Slot, split_form
from memp.script.lift import choose_form
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
from memp.script.types import type_text
from memp.script.walk import child_blocks

Part = dict[str, str]
"""A piece: ``kind`` (``text``, ``literal``, ``parameter``, ``variable``), ``text`` to show, ``name`` of a name."""

_OPERATORS = {
    "==": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
    "in": "is among",
    "not in": "is not among",
}


def _words(text: str) -> Part:
    return {"kind": "text", "text": text}


class Sentences:
    """
    Says expressions and calls of one procedure in words.

    Args:
        toolset: Gives the surface forms; None: names are said as they are.

        values: What parameters stand for, where that is known.

        dialect: Which surface forms are used; see ``lower``.
    """

    def __init__(
        self,
        node: ProcedureDef,
        toolset: Toolset | None,
        *,
        values: Mapping[str, str],
        dialect: str | None,
        procedures: Mapping[str, ProcedureDef],
    ) -> None:
        self.parameters = frozenset(parameter.name for parameter in node.parameters)
        self.toolset = toolset
        self.values = values
        self.dialect = dialect
        self.procedures = procedures

    def value(self, node: Expression) -> list[Part]:
        """Say *node* where a value stands."""
        match node:
            case Name(name=name):
                kind = "parameter" if name in self.parameters else "variable"
                known = self.values.get(name) if kind == "parameter" else None
                return [{"kind": kind, "name": name, "text": f"{{{name}}}" if known is None else known}]
            case FormattedText(parts=parts):
                return [
                    part
                    for piece in parts
                    for part in ([_words(piece)] if isinstance(piece, str) else self.value(piece))
                ]
            case TextLiteral(value=text):
                return [{"kind": "literal", "text": text}]
            case NumberLiteral() | BoolLiteral() | NullLiteral():
                return [
                    {
                        "kind": "literal",
                        "text": {"None": "nothing", "True": "yes", "False": "no"}.get(t := format_expression(node), t),
                    }
                ]
            case ListLiteral(items=items):
                return self._joined([self.value(item) for item in items], ", ") or [_words("nothing")]
            case RecordLiteral(entries=entries):
                said = self._joined([[_words(f"{key}: "), *self.value(item)] for key, item in entries], ", ")
                return [_words("("), *said, _words(")")]
            case _:
                return self.condition(node)

    def _joined(self, pieces: Sequence[list[Part]], separator: str) -> list[Part]:
        out: list[Part] = []
        for index, piece in enumerate(pieces):
            out += [_words(separator), *piece] if index else piece
        return out

    def condition(self, node: Expression) -> list[Part]:
        """Say *node* where something is true or not."""
        match node:
            case Call():
                return self.call(node)
            case Not(operand=Call() | Name() as operand):
                return [_words("it is not so that "), *self.condition(operand)]
            case Not(operand=operand):
                return [_words("it is not so that ("), *self.condition(operand), _words(")")]
            case Both(operands=operands) | Either(operands=operands):
                word = " and " if isinstance(node, Both) else " or "
                return self._joined([self._grouped(operand) for operand in operands], word)
            case Compare(left=left, operator=operator, right=right):
                return [*self.value(left), _words(f" {_OPERATORS[operator]} "), *self.value(right)]
            case _:
                return self.value(node)

    def _grouped(self, node: Expression) -> list[Part]:
        said = self.condition(node)
        return [_words("("), *said, _words(")")] if isinstance(node, Both | Either) else said

    def call(self, call: Call) -> list[Part]:
        """Say *call* as the environment spells it, with what the spelling leaves out in brackets behind it."""
        entry = None if self.toolset is None else self.toolset.find_entry(call.name)
        bound = None if entry is None else bind_arguments(call, entry.parameters)
        if entry is None or bound is None:
            return self._plain_call(call)
        form = entry.forms[choose_form(entry, call, self.dialect)]
        if form.is_json:
            wires = {parameter.name: parameter.wire for parameter in entry.parameters}
            named = {wires[name]: value for name, value in bound.items()}
            return [_words(entry.forms[0].text.partition("{...}")[0].rstrip(" (")), *self._with(named)]
        said: list[Part] = []
        for piece in split_form(form.text):
            if not isinstance(piece, Slot):
                said.append(_words(piece))
            elif piece.name in bound:
                said += self.value(bound[piece.name])
            else:
                said.append(_words("…"))
        return said + self._left_out(bound, form.text)

    def _left_out(self, bound: Mapping[str, Expression], form: str) -> list[Part]:
        named = {piece.name for piece in split_form(form) if isinstance(piece, Slot)}
        rest = {name: value for name, value in bound.items() if name not in named}
        if not rest:
            return []
        pieces = [[_words(f"{name.replace('_', ' ')}: "), *self.value(value)] for name, value in rest.items()]
        return [_words(" ("), *self._joined(pieces, "; "), _words(")")]

    def _with(self, bound: Mapping[str, Expression]) -> list[Part]:
        pieces = [[_words(f"{name}: "), *self.value(value)] for name, value in bound.items()]
        return [_words(" with "), *self._joined(pieces, ", ")] if pieces else []

    def _plain_call(self, call: Call) -> list[Part]:
        """Say a call of another procedure, or of something that no toolset knows."""
        procedure = self.procedures.get(call.name)
        bound = None if procedure is None else bind_arguments(call, procedure.parameters)
        if bound is not None:
            return [_words(f"follow the procedure {call.name}"), *self._with(bound)]
        pieces = [self.value(value) for value in call.args]
        pieces += [[_words(f"{word.name}: "), *self.value(word.value)] for word in call.keywords]
        return [
            _words(f"{call.name.replace('_', ' ')} " if pieces else call.name.replace("_", " ")),
            *self._joined(pieces, ", "),
        ]


class _Outline:
    """Turns the statements of one procedure into dicts."""

    def __init__(self, sentences: Sentences) -> None:
        self.say = sentences

    def block(
        self, statements: Sequence[Statement], *, indent: int, prefix: str, first: int = 1
    ) -> list[dict[str, Any]]:
        return [
            self.statement(statement, indent=indent, number=f"{prefix}{first + index}")
            for index, statement in enumerate(statements)
        ]

    def statement(self, node: Statement, *, indent: int, number: str) -> dict[str, Any]:
        kind, parts = self.head(node)
        made = _line(kind, parts, _head_code(node), indent, number)
        first = 1
        for clause, statements in enumerate(child_blocks(node)):
            body = self.block(statements, indent=indent + 1, prefix=f"{number}.", first=first)
            first += len(statements)
            if clause == 0:
                made["body"] = body
            elif statements:
                made["clauses"].append({**self.clause(node, clause, indent), "body": body})
        return made

    def clause(self, node: Statement, index: int, indent: int) -> dict[str, Any]:
        """Return the line of the clause *index* of *node*, counted from 0 for its head."""
        match node:
            case If(branches=branches) if index < len(branches):
                condition = branches[index].condition
                parts = [_words("otherwise, if "), *self.say.condition(condition)]
                return _line("elif", parts, f"elif {format_expression(condition)}:", indent, "")
            case Try():
                return _line("except", [_words("if that fails")], "except failed:", indent, "")
            case Attempts():
                return _line("else", [_words("if no try worked")], "else:", indent, "")
            case ForEach():
                return _line("else", [_words("if that ended with none of them")], "else:", indent, "")
            case _:
                return _line("else", [_words("otherwise")], "else:", indent, "")

    def head(self, node: Statement) -> tuple[str, list[Part]]:
        """Return the kind of *node* and its sentence."""
        say = self.say
        match node:
            case Act(call=call):
                return "act", say.call(call)
            case Find(target=target, call=call):
                return "find", [*say.call(call), _words("; what is found is "), *say.value(Name(name=target))]
            case If(branches=branches):
                return "if", [_words("if "), *say.condition(branches[0].condition)]
            case ForEach(variable=variable, items=items):
                return "for", [_words("for each "), *say.value(Name(name=variable)), _words(" of "), *say.value(items)]
            case Repeat(count=count):
                return "times", [_words("do this "), *say.value(count), _words(" times")]
            case Attempts(count=count):
                return "attempts", [_words("try this up to "), *say.value(count), _words(" times")]
            case Break():
                return "break", [_words("go on after this loop")]
            case Try():
                return "try", [_words("try this")]
            case Ensure(condition=condition, why=why):
                return "ensure", [_words("make sure that "), *say.condition(condition), _words(": "), *say.value(why)]
            case Avoid(what=what, because=because):
                return "avoid", [_words("avoid: "), *say.value(what), _words(", because "), *say.value(because)]
            case Note(text=text):
                return "note", [_words("note: "), *say.value(text)]
            case Do(text=text):
                return "do", say.value(text)
            case Stop(reason=reason):
                return "stop", [_words("stop: "), *say.value(reason)]


def _head_code(node: Statement) -> str:
    """Return *node* as it is written, without what stands inside it."""
    written = format_statements([node])
    return written if not child_blocks(node) else written.split("\n")[0]


def _line(kind: str, parts: list[Part], code: str, indent: int, number: str) -> dict[str, Any]:
    text = "".join(part["text"] for part in parts)
    opens = code.endswith(":") and kind not in ("act", "find", "do", "note", "stop", "ensure", "avoid")
    return {
        "kind": kind,
        "number": number,
        "indent": indent,
        "text": text,
        "parts": parts,
        "code": code,
        "opens": opens,
        "body": [],
        "clauses": [],
    }


def _flat(statements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for made in statements:
        for line in (made, *made["clauses"]):
            lines.append({key: value for key, value in line.items() if key not in ("body", "clauses")})
            lines += _flat(line["body"])
    return lines


def outline(
    script: Script,
    toolset: Toolset | None = None,
    *,
    values: Mapping[str, str] | None = None,
    dialect: str | None = None,
) -> dict[str, Any]:
    """
    Return *script* as plain dicts, lists and texts, for templates.

    Args:
        script: What to show.

        toolset: Gives the words of actions, conditions and finders; None: their names serve.

        values: What parameters stand for, by name, where a task says it; the others are shown as ``{name}``.

        dialect: Which surface forms are used; see ``lower``.

    Returns:
        ``toolset``, ``doc`` and ``procedures``; each of these has ``name``, ``doc``, ``patterns``, ``parameters``
        (``name``, ``type``, ``code``), ``code`` (canonical text, decorator included), ``body`` and ``lines``. A
        statement in ``body`` has ``kind`` (act, find, if, for, times, attempts, break, try, ensure, avoid, note, do,
        stop), ``number`` (``3.1``), ``indent`` (from 0), ``text`` (the sentence, no full stop), ``parts`` (its
        pieces), ``code`` (its own lines), ``opens`` (whether others stand inside it), ``body`` (these) and
        ``clauses`` (``elif``, ``else``, ``except``: the same keys, number empty). ``lines`` is all of it in the order
        of the text, without ``body`` and ``clauses``.
    """
    procedures = {procedure.name: procedure for procedure in script.procedures}
    made: list[dict[str, Any]] = []
    for node in script.procedures:
        sentences = Sentences(node, toolset, values=values or {}, dialect=dialect, procedures=procedures)
        body = _Outline(sentences).block(node.body, indent=0, prefix="")
        made.append(
            {
                "name": node.name,
                "doc": node.doc,
                "patterns": list(node.patterns),
                "parameters": [
                    {"name": p.name, "type": type_text(p.type), "code": format_parameter(p)} for p in node.parameters
                ],
                "code": format_script(Script(procedures=(node,))),
                "body": body,
                "lines": _flat(body),
            }
        )
    return {"toolset": script.toolset or "", "doc": script.doc, "procedures": made}


def outline_lines(
    script: Script,
    toolset: Toolset | None = None,
    *,
    values: Mapping[str, str] | None = None,
    dialect: str | None = None,
) -> list[str]:
    """
    Return the sentences of *script*, one a line, two blanks deeper for each block; for the arguments see ``outline``.

    A line that others depend on ends with a colon. Where a script has several procedures, each is headed by its name.
    """
    lines: list[str] = []
    made = outline(script, toolset, values=values, dialect=dialect)["procedures"]
    for procedure in made:
        if len(made) > 1:
            lines.append(f"{procedure['name']}:")
        shift = "  " if len(made) > 1 else ""
        lines += [
            f"{shift}{'  ' * line['indent']}{line['text']}{':' if line['opens'] else ''}" for line in procedure["lines"]
        ]
    return lines
