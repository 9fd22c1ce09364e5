"""What a body says of the embeddings that its texts have."""

from __future__ import annotations

import msgspec


class VectorRef(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    Names a captured embedding, so that whatever covers the body covers the vector too.

    A msgspec struct rather than an attrs class: half of all values that a replay decodes are these.

    Attributes:
        kind: What the text is to the procedure: ``task``, ``pattern`` or ``fact``.

        text: The text that was embedded.

        embedder: Name and version of the embedder, such as ``hashed-1``.

        digest: Hex SHA-256 of the vector's little-endian float32 bytes.
    """

    kind: str
    text: str
    embedder: str
    digest: str
