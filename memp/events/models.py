"""What was asked of language models, and what they said."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs

from memp.model import CallId, ProcedureId, as_float, check_filled, check_finite


@attrs.frozen(kw_only=True)
class ModelCalled:
    """
    One request to a model, whether or not anything came of it; what reads the log later never asks again.

    It happened, so it is never undone; it holds the words of what it quotes, so a purge of any of that removes it.

    Attributes:
        call_id: Random id of this call.

        scope: For whose memory; empty for everybody's.

        purpose: What for: ``distil``, ``reflect``, ``judge``, ``facts``, ``act`` or ``embed``.

        model: What the endpoint calls the model.

        endpoint: Where it is, without a password; empty for the one of the environment.

        mode: How the answer was held to a form: ``tools``, ``json``, ``json-schema``, ``markdown``, ``text`` or
            ``vectors``.

        parameters: What else the request set, such as the temperature.

        request: The request's messages and form, as canonical JSON. Of a request for embeddings the SHA-256 of each
            text, under which the store keeps its vector; their number alone where nothing was written for it.

        request_digest: Hex SHA-256 of all that decides the answer; the same request has the same.

        response: What the model said, as canonical JSON, of embeddings how many vectors; empty if nothing came.

        error: Why the answer was of no use; empty if it was.

        attempt: Which sending of the request it was, from 1.

        tokens_in: Tokens of the request, as the endpoint counted; None if it did not say.

        tokens_out: Tokens of the answer; None if it did not say.

        price: What it cost, in the money of the model's prices; None if not known.

        latency_ms: How long it took, whole milliseconds.

        template: Hex SHA-256 of the template that the request was made with; None if none was.

        runs: Content digests of the runs that it quotes.

        procedures: The procedures that it quotes.
    """

    TYPE: ClassVar[str] = "model-called"
    VERSION: ClassVar[int] = 1

    call_id: CallId
    scope: str = ""
    purpose: str = attrs.field(validator=check_filled)
    model: str = attrs.field(validator=check_filled)
    endpoint: str = ""
    mode: str = attrs.field(validator=check_filled)
    parameters: dict[str, Any] = attrs.field(factory=dict)
    request: str
    request_digest: str
    response: str = ""
    error: str = ""
    attempt: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    tokens_in: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    tokens_out: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    price: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(as_float), validator=check_finite
    )
    latency_ms: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    template: str | None = None
    runs: tuple[str, ...] = ()
    procedures: tuple[ProcedureId, ...] = ()

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return f"call/{self.call_id}"
