"""Asking a model over a real socket: forms, retries, failures, and what is noted of each request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from memp.errors import (
    ContextTooLongError,
    InvalidInputError,
    ModelAnswerError,
    ModelBusyError,
    ModelError,
    ModelKeyError,
    ModelRefusedError,
    ModelRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from memp.llm.base import MODES, Message, Model
from memp.llm.client import PROBED, Client, Recorded, Talk
from memp.llm.retrying import WAIT_S_MAX
from memp.llm.shapes import ProcedureAnswer
from memp.testing import Asked, Fail, Say, ScriptedServer

QUESTION = [Message("user", "write it, with {{ braces }}")]
SCRIPT = {"script": "a {{ b }}"}


def model(server: ScriptedServer, **more: Any) -> Model:
    """A model that is given up on quickly."""
    return Model("small", **{"base_url": server.url, "api_key": "k", "timeout_s": 0.25, "attempts": 2, **more})


def asked(server: ScriptedServer, sleeps: list[float] | None = None, **more: Any) -> tuple[Any, Talk]:
    """What comes of one question, an answer or an error, and the requests that it took."""
    talk = Talk("distil")
    slept = [] if sleeps is None else sleeps
    with Client(model(server, **more), sleep=slept.append) as client:
        try:
            return client.ask(QUESTION, ProcedureAnswer, talk)[0], talk
        except ModelError as error:
            return error, talk


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_a_form_is_filled_in_in_every_mode(mode: Any, stream: bool) -> None:
    """The answer is the same value, whatever form it came in, whole or in pieces; templates in it stay text."""
    with ScriptedServer() as server:
        server.when("write it", SCRIPT)
        answer, talk = asked(server, mode=mode, stream=stream, price_in=2.0, price_out=4.0)
        assert answer.script == "a {{ b }}"
        [call] = talk.calls
        assert (call.mode, call.error, call.attempt, call.purpose) == (mode, "", 1, "distil")
        assert "{{ braces }}" in server.requests[0].text
        assert "{{ braces }}" in call.request
        assert call.tokens_in is not None
        assert call.tokens_out is not None
        assert call.price == pytest.approx((2 * call.tokens_in + 4 * call.tokens_out) / 1e6)


WAYS = {
    "timeout": (ModelTimeoutError, 2),
    "busy": (ModelBusyError, 2),
    "error": (ModelUnavailableError, 2),
    "cut": (ModelUnavailableError, 2),
    "not-json": (ModelUnavailableError, 2),
    "refusal": (ModelRefusedError, 1),
    "empty": (ModelAnswerError, 1),
    "half": (ModelAnswerError, 1),
    "too-long": (ContextTooLongError, 1),
    "wrong-key": (ModelKeyError, 1),
    "no-model": (ModelRequestError, 1),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("failure", WAYS)
def test_every_failure_is_told_apart_and_sent_again_only_where_it_helps(failure: str, stream: bool) -> None:
    """Each has its error and its number of requests, and every request is noted with what went wrong."""
    kind, requests = WAYS[failure]
    with ScriptedServer() as server:
        server.when("write it", SCRIPT)
        server.fail(failure, times=2)
        error, talk = asked(server, stream=stream)
        assert type(error) is kind
        assert isinstance(error, ModelError)
        assert error.model == "small"
        assert len(server.requests) == len(talk.calls) == requests
        assert [call.attempt for call in talk.calls] == list(range(1, requests + 1))
        assert all(call.error for call in talk.calls)


def test_what_is_over_after_a_while_is_answered_after_a_while() -> None:
    """A request is sent again after the time that the endpoint asks for, and a little more by chance."""
    with ScriptedServer() as server:
        server.when("write it", SCRIPT)
        server.fail("busy", retry_after_s=3)
        server.fail("error", status=503)
        sleeps: list[float] = []
        answer, talk = asked(server, sleeps, attempts=3)
        assert answer.script == "a {{ b }}"
        assert [bool(call.error) for call in talk.calls] == [True, True, False]
        assert 3.0 <= sleeps[0] <= 3.5
        assert 0.0 <= sleeps[1] <= 1.0


def test_an_endpoint_that_wants_to_be_left_alone_for_long_is_not_waited_for() -> None:
    """Beyond a minute the question is given up at once, and the error says when to come back."""
    with ScriptedServer() as server:
        server.fail("busy", retry_after_s=WAIT_S_MAX + 1)
        sleeps: list[float] = []
        error, talk = asked(server, sleeps)
        assert (error.retry_after_s, sleeps, len(talk.calls)) == (WAIT_S_MAX + 1, [], 1)


@pytest.mark.parametrize("unsupported", ["refuse", "ignore"])
@pytest.mark.parametrize("known", ["tools", "json", "json-schema", "text"])
def test_the_mode_is_found_out_once(known: str, unsupported: Any) -> None:
    """The modes are tried from the strictest on, and what worked is used from there on."""
    with ScriptedServer(modes={known, "text"}, unsupported=unsupported) as server:
        server.when("write it", SCRIPT)
        with Client(model(server)) as client:
            talk = Talk("distil")
            client.ask(QUESTION, ProcedureAnswer, talk)
            mode = "markdown" if known == "text" else known
            assert client.mode == mode
            tried = [call.mode for call in talk.calls]
            assert tried == list(PROBED[: PROBED.index(mode) + 1])
            assert [bool(call.error) for call in talk.calls] == [True] * (len(tried) - 1) + [False]
            client.ask(QUESTION, ProcedureAnswer, talk)
            assert len(talk.calls) == len(tried) + 1


def test_an_endpoint_without_the_model_is_not_tried_in_other_modes() -> None:
    """An unknown model is unknown in every mode."""
    with ScriptedServer() as server:
        server.fail("no-model", times=9)
        error, _ = asked(server)
        assert isinstance(error, ModelRequestError)
        assert error.status == 404
        assert len(server.requests) == 1


def test_an_answer_that_does_not_fill_in_the_form_comes_with_the_complaint() -> None:
    """The error carries what the model said and what is wrong with it, so that it can be sent back."""
    with ScriptedServer() as server:
        server.say({"script": ["no", "text"]})
        error, talk = asked(server)
        assert isinstance(error, ModelAnswerError)
        assert error.formed
        assert json.loads(error.answer) == {"script": ["no", "text"]}
        assert "script" in error.complaint
        assert talk.calls[-1].error == error.complaint


def test_a_key_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the model, nor an error, nor a noted request holds the key, even if the endpoint repeats it."""
    monkeypatch.setenv("OPENAI_API_KEY", "env-key")
    with ScriptedServer(key="right") as server:
        server.fail("wrong-key", words="Incorrect API key provided: very-secret-key.")
        error, talk = asked(server, api_key="very-secret-key")
        told = f"{error} {error!r} {model(server, api_key='very-secret-key')!r} {talk.calls!r}"
        assert "very-secret-key" not in told
        assert "[key]" in str(error)
        assert [request.key for request in server.requests] == ["very-secret-key"]
        server.fail("wrong-key", words="Incorrect API key provided: env-key.")
        assert "env-key" not in str(asked(server, api_key=None)[0])


