"""
Which embedder finds the right kind of task, on the runs that one has.

Published rankings of embedders are about other texts than an agent's tasks, and the differences among good ones are
smaller than the difference that one's own wording makes. So the measure is taken on the user's runs: some tasks are
held out, the others remembered, and each held-out task asks for its like. A kind is right if the runs call it the same
``task_type``. No task is on both sides: the split is by the words of the task, not by run.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs
import numpy as np
import numpy.typing as npt

from memp.embedding.base import Embedder, Matrix, check_vectors, generation
from memp.errors import InvalidInputError
from memp.masking import mask
from memp.model import Trajectory

if TYPE_CHECKING:
    from memp.store import Progress

HELD_OUT: Final = 0.3
"""Share of the tasks that ask; the rest is what is found."""

CHANCE: Final = "chance"
"""Name of the row that says what drawing by lot would give."""

EMBED_TEXTS: Final = 256
"""Texts that are embedded between two words about progress."""

ASKED_AT_ONCE: Final = 256
"""Held-out tasks whose similarities are in memory at once: 20 MB for ten thousand remembered tasks."""


_Kinds = npt.NDArray[np.str_]


@attrs.frozen(kw_only=True)
class EmbedderScore:
    """
    How well an embedder finds tasks of the same kind.

    Attributes:
        embedder: What the caller called it, or ``chance``.

        generation: The name under which its vectors would be stored; empty for chance.

        asked: Held-out tasks, each of whose kind at least one other is remembered.

        remembered: Tasks among which they are looked for.

        kinds: Kinds of tasks that were asked for.

        right_at_1: Share of them whose nearest neighbour is of their kind, 0 to 1.

        right_at_3: Share of them that have their kind among the three nearest.

        reciprocal_rank: Mean of one over the place of the nearest of their kind. Source: Voorhees, "The TREC-8 Question
            Answering Track Report", 1999, section 2.
    """

    embedder: str
    generation: str
    asked: int
    remembered: int
    kinds: int
    right_at_1: float
    right_at_3: float
    reciprocal_rank: float


def compare_embedders(
    runs: Iterable[Trajectory],
    embedders: Mapping[str, Embedder],
    *,
    held_out: float = HELD_OUT,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[EmbedderScore, ...]:
    """
    Return how well each embedder finds tasks of the same kind, the best first, and last what chance would give.

    Args:
        runs: Runs that say their ``task_type``; others are passed over. Secrets in them are masked.

        embedders: What to compare, by the names that the answer uses.

        held_out: Share of the tasks that ask, over 0 and below 1.

        seed: Another one holds out other tasks.

        progress: Called as work goes on.

    Raises:
        InvalidInputError: No embedder is given, *held_out* is no share, or the runs are too few: two tasks of one kind
            and another kind are the least.

        EmbeddingError: An embedder failed.
    """
    if not embedders:
        raise InvalidInputError("'embedders' must name one embedder or more (got none).")
    if not 0.0 < held_out < 1.0:
        raise InvalidInputError(f"'held_out' must be over 0 and below 1 (got {held_out!r}).")
    remembered, asked = _split(runs, held_out=held_out, seed=seed)
    kinds = np.array([kind for _, kind in remembered])
    wanted = np.array([kind for _, kind in asked])
    scores = []
    for name, embedder in embedders.items():
        found = _embedded(embedder, [task for task, _ in remembered], name, progress)
        questions = _embedded(embedder, [task for task, _ in asked], name, progress)
        ranks = _ranks(questions, found, wanted, kinds)
        scores.append(_score(name, generation(embedder), ranks, kinds=kinds, wanted=wanted))
    scores.sort(key=lambda score: (-score.right_at_1, -score.reciprocal_rank, score.embedder))
    return (*scores, _chance(kinds, wanted))


def _split(
    runs: Iterable[Trajectory], *, held_out: float, seed: int
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the tasks that are remembered and those that ask, each with its kind, in an order of their own."""
    kinds: dict[str, str] = {}
    for run in runs:
        if run.task_type is not None:
            kinds.setdefault(mask(run.task), run.task_type)

    def drawn(task: str) -> bytes:
        return hashlib.sha256(f"{seed}\n{task}".encode("utf-8", "surrogatepass")).digest()

    tasks = sorted(kinds.items(), key=lambda item: drawn(item[0]))
    number = round(len(tasks) * held_out)
    held, remembered = tasks[:number], tasks[number:]
    known = {kind for _, kind in remembered}
    asked = [(task, kind) for task, kind in held if kind in known]
    if not asked or len(known) < 2:
        raise InvalidInputError(
            "'runs' must hold tasks of two kinds or more, some of which can be held out: each run says its kind as "
            f"'task_type' (got {len(tasks)} different tasks of {len(set(kinds.values()))} kinds)."
        )
    return remembered, asked


def _embedded(embedder: Embedder, texts: Sequence[str], name: str, progress: Progress | None) -> Matrix:
    parts = []
    for start in range(0, len(texts), EMBED_TEXTS):
        chunk = texts[start : start + EMBED_TEXTS]
        parts.append(check_vectors(embedder.embed(chunk), dimension=embedder.dimension))
        if progress is not None:
            progress(f"embedding by {name}", start + len(chunk), len(texts))
    return np.concatenate(parts)


def _ranks(questions: Matrix, found: Matrix, wanted: _Kinds, kinds: _Kinds) -> list[int]:
    """Return at which place, from 1, each question finds the first of its kind; ties go by the order of *found*."""
    ranks = []
    for start in range(0, len(questions), ASKED_AT_ONCE):
        likeness = np.round(questions[start : start + ASKED_AT_ONCE].astype(np.float64) @ found.T.astype(np.float64), 6)
        for row, kind in zip(likeness, wanted[start : start + ASKED_AT_ONCE], strict=True):
            order = np.argsort(-row, kind="stable")
            ranks.append(int(np.argmax(kinds[order] == kind)) + 1)
    return ranks


def _score(name: str, generation: str, ranks: Sequence[int], *, kinds: _Kinds, wanted: _Kinds) -> EmbedderScore:
    number = len(ranks)
    return EmbedderScore(
        embedder=name,
        generation=generation,
        asked=number,
        remembered=len(kinds),
        kinds=len(set(wanted.tolist())),
        right_at_1=sum(rank == 1 for rank in ranks) / number,
        right_at_3=sum(rank <= 3 for rank in ranks) / number,
        reciprocal_rank=sum(1.0 / rank for rank in ranks) / number,
    )


def _chance(kinds: _Kinds, wanted: _Kinds) -> EmbedderScore:
    """Return what a draw without replacement gives on average, worked out rather than drawn."""
    total, held = len(kinds), Counter(kinds.tolist())
    at_1 = at_3 = reciprocal = 0.0
    for kind, asked in Counter(wanted.tolist()).items():
        missed = 1.0
        for place in range(1, total - held[kind] + 2):
            hit = missed * held[kind] / (total - place + 1)
            at_1 += asked * hit * (place == 1)
            at_3 += asked * hit * (place <= 3)
            reciprocal += asked * hit / place
            missed -= hit
    number = len(wanted)
    return EmbedderScore(
        embedder=CHANCE,
        generation="",
        asked=number,
        remembered=total,
        kinds=len(set(wanted.tolist())),
        right_at_1=at_1 / number,
        right_at_3=at_3 / number,
        reciprocal_rank=reciprocal / number,
    )
