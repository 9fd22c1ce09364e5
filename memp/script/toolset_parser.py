"""
From a source text to a toolset.

The same subset of Python's syntax as scripts, with other declarations; see ``docs/reference/language.md``.
"""

from __future__ import annotations

import ast

from memp.errors import ScriptError
from memp.script.mistakes import MistakeList, guess
from memp.script.nodes import Node, Parameter, Span
from memp.script.reading import NotReadError, Reading, is_constant
from memp.script.source import normalise_text, read_source
from memp.script.texts import clean_doc, has_surrogates
from memp.script.toolset import Action, AnyEntry, Condition, Entry, Finder, Form, ToolClass, Toolset, find_problems
from memp.script.types import ANY, Type

DECLARATIONS = 'classes, functions with @action, @condition or @finder, toolset("…") and no_effect("…")'

_DECORATORS = ("action", "condition", "finder", "no_effect", "observing", "keys", "undoes", "overrides")


class ToolsetReading(Reading):
    """Reads the declarations of a toolset, noting mistakes."""

    def __init__(self, mistakes: MistakeList, base: Toolset | None) -> None:
        super().__init__(mistakes)
        self.toolset_name: str | None = None
        self.name_span: Span | None = None
        self.base_doc = "" if base is None else base.doc
        self.no_effect: tuple[str, ...] = () if base is None else base.no_effect
        self.classes: list[ToolClass] = [] if base is None else list(base.classes)
        self.entries: list[AnyEntry] = [] if base is None else list(base.entries)

    def declarations(self, tree: ast.Module) -> str:
        """Read all of *tree*; return the text at its top."""
        body = list(tree.body)
        doc = ""
        match body:
            case [ast.Expr(value=ast.Constant(value=str() as text)), *_]:
                doc = self.doc(body.pop(0), text)
        for node in body:
            try:
                self._declaration(node)
            except NotReadError:
                continue
        return doc

    def _declaration(self, node: ast.stmt) -> None:
        match node:
            case ast.ClassDef():
                self.classes.append(self.tool_class(node))
            case ast.FunctionDef():
                self.entries.append(self.entry(node))
            case ast.Expr(value=ast.Call(func=ast.Name(id="toolset"), args=[arg], keywords=[])):
                if self.toolset_name is not None:
                    raise self.refuse(node, "A toolset has one name.")
                self.toolset_name, self.name_span = self.text(arg), self.span(arg)
            case ast.Expr(value=ast.Call(func=ast.Name(id="no_effect"), args=args, keywords=[])):
                self.no_effect += tuple(self.text(arg) for arg in args)
            case _:
                raise self.refuse_syntax(node.value if isinstance(node, ast.Expr) else node, expected=DECLARATIONS)

    def text(self, node: ast.expr) -> str:
        """Return the plain text that *node* writes."""
        match node:
            case ast.Constant(value=str() as text) if not has_surrogates(text):
                return text
            case _:
                raise self.refuse(node, "Here stands something that is no plain text.", expected="words in quotes")

    def doc(self, node: ast.AST, text: str) -> str:
        """Return a description, cleaned."""
        if has_surrogates(text):
            raise self.refuse(node, "The description holds half a character.", expected="text that UTF-8 can hold")
        return clean_doc(text)

    # -- classes ------------------------------------------------------------------------------------------------------

    def tool_class(self, node: ast.ClassDef) -> ToolClass:
        """Return the class that *node* writes."""
        name = self.name(node, node.name, "class")
        parent: str | None = None
        match node.bases, node.keywords:
            case [], []:
                pass
            case [ast.Name(id=base)], []:
                parent = base
            case _:
                raise self.refuse(
                    node, f"The class {name!r} is a kind of more than one class.", expected=f"class {name}(Parent)"
                )
        keys: dict[str, str] = {}
        for decorator in node.decorator_list:
            keys |= self._keys(decorator)
        doc, is_open = "", False
        fields: list[Parameter] = []
        for index, part in enumerate(node.body):
            match part:
                case ast.Expr(value=ast.Constant(value=str() as text)) if index == 0:
                    doc = self.doc(part, text)
                case ast.Expr(value=ast.Constant(value=value)) if value is ...:
                    is_open = True
                case ast.AnnAssign(target=ast.Name(id=field), annotation=annotation, value=default):
                    fields.append(self._field(part, field, annotation, default, keys))
                case _:
                    raise self.refuse_syntax(part, expected="a description, fields such as 'date: Text', or '...'")
        self._check_keys(node, keys, fields)
        return ToolClass(name=name, doc=doc, parent=parent, fields=tuple(fields), open=is_open, span=self.span(node))

    def _field(
        self, node: ast.AnnAssign, name: str, annotation: ast.expr, default: ast.expr | None, keys: dict[str, str]
    ) -> Parameter:
        value = None if default is None else self.expression(default)
        if value is not None and not is_constant(value):
            raise self.refuse(node, f"The default of {name!r} is no literal.", expected="a literal")
        return Parameter(
            name=self.name(node, name, "field"),
            type=self.type(annotation),
            default=value,
            key=keys.get(name),
            span=self.span(node),
        )

    def _keys(self, node: ast.expr) -> dict[str, str]:
        match node:
            case ast.Call(func=ast.Name(id="keys"), args=[], keywords=words):
                return {word.arg: self.text(word.value) for word in words if word.arg is not None}
            case _:
                raise self.refuse(
                    node, "This decorator is not part of the language here.", expected='@keys(name="the wire name")'
                )

    def _check_keys(self, node: ast.AST, keys: dict[str, str], parameters: list[Parameter]) -> None:
        known = [parameter.name for parameter in parameters]
        for name in keys:
            if name not in known:
                raise self.refuse(node, f"@keys names {name!r}, which is not declared.", suggestion=guess(name, known))

    # -- actions, conditions, finders ---------------------------------------------------------------------------------

    def entry(self, node: ast.FunctionDef) -> AnyEntry:
        """Return the action, condition or finder that *node* writes."""
        name = self.name(node, node.name, "function")
        kind: str | None = None
        forms: tuple[Form, ...] = ()
        by: tuple[str, ...] = ()
        markers: tuple[str, ...] = ()
        keys: dict[str, str] = {}
        observing = False
        effects: dict[str, tuple[str, ...]] = {"undoes": (), "overrides": ()}
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(func=ast.Name(id="action" | "condition" | "finder" as word)) if kind is None:
                    kind, (forms, by) = word, self._forms(decorator, word)
                case ast.Call(func=ast.Name(id="no_effect"), args=args, keywords=[]):
                    markers += tuple(self.text(arg) for arg in args)
                case ast.Call(func=ast.Name(id="keys")):
                    keys |= self._keys(decorator)
                case ast.Name(id="observing"):
                    observing = True
                case ast.Call(func=ast.Name(id="undoes" | "overrides" as word), args=args, keywords=[]):
                    effects[word] += self._action_names(decorator, word, args)
                case _:
                    raise self._refuse_decorator(decorator)
        if kind is None:
            raise self.refuse(
                node, f"The function {name!r} says not what it is.", expected="@action, @condition or @finder above it"
            )
        if kind != "action" and (markers or observing or keys or any(effects.values())):
            raise self.refuse(
                node,
                f"Only actions have @no_effect, @observing, @undoes, @overrides and @keys; {name!r} is a {kind}.",
            )
        doc = self._body(node)
        found = [self._keyed(parameter, keys) for parameter in self.parameters(node)]
        self._check_keys(node, keys, found)
        parameters, span = tuple(found), self.span(node)
        if kind == "finder":
            returns = self._returns(node)
            return Finder(name=name, forms=forms, parameters=parameters, doc=doc, returns=returns, by=by, span=span)
        if node.returns is not None:
            raise self.refuse(
                node.returns, f"Only finders give something back; {name!r} is a {kind}.", expected="no '->'"
            )
        if kind == "condition":
            return Condition(name=name, forms=forms, parameters=parameters, doc=doc, span=span)
        return Action(
            name=name,
            forms=forms,
            parameters=parameters,
            doc=doc,
            no_effect=markers,
            observing=observing,
            undoes=effects["undoes"],
            overrides=effects["overrides"],
            span=span,
        )

    def _action_names(self, node: ast.expr, word: str, args: list[ast.expr]) -> tuple[str, ...]:
        names = tuple(arg.id for arg in args if isinstance(arg, ast.Name))
        if not names or len(names) < len(args):
            raise self.refuse(node, f"@{word} lists the names of actions.", expected=f"@{word}(name)")
        return names

    def _refuse_decorator(self, node: ast.expr) -> NotReadError:
        match node:
            case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)):
                near = guess(name, _DECORATORS)
            case _:
                near = None
        expected = ", ".join(f"@{name}" for name in _DECORATORS)
        return self.refuse(node, "This decorator is not part of the language here.", expected=expected, suggestion=near)

    def _forms(self, node: ast.Call, kind: str) -> tuple[tuple[Form, ...], tuple[str, ...]]:
        forms = [Form(text=self.text(arg)) for arg in node.args]
        by: tuple[str, ...] = ()
        for word in node.keywords:
            match word:
                case ast.keyword(arg="by", value=ast.List(elts=names)) if kind == "finder":
                    by = tuple(name.id for name in names if isinstance(name, ast.Name))
                    if len(by) < len(names):
                        raise self.refuse(word.value, "'by' lists the names of actions.", expected="by=[go_to, open]")
                case ast.keyword(arg=str() as dialect):
                    forms.append(Form(text=self.text(word.value), dialect=dialect))
                case _:
                    raise self.refuse(
                        word.value, "Unpacking is not part of the language.", expected='"a form" or dialect="a form"'
                    )
        if not forms:
            raise self.refuse(node, f"@{kind} has no surface form.", expected=f'@{kind}("words with {{slots}}")')
        return tuple(forms), by

    def _body(self, node: ast.FunctionDef) -> str:
        match node.body:
            case [ast.Expr(value=ast.Constant(value=str() as text))]:
                return self.doc(node, text)
            case [ast.Expr(value=ast.Constant(value=value))] if value is ...:
                return ""
            case _:
                raise self.refuse(
                    node.body[0], "A declaration has no steps.", expected="a description in quotes, or '...'"
                )

    def _keyed(self, parameter: Parameter, keys: dict[str, str]) -> Parameter:
        return Parameter(
            name=parameter.name,
            type=parameter.type,
            default=parameter.default,
            key=keys.get(parameter.name),
            span=parameter.span,
        )

    def _returns(self, node: ast.FunctionDef) -> Type:
        if node.returns is None:
            raise self.refuse(
                node, f"The finder {node.name!r} says not what it finds.", expected="'-> Type' after its parameters"
            )
        return self.type(node.returns)


