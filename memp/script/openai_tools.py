"""
From an OpenAI tools list, that is, from JSON Schema, to a toolset.

What the language can say of an argument becomes a type: texts, numbers, truth values, lists, choices, records. The
rest of JSON Schema (patterns, ranges, unions) narrows what a tool accepts, not how a call is written, so it is left
out and such arguments take any JSON value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from memp.errors import InvalidInputError
from memp.script.nodes import NullLiteral, Parameter
from memp.script.texts import clean_doc, has_surrogates
from memp.script.toolset import RESERVED, Action, Form, ToolClass, Toolset
from memp.script.types import BOOL, NUMBER, TEXT, ListType, LiteralType, NamedType, Type

JSON_CLASS = "Json"
"""The class of arguments of which nothing is known."""

TOOLS_MAX = 1_000
"""How many tools one toolset may have."""

SCHEMA_DEPTH_MAX = 12
"""How deep a schema is followed; what lies deeper takes any JSON value. Also ends schemas that refer to themselves."""

_SCALARS: dict[str, Type] = {"string": TEXT, "number": NUMBER, "integer": NUMBER, "boolean": BOOL}


def read_openai_tools(tools: Sequence[Mapping[str, object]], *, name: str = "tools") -> Toolset:
    """Make a toolset of a tools list; see ``Toolset.from_openai_tools``."""
    if isinstance(tools, str | bytes | Mapping) or not isinstance(tools, Sequence):
        raise InvalidInputError(f"$ must be a list of tools (got {type(tools).__name__}).")
    if len(tools) > TOOLS_MAX:
        raise InvalidInputError(f"$ must hold {TOOLS_MAX} tools at most (got {len(tools)}).")
    reader = _Reader()
    for index, tool in enumerate(tools):
        reader.tool(tool, f"$[{index}]")
    return Toolset(name=_identifier(name, set()), classes=tuple(reader.classes.values()), actions=tuple(reader.actions))


class _Reader:
    """Gathers the actions and the classes that their arguments need."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.classes: dict[str, ToolClass] = {}
        self.wires: set[str] = set()
        self.taken: set[str] = set()

    def tool(self, tool: object, path: str) -> None:
        if not isinstance(tool, Mapping):
            raise InvalidInputError(f"{path} must be an object (got {type(tool).__name__}).")
        kind = tool.get("type", "function")
        if kind not in ("function", "object"):
            raise InvalidInputError(f"{path}.type must be 'function' (got {kind!r}).")
        nested = tool.get("function")
        function, where = (nested, f"{path}.function") if isinstance(nested, Mapping) else (tool, path)
        wire = function.get("name")
        if not isinstance(wire, str) or not wire.strip() or has_surrogates(wire) or wire != " ".join(wire.split()):
            raise InvalidInputError(f"{where}.name must be the tool's name (got {wire!r}).")
        if wire in self.wires:
            raise InvalidInputError(f"{where}.name must be unique (got {wire!r} twice).")
        self.wires.add(wire)
        schema = function.get("parameters", function.get("inputSchema", function.get("input_schema")))
        if schema is None:
            schema = {}
        if not isinstance(schema, Mapping) or schema.get("type", "object") != "object":
            raise InvalidInputError(f"{where}.parameters must be a JSON Schema of an object.")
        parameters, notes = self._fields(schema, schema, f"{where}.parameters", _title(wire), 0)
        doc = "\n".join(part for part in (_doc(function), *notes) if part)
        escaped = wire.replace("{", "{{").replace("}", "}}")
        action = _identifier(wire, self.taken | set(self.classes))
        self.taken.add(action)
        self.actions.append(
            Action(name=action, forms=(Form(text=f"{escaped}({{...}})"),), parameters=parameters, doc=clean_doc(doc))
        )

    def _fields(
        self, schema: Mapping[str, object], root: Mapping[str, object], path: str, owner: str, depth: int
    ) -> tuple[tuple[Parameter, ...], list[str]]:
        """Return the properties of an object as parameters, required ones first, and what their descriptions say."""
        properties = schema.get("properties", {})
        if not isinstance(properties, Mapping):
            raise InvalidInputError(f"{path}.properties must be an object (got {type(properties).__name__}).")
        listed = schema.get("required", [])
        required = set(listed) if isinstance(listed, list) and all(isinstance(key, str) for key in listed) else set()
        names: set[str] = set()
        parameters: list[Parameter] = []
        notes: list[str] = []
        for wire, inner in properties.items():
            if not isinstance(wire, str) or has_surrogates(wire):
                raise InvalidInputError(f"{path}.properties must have texts for keys (got {wire!r}).")
            name = _identifier(wire, names)
            names.add(name)
            type_ = self._type(inner, root, f"{path}.properties.{wire}", _title(wire, singular=True), owner, depth + 1)
            default = None if wire in required else NullLiteral()
            parameters.append(Parameter(name=name, type=type_, default=default, key=None if name == wire else wire))
            described = _doc(inner) if isinstance(inner, Mapping) else ""
            if described:
                notes.append(f"{name}: {described}")
        return tuple(sorted(parameters, key=lambda parameter: parameter.default is not None)), notes

    def _type(self, schema: object, root: Mapping[str, object], path: str, title: str, owner: str, depth: int) -> Type:
        if isinstance(schema, bool) or depth > SCHEMA_DEPTH_MAX:
            return self._json()
        if not isinstance(schema, Mapping):
            raise InvalidInputError(f"{path} must be a JSON Schema (got {type(schema).__name__}).")
        schema = _resolve(schema, root)
        choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if isinstance(choices, list) and choices:
            return _choice_type(choices) or self._json()
        kind = schema.get("type")
        if isinstance(kind, list):
            kinds = [part for part in kind if part != "null"]
            kind = kinds[0] if len(kinds) == 1 else None
        if isinstance(kind, str) and kind in _SCALARS:
            return _SCALARS[kind]
        if kind == "array":
            return ListType(self._type(schema.get("items", True), root, f"{path}.items", title, owner, depth + 1))
        if kind == "object" and schema.get("properties"):
            return self._record(schema, root, path, title, owner, depth)
        return self._json()

    def _record(
        self, schema: Mapping[str, object], root: Mapping[str, object], path: str, title: str, owner: str, depth: int
    ) -> Type:
        fields, notes = self._fields(schema, root, path, owner, depth)
        is_open = schema.get("additionalProperties") not in (None, False)
        doc = clean_doc("\n".join(part for part in (_doc(schema), *notes) if part))
        name = _identifier(title, set())
        record = ToolClass(name=name, doc=doc, fields=fields, open=is_open)
        for candidate in (name, f"{owner}{name}", *(f"{owner}{name}{number}" for number in range(2, TOOLS_MAX))):
            made = ToolClass(name=candidate, doc=doc, fields=fields, open=is_open)
            known = self.classes.setdefault(candidate, made) if candidate not in self.taken else record
            if known == made:
                return NamedType(candidate)
        raise InvalidInputError(f"{path}: there are too many different objects called {title!r}.")

    def _json(self) -> Type:
        doc = "Any value that JSON can write."
        self.classes.setdefault(JSON_CLASS, ToolClass(name=JSON_CLASS, doc=doc, open=True))
        return NamedType(JSON_CLASS)


