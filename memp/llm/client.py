"""
Asking one model: requests over a real connection, held to a form by instructor, every one of them noted.

instructor turns a form into a request and an answer into the form; sending is ours, so that each request that leaves
the process is noted with what came of it, sent again by our rules, or answered from the record. instructor's own
retries are not used: they would send an answer back that we want to judge first, and note nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import attrs

from memp.errors import InvalidInputError, ModelAnswerError, ModelError, ModelRefusedError, ModelRequestError
from memp.llm.base import BAD_KEY, MODES, Call, Message, Mode, Model
from memp.llm.replies import Reply, completion_of, merged, reply_of, sound
from memp.llm.retrying import retried
from memp.llm.translate import driver_errors, translated
from memp.masking import mask
from memp.model import canonical_bytes, content_digest

if TYPE_CHECKING:
    from pydantic import BaseModel

    ShapeT = TypeVar("ShapeT", bound=BaseModel)

NEEDED = "Asking a model needs the packages 'instructor' and 'openai': pip install 'memp[models]'."

NO_KEY = "none"
"""Sent where nobody gave a key and the endpoint is one that the caller named: local servers take anything."""

_INSTRUCTOR_MODES: Mapping[Mode, str] = {
    "tools": "TOOLS",
    "json": "JSON",
    "json-schema": "JSON_SCHEMA",
    "markdown": "MD_JSON",
}

PROBED: tuple[Mode, ...] = ("tools", "json-schema", "json", "markdown")
"""The modes in the order in which they are tried: the strictest first."""

UNKNOWN_PARAMETER = (400, 415, 422, 500, 501)
"""HTTP statuses by which endpoints say that they do not know a parameter; another mode may do without it."""

OTHERWISE: Mapping[str, str | None] = {"temperature": None, "max_tokens": "max_completion_tokens"}
"""Parameters that some models refuse, with what they take instead: newer ones of OpenAI's choose their temperature
themselves and renamed the limit; None leaves it out."""

_PARAMETERS = ("temperature", "max_tokens", "max_completion_tokens", "stream")


@attrs.frozen(kw_only=True)
class Recorded:
    """
    An answer that is on record.

    Attributes:
        event_id: The event of the call.

        response: What the model said then; see ``Call.response``.
    """

    event_id: str
    response: str


Recall = Callable[[str], Recorded | None]
"""Finds the answer on record to the request of that digest; None if there is none."""


@attrs.define
class Talk:
    """
    Where the requests of one conversation are noted.

    Attributes:
        purpose: What it is about; see ``Call.purpose``.

        template: Hex SHA-256 of the template of its first question; None if none was used.

        calls: The requests that left the process, in order.

        recalled: The events of the calls whose answers were used once more.

        recall: Finds answers on record, which are then used instead of asking; None always asks.
    """

    purpose: str
    recall: Recall | None = None
    template: str | None = None
    calls: list[Call] = attrs.field(factory=list)
    recalled: list[str] = attrs.field(factory=list)

    def complain(self, complaint: str) -> None:
        """Note that the last answer was of no use."""
        if self.calls and not self.calls[-1].error:
            self.calls[-1] = attrs.evolve(self.calls[-1], error=complaint)


class Client:
    """
    An open connection to one model; use it as a context manager, or close it.

    Safe to use from many threads.

    Args:
        model: Which.

        sleep: Waits so many seconds between attempts.

    Raises:
        InvalidInputError: The packages that it needs are missing, or the key is none that a header can hold.

        ModelKeyError: Nothing says what the key is, and the endpoint is OpenAI's.
    """

    def __init__(self, model: Model, *, sleep: Callable[[float], None] = time.sleep) -> None:
        try:
            import instructor  # noqa: F401 - missing packages are told of before anything is asked
            import openai
        except ImportError as error:
            raise InvalidInputError(NEEDED) from error
        # Without a handler of its own it would print what models say to standard error.
        logging.getLogger("instructor").addHandler(logging.NullHandler())
        self.model = model
        self._sleep = sleep
        self._mode = model.mode
        self._otherwise: set[str] = set()
        self._probing = threading.Lock()
        base_url = model.base_url or os.environ.get("OPENAI_BASE_URL") or None
        key = model.api_key or os.environ.get("OPENAI_API_KEY")
        if key is not None and not (key.isascii() and key.isprintable()):
            raise InvalidInputError(BAD_KEY)
        # What errors are told with: an endpoint may repeat the key, wherever that came from.
        self._told = attrs.evolve(model, api_key=key)
        try:
            key = key or (NO_KEY if base_url else None)
            self._client = openai.OpenAI(api_key=key, base_url=base_url, timeout=model.timeout_s, max_retries=0)
        except openai.OpenAIError as error:
            raise translated(error, model) from error

    def close(self) -> None:
        """Give the connections back. Closing twice does nothing."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def mode(self) -> Mode | None:
        """How answers are held to a form; None while that is not known."""
        return self._mode

    # -- asking --------------------------------------------------------------------------------------------------

    def say(self, messages: Sequence[Message], talk: Talk) -> Reply:
        """
        Return what the model says, in plain words.

        Args:
            messages: The conversation so far.

            talk: Where the requests are noted.

        Raises:
            ModelError: It could not be asked, refused, or said nothing.
        """
        return self._exchange(self._words(messages), talk, mode="text")[0]

    def ask(self, messages: Sequence[Message], shape: type[ShapeT], talk: Talk) -> tuple[ShapeT, str]:
        """
        Return a form that the model filled in, and its answer as it was.

        The first question finds out which mode the endpoint can do, unless the model says; what is asked meanwhile
        waits for it.

        Args:
            messages: The conversation so far.

            shape: The form, a class of pydantic's.

            talk: Where the requests are noted.

        Raises:
            ModelError: It could not be asked or refused; ``ModelAnswerError`` carries an answer that does not fill in
                the form.
        """
        if self._mode is not None:
            return self._filled(messages, shape, talk, self._mode)
        with self._probing:
            known = self.mode
            if known is None:
                return self._probe(messages, shape, talk)
        return self._filled(messages, shape, talk, known)

    def _probe(self, messages: Sequence[Message], shape: type[ShapeT], talk: Talk) -> tuple[ShapeT, str]:
        """Ask in one mode after the other until the answer has its form."""
        for mode in PROBED[:-1]:
            try:
                answer = self._filled(messages, shape, talk, mode)
            except ModelRequestError as error:
                if error.status not in UNKNOWN_PARAMETER:
                    raise
            except ModelAnswerError as error:
                # What has the form and a wrong value in it was said in this mode; it is for the caller to complain.
                if error.formed:
                    self._mode = mode
                    raise
            else:
                self._mode = mode
                return answer
        answer = self._filled(messages, shape, talk, PROBED[-1])
        self._mode = PROBED[-1]
        return answer

    def _filled(self, messages: Sequence[Message], shape: type[ShapeT], talk: Talk, mode: Mode) -> tuple[ShapeT, str]:
        """Ask in *mode* and return the form that was filled in."""
        import instructor
        from instructor.core.exceptions import InstructorRetryException

        said: list[Reply] = []

        def create(**kwargs: Any) -> Any:
            reply, completion = self._exchange(kwargs, talk, mode=mode)
            said.append(reply)
            return completion

        try:
            filled = instructor.patch(create=create, mode=instructor.Mode[_INSTRUCTOR_MODES[mode]])(
                response_model=shape, max_retries=0, strict=False, **self._words(messages)
            )
        except InstructorRetryException as error:
            cause = error.__cause__
            if isinstance(cause, ModelError):
                raise cause from cause.__cause__
            if not said:
                raise
            answer = said[-1]
            complaint = f"the answer does not have the form that was asked for: {_short(cause or error)}"
            talk.complain(complaint)
            raise ModelAnswerError(
                f"{self.model.name!r} answered something else than what was asked for: {complaint}.",
                model=self.model.name,
                answer=answer.said,
                complaint=complaint,
                formed=answer.is_object(mode),
            ) from error
        assert isinstance(filled, shape)
        return filled, said[-1].said

    def _words(self, messages: Sequence[Message]) -> dict[str, Any]:
        """Return what every request says: model, messages and what the model was told to keep to."""
        masked = mask if self.model.mask else str
        model = self.model
        request: dict[str, Any] = {
            "model": model.name,
            "messages": [{"role": one.role, "content": sound(masked(one.text))} for one in messages],
        }
        if model.temperature is not None:
            request["temperature"] = model.temperature
        if model.answer_tokens_max is not None:
            request["max_tokens"] = model.answer_tokens_max
        return _otherwise(request, self._otherwise)

    # -- one exchange --------------------------------------------------------------------------------------------

    def _exchange(self, request: Mapping[str, Any], talk: Talk, *, mode: str) -> tuple[Reply, Any]:
        """Return the answer to *request*, from the record or from the endpoint, and the completion that it came in."""
        digest = content_digest([self.model.endpoint, mode, request])
        recorded = None if talk.recall is None else talk.recall(digest)
        if recorded is not None:
            talk.recalled.append(recorded.event_id)
            completion = completion_of(recorded.response)
            return self._checked(reply_of(completion), talk), completion
        try:
            answer = retried(
                lambda attempt: self._send(request, talk, digest=digest, mode=mode, attempt=attempt),
                attempts=self.model.attempts,
                sleep=self._sleep,
            )
        except ModelRequestError as error:
            if error.parameter is None or error.parameter not in OTHERWISE or error.parameter not in request:
                raise
            self._otherwise.add(error.parameter)
            return self._exchange(_otherwise(request, self._otherwise), talk, mode=mode)
        return self._checked(answer[0], talk), answer[1]

    def _send(
        self, request: Mapping[str, Any], talk: Talk, *, digest: str, mode: str, attempt: int
    ) -> tuple[Reply, Any]:
        """Send *request* once, and note what came of it."""
        model = self.model
        call = Call(
            purpose=talk.purpose,
            model=model.name,
            endpoint=model.endpoint,
            mode=mode,
            parameters={name: request[name] for name in _PARAMETERS if name in request} | self._streams(),
            request=canonical_bytes({k: v for k, v in request.items() if k not in _PARAMETERS}).decode(),
            request_digest=digest,
            attempt=attempt,
            template=talk.template,
        )
        began = time.monotonic()
        try:
            completion = self._completion(request)
            reply = reply_of(completion)
        except driver_errors() as error:
            failed = translated(error, self._told)
            talk.calls.append(attrs.evolve(call, error=self._kept(str(failed)), latency_ms=_since(began)))
            raise failed from error
        talk.calls.append(
            attrs.evolve(
                call,
                response=self._kept(reply.to_text()),
                latency_ms=_since(began),
                tokens_in=reply.tokens_in,
                tokens_out=reply.tokens_out,
                price=model.price(tokens_in=reply.tokens_in, tokens_out=reply.tokens_out),
            )
        )
        return reply, completion

    def _streams(self) -> dict[str, Any]:
        return {"stream": True} if self.model.stream else {}

    def _completion(self, request: Mapping[str, Any]) -> Any:
        create: Any = self._client.chat.completions.create
        if not self.model.stream:
            return create(**request)
        with create(**request, stream=True, stream_options={"include_usage": True}) as pieces:
            return merged(pieces)

    def _kept(self, text: str) -> str:
        """Return *text* as it may be stored."""
        return mask(text) if self.model.mask else text

    def _checked(self, reply: Reply, talk: Talk) -> Reply:
        """
        Return *reply*, which says something.

        Raises:
            ModelRefusedError: It says that it will not answer.

            ModelAnswerError: It is empty, or was cut off.
        """
        name = self.model.name
        if reply.refusal:
            talk.complain(f"refused: {reply.refusal}")
            raise ModelRefusedError(f"{name!r} would not answer: {self._kept(reply.refusal)}", model=name)
        complaint = ""
        if reply.cut:
            complaint = "the answer grew too long and was cut off"
        elif not reply.said.strip():
            complaint = "the answer is empty"
        if complaint:
            talk.complain(complaint)
            message = f"{name!r} gave no answer: {complaint}."
            raise ModelAnswerError(message, model=name, answer=reply.said, complaint=complaint)
        return reply


COMPLAINT_CHARACTERS_MAX = 1000
"""Characters of a library's complaint that are sent back and stored."""


def _otherwise(request: Mapping[str, Any], refused: Collection[str]) -> dict[str, Any]:
    """Return *request* without the parameters that were refused, or with what they are called instead."""
    named = ((OTHERWISE.get(name, name) if name in refused else name, value) for name, value in request.items())
    return {name: value for name, value in named if name is not None}


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= COMPLAINT_CHARACTERS_MAX else f"{text[: COMPLAINT_CHARACTERS_MAX - 1]}…"


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


assert set(_INSTRUCTOR_MODES) == set(MODES) == set(PROBED)
