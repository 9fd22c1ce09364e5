"""
Which format a line has, seen from the line itself.

Per line rather than per file: logs are concatenated, and a file's name or first line promises nothing. The signs are
ordered by how sure they are; a line without any sign is refused with the signs that were looked for, because reading
it as something it is not would teach nonsense.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memp.reading import chat, openai_chat, react, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from memp.model import Trajectory
    from memp.reading.fields import Fields

READERS: dict[str, Callable[[Fields], Trajectory]] = {
    "rows": rows.read,
    "openai": openai_chat.read,
    "react": react.read,
}
"""The formats by name; a new one is a file beside this one and a line here."""

TOOL_SIGNS = ("tool_calls", "function_call", "tool_call_id")
"""Fields that only messages of the OpenAI kind have."""


def recognise(row: Fields) -> str:
    """
    Return the name of the format of *row*, one of ``READERS``.

    ``steps`` makes it a row. Messages with tool calls are ``openai``; messages in which the agent writes "Action:" are
    ``react``, and so are all ``from``/``value`` lists; other ``role``/``content`` messages are a plain ``openai`` chat.

    Raises:
        TrajectoryFormatError: The line shows none of these signs, so it is not a run.
    """
    key = chat.find_messages(row)
    if isinstance(row.values.get("steps"), list) or (key is None and "steps" in row.values):
        return "rows"
    if key is None:
        shown = ", ".join(repr(name) for name in list(row.values)[:6]) or "no fields"
        raise row.place.mistake(
            f"The object is not a run: it has {shown}, and neither 'steps' nor messages.",
            expected="'task' and 'steps' (rows), or 'messages' (openai; react where the agent writes 'Action:')",
        )
    messages = [member for member in row.values[key] if isinstance(member, dict)]
    if any(message.get(sign) is not None for message in messages for sign in TOOL_SIGNS):
        return "openai"
    if any("from" in message for message in messages):
        return "react"
    agents = [message for message in messages if chat.find_part(message.get("role")) == "assistant"]
    return "react" if any(react.acts(text) for said in agents for text in _texts(said.get("content"))) else "openai"


def _texts(content: object) -> list[str]:
    """Return the strings in *content*, whatever it is; checking it is the reader's work."""
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
