"""
What passes through when a model is asked, and what those who ask expect of it.

The ports are three questions (write a procedure, mend one, judge a run) and not one "complete this text": whoever asks
gets a checked value or an error of the group ``ModelError``, and never has to look into a model's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args
from urllib.parse import urlsplit, urlunsplit

import attrs

from memp.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memp.llm.answers import Distilled, Reflected, Verdict
    from memp.model import Procedure, Trajectory
    from memp.script.toolset import Toolset

Mode = Literal["tools", "json", "json-schema", "markdown"]
"""How a model is held to a form: a forced tool call, a JSON object, a JSON object by a schema, or a block of JSON in
plain text, which every server can do."""

MODES: tuple[Mode, ...] = get_args(Mode)

VECTORS = "vectors"
"""What stands in the place of a mode where a request was for embeddings."""

PER_MILLION = 1_000_000
"""Prices are for so many tokens."""

ATTEMPTS = 4
"""How often one request is sent at most: with doubling waits that is a quarter of a minute, which outlives a restart
of a server and the short limits of a hosted one."""


NO_MODEL = "This needs a language model: memp.open(…, model=memp.Model('…')), or '--model' on the command line."
"""Said where a model is needed and none is named."""

BAD_KEY = "A model's key must be plain ASCII. Look for what was pasted beside it."
"""Said of a key that no header can hold. What came is not told: it is a key all the same."""


def _positive(what: Model, attribute: attrs.Attribute[Any], value: float | None) -> None:  # noqa: ARG001 - attrs' form
    if value is not None and not value > 0:
        raise InvalidInputError(f"{attribute.name!r} must be over 0 (got {value!r}).")


def _not_negative(what: Model, attribute: attrs.Attribute[Any], value: float | None) -> None:  # noqa: ARG001
    if value is not None and not value >= 0:
        raise InvalidInputError(f"{attribute.name!r} must be 0 or more (got {value!r}).")


@attrs.frozen
class Model:
    """
    A language model behind an OpenAI-compatible endpoint.

    It is only a description: nothing is opened and nobody is asked before the first question.

    Attributes:
        name: What the endpoint calls it.

        base_url: Where the endpoint is, such as ``http://localhost:11434/v1``; None for the one that
            ``OPENAI_BASE_URL`` names, or OpenAI's own.

        api_key: What it is opened with; None for ``OPENAI_API_KEY``. It is never printed, logged or stored.

        mode: How answers are held to a form; None finds out which of the modes the endpoint can do.

        temperature: 0 to 2; None leaves it to the endpoint, as some models demand.

        timeout_s: How long one request may take, in seconds, over 0.

        attempts: How often a request is sent at most where trying again may help, 1 or more.

        answer_tokens_max: Length of an answer at most, in tokens; None leaves it to the endpoint.

        stream: Whether answers are read as they are written, so that the time limit is for the gaps between the pieces
            and not for the whole answer.

        price_in: What a million tokens of questions cost, in the money that you reckon in; None if not known.

        price_out: The same of answers.

        mask: Whether what looks like a key, a token, an e-mail address or a card number is masked before it is sent or
            stored.
    """

    name: str = attrs.field()
    base_url: str | None = attrs.field(default=None, kw_only=True)
    api_key: str | None = attrs.field(default=None, repr=False, kw_only=True)
    mode: Mode | None = attrs.field(default=None, kw_only=True)
    temperature: float | None = attrs.field(default=0.0, kw_only=True, validator=_not_negative)
    timeout_s: float = attrs.field(default=60.0, kw_only=True, validator=_positive)
    attempts: int = attrs.field(default=ATTEMPTS, kw_only=True, validator=_positive)
    answer_tokens_max: int | None = attrs.field(default=None, kw_only=True, validator=_positive)
    stream: bool = attrs.field(default=False, kw_only=True)
    price_in: float | None = attrs.field(default=None, kw_only=True, validator=_not_negative)
    price_out: float | None = attrs.field(default=None, kw_only=True, validator=_not_negative)
    mask: bool = attrs.field(default=True, kw_only=True)

    @name.validator
    def _check_name(self, _: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, str) or not value.strip():
            raise InvalidInputError(f"'name' must be what the endpoint calls the model (got {value!r}).")

    @mode.validator
    def _check_mode(self, _: attrs.Attribute[Any], value: object) -> None:
        if value is not None and value not in MODES:
            raise InvalidInputError(f"'mode' must be one of {', '.join(MODES)}, or None to find out (got {value!r}).")

    @property
    def endpoint(self) -> str:
        """Where it is asked, without a name and a password that the address may carry; empty if not said."""
        if self.base_url is None:
            return ""
        parts = urlsplit(self.base_url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))

    def price(self, *, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """Return what an exchange of so many tokens costs; None if a price or a count is not known."""
        if None in (self.price_in, self.price_out, tokens_in, tokens_out):
            return None
        assert self.price_in is not None
        assert self.price_out is not None
        return (self.price_in * (tokens_in or 0) + self.price_out * (tokens_out or 0)) / PER_MILLION


Role = Literal["system", "user", "assistant"]
"""Who says something in a conversation."""


@attrs.frozen
class Message:
    """
    One turn of a conversation.

    Attributes:
        role: Who says it.

        text: What is said.
    """

    role: Role
    text: str


@attrs.frozen(kw_only=True)
class Call:
    """
    One request that left the process, and what came of it.

    Attributes:
        purpose: What for: ``distil``, ``reflect``, ``judge``, ``facts``, ``act`` or ``embed``.

        model: What the endpoint calls the model.

        endpoint: Where it is, without a password; empty for the endpoint of the environment.

        mode: How the answer was held to a form; ``text`` if it was not, ``vectors`` for embeddings.

        parameters: What else the request set, such as the temperature.

        request: The request's messages and form, as canonical JSON; of embeddings the SHA-256 of each text.

        request_digest: Hex SHA-256 of all that decides the answer; the same request has the same.

        response: What the model said, as canonical JSON; of embeddings how many vectors; empty if nothing came.

        error: Why the answer was of no use; empty if it was.

        attempt: Which sending of the request it was, from 1.

        tokens_in: Tokens of the request, as the endpoint counted; None if it did not say.

        tokens_out: Tokens of the answer; None if it did not say.

        price: What it cost, in the money of the model's prices; None if not known.

        latency_ms: How long it took, whole milliseconds.

        template: Hex SHA-256 of the template that the request was made with; None if none was.
    """

    purpose: str
    model: str
    endpoint: str
    mode: str
    parameters: dict[str, Any] = attrs.field(factory=dict)
    request: str
    request_digest: str
    response: str = ""
    error: str = ""
    attempt: int = 1
    tokens_in: int | None = None
    tokens_out: int | None = None
    price: float | None = None
    latency_ms: int = 0
    template: str | None = None


class Distiller(Protocol):
    """Writes a procedure from runs."""

    def distil(self, runs: Sequence[Trajectory], *, toolset: Toolset | None) -> Distilled:
        """
        Return a procedure that checks.

        Args:
            runs: Runs of one kind of task, won and lost.

            toolset: The words that it must speak; None for steps in words.

        Raises:
            ModelError: The model could not be asked, or never gave a script that checks. A caller may not rely on the
                same runs giving the same script again.
        """
        ...


class Reflector(Protocol):
    """Mends a procedure after a failure."""

    def reflect(
        self,
        procedure: Procedure,
        failed: Trajectory,
        *,
        successes: Sequence[Trajectory],
        toolset: Toolset | None,
    ) -> Reflected:
        """
        Return what was wrong, and a script that answers it.

        Args:
            procedure: The procedure that was served, as it stands.

            failed: The run that failed with it.

            successes: Runs that won with it, or that it was made from.

            toolset: The words that it must speak; None for steps in words.

        Raises:
            ModelError: The model could not be asked, or never gave a script that checks.
        """
        ...


class Scorer(Protocol):
    """Judges a run."""

    def score(self, trajectory: Trajectory) -> Verdict:
        """
        Return how well the run did its task.

        Raises:
            ModelError: The model could not be asked, or never gave a verdict that cites steps that exist.
        """
        ...
