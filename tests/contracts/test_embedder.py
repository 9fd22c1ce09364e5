"""What every embedder keeps, whatever it is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from memp.embedding import Embedder, HashedEmbedder, generation, vector_from_bytes, vector_to_bytes
from memp.embedding.openai import OpenAIEmbedder
from memp.embedding.sentence import SentenceEmbedder
from memp.errors import InvalidInputError
from memp.testing import ScriptedServer
from tests.unit.embedding.tiny import make_folder

ODD_TEXTS = (
    "",
    " \t\n",
    "???",
    "a",
    "put a hot mug in the cabinet",
    "PUT A HOT MUG IN THE CABINET",
    "ﬁnd the Straße",
    "找到一个杯子",
    "🙂🙃",
    "\x00\x1b[31m",
    "\ud800 lone",
    "word " * 5000,
)


@pytest.fixture(scope="module", params=["hashed", "sentence", "openai"])
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedder]:
    match request.param:
        case "hashed":
            yield HashedEmbedder()
        case "sentence":
            yield SentenceEmbedder(make_folder(tmp_path_factory.mktemp("model")))
        case "openai":
            with ScriptedServer() as server:
                yield OpenAIEmbedder("scripted", base_url=server.url)


def test_rows_are_unit_vectors_for_any_text(embedder: Embedder) -> None:
    """Every text, however odd, gets a finite vector of unit length and of the stated dimension."""
    vectors = embedder.embed(ODD_TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(ODD_TEXTS), embedder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors.astype(np.float64), axis=1), 1.0, atol=1e-6)


def test_no_text_gives_no_row(embedder: Embedder) -> None:
    """An empty list of texts gives an empty matrix of the right width."""
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_order_is_kept(embedder: Embedder) -> None:
    """The n-th vector belongs to the n-th text."""
    texts = ["heat the mug", "clean the plate", "find two keys"]
    forward, backward = embedder.embed(texts), embedder.embed(texts[::-1])
    np.testing.assert_allclose(forward, backward[::-1], atol=1e-6)


def test_alike_texts_are_nearer(embedder: Embedder) -> None:
    """A text is nearer to itself with one word changed than to another text."""
    texts = ["put a hot mug in the cabinet", "put a hot cup in the cabinet", "fly to Rome"]
    one, changed, other = embedder.embed(texts)
    assert one @ changed > one @ other


@pytest.mark.parametrize("texts", ["one text", ["fine", 3], [None]])
def test_what_is_no_text_is_refused(embedder: Embedder, texts: list[str]) -> None:
    """A single text, or something that is none, is refused rather than embedded letter by letter."""
    with pytest.raises(InvalidInputError, match="texts"):
        embedder.embed(texts)


def test_vectors_survive_storage(embedder: Embedder) -> None:
    """What goes into stored bytes comes out bit for bit."""
    vector = embedder.embed(["put a hot mug in the cabinet"])[0]
    stored = vector_to_bytes(vector, dimension=embedder.dimension)
    assert vector_from_bytes(stored, dimension=embedder.dimension).tobytes() == vector.tobytes()


def test_generation_names_embedder_and_version(embedder: Embedder) -> None:
    """The name under which vectors are stored tells embedder and version."""
    assert generation(embedder) == f"{embedder.name}-{embedder.version}"
    assert embedder.version >= 1
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", embedder.name)
