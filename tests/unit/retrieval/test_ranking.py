"""The order of rows: by score, by the next criterion, by content."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.embedding import normalise
from memp.errors import InvalidInputError
from memp.index import ExactIndex
from memp.retrieval import ranking
from memp.retrieval.ranking import (
    Criterion,
    Entries,
    Lots,
    Ranked,
    Selection,
    lot_of,
    nearest_among,
    rank,
    rank_randomly,
)

EAST = np.array([1.0, 0.0], dtype=np.float32)


def criterion(name: str, texts: Sequence[Sequence[float]]) -> Criterion:
    """Return a criterion under which each row scores as much as its best text, given as degrees from the question."""
    index = ExactIndex(2)
    rows: list[int] = []
    slots: list[int] = []
    for row, angles in enumerate(texts):
        for angle in angles:
            radians = np.deg2rad(angle)
            vector = normalise(np.array([[np.cos(radians), np.sin(radians)]]))
            rows.append(row)
            slots.extend(index.add([str(angle)], vector).tolist())
    return Criterion(name=name, query=EAST, index=index, entries=Entries(rows=np.array(rows), slots=np.array(slots)))


def order(found: Sequence[Ranked]) -> list[int]:
    return [one.row for one in found]


def lots(content_keys: Sequence[str]) -> Lots:
    return np.array([lot_of(key) for key in content_keys], dtype=np.uint64)


def everything(count: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.ones(count, dtype=np.bool_)


def test_nearest_first() -> None:
    """Rows come by falling score, with the score rounded to a millionth."""
    found = rank([criterion("query", [[60], [0], [30]])], live=everything(3), content_keys="abc", k=3)
    assert order(found) == [1, 2, 0]
    assert [one.score for one in found] == [1.0, 0.866025, 0.5]
    assert found[1].parts == {"query": 0.866025}


def test_a_row_scores_its_best_text() -> None:
    """Of several texts of a procedure the nearest counts, and it is found once."""
    found = rank([criterion("query", [[80, 10, 50], [20]])], live=everything(2), content_keys="ab", k=5)
    assert order(found) == [0, 1]


def test_many_near_texts_of_one_row_do_not_crowd_out_others() -> None:
    """A row with a hundred near texts takes one place in the answer, and the others follow."""
    texts: list[list[float]] = [[angle / 100 for angle in range(100)], [40], [50], [60]]
    assert order(rank([criterion("query", texts)], live=everything(4), content_keys="abcd", k=3)) == [0, 1, 2]


def test_ties_go_to_the_next_criterion() -> None:
    """Where patterns are equally near, the tasks decide, but never against the patterns."""
    patterns = criterion("pattern", [[10], [10], [5], [10]])
    tasks = criterion("query", [[30], [20], [90], [40]])
    found = rank([patterns, tasks], live=everything(4), content_keys="abcd", k=3)
    assert order(found) == [2, 1, 0]
    assert found[1].parts == {"pattern": 0.984808, "query": 0.939693}
    assert found[1].score == 0.984808


def test_full_ties_go_by_content() -> None:
    """Rows that are equal by every criterion come in the order of their content keys."""
    ties = criterion("query", [[10]] * 4)
    assert order(rank([ties], live=everything(4), content_keys=["d", "b", "c", "a"], k=3)) == [3, 1, 2]


def test_a_difference_below_the_last_digit_is_a_tie() -> None:
    """Scores that are the same to a millionth tie, though BLAS would tell them apart."""
    near = criterion("query", [[0.0], [0.01], [0.02]])
    assert order(rank([near], live=everything(3), content_keys=["c", "b", "a"], k=1)) == [2]


def test_dead_rows_are_not_found() -> None:
    """A row outside the mask is not found, however near, and neither is one behind the mask's end."""
    query = criterion("query", [[0], [10], [20], [5]])
    live = np.array([False, True, True])
    assert order(rank([query], live=live, content_keys="abcd", k=4)) == [1, 2]
    assert rank([query], live=np.zeros(4, dtype=np.bool_), content_keys="abcd", k=4) == []


def test_a_row_without_a_text_for_the_second_criterion_comes_last() -> None:
    """Among rows that tie, one that the next criterion knows nothing of comes after those that it knows."""
    patterns = criterion("pattern", [[10], [10], [10]])
    tasks = criterion("query", [[], [20], [80]])
    found = rank([patterns, tasks], live=everything(3), content_keys="abc", k=3)
    assert order(found) == [1, 2, 0]
    assert found[2].parts == {"pattern": 0.984808}


@pytest.mark.parametrize("k", [0, -1, True, 2.0, None])
def test_k_must_be_a_count(k: int) -> None:
    """Asking for nothing, or for something that is no count, is refused."""
    with pytest.raises(InvalidInputError, match="'k' must be a whole number"):
        rank([criterion("query", [[0]])], live=everything(1), content_keys="a", k=k)
    with pytest.raises(InvalidInputError, match="'k' must be a whole number"):
        rank_randomly("task", live=everything(1), lots=lots("a"), content_keys="a", k=k)


