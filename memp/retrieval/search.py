"""
From a task to the procedures that may help: the retrieval keys.

Each key is a function of what can be found and of the task; a new key is one more function in ``KEYS``.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from memp.embedding.base import Vector
from memp.errors import InvalidInputError
from memp.index.base import Mask
from memp.retrieval.catalogue import FACT, PATTERN, TASK, Catalogue
from memp.retrieval.diversity import candidates, check_diversity, diversify
from memp.retrieval.facts import facts_in, rank_by_facts
from memp.retrieval.fusion import POOL, Listed, fuse
from memp.retrieval.lexical import Statistics, best_rows, in_order
from memp.retrieval.patterns import mask_query, normal_pattern
from memp.retrieval.ranking import Criterion, Ranked, check_k, nearest, rank, rank_randomly, scores_of

DEFAULT_KEY = "pattern"
"""
What a task asks for tells best which procedure helps. ``hybrid`` finds the right kind a little more often and costs
three times as much; see docs/explanation/retrieval.md.
"""


@attrs.frozen(kw_only=True, eq=False)
class Question:
    """
    What is asked of which version of the memory.

    Attributes:
        task: The task in words.

        k: How many procedures at most, 1 or more.

        catalogue: What can be found.

        live: Which rows may be found.

        found: All rows of the version and scope, those that a filter leaves out too: word statistics are theirs.

        fixed_words: The words of all their patterns.

        embed: Returns the vector of a text.

        seed: For the ``random`` key.
    """

    task: str
    k: int
    catalogue: Catalogue
    live: Mask
    found: Mask
    fixed_words: frozenset[str]
    embed: Callable[[str], Vector]
    seed: int = 0

    def criterion(self, name: str, kind: str, text: str) -> Criterion:
        """Return likeness of *text* to the texts of *kind* as something to rank by."""
        return Criterion(
            name=name,
            query=self.embed(text),
            index=self.catalogue.indexes[kind],
            entries=self.catalogue.entries(kind),
            selection=self.catalogue.selection(kind, self.live),
        )

    def pattern_criterion(self) -> Criterion:
        """Return likeness of what is asked for, names left open."""
        masked = normal_pattern(mask_query(self.task, self.fixed_words))
        return self.criterion("pattern", PATTERN, masked)

    def query_criterion(self) -> Criterion:
        """Return likeness of the whole task."""
        return self.criterion("query", TASK, self.task)

    def word_statistics(self) -> Statistics:
        """Return how often words stand in the tasks of the version and scope."""
        return self.catalogue.lexicon.under(self.found)


def by_query(question: Question) -> list[Ranked]:
    """Rank by likeness of the task to the tasks that were learned from."""
    criteria = [question.query_criterion()]
    return rank(criteria, live=question.live, content_keys=question.catalogue.content_keys, k=question.k)


def by_pattern(question: Question) -> list[Ranked]:
    """Rank by likeness of what is asked for, names left open; the whole task breaks ties."""
    criteria = [question.pattern_criterion(), question.query_criterion()]
    return rank(criteria, live=question.live, content_keys=question.catalogue.content_keys, k=question.k)


def by_facts(question: Question) -> list[Ranked]:
    """Rank by likeness of the task's facts to those of procedures, averaged."""
    return rank_by_facts(
        [question.embed(fact) for fact in facts_in(question.task)],
        question.catalogue.selection(FACT, question.live),
        question.catalogue.indexes[FACT],
        content_keys=question.catalogue.content_keys,
        k=question.k,
    )


def by_words(question: Question) -> list[Ranked]:
    """Rank by the words that tasks share, rare ones first; what shares none is not found."""
    scores = question.word_statistics().scores(question.task)
    rows, found = best_rows(scores, question.live, question.k)
    ordered = in_order(rows.tolist(), found, question.catalogue.content_keys)[: question.k]
    return [Ranked(row=row, score=score, parts={"bm25": score}) for row, score in ordered]


def by_fusion(question: Question) -> list[Ranked]:
    """
    Rank by the ranks that patterns, whole tasks and words give.

    Rows that none of the three lists follow by pattern, with a score of 0.
    """
    live, keys = question.live, question.catalogue.content_keys
    criteria = [question.pattern_criterion(), question.query_criterion()]
    words = question.word_statistics().scores(question.task)
    lists = []
    for criterion in criteria:
        rows, scores = nearest(criterion, live=live, need=POOL)
        lists.append(Listed(name=criterion.name, rows=rows, scores=scores))
    rows, scores = best_rows(words, live, POOL)
    lists.append(Listed(name="bm25", rows=rows, scores=scores))
    fused = fuse(lists, content_keys=keys, k=question.k)
    missing = question.k - len(fused)
    if missing > 0:
        rest = live.copy()
        rest[np.concatenate([one.rows for one in lists])] = False
        others = rank(criteria, live=rest, content_keys=keys, k=missing) if rest.any() else []
        fused += [Ranked(row=one.row, score=0.0, parts={}) for one in others]
    found = [one.row for one in fused]
    for criterion in criteria:
        for one, score in zip(fused, scores_of(criterion, found), strict=True):
            if score is not None:
                one.parts[criterion.name] = score
    for one in fused:
        one.parts["bm25"] = float(words[one.row])
    return fused


def at_random(question: Question) -> list[Ranked]:
    """Draw by lot, the same lot for the same task and seed: the yardstick that a memory must beat."""
    return rank_randomly(
        question.task,
        live=question.live,
        content_keys=question.catalogue.content_keys,
        k=question.k,
        seed=question.seed,
    )


KEYS: dict[str, Callable[[Question], list[Ranked]]] = {
    "hybrid": by_fusion,
    "pattern": by_pattern,
    "query": by_query,
    "facts": by_facts,
    "bm25": by_words,
    "random": at_random,
}
"""The keys that ship, by the name that ``retrieve(key=…)`` takes."""


def search(
    question: Question, *, key: str | None = None, tainted: Mask | None = None, diversity: float = 0.0
) -> list[Ranked]:
    """
    Return the rows that *key* finds, best first.

    Args:
        question: What is asked.

        key: A name of ``KEYS``; None takes the default.

        tainted: Rows that may be found too, and come after all others: what they were made from is out of force.

        diversity: How much of relevance is given up for answers that do not repeat each other, from 0 to 1.

    Raises:
        InvalidInputError: There is no such key, the task is empty, *k* is below 1, or *diversity* is no share.
    """
    if not question.task.strip():
        raise InvalidInputError("'task' must say what is to be done (got an empty text).")
    name = key or DEFAULT_KEY
    if name not in KEYS:
        raise InvalidInputError(f"'key' must be one of {', '.join(sorted(KEYS))} (got {key!r}).")
    check_k(question.k)
    check_diversity(diversity)
    ranked = _search(question, name, diversity)
    missing = question.k - len(ranked)
    if tainted is not None and missing > 0 and tainted.any():
        ranked += _search(attrs.evolve(question, k=missing, live=tainted), name, diversity)
    return ranked


def _search(question: Question, key: str, diversity: float) -> list[Ranked]:
    if diversity == 0.0:
        return KEYS[key](question)
    pool = KEYS[key](attrs.evolve(question, k=candidates(question.k)))
    if not pool:
        return pool
    tasks = question.catalogue.vectors_of(TASK, [one.row for one in pool])
    return diversify(pool, tasks, k=question.k, diversity=diversity)
