"""
BM25 over the tasks that were learned from, with the word statistics of one version and scope.

How rare a word is depends on who asks: a version of the memory must answer as a store that holds nothing else, so
neither later procedures nor those of another scope may count. Libraries (bm25s, rank-bm25) work out all weights when
they index a corpus, and would have to index ten thousand tasks anew after each change. Here the index is a list of rows
for each word; what depends on the version (how many tasks, how long, in how many of them a word stands) is counted
under its mask, for the words of the question alone, and kept until another version is asked. Formula and parameters are
those of bm25s, and tests compare the scores with that library's.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from memp.embedding.hashed import FUNCTION_WORDS
from memp.index.base import Mask
from memp.retrieval.scoring import DECIMALS

K1: Final = 1.5
"""How soon more of the same word stops counting; what Lucene-like libraries take."""

B: Final = 0.75
"""How much a long task pays for its length, from 0 (nothing) to 1."""

KEPT_VERSIONS: Final = 4
"""Versions whose statistics are kept: the present, and a few that are compared with it."""

_WORD = re.compile(r"[^\W_]+")

Scores = npt.NDArray[np.float64]
"""One score a row, shape ``(n,)``."""


@lru_cache(maxsize=1 << 15)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of *text* in lower case, in order, without words of grammar; all of them if it has no others."""
    words = _WORD.findall(text.casefold())
    return tuple(word for word in words if word not in FUNCTION_WORDS) or tuple(words)


class Lexicon:
    """
    Which row's task has which words.

    Texts are read when somebody first asks, so that a replay pays nothing for a key that nobody uses.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, str]] = []
        self._rows: dict[str, array[int]] = {}
        self._counts: dict[str, array[int]] = {}
        self._lengths: array[int] = array("q")
        self._statistics: list[Statistics] = []

    def add(self, row: int, text: str) -> None:
        """Note the task of *row*; rows come in rising order."""
        self._waiting.append((row, text))

    def under(self, found: Mask) -> Statistics:
        """Return the word statistics of the rows in *found*; those of the last few masks are kept."""
        self._read_waiting()
        for statistics in self._statistics:
            if statistics.found is found:
                return statistics
        statistics = Statistics(self, found)
        self._statistics = [statistics, *self._statistics[: KEPT_VERSIONS - 1]]
        return statistics

    def _read_waiting(self) -> None:
        if not self._waiting:
            return
        for row, text in self._waiting:
            words = words_of(text)
            self._lengths.extend([0] * (row + 1 - len(self._lengths)))
            self._lengths[row] = len(words)
            for word, count in Counter(words).items():
                self._rows.setdefault(word, array("q")).append(row)
                self._counts.setdefault(word, array("q")).append(count)
        self._waiting.clear()
        self._statistics.clear()

    def lengths(self, size: int) -> npt.NDArray[np.int64]:
        """Return how many words the task of each of *size* rows has; 0 for one without a task."""
        lengths = np.zeros(size, dtype=np.int64)
        known = min(size, len(self._lengths))
        lengths[:known] = self._lengths[:known]
        return lengths

    def having(self, word: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the rows whose task has *word*, rising, and how often."""
        none: array[int] = array("q")
        return (
            np.array(self._rows.get(word, none), dtype=np.int64),
            np.array(self._counts.get(word, none), dtype=np.int64),
        )


class Statistics:
    """
    Word statistics of the rows under one mask.

    Args:
        lexicon: Which row has which words.

        found: The rows that count.

    Attributes:
        found: The mask, the very object.
    """

    def __init__(self, lexicon: Lexicon, found: Mask) -> None:
        self.found = found
        self._lexicon = lexicon
        self._lengths = lexicon.lengths(len(found))
        counted = found & (self._lengths > 0)
        self._tasks = int(counted.sum())
        # A sum of whole numbers, so that it does not depend on the order of rows.
        self._mean_length = int(self._lengths[counted].sum()) / self._tasks if self._tasks else 1.0
        self._weights: dict[str, tuple[npt.NDArray[np.int64], Scores]] = {}

    def scores(self, question: str) -> Scores:
        """
        Return how well each row's task matches *question*, 0 where they share no word; shape ``(len(found),)``.

        Rounded to 1e-6. A word that the question repeats counts once.

        Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, section 3.4;
        the inverse document frequency with 1 inside the logarithm, so that it is never negative, is Lucene's
        (Kamphuis et al., "Which BM25 Do You Mean?", ECIR 2020, table 1).
        """
        total = np.zeros(len(self.found), dtype=np.float64)
        # Sorted, because a float sum depends on its order and a question's word order must not.
        for word in sorted(set(words_of(question))):
            rows, weights = self._weights_of(word)
            total[rows] += weights
        return total.round(DECIMALS)

    def scores_of(self, question: str, rows: npt.NDArray[np.int64]) -> Scores:
        """Return what ``scores`` says of *rows*, which rise, and look at no others."""
        total = np.zeros(len(rows), dtype=np.float64)
        for word in sorted(set(words_of(question))):
            having, weights = self._weights_of(word)
            if len(having):
                # A row behind the last that has the word is clipped to that one, which is another.
                places = having.searchsorted(rows)
                total += weights.take(places, mode="clip") * (having.take(places, mode="clip") == rows)
        found: Scores = total.round(DECIMALS)
        return found

    def _weights_of(self, word: str) -> tuple[npt.NDArray[np.int64], Scores]:
        """Return the rows with *word* under the mask, and what it adds to the score of each."""
        if word not in self._weights:
            rows, counts = self._lexicon.having(word)
            end = int(np.searchsorted(rows, len(self.found)))
            rows, counts = rows[:end], counts[:end]
            kept = self.found[rows]
            rows, counts = rows[kept], counts[kept]
            rarity = math.log(1.0 + (self._tasks - len(rows) + 0.5) / (len(rows) + 0.5))
            norm = K1 * (1.0 - B + B * self._lengths[rows] / self._mean_length)
            self._weights[word] = rows, rarity * counts / (counts + norm)
        return self._weights[word]


def best_rows(scores: Scores, live: Mask, need: int) -> tuple[npt.NDArray[np.int64], Scores]:
    """Return the live rows with a score above 0 that reach that of the *need*-th best, rising, and their scores."""
    rows = np.flatnonzero(live & (scores[: len(live)] > 0.0))
    found = scores[rows]
    if len(rows) > need:
        cut = len(rows) - need
        best = found >= np.partition(found, cut)[cut]
        rows, found = rows[best], found[best]
    return rows, found


def in_order(rows: Sequence[int], scores: Scores, content_keys: Sequence[str]) -> list[tuple[int, float]]:
    """Return (row, score), the highest score first, ties by content."""
    pairs = zip(rows, scores.tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], content_keys[pair[0]], pair[0]))
