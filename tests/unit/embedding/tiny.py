"""A tiny sentence model with random weights, in the form in which such models are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

WORDS = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "put", "a", "hot", "mug", "cup", "in", "the", "cabinet", "fly", "to", "rome",
    "find", "two", "keys", "heat", "clean", "plate", "word", "##s",
)  # fmt: skip
HIDDEN, LAYERS, HEADS, INNER, PLACES = 24, 2, 3, 40, 48

CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "max_position_embeddings": PLACES,
    "layer_norm_eps": 1e-12,
    "vocab_size": len(WORDS),
}

Weights = dict[str, npt.NDArray[np.float32]]


def random_weights(seed: int = 7) -> Weights:
    """Return weights of the right names and shapes."""
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> npt.NDArray[np.float32]:
        return random.normal(0.0, 0.5, shape).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": draw(len(WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": draw(PLACES, HIDDEN) * np.float32(0.1),
        "embeddings.token_type_embeddings.weight": draw(2, HIDDEN) * np.float32(0.1),
        "embeddings.LayerNorm.weight": 1 + draw(HIDDEN) * np.float32(0.1),
        "embeddings.LayerNorm.bias": draw(HIDDEN) * np.float32(0.1),
    }
    for number in range(LAYERS):
        at = f"encoder.layer.{number}"
        linear = {
            "attention.self.query": (HIDDEN, HIDDEN),
            "attention.self.key": (HIDDEN, HIDDEN),
            "attention.self.value": (HIDDEN, HIDDEN),
            "attention.output.dense": (HIDDEN, HIDDEN),
            "intermediate.dense": (INNER, HIDDEN),
            "output.dense": (HIDDEN, INNER),
        }
        for name, shape in linear.items():
            found[f"{at}.{name}.weight"], found[f"{at}.{name}.bias"] = draw(*shape), draw(shape[0])
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            found[f"{at}.{name}.weight"] = 1 + draw(HIDDEN) * np.float32(0.1)
            found[f"{at}.{name}.bias"] = draw(HIDDEN) * np.float32(0.1)
    return {name: value.astype(np.float32) for name, value in found.items()}


def tensors_bytes(weights: Weights, *, form: str = "F32") -> bytes:
    """Return the bytes of a safetensors file; the header is padded to eight bytes, as the reference writer does."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, value in weights.items():
        raw = value.astype({"F32": "<f4", "F16": "<f2"}[form]).tobytes()
        header[name] = {"dtype": form, "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def make_folder(folder: Path, *, weights: Weights | None = None, form: str = "F32", prefix: str = "") -> Path:
    """Write the model to *folder* and return it."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # Published files often ask for padding to a fixed length, which is not for us.
    tokenizer.enable_padding(length=12)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    named = {prefix + name: value for name, value in (weights or random_weights()).items()}
    (folder / "model.safetensors").write_bytes(tensors_bytes(named, form=form))
    return folder
