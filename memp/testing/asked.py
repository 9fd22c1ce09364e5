"""What a scripted server was asked, as its rules and the tests see it."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Asked:
    """
    One request.

    Attributes:
        path: What was asked for, such as ``/v1/chat/completions``.

        body: The JSON that came; empty where none came.

        key: What was sent as key; None if nothing was.
    """

    path: str
    body: dict[str, Any]
    key: str | None = attrs.field(repr=False)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the messages, or those that are to be embedded, in order."""
        if "input" in self.body:
            given = self.body["input"]
            return (given,) if isinstance(given, str) else tuple(str(one) for one in given)
        return tuple(_text(message.get("content")) for message in self.body.get("messages", ()))

    @property
    def text(self) -> str:
        """All of them as one text."""
        return "\n".join(self.texts)

    @property
    def mode(self) -> str:
        """How the answer is to be held to a form: ``tools``, ``json``, ``json-schema`` or ``text``."""
        if self.body.get("tools"):
            return "tools"
        form = self.body.get("response_format") or {}
        return {"json_object": "json", "json_schema": "json-schema"}.get(str(form.get("type")), "text")

    @property
    def tool(self) -> str | None:
        """The name of the tool that must be called; None if there is none."""
        tools = self.body.get("tools") or ()
        return str(tools[0]["function"]["name"]) if tools else None

    @property
    def streams(self) -> bool:
        """Whether the answer is to come in pieces."""
        return bool(self.body.get("stream"))

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to end with the usage."""
        return bool((self.body.get("stream_options") or {}).get("include_usage"))


def _text(content: object) -> str:
    """Return the text of a message, which may come in parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)
