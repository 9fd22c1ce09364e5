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

from memp.embedding.base import Matrix, check_texts, normalise

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

FUNCTION_WORDS: Final = frozenset({
    "a", "an", "the", "this", "that", "these", "those", "some", "any", "and", "or", "but", "if", "then", "so", "to",
    "of", "in", "on", "at", "by", "for", "from", "with", "into", "onto", "as", "it", "its", "them", "they", "he",
    "she", "his", "her", "their", "is", "are", "was", "were", "be", "been", "do", "does", "did", "has", "have", "had",
    "will", "would", "can", "could", "should", "you", "your", "i", "we", "our", "my", "me", "there", "here", "please",
})
"""English words of grammar: they are in every task and say little about which one it is."""

CACHED_WORDS: Final = 1 << 15
"""Words whose buckets are kept, about 1 kB each at most: the tasks of one memory use a few thousand."""

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


@functools.lru_cache(maxsize=CACHED_WORDS)
def _word_buckets(word: str) -> tuple[int, ...]:
    """Return the signed buckets of a word and its pieces; a feature of weight *w* stands *w* times."""
    if word in FUNCTION_WORDS:
        return (_bucket(f"w{word}"),) * FUNCTION_WORD_WEIGHT
    marked = f"<{word}>"
    pieces = [
        _bucket(f"c{marked[start : start + length]}")
        for length in PIECE_LENGTHS
        for start in range(len(marked) - length + 1)
    ]
    return (_bucket(f"w{word}"),) * WORD_WEIGHT + tuple(pieces)


@functools.lru_cache(maxsize=CACHED_WORDS)
def _pair_buckets(first: str, second: str) -> tuple[int, ...]:
    return (_bucket(f"b{first} {second}"),) * PAIR_WEIGHT


def _buckets(text: str) -> list[int]:
    """Return the signed buckets of all features of *text*, with repetition; never empty."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    words = _WORD.findall(plain.casefold())
    found: list[int] = []
    for word in words:
        found += _word_buckets(word)
    for first, second in itertools.pairwise(words):
        found += _pair_buckets(first, second)
    return found or [_WORDLESS]


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
            result[start : start + len(chunk)] = normalise(_counts(chunk))
        return result


def _counts(texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return the signed counts of each text's buckets, shape ``(len(texts), 384)``, no row all zeros."""
    if len(texts) == 1:
        codes = np.array(_buckets(texts[0]), dtype=np.int64)
    else:
        codes = np.concatenate(
            [np.array(_buckets(text), dtype=np.int64) + row * _SIGNED_BUCKETS for row, text in enumerate(texts)]
        )
    tally = np.bincount(codes, minlength=len(texts) * _SIGNED_BUCKETS).reshape(len(texts), DIMENSION, 2)
    counts: np.ndarray[tuple[int, int], np.dtype[np.int64]] = tally[:, :, 0] - tally[:, :, 1]
    silent = ~counts.any(axis=1)
    counts[silent, _WORDLESS // 2] = 1
    return counts
