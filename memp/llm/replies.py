"""
What a model said, as a value of ours: read from a completion, put together from the pieces of a stream, or from the
record.

An endpoint that is no endpoint answers with anything at all, so nothing is taken for granted about a completion: what
is missing is an empty answer, and whoever asked decides what that means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import attrs

from memp.model import canonical_bytes

FILTERED = "content_filter"
"""Why an answer ended that a filter ended."""

_BLOCK = re.compile(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL)


@attrs.frozen(kw_only=True)
class Reply:
    """
    What a model said.

    Attributes:
        text: Its words; empty if it called a tool.

        tool: The tool that it called; None if it called none.

        arguments: What it called the tool with, as it was written.

        refusal: Why it would not answer; empty if it did.

        cut: Whether it was stopped because the answer grew too long.

        tokens_in: Tokens of the request; None if the endpoint did not say.

        tokens_out: Tokens of the answer; None likewise.
    """

    text: str = ""
    tool: str | None = None
    arguments: str = ""
    refusal: str = ""
    cut: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None

    @property
    def said(self) -> str:
        """The answer, whatever its form."""
        return self.arguments if self.tool is not None else self.text

    def to_text(self) -> str:
        """Return it as canonical JSON, as it goes on record."""
        return canonical_bytes(attrs.asdict(self)).decode()

    def is_object(self, mode: str) -> bool:
        """Whether it came in the form of *mode*, whatever stands in it."""
        if mode == "tools":
            return self.tool is not None
        block = _BLOCK.search(self.text)
        try:
            return isinstance(json.loads(block[1] if block is not None else self.text), dict)
        except ValueError:
            return False


def reply_of(completion: Any) -> Reply:
    """Return what *completion*, of whatever class, says."""
    choices = getattr(completion, "choices", None) or ()
    usage = getattr(completion, "usage", None)
    tokens_in = _count(getattr(usage, "prompt_tokens", None))
    tokens_out = _count(getattr(usage, "completion_tokens", None))
    if not choices:
        return Reply(tokens_in=tokens_in, tokens_out=tokens_out)
    message, finish = getattr(choices[0], "message", None), getattr(choices[0], "finish_reason", None)
    function = next((call.function for call in getattr(message, "tool_calls", None) or () if call.function), None)
    refusal = _text(getattr(message, "refusal", None))
    return Reply(
        text=_text(getattr(message, "content", None)),
        tool=None if function is None else _text(function.name),
        arguments="" if function is None else _text(function.arguments),
        refusal=refusal or ("a filter stopped the answer" if finish == FILTERED else ""),
        cut=finish == "length",
        tokens_in=tokens_in,
        tokens_out=tokens_out,
    )


def merged(pieces: Iterable[Any]) -> Any:
    """
    Return the completion that the pieces of a stream make.

    Raises:
        BrokenStreamError: The stream ended before the answer did.
    """
    text: list[str] = []
    refusal: list[str] = []
    arguments: list[str] = []
    tool, finish, usage = None, None, None
    for piece in pieces:
        usage = getattr(piece, "usage", None) or usage
        for choice in (getattr(piece, "choices", None) or ())[:1]:
            delta = choice.delta
            text.append(_text(delta.content))
            refusal.append(_text(getattr(delta, "refusal", None)))
            for call in (delta.tool_calls or ())[:1]:
                if call.function is not None:
                    tool = call.function.name or tool
                    arguments.append(_text(call.function.arguments))
            finish = choice.finish_reason or finish
    if finish is None:
        raise BrokenStreamError
    reply = Reply(
        text="".join(text),
        tool=tool,
        arguments="".join(arguments),
        refusal="".join(refusal) or ("a filter stopped the answer" if finish == FILTERED else ""),
        cut=finish == "length",
        tokens_in=_count(getattr(usage, "prompt_tokens", None)),
        tokens_out=_count(getattr(usage, "completion_tokens", None)),
    )
    return completion_of(reply.to_text())


class BrokenStreamError(Exception):
    """A stream of pieces ended before the answer did."""

    def __str__(self) -> str:
        return "the stream ended before the answer did"


def completion_of(response: str) -> Any:
    """Return the completion that a reply, as ``Reply.to_text`` wrote it, came in."""
    from openai.types.chat import ChatCompletion

    reply = Reply(**json.loads(response))
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": reply.refusal or None}
    if reply.tool is not None:
        function = {"name": reply.tool, "arguments": reply.arguments}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    usage = None
    if reply.tokens_in is not None and reply.tokens_out is not None:
        usage = {
            "prompt_tokens": reply.tokens_in,
            "completion_tokens": reply.tokens_out,
            "total_tokens": reply.tokens_in + reply.tokens_out,
        }
    finish = "length" if reply.cut else ("tool_calls" if reply.tool is not None else "stop")
    return ChatCompletion.model_validate(
        {
            "id": "put-together",
            "object": "chat.completion",
            "created": 0,
            "model": "",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": usage,
        }
    )


def sound(text: str) -> str:
    """Return *text* as it can be sent and stored: half a character, which no encoding has, becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _text(value: object) -> str:
    return sound(value) if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
