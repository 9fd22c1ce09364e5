"""
A server that speaks the chat completions and embeddings of OpenAI's API and says what it was told to say.

It listens on a real socket, so what talks to it is the real client with its real time limits, retries and parsing; a
stand-in for the client would prove only that our idea of the client fits our idea of the server. Rules answer by what
is asked, so that answers do not depend on the order in which threads ask; what is lined up is said in turn.
"""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import attrs

from memp.errors import InvalidInputError
from memp.testing import wire
from memp.testing.asked import Asked
from memp.testing.sayings import Fail, Say, Saying, as_saying

Given = Saying | Mapping[str, Any] | str
"""An answer as a test writes it: a mapping is a JSON object, a text is a text."""

When = str | Callable[[Asked], bool]
"""To what a rule answers: a text that the request holds, or a function of the request."""

Answer = Given | Callable[[Asked], Given]
"""What a rule says: always the same, or what a function makes of the request."""

ALL_MODES = ("tools", "json", "json-schema", "text")
"""What a request may ask for; see ``Asked.mode``."""


@attrs.define
class _Rule:
    when: When
    answer: Answer
    left: int | None

    def fits(self, asked: Asked) -> bool:
        if self.left == 0:
            return False
        return self.when in asked.text if isinstance(self.when, str) else self.when(asked)


