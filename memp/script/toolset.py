"""
Toolsets: the vocabulary of a world, and how that world spells it.

A toolset is a value like any other, with a digest, because a script means nothing without it: the store keeps it beside
the procedures, and an old view keeps the old one. It is data in Python's syntax, not a Python module: importing a
module would run it.
"""

from __future__ import annotations

import functools
import hashlib
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs

from memp.errors import InvalidInputError
from memp.script.forms import ARGUMENTS, FormError, compile_marker, slot_names
from memp.script.nodes import Call, Expression, Node, NullLiteral, Parameter
from memp.script.texts import clean_doc
from memp.script.types import ANY, BUILTIN_TYPES, ListType, LiteralType, NamedType, Type, type_text

STATEMENT_WORDS = ("do", "note", "ensure", "avoid", "stop", "times", "attempts", "failed", "procedure")
"""What the language itself calls; no toolset may take these names."""

DECLARATION_WORDS = (
    *("toolset", "action", "condition", "finder", "no_effect", "observing", "keys", "undoes", "overrides"),
)
"""What a toolset's source itself calls."""

RESERVED = frozenset(
    (*STATEMENT_WORDS, *DECLARATION_WORDS, *BUILTIN_TYPES, *keyword.kwlist, "Any", "Literal", "list", "_")
)
"""Names that neither a toolset, a procedure, a parameter nor a variable may have."""

WILDCARDS_MAX = 4
"""How many ``*`` a marker may hold: matching takes time to that power, and observations are long."""

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z", re.ASCII)


@attrs.frozen(kw_only=True)
class ToolClass(Node):
    """
    A kind of thing.

    Attributes:
        name: Its identifier.

        doc: What it is; may be empty.

        parent: The class whose things it is a kind of; None if there is none.

        fields: What a value of it holds; empty for a thing that is named by a text, such as ``"mug 1"``.

        open: Whether a value may hold more than the fields; without fields, whether it may be any value at all.
    """

    name: str
    doc: str = attrs.field(default="", converter=clean_doc)
    parent: str | None = None
    fields: tuple[Parameter, ...] = ()
    open: bool = False

    @property
    def is_record(self) -> bool:
        """Whether its values are written ``{"key": value}``."""
        return bool(self.fields)


@attrs.frozen(kw_only=True)
class Form:
    """
    One way in which an environment spells an entry.

    Attributes:
        text: With ``{slots}``, or with ``{...}`` for all arguments as JSON.

        dialect: The name by which this spelling is asked for; None for the ordinary ones.
    """

    text: str
    dialect: str | None = None

    @property
    def is_json(self) -> bool:
        """Whether the arguments stand as one JSON object."""
        return slot_names(self.text) == (ARGUMENTS,)


@attrs.frozen(kw_only=True)
class Entry(Node):
    """
    Something that a script can call.

    Attributes:
        name: Its identifier.

        forms: Its spellings, the preferred first; at least one.

        parameters: What it takes.

        doc: What it does; may be empty.
    """

    name: str
    forms: tuple[Form, ...] = attrs.field(validator=attrs.validators.min_len(1))
    parameters: tuple[Parameter, ...] = ()
    doc: str = attrs.field(default="", converter=clean_doc)

    @property
    def signature(self) -> str:
        """How it is called, for messages: ``take(thing: Object, place: Receptacle)``."""
        return signature_text(self.name, self.parameters)


@attrs.frozen(kw_only=True)
class Action(Entry):
    """
    What an agent can do.

    Attributes:
        no_effect: How an observation says that nothing changed, beside what the toolset says for all; ``*`` is
            anything.

        observing: Whether it only looks, so that leaving it out changes nothing in the world.

        undoes: Actions that it takes back when done with the same things: after both all is as it was before.

        overrides: Actions of which nothing is left once this is done to the same thing, the first of each.
    """

    no_effect: tuple[str, ...] = ()
    observing: bool = False
    undoes: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Condition(Entry):
    """What can be true or not."""


@attrs.frozen(kw_only=True)
class Finder(Entry):
    """
    A search whose way is left to the agent.

    Attributes:
        returns: The type of what it finds.

        by: The actions that such a search is made of, so that a search can be recognised in a run; may be empty.
    """

    returns: Type
    by: tuple[str, ...] = ()


