"""What a scripted server says: an answer, or one of the ways in which endpoints fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import attrs

Failure = Literal[
    "timeout",
    "busy",
    "error",
    "cut",
    "not-json",
    "refusal",
    "empty",
    "too-long",
    "wrong-key",
    "no-model",
    "half",
]
"""
The ways to fail. ``timeout`` never answers; ``busy`` is 429; ``error`` is 500 or another status; ``cut`` closes the
connection in the middle of the answer; ``not-json`` answers with a body that is no JSON; ``refusal`` will not answer;
``empty`` says nothing; ``too-long`` says that the question does not fit; ``wrong-key`` is 401; ``no-model`` is 404;
``half`` stops writing because the answer grew too long.
"""

FAILURES: tuple[Failure, ...] = get_args(Failure)


@attrs.frozen(kw_only=True)
class Say:
    """
    An answer.

    Attributes:
        value: A JSON object, put into the form that the request asks for (a tool call, JSON, a block of JSON); None
            says *text* alone.

        text: Plain text, given whatever form was asked for.

        tokens_in: Tokens of the request in the usage; None counts a token for four characters.

        tokens_out: Tokens of the answer; None counts likewise.

        usage: Whether the usage is told at all.
    """

    value: Mapping[str, Any] | None = None
    text: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    usage: bool = True


@attrs.frozen(kw_only=True)
class Fail:
    """
    A failure.

    Attributes:
        how: Which.

        status: The HTTP status of ``error``.

        retry_after_s: What the Retry-After header of ``busy`` and ``error`` says, in seconds; None leaves it out.

        words: What the server says of it; None for words of its own.

        parameter: The parameter of the request that ``error`` is about; None for none.
    """

    how: Failure = attrs.field(validator=attrs.validators.in_(FAILURES))
    status: int = 500
    retry_after_s: float | None = None
    words: str | None = None
    parameter: str | None = None


Saying = Say | Fail
"""What may be said to a request."""


def as_saying(given: Saying | Mapping[str, Any] | str) -> Saying:
    """Return what was given as an answer: a mapping is a JSON object, and a text is a text."""
    if isinstance(given, Say | Fail):
        return given
    return Say(text=given) if isinstance(given, str) else Say(value=given)
