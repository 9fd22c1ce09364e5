"""
Vectors from any endpoint that speaks the embeddings of OpenAI's API: hosted, vLLM, Ollama, llama.cpp.

It goes over the real client, with the same retries and the same words for failures as everything else that asks a
model (``memp.llm``). What comes back is checked before it is believed: as many vectors as texts, each of the one
length, none of them NaN. Nothing is asked before the first vector is needed, so a command that needs none needs no key.

Who keeps a record is told each request (``memp.embedding.base.Asking``). Its texts are told by their digests and the
vectors by their number: a store keeps both already, and would otherwise keep them twice.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import numpy as np

from memp.embedding.base import Matrix, Note, check_texts, normalise
from memp.errors import DimensionError, EmbeddingError, InvalidInputError, ModelError
from memp.llm.base import ATTEMPTS, BAD_KEY, VECTORS, Call, Model
from memp.llm.retrying import retried
from memp.llm.translate import driver_errors, translated
from memp.masking import mask
from memp.model import canonical_bytes, content_digest

DIMENSIONS: Final = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
"""Lengths of the vectors of OpenAI's own models, so that opening a store asks nobody. Others are asked once."""

BATCH_TEXTS: Final = 128
"""Texts in a request: enough that round trips no longer matter, a sixteenth of what the API takes."""

TEXT_CHARACTERS_MAX: Final = 8_000
"""Characters of a text that are read; what is longer is cut. OpenAI's models read 8,191 tokens, and a token is a
character or more in every script; tasks and patterns are far shorter."""

NO_WORDS: Final = "(no text)"
"""Sent in the place of a text without any character, which endpoints refuse."""

NO_KEY: Final = "none"
"""Sent where nobody gave a key and the endpoint is one that the caller named: local servers take anything."""

EMBED: Final = "embed"
"""What its requests are for, as the record says."""

NEEDED: Final = "Embedding by an endpoint needs the package 'openai': pip install 'memp[models]'."