AnyEntry: TypeAlias = Action | Condition | Finder


def signature_text(name: str, parameters: Sequence[Parameter]) -> str:
    """Return how *name* is called, with types; what may be left out has ``= …``."""
    shown = (f"{p.name}: {type_text(p.type)}{'' if p.default is None else ' = …'}" for p in parameters)
    return f"{name}({', '.join(shown)})"


@attrs.frozen(kw_only=True, cache_hash=True)
class Toolset:
    """
    The vocabulary of one world.

    Attributes:
        name: What scripts import; an identifier.

        doc: What world it is; may be empty.

        classes: Kinds of things.

        actions: What can be done.

        conditions: What can be asked.

        finders: What can be searched.

        no_effect: How an observation says of any action that nothing changed; ``*`` is anything.

    Raises:
        InvalidInputError: The parts do not fit each other; the message names the first that does not.
    """

    name: str
    doc: str = attrs.field(default="", converter=clean_doc)
    classes: tuple[ToolClass, ...] = ()
    actions: tuple[Action, ...] = ()
    conditions: tuple[Condition, ...] = ()
    finders: tuple[Finder, ...] = ()
    no_effect: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        for node, problem in find_problems(self.name, self.classes, self.entries, self.no_effect):
            where = f"In {node.name!r}: " if isinstance(node, ToolClass | Entry) else ""
            raise InvalidInputError(f"The toolset {self.name!r} does not hold together. {where}{problem}")

    @classmethod
    def from_text(cls, text: str, *, name: str | None = None, path: str = "<toolset>") -> Toolset:
        """
        Read a toolset from its source; nothing in it is executed.

        Args:
            text: Source in the toolset syntax.

            name: What it is called if the source does not say ``toolset("…")``.

            path: How mistakes call the source.

        Raises:
            ScriptError: The source has mistakes; carries all of them.
        """
        from memp.script.toolset_parser import parse_toolset  # it builds this class, so it cannot be imported above

        return parse_toolset(text, name=name, path=path)

    @classmethod
    def from_openai_tools(cls, tools: Sequence[Mapping[str, object]], *, name: str = "tools") -> Toolset:
        """
        Make a toolset of an OpenAI tools list, or of the tools that an MCP server lists.

        Args:
            tools: ``{"type": "function", "function": {"name", "description", "parameters"}}`` each; the flat form of
                the
                Responses API and MCP's ``inputSchema`` are read as well.

            name: What scripts import.

        Raises:
            InvalidInputError: An entry is no tool; the message names its place, such as ``$[3].function.name``.
        """
        from memp.script.openai_tools import read_openai_tools  # it builds this class, so it cannot be imported above

        return read_openai_tools(tools, name=name)

    def to_text(self) -> str:
        """Return the canonical source; ``Toolset.from_text(t.to_text()) == t``."""
        from memp.script.toolset_text import format_toolset  # it reads this class, so it cannot be imported above

        return format_toolset(self)

    @functools.cached_property
    def digest(self) -> str:
        """Hex SHA-256 of the canonical source."""
        return hashlib.sha256(self.to_text().encode()).hexdigest()

    @property
    def entries(self) -> tuple[AnyEntry, ...]:
        """Actions, conditions and finders, in this order."""
        return (*self.actions, *self.conditions, *self.finders)

    @functools.cached_property
    def _by_name(self) -> dict[str, AnyEntry]:
        return {entry.name: entry for entry in self.entries}

    @functools.cached_property
    def _classes_by_name(self) -> dict[str, ToolClass]:
        return {tool_class.name: tool_class for tool_class in self.classes}

    @property
    def dialects(self) -> tuple[str, ...]:
        """The names of the dialects that some form has, sorted."""
        return tuple(sorted({form.dialect for entry in self.entries for form in entry.forms if form.dialect}))

    def find_entry(self, name: str) -> AnyEntry | None:
        """Return the action, condition or finder called *name*; None if there is none."""
        return self._by_name.get(name)

    def find_action(self, name: str) -> Action | None:
        """Return the action called *name*; None if there is none."""
        entry = self._by_name.get(name)
        return entry if isinstance(entry, Action) else None

    def find_class(self, name: str) -> ToolClass | None:
        """Return the class called *name*; None if there is none."""
        return self._classes_by_name.get(name)

    def is_kind_of(self, name: str, ancestor: str) -> bool:
        """Return whether the class *name* is *ancestor* or one of its kinds."""
        current: str | None = name
        for _ in range(len(self.classes) + 1):
            if current == ancestor:
                return True
            found = self._classes_by_name.get(current) if current is not None else None
            if found is None:
                return False
            current = found.parent
        return False

    def had_effect(self, name: str, observation: str) -> bool:
        """
        Return whether *observation* leaves it possible that the action *name* changed something.

        An observing action never does; otherwise one of the markers must cover the whole observation to deny it.
        """
        action = self.find_action(name)
        if action is not None and action.observing:
            return False
        markers = self.no_effect + (action.no_effect if action is not None else ())
        return not any(compile_marker(marker).fullmatch(observation.strip()) for marker in markers)


