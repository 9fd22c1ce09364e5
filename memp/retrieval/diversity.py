"""
Answers that do not all say the same.

Maximal marginal relevance: the best match first; then, again and again, the one that is most relevant less what it
repeats of those already chosen. Repeating is measured by the tasks that procedures were learned from, because two
procedures for the same task are what one would rather not see twice.

Source: Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
Summaries", SIGIR 1998, section 2; their lambda is one less the diversity here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from memp.embedding.base import Matrix
from memp.errors import InvalidInputError
from memp.retrieval.ranking import Ranked
from memp.retrieval.scoring import DECIMALS, exact_scores, shares

CANDIDATES: Final = 50
"""Matches among which diverse ones are chosen, or twice as many as are asked for, if that is more."""


def check_diversity(diversity: object) -> None:
    """
    Refuse what is no share.

    Raises:
        InvalidInputError: It is not a number from 0 to 1.
    """
    if isinstance(diversity, bool) or not isinstance(diversity, int | float) or not 0.0 <= diversity <= 1.0:
        raise InvalidInputError(f"'diversity' must be from 0 (best matches) to 1 (all different) (got {diversity!r}).")


def candidates(k: int) -> int:
    """Return how many matches to choose *k* diverse ones from."""
    return max(CANDIDATES, 2 * k)


def diversify(ranked: Sequence[Ranked], vectors: Matrix, *, k: int, diversity: float) -> list[Ranked]:
    """
    Choose *k* of *ranked*.

    Args:
        ranked: The candidates, best first.

        vectors: The embedding of each one's task, shape ``(len(ranked), dim)``.

        k: How many at most, 1 or more.

        diversity: What repeating costs, from 0 to 1.

    Returns:
        At most *k*; the score is ``(1 - diversity) * relevance - diversity * redundancy``, which never rises. Relevance
        is the candidate's score as a share of the way from the lowest to the highest of all candidates; redundancy the
        cosine with the most similar one chosen before, 0 for the first. Both, and the key's own score, are parts.
    """
    relevance = shares([one.score for one in ranked])
    redundancy = np.zeros(len(ranked), dtype=np.float64)
    left = list(range(len(ranked)))
    chosen: list[Ranked] = []
    while left and len(chosen) < k:
        values = np.round((1.0 - diversity) * relevance[left] - diversity * redundancy[left], DECIMALS) + 0.0
        # argmax takes the first of equals, and candidates come in an order that content decided.
        place = int(np.argmax(values))
        one = left.pop(place)
        parts = {
            **ranked[one].parts,
            "score": ranked[one].score,
            "relevance": float(relevance[one]),
            "redundancy": float(redundancy[one]),
        }
        chosen.append(attrs.evolve(ranked[one], score=float(values[place]), parts=parts))
        near = exact_scores(vectors[one], vectors)
        redundancy = near if len(chosen) == 1 else np.maximum(redundancy, near)
    return chosen
