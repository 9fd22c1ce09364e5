"""
From a source text to a script.

Python's own grammar is used so that editors highlight scripts, people know the syntax and models write it fluently; a
grammar of our own would be one more to learn. This file knows statements and declarations; ``reading`` knows types
and expressions, ``source`` what is refused before Python's parser sees it, and ``checker`` what the names mean.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from memp.errors import NotFoundError, ScriptError
from memp.script.checker import check_script
from memp.script.mistakes import MistakeList, guess
from memp.script.nodes import (
    Act,
    Attempts,
    Avoid,
    Branch,
    Break,
    Call,
    Do,
    Ensure,
    Expression,
    Find,
    ForEach,
    FormattedText,
    If,
    Note,
    ProcedureDef,
    Repeat,
    Script,
    Span,
    Statement,
    Stop,
    TextLiteral,
    Try,
)
from memp.script.reading import NotReadError, Reading, is_broken
from memp.script.source import Source, normalise_text, read_source
from memp.script.toolset import Toolset

BLOCKS_MAX = 20
"""How deep blocks may nest, so that no walk over a script can run out of stack."""

DECLARATIONS = "'from TOOLSET import *', or procedures with '@procedure(…)'"
STATEMENTS = "an action, 'name = finder(…)', if, for, try, break, do, note, ensure, avoid or stop"


class ScriptReading(Reading):
    """Reads the statements of a script, noting mistakes."""

    def __init__(self, source: Source, mistakes: MistakeList) -> None:
        super().__init__(mistakes)
        self.source = source
        self.poisoned: set[str] = set()
        self._comments = sorted(source.comments.items(), reverse=True)

    def take_comments(self, before: int) -> tuple[str, ...]:
        """Return the comments up to the line *before* that no earlier statement took."""
        taken: list[str] = []
        while self._comments and self._comments[-1][0] <= before:
            taken.append(self._comments.pop()[1])
        return tuple(taken)

    # -- the file -----------------------------------------------------------------------------------------------------

    def script(self) -> tuple[str | None, str, list[ProcedureDef], ast.ImportFrom | None]:
        """Return the imported name, the file's text, its procedures and where the import stands."""
        body = list(self.source.tree.body)
        doc = _take_doc(body)
        imported: ast.ImportFrom | None = None
        procedures: list[ProcedureDef] = []
        for node in body:
            try:
                if isinstance(node, ast.ImportFrom):
                    if imported is not None or procedures:
                        raise self.refuse(node, "A script imports one toolset, before its first procedure.")
                    self._check_import(node)
                    imported = node
                elif isinstance(node, ast.FunctionDef):
                    procedures.append(self.procedure(node))
                else:
                    raise self.refuse_syntax(node, expected=DECLARATIONS)
            except NotReadError:
                continue
        return (None if imported is None else imported.module), doc, procedures, imported

    def _check_import(self, node: ast.ImportFrom) -> None:
        if node.level or node.module is None or "." in node.module or [alias.name for alias in node.names] != ["*"]:
            name = (node.module or "household").split(".")[-1]
            raise self.refuse(node, "Only a whole toolset can be imported.", suggestion=f"from {name} import *")

    def procedure(self, node: ast.FunctionDef) -> ProcedureDef:
        """Return the procedure that *node* writes."""
        comments = self.take_comments(min([node.lineno, *(d.lineno for d in node.decorator_list)]))
        patterns = self._patterns(node)
        name = self._procedure_name(node)
        if node.returns is not None:
            self.mistakes.add("A procedure returns nothing.", at=self.span(node.returns), expected="no '->'")
        parameters = self.parameters(node)
        body = list(node.body)
        doc = _take_doc(body)
        statements = self.block(body, depth=1)
        if not body:
            self.mistakes.add(f"The procedure {name!r} has no steps.", at=self.span(node), expected=STATEMENTS)
        if not statements:
            raise NotReadError
        return ProcedureDef(
            name=name,
            patterns=tuple(patterns) or ("",),
            pattern_spans=tuple(patterns.values()),
            parameters=parameters,
            doc=doc,
            body=statements,
            comments=comments,
            span=self.span(node),
        )

    def _procedure_name(self, node: ast.FunctionDef) -> str:
        try:
            return self.name(node, node.name, "procedure")
        except NotReadError:
            return node.name  # noted; the body is read all the same

    def _patterns(self, node: ast.FunctionDef) -> dict[str, Span]:
        """Return the task patterns of *node* and where they stand, each once."""
        found: dict[str, Span] = {}
        seen = False
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(func=ast.Name(id="procedure"), args=args, keywords=[]) if not seen:
                    seen = True
                    for arg in args:
                        match arg:
                            case ast.Constant(value=str() as text) if text.strip():
                                found.setdefault(text, self.span(arg))
                            case _:
                                self.mistakes.add(
                                    "A task pattern is no plain text.", at=self.span(arg), expected='"put {thing} away"'
                                )
                case _:
                    self.mistakes.add(
                        "This decorator is not part of the language.",
                        at=self.span(decorator),
                        expected='one @procedure("…") with the wordings of the task',
                    )
        if not found:
            self.mistakes.add(
                f"The function {node.name!r} has no task pattern.",
                at=self.span(node),
                expected='@procedure("…") above it, with one wording of the task or more',
            )
        return found

    # -- statements ---------------------------------------------------------------------------------------------------

    def block(self, nodes: Iterable[ast.stmt], *, depth: int) -> tuple[Statement, ...]:
        """Return the statements that could be read."""
        statements: list[Statement] = []
        for node in nodes:
            try:
                if depth > BLOCKS_MAX:
                    raise self.refuse(node, "Blocks nest too deeply.", expected=f"at most {BLOCKS_MAX} levels")
                statements.append(self.statement(node, depth))
            except NotReadError:
                # What it would have named is no further mistake where it is used.
                inner = (part for part in ast.walk(node) if isinstance(part, ast.Name))
                self.poisoned.update(part.id for part in inner if isinstance(part.ctx, ast.Store))
        return tuple(statements)

    def statement(self, node: ast.stmt, depth: int) -> Statement:
        """Return the statement that *node* writes."""
        span = self.span(node)
        comments = self.take_comments(_head_end(node))
        match node:
            case ast.Expr(value=ast.Call() as call):
                return self._call_statement(call, comments)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                target = self.name(node, name, "variable")
                return Find(target=target, call=self.call(call), span=span, comments=comments)
            case ast.Assign():
                raise self.refuse(node, "Only what a finder found can be named.", expected="name = finder(…)")
            case ast.If() if not is_broken(node):
                return self._if(node, depth, comments)
            case ast.For():
                return self._for(node, depth, comments)
            case ast.Try():
                return self._try(node, depth, comments)
            case ast.Break():
                return Break(span=span, comments=comments)
            case _:
                raise self.refuse_syntax(node.value if isinstance(node, ast.Expr) else node, expected=STATEMENTS)

    def _call_statement(self, node: ast.Call, comments: tuple[str, ...]) -> Statement:
        span = self.span(node)
        match node.func:
            case ast.Name(id="do"):
                (text,) = self._arguments(node, "do", "text")
                return Do(text=self._text(text), span=span, comments=comments)
            case ast.Name(id="note"):
                (text,) = self._arguments(node, "note", "text")
                return Note(text=self._text(text), span=span, comments=comments)
            case ast.Name(id="stop"):
                (reason,) = self._arguments(node, "stop", "reason")
                return Stop(reason=self._text(reason), span=span, comments=comments)
            case ast.Name(id="ensure"):
                condition, why = self._arguments(node, "ensure", "condition", "why")
                read = self._all(lambda: self.expression(condition), lambda: self._text(why))
                return Ensure(condition=read[0], why=_as_text(read[1]), span=span, comments=comments)
            case ast.Name(id="avoid"):
                what, because = self._arguments(node, "avoid", "action_or_text", "because")
                read = self._all(lambda: self._avoided(what), lambda: self._text(because))
                return Avoid(what=_as_avoided(read[0]), because=_as_text(read[1]), span=span, comments=comments)
            case _:
                return Act(call=self.call(node), span=span, comments=comments)

    def _arguments(self, node: ast.Call, name: str, *names: str) -> list[ast.expr]:
        """Return the arguments of a statement of the language, by the names that its definition gives them."""
        expected = f"{name}({', '.join(names)})"
        found = dict(zip(names, node.args, strict=False))
        for word in node.keywords:
            if word.arg not in names or word.arg in found:
                raise self.refuse(node, f"{name!r} has no argument {word.arg!r} to give here.", expected=expected)
            found[word.arg] = word.value
        if len(node.args) > len(names) or len(found) < len(names):
            raise self.refuse(node, f"{name!r} takes {len(names)} argument(s).", expected=expected)
        return [found[key] for key in names]

    def _all(self, *readers: Callable[[], Expression]) -> list[Expression]:
        """Return what every reader reads; all are tried before the first failure counts."""
        values: list[Expression] = []
        for reader in readers:
            try:
                values.append(reader())
            except NotReadError:
                continue
        if len(values) < len(readers):
            raise NotReadError
        return values

    def _text(self, node: ast.expr) -> TextLiteral | FormattedText:
        match node:
            case ast.Constant(value=str()):
                value = self.expression(node)
                if isinstance(value, TextLiteral) and value.value.strip():
                    return value
            case ast.JoinedStr():
                return self.formatted(node)
        raise self.refuse(node, "Here stands something that is no text.", expected="words in quotes, or an f-string")

    def _avoided(self, node: ast.expr) -> Call | TextLiteral | FormattedText:
        return self.call(node) if isinstance(node, ast.Call) else self._text(node)

    def _if(self, node: ast.If, depth: int, comments: tuple[str, ...]) -> If:
        branches: list[Branch] = []
        current, span, is_whole = node, self.span(node), True
        while True:
            if branches or not is_whole:
                comments += self.take_comments(_head_end(current))
            condition: Expression | None = None
            try:
                condition = self.expression(current.test)
            except NotReadError:
                is_whole = False
            body = self.block(current.body, depth=depth + 1)
            if condition is not None and body:
                branches.append(Branch(condition=condition, body=body, span=self.span(current)))
            is_whole = is_whole and bool(body)
            match current.orelse:
                case [ast.If() as following] if not is_broken(following):
                    current = following
                case _:
                    break
        otherwise = self.block(current.orelse, depth=depth + 1)
        if not is_whole:
            raise NotReadError
        return If(branches=tuple(branches), otherwise=otherwise, span=span, comments=comments)

    def _for(self, node: ast.For, depth: int, comments: tuple[str, ...]) -> Statement:
        span = self.span(node)
        body = self.block(node.body, depth=depth + 1)
        otherwise = self.block(node.orelse, depth=depth + 1)
        match node.target, node.iter:
            case ast.Name(id=variable), ast.Call(func=ast.Name(id="times" | "attempts" as kind)) if isinstance(
                node.iter, ast.Call
            ):
                if variable != "_":
                    raise self.refuse(node.target, f"{kind!r} counts without a name.", suggestion=f"_ in {kind}(…)")
                (count,) = self._arguments(node.iter, kind, "n")
                number = self.expression(count)
                if not body:
                    raise NotReadError
                loop = Repeat if kind == "times" else Attempts
                return loop(count=number, body=body, otherwise=otherwise, span=span, comments=comments)
            case ast.Name(id=variable), _:
                name = self.name(node.target, variable, "variable")
                items = self.expression(node.iter)
                if not body:
                    raise NotReadError
                return ForEach(variable=name, items=items, body=body, otherwise=otherwise, span=span, comments=comments)
            case _:
                raise self.refuse(node.target, "A loop names one thing.", expected="for name in list")

    def _try(self, node: ast.Try, depth: int, comments: tuple[str, ...]) -> Try:
        body = self.block(node.body, depth=depth + 1)
        match node.handlers:
            case [ast.ExceptHandler(type=ast.Name(id="failed"), name=None, body=handling)]:
                handler = self.block(handling, depth=depth + 1)
            case handlers:
                at = handlers[0] if handlers else node
                raise self.refuse(at, "A 'try' needs one handler, of what the language has.", expected="except failed:")
        if node.orelse or node.finalbody:
            raise self.refuse(node, "A 'try' has neither 'else' nor 'finally' here.", expected="except failed:")
        if not body or not handler:
            raise NotReadError
        return Try(body=body, handler=handler, span=self.span(node), comments=comments)


