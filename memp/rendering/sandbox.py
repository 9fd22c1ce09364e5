"""
The Jinja environment that templates run in, and what it refuses.

Jinja's sandbox keeps a template from reaching Python, and bounds neither time nor memory: three nested loops, one
doubling assignment or ``"a" * 10**10`` are enough. Templates come from a user's folder and, recorded in a log, from
whoever wrote that log, so they are held to a small language instead: text, values by name, conditions, loops over
values that were passed in, macros, arithmetic on numbers, and a handful of filters. What a template can ask for is then
bounded by the product of what it was given; a child process with a time limit would bound it as well, at fifty times
the price of a rendering.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator, Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from memp.errors import TemplateError
from memp.model import Content
from memp.rendering.ready import ReadyList, ReadyPassage

OUTPUT_CHARACTERS_MAX: Final = 1_000_000
"""Characters of a rendered text: far more than any model reads, far less than hurts."""

CALLS_MAX: Final = 100_000
"""Macro calls of one rendering: a thousand procedures make a few thousand, macros that call each other twice 2^n."""

NUMBER_MAX: Final = 2**53
"""Largest number that arithmetic may give; a product of products grows without end otherwise."""

LOOP_DEPTH_MAX: Final = 3
"""Loops inside loops: procedures, their lines, and one more."""

SAID_KEPT: Final = 1 << 12
"""What macros said that is kept, a few hundred characters each; when there is more, it is forgotten at once."""

_PLAIN: Final = frozenset({str, int, bool, type(None)})
"""What stays as it is, beside what is ready."""

_FILTERS: Final = ("capitalize", "first", "last", "length", "lower", "upper")
"""Filters of Jinja's whose result is no longer than their value."""

_LOOP_VALUES: Final = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})

_ALLOWED: Final[tuple[type[nodes.Node], ...]] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.CondExpr, nodes.Macro, nodes.Call),
    *(nodes.Keyword, nodes.Import, nodes.FromImport, nodes.Assign, nodes.Name, nodes.Const, nodes.Getattr),
    *(nodes.Getitem, nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg),
)

_HINTS: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Pow: "Powers grow without bound.",
    nodes.Concat: "Write the pieces side by side: '{{ a }}{{ b }}'.",
    nodes.Include: "Import a macro instead.",
    nodes.AssignBlock: "Use a macro instead.",
    nodes.Block: "Import macros instead of inheriting.",
    nodes.Extends: "Import macros instead of inheriting.",
}

_calls: contextvars.ContextVar[list[int]] = contextvars.ContextVar("calls")


class OutputTooLongError(TemplateError):
    """A rendering grew over ``OUTPUT_CHARACTERS_MAX``; less may be passed in."""