def bind_arguments(call: Call, parameters: Sequence[Parameter]) -> dict[str, Expression] | None:
    """Return the arguments of *call* by parameter name, in the parameters' order; None if they do not fit."""
    if len(call.args) > len(parameters):
        return None
    bound = {parameter.name: value for parameter, value in zip(parameters, call.args, strict=False)}
    names = {parameter.name for parameter in parameters}
    for word in call.keywords:
        if word.name in bound or word.name not in names:
            return None
        bound[word.name] = word.value
    if any(parameter.default is None and parameter.name not in bound for parameter in parameters):
        return None
    return {parameter.name: bound[parameter.name] for parameter in parameters if parameter.name in bound}


# -- what does not fit ------------------------------------------------------------------------------------------------


def find_problems(
    name: str, classes: Sequence[ToolClass], entries: Sequence[AnyEntry], no_effect: Sequence[str]
) -> Iterator[tuple[Node | None, str]]:
    """Yield each thing that keeps the parts from being a toolset, with the part that is to blame."""
    if not _IDENTIFIER.match(name):
        yield None, f"Its name must be an identifier in ASCII, such as 'household' (got {name!r})."
    for marker in no_effect:
        yield from ((None, problem) for problem in _marker_problems(marker))
    known = {tool_class.name: tool_class for tool_class in classes}
    seen: set[str] = set()
    for node in (*classes, *entries):
        if node.name in RESERVED or not _IDENTIFIER.match(node.name):
            yield node, f"{node.name!r} cannot be a name here: it is reserved or no ASCII identifier."
        elif node.name in seen:
            yield (
                node,
                f"{node.name!r} is declared twice; every class, action, condition and finder needs its own name.",
            )
        seen.add(node.name)
    for tool_class in classes:
        yield from ((tool_class, problem) for problem in _class_problems(tool_class, known))
    actions = {entry.name: entry for entry in entries if isinstance(entry, Action)}
    for entry in entries:
        yield from ((entry, problem) for problem in _entry_problems(entry, known, actions))


def _class_problems(tool_class: ToolClass, known: Mapping[str, ToolClass]) -> Iterator[str]:
    parent, steps = tool_class.parent, 0
    if parent is not None and parent not in known:
        yield f"{tool_class.name!r} is a kind of {parent!r}, which is not declared."
    while parent is not None and parent in known and steps <= len(known):
        parent, steps = known[parent].parent, steps + 1
    if steps > len(known):
        yield f"{tool_class.name!r} is a kind of itself."
    yield from _parameter_problems(tool_class.fields, known)


def _parameter_problems(parameters: Sequence[Parameter], known: Mapping[str, ToolClass]) -> Iterator[str]:
    names = [parameter.name for parameter in parameters]
    wires = [parameter.wire for parameter in parameters]
    optional = [parameter.default is not None for parameter in parameters]
    if optional != sorted(optional):
        yield "Parameters that may be left out must stand after those that must be given."
    for parameter in parameters:
        if parameter.name in RESERVED or not _IDENTIFIER.match(parameter.name):
            yield f"{parameter.name!r} cannot be a parameter's name: it is reserved or no ASCII identifier."
        elif names.count(parameter.name) > 1 or wires.count(parameter.wire) > 1:
            yield f"The parameter {parameter.name!r} stands twice."
        for unknown in unknown_types(parameter.type, known):
            yield f"The parameter {parameter.name!r} has the type {unknown!r}, which is not declared."