def _head_end(node: ast.stmt) -> int:
    """Return the last line that belongs to *node* but not to its body."""
    body = getattr(node, "body", None)
    return max(node.lineno, body[0].lineno - 1) if body else (node.end_lineno or node.lineno)


def _take_doc(body: list[ast.stmt]) -> str:
    match body:
        case [ast.Expr(value=ast.Constant(value=str() as text)), *_]:
            body.pop(0)
            return text
        case _:
            return ""


def _as_text(value: Expression) -> TextLiteral | FormattedText:
    assert isinstance(value, TextLiteral | FormattedText)
    return value


def _as_avoided(value: Expression) -> Call | TextLiteral | FormattedText:
    assert isinstance(value, Call | TextLiteral | FormattedText)
    return value


def parse_script(
    text: str,
    toolset: Toolset | None = None,
    *,
    path: str = "<script>",
    resolve: Callable[[str], Toolset] | None = None,
    library: Iterable[Script] = (),
) -> Script:
    """
    Read and check a script; nothing in it is executed or imported.

    Args:
        text: The source.

        toolset: The vocabulary that it speaks. None: what its own ``from NAME import *`` names, found by *resolve*; a
            script
            that imports nothing is read untyped, that is, every name may be called.

        path: How mistakes call the source.

        resolve: Gives the toolset of an imported name or raises ``NotFoundError``; None knows the shipped rooms only.

        library: Scripts whose procedures may be called as well.

    Returns:
        The script; ``parse_script(format_script(s)) == s``.

    Raises:
        ScriptError: The source has mistakes; carries all of them, in the order of the source.
    """
    text = normalise_text(text)
    mistakes = MistakeList(path, text)
    try:
        return _parse(text, toolset, mistakes, resolve, library)
    except (RecursionError, MemoryError):
        mistakes.add("The source nests too deeply to be read here.", at=None, expected="simpler statements")
    mistakes.raise_if_any()
    raise ScriptError(())  # pragma: no cover - the line above raises