class _Template(jinja2.Template):
    """A template that tells its environment which macros others import from it."""

    def make_module(
        self, vars: dict[str, Any] | None = None, shared: bool = False, locals: Mapping[str, Any] | None = None
    ) -> TemplateModule:
        """Return the module. Made of nothing, as an import without context makes it, it is made once."""
        module = super().make_module(vars, shared, locals)
        if not vars and not shared and isinstance(self.environment, PromptEnvironment):
            self.environment.imported.update(one for one in module.__dict__.values() if isinstance(one, Macro))
        return module


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """
    Renders templates of the small language; values are dictionaries, lists, texts, numbers and truth values.

    A macro that is imported sees nothing but what it is given, so what it says of values that nobody changes
    (``memp.rendering.ready``) is kept.

    Attributes:
        imported: The macros that see nothing but what they are given.
    """

    template_class = _Template
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self, texts: Mapping[str, str]) -> None:
        """
        Make an environment.

        Args:
            texts: The templates by name; each is checked when it is first used.
        """
        self._texts = dict(texts)
        self.imported: set[Macro] = set()
        self._found: dict[str | jinja2.Template, jinja2.Template] = {}
        self._said: dict[tuple[object, ...], tuple[str, int, tuple[Content, ...]]] = {}
        super().__init__(
            loader=jinja2.FunctionLoader(self._load),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # a prompt is no HTML; what must not stand in one is taken out of the values
            auto_reload=False,
        )
        self.globals.clear()  # range, lipsum, cycler, joiner, namespace: all can loop or grow without end
        self.filters = {name: self.filters[name] for name in _FILTERS} | {"join": _join}

    def get_template(
        self,
        name: str | jinja2.Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> jinja2.Template:
        """Return the template *name*; its text never changes, so that it is looked up once."""
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = super().get_template(name, parent, globals)
        return found

    def fill(self, name: str, values: Mapping[str, Any]) -> str:
        """
        Return the text of the template *name* with *values*.

        Raises:
            TemplateError: It does not compile, names what is not there, or asks for what is refused; carries its name
                and the line.
            OutputTooLongError: The text grew too long.
        """
        token = _calls.set([0])
        with self._translated(name):
            try:
                pieces: list[str] = []
                length = 0
                for piece in self.get_template(name).generate(values):
                    length += len(piece)
                    if length > OUTPUT_CHARACTERS_MAX:
                        raise OutputTooLongError(_TOO_LONG, template=name)
                    pieces.append(piece)
                return "".join(pieces)
            finally:
                _calls.reset(token)

    def check(self, name: str) -> None:
        """
        Compile the template *name*.

        Raises:
            TemplateError: It does not compile, or asks for what is refused; carries its name and the line.
        """
        with self._translated(name):
            self.get_template(name)

    @contextlib.contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        """Turn what goes wrong while the template *name* is compiled or filled into a ``TemplateError``."""
        try:
            yield
        except TemplateError:
            raise
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(_sentence(error.message), template=error.name or name, line=error.lineno) from error
        except jinja2.TemplateNotFound as error:
            known = ", ".join(sorted(self._texts))
            message = f"There is no template {error.name!r}. There are {known}."
            raise TemplateError(message, template=name, line=self._line(error, name)) from error
        except RecursionError as error:
            raise TemplateError("Its macros call each other without end.", template=name) from error
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as error:
            where = self._place(error) or (name, None)
            raise TemplateError(_sentence(str(error)), template=where[0], line=where[1]) from error

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers, and refuse to multiply, add or format texts and lists: they would grow unseen."""
        if not all(isinstance(side, (int, float)) for side in (left, right)):
            found = f"{type(left).__name__} and {type(right).__name__}"
            raise SecurityError(f"'{operator}' works on numbers only (got {found})")
        result = super().call_binop(context, operator, left, right)
        if abs(result) > NUMBER_MAX:
            raise SecurityError(f"the result of '{operator}' must not be over {NUMBER_MAX} (got {result!r})")
        return result

    # Jinja's own names, underscored so that no keyword argument of a template can meet them.
    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call a macro and nothing else: a method of a text (``zfill``, ``join``) can ask for any amount of memory."""
        if isinstance(__obj, Undefined):
            return super().call(__context, __obj)  # raises the error that says what is not there
        if not isinstance(__obj, Macro):
            raise SecurityError("only macros can be called; a value has no methods here, use a filter")
        # What is left of Jinja's own call for a macro; asking what kind of callable it is takes as long as the macro.
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        key = _kept_under(__obj, args) if not kwargs and __obj in __self.imported else None
        kept = None if key is None else __self._said.get(key)
        count = _calls.get()
        before = count[0]
        count[0] += 1 if kept is None else kept[1]
        if count[0] > CALLS_MAX:
            raise SecurityError(f"more than {CALLS_MAX} macro calls in one rendering")
        if kept is not None:
            return kept[0]
        text = __obj(__context.eval_ctx, *args, **kwargs)
        if len(text) > OUTPUT_CHARACTERS_MAX:
            raise SecurityError(f"a macro gave more than {OUTPUT_CHARACTERS_MAX} characters")
        if key is not None:
            __self._keep(key, text, count[0] - before, args)
        return text

    def _keep(self, key: tuple[object, ...], text: str, calls: int, args: tuple[Any, ...]) -> None:
        """Keep what a macro said, with how many calls that took: they count whether or not they are made."""
        if len(self._said) >= SAID_KEPT:
            self._said.clear()
        # The contents, because a key stands for one only as long as it is there.
        contents = tuple(arg.content for arg in args if isinstance(arg, (ReadyList, ReadyPassage)))
        self._said[key] = text, calls, contents

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a key of a dictionary, a macro of an import or a counter of a loop; nothing else has attributes."""
        # What a prompt is made of are dictionaries in loops, and asking an abstract class takes ten times as long.
        kind = type(obj)
        if kind is LoopContext and attribute in _LOOP_VALUES:
            return getattr(obj, attribute)
        if kind is dict or kind is ReadyPassage or isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=_Values(), name=attribute)
        if isinstance(obj, TemplateModule) and not attribute.startswith("_"):
            return super().getattr(obj, attribute)
        hint = f"a value has no attribute {attribute!r}"
        return self.undefined(obj=obj, name=attribute, exc=SecurityError, hint=hint)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item of a list by its number or of a dictionary by its key."""
        if isinstance(obj, Mapping) and isinstance(argument, str):
            return self.getattr(obj, argument)
        if isinstance(obj, (list, ReadyList)) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument, hint=f"there is no item {argument!r}")

    def _load(self, name: str) -> tuple[str, str, None] | None:
        if name not in self._texts:
            return None
        source = self._texts[name]
        for node, depth in _walk(self.parse(source, name, name), 0):
            _check(node, depth, name, self)
        return source, name, None

    def _place(self, error: BaseException) -> tuple[str, int] | None:
        """Return the template and line in which *error* arose: Jinja puts them into the traceback as files."""
        place: tuple[str, int] | None = None
        step: TracebackType | None = error.__traceback__
        while step is not None:
            filename = step.tb_frame.f_code.co_filename
            if filename in self._texts:
                place = (filename, step.tb_lineno)
            step = step.tb_next
        return place

    def _line(self, error: BaseException, name: str) -> int | None:
        place = self._place(error)
        return place[1] if place is not None and place[0] == name else None


