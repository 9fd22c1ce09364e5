"""BM25 with the word statistics of one mask: the same scores as a library's over the same tasks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memp.retrieval.lexical import Lexicon, best_rows, in_order, words_of

WORDS = st.sampled_from(["mug", "hot", "put", "cabinet", "egg", "shelf", "lamp"])
TASKS = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), min_size=1, max_size=12)


def lexicon_of(tasks: list[str]) -> Lexicon:
    lexicon = Lexicon()
    for row, task in enumerate(tasks):
        lexicon.add(row, task)
    return lexicon


def everything(count: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.ones(count, dtype=np.bool_)


@settings(max_examples=60, deadline=None)
@given(tasks=TASKS, question=st.lists(WORDS, min_size=1, max_size=4, unique=True))
def test_scores_are_those_of_the_library(tasks: list[str], question: list[str]) -> None:
    """bm25s, given the same words, gives the same scores to its own float32."""
    bm25s = pytest.importorskip("bm25s")
    known = [word for word in question if any(word in words_of(task) for task in tasks)]
    if not known:
        return
    library = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    library.index([list(words_of(task)) for task in tasks], show_progress=False)
    expected = library.get_scores(known)
    found = lexicon_of(tasks).under(everything(len(tasks))).scores(" ".join(question))
    assert np.allclose(found, expected, atol=2e-6)


@settings(max_examples=60, deadline=None)
@given(tasks=TASKS, more=TASKS, question=st.lists(WORDS, min_size=1, max_size=4).map(" ".join))
def test_rows_outside_the_mask_do_not_count(tasks: list[str], more: list[str], question: str) -> None:
    """Under a mask the scores are those of a store that holds nothing else, whatever came before or after."""
    lexicon = lexicon_of([*more, *tasks])
    found = np.concatenate([np.zeros(len(more), dtype=np.bool_), everything(len(tasks))])
    alone = lexicon_of(tasks).under(everything(len(tasks))).scores(question)
    assert lexicon.under(found).scores(question)[len(more) :].tolist() == alone.tolist()
    lexicon.add(len(more) + len(tasks), "hot mug")
    assert lexicon.under(found).scores(question)[len(more) :].tolist() == alone.tolist()


def test_word_order_and_repetition_change_nothing() -> None:
    """A question is a set of words."""
    statistics = lexicon_of(["hot mug", "cold mug", "hot egg"]).under(everything(3))
    assert statistics.scores("hot mug hot").tolist() == statistics.scores("Mug, hot!").tolist()


def test_rare_words_count_more() -> None:
    """A word that one task has tells more than one that all have; words of grammar tell nothing."""
    statistics = lexicon_of(["put the mug", "put the egg", "put the lamp"]).under(everything(3))
    assert statistics.scores("put the egg").argmax() == 1
    assert statistics.scores("the").tolist() == [0.0, 0.0, 0.0]
    assert words_of("to the") == ("to", "the")


def test_the_best_rows_keep_their_ties() -> None:
    """As many as asked for, all that tie with the last, never one that shares no word or is not live."""
    scores = np.array([0.0, 2.0, 1.0, 1.0, 3.0])
    live = np.array([True, True, True, True, False])
    rows, found = best_rows(scores, live, 2)
    assert in_order(rows.tolist(), found, ["e", "d", "c", "b", "a"]) == [(1, 2.0), (3, 1.0), (2, 1.0)]


def test_statistics_are_kept_for_the_very_mask() -> None:
    """The same mask gives the same object until a row is added; another mask gives another."""
    lexicon, mask = lexicon_of(["hot mug", "cold egg"]), everything(2)
    kept = lexicon.under(mask)
    assert lexicon.under(mask) is kept
    assert lexicon.under(mask.copy()) is not kept
    lexicon.add(2, "lamp")
    assert lexicon.under(mask) is not kept
    assert lexicon.under(np.zeros(3, dtype=np.bool_)).scores("mug").tolist() == [0.0, 0.0, 0.0]