def test_key_and_address_come_from_the_environment_if_nobody_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPENAI_API_KEY and OPENAI_BASE_URL are used; without a key OpenAI's own endpoint is not asked at all."""
    with ScriptedServer(key="from-env") as server:
        server.when("write it", SCRIPT)
        monkeypatch.setenv("OPENAI_API_KEY", "from-env")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with Client(Model("small")) as client:
            assert client.ask(QUESTION, ProcedureAnswer, Talk("distil"))[0].script == "a {{ b }}"
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    with pytest.raises(ModelKeyError, match="Set OPENAI_API_KEY"):
        Client(Model("small"))


def test_secrets_are_masked_before_they_are_sent_and_before_they_are_noted() -> None:
    """What looks like a key or an address leaves neither the process nor a trace, unless it is asked for."""
    question = [Message("user", "write it to ada@example.org with AKIAIOSFODNN7EXAMPLE")]
    with ScriptedServer() as server:
        server.when("write it", {"script": "mail bob@example.org"})
        talk = Talk("distil")
        with Client(model(server)) as client:
            client.ask(question, ProcedureAnswer, talk)
        sent = server.requests[-1].text
        assert "ada@example.org" not in sent + talk.calls[0].request
        assert "AKIAIOSFODNN7EXAMPLE" not in sent
        assert "bob@example.org" not in talk.calls[0].response
        with Client(model(server, mask=False)) as client:
            client.ask(question, ProcedureAnswer, Talk("distil"))
        assert "ada@example.org" in server.requests[-1].text


