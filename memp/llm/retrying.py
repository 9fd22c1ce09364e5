"""
Sending a request again where that may help: after a while that grows, differs from caller to caller, and is bounded.

What is wrong with the question stays wrong, so a bad key, an unknown model, a question that is too long, a refusal and
an answer that does not check are never sent again as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from memp.errors import ModelBusyError, ModelError, ModelTimeoutError, ModelUnavailableError

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

WAIT_S_MAX = 60.0
"""An endpoint that wants to be left alone for longer is not waited for, in seconds: the run goes into the queue, and
the caller does not hang."""

FIRST_WAIT_S = 0.5
"""What the waits grow from, in seconds: up to this, then up to twice it, and so on."""

GROWN_WAIT_S_MAX = 20.0
"""What they grow to, in seconds."""

TRANSIENT = (ModelBusyError, ModelTimeoutError, ModelUnavailableError)
"""What may be over in a while."""


def retry_after_of(error: BaseException | None) -> float | None:
    """Return when the endpoint wants to be asked again, in seconds; None if it did not say."""
    return error.retry_after_s if isinstance(error, ModelBusyError | ModelUnavailableError) else None


def may_help(error: BaseException) -> bool:
    """Whether the same request may be answered in a while that is worth waiting for."""
    return isinstance(error, TRANSIENT) and (retry_after_of(error) or 0.0) <= WAIT_S_MAX


def retried(send: Callable[[int], T], *, attempts: int, sleep: Callable[[float], None]) -> T:
    """
    Return what *send* returns, sent again while that may help.

    Args:
        send: Sends; takes which attempt it is, from 1.

        attempts: How often at most, 1 or more.

        sleep: Waits so many seconds.

    Raises:
        ModelError: What the last attempt raised.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    grown = wait_random_exponential(multiplier=FIRST_WAIT_S, max=GROWN_WAIT_S_MAX)

    def wait(state: RetryCallState) -> float:
        error = None if state.outcome is None else state.outcome.exception()
        # What comes on top keeps callers that were turned away together from coming back together.
        return (retry_after_of(error) or 0.0) + grown(state)

    number = 0

    def once() -> T:
        nonlocal number
        number += 1
        return send(number)

    retrying = Retrying(
        stop=stop_after_attempt(attempts), wait=wait, retry=retry_if_exception(may_help), sleep=sleep, reraise=True
    )
    return retrying(once)


def is_endpoints_fault(error: ModelError) -> bool:
    """Whether *error* says that the endpoint, not the question, is at fault, so that another question fails as well."""
    from memp.errors import ModelKeyError, ModelRequestError

    return isinstance(error, (*TRANSIENT, ModelKeyError, ModelRequestError))
