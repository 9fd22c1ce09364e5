"""The embedder that ships: what counts as alike, and the same bits everywhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.embedding import HashedEmbedder

TEXTS = ("put a hot mug in the cabinet", "", "Straße 7", "找到一个杯子", "look at the pillow under the lamp")

# Stored vectors of version 1 rest on these bits: if this changes, the version of the embedder must, too.
DIGEST_OF_TEXTS = "2800748bf2dcd476be73eb7a12d890c0621a36474b8ec11d82585f3a010aaf26"


def digest(texts: tuple[str, ...]) -> str:
    return hashlib.sha256(HashedEmbedder().embed(texts).astype("<f4").tobytes()).hexdigest()


def alike(one: str, other: str) -> float:
    first, second = HashedEmbedder().embed([one, other])
    return float(first @ second)


def test_the_bits_of_version_1_never_change() -> None:
    """The same texts give the same bytes as on the day when version 1 was fixed."""
    assert digest(TEXTS) == DIGEST_OF_TEXTS


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_gives_the_same_bits(hash_seed: str, repository: Path) -> None:
    """Python's own randomised hashing has no part in a vector."""
    script = (
        "import sys, hashlib; from memp.embedding import HashedEmbedder; "
        "print(hashlib.sha256(HashedEmbedder().embed(sys.argv[1:]).astype('<f4').tobytes()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(repository), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, *TEXTS], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == DIGEST_OF_TEXTS


@given(st.lists(st.text(max_size=40), min_size=1, max_size=12))
def test_a_batch_gives_the_bits_of_single_texts(texts: list[str]) -> None:
    """What else is embedded in the same call changes no bit of a vector."""
    embedder = HashedEmbedder()
    batch = embedder.embed(texts)
    for text, vector in zip(texts, batch, strict=True):
        assert embedder.embed([text])[0].tobytes() == vector.tobytes()


@given(st.text())
def test_any_text_has_a_direction(text: str) -> None:
    """No text gives NaN or a zero vector, even if its features cancel each other."""
    assert abs(float(np.linalg.norm(HashedEmbedder().embed([text]))) - 1.0) < 1e-5


def test_texts_without_words_are_all_the_same() -> None:
    """Empty, blank and sign-only texts share one vector, which is near to no ordinary text."""
    assert alike("", "  ") == alike("", "?!") == pytest.approx(1.0)
    assert abs(alike("", "put a hot mug in the cabinet")) < 0.2


def test_case_and_signs_do_not_matter() -> None:
    """Texts that differ in capitals, punctuation and slots have the same vector."""
    assert alike("Put a HOT {} in: {}!", "put a hot {} in {}") == pytest.approx(1.0)


def test_order_matters_a_little() -> None:
    """The same words in another order are near, and not the same."""
    assert 0.7 < alike("take mug clean plate", "take plate clean mug") < 0.999


def test_words_of_grammar_weigh_less() -> None:
    """Changing an article changes less than changing what is asked for."""
    assert alike("put a hot mug in the cabinet", "put the hot mug in a cabinet") > alike(
        "put a hot mug in the cabinet", "put a clean mug in the cabinet"
    )


def test_spelling_counts() -> None:
    """Another form of a word is nearer than another word: the embedder reads letters, not meaning."""
    assert alike("put the mugs away", "put the mug away") > alike("put the mugs away", "put the cups away")
