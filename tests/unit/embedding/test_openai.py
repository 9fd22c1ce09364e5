"""The real client against the scripted endpoint, over a real socket: batches, retries, and what is no vector."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import numpy as np
import pytest

from memp.embedding.openai import BATCH_TEXTS, NO_WORDS, TEXT_CHARACTERS_MAX, OpenAIEmbedder
from memp.errors import EmbeddingError, InvalidInputError
from memp.llm.base import Call
from memp.testing import ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(key="open sesame", dimension=8) as server:
        yield server


def embedder_at(server: ScriptedServer, *, key: str = "open sesame", dim: int | None = None) -> OpenAIEmbedder:
    return OpenAIEmbedder("nomic/Embed-Text:v1.5", base_url=server.url, api_key=key, dim=dim, sleep=lambda _: None)


def test_nothing_is_asked_before_a_vector_is_needed(server: ScriptedServer) -> None:
    """Making an embedder and asking its name and version sends nothing; one short text tells an unknown length."""
    embedder = embedder_at(server)
    assert (embedder.name, embedder.version) == ("openai-nomic-embed-text-v1-5", 1)
    assert OpenAIEmbedder("text-embedding-3-small").dimension == 1536
    asked_before = len(server.requests)
    assert asked_before == 0
    assert embedder.dimension == 8
    assert embedder.embed(["a", "b"]).shape == (2, 8)
    assert tuple(asked.texts for asked in server.requests) == ((NO_WORDS,), ("a", "b"))


def test_texts_go_in_batches_and_come_back_in_order(server: ScriptedServer) -> None:
    """Many texts are few requests, and each vector belongs to its text."""
    texts = [f"task number {n}" for n in range(2 * BATCH_TEXTS + 3)]
    embedder = embedder_at(server)
    together = embedder.embed(texts)
    assert [len(asked.texts) for asked in server.requests[1:]] == [BATCH_TEXTS, BATCH_TEXTS, 3]
    some = [0, BATCH_TEXTS - 1, BATCH_TEXTS, len(texts) - 1]
    np.testing.assert_array_equal(together[some], embedder.embed([texts[n] for n in some]))


def test_a_length_is_asked_for_and_checked(server: ScriptedServer) -> None:
    """The number of dimensions is part of the request and of the name; a server that ignores it is found out."""
    embedder = embedder_at(server, dim=4)
    assert embedder.name == "openai-nomic-embed-text-v1-5-4d"
    assert embedder.embed(["a"]).shape == (1, 4)
    assert server.requests[0].body["dimensions"] == 4
    with ScriptedServer(vectors=lambda _: [1.0] * 8) as stubborn:
        embedder = embedder_at(stubborn, dim=4)
        with pytest.raises(EmbeddingError, match=r"length 4 \(got 8\).*'dim'"):
            embedder.embed(["a"])


def test_odd_texts_are_sent_as_endpoints_take_them(server: ScriptedServer) -> None:
    """An empty text becomes words, a long one is cut, half a character is replaced."""
    embedder_at(server).embed(["", " \n", "x" * (TEXT_CHARACTERS_MAX + 5), "\ud800"])
    assert server.requests[-1].texts == (NO_WORDS, NO_WORDS, "x" * TEXT_CHARACTERS_MAX, "?")


@pytest.mark.parametrize("how", ["busy", "error", "cut", "not-json"])
def test_what_may_pass_is_tried_again(server: ScriptedServer, how: str) -> None:
    """An endpoint that is busy, fails or breaks off is asked again, and the answer is the one that it gives then."""
    embedder = embedder_at(server)
    wanted = embedder.embed(["a"])
    before = len(server.requests)
    server.fail(how, times=2, retry_after_s=1.0 if how == "busy" else None)
    np.testing.assert_array_equal(embedder.embed(["a"]), wanted)
    assert len(server.requests) - before == 3


def test_it_gives_up_after_some_attempts(server: ScriptedServer) -> None:
    """An endpoint that goes on failing is an error that says so."""
    server.fail("error", times=10)
    with pytest.raises(EmbeddingError, match="failed"):
        embedder_at(server).embed(["a"])
    assert len(server.requests) == 4


def test_a_wrong_key_is_not_tried_again_and_not_shown(server: ScriptedServer) -> None:
    """What stays wrong is asked once, and no message or representation holds the key."""
    embedder = embedder_at(server, key="sesame street")
    with pytest.raises(EmbeddingError, match="key") as caught:
        embedder.embed(["a"])
    assert len(server.requests) == 1
    assert "sesame" not in f"{caught.value}{embedder!r}"


def test_no_key_and_no_endpoint_is_told_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key for OpenAI's own endpoint nothing is asked, and the error names the variable."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EmbeddingError, match="OPENAI_API_KEY"):
        OpenAIEmbedder("text-embedding-3-small").embed(["a"])


@pytest.mark.parametrize(
    "vector", [[0.0] * 8, [float("nan")] * 8, [float("inf")] + [1.0] * 7], ids=["zero", "nan", "infinite"]
)
def test_what_is_no_vector_is_refused(vector: list[float]) -> None:
    """A vector without a direction never reaches a store."""
    with ScriptedServer(vectors=lambda _: vector) as server, pytest.raises(EmbeddingError, match="no vector"):
        OpenAIEmbedder("x", base_url=server.url, dim=8).embed(["a"])


def test_vectors_of_several_lengths_are_refused() -> None:
    """A server that gives each text a length of its own is found out."""
    with (
        ScriptedServer(vectors=lambda text: [1.0] * len(text)) as server,
        pytest.raises(EmbeddingError, match="no vector"),
    ):
        OpenAIEmbedder("x", base_url=server.url).embed(["a", "bc"])


def test_a_length_below_one_is_refused() -> None:
    """A vector has one number or more."""
    with pytest.raises(InvalidInputError, match="'dim'"):
        OpenAIEmbedder("x", dim=0)


def test_whoever_keeps_a_record_is_told_each_request(server: ScriptedServer) -> None:
    """Failed ones too, with what came of them: texts by their digests, tokens, price, attempt, and never the key."""
    embedder = OpenAIEmbedder("text", base_url=server.url, api_key="open sesame", price_in=10.0, sleep=lambda _: None)
    assert embedder.dimension == 8
    server.fail("error", words="The key open sesame is fine, and I am not.")
    calls: list[Call] = []
    embedder.embed_noting(["a mug", "a cup"], calls.append)
    first, failed, done = calls
    assert [call.attempt for call in calls] == [1, 1, 2], "the question how long vectors are is told as well"
    assert (first.purpose, first.mode, first.model, first.endpoint) == ("embed", "vectors", "text", server.url)
    assert "I am not" in failed.error
    assert "open sesame" not in failed.error
    assert (failed.response, failed.tokens_in) == ("", None)
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in ("a mug", "a cup")]
    assert json.loads(done.request) == {"model": "text", "input": digests}
    assert json.loads(done.response) == {"vectors": 2}
    assert (done.tokens_in, done.tokens_out, done.price) == (2, 0, 2 * 10.0 / 1_000_000)
    assert embedder.tokens == (first.tokens_in or 0) + 2


def test_an_answer_that_is_no_vectors_is_told_as_failed() -> None:
    """It was paid for, and the record says what was wrong with it."""
    calls: list[Call] = []
    with ScriptedServer(vectors=lambda _: [float("nan")] * 4) as server, pytest.raises(EmbeddingError):
        OpenAIEmbedder("text", base_url=server.url, dim=4).embed_noting(["a mug"], calls.append)
    [call] = calls
    assert "no vector" in call.error
    assert call.tokens_in == 1


def test_a_key_of_the_environment_is_not_repeated(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint may quote the key that it refuses, wherever that came from."""
    monkeypatch.setenv("OPENAI_API_KEY", "a key of my own")
    server.fail("wrong-key", words="Incorrect API key provided: a key of my own.")
    with pytest.raises(EmbeddingError, match="is wrong") as caught:
        OpenAIEmbedder("text", base_url=server.url).embed(["a mug"])
    assert "a key of my own" not in str(caught.value)
    with pytest.raises(InvalidInputError, match="plain ASCII"):
        OpenAIEmbedder("text", base_url=server.url, api_key="ключ").embed(["a mug"])
