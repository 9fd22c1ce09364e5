"""What every index keeps: it proposes enough, keeps vectors as they are, and refuses what would poison a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from memp.embedding import Matrix, normalise
from memp.errors import DimensionError, InvalidInputError
from memp.index import ExactIndex, HnswIndex, VectorIndex, coarse_margin

DIMENSION = 16


def graphs_wherever_due(dimension: int) -> HnswIndex:
    return HnswIndex(dimension, exact_up_to=0)


@pytest.fixture(params=[ExactIndex, HnswIndex, graphs_wherever_due], ids=["exact", "auto", "hnsw"])
def make_index(request: pytest.FixtureRequest) -> Iterator[Callable[[int], VectorIndex]]:
    """Yield what makes an empty index; close those that were made."""
    made: list[VectorIndex] = []

    def make(dimension: int) -> VectorIndex:
        made.append(request.param(dimension))
        return made[-1]

    yield make
    for index in made:
        index.close()


def vectors_of(count: int, seed: int = 1) -> Matrix:
    """Return unit vectors that lie in clusters, as those of texts do."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(5, DIMENSION))
    return normalise(centres[rng.integers(0, 5, count)] + 0.2 * rng.normal(size=(count, DIMENSION)))


def filled(make_index: Callable[[int], VectorIndex], count: int) -> tuple[VectorIndex, Matrix]:
    index, vectors = make_index(DIMENSION), vectors_of(count)
    index.add([f"text {number}" for number in range(count)], vectors)
    settle(index)
    return index, vectors


def settle(index: VectorIndex) -> None:
    """Wait for what works behind searches, so that what is tested is a graph and not what stands in for it."""
    if isinstance(index, HnswIndex):
        assert index.settle(timeout_seconds=60)


def test_slots_count_up(make_index: Callable[[int], VectorIndex]) -> None:
    """Texts get slots in the order in which they come, and keep them while the index grows."""
    index, vectors = filled(make_index, 1000)
    assert len(index) == 1000
    assert [index.slot(f"text {number}") for number in (0, 7, 999)] == [0, 7, 999]
    np.testing.assert_array_equal(index.vectors(np.array([999, 0])), vectors[[999, 0]])


def test_an_index_takes_over_the_texts_of_another(make_index: Callable[[int], VectorIndex]) -> None:
    """It answers as if they had been added one by one, and goes on from there; the vectors it was given stay as is."""
    whole, vectors = filled(make_index, 300)
    given = vectors[:200].copy()
    given.flags.writeable = False
    index = make_index(DIMENSION)
    index.fill([f"text {number}" for number in range(200)], given)
    assert (len(index), index.slot("text 199"), index.slot("text 200")) == (200, 199, None)
    index.add([f"text {number}" for number in range(190, 300)], vectors[190:])
    settle(index)
    assert index.keys() == whole.keys()
    np.testing.assert_array_equal(index.run(0, 300), vectors)
    np.testing.assert_array_equal(given, vectors[:200])
    for query in vectors[:5]:
        np.testing.assert_array_equal(index.search(query, k=3).slots[:1], whole.search(query, k=3).slots[:1])


def test_unknown_text_has_no_slot(make_index: Callable[[int], VectorIndex]) -> None:
    """A text that was never added has no slot."""
    assert make_index(DIMENSION).slot("text") is None


def test_adding_again_changes_nothing(make_index: Callable[[int], VectorIndex]) -> None:
    """A known text keeps slot and vector, also where it stands twice in one call."""
    index, vectors = filled(make_index, 3)
    again = index.add(["text 1", "new", "new"], vectors_of(3, seed=2))
    assert again.tolist() == [1, 3, 3]
    assert len(index) == 4
    np.testing.assert_array_equal(index.vectors(np.array([1])), vectors[1:2])
    np.testing.assert_array_equal(index.vectors(np.array([3])), vectors_of(3, seed=2)[1:2])


@pytest.mark.parametrize("k", [1, 3, 50, 200, 500])
def test_proposals_hold_the_nearest(make_index: Callable[[int], VectorIndex], k: int) -> None:
    """The k nearest by exact cosine are among the proposals, and what is left out is below the stated floor."""
    index, vectors = filled(make_index, 200)
    query = vectors_of(1, seed=9)[0]
    found = index.search(query, k=k)
    cosine = vectors.astype(np.float64) @ query.astype(np.float64)
    nearest = np.argsort(-cosine)[:k]
    assert set(nearest.tolist()) <= set(found.slots.tolist())
    left_out = np.setdiff1d(np.arange(200), found.slots)
    assert (cosine[left_out] < found.floor + coarse_margin(DIMENSION)).all()
    np.testing.assert_allclose(found.scores, cosine[found.slots], atol=coarse_margin(DIMENSION))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_only_allowed_texts_are_proposed(make_index: Callable[[int], VectorIndex], share: float) -> None:
    """A mask bounds the proposals, and the nearest of the allowed ones are all there."""
    index, vectors = filled(make_index, 200)
    query = vectors_of(1, seed=9)[0]
    allowed = np.arange(200) < 200 * share
    found = index.search(query, k=5, allowed=allowed)
    cosine = np.where(allowed, vectors.astype(np.float64) @ query.astype(np.float64), -np.inf)
    nearest = [slot for slot in np.argsort(-cosine)[:5].tolist() if allowed[slot]]
    assert set(nearest) <= set(found.slots.tolist())
    assert allowed[found.slots].all()