def test_the_same_request_is_answered_from_the_record_and_another_one_is_not() -> None:
    """The digest covers all that decides the answer, and nothing else."""
    with ScriptedServer() as server:
        server.when("write it", SCRIPT)
        with Client(model(server)) as client:
            first = Talk("distil")
            client.ask(QUESTION, ProcedureAnswer, first)
            [call] = first.calls
            record = {call.request_digest: Recorded(event_id="e1", response=call.response)}
            again = Talk("distil", recall=record.get)
            assert client.ask(QUESTION, ProcedureAnswer, again)[0].script == "a {{ b }}"
            assert (again.calls, again.recalled, len(server.requests)) == ([], ["e1"], 1)
        with Client(model(server, temperature=0.5)) as client:
            client.ask(QUESTION, ProcedureAnswer, Talk("distil", recall=record.get))
        assert len(server.requests) == 2


def test_a_parameter_that_a_model_refuses_is_left_out_or_renamed_once() -> None:
    """Models that choose their temperature themselves, or call the limit otherwise, are asked as they want it."""

    def refuse(asked: Asked) -> Any:
        for name in ("temperature", "max_tokens"):
            if name in asked.body:
                return Fail(how="error", status=400, words=f"Unsupported parameter: {name}", parameter=name)
        return SCRIPT

    with ScriptedServer() as server:
        server.when("write it", refuse)
        with Client(model(server, answer_tokens_max=500)) as client:
            talk = Talk("distil")
            assert client.ask(QUESTION, ProcedureAnswer, talk)[0].script == "a {{ b }}"
            assert client.mode == "tools"
            assert [bool(call.error) for call in talk.calls] == [True, True, False]
            assert server.requests[-1].body["max_completion_tokens"] == 500
            assert "temperature" not in talk.calls[-1].parameters
            client.ask(QUESTION, ProcedureAnswer, talk)
            assert len(talk.calls) == 4


def test_plain_words_are_asked_for_without_a_form() -> None:
    """``say`` gives what the model says, and notes it."""
    with ScriptedServer() as server:
        server.when("write it", "just words")
        talk = Talk("act")
        with Client(model(server)) as client:
            assert client.say(QUESTION, talk).text == "just words"
        assert [call.mode for call in talk.calls] == ["text"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": " "}, "'name' must be"),
        ({"name": "m", "mode": "xml"}, "'mode' must be one of tools, json, json-schema, markdown"),
        ({"name": "m", "timeout_s": 0}, "'timeout_s' must be over 0"),
        ({"name": "m", "attempts": 0}, "'attempts' must be over 0"),
        ({"name": "m", "price_in": -1.0}, "'price_in' must be 0 or more"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused(arguments: dict[str, Any], message: str) -> None:
    """Every value of a model is checked when it is made."""
    with pytest.raises(InvalidInputError, match=message):
        Model(**arguments)


def test_an_endpoint_is_told_without_its_password() -> None:
    """What goes on record of an address has neither a name nor a password in it."""
    assert Model("m", base_url="https://ada:secret@host:8000/v1?key=x").endpoint == "https://host:8000/v1"


def test_a_key_that_no_header_can_hold_is_refused_without_showing_it() -> None:
    """Something pasted beside the key is told of before anything is sent."""
    with pytest.raises(InvalidInputError, match="plain ASCII") as caught:
        Client(Model("small", base_url="http://localhost:1/v1", api_key="sk-secret\u2026"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("mode", ["tools", "json", "markdown"])
def test_half_a_character_harms_nobody(mode: Any) -> None:
    """What no encoding has is neither sent nor stored, whichever side it comes from."""
    with ScriptedServer() as server:
        server.say({"script": "a\ud800b"}, Say(text="\ud800"))
        for _ in range(2):
            talk = Talk("distil")
            with Client(model(server, mode=mode)) as client:
                try:
                    client.ask([Message("user", "half \udc00 of it")], ProcedureAnswer, talk)
                except ModelAnswerError as error:
                    error.answer.encode()
            for call in talk.calls:
                f"{call.request}{call.response}{call.error}".encode()
        assert "half ? of it" in server.requests[0].text
