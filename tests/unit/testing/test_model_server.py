"""The scripted server, as the real client of OpenAI's API sees it over a socket."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

import memp
from memp.embedding.openai import DIMENSIONS
from memp.errors import InvalidInputError
from memp.testing import FAILURES, Fail, Say, ScriptedServer, wire


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that knows one rule."""
    with ScriptedServer() as opened:
        opened.when("hello", "good day")
        yield opened


def client(server: ScriptedServer, key: str = "k") -> openai.OpenAI:
    """A client that sends each request once."""
    return openai.OpenAI(api_key=key, base_url=server.url, max_retries=0, timeout=0.3)


def ask(server: ScriptedServer, text: str, **more: Any) -> Any:
    """The answer to one message; the pieces of a stream as a list."""
    key = more.pop("key", "k")
    with client(server, key) as opened:
        answer: Any = opened.chat.completions.create(model="m", messages=[{"role": "user", "content": text}], **more)
        return list(answer) if more.get("stream") else answer


TOOL = {"type": "function", "function": {"name": "fill_in", "parameters": {"type": "object"}}}


def test_rules_answer_by_what_is_asked_and_the_newest_first(server: ScriptedServer) -> None:
    """A later rule comes before an earlier one, and one that is used up is passed over."""
    server.when("hello", "only once", times=1)
    answers = [ask(server, "hello there").choices[0].message.content for _ in range(2)]
    assert answers == ["only once", "good day"]


def test_what_is_lined_up_is_said_in_turn_before_any_rule(server: ScriptedServer) -> None:
    """``say`` comes first, in its order."""
    server.say("one", {"two": 2})
    assert [ask(server, "hello").choices[0].message.content for _ in range(3)] == [
        "one",
        '```json\n{"two": 2}\n```',
        "good day",
    ]


def test_an_object_takes_the_form_that_was_asked_for(server: ScriptedServer) -> None:
    """A JSON object comes as a tool call, as JSON, or as a block of JSON."""
    server.when("fill", {"a": 1})
    called = ask(server, "fill", tools=[TOOL], tool_choice="required").choices[0]
    assert (called.finish_reason, called.message.tool_calls[0].function.arguments) == ("tool_calls", '{"a": 1}')
    assert ask(server, "fill", response_format={"type": "json_object"}).choices[0].message.content == '{"a": 1}'
    assert [asked.mode for asked in server.requests] == ["tools", "json"]


@pytest.mark.parametrize("unsupported", ["refuse", "ignore"])
def test_a_mode_that_it_does_not_have_is_refused_or_ignored(unsupported: Any) -> None:
    """Strict servers answer with an error, others with words."""
    with ScriptedServer(modes={"text"}, unsupported=unsupported) as server:
        server.when("fill", {"a": 1})
        if unsupported == "refuse":
            with pytest.raises(openai.BadRequestError):
                ask(server, "fill", tools=[TOOL])
        else:
            assert ask(server, "fill", tools=[TOOL]).choices[0].message.tool_calls is None


def test_a_stream_gives_the_same_answer_in_pieces_and_then_the_usage(server: ScriptedServer) -> None:
    """The pieces put together are the answer; the usage comes last and only if it was asked for."""
    server.when("long", Say(text="a rather long answer to a short question", tokens_in=3, tokens_out=9))
    pieces = ask(server, "long", stream=True, stream_options={"include_usage": True})
    told = [piece.choices[0].delta.content or "" for piece in pieces if piece.choices]
    assert "".join(told) == "a rather long answer to a short question"
    assert len(told) > 3
    assert pieces[-1].usage.total_tokens == 12
    assert all(piece.usage is None for piece in ask(server, "long", stream=True))


