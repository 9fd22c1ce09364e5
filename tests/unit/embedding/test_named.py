"""Embedders by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from memp.embedding.named import embedder_named
from memp.errors import InvalidInputError
from tests.unit.embedding.tiny import make_folder


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hashed", "hashed"),
        ("openai:text-embedding-3-small", "openai-text-embedding-3-small"),
        ("openai:text-embedding-3-small:256", "openai-text-embedding-3-small-256d"),
        ("openai:nomic-embed-text:v1.5", "openai-nomic-embed-text-v1-5"),
    ],
)
def test_an_embedder_has_a_short_name(text: str, name: str) -> None:
    """Each form names its embedder; a number at the end is a length, anything else part of the model's name."""
    assert embedder_named(text).name == name


def test_a_folder_names_a_sentence_model(tmp_path: Path) -> None:
    """What stands behind ``sentence:`` is a folder."""
    assert embedder_named(f"sentence:{make_folder(tmp_path)}").name.startswith("sentence-")


@pytest.mark.parametrize("text", ["", "sentence:", "openai", "word2vec", "hashed:2"])
def test_what_names_none_is_refused(text: str) -> None:
    """The error says which forms there are."""
    with pytest.raises(InvalidInputError, match="sentence:FOLDER"):
        embedder_named(text)