class ScriptedServer:
    """
    An endpoint that says what it was told to say; use it as a context manager, or close it.

    What it says to a request is, in this order: the failure that comes next, what was lined up, the newest rule that
    fits, and else an error that says that nothing was scripted for it.

    Args:
        key: What must be sent as key; None takes any.

        modes: What requests may ask for; see ``Asked.mode``.

        unsupported: What a request that asks for anything else gets: an error, as strict servers give, or an answer
            in plain text, as others do.

        dimension: Length of the vectors of embeddings, where neither the request says nor the name of the model, as
            OpenAI's own do.

        vectors: What makes them, one text at a time; None makes them of the texts' words.

    Attributes:
        url: Where it is, with the version in it: what a client takes as its base URL.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        modes: Collection[str] = ALL_MODES,
        unsupported: Literal["refuse", "ignore"] = "refuse",
        dimension: int = 16,
        vectors: Callable[[str], Sequence[float]] | None = None,
    ) -> None:
        self._key, self._modes, self._unsupported = key, frozenset(modes), unsupported
        self._vectors = vectors
        self._dimension = dimension
        self._rules: list[_Rule] = []
        self._lined_up: deque[Given] = deque()
        self._failing: deque[Fail] = deque()
        self._asked: list[Asked] = []
        self._said: list[tuple[Asked, Say]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Listener(("127.0.0.1", 0), _Handler)
        self._server.scripted = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and let go of everybody who waits. Closing twice does nothing."""
        if not self._closing.is_set():
            self._closing.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # -- the script ----------------------------------------------------------------------------------------------

    def say(self, *answers: Given) -> None:
        """Line up what is said to the next requests, one after the other."""
        with self._lock:
            self._lined_up.extend(answers)

    def when(self, when: When, answer: Answer, *, times: int | None = None) -> None:
        """
        Answer by a rule; the newest that fits is taken.

        Args:
            when: A text that the request must hold, or a function of the request.

            answer: What is said, or a function of the request that returns it.

            times: How often; None for always.
        """
        with self._lock:
            self._rules.append(_Rule(when, answer, times))

    def fail(
        self,
        how: Fail | str,
        *,
        times: int = 1,
        status: int = 500,
        retry_after_s: float | None = None,
        words: str | None = None,
    ) -> None:
        """
        Let the next requests fail, before anything else is said.

        Args:
            how: One of ``memp.testing.FAILURES``.

            times: How many requests.

            status: The HTTP status of ``error``.

            retry_after_s: What the Retry-After header of ``busy`` and ``error`` says; None leaves it out.

            words: What the server says of it; None for words of its own.
        """
        fail = how if isinstance(how, Fail) else Fail(how=how, status=status, retry_after_s=retry_after_s, words=words)  # type: ignore[arg-type]
        with self._lock:
            self._failing.extend([fail] * times)

    def play(self, path: str | Path) -> int:
        """
        Answer as a recorded dialogue did: each request that says just what a recorded one said gets its answer.

        Args:
            path: A file that ``save`` wrote: JSON lines with ``texts`` (the request's) and ``value`` or ``text``.

        Returns:
            How many exchanges it holds.

        Raises:
            InvalidInputError: The file holds something else.
        """
        rows = Path(path).read_text(encoding="utf-8").splitlines()
        for number, row in enumerate(rows, start=1):
            try:
                data = json.loads(row)
                texts, say = tuple(data["texts"]), Say(value=data.get("value"), text=data.get("text", ""))
            except (ValueError, KeyError, TypeError) as error:
                raise InvalidInputError(
                    f"{path}:{number}: An exchange must be a JSON object with 'texts' and 'value' or 'text' ({error})."
                ) from error
            self.when(lambda asked, texts=texts: asked.texts == texts, say)  # type: ignore[misc]
        return len(rows)

    def save(self, path: str | Path) -> int:
        """Write the exchanges so far, failures apart, as ``play`` reads them, and return how many there are."""
        with self._lock:
            said = list(self._said)
        rows = [
            {"texts": list(asked.texts), **({"text": say.text} if say.value is None else {"value": dict(say.value)})}
            for asked, say in said
        ]
        Path(path).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return len(rows)

    @property
    def requests(self) -> tuple[Asked, ...]:
        """Every request that came, in the order of coming, refused ones too."""
        with self._lock:
            return tuple(self._asked)

    # -- answering -----------------------------------------------------------------------------------------------

    def _note(self, asked: Asked) -> Saying:
        """Note the request, and return what is said to it."""
        with self._lock:
            self._asked.append(asked)
            if self._failing:
                return self._failing.popleft()
            if self._key is not None and asked.key != self._key:
                return Fail(how="wrong-key")
            if not asked.path.endswith("/chat/completions"):
                return Say()
            if asked.mode not in self._modes:
                if self._unsupported == "refuse":
                    return Fail(how="error", status=400, words=f"{asked.mode!r} is not supported by this server")
                return Say(text="Certainly! Here is what you asked for.")
            if self._lined_up:
                return as_saying(self._lined_up.popleft())
            rule = next((rule for rule in reversed(self._rules) if rule.fits(asked)), None)
            if rule is None:
                return Fail(how="error", status=501, words="nothing was scripted for this request")
            if rule.left is not None:
                rule.left -= 1
        # Outside the lock: a rule may look at what was asked so far.
        return as_saying(rule.answer(asked) if callable(rule.answer) else rule.answer)

    def _embedded(self, asked: Asked) -> list[Sequence[float]]:
        """Return a vector for each text of the request."""
        if self._vectors is not None:
            return [self._vectors(text) for text in asked.texts]
        said = asked.body.get("dimensions")
        known = wire.DIMENSIONS.get(str(asked.body.get("model")), self._dimension)
        return [wire.vector_of(text, said if isinstance(said, int) else known) for text in asked.texts]

    def _wait(self) -> None:
        self._closing.wait()

    def _remember(self, asked: Asked, say: Say) -> None:
        with self._lock:
            self._said.append((asked, say))


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    scripted: ScriptedServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that gave up is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing; ``ScriptedServer.requests`` has it all."""

    def do_GET(self) -> None:
        """List the models: one, of any name."""
        self._send(200, {"object": "list", "data": [{"id": "scripted", "object": "model", "created": wire.CREATED}]})

    def do_POST(self) -> None:
        """Answer a question."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:
            body = {}
        sent = self.headers.get("Authorization", "")
        key = sent.removeprefix("Bearer ") if sent.startswith("Bearer ") else None
        asked = Asked(path=self.path, body=body if isinstance(body, dict) else {}, key=key)
        saying = self.server.scripted._note(asked)
        if isinstance(saying, Fail):
            self._fail(asked, saying)
        elif asked.path.endswith("/embeddings"):
            self._send(200, wire.embeddings(asked, self.server.scripted._embedded(asked)))
        elif asked.path.endswith("/chat/completions"):
            self.server.scripted._remember(asked, saying)
            answer = wire.message(asked, saying)
            counted = wire.usage(asked, saying, answer) if saying.usage else None
            self._answer(asked, answer, "stop", counted)
        else:
            self._send(404, wire.error(f"there is no {asked.path}", type="invalid_request_error", code=None))

    def _answer(
        self, asked: Asked, answer: dict[str, Any], finish: str, counted: dict[str, int] | None, *, cut: bool = False
    ) -> None:
        if asked.streams:
            self._stream(wire.pieces(asked, answer, finish, counted), cut=cut)
        else:
            self._send(200, wire.completion(asked, answer, finish, counted), cut=cut)

    def _fail(self, asked: Asked, fail: Fail) -> None:
        match fail.how:
            case "timeout":
                self.server.scripted._wait()
                self.close_connection = True
            case "busy":
                words = fail.words or "Rate limit reached. Try again later."
                body = wire.error(words, type="requests", code="rate_limit_exceeded")
                self._send(429, body, after=fail.retry_after_s)
            case "error":
                words = fail.words or "The server had an error."
                body = wire.error(words, type="server_error", code=None, parameter=fail.parameter)
                self._send(fail.status, body, after=fail.retry_after_s)
            case "wrong-key":
                words = fail.words or "Incorrect API key provided."
                self._send(401, wire.error(words, type="invalid_request_error", code="invalid_api_key"))
            case "no-model":
                words = fail.words or f"The model {asked.body.get('model')!r} does not exist."
                self._send(404, wire.error(words, type="invalid_request_error", code="model_not_found"))
            case "too-long":
                words = fail.words or "This model's maximum context length is 4096 tokens; your messages have more."
                code = "context_length_exceeded"
                self._send(400, wire.error(words, type="invalid_request_error", code=code, parameter="messages"))
            case "not-json":
                self._write(200, (fail.words or "<html>Bad gateway</html>").encode(), kind="application/json")
            case "cut":
                answer = wire.message(asked, Say(text=fail.words or "an answer that is never told to its end, " * 8))
                self._answer(asked, answer, "stop", None, cut=True)
            case "refusal" | "empty" | "half":
                answer, finish = wire.odd_message(asked, fail)
                self._answer(asked, answer, finish, wire.usage(asked, Say(), answer))

    # -- bytes ---------------------------------------------------------------------------------------------------

    def _send(self, status: int, body: dict[str, Any], *, after: float | None = None, cut: bool = False) -> None:
        self._write(status, json.dumps(body).encode(), kind="application/json", after=after, cut=cut)

    def _write(self, status: int, data: bytes, *, kind: str, after: float | None = None, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if after is not None:
            self.send_header("Retry-After", f"{after:g}")
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        if cut:
            self._hang_up()

    def _stream(self, pieces: Sequence[dict[str, Any]], *, cut: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces[: len(pieces) // 2] if cut else pieces:
            self._chunk(f"data: {json.dumps(piece)}\n\n".encode())
        if cut:
            self._hang_up()
        else:
            self._chunk(b"data: [DONE]\n\n")
            self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