def test_embeddings_come_as_numbers_and_packed_and_depend_on_the_text_alone(server: ScriptedServer) -> None:
    """The same text has the same unit vector, whatever it is asked with; texts that share words are nearer."""
    with client(server) as opened:
        packed = opened.embeddings.create(model="e", input=["hot mug", "hot pan", "book"])
        plain = opened.embeddings.create(model="e", input="hot mug", encoding_format="float")
    mug, pan, book = (one.embedding for one in packed.data)
    assert mug == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert sum(value * value for value in mug) == pytest.approx(1.0)
    assert sum(a * b for a, b in zip(mug, pan, strict=True)) > sum(a * b for a, b in zip(mug, book, strict=True))


EXPECTED = {
    "timeout": openai.APITimeoutError,
    "busy": openai.RateLimitError,
    "error": openai.InternalServerError,
    "cut": openai.APIConnectionError,
    "not-json": ValueError,
    "too-long": openai.BadRequestError,
    "wrong-key": openai.AuthenticationError,
    "no-model": openai.NotFoundError,
}


@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_is_one_that_the_real_client_knows(server: ScriptedServer, failure: str) -> None:
    """Each switch gives what a real endpoint would, once, and the next request is answered."""
    server.fail(Fail(how=failure, retry_after_s=7))  # type: ignore[arg-type]
    if failure in EXPECTED:
        with pytest.raises(EXPECTED[failure]) as caught:
            ask(server, "hello")
        if isinstance(caught.value, openai.RateLimitError):
            assert caught.value.response.headers["retry-after"] == "7"
    else:
        choice = ask(server, "hello").choices[0]
        assert {"refusal": bool(choice.message.refusal), "empty": choice.message.content == ""}.get(
            failure, choice.finish_reason == "length"
        )
    assert ask(server, "hello").choices[0].message.content == "good day"


def test_a_key_is_asked_for_if_there_is_one() -> None:
    """Another key, or none, is turned away; both are noted."""
    with ScriptedServer(key="right") as server:
        server.when("hello", "good day")
        with pytest.raises(openai.AuthenticationError):
            ask(server, "hello", key="wrong")
        answer = ask(server, "hello", key="right")
        assert answer.choices[0].message.content == "good day"
        assert [asked.key for asked in server.requests] == ["wrong", "right"]
        assert "wrong" not in repr(server.requests)


def test_a_dialogue_that_was_saved_is_played_again(server: ScriptedServer, tmp_path: Path) -> None:
    """Each request that says just what a recorded one said gets its answer; others do not."""
    server.when("fill", {"a": 1})
    for text in ("hello", "fill it in"):
        ask(server, text)
    assert server.save(tmp_path / "said.jsonl") == 2
    with ScriptedServer() as other:
        assert other.play(tmp_path / "said.jsonl") == 2
        assert ask(other, "hello").choices[0].message.content == "good day"
        with pytest.raises(openai.APIStatusError, match="nothing was scripted"):
            ask(other, "hello again")
    (tmp_path / "bad.jsonl").write_text("{}\n")
    with ScriptedServer() as other, pytest.raises(InvalidInputError, match=r"bad\.jsonl:1: An exchange must be"):
        other.play(tmp_path / "bad.jsonl")


def test_a_failure_must_be_one_that_there_is() -> None:
    """An unknown failure is refused when it is scripted, not when it is asked for."""
    with ScriptedServer() as server, pytest.raises(ValueError, match="must be in"):
        server.fail("explode")
    assert Fail(how="busy").status == 500


def test_the_server_needs_no_hypothesis() -> None:
    """Who wants the server alone need not have what the strategies need."""
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "from memp.testing import ScriptedServer\n"
        "with ScriptedServer(): pass\n"
        "print(sorted(name for name in ('openai', 'instructor') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_vectors_are_as_long_as_the_request_or_the_name_of_the_model_says() -> None:
    """OpenAI's models give vectors of their own length, one that can shorten them what it is asked for."""
    with ScriptedServer(dimension=8) as server:
        lengths = [
            memp.OpenAIEmbedder(name, base_url=server.url, dim=dim).embed(["a mug"]).shape[1]
            for name, dim in (("small", None), ("text-embedding-3-small", None), ("text-embedding-3-large", 256))
        ]
    assert lengths == [8, 1536, 256]
    assert wire.DIMENSIONS == DIMENSIONS
