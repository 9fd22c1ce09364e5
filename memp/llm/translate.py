"""
What a client library raises, as errors of ours: one table, so that nobody else knows the library's names.

The endpoint's own words go into the message, short and without the key, because they are what helps; they are text
from outside all the same, and nothing is decided by them beyond what the status does not say.
"""

from __future__ import annotations

import email.utils
import importlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from memp.errors import (
    ContextTooLongError,
    ModelBusyError,
    ModelError,
    ModelKeyError,
    ModelRefusedError,
    ModelRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from memp.llm.replies import BrokenStreamError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memp.llm.base import Model

WORDS_CHARACTERS_MAX = 300
"""Characters of the endpoint's own words in a message; some send a whole page."""

_TOO_LONG = ("context length", "context window", "context size", "context_length", "too many tokens", "too long")
"""Words by which servers say that a question does not fit; only OpenAI's has a code for it."""

_FILTERED = ("content_filter", "content_policy_violation")
"""Codes by which a filter says that a question is not passed on."""


def driver_errors() -> tuple[type[Exception], ...]:
    """Return what the client library raises, on purpose or because something broke under it."""
    import openai

    return (openai.OpenAIError, _http().HTTPError, BrokenStreamError, json.JSONDecodeError, UnicodeDecodeError)


def _http() -> Any:
    """Return the HTTP library that the client stands on, which is not the same one in every version of it."""
    import openai

    return importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])


def translated(error: Exception, model: Model) -> ModelError:
    """Return what *error*, one of ``driver_errors``, means."""
    import openai

    name = model.name
    words = _words(error, model)
    http = _http()
    match error:
        case openai.APITimeoutError() | http.TimeoutException():
            message = f"The model {name!r} said nothing for {model.timeout_s:g} s. Give it more time with 'timeout_s'."
            return ModelTimeoutError(message, model=name)
        case openai.APIStatusError():
            return _by_status(error, words, model)
        case openai.APIConnectionError() | http.HTTPError() | BrokenStreamError():
            where = model.endpoint or "the endpoint"
            cause = f" ({type(error.__cause__ or error).__name__})"
            return ModelUnavailableError(
                f"The model {name!r} was not reached at {where}, or broke off{cause}. Is it running?", model=name
            )
        case openai.APIError() | json.JSONDecodeError() | UnicodeDecodeError():
            return ModelUnavailableError(f"The endpoint of {name!r} sent what is no answer: {words}", model=name)
    return ModelKeyError(f"There is no key for {name!r}. Set OPENAI_API_KEY, or pass 'api_key' ({words})", model=name)


def _by_status(error: Any, words: str, model: Model) -> ModelError:
    name, status, code = model.name, int(error.status_code), str(error.code or "")
    after = retry_after_s(error.response.headers)
    if status == 429 and code == "insufficient_quota":
        return ModelKeyError(f"The account behind the key may spend no more on {name!r}: {words}", model=name)
    if status == 429:
        when = "later" if after is None else f"in {after:g} s"
        return ModelBusyError(
            f"The endpoint takes no more requests for {name!r}; ask again {when}: {words}",
            model=name,
            retry_after_s=after,
        )
    if status in (401, 403):
        return ModelKeyError(
            f"The key for {name!r} is wrong or does not allow this (HTTP {status}): {words} Set OPENAI_API_KEY, or "
            "pass 'api_key'.",
            model=name,
        )
    if code in _FILTERED:
        return ModelRefusedError(f"A filter before {name!r} refused the question: {words}", model=name)
    if status == 413 or (status in (400, 422) and any(said in f"{code} {words}".casefold() for said in _TOO_LONG)):
        return ContextTooLongError(f"The question is longer than {name!r} reads: {words}", model=name)
    if status == 408:
        return ModelTimeoutError(f"The endpoint of {name!r} gave up waiting: {words}", model=name)
    if status == 409 or (status >= 500 and status != 501 and not _unknown_form(words)):
        return ModelUnavailableError(
            f"The endpoint of {name!r} failed (HTTP {status}): {words}", model=name, retry_after_s=after
        )
    message = f"The endpoint does not take the request for {name!r} (HTTP {status}): {words}"
    parameter = error.param if isinstance(error.param, str) else None
    return ModelRequestError(message, model=name, status=status, parameter=parameter)


def _unknown_form(words: str) -> bool:
    """Whether a server that failed says that it is because of how the answer was to be held to a form."""
    return any(said in words.casefold() for said in ("tools", "tool_choice", "response_format", "json_schema"))


def retry_after_s(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """
    Return in how many seconds the endpoint wants to be asked again, 0 or more; None if it does not say.

    Source: RFC 9110, section 10.2.3, and the header in milliseconds that some hosts send beside it.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        said = headers.get(name)
        if said is None:
            continue
        try:
            return max(0.0, float(said) / unit)
        except ValueError:
            pass  # a date, or nonsense
        try:
            at = email.utils.parsedate_to_datetime(said)
        except ValueError:
            continue
        return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - (now or datetime.now(UTC))).total_seconds())
    return None


def _words(error: Exception, model: Model) -> str:
    """Return what the endpoint said, as one short line without the key."""
    said = getattr(error, "message", None) or str(error)
    body = getattr(error, "body", None)
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        said = body["message"]
    line = " ".join(str(said).split())
    if model.api_key:
        line = line.replace(model.api_key, "[key]")
    return line if len(line) <= WORDS_CHARACTERS_MAX else f"{line[: WORDS_CHARACTERS_MAX - 1]}…"