def test_a_short_mask_allows_nothing_behind_it(make_index: Callable[[int], VectorIndex]) -> None:
    """A mask made for an older version leaves out every text that came later."""
    index, _ = filled(make_index, 200)
    found = index.search(vectors_of(1, seed=9)[0], k=150, allowed=np.ones(100, dtype=np.bool_))
    assert sorted(found.slots.tolist()) == list(range(100))
    assert np.isneginf(found.floor)


def test_equal_vectors_are_proposed_together(make_index: Callable[[int], VectorIndex]) -> None:
    """Texts with the same vector tie, so all of them are proposed where one is: others decide between them."""
    index = make_index(DIMENSION)
    index.add([f"text {number}" for number in range(100)], np.repeat(vectors_of(1), 100, axis=0))
    settle(index)
    assert len(index.search(vectors_of(1)[0], k=1).slots) == 100


def test_an_empty_index_proposes_nothing(make_index: Callable[[int], VectorIndex]) -> None:
    """Searching where nothing was added gives nothing, not an error."""
    assert len(make_index(DIMENSION).search(vectors_of(1)[0], k=3).slots) == 0


def test_another_length_is_refused(make_index: Callable[[int], VectorIndex]) -> None:
    """A vector or a question of another length names both lengths."""
    index, _ = filled(make_index, 3)
    with pytest.raises(DimensionError) as error:
        index.add(["wide"], np.ones((1, DIMENSION + 1), dtype=np.float32))
    assert (error.value.expected, error.value.found) == (DIMENSION, DIMENSION + 1)
    with pytest.raises(DimensionError):
        index.search(np.ones(DIMENSION - 1, dtype=np.float32), k=1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, 2.0])
def test_a_bad_vector_is_refused_with_its_whole_batch(make_index: Callable[[int], VectorIndex], bad: float) -> None:
    """NaN, infinity, zero and another length are refused, and nothing of the call is added."""
    index, _ = filled(make_index, 3)
    vectors = vectors_of(2, seed=2)
    vectors[1] = bad
    with pytest.raises(InvalidInputError, match="Vector 1"):
        index.add(["fine", "bad"], vectors)
    assert len(index) == 3
    assert index.slot("fine") is None


@pytest.mark.parametrize("length", [np.nan, np.inf, 0.0, 0.998, 1.002])
def test_a_question_must_have_unit_length(make_index: Callable[[int], VectorIndex], length: float) -> None:
    """A question that is not finite or not of unit length is refused; less than a thousandth off is fine."""
    index, vectors = filled(make_index, 3)
    with pytest.raises(InvalidInputError, match="unit length"):
        index.search(vectors[0] * np.float32(length), k=1)
    for near in (0.9992, 1.0008):
        assert index.search(vectors[0] * np.float32(near), k=3).slots.tolist()
    assert index.search(vectors[0].astype(np.float64), k=3).slots.tolist()


def test_keys_and_vectors_must_be_as_many(make_index: Callable[[int], VectorIndex]) -> None:
    """A key without a vector is refused."""
    with pytest.raises(InvalidInputError, match="as many"):
        make_index(DIMENSION).add(["one", "two"], vectors_of(1))


def test_k_must_ask_for_something(make_index: Callable[[int], VectorIndex]) -> None:
    """A search for no text at all is a mistake of the caller's."""
    index, _ = filled(make_index, 3)
    with pytest.raises(InvalidInputError, match="'k' must be 1 or more"):
        index.search(vectors_of(1)[0], k=0)


def test_what_is_kept_changes_no_answer(make_index: Callable[[int], VectorIndex]) -> None:
    """Texts that are no longer expected are found all the same by whoever allows them, and so are those after them."""
    index, vectors = filled(make_index, 200)
    index.keep(np.arange(100) % 2 == 0)
    index.add(["later"], vectors_of(1, seed=3))
    settle(index)
    everything = np.append(vectors, vectors_of(1, seed=3), axis=0).astype(np.float64)
    for number in range(20):
        query = vectors_of(1, seed=100 + number)[0]
        nearest = np.argsort(-(everything @ query))[:5]
        assert set(nearest.tolist()) <= set(index.search(query, k=5).slots.tolist())


def test_shared_questions_change_no_answer(make_index: Callable[[int], VectorIndex]) -> None:
    """Asked again with other masks, and after texts were added, an index that shares questions answers as before."""
    index, vectors = filled(make_index, 400)
    masks = [np.arange(400) % step == 0 for step in (1, 2, 5, 50)]

    def answers() -> list[tuple[list[int], float]]:
        found = (index.search(vectors[3], k=5, allowed=mask) for mask in masks)
        return [(sorted(one.slots.tolist()), round(one.floor, 4)) for one in found]

    alone = answers()
    index.share(True)
    assert answers() == answers() == alone
    index.add(["one more"], vectors[3:4] * 1.0)
    settle(index)
    assert 400 in index.search(vectors[3], k=5).slots
    index.share(False)
    assert answers() == alone


def test_a_closed_index_still_answers(make_index: Callable[[int], VectorIndex]) -> None:
    """Closing stops what works behind searches, twice does nothing, and searching goes on."""
    index, vectors = filled(make_index, 200)
    index.close()
    index.close()
    index.add(["later"], vectors_of(1, seed=3))
    assert 7 in index.search(vectors[7], k=1).slots.tolist()
    assert 200 in index.search(vectors_of(1, seed=3)[0], k=1).slots.tolist()