class OpenAIEmbedder:
    """
    An embedding model behind an OpenAI-compatible endpoint.

    Args:
        model: What the endpoint calls it, such as ``text-embedding-3-small``.

        base_url: Where the endpoint is, such as ``http://localhost:11434/v1``; None for the one that
            ``OPENAI_BASE_URL`` names, or OpenAI's own.

        api_key: What it is opened with; None for ``OPENAI_API_KEY``. It is never printed, logged or stored.

        dim: Length of the vectors to ask for, 1 or more, from models that can shorten theirs; None takes them as they
            are.

        timeout_s: How long one request may take, in seconds, over 0.

        attempts: How often a request is sent at most where trying again may help, 1 or more.

        price_in: What a million tokens of texts cost, in the money that you reckon in; None if not known.

        sleep: Waits so many seconds between attempts.

    Attributes:
        tokens: Tokens of all texts so far, as the endpoint counted, those of questions included, which no store
            keeps a record of.

    Raises:
        InvalidInputError: An argument is out of range.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        dim: int | None = None,
        timeout_s: float = 60.0,
        attempts: int = ATTEMPTS,
        price_in: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if dim is not None and dim < 1:
            raise InvalidInputError(f"'dim' must be 1 or more (got {dim!r}).")
        self._model = Model(
            model,
            base_url=base_url,
            api_key=api_key,
            timeout_s=timeout_s,
            attempts=attempts,
            price_in=price_in,
            price_out=0.0,
        )
        self.tokens = 0
        # What was asked when nobody kept a record, which is told to the next who does.
        self._untold: list[Call] = []
        self._asked_dimension = dim
        self._dimension = dim or DIMENSIONS.get(model)
        self._sleep = sleep
        self._connecting = threading.Lock()
        self._client: Any = None
        self._told = self._model

    def __repr__(self) -> str:
        return f"OpenAIEmbedder({self._model.name!r}, dim={self._dimension})"

    @property
    def name(self) -> str:
        """``openai-`` and the model; with the length behind it where one was asked for, since it changes vectors."""
        plain = re.sub(r"[^a-z0-9]+", "-", self._model.name.casefold()).strip("-")
        length = "" if self._asked_dimension is None else f"-{self._asked_dimension}d"
        return f"openai-{plain}{length}"

    @property
    def version(self) -> int:
        """1. Endpoints do not say when the model behind a name changes."""
        return 1

    @property
    def dimension(self) -> int:
        """
        Return the length of a vector; the endpoint is asked once if neither the caller nor the model's name says.

        Raises:
            EmbeddingError: It could not be asked.
        """
        if self._dimension is None:
            self._dimension = int(self._vectors([NO_WORDS], self._untold.append).shape[1])
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Matrix:
        """
        Return one vector a text, in order; up to 128 texts are one request.

        Args:
            texts: Any texts. What is longer than 8,000 characters is read up to there.

        Returns:
            Shape ``(len(texts), dimension)``, float32, rows of unit length.

        Raises:
            InvalidInputError: *texts* is a single text, or holds something that is none; or ``openai`` is missing.

            EmbeddingError: The endpoint failed, refused, or gave what are no such vectors; what may pass was tried
                again.
        """
        return self._embed(texts, _nobody)

    def embed_noting(self, texts: Sequence[str], note: Note) -> Matrix:
        """Return one vector a text as ``embed`` does, and tell *note* each request; see ``memp.embedding.base``."""
        try:
            _ = self.dimension
        finally:
            self._tell(note)
        return self._embed(texts, note)

    def _embed(self, texts: Sequence[str], note: Note) -> Matrix:
        check_texts(texts)
        result = np.empty((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), BATCH_TEXTS):
            chunk = [_sendable(text) for text in texts[start : start + BATCH_TEXTS]]
            found = self._vectors(chunk, note)
            if found.shape[1] != self.dimension:
                name, wanted, got = self._model.name, self.dimension, found.shape[1]
                raise EmbeddingError(
                    f"{name!r} must give vectors of length {wanted} (got {got}). If another model answers to that "
                    f"name, say how long its vectors are: 'dim', or 'openai:{name}:{got}' on the command line."
                ) from DimensionError(expected=wanted, found=got)
            result[start : start + len(chunk)] = found
        return result

    def _tell(self, note: Note) -> None:
        """Tell *note* what was asked when nobody kept a record."""
        while self._untold:
            note(self._untold.pop(0))

    def _vectors(self, texts: Sequence[str], note: Note) -> Matrix:
        """Return the vectors of *texts*, in order, whatever their length, and tell *note* what was asked for them."""
        calls: list[Call] = []
        try:
            try:
                answer = retried(
                    lambda attempt: self._send(texts, calls, attempt),
                    attempts=self._model.attempts,
                    sleep=self._sleep,
                )
            except ModelError as error:
                raise EmbeddingError(str(error)) from error
            return self._checked(answer, texts)
        except EmbeddingError as error:
            if calls and not calls[-1].error:
                calls[-1] = attrs.evolve(calls[-1], error=mask(str(error)))
            raise
        finally:
            for call in calls:
                note(call)

    def _checked(self, answer: Any, texts: Sequence[str]) -> Matrix:
        """
        Return the vectors that *answer* holds.

        Raises:
            EmbeddingError: They are not one for each of *texts*, or are no vectors.
        """
        rows = sorted(answer.data or (), key=lambda row: row.index)
        if [row.index for row in rows] != list(range(len(texts))):
            raise EmbeddingError(f"{self._model.name!r} gave {len(rows)} vectors for {len(texts)} texts.")
        try:
            return normalise(np.array([row.embedding for row in rows], dtype=np.float64))
        except (ValueError, TypeError) as error:
            raise EmbeddingError(f"{self._model.name!r} gave what is no vector: {error}") from error

    def _send(self, texts: Sequence[str], calls: list[Call], attempt: int) -> Any:
        """Send one request and add what came of it to *calls*."""
        parameters: dict[str, Any] = {"encoding_format": "float"}
        if self._asked_dimension is not None:
            parameters["dimensions"] = self._asked_dimension
        client = self._connected()
        call = self._call(texts, parameters, attempt)
        began = time.monotonic()
        try:
            answer = client.embeddings.create(model=self._model.name, input=list(texts), **parameters)
        except driver_errors() as error:
            failed = translated(error, self._told)
            calls.append(attrs.evolve(call, error=mask(str(failed)), latency_ms=_since(began)))
            raise failed from error
        tokens = getattr(getattr(answer, "usage", None), "prompt_tokens", None)
        tokens = tokens if type(tokens) is int and tokens >= 0 else None
        self.tokens += tokens or 0
        calls.append(
            attrs.evolve(
                call,
                response=canonical_bytes({"vectors": len(answer.data or ())}).decode(),
                latency_ms=_since(began),
                tokens_in=tokens,
                tokens_out=None if tokens is None else 0,
                price=self._model.price(tokens_in=tokens, tokens_out=0),
            )
        )
        return answer

    def _call(self, texts: Sequence[str], parameters: dict[str, Any], attempt: int) -> Call:
        """Return what is told of a request: its texts by their digests."""
        model = self._model
        request = {"model": model.name, "input": [hashlib.sha256(text.encode()).hexdigest() for text in texts]}
        return Call(
            purpose=EMBED,
            model=model.name,
            endpoint=model.endpoint,
            mode=VECTORS,
            parameters=parameters,
            request=canonical_bytes(request).decode(),
            request_digest=content_digest([model.endpoint, VECTORS, request, parameters]),
            attempt=attempt,
        )

    def _connected(self) -> Any:
        """Return the client, which is made when it is first needed."""
        try:
            import openai
            import tenacity  # noqa: F401 - retrying needs it, and a missing package is told of before anything is asked
        except ImportError as error:
            raise InvalidInputError(NEEDED) from error
        with self._connecting:
            if self._client is None:
                model = self._model
                base_url = model.base_url or os.environ.get("OPENAI_BASE_URL") or None
                key = model.api_key or os.environ.get("OPENAI_API_KEY") or (NO_KEY if base_url else None)
                if key is not None and not (key.isascii() and key.isprintable()):
                    raise InvalidInputError(BAD_KEY)
                # What errors are told with: an endpoint may repeat the key, wherever that came from.
                self._told = attrs.evolve(model, api_key=key)
                try:
                    self._client = openai.OpenAI(api_key=key, base_url=base_url, timeout=model.timeout_s, max_retries=0)
                except openai.OpenAIError as error:
                    raise translated(error, model) from error
            return self._client


def _nobody(call: Call) -> None:
    """Take a request and keep no record of it."""


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _sendable(text: str) -> str:
    """Return *text* as endpoints take it: neither empty nor too long, and without half a character."""
    return text[:TEXT_CHARACTERS_MAX].encode("utf-8", "replace").decode() if text.strip() else NO_WORDS