def _kept_under(macro: Macro, args: tuple[Any, ...]) -> tuple[object, ...] | None:
    """Return under what to keep what *macro* says of *args*; None if something among them might change."""
    key: list[object] = [macro]
    ready = False
    for arg in args:
        kind = type(arg)
        if kind is ReadyList or kind is ReadyPassage:
            ready = True
            key.append(arg.key)
        elif kind in _PLAIN:
            # The kind too, because a number is as good a key as a truth value that equals it.
            key += (kind, arg)
        else:
            return None
    return tuple(key) if ready else None


_TOO_LONG: Final = f"The rendered text grew over {OUTPUT_CHARACTERS_MAX} characters. Pass fewer procedures or a budget."


class _Values(dict[str, Any]):
    """Stands for a dictionary in Jinja's message about a key that is not there, which would print all of it."""


def _sentence(message: str | None) -> str:
    text = (message or "it does not render").strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _walk(node: nodes.Node, depth: int) -> Iterator[tuple[nodes.Node, int]]:
    """Yield every node with the number of loops around it."""
    yield node, depth
    inside = depth + isinstance(node, nodes.For)
    for child in node.iter_child_nodes():
        yield from _walk(child, inside)


def _check(node: nodes.Node, depth: int, template: str, environment: PromptEnvironment) -> None:
    """Refuse what is not in the small language."""
    problem = None
    if isinstance(node, nodes.Tuple):
        if node.ctx != "store":
            problem = "A list cannot be written in a template; loop over a value that is passed in."
    elif not isinstance(node, _ALLOWED):
        hint = _HINTS.get(type(node), "")
        problem = f"{type(node).__name__!r} is not part of the template language here. {hint}".rstrip()
    elif isinstance(node, nodes.For):
        if node.recursive or depth >= LOOP_DEPTH_MAX:
            problem = f"Loops must not be recursive or more than {LOOP_DEPTH_MAX} deep."
        elif not _is_passed_in(node.iter):
            problem = "A loop must go over a value by name, such as 'procedures' or 'procedure.lines'."
    elif isinstance(node, nodes.Filter) and node.name not in environment.filters:
        problem = f"There is no filter {node.name!r}. There are {', '.join(sorted(environment.filters))}."
    elif isinstance(node, (nodes.Import, nodes.FromImport)) and not isinstance(node.template, nodes.Const):
        problem = "An import must name its template as a text."
    if problem is not None:
        raise TemplateError(problem, template=template, line=node.lineno)


def _is_passed_in(node: nodes.Node) -> bool:
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        node = node.node
    return isinstance(node, nodes.Name)


def _join(values: list[Any], between: str = "") -> str:
    """Return *values* as texts with *between* in between, and refuse before it grows too long."""
    texts = [str(value) for value in values]
    if sum(map(len, texts)) + len(between) * len(texts) > OUTPUT_CHARACTERS_MAX:
        raise SecurityError(f"'join' gives more than {OUTPUT_CHARACTERS_MAX} characters")
    return between.join(texts)
