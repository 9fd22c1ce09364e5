"""Stored vectors: their bytes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from memp.embedding import check_vectors, normalise, vector_from_bytes, vector_to_bytes
from memp.errors import DimensionError, InvalidInputError


def test_bytes_are_little_endian_float32() -> None:
    """The stored form is the same on every machine: four bytes a number, the lowest first."""
    assert vector_to_bytes(np.array([1.0, 0.0]), dimension=2) == bytes.fromhex("0000803f00000000")
    assert vector_to_bytes(np.array([1.0, 0.0], dtype=">f4"), dimension=2) == bytes.fromhex("0000803f00000000")


@pytest.mark.parametrize("bad", [[np.nan, 1.0], [np.inf, 0.0], [0.0, 0.0], [3.0, 4.0]])
def test_bad_values_are_refused_on_both_ways(bad: list[float]) -> None:
    """NaN, infinity, a zero vector and one of another length than one neither go in nor come out."""
    with pytest.raises(InvalidInputError, match="unit length"):
        vector_to_bytes(np.array(bad), dimension=2)
    with pytest.raises(InvalidInputError, match="unit length"):
        vector_from_bytes(np.array(bad, dtype="<f4").tobytes(), dimension=2)


@pytest.mark.parametrize("length", [0, 4, 7, 9, 12])
def test_another_number_of_bytes_is_refused(length: int) -> None:
    """Bytes that do not hold the right number of values are refused."""
    with pytest.raises(DimensionError):
        vector_from_bytes(bytes(length), dimension=2)


def test_another_dimension_is_refused() -> None:
    """A vector of another length is refused with both lengths."""
    with pytest.raises(DimensionError) as error:
        vector_to_bytes(np.array([1.0, 0.0]), dimension=3)
    assert (error.value.expected, error.value.found) == (3, 2)


def test_several_vectors_are_not_one() -> None:
    """A matrix where one vector belongs is refused."""
    with pytest.raises(InvalidInputError, match="shape"):
        vector_to_bytes(np.eye(2), dimension=2)
    with pytest.raises(InvalidInputError, match="shape"):
        check_vectors(np.ones(2), dimension=2)


def test_what_comes_out_may_be_written_to() -> None:
    """A vector from bytes is a copy of its own, not a view of somebody's buffer."""
    stored = vector_to_bytes(np.array([0.6, 0.8]), dimension=2)
    vector = vector_from_bytes(stored, dimension=2)
    vector[0] = 1.0
    assert vector_from_bytes(stored, dimension=2)[0] == np.float32(0.6)


def test_normalise_refuses_what_has_no_direction() -> None:
    """A zero or infinite row cannot be scaled to unit length."""
    np.testing.assert_array_equal(normalise(np.array([[3, 4]])), np.array([[0.6, 0.8]], dtype=np.float32))
    for bad in (0.0, np.nan, np.inf):
        with pytest.raises(InvalidInputError, match="Vector 1"):
            normalise(np.array([[1.0, 0.0], [bad, 0.0]]))
