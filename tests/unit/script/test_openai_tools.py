"""From JSON Schema to a toolset."""

from __future__ import annotations

from typing import Any

import pytest

from memp.errors import InvalidInputError
from memp.script import Toolset, lift, lower
from memp.script.nodes import NullLiteral
from memp.script.types import BOOL, NUMBER, TEXT, ListType, LiteralType, NamedType, Type


def tool(properties: dict[str, Any], *, name: str = "send", required: list[str] | None = None) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": required or []}
    return {"type": "function", "function": {"name": name, "description": "Send it.", "parameters": parameters}}


@pytest.mark.parametrize(
    ("schema", "type_"),
    [
        ({"type": "string"}, TEXT),
        ({"type": "integer"}, NUMBER),
        ({"type": "number", "minimum": 3}, NUMBER),
        ({"type": "boolean"}, BOOL),
        ({"type": ["string", "null"]}, TEXT),
        ({"type": "string", "enum": ["a", "b"]}, LiteralType(("a", "b"))),
        ({"enum": [1, 2]}, NUMBER),
        ({"const": "a"}, LiteralType(("a",))),
        ({"type": "array", "items": {"type": "string"}}, ListType(TEXT)),
        ({"type": "array"}, ListType(NamedType("Json"))),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, TEXT),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, NamedType("Json")),
        ({"$ref": "#/$defs/Colour"}, LiteralType(("red",))),
        ({"$ref": "#/$defs/Loop"}, NamedType("Json")),
        ({"$ref": "https://example.org/schema"}, NamedType("Json")),
        ({"type": "object"}, NamedType("Json")),
        ({"enum": ["a", 1]}, NamedType("Json")),
        ({}, NamedType("Json")),
        (True, NamedType("Json")),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, NamedType("Value")),
        (
            {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
            ListType(NamedType("Value")),
        ),
    ],
)
def test_schemas_become_types(schema: Any, type_: Type) -> None:
    """What the language can say of an argument becomes its type; the rest takes any JSON value."""
    definitions = {"Colour": {"enum": ["red"]}, "Loop": {"$ref": "#/$defs/Loop"}}
    listed = tool({"values": schema})
    listed["function"]["parameters"]["$defs"] = definitions
    toolset = Toolset.from_openai_tools([listed])
    assert toolset.actions[0].parameters[0].type == type_
    assert Toolset.from_text(toolset.to_text()) == toolset


def test_required_arguments_come_first_and_the_rest_may_be_left_out() -> None:
    """Python wants parameters without a default first; a tool call names its arguments, so that the order is free."""
    toolset = Toolset.from_openai_tools([tool({"a": {"type": "string"}, "b": {"type": "number"}}, required=["b"])])
    action = toolset.actions[0]
    assert [(parameter.name, parameter.default) for parameter in action.parameters] == [
        ("b", None),
        ("a", NullLiteral()),
    ]
    for text in ('send({"b": 1})', 'send({"a": "x", "b": 1})', 'send({"b": 1, "a": null})'):
        call = lift(text, toolset)
        assert call is not None
        assert lower(call, toolset) == text
    assert lift('send({"a": "x"})', toolset) is None


def test_names_that_are_no_identifiers_keep_their_wire_names() -> None:
    """Tools and arguments called as they please can be scripted, and calls are written with the real names."""
    toolset = Toolset.from_openai_tools(
        [
            tool(
                {"from": {"type": "string"}, "user-id": {"type": "string"}, "_x": {"type": "string"}},
                name="get-user.v2",
            ),
            tool({}, name="class"),
            tool({}, name="do"),
            tool({}, name="2nd"),
        ],
        name="my tools",
    )
    assert toolset.name == "my_tools"
    assert [action.name for action in toolset.actions] == ["get_user_v2", "class_", "do_", "tool_2nd"]
    assert [parameter.name for parameter in toolset.actions[0].parameters] == ["from_", "user_id", "x"]
    text = 'get-user.v2({"from": "a", "user-id": "b", "_x": "c"})'
    call = lift(text, toolset)
    assert call is not None
    assert [word.name for word in call.keywords] == ["from_", "user_id", "x"]
    assert lower(call, toolset) == text
    assert Toolset.from_text(toolset.to_text()) == toolset


def test_like_objects_share_a_class_and_unlike_ones_do_not() -> None:
    """Two tools that take the same object speak of one class; another object of that name gets a name of its own."""
    flight = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}
    other = {"type": "object", "properties": {"pilot": {"type": "string"}}}
    tools = [
        tool({"flights": {"type": "array", "items": flight}}, name="book"),
        tool({"flights": {"type": "array", "items": flight}}, name="change"),
        tool({"flight": other}, name="crew"),
    ]
    toolset = Toolset.from_openai_tools(tools)
    assert [tool_class.name for tool_class in toolset.classes] == ["Flight", "CrewFlight"]
    assert lift('book({"flights": [{"number": "A1"}]})', toolset) is not None
    assert lift('book({"flights": [{"pilot": "A1"}]})', toolset) is None


@pytest.mark.parametrize("wrap", [lambda f: {"type": "function", **f}, lambda f: {"function": f}, lambda f: f])
def test_other_shapes_of_tool_lists_are_read(wrap: Any) -> None:
    """The flat form of newer APIs and the bare functions of older ones mean the same."""
    toolset = Toolset.from_openai_tools([wrap(tool({"a": {"type": "string"}})["function"])])
    assert toolset.actions[0].signature == "send(a: Text = …)"
    assert toolset.actions[0].doc == "Send it."


def test_servers_that_list_an_input_schema_are_read() -> None:
    """The tools that an MCP server lists have their schema under another key."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "description": "First."}}}
    toolset = Toolset.from_openai_tools([{"name": "send", "description": "Send it.", "inputSchema": schema}])
    assert toolset.actions[0].doc == "Send it.\na: First."


@pytest.mark.parametrize(
    ("tools", "place"),
    [
        ("tools", r"\$ must be a list"),
        ({"name": "a"}, r"\$ must be a list"),
        ([1], r"\$\[0\] must be an object"),
        ([{"type": "web_search"}], r"\$\[0\]\.type must be 'function'"),
        ([{"type": "function", "function": {}}], r"\$\[0\]\.function\.name"),
        ([{"name": ""}], r"\$\[0\]\.name"),
        ([tool({}), tool({})], r"\$\[1\]\.function\.name must be unique"),
        ([{"name": "a", "parameters": {"type": "array"}}], r"\$\[0\]\.parameters must be"),
        ([{"name": "a", "parameters": {"properties": []}}], r"\.properties must be an object"),
        ([tool({"a": 3})], r"\$\[0\]\.function\.parameters\.properties\.a must be a JSON Schema"),
    ],
)
def test_what_is_no_tool_is_named_by_its_place(tools: Any, place: str) -> None:
    """The error says where in the list the trouble is."""
    with pytest.raises(InvalidInputError, match=place):
        Toolset.from_openai_tools(tools)