def parse_toolset(
    text: str, *, name: str | None = None, path: str = "<toolset>", base: Toolset | None = None
) -> Toolset:
    """
    Read a toolset; see ``Toolset.from_text``.

    Args:
        text: Source in the toolset syntax.

        name: What it is called if the source does not say so.

        path: How mistakes call the source.

        base: A toolset that the source adds to; None: it stands alone.

    Raises:
        ScriptError: The source has mistakes; carries all of them, in the order of the source.
    """
    text = normalise_text(text)
    mistakes = MistakeList(path, text)
    try:
        source = read_source(text, mistakes)
        reading = ToolsetReading(mistakes, base)
        doc = reading.declarations(source.tree) or reading.base_doc
    except (RecursionError, MemoryError):
        mistakes.add("The source nests too deeply to be read here.", at=None, expected="simpler declarations")
        mistakes.raise_if_any()
        raise ScriptError(()) from None  # pragma: no cover - the line above raises
    chosen = reading.toolset_name or name
    if chosen is None:
        mistakes.add("The toolset has no name.", at=None, expected='toolset("household") at the top')
    _note_problems(reading, chosen or "unnamed", mistakes)
    mistakes.raise_if_any()
    assert chosen is not None
    return Toolset(
        name=chosen,
        doc=doc,
        classes=tuple(reading.classes),
        actions=tuple(entry for entry in reading.entries if isinstance(entry, Action)),
        conditions=tuple(entry for entry in reading.entries if isinstance(entry, Condition)),
        finders=tuple(entry for entry in reading.entries if isinstance(entry, Finder)),
        no_effect=reading.no_effect,
    )


def _note_problems(reading: ToolsetReading, name: str, mistakes: MistakeList) -> None:
    """Note what does not fit together, unless it follows from a declaration that could not be read."""
    is_whole = not len(mistakes)
    entries = [entry for entry in reading.entries if all(parameter.type != ANY for parameter in entry.parameters)]
    for node, problem in find_problems(name, reading.classes, entries, reading.no_effect):
        if is_whole or "not declared" not in problem:
            mistakes.add(problem, at=_place(node, reading))


def _place(node: Node | None, reading: ToolsetReading) -> Span | None:
    return node.span if isinstance(node, ToolClass | Entry) else reading.name_span
