"""
A BERT encoder, forwards only, in numpy.

Sentence models of the MiniLM family are six or twelve such layers; a text of twenty words takes some ten milliseconds.
torch does the same in 1.5 GB of installation and five seconds of import, onnxruntime wants a file that the families'
folders do not hold.

Source: Devlin et al., "BERT", NAACL 2019, section 3; the weights' names and the order of operations are those of the
reference implementation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt

from memp.embedding.safetensors import Tensors
from memp.errors import InvalidInputError

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

FAR_BELOW: Final = np.float32(-1e9)
"""Added to the score of a place that holds no token: its share of attention becomes 0."""


@attrs.frozen(kw_only=True)
class BertConfig:
    """
    The measures of a model, as its ``config.json`` says them.

    Attributes:
        hidden: Length of a token's vector.

        layers: How many layers.

        heads: Into how many parts attention is split; divides ``hidden``.

        positions: Tokens that it can read at most.

        epsilon: What keeps the division of a layer normalisation from zero.
    """

    hidden: int
    layers: int
    heads: int
    positions: int
    epsilon: float

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> BertConfig:
        """
        Return the measures that *config* tells.

        Raises:
            InvalidInputError: It tells of another kind of model, or leaves something out.
        """
        wanted = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
        for key, value in wanted.items():
            if config.get(key, value) != value:
                raise InvalidInputError(
                    f"'config.json' must tell of a model with {key} {value!r} (got {config[key]!r}). "
                    "MiniLM, BGE and E5 models are such."
                )
        try:
            found = cls(
                hidden=int(config["hidden_size"]),
                layers=int(config["num_hidden_layers"]),
                heads=int(config["num_attention_heads"]),
                positions=int(config["max_position_embeddings"]),
                epsilon=float(config.get("layer_norm_eps", 1e-12)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"'config.json' must tell the measures of a BERT model: {error}.") from error
        if found.heads < 1 or found.hidden % found.heads:
            raise InvalidInputError(
                f"'num_attention_heads' must divide 'hidden_size' (got {found.heads} and {found.hidden})."
            )
        return found


class Bert:
    """
    The encoder.

    Args:
        config: Its measures.

        tensors: Its weights.

    Raises:
        InvalidInputError: A weight is missing or has another shape.
    """

    def __init__(self, config: BertConfig, tensors: Tensors) -> None:
        self.config = config
        prefix = "" if "embeddings.word_embeddings.weight" in tensors else "bert."
        hidden = config.hidden

        def weight(name: str, *shape: int | None) -> Floats:
            found = tensors[prefix + name]
            if len(found.shape) != len(shape) or not all(map(_fits, shape, found.shape)):
                told = " x ".join("any" if n is None else str(n) for n in shape)
                raise InvalidInputError(f"The weight {name!r} must have the shape {told} (got {found.shape}).")
            return found

        def linear(name: str, out: int | None, into: int | None) -> tuple[Floats, Floats]:
            matrix = weight(f"{name}.weight", out, into)
            return matrix, weight(f"{name}.bias", matrix.shape[0])

        def norm(name: str) -> tuple[Floats, Floats]:
            return weight(f"{name}.weight", hidden), weight(f"{name}.bias", hidden)

        self._words = weight("embeddings.word_embeddings.weight", None, hidden)
        self._positions = weight("embeddings.position_embeddings.weight", config.positions, hidden)
        self._types = weight("embeddings.token_type_embeddings.weight", None, hidden)
        self._norm = norm("embeddings.LayerNorm")
        self._layers = []
        for number in range(config.layers):
            at = f"encoder.layer.{number}"
            inner = linear(f"{at}.intermediate.dense", None, hidden)
            self._layers.append(
                _Layer(
                    query=linear(f"{at}.attention.self.query", hidden, hidden),
                    key=linear(f"{at}.attention.self.key", hidden, hidden),
                    value=linear(f"{at}.attention.self.value", hidden, hidden),
                    joined=linear(f"{at}.attention.output.dense", hidden, hidden),
                    joined_norm=norm(f"{at}.attention.output.LayerNorm"),
                    inner=inner,
                    outer=linear(f"{at}.output.dense", hidden, inner[0].shape[0]),
                    outer_norm=norm(f"{at}.output.LayerNorm"),
                )
            )

    @property
    def vocabulary(self) -> int:
        """How many tokens it knows."""
        return int(self._words.shape[0])

    def encode(self, tokens: Integers, present: npt.NDArray[np.bool_]) -> Floats:
        """
        Return the vector of each token in its sentence.

        Args:
            tokens: Shape ``(sentences, places)``; any token stands where there is none.

            present: Which places hold a token, same shape.

        Returns:
            Shape ``(sentences, places, hidden)``.
        """
        epsilon = self.config.epsilon
        flow = self._words[tokens] + self._positions[: tokens.shape[1]] + self._types[0]
        flow = _normalised(flow, self._norm, epsilon)
        absent = np.where(present, np.float32(0.0), FAR_BELOW)[:, np.newaxis, np.newaxis, :]
        for layer in self._layers:
            joined = _applied(self._attention(flow, layer, absent), layer.joined)
            flow = _normalised(flow + joined, layer.joined_norm, epsilon)
            outer = _applied(_gelu(_applied(flow, layer.inner)), layer.outer)
            flow = _normalised(flow + outer, layer.outer_norm, epsilon)
        return flow

    def _attention(self, flow: Floats, layer: _Layer, absent: Floats) -> Floats:
        sentences, places, hidden = flow.shape
        heads = self.config.heads

        def split(values: Floats) -> Floats:
            return values.reshape(sentences, places, heads, hidden // heads).transpose(0, 2, 1, 3)

        query, key, value = (split(_applied(flow, part)) for part in (layer.query, layer.key, layer.value))
        scores = query @ key.transpose(0, 1, 3, 2) * np.float32(1.0 / math.sqrt(hidden // heads)) + absent
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        joined: Floats = (shares @ value).transpose(0, 2, 1, 3).reshape(sentences, places, hidden)
        return joined


@attrs.frozen(kw_only=True)
class _Layer:
    """The weights of one layer: each a matrix or scale, and what is added."""

    query: tuple[Floats, Floats]
    key: tuple[Floats, Floats]
    value: tuple[Floats, Floats]
    joined: tuple[Floats, Floats]
    joined_norm: tuple[Floats, Floats]
    inner: tuple[Floats, Floats]
    outer: tuple[Floats, Floats]
    outer_norm: tuple[Floats, Floats]


def _fits(wanted: int | None, found: int) -> bool:
    return wanted in (None, found)


def _applied(flow: Floats, weights: tuple[Floats, Floats]) -> Floats:
    applied: Floats = flow @ weights[0].T + weights[1]
    return applied


def _normalised(flow: Floats, weights: tuple[Floats, Floats], epsilon: float) -> Floats:
    """
    Return *flow* with mean 0 and variance 1 for each token, scaled and shifted.

    Source: Ba et al., "Layer Normalization", 2016, section 3.
    """
    centred = flow - flow.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    normalised: Floats = centred / np.sqrt(variance + np.float32(epsilon)) * weights[0] + weights[1]
    return normalised


def _gelu(values: Floats) -> Floats:
    """
    Return each value times the chance that a normal draw is below it.

    numpy has no error function, so it is the rational approximation of Abramowitz and Stegun, "Handbook of Mathematical
    Functions", 7.1.26, whose error stays below 1.5e-7: as much as float32 rounds away.
    """
    scaled = np.abs(values) * np.float32(1.0 / math.sqrt(2.0))
    t = 1.0 / (1.0 + np.float32(0.3275911) * scaled)
    polynomial = np.zeros_like(t)
    for coefficient in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        polynomial = (polynomial + np.float32(coefficient)) * t
    error = 1.0 - polynomial * np.exp(-np.square(scaled))
    return (values * np.float32(0.5) * (1.0 + np.copysign(error, values))).astype(np.float32, copy=False)
