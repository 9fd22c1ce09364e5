"""
From a task to the procedures that may help: the retrieval keys.

Each key is a function of what can be found and of the task; a new key is one more function in ``KEYS``.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from memp.embedding.base import Vector
from memp.errors import InvalidInputError
from memp.index.base import Mask
from memp.retrieval.catalogue import PATTERN, TASK, Catalogue
from memp.retrieval.patterns import mask_query, normal_pattern
from memp.retrieval.ranking import Criterion, Ranked, rank, rank_randomly

DEFAULT_KEY = "pattern"
"""What a task asks for tells better which procedure helps than the names of the things it is about."""


@attrs.frozen(kw_only=True, eq=False)
class Question:
    """
    What is asked of which version of the memory.

    Attributes:
        task: The task in words.

        k: How many procedures at most, 1 or more.

        catalogue: What can be found.

        live: Which rows may be found.

        fixed_words: The words of all patterns that may be found.

        embed: Returns the vector of a text.

        seed: For the ``random`` key.
    """

    task: str
    k: int
    catalogue: Catalogue
    live: Mask
    fixed_words: frozenset[str]
    embed: Callable[[str], Vector]
    seed: int = 0

    def criterion(self, name: str, kind: str, text: str) -> Criterion:
        """Return likeness of *text* to the texts of *kind* as something to rank by."""
        return Criterion(
            name=name, query=self.embed(text), index=self.catalogue.indexes[kind], entries=self.catalogue.entries(kind)
        )


def by_query(question: Question) -> list[Ranked]:
    """Rank by likeness of the task to the tasks that were learned from."""
    query = question.criterion("query", TASK, question.task)
    return rank([query], live=question.live, content_keys=question.catalogue.content_keys, k=question.k)


def by_pattern(question: Question) -> list[Ranked]:
    """Rank by likeness of what is asked for, names left open; the whole task breaks ties."""
    masked = normal_pattern(mask_query(question.task, question.fixed_words))
    criteria = [question.criterion("pattern", PATTERN, masked), question.criterion("query", TASK, question.task)]
    return rank(criteria, live=question.live, content_keys=question.catalogue.content_keys, k=question.k)


def at_random(question: Question) -> list[Ranked]:
    """Draw by lot, the same lot for the same task and seed: the yardstick that a memory must beat."""
    return rank_randomly(
        question.task,
        live=question.live,
        content_keys=question.catalogue.content_keys,
        k=question.k,
        seed=question.seed,
    )


KEYS: dict[str, Callable[[Question], list[Ranked]]] = {"pattern": by_pattern, "query": by_query, "random": at_random}
"""The keys that ship, by the name that ``retrieve(key=…)`` takes."""


def search(question: Question, *, key: str | None = None, tainted: Mask | None = None) -> list[Ranked]:
    """
    Return the rows that *key* finds, best first.

    Args:
        question: What is asked.

        key: A name of ``KEYS``; None takes the default.

        tainted: Rows that may be found too, and come after all others: what they were made from is out of force.

    Raises:
        InvalidInputError: There is no such key, the task is empty, or *k* is below 1.
    """
    if not question.task.strip():
        raise InvalidInputError("'task' must say what is to be done (got an empty text).")
    name = key or DEFAULT_KEY
    if name not in KEYS:
        raise InvalidInputError(f"'key' must be one of {', '.join(sorted(KEYS))} (got {key!r}).")
    ranked = KEYS[name](question)
    missing = question.k - len(ranked)
    if tainted is not None and missing > 0 and tainted.any():
        ranked += KEYS[name](attrs.evolve(question, k=missing, live=tainted))
    return ranked
