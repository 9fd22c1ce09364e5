"""
The bodies that an OpenAI-compatible endpoint sends: completions, their pieces, embeddings and errors.

Pure functions, so that what goes over the wire is known without a wire.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from typing import Any

from memp.testing.asked import Asked
from memp.testing.sayings import Fail, Say

CHARACTERS_A_TOKEN = 4
"""How the usage is counted where nobody says: real tokens are about as long in English."""

PIECE_CHARACTERS = 16
"""Length of the pieces of a stream: short enough that every answer has several."""

DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
"""Lengths of the vectors of OpenAI's own models."""

CREATED = 1_700_000_000
"""When every answer says that it was made; a fixed time keeps answers the same."""


def message(asked: Asked, say: Say) -> dict[str, Any]:
    """Return the message that gives *say* in the form that was asked for."""
    if say.value is None:
        return {"role": "assistant", "content": say.text, "refusal": None}
    text = json.dumps(say.value, ensure_ascii=False)
    if asked.tool is not None:
        call = {"id": "call_1", "type": "function", "function": {"name": asked.tool, "arguments": text}}
        return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}
    return {"role": "assistant", "content": text if asked.mode != "text" else f"```json\n{text}\n```", "refusal": None}


def odd_message(asked: Asked, fail: Fail) -> tuple[dict[str, Any], str]:
    """Return the message and the finish reason of a failure that comes as an answer."""
    if fail.how == "refusal":
        return {"role": "assistant", "content": None, "refusal": fail.words or "I cannot help with that."}, "stop"
    if fail.how == "half":
        half: dict[str, Any] = {"role": "assistant", "content": '{"script": "def', "refusal": None}
        if asked.tool is not None:
            function = {"name": asked.tool, "arguments": '{"script": "def'}
            half = {**half, "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
        return half, "length"
    return {"role": "assistant", "content": "", "refusal": None}, "stop"


def usage(asked: Asked, say: Say, answer: dict[str, Any]) -> dict[str, int]:
    """Return how many tokens went in and came out."""
    said = _said(answer)
    tokens_in = len(asked.text) // CHARACTERS_A_TOKEN if say.tokens_in is None else say.tokens_in
    tokens_out = len(said) // CHARACTERS_A_TOKEN if say.tokens_out is None else say.tokens_out
    return {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}


def completion(asked: Asked, answer: dict[str, Any], finish: str, counted: dict[str, int] | None) -> dict[str, Any]:
    """Return a whole answer."""
    finish = "tool_calls" if answer.get("tool_calls") and finish == "stop" else finish
    body = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": CREATED,
        "model": asked.body.get("model", ""),
        "choices": [{"index": 0, "message": answer, "finish_reason": finish}],
    }
    return body if counted is None else {**body, "usage": counted}


def pieces(asked: Asked, answer: dict[str, Any], finish: str, counted: dict[str, int] | None) -> list[dict[str, Any]]:
    """Return an answer as the pieces of a stream."""
    frame = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": asked.body.get("model", ""),
    }

    def piece(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    found = [piece({"role": "assistant"})]
    if answer.get("refusal"):
        found += [piece({"refusal": part}) for part in _cut(answer["refusal"])]
    if answer.get("content"):
        found += [piece({"content": part}) for part in _cut(answer["content"])]
    for number, call in enumerate(answer.get("tool_calls") or ()):
        head = {"index": number, "id": call["id"], "type": "function"}
        found.append(piece({"tool_calls": [{**head, "function": {"name": call["function"]["name"], "arguments": ""}}]}))
        for part in _cut(call["function"]["arguments"]):
            found.append(piece({"tool_calls": [{"index": number, "function": {"arguments": part}}]}))
    finish = "tool_calls" if answer.get("tool_calls") and finish == "stop" else finish
    found.append(piece({}, finish))
    if counted is not None and asked.wants_usage:
        found.append({**frame, "choices": [], "usage": counted})
    return found


def embeddings(asked: Asked, vectors: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return the vectors of texts, as numbers or, where it is asked for, as base64 of little-endian float32."""
    packed = asked.body.get("encoding_format") == "base64"
    tokens = len(asked.text) // CHARACTERS_A_TOKEN
    return {
        "object": "list",
        "model": asked.body.get("model", ""),
        "data": [
            {"object": "embedding", "index": number, "embedding": _packed(vector) if packed else list(vector)}
            for number, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def vector_of(text: str, dimension: int) -> list[float]:
    """Return a vector that depends on *text* alone: its words summed, so that texts that share words are near."""
    sums = [0.0] * dimension
    for word in text.casefold().split() or [text]:
        digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
        for place in range(dimension):
            sums[place] += (digest[place % len(digest)] - 127.5) / 127.5
    length = sum(value * value for value in sums) ** 0.5
    return [value / length for value in sums]


def error(words: str, *, type: str, code: str | None, parameter: str | None = None) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"message": words, "type": type, "param": parameter, "code": code}}


def _said(answer: dict[str, Any]) -> str:
    calls = (call["function"]["arguments"] for call in answer.get("tool_calls") or ())
    return "".join((answer.get("content") or "", answer.get("refusal") or "", *calls))


def _cut(text: str) -> list[str]:
    return [text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS)]


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