def _parse(
    text: str,
    toolset: Toolset | None,
    mistakes: MistakeList,
    resolve: Callable[[str], Toolset] | None,
    library: Iterable[Script],
) -> Script:
    source = read_source(text, mistakes)
    reading = ScriptReading(source, mistakes)
    name, doc, procedures, imported = reading.script()
    if imported is not None:
        toolset = _resolve(reading, imported, toolset, resolve)
    if not procedures and not len(mistakes):
        mistakes.add("The script has no procedure.", at=None, expected='@procedure("…") above a function')
    is_untyped = imported is None and toolset is None
    check_script(
        procedures,
        toolset,
        mistakes,
        is_untyped=is_untyped,
        declared=[node.name for node in source.tree.body if isinstance(node, ast.FunctionDef)],
        poisoned=source.poisoned | reading.poisoned,
        library=tuple(library),
    )
    mistakes.raise_if_any()
    comments = reading.take_comments(len(mistakes.lines))
    return Script(toolset=name, doc=doc, procedures=tuple(procedures), comments=comments)


def _resolve(
    reading: Reading, node: ast.ImportFrom, toolset: Toolset | None, resolve: Callable[[str], Toolset] | None
) -> Toolset | None:
    """Return the toolset that the script speaks; None after noting that there is none."""
    name = node.module or ""
    if toolset is not None:
        if toolset.name != name:
            reading.mistakes.add(
                f"The script speaks {name!r}, but the toolset at hand is {toolset.name!r}.",
                at=reading.span(node),
                suggestion=f"from {toolset.name} import *",
            )
        return toolset
    # The loader reads scripts too, so it cannot be imported above.
    from memp.script.loader import load_shipped_toolset, shipped_names

    try:
        return (resolve or load_shipped_toolset)(name)
    except NotFoundError as error:
        near = None if resolve is not None else guess(name, shipped_names())
        suggestion = None if near is None else f"from {near} import *"
        reading.mistakes.add(f"There is no toolset {name!r}: {error}", at=reading.span(node), suggestion=suggestion)
        return None
