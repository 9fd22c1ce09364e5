"""
Vectors that know meaning, from a folder on this machine: a sentence model of the MiniLM family, run in numpy.

The folder is the one that such models are published in: ``model.safetensors``, ``tokenizer.json`` and ``config.json``,
and beside them ``sentence_bert_config.json`` and ``1_Pooling/config.json`` where they have something to say. memp
neither ships nor downloads one. Words are split by the folder's own rules, with the library that wrote them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from memp.embedding.base import Matrix, check_texts, normalise
from memp.embedding.bert import Bert, BertConfig
from memp.embedding.safetensors import Tensors
from memp.errors import EmbeddingError, InvalidInputError

NEEDED: Final = "Embedding by a folder needs the package 'tokenizers': pip install 'memp[sentence]'."

TOKENS_MAX: Final = 256
"""Tokens of a text that are read where the folder does not say; what the MiniLM models were trained on."""

BATCH_TEXTS: Final = 32
"""Texts that go through the model at once; more gain nothing on one processor and need more memory."""

POOLING_FILE: Final = "1_Pooling/config.json"
LENGTH_FILE: Final = "sentence_bert_config.json"


class SentenceEmbedder:
    """
    A sentence model of the MiniLM family: BERT, the mean of its tokens, unit length.

    Its name holds a digest of weights, words and measures, so a folder may be moved or renamed, and one that was
    changed is another embedder.

    Args:
        folder: Where ``model.safetensors``, ``tokenizer.json`` and ``config.json`` are.

    Raises:
        InvalidInputError: A file is missing or tells of another kind of model, or ``tokenizers`` is missing.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        config = self._json("config.json", required=True)
        self._check_pooling()
        measures = BertConfig.from_json(config)
        weights = self._folder / "model.safetensors"
        if not weights.is_file():
            raise InvalidInputError(
                f"{str(self._folder)!r} must hold 'model.safetensors', 'tokenizer.json' and 'config.json' (there is no "
                "'model.safetensors')."
            )
        self._bert = Bert(measures, Tensors(weights))
        length = self._json(LENGTH_FILE).get("max_seq_length", TOKENS_MAX)
        self._tokens_max = min(int(length), measures.positions)
        self._tokenizer = self._load_tokenizer()
        self._digest = self._digest_of(weights)

    def __repr__(self) -> str:
        return f"SentenceEmbedder({str(self._folder)!r})"

    @property
    def name(self) -> str:
        """``sentence-`` and twelve characters of the digest of the folder's files."""
        return f"sentence-{self._digest[:12]}"

    @property
    def version(self) -> int:
        """1; raised when memp runs the same files in another way."""
        return 1

    @property
    def dimension(self) -> int:
        """The length of a vector: the model's own."""
        return self._bert.config.hidden

    def embed(self, texts: Sequence[str]) -> Matrix:
        """
        Return one vector a text, in order.

        Args:
            texts: Any texts; of a long one as many tokens are read as the folder says, or 256.

        Returns:
            Shape ``(len(texts), dimension)``, float32, rows of unit length. The last bits depend on the other texts of
            the same call, and on the machine.

        Raises:
            InvalidInputError: *texts* is a single text, or holds something that is none.

            EmbeddingError: The weights give no number for a text.
        """
        check_texts(texts)
        result = np.empty((len(texts), self.dimension), dtype=np.float32)
        if not texts:
            return result
        # A lone surrogate is a legal JSON text and no legal Unicode.
        split = [self._tokenizer.encode(text.encode("utf-8", "replace").decode()).ids for text in texts]
        # Texts of like length go together, so that little is computed for places that hold nothing.
        order = sorted(range(len(texts)), key=lambda place: len(split[place]))
        for start in range(0, len(order), BATCH_TEXTS):
            places = order[start : start + BATCH_TEXTS]
            result[places] = self._means([split[place] for place in places])
        return result

    def _means(self, sentences: Sequence[Sequence[int]]) -> Matrix:
        """Return the mean vector of each sentence's tokens, of unit length."""
        longest = max(1, *(len(sentence) for sentence in sentences))
        tokens = np.zeros((len(sentences), longest), dtype=np.int64)
        present = np.zeros(tokens.shape, dtype=np.bool_)
        for row, sentence in enumerate(sentences):
            tokens[row, : len(sentence)] = sentence
            present[row, : max(1, len(sentence))] = True
        vectors = self._bert.encode(tokens, present)
        weights = present[:, :, np.newaxis].astype(np.float32)
        try:
            return normalise((vectors * weights).sum(axis=1) / weights.sum(axis=1))
        except InvalidInputError as error:
            raise EmbeddingError(f"The model in {str(self._folder)!r} gives no vector: {error}") from error

    def _json(self, name: str, *, required: bool = False) -> dict[str, Any]:
        path = self._folder / name
        if not path.is_file() and not required:
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{str(path)!r} cannot be read: {error}.") from error
        if not isinstance(found, dict):
            raise InvalidInputError(f"{str(path)!r} must hold a JSON object.")
        return found

    def _check_pooling(self) -> None:
        """Refuse a model whose sentences are not the means of their tokens: its vectors would be nonsense."""
        told = self._json(POOLING_FILE)
        ways = sorted(key for key, value in told.items() if key.startswith("pooling_mode_") and value is True)
        if ways and ways != ["pooling_mode_mean_tokens"]:
            raise InvalidInputError(
                f"{str(self._folder / POOLING_FILE)!r} must ask for the mean of tokens alone (got {', '.join(ways)})."
            )

    def _load_tokenizer(self) -> Any:
        try:
            import tokenizers
        except ImportError as error:
            raise InvalidInputError(NEEDED) from error
        path = self._folder / "tokenizer.json"
        if not path.is_file():
            raise InvalidInputError(f"There is no 'tokenizer.json' in {str(self._folder)!r}.")
        try:
            # From bytes, because of a text that is none the library raises nothing narrower than Exception.
            found = tokenizers.Tokenizer.from_buffer(path.read_bytes())
        except ValueError as error:
            raise InvalidInputError(f"{str(path)!r} is not a tokenizer: {error}.") from error
        if found.get_vocab_size() > self._bert.vocabulary:
            raise InvalidInputError(
                f"{str(path)!r} knows {found.get_vocab_size()} words, and the model {self._bert.vocabulary}: they do "
                "not belong together."
            )
        found.no_padding()
        found.enable_truncation(self._tokens_max)
        return found

    def _digest_of(self, weights: Path) -> str:
        """Return the hex SHA-256 of all that decides a vector."""
        digest = hashlib.sha256(f"{self._tokens_max}\n".encode())
        for path in (self._folder / "config.json", self._folder / "tokenizer.json", weights):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()
