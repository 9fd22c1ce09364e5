"""
Embedders by a short text, as the command line and settings name them.

``hashed`` · ``sentence:FOLDER`` · ``openai:MODEL`` or ``openai:MODEL:DIMENSIONS``. A text rather than an import path,
so that a settings file can choose among embedders and never run code.
"""

from __future__ import annotations

from memp.embedding.base import Embedder
from memp.embedding.hashed import HashedEmbedder
from memp.errors import InvalidInputError

FORMS = "hashed, sentence:FOLDER, openai:MODEL, or openai:MODEL:DIMENSIONS for shorter vectors"
"""What an embedder may be called."""


def embedder_named(name: str, *, base_url: str | None = None, timeout_s: float = 60.0) -> Embedder:
    """
    Return the embedder that *name* names; nothing is asked or downloaded.

    Args:
        name: ``hashed``, ``sentence:FOLDER``, ``openai:MODEL`` or ``openai:MODEL:DIMENSIONS``.

        base_url: Where the endpoint of ``openai`` is; None for that of the environment, or OpenAI's own.

        timeout_s: How long one request may take, in seconds, over 0.

    Raises:
        InvalidInputError: No embedder is called that, the folder holds no such model, or a package is missing.
    """
    kind, _, rest = name.partition(":")
    if name == "hashed":
        return HashedEmbedder()
    if kind == "sentence" and rest:
        from memp.embedding.sentence import SentenceEmbedder

        return SentenceEmbedder(rest)
    if kind == "openai" and rest:
        from memp.embedding.openai import OpenAIEmbedder

        model, _, last = rest.rpartition(":")
        # Names of local models hold colons too, such as "nomic-embed-text:v1.5".
        sized = bool(model) and last.isdecimal()
        return OpenAIEmbedder(
            model if sized else rest, base_url=base_url, timeout_s=timeout_s, dim=int(last) if sized else None
        )
    raise InvalidInputError(f"An embedder must be {FORMS} (got {name!r}).")
