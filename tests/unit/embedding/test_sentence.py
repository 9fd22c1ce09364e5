"""A sentence model in numpy: against the same formulas written out plainly, and against folders that are not one."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from memp.embedding.sentence import SentenceEmbedder
from memp.errors import EmbeddingError, InvalidInputError
from tests.unit.embedding.tiny import CONFIG, HEADS, HIDDEN, LAYERS, PLACES, WORDS, Weights, make_folder, random_weights

TEXTS = ("put a hot mug in the cabinet", "heat the cups", "", "zebra", "find two keys", "fly to Rome")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("model"))


def tokens_of(text: str) -> list[int]:
    """Split *text* as the tiny tokenizer does: words in lower case, a plural s apart, anything else unknown."""
    found = [2]
    for word in text.lower().split():
        if word in WORDS:
            found.append(WORDS.index(word))
        elif word.endswith("s") and word[:-1] in WORDS:
            found += [WORDS.index(word[:-1]), WORDS.index("##s")]
        else:
            found.append(1)
    return [*found, 3][:PLACES]


def plainly(weights: Weights, tokens: list[int]) -> npt.NDArray[np.float64]:
    """Return the vector of a sentence, in float64, one head and one token after the other, with the exact erf."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}

    def linear(x: npt.NDArray[np.float64], name: str) -> npt.NDArray[np.float64]:
        return np.array([w[f"{name}.weight"] @ row + w[f"{name}.bias"] for row in x])

    def norm(x: npt.NDArray[np.float64], name: str) -> npt.NDArray[np.float64]:
        rows = [(row - row.mean()) / math.sqrt(row.var() + 1e-12) for row in x]
        return np.array(rows) * w[f"{name}.weight"] + w[f"{name}.bias"]

    x = np.array(
        [
            w["embeddings.word_embeddings.weight"][token]
            + w["embeddings.position_embeddings.weight"][place]
            + w["embeddings.token_type_embeddings.weight"][0]
            for place, token in enumerate(tokens)
        ]
    )
    x = norm(x, "embeddings.LayerNorm")
    size = HIDDEN // HEADS
    for number in range(LAYERS):
        at = f"encoder.layer.{number}"
        query, key, value = (linear(x, f"{at}.attention.self.{part}") for part in ("query", "key", "value"))
        seen = np.zeros_like(x)
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            for place in range(len(tokens)):
                scores = [math.exp(query[place, part] @ key[other, part] / math.sqrt(size)) for other in range(len(x))]
                seen[place, part] = sum(s * value[other, part] for other, s in enumerate(scores)) / sum(scores)
        x = norm(x + linear(seen, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
        inner = linear(x, f"{at}.intermediate.dense")
        inner = np.vectorize(lambda v: v * 0.5 * (1 + math.erf(v / math.sqrt(2))))(inner)
        x = norm(x + linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    mean = x.mean(axis=0)
    unit: npt.NDArray[np.float64] = mean / np.linalg.norm(mean)
    return unit


def test_the_forward_pass_is_the_formulas(folder: Path) -> None:
    """Vectors of a batch of texts of several lengths are those of the formulas, worked out one by one."""
    found = SentenceEmbedder(folder).embed(TEXTS)
    wanted = np.array([plainly(random_weights(), tokens_of(text)) for text in TEXTS])
    np.testing.assert_allclose(found, wanted, atol=5e-6)


def test_a_text_has_the_same_vector_alone_and_among_others(folder: Path) -> None:
    """What fills up a batch is not read."""
    embedder = SentenceEmbedder(folder)
    together = embedder.embed(["fly", "put a hot mug in the cabinet " * 3])
    np.testing.assert_allclose(together[0], embedder.embed(["fly"])[0], atol=1e-6)


def test_many_texts_keep_their_order(folder: Path) -> None:
    """Texts of mixed lengths over several batches come back in the order in which they were given."""
    embedder = SentenceEmbedder(folder)
    texts = [" ".join(["put", "mug", "heat", "fly"][n % 4 :] * (n % 5 + 1)) for n in range(80)]
    one_by_one = np.concatenate([embedder.embed([text]) for text in texts])
    np.testing.assert_allclose(embedder.embed(texts), one_by_one, atol=1e-5)


def test_half_precision_and_prefixed_weights_are_read(tmp_path: Path, folder: Path) -> None:
    """Weights stored as F16, and under names that begin with the model's, give nearly the same vectors."""
    wanted = SentenceEmbedder(folder).embed(TEXTS)
    half = SentenceEmbedder(make_folder(tmp_path / "half", form="F16")).embed(TEXTS)
    named = SentenceEmbedder(make_folder(tmp_path / "named", prefix="bert.")).embed(TEXTS)
    np.testing.assert_allclose(half, wanted, atol=0.02)
    np.testing.assert_allclose(named, wanted, atol=1e-6)


def test_the_name_is_the_content(tmp_path: Path, folder: Path) -> None:
    """A folder that moved is the same embedder; other weights, or another length of texts, are another one."""
    same, other, shorter = (make_folder(tmp_path / name) for name in ("same", "other", "shorter"))
    make_folder(other, weights=random_weights(8))
    (shorter / "sentence_bert_config.json").write_text('{"max_seq_length": 5}', encoding="utf-8")
    name = SentenceEmbedder(folder).name
    assert SentenceEmbedder(same).name == name
    assert len({name, SentenceEmbedder(other).name, SentenceEmbedder(shorter).name}) == 3


def test_a_long_text_is_read_as_far_as_the_folder_says(tmp_path: Path) -> None:
    """Tokens past the length that the folder names change nothing."""
    folder = make_folder(tmp_path)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 5}', encoding="utf-8")
    embedder = SentenceEmbedder(folder)
    one, same, other = embedder.embed(["put a mug", "put a mug in rome", "put a cup"])
    np.testing.assert_allclose(one, same, atol=1e-6)
    assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("config.json", None, "config.json"),
        ("config.json", "[", "cannot be read"),
        ("config.json", "[]", "JSON object"),
        ("config.json", "{}", "hidden_size"),
        ("config.json", json.dumps(CONFIG | {"model_type": "gpt2"}), "'bert'"),
        ("config.json", json.dumps(CONFIG | {"hidden_act": "relu"}), "'gelu'"),
        ("config.json", json.dumps(CONFIG | {"num_attention_heads": 5}), "must divide"),
        ("config.json", json.dumps(CONFIG | {"hidden_size": 12}), "must have the shape"),
        ("config.json", json.dumps(CONFIG | {"num_hidden_layers": 3}), "has no tensor"),
        ("tokenizer.json", None, "tokenizer.json"),
        ("tokenizer.json", "{}", "not a tokenizer"),
        ("model.safetensors", None, "model.safetensors"),
        ("model.safetensors", "", "cannot be read"),
        ("model.safetensors", "x" * 100, "cut short"),
        ("1_Pooling/config.json", '{"pooling_mode_cls_token": true}', "mean of tokens"),
    ],
)
def test_what_is_no_such_model_is_refused(tmp_path: Path, file: str, content: str | None, words: str) -> None:
    """A folder whose files are missing, damaged or of another kind of model is refused with the reason."""
    folder = make_folder(tmp_path)
    path = folder / file
    path.parent.mkdir(exist_ok=True)
    if content is None:
        path.unlink()
    else:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=words):
        SentenceEmbedder(folder)


def test_weights_that_are_cut_short_are_refused(tmp_path: Path) -> None:
    """A weights file that ends too early is refused before anything is computed with it."""
    folder = make_folder(tmp_path)
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(InvalidInputError, match="cut short"):
        SentenceEmbedder(folder)


def test_weights_without_a_number_give_no_vector(tmp_path: Path) -> None:
    """A model that computes NaN is an error of the embedder, not a vector."""
    weights = random_weights()
    weights["embeddings.word_embeddings.weight"][WORDS.index("mug")] = np.nan
    embedder = SentenceEmbedder(make_folder(tmp_path, weights=weights))
    with pytest.raises(EmbeddingError, match="no vector"):
        embedder.embed(["put a mug"])
