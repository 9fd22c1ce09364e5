"""
The embedder that is always there: it downloads nothing, needs no model and gives the same bits everywhere.

It is lexical. Words, pairs of neighbouring words and pieces of words are hashed into 384 buckets; two texts are alike
when they share them. ``mug`` and ``mugs`` are alike, ``mug`` and ``cup`` are not: who needs meaning opens the store
with an embedder that has some. A learned vocabulary with idf weights was not taken, since a vector would then depend on
what else the store has seen, and an old view would no longer give its old answers.

Source: signed feature hashing after Weinberger et al., "Feature Hashing for Large Scale Multitask Learning",
ICML 2009, section 2; word pieces with boundary marks after Bojanowski et al., "Enriching Word Vectors with Subword
Information", TACL 2017, section 3.2.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from memp.embedding.base import Matrix, check_texts

# All constants below are part of version 1: changing one changes vectors, so it needs a new version.

DIMENSION: Final = 384
"""Length of a vector. Unrelated texts have a similarity of about ±1/sqrt(384) = ±0.05 by chance."""

WORD_WEIGHT: Final = 4
"""What a word counts. Likeness adds up squares: 16 for a shared word, 9 for all the pieces of one with five letters."""

FUNCTION_WORD_WEIGHT: Final = 1
"""What a word of grammar counts; it has no pieces."""

PAIR_WEIGHT: Final = 2
"""What two neighbouring words count: enough to tell orders apart, too little to outweigh a word."""

PIECE_LENGTHS: Final = (3, 4)
"""Letters in a piece of a word, the marks of its two ends included; each piece counts 1."""

FUNCTION_WORDS: Final = frozenset(
    {
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "some",
        "any",
        "and",
        "or",
        "but",
        "if",
        "then",
        "so",
        "to",
        "of",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "into",
        "onto",
        "as",
        "it",
        "its",
        "them",
        "they",
        "he",
        "she",
        "his",
        "her",
        "their",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "will",
        "would",
        "can",
        "could",
        "should",
        "you",
        "your",
        "i",
        "we",
        "our",
        "my",
        "me",
        "there",
        "here",
        "please",
    }
)
"""English words of grammar: they are in every task and say little about which one it is."""

CACHED_WORDS: Final = 1 << 15
"""Words whose buckets are kept, some 100 bytes each: the tasks of one memory use a few thousand."""

CHUNK_TEXTS: Final = 256
"""Texts counted at once; bounds the working memory of a bulk call to about 2 MB."""

_WORD = re.compile(r"[^\W_]+")
_SIGNED_BUCKETS: Final = 2 * DIMENSION

# Knuth's multiplicative constant. CRC-32 is linear, so texts that differ in one letter would differ in a fixed pattern
# of buckets; one multiplication modulo a power of two breaks that.
_MIX: Final = 2654435761


def _bucket(feature: str) -> int:
    """Return the signed bucket of *feature*: twice the bucket, plus one where it counts negatively."""
    # Python's own hash() differs in every process. A lone surrogate is a legal JSON text, hence "surrogatepass".
    mixed = (zlib.crc32(feature.encode("utf-8", "surrogatepass")) * _MIX) & 0xFFFFFFFF
    return (mixed >> 9) % DIMENSION * 2 + (mixed >> 8 & 1)


# What a text without any word gets, and one whose buckets cancel out: a direction of its own rather than no direction.
_WORDLESS: Final = _bucket("")

# Buckets are kept as bytes, because those of a text are then put together without looking at a single number.
_Buckets = npt.NDArray[np.uint16]


def _packed(buckets: Sequence[int]) -> bytes:
    return np.array(buckets, dtype=np.uint16).tobytes()


_PACKED_WORDLESS: Final = _packed([_WORDLESS])


@functools.lru_cache(maxsize=CACHED_WORDS)
def _word_buckets(word: str) -> bytes:
    """Return the signed buckets of a word and its pieces; a feature of weight *w* stands *w* times."""
    if word in FUNCTION_WORDS:
        return _packed([_bucket(f"w{word}")] * FUNCTION_WORD_WEIGHT)
    marked = f"<{word}>"
    pieces = [
        _bucket(f"c{marked[start : start + length]}")
        for length in PIECE_LENGTHS
        for start in range(len(marked) - length + 1)
    ]
    return _packed([_bucket(f"w{word}")] * WORD_WEIGHT + pieces)


@functools.lru_cache(maxsize=CACHED_WORDS)
def _pair_buckets(first: str, second: str) -> bytes:
    return _packed([_bucket(f"b{first} {second}")] * PAIR_WEIGHT)


def _buckets(text: str) -> _Buckets:
    """Return the signed buckets of all features of *text*, with repetition; never empty."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    words = _WORD.findall(plain.casefold())
    found = [*map(_word_buckets, words), *itertools.starmap(_pair_buckets, itertools.pairwise(words))]
    return np.frombuffer(b"".join(found) or _PACKED_WORDLESS, dtype=np.uint16)


class HashedEmbedder:
    """
    Hashed words, word pairs and word pieces; lexical, 384 numbers a text.

    Bit-identical in every process and on every machine: counts are integers, their squares sum exactly, and one square
    root and one division, both correctly rounded by IEEE 754, come before the rounding to float32. (A character that
    one Python's Unicode tables know and another's do not may be read differently.)
    """

    @property
    def name(self) -> str:
        """``hashed``."""
        return "hashed"

    @property
    def version(self) -> int:
        """1."""
        return 1

    @property
    def dimension(self) -> int:
        """384."""
        return DIMENSION

    def embed(self, texts: Sequence[str]) -> Matrix:
        """
        Return one vector a text, in order.

        Args:
            texts: Any texts. Upper and lower case, punctuation and underscores make no difference. A text without
                words (empty, white space, signs only) gets one fixed vector, the same for all of them.

        Returns:
            Shape ``(len(texts), 384)``, float32, rows of unit length.

        Raises:
            InvalidInputError: *texts* is a single text, or holds something that is none.
        """
        check_texts(texts)
        result = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for start in range(0, len(texts), CHUNK_TEXTS):
            chunk = texts[start : start + CHUNK_TEXTS]
            counts = _counts(chunk)
            squares = np.einsum("ij,ij->i", counts, counts)
            if not squares.all():
                counts[squares == 0, _WORDLESS // 2] = 1
                squares[squares == 0] = 1
            # The quotient is worked out in float64; only what is stored of it is float32.
            np.divide(counts, np.sqrt(squares)[:, np.newaxis], out=result[start : start + len(chunk)])
        return result


def _counts(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the signed counts of each text's buckets, shape ``(len(texts), 384)``."""
    found = [_buckets(text) for text in texts]
    if len(found) == 1:
        codes: npt.NDArray[np.integer] = found[0]
    else:
        rows = np.repeat(np.arange(len(found)), [len(buckets) for buckets in found])
        codes = np.concatenate(found) + rows * _SIGNED_BUCKETS
    tally = np.bincount(codes, minlength=len(found) * _SIGNED_BUCKETS).reshape(len(found), DIMENSION, 2)
    counts: npt.NDArray[np.int64] = tally[:, :, 0] - tally[:, :, 1]
    return counts
