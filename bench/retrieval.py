"""
What asking costs beside its bare parts: one embedding of the task and one float32 product over all task vectors.

Run it with ``python -m bench.retrieval [--procedures 10000] [--rounds 9]``. Both sides are timed in turn within each
round, and the median of the rounds' ratios is printed, since the machine's speed drifts. What is timed is the
processor's time for this process: on a busy machine the clock also counts what others took, and nothing here waits for
anything. BLAS is held to one thread: a second one makes the bare product faster on an idle machine and everything
slower on a busy one.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read once, when numpy is imported

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator

import memp
from memp.embedding import HashedEmbedder, Matrix
from memp.index.hnsw import HnswIndex
from memp.rendering import EstimatedTokens, Renderer, passage

ASKS_A_ROUND = 60
"""Questions timed as one: about 50 ms a side, far above the clock's grain and the scheduler's."""

PATTERNS = 50
"""Kinds of task in the memory that resembles a real one: ALFWorld's six kinds have a dozen wordings."""

VERBS = ("put", "bring", "clean", "heat", "cool", "find", "weigh", "open", "mix", "paint")
ENDS = ("in the {}", "on the {}", "under the {}", "beside the {} and close it", "near the {} twice")


def _word(rng: random.Random) -> str:
    return "".join(rng.choice("bdfgklmnprst") + rng.choice("aeiou") for _ in range(rng.randint(2, 4)))


def _tasks(count: int, distinct: int, rng: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Yield tasks of *distinct* kinds, and the names in each."""
    nouns = [_word(rng) for _ in range(2000)]
    kinds = [f"{verb} a {{}} {end}" for verb in VERBS for end in ENDS]
    while len(kinds) < distinct:
        kinds.append(f"{rng.choice(VERBS)} a {_word(rng)} {{}} {rng.choice(ENDS)} {_word(rng)}")
    for row in range(count):
        names = [rng.choice(nouns), rng.choice(nouns)]
        yield kinds[row % distinct].format(*names), names


def _run(task: str, names: list[str]) -> memp.Trajectory:
    steps = [
        memp.Step(action=f"go to {names[1]} 1", observation=f"You see a {names[0]} 1."),
        memp.Step(action=f"take {names[0]} 1 from {names[1]} 1", observation="You pick it up."),
        memp.Step(action=f"open {names[1]} 2", observation="It is open."),
        memp.Step(action=f"use {names[0]} 1", observation="Nothing happens."),
        memp.Step(action=f"move {names[0]} 1 to {names[1]} 2", observation="Done."),
    ]
    return memp.Trajectory(task=task, steps=steps, success=True)


def _seconds(work: Callable[[str], object], questions: list[str]) -> float:
    start = time.process_time()
    for question in questions:
        work(question)
    return (time.process_time() - start) / len(questions)


def _compare(
    name: str, bare: Callable[[str], object], full: Callable[[str], object], questions: list[str], *, rounds: int
) -> None:
    """Print what both sides cost a question and the median of their ratios."""
    pairs = [(_seconds(bare, questions), _seconds(full, questions)) for _ in range(rounds + 1)]
    del pairs[0]  # it warmed the caches of both sides
    one, other = (statistics.median(side) * 1e3 for side in zip(*pairs, strict=True))
    ratio = statistics.median(full / bare for bare, full in pairs)
    print(f"{name:44} bare {one:6.3f} ms   memp {other:6.3f} ms   ratio {ratio:5.2f}")


def _measure_asking(memory: memp.Memory, matrix: Matrix, name: str, questions: list[str], *, rounds: int) -> None:
    embedder = HashedEmbedder()

    def bare(question: str) -> object:
        return matrix @ embedder.embed([question])[0]

    for key in ("hybrid", "pattern", "query", "facts", "bm25", "random"):

        def ask(question: str, key: str = key) -> object:
            return memory.retrieve(question, key=key)

        _compare(f"ask by {key}, {name}", bare, ask, questions, rounds=rounds)


def _measure_rendering(memory: memp.Memory, questions: list[str], *, rounds: int) -> None:
    """Compare a rendering of one five-step procedure, measured and made safe, with what Jinja alone takes for it."""
    renderer = Renderer.load()
    passages = [passage(memory.procedures()[0])]
    counter = EstimatedTokens()
    text = renderer.render(passages)

    def bare(_: str) -> object:
        return renderer.fill("steps", None, passages)

    def full(_: str) -> object:
        return renderer.render(passages, budget_tokens=600)

    _compare(f"render {counter.count(text)} tokens", bare, full, questions, rounds=rounds)


def main() -> None:
    """Print one line for each kind of memory and key."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--procedures", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    for distinct in (PATTERNS, options.procedures):
        rng = random.Random(7)
        tasks = list(_tasks(options.procedures + ASKS_A_ROUND, distinct, rng))
        learned, asked = tasks[: options.procedures], tasks[options.procedures :]
        matrix = HashedEmbedder().embed([task for task, _ in learned])
        with memp.open(":memory:", actor="bench") as memory:
            memory.learn(_run(task, names) for task, names in learned)
            memory.retrieve("put a mug somewhere")
            for index in memory._store.catalogue.indexes():
                if isinstance(index, HnswIndex):
                    index.settle()  # or a thread would build graphs beside what is timed
            questions = [task for task, _ in asked]
            _measure_asking(memory, matrix, f"{distinct} patterns", questions, rounds=options.rounds)
            if distinct == PATTERNS:
                _measure_rendering(memory, questions, rounds=options.rounds)


if __name__ == "__main__":
    main()
