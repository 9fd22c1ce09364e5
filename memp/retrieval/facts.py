"""
Facts: the short pieces by which a task or a procedure can be told, each compared on its own.

By rule: what stands between words of grammar. ``put a hot mug in the cabinet`` has the facts ``put``, ``hot mug`` and
``cabinet``. A model may say better ones, and what a procedure's content names as its facts counts beside these. Whole
tasks blur what one piece asks for; pieces compared one by one and averaged do not.

Source: the key AveFact of Memp (arXiv 2508.06433), section 3.2, which averages likeness over facts that a model
extracts; the rule is that of candidate keywords in Rose et al., "Automatic Keyword Extraction from Individual
Documents", 2010, section 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from memp.embedding.base import Vector
from memp.embedding.hashed import FUNCTION_WORDS
from memp.index.base import Mask, VectorIndex, coarse_margin
from memp.retrieval.ranking import Entries, Ranked, Rows, Selection
from memp.retrieval.scoring import DECIMALS, exact_scores

FACTS_MAX = 24
"""Facts of one text: a task has three or four, and a page of text given as a task must not become a hundred vectors."""

FACT_WORDS_MAX = 6
"""Words of one fact; a longer run of words without grammar is no phrase."""

_WORD_OR_SIGN = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*|[^\w\s]")


def facts_in(text: str) -> tuple[str, ...]:
    """
    Return the facts of *text*: runs of words between words of grammar and signs, in lower case, each once, in order.

    At most ``FACTS_MAX``; a text without any word but those of grammar is one fact itself.
    """
    found = dict.fromkeys(" ".join(phrase) for phrase in _phrases(text))
    return tuple(found)[:FACTS_MAX] or (text.strip() or text,)


def _phrases(text: str) -> Iterator[list[str]]:
    phrase: list[str] = []
    for word in (*_WORD_OR_SIGN.findall(text.casefold()), "."):
        if word in FUNCTION_WORDS or not word[0].isalnum() or len(phrase) == FACT_WORDS_MAX:
            if phrase:
                yield phrase
            phrase = []
        if word not in FUNCTION_WORDS and word[0].isalnum():
            phrase.append(word)


def rank_by_facts(
    queries: Sequence[Vector], selection: Selection, index: VectorIndex, *, content_keys: Sequence[str], k: int
) -> list[Ranked]:
    """
    Return the *k* rows whose facts are most like those of a task.

    The score is the likeness of each fact of the task to the nearest fact of the row, averaged over the task's facts.

    Args:
        queries: The facts of the task, one or more, unit length.

        selection: The facts of the live rows.

        index: Holds their vectors.

        content_keys: What each row is, by content; decides ties.

        k: How many at most, 1 or more.
    """
    entries = selection.entries
    if not len(entries.rows):
        return []
    rows, coarse = _coarse(queries, entries, index, selection.allowed)
    if len(rows) > k:
        cut = len(rows) - k
        # Both sides of the comparison are averages of coarse scores, each off by as much as a single one at most.
        rows = rows[coarse >= np.partition(coarse, cut)[cut] - coarse_margin(index.dimension)]
    near = entries.of(rows)
    slots = np.unique(near.slots)
    vectors = index.vectors(slots)
    total = np.zeros(len(rows), dtype=np.float64)
    for query in queries:
        total += near.spread(slots, exact_scores(query, vectors))[1]
    scores = np.round(total / len(queries), DECIMALS) + 0.0
    ordered = sorted(
        zip(rows.tolist(), scores.tolist(), strict=True), key=lambda pair: (-pair[1], content_keys[pair[0]], pair[0])
    )
    return [Ranked(row=row, score=score, parts={"facts": score}) for row, score in ordered[:k]]


def _coarse(
    queries: Sequence[Vector], entries: Entries, index: VectorIndex, allowed: Mask
) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Return each row of *entries* once, rising, and its coarse average."""
    # All of them: an average cannot be bounded by the nearest few of each fact. One product of two matrices was
    # measured and takes longer than one product for each fact.
    vectors = index.run(0, len(allowed))
    starts = entries.starts()
    total = np.zeros(len(starts), dtype=np.float64)
    for query in queries:
        total += np.maximum.reduceat((vectors @ query)[entries.slots], starts)
    return entries.rows[starts], total / len(queries)
