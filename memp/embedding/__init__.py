"""Texts to vectors: the port, and the embedder that is always there."""

from memp.embedding.base import (
    Embedder,
    Matrix,
    Vector,
    check_vectors,
    generation,
    normalise,
    vector_from_bytes,
    vector_to_bytes,
)
from memp.embedding.hashed import HashedEmbedder

__all__ = [
    "Embedder",
    "HashedEmbedder",
    "Matrix",
    "Vector",
    "check_vectors",
    "generation",
    "normalise",
    "vector_from_bytes",
    "vector_to_bytes",
]