def _resolve(schema: Mapping[str, object], root: Mapping[str, object]) -> Mapping[str, object]:
    """Follow ``$ref`` inside the schema, and the one alternative that is not null; the rest stays as it is."""
    for _ in range(SCHEMA_DEPTH_MAX):
        reference = schema.get("$ref")
        target: object = None
        if isinstance(reference, str) and reference.startswith("#/"):
            target = root
            for part in reference[2:].split("/"):
                target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
        else:
            for key in ("anyOf", "oneOf", "allOf"):
                ways = schema.get(key)
                kept = [way for way in ways if way != {"type": "null"}] if isinstance(ways, list) else []
                target = kept[0] if len(kept) == 1 else target
        if not isinstance(target, Mapping):
            break
        schema = target
    return schema


def _choice_type(choices: list[object]) -> Type | None:
    kept = [choice for choice in choices if choice is not None]
    if kept and all(isinstance(choice, str) and not has_surrogates(choice) for choice in kept):
        return LiteralType(tuple(dict.fromkeys(str(choice) for choice in kept)))
    if kept and all(isinstance(choice, bool) for choice in kept):
        return BOOL
    if kept and all(isinstance(choice, int | float) and not isinstance(choice, bool) for choice in kept):
        return NUMBER
    return None


def _doc(schema: Mapping[str, object]) -> str:
    text = schema.get("description")
    return clean_doc(text).replace("\n", " ") if isinstance(text, str) and not has_surrogates(text) else ""


def _title(text: str, *, singular: bool = False) -> str:
    """Return a class name for the property *text*: ``payment_methods`` is a list of ``PaymentMethod``."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", text) if word]
    title = "".join(word[:1].upper() + word[1:] for word in words)
    if singular and title.endswith("s") and not title.endswith("ss"):
        title = title[:-3] + "y" if title.endswith("ies") else title[:-1]
    return title


def _identifier(text: str, taken: set[str]) -> str:
    """Return *text* as an identifier that is neither reserved nor taken."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text, flags=re.ASCII).lstrip("_") or "tool"
    name = f"tool_{name}" if name[0].isdigit() else name
    candidate, number = name, 1
    while candidate in RESERVED or candidate in taken:
        number += 1
        candidate = f"{name}_" if number == 2 else f"{name}_{number}"
    return candidate