def test_a_lot_depends_on_task_seed_and_content_alone() -> None:
    """The same question draws the same contents wherever their rows stand; another task or seed draws others."""
    keys = [f"{number:064x}" for number in range(200)]

    def drawn(task: str, seed: int, content_keys: Sequence[str]) -> list[str]:
        live = everything(len(content_keys))
        found = rank_randomly(task, live=live, lots=lots(content_keys), content_keys=content_keys, k=10, seed=seed)
        return [content_keys[one.row] for one in found]

    first = drawn("put a mug", 0, keys)
    assert first == drawn("put a mug", 0, keys[::-1])
    assert first != drawn("put a cup", 0, keys)
    assert first != drawn("put a mug", 1, keys)


def test_lots_fall_and_respect_the_mask() -> None:
    """Lots lie in [0, 1], the highest first, and only live rows are drawn."""
    live = np.arange(50) % 2 == 0
    keys = [str(row) for row in range(60)]
    found = rank_randomly("task", live=live, lots=lots(keys), content_keys=keys, k=60)
    assert sorted(order(found)) == list(range(0, 50, 2))
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)


def test_equal_lots_go_by_content_and_every_row_has_its_chance() -> None:
    """Rows with one lot come in the order of their contents, and over many tasks each of ten rows is drawn first."""
    same = np.zeros(4, dtype=np.uint64)
    found = rank_randomly("task", live=everything(4), lots=same, content_keys="dbca", k=3)
    assert order(found) == [3, 1, 2]
    keys = [f"content {row}" for row in range(10)]
    first = [
        rank_randomly(f"task {n}", live=everything(10), lots=lots(keys), content_keys=keys, k=1)[0].row
        for n in range(1000)
    ]
    # With a fair lot each is drawn 100 times, give or take 9.5; five times as much is a lot that prefers somebody.
    assert all(abs(first.count(row) - 100) < 48 for row in range(10))


def test_the_nearest_among_some_rows_are_those_of_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Multiplying a few rows and asking the index for them give the same rows and scores, ties and all."""
    query = criterion("query", [[80, 10, 50], [20], [10], [70], [], [10, 30], [60]])
    rows = np.array([0, 1, 2, 3, 4, 5])
    for need in (1, 2, 3, 4, 9):
        monkeypatch.setattr(ranking, "GATHERED_MAX", 1_024)
        few = nearest_among(query, rows, need=need)
        monkeypatch.setattr(ranking, "GATHERED_MAX", 0)
        many = nearest_among(query, rows, need=need)
        assert [part.tolist() for part in few] == [part.tolist() for part in many]
    assert nearest_among(query, np.array([4]), need=1)[0].tolist() == []


def test_a_selection_serves_its_own_mask_alone() -> None:
    """Entries that were selected before are used for the very mask that selected them, and for no other."""
    query, live, other = criterion("query", [[0], [10], [20]]), np.array([False, True, True]), everything(3)
    kept = attrs.evolve(query, selection=Selection(query.entries.within(live), live=live))
    assert kept.among(live) is kept.selection
    assert order(rank([kept], live=live, content_keys="abc", k=3)) == [1, 2]
    assert order(rank([kept], live=other, content_keys="abc", k=3)) == [0, 1, 2]


def test_a_selection_finds_all_entries_of_a_text() -> None:
    """Rows that share a text are all found by it, whatever the order in which texts are named."""
    entries = Entries(rows=np.array([0, 1, 1, 2, 3]), slots=np.array([7, 2, 7, 4, 2]))
    found = Selection(entries).having(np.array([7, 2, 5]))
    assert (found.rows.tolist(), found.slots.tolist()) == ([0, 1, 1, 3], [7, 2, 7, 2])
    assert Selection(entries).allowed.tolist() == [False, False, True, False, True, False, False, True]
    assert entries.of(np.array([1, 3])).slots.tolist() == [2, 7, 2]
    assert len(Selection(entries.of(np.array([], dtype=np.int64))).allowed) == 0


@given(
    entries=st.sets(st.tuples(st.integers(0, 9), st.integers(0, 7)), min_size=1, max_size=30),
    scores=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=8, max_size=8),
    one_text_each=st.booleans(),
    n=st.integers(1, 12),
)
def test_the_nth_best_row_is_counted_by_rows(
    entries: set[tuple[int, int]], scores: list[float], one_text_each: bool, n: int
) -> None:
    """The n-th best score is one of rows, each with its best text, however many texts a row or rows a text has."""
    pairs = sorted(dict(sorted(entries)).items() if one_text_each else entries)
    rows, slots = (np.array(part) for part in zip(*pairs, strict=True))
    used = np.unique(slots)[::-1]
    best = sorted(max(scores[slot] for row, slot in pairs if row == one) for one in {row for row, _ in pairs})[::-1]
    found = Selection(Entries(rows=rows, slots=slots)).nth_best(used, np.array(scores)[used], n)
    assert found == (best[n - 1] if n <= len(best) else -np.inf)
