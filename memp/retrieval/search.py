"""
From a task to the procedures that may help: the retrieval keys.

Each key is a function of what can be found and of the task; a new key is one more function in ``KEYS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np

from memp.embedding.base import Vector
from memp.errors import InvalidInputError
from memp.index.base import Mask
from memp.retrieval.catalogue import FACT, PATTERN, TASK, Catalogue
from memp.retrieval.diversity import candidates, check_diversity, diversify
from memp.retrieval.facts import facts_in, rank_by_facts
from memp.retrieval.fusion import POOL, UNLISTED, Scores, fuse
from memp.retrieval.lexical import Statistics, best_rows, in_order
from memp.retrieval.patterns import mask_query, normal_pattern
from memp.retrieval.ranking import (
    Criterion,
    Ranked,
    Rows,
    check_k,
    nearest,
    nearest_among,
    rank,
    rank_randomly,
    scores_of,
)
from memp.retrieval.space import Space
from memp.retrieval.weighing import check_weight, weigh

DEFAULT_KEY = "hybrid"
"""What a task asks for tells best which procedures may help, and its words which of them help most."""


def _nothing_known(_row: int) -> float:
    return 0.0


@attrs.frozen(kw_only=True, eq=False)
class Question:
    """
    What is asked of which version of the memory.

    Attributes:
        task: The task in words.

        k: How many procedures at most, 1 or more.

        catalogue: What can be found.

        space: Its texts as vectors, of the generation that the version is asked in.

        live: Which rows may be found.

        found: All rows of the version and scope, those that a filter leaves out too: word statistics are theirs.

        fixed_words: The words of all their patterns.

        embed: Returns the vector of a text.

        seed: For the ``random`` key.

        pool: How many rows the keys that are fused are asked for.

        lower_end: Returns the lower end of the interval in which a row's share of episodes that it helps in lies.
    """

    task: str
    k: int
    catalogue: Catalogue
    space: Space
    live: Mask
    found: Mask
    fixed_words: frozenset[str]
    embed: Callable[[str], Vector]
    seed: int = 0
    pool: int = POOL
    lower_end: Callable[[int], float] = _nothing_known

    def criterion(self, name: str, kind: str, text: str) -> Criterion:
        """Return likeness of *text* to the texts of *kind* as something to rank by."""
        return Criterion(
            name=name,
            query=self.embed(text),
            index=self.space.indexes[kind],
            entries=self.space.entries(kind),
            selection=self.space.selection(kind, self.live),
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
        question.space.selection(FACT, question.live),
        question.space.indexes[FACT],
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
    Rank what patterns propose by the ranks that patterns, whole tasks and words give it.

    Where more are asked for than patterns propose, the rest follows by pattern, with a score of 0.
    """
    live, keys = question.live, question.catalogue.content_keys
    pattern, query = question.pattern_criterion(), question.query_criterion()
    rows, by_pattern = nearest(pattern, live=live, need=question.pool)
    by_query = np.full(len(rows), UNLISTED)
    listed, scores = nearest_among(query, rows, need=question.pool)
    by_query[rows.searchsorted(listed)] = scores
    words = question.word_statistics().scores_of(question.task, rows)
    lists = {"pattern": by_pattern, "query": by_query, "bm25": np.where(words > 0.0, words, UNLISTED)}
    fused = fuse(rows, lists, content_keys=keys, k=question.k, pool=question.pool)
    if len(fused) < question.k:
        proposed = set(rows.tolist())
        others = rank([pattern, query], live=live, content_keys=keys, k=question.k)
        fused += [Ranked(row=one.row, score=0.0, parts={}) for one in others if one.row not in proposed]
    return [_with_scores(one, question, (pattern, query), rows, lists) for one in fused]


def _with_scores(
    one: Ranked, question: Question, criteria: Sequence[Criterion], rows: Rows, lists: Mapping[str, Scores]
) -> Ranked:
    """Return *one* with each key's own score among its parts, those too that gave it no points."""
    place = int(rows.searchsorted(one.row))
    there = place < len(rows) and rows[place] == one.row
    known = {name: float(scores[place]) for name, scores in lists.items()} if there else {}
    own: dict[str, float] = {}
    for criterion in criteria:
        score: float | None = known.get(criterion.name, UNLISTED)
        if score == UNLISTED:
            [score] = scores_of(criterion, [one.row])
        if score is not None:
            own[criterion.name] = score
    words = known.get("bm25")
    if words is None:
        words = float(question.word_statistics().scores_of(question.task, np.array([one.row]))[0])
    own["bm25"] = max(words, 0.0)
    return Ranked(row=one.row, score=one.score, parts={**one.parts, **own})


def at_random(question: Question) -> list[Ranked]:
    """Draw by lot, the same lot for the same task and seed: the yardstick that a memory must beat."""
    return rank_randomly(
        question.task,
        live=question.live,
        lots=question.catalogue.lots(),
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
    question: Question,
    *,
    key: str | None = None,
    tainted: Mask | None = None,
    diversity: float = 0.0,
    evidence_weight: float = 0.0,
) -> list[Ranked]:
    """
    Return the rows that *key* finds, best first.

    Args:
        question: What is asked.

        key: A name of ``KEYS``; None takes the default.

        tainted: Rows that may be found too, and come after all others: what they were made from is out of force.

        diversity: How much of relevance is given up for answers that do not repeat each other, from 0 to 1.

        evidence_weight: How much it counts that a match helped before, from 0 to 1.

    Raises:
        InvalidInputError: There is no such key, the task is empty, *k* is below 1, or one of the last two is no share.
    """
    if not question.task.strip():
        raise InvalidInputError("'task' must say what is to be done (got an empty text).")
    name = key or DEFAULT_KEY
    if name not in KEYS:
        raise InvalidInputError(f"'key' must be one of {', '.join(sorted(KEYS))} (got {key!r}).")
    check_k(question.k)
    check_diversity(diversity)
    check_weight(evidence_weight)
    ranked = _search(question, name, diversity, evidence_weight)
    missing = question.k - len(ranked)
    if tainted is not None and missing > 0 and tainted.any():
        ranked += _search(attrs.evolve(question, k=missing, live=tainted), name, diversity, evidence_weight)
    return ranked


def _search(question: Question, key: str, diversity: float, evidence_weight: float) -> list[Ranked]:
    if diversity == 0.0 and evidence_weight == 0.0:
        return KEYS[key](question)
    most = candidates(question.k)
    pool = KEYS[key](attrs.evolve(question, k=most, pool=most))
    if evidence_weight and pool:
        pool = weigh(pool, [question.lower_end(one.row) for one in pool], weight=evidence_weight)
    if diversity == 0.0 or not pool:
        return pool[: question.k]
    tasks = question.space.vectors_of(TASK, [one.row for one in pool])
    return diversify(pool, tasks, k=question.k, diversity=diversity)
