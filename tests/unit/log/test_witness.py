"""The head witness: what it says, what survives damage, and what it costs to be sure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.errors import StorageError
from memp.log.witness import (
    SLOT_BYTES,
    UNREADABLE,
    Slot,
    Witness,
    WitnessSlots,
    decode,
    encode,
    make_witness,
    read_witness,
)
from memp.model import Position
from memp.record import Head

LOG = "0190a7c4-0000-4000-8000-000000000000"


def head(position: int) -> Head:
    return Head(Position(position), position.to_bytes(32))


def slot(position: int) -> Slot:
    return Slot(LOG, head(position))


@given(st.integers(0, 10**18), st.binary(min_size=32, max_size=32))
def test_what_is_encoded_decodes_to_the_same(position: int, digest: bytes) -> None:
    """decode(encode(slot)) == slot."""
    one = Slot(LOG, Head(Position(position), digest))
    assert decode(encode(one).ljust(SLOT_BYTES, b"\0")) == one


def test_every_changed_bit_of_a_slot_is_noticed() -> None:
    """A slot with any bit flipped says nothing rather than something else."""
    line = encode(slot(7))
    for place in range(len(line)):
        for bit in range(8):
            damaged = line[:place] + bytes([line[place] ^ 1 << bit]) + line[place + 1 :]
            assert decode(damaged.ljust(SLOT_BYTES, b"\0")) in (None, slot(7))
            assert decode(damaged) is None


@pytest.mark.parametrize("block", [b"", b"\0" * SLOT_BYTES, b"\n", b"memp-witness 1\n", b"\xff" * 99 + b"\n"])
def test_what_is_no_slot_says_nothing(block: bytes) -> None:
    """Blank and foreign blocks are damaged slots."""
    assert decode(block) is None


def test_it_says_where_the_log_ends(tmp_path: Path) -> None:
    """After every advance, a reader finds the newest head; after close, both slots say it."""
    path = tmp_path / "w"
    witness = Witness(path, slot(0))
    assert read_witness(path) == WitnessSlots((slot(0), slot(0)))
    for position in (1, 4, 9):
        witness.advance(head(position))
        assert witness.head == head(position)
        newest = read_witness(path).newest
        assert newest == slot(position)
    assert read_witness(path).valid == [slot(9), slot(4)]
    witness.close()
    assert read_witness(path) == WitnessSlots((slot(9), slot(9)))


def test_a_torn_write_leaves_the_slot_before(tmp_path: Path) -> None:
    """Whichever slot is spoiled, the other serves; if it was the newer, what the log has more is fine."""
    path = tmp_path / "w"
    witness = Witness(path, slot(1))
    witness.advance(head(2))
    whole = path.read_bytes()
    witness.close()
    for first, left in ((0, slot(1)), (SLOT_BYTES, slot(2))):
        path.write_bytes(whole[:first] + b"\0" * 40 + whole[first + 40 :])
        assert read_witness(path).newest == left
        assert read_witness(path).damaged


def test_a_missing_or_empty_file_says_nothing(tmp_path: Path) -> None:
    """No file, an empty one and one that is cut say what they can."""
    path = tmp_path / "w"
    assert read_witness(path) == UNREADABLE
    path.write_bytes(b"")
    assert read_witness(path).newest is None
    make_witness(path, slot(3))
    path.write_bytes(path.read_bytes()[: SLOT_BYTES + 10])
    assert read_witness(path).newest == slot(3)


def test_opening_mends_a_damaged_slot(tmp_path: Path) -> None:
    """Whoever opens for writing leaves two good slots."""
    path = tmp_path / "w"
    make_witness(path, slot(3))
    path.write_bytes(b"x" + path.read_bytes()[1:])
    Witness(path, slot(5)).close()
    assert read_witness(path) == WitnessSlots((slot(5), slot(5)))
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


def test_a_disk_that_does_not_take_it_leaves_the_event_in_doubt(tmp_path: Path) -> None:
    """What the witness does not say durably is not acknowledged, although the database has it."""
    witness = Witness(tmp_path / "w", slot(0))
    descriptor, witness._descriptor = witness._descriptor, os.open(tmp_path / "w", os.O_RDONLY)
    with pytest.raises(StorageError, match="could not be written") as caught:
        witness.advance(head(1))
    assert caught.value.in_doubt
    assert witness.head == head(0)
    witness.close()
    os.close(descriptor)