def unknown_types(type_: Type, known: Mapping[str, ToolClass]) -> Iterator[str]:
    """Yield the names in *type_* that are neither built in nor classes."""
    match type_:
        case NamedType(name) if type_ != ANY and name not in BUILTIN_TYPES and name not in known:
            yield name
        case ListType(item):
            yield from unknown_types(item, known)
        case NamedType() | LiteralType():
            return


def _entry_problems(entry: AnyEntry, known: Mapping[str, ToolClass], actions: Mapping[str, Action]) -> Iterator[str]:
    yield from _parameter_problems(entry.parameters, known)
    for form in entry.forms:
        yield from _form_problems(form, entry)
    dialects = [form.dialect for form in entry.forms if form.dialect is not None]
    for dialect in dialects:
        if (
            dialects.count(dialect) > 1
            or not _IDENTIFIER.match(dialect)
            or keyword.iskeyword(dialect)
            or dialect == "by"
        ):
            yield f"The dialect {dialect!r} must be an identifier, not 'by', and stand once."
    if [form.dialect for form in entry.forms[len(entry.forms) - len(dialects) :]] != dialects:
        yield "The forms of a dialect must stand after the ordinary ones."
    match entry:
        case Action(no_effect=markers):
            for marker in markers:
                yield from _marker_problems(marker)
            yield from _effect_problems(entry, actions)
        case Finder(returns=returns, by=by):
            for unknown in unknown_types(returns, known):
                yield f"It finds a {unknown!r}, which is not declared."
            for action in by:
                if action not in actions:
                    yield f"It searches by {action!r}, which is no action."
        case Condition():
            pass


def _effect_problems(action: Action, actions: Mapping[str, Action]) -> Iterator[str]:
    for word, names in (("undoes", action.undoes), ("overrides", action.overrides)):
        for name in names:
            other = actions.get(name)
            if other is None:
                yield f"It {word} {name!r}, which is no action."
            elif not action.parameters or not other.parameters:
                yield f"It {word} {name!r}, but an action without parameters is done to nothing."
            elif word == "undoes" and len(action.parameters) != len(other.parameters):
                yield f"It undoes {name!r}, which does not take as many things."


def _form_problems(form: Form, entry: AnyEntry) -> Iterator[str]:
    try:
        slots = slot_names(form.text)
    except FormError as error:
        yield f"The form {form.text!r} cannot be read: {error}."
        return
    if not form.text.strip() or form.text != " ".join(form.text.split()):
        yield f"The form {form.text!r} must hold words, with single spaces between them."
    if ARGUMENTS in slots:
        if slots != (ARGUMENTS,) or not isinstance(entry, Action):
            yield f"In the form {form.text!r}, '{{...}}' must be the only slot, and only actions have it."
        return
    by_name = {parameter.name: parameter for parameter in entry.parameters}
    for slot in slots:
        if slot not in by_name:
            yield f"The form {form.text!r} names {slot!r}, which is no parameter of {entry.signature}."
        elif slots.count(slot) > 1:
            yield f"The form {form.text!r} names {slot!r} twice."
    missing = [p.name for p in entry.parameters if p.default is None and p.name not in slots]
    if missing and isinstance(entry, Action):
        yield f"The form {form.text!r} leaves out {missing[0]!r}, which has no default."


def _marker_problems(marker: str) -> Iterator[str]:
    if not marker.strip() or not marker.replace("*", "").strip():
        yield f"The marker {marker!r} must hold words, or it would deny the effect of everything."
    elif marker.count("*") > WILDCARDS_MAX:
        yield f"The marker {marker!r} may hold {WILDCARDS_MAX} '*' at most."


def is_optional(parameter: Parameter) -> bool:
    """Return whether *parameter* may be left out and then says nothing."""
    return isinstance(parameter.default, NullLiteral)
