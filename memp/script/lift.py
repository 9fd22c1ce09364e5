"""
From the text of an action to a typed call, and back.

One compiled expression for each surface form, tried in the order of how much of it is fixed text, among the forms
that begin with the same word: so a run of thousands of steps lifts in a fraction of a second, and ``use {tool} on
{target}`` wins over ``use {tool}``. A grammar with a parser was not taken: the arguments are free text, and only the
fixed words divide them.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs
import msgspec

from memp.errors import InvalidInputError
from memp.script.forms import Slot, slot_names, split_form
from memp.script.nodes import (
    BoolLiteral,
    Call,
    Expression,
    FormattedText,
    Keyword,
    ListLiteral,
    Name,
    NumberLiteral,
    Parameter,
    RecordLiteral,
    Surface,
    TextLiteral,
)
from memp.script.texts import has_surrogates
from memp.script.toolset import Action, AnyEntry, Form, Toolset, bind_arguments
from memp.script.types import ListType, LiteralType, NamedType, Type
from memp.script.values import argument_from_json, to_json

LIFT_CHARS_MAX = 100_000
"""Longest action that is lifted at all; one slot is found in linear time."""

LIFT_SLOTS_CHARS_MAX = 2_000
"""Longest action that is lifted by a form of several slots: the search for their borders is not linear."""

_FIRST_WORD = re.compile(r"[^\s{(\[:]+")
_NUMBER = r"-?\d+(?:\.\d+)?"
_ARTICLE = r"(?:(?:the|a|an)\s+)?"
_SPLIT = re.compile(r"\s+|[^\s\w]|\w+")

Reader: TypeAlias = Callable[[str], Expression | None]


@attrs.frozen
class _Compiled:
    """A surface form, ready to match."""

    action: Action
    form: int
    pattern: re.Pattern[str]
    readers: tuple[tuple[str, Reader], ...]
    is_json: bool
    limit: int
    weight: int


class _Lifter:
    """All surface forms of a toolset, by their first word."""

    def __init__(self, toolset: Toolset) -> None:
        self.toolset = toolset
        self.by_word: dict[str, list[_Compiled]] = defaultdict(list)
        self.anywhere: list[_Compiled] = []
        for action in toolset.actions:
            for index, form in enumerate(action.forms):
                compiled = _compile(toolset, action, index, form)
                first = split_form(form.text)[0]
                word = _FIRST_WORD.match(first) if isinstance(first, str) else None
                # "look{x}" and "a/b {x}" begin with a word that the text may spell otherwise: these are always tried.
                fixed = word is not None and (len(word.group(0)) < len(str(first)) or len(split_form(form.text)) == 1)
                if word is not None and fixed and "/" not in word.group(0):
                    self.by_word[word.group(0).casefold()].append(compiled)
                else:
                    self.anywhere.append(compiled)
        for word_text, forms in self.by_word.items():
            self.by_word[word_text] = sorted(forms + self.anywhere, key=lambda compiled: -compiled.weight)
        self.anywhere.sort(key=lambda compiled: -compiled.weight)

    def lift(self, text: str) -> Call | None:
        text = text.strip()
        if has_surrogates(text):
            return None
        word = _FIRST_WORD.match(text)
        if word is None or len(text) > LIFT_CHARS_MAX:
            return None
        for compiled in self.by_word.get(word.group(0).casefold().rstrip("."), self.anywhere):
            found = compiled.pattern.fullmatch(text) if len(text) <= compiled.limit else None
            if found is not None:
                call = self._read_json(compiled, found) if compiled.is_json else _read_slots(compiled, found)
                if call is not None:
                    return call
        return None

    def _read_json(self, compiled: _Compiled, found: re.Match[str]) -> Call | None:
        raw = found.group("arguments")
        try:
            decoded = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            return None
        if not isinstance(decoded, dict):
            return None
        by_wire = {parameter.wire: parameter for parameter in compiled.action.parameters}
        keywords = []
        for key, value in decoded.items():
            parameter = by_wire.get(key)
            expression = None if parameter is None else argument_from_json(value, parameter, self.toolset)
            if parameter is None or expression is None:
                return None
            keywords.append(Keyword(name=parameter.name, value=expression))
        if any(p.default is None and p.wire not in decoded for p in compiled.action.parameters):
            return None
        compact = raw != write_json(decoded, compact=False)
        return Call(
            name=compiled.action.name,
            keywords=tuple(keywords),
            surface=Surface(form=compiled.form, compact=compact),
        )


def _compile(toolset: Toolset, action: Action, index: int, form: Form) -> _Compiled:
    pieces = split_form(form.text)
    if form.is_json:
        before = "".join(piece for piece in pieces[:1] if isinstance(piece, str)).rstrip(" (")
        pattern = _literal(before) + r"\s*(?P<bracket>\()?\s*(?P<arguments>\{.*\})\s*(?(bracket)\))"
        return _Compiled(
            action, index, re.compile(pattern, re.IGNORECASE | re.DOTALL), (), True, LIFT_CHARS_MAX, len(before)
        )
    parameters = {parameter.name: parameter for parameter in action.parameters}
    parts: list[str] = []
    readers: list[tuple[str, Reader]] = []
    for piece in pieces:
        if isinstance(piece, Slot):
            part, reader = _slot(toolset, parameters[piece.name].type)
            parts.append(part)
            readers.append((piece.name, reader))
        else:
            parts.append(_literal(piece))
    if not (isinstance(pieces[-1], Slot) and parameters[pieces[-1].name].type == NamedType("Text")):
        parts.append(r"\s*\.?")
    pattern = "".join(parts)
    limit = LIFT_CHARS_MAX if len(readers) < 2 else LIFT_SLOTS_CHARS_MAX
    weight = sum(len(piece) for piece in pieces if isinstance(piece, str))
    return _Compiled(
        action, index, re.compile(pattern, re.IGNORECASE | re.DOTALL), tuple(readers), False, limit, weight
    )


def _literal(text: str) -> str:
    """Return the expression for fixed text: spacing and case are free, ``in/on`` is also ``in`` or ``on``."""
    out: list[str] = []
    for word in re.split(r"(\s+)", text):
        if not word.strip():
            out.append(r"\s+" if word else "")
            continue
        whole = "".join(re.escape(token) for token in _SPLIT.findall(word))
        if re.fullmatch(r"\w+(?:/\w+)+", word):
            whole = f"(?:{'|'.join([whole, *word.split('/')])})"
        out.append(whole)
    return re.sub(r"([^\w\s)+])\\s\+", r"\1\\s*", "".join(out))


def _slot(toolset: Toolset, type_: Type) -> tuple[str, Reader]:
    """Return the expression for the slot of a parameter, and what turns its text into a literal."""
    match type_:
        case NamedType("Number"):
            return f"({_NUMBER})", _read_number
        case NamedType("Bool"):
            return "(true|false|yes|no)", _read_bool
        case NamedType("Text"):
            return "(.+?)", _read_text
        case LiteralType(values):
            spelled = {value.casefold(): value for value in values}
            choices = sorted(values, key=len, reverse=True)
            return f"({'|'.join(re.escape(value) for value in choices)})", lambda text: _read_choice(text, spelled)
        case ListType(item):
            _, reader = _slot(toolset, item)
            return "(.+?)", lambda text: _read_list(text, reader)
        case NamedType():
            return f"{_ARTICLE}(.+?)", _read_thing


def _read_number(text: str) -> Expression | None:
    try:
        return NumberLiteral(value=float(text) if "." in text else int(text))
    except ValueError:
        return None


def _read_bool(text: str) -> Expression:
    return BoolLiteral(value=text.casefold() in ("true", "yes"))


def _read_text(text: str) -> Expression | None:
    try:
        return TextLiteral(value=text.strip())
    except ValueError:
        return None


def _read_choice(text: str, spelled: Mapping[str, str]) -> Expression | None:
    value = spelled.get(text.casefold())
    return None if value is None else TextLiteral(value=value)


def _read_thing(text: str) -> Expression | None:
    return _read_text(" ".join(text.split()))


def _read_list(text: str, reader: Reader) -> Expression | None:
    items = [reader(part.strip()) for part in text.split(",") if part.strip()]
    found = [item for item in items if item is not None]
    return ListLiteral(items=tuple(found)) if len(found) == len(items) else None


def _read_slots(compiled: _Compiled, found: re.Match[str]) -> Call | None:
    values: dict[str, Expression] = {}
    for (name, reader), text in zip(compiled.readers, found.groups(), strict=True):
        value = reader(text)
        if value is None:
            return None
        values[name] = value
    return make_call(compiled.action, values, surface=Surface(form=compiled.form))


def make_call(entry: AnyEntry, values: Mapping[str, Expression], *, surface: Surface | None = None) -> Call:
    """Return the call of *entry* with *values*: by place as far as that goes, by name after the first gap."""
    args: list[Expression] = []
    keywords: list[Keyword] = []
    for parameter in entry.parameters:
        if parameter.name not in values:
            continue
        if len(args) == entry.parameters.index(parameter) and not keywords:
            args.append(values[parameter.name])
        else:
            keywords.append(Keyword(name=parameter.name, value=values[parameter.name]))
    return Call(name=entry.name, args=tuple(args), keywords=tuple(keywords), surface=surface)


@functools.lru_cache(maxsize=64)
def _lifter(toolset: Toolset) -> _Lifter:
    return _Lifter(toolset)


def lift(action_text: str, toolset: Toolset) -> Call | None:
    """
    Return the typed call that *action_text* is in the words of *toolset*; None if it is none of its actions.

    Case and spacing of the fixed words are free, ``in/on`` is also ``in`` or ``on``, articles before a thing and a
    full stop at the end are dropped. Where several actions fit, the one with the most fixed text wins, then the one
    declared first.
    """
    return _lifter(toolset).lift(action_text)


# -- back to words ----------------------------------------------------------------------------------------------------


def write_json(value: object, *, compact: bool) -> str:
    """Return *value* as JSON, keys in their order, with or without spaces; for environments, never for digests."""
    import json  # msgspec cannot write the spaces that most published runs have

    separators = (",", ":") if compact else (", ", ": ")
    return json.dumps(value, ensure_ascii=False, separators=separators)


def choose_form(entry: AnyEntry, call: Call, dialect: str | int | None) -> int:
    """
    Return the index of the form in which *call* is written.

    Args:
        entry: What is called.

        call: The call.

        dialect: A form's index, the name of a dialect (the first form if this entry has none of that name), or None:
            the form that the call was lifted from, otherwise the first that names all its arguments.
    """
    if isinstance(dialect, int):
        if not 0 <= dialect < len(entry.forms):
            raise InvalidInputError(
                f"'dialect' must be a form's index, 0 to {len(entry.forms) - 1} for {entry.name!r} (got {dialect!r})."
            )
        return dialect
    if dialect is None and call.surface is not None and call.surface.form < len(entry.forms):
        return call.surface.form
    bound = bind_arguments(call, entry.parameters) or {}
    named = [index for index, form in enumerate(entry.forms) if form.dialect == dialect and dialect is not None]
    indices: list[int] = [*named, *range(len(entry.forms))]
    for index in indices:
        form = entry.forms[index]
        if form.is_json or set(slot_names(form.text)) == set(bound):
            return index
    return named[0] if named else 0


def lower(
    call: Call,
    toolset: Toolset,
    *,
    dialect: str | int | None = None,
    values: Mapping[str, str] | None = None,
) -> str:
    """
    Return the text by which the environment knows *call*; ``lower(lift(a)) == a`` for an action in canonical spelling.

    Args:
        call: A call of one of the toolset's actions.

        toolset: Whose spelling is used.

        dialect: Which surface form: its index, or the name of a dialect; see ``choose_form`` for None.

        values: What the names in the arguments stand for.

    Raises:
        InvalidInputError: It is no action of the toolset, its arguments do not fit, or a name has no value.
    """
    action = toolset.find_action(call.name)
    if action is None:
        raise InvalidInputError(f"{call.name!r} is no action of the toolset {toolset.name!r}.")
    bound = bind_arguments(call, action.parameters)
    if bound is None:
        raise InvalidInputError(f"The arguments of {call.name!r} do not fit: it is called {action.signature}.")
    index = choose_form(action, call, dialect)
    form = action.forms[index]
    if form.is_json:
        return _lower_json(call, action, form, values or {})
    pieces = []
    for piece in split_form(form.text):
        if isinstance(piece, str):
            pieces.append(piece)
        elif piece.name in bound:
            pieces.append(plain_text(bound[piece.name], values or {}))
        else:
            raise InvalidInputError(f"The form {form.text!r} needs {piece.name!r}, which the call leaves out.")
    return "".join(pieces)


def _lower_json(call: Call, action: Action, form: Form, values: Mapping[str, str]) -> str:
    by_name: dict[str, Parameter] = {parameter.name: parameter for parameter in action.parameters}
    pairs = [(parameter, value) for parameter, value in zip(action.parameters, call.args, strict=False)]
    pairs += [(by_name[word.name], word.value) for word in call.keywords]
    arguments = {parameter.wire: to_json(value, values) for parameter, value in pairs}
    compact = call.surface is not None and call.surface.compact
    written = write_json(arguments, compact=compact)
    return "".join(piece if isinstance(piece, str) else written for piece in split_form(form.text))


def plain_text(value: Expression, values: Mapping[str, str]) -> str:
    """
    Return *value* as it stands in a form in words.

    Raises:
        InvalidInputError: A name in it has no value.
    """
    match value:
        case TextLiteral(value=text):
            return text
        case NumberLiteral(value=number):
            return repr(number)
        case BoolLiteral(value=truth):
            return "true" if truth else "false"
        case ListLiteral(items=items):
            return ", ".join(plain_text(item, values) for item in items)
        case Name() | FormattedText():
            return str(to_json(value, values))
        case RecordLiteral():
            return write_json(to_json(value, values), compact=False)
        case _:
            return ""
