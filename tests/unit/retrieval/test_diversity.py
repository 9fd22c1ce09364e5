"""Maximal marginal relevance: the best first, then what adds most."""

from __future__ import annotations

import numpy as np
import pytest

from memp.embedding.base import Matrix
from memp.errors import InvalidInputError
from memp.retrieval.diversity import candidates, check_diversity, diversify
from memp.retrieval.ranking import Ranked


def ranked(*scores: float) -> list[Ranked]:
    return [Ranked(row=row, score=score, parts={"query": score}) for row, score in enumerate(scores)]


def at(*degrees: float) -> Matrix:
    radians = np.deg2rad(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_a_repetition_gives_way_to_something_else() -> None:
    """Second comes the one that is a little less relevant and says something new, with all parts of its score."""
    first, second = diversify(ranked(1.0, 0.9, 0.5), at(0, 1, 90), k=2, diversity=0.5)
    assert (first.row, second.row) == (0, 2)
    assert first.parts == {"query": 1.0, "score": 1.0, "relevance": 1.0, "redundancy": 0.0}
    assert second.parts == {"query": 0.5, "score": 0.5, "relevance": 0.0, "redundancy": 0.0}


def test_little_diversity_keeps_the_order() -> None:
    """What is much more relevant stays ahead."""
    found = diversify(ranked(1.0, 0.9, 0.1), at(0, 40, 90), k=3, diversity=0.1)
    assert [one.row for one in found] == [0, 1, 2]


def test_the_score_never_rises_and_equals_come_in_order() -> None:
    """Values fall from match to match; candidates with the same value stay in the order of the key."""
    found = diversify(ranked(0.5, 0.5, 0.5, 0.5), at(0, 0, 60, 60), k=4, diversity=0.7)
    assert [one.row for one in found] == [0, 2, 1, 3]
    values = [one.score for one in found]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("diversity", [-0.1, 1.1, True, "0.3", None, float("nan")])
def test_diversity_is_a_share(diversity: float) -> None:
    """What is no number from 0 to 1 is refused."""
    with pytest.raises(InvalidInputError, match="'diversity' must be"):
        check_diversity(diversity)


def test_enough_candidates() -> None:
    """Fifty to choose from, or twice as many as are wanted."""
    assert (candidates(3), candidates(40)) == (50, 80)
