"""Law 17: a change of embedders changes no answer of the past, on any branch, live or replayed."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import memp
from memp.embedding import Embedder, HashedEmbedder
from memp.index import ExactIndex
from memp.log import Identity
from memp.memory import Memory
from memp.rendering import Renderer
from memp.store import Store
from tests.faults.reembedding import Cut
from tests.soak import examples

TASKS = (
    "carry the lamp to the cellar", "carry the ladder up", "find two hammers", "roll the carpet out", "find a lamp"
)  # fmt: skip
QUESTIONS = ("carry a lamp", "find hammers")
EMBEDDERS: dict[str, Embedder] = {"hashed": HashedEmbedder(), "two": Cut(2), "four": Cut(4)}

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("learn"), st.sampled_from(TASKS), st.integers(0, 2)),
        st.tuples(st.just("erase"), st.integers(0, 4), st.integers(0, 2)),
        st.tuples(st.just("reembed"), st.sampled_from(sorted(EMBEDDERS)), st.just(0)),
        st.tuples(st.just("fork"), st.just(0), st.integers(0, 2)),
        st.tuples(st.just("purge"), st.integers(0, 4), st.integers(0, 2)),
    ),
    min_size=3,
    max_size=9,
)


def answers(view: memp.View) -> list[list[tuple[str, float]]]:
    """What a version answers, with scores."""
    found = [view.retrieve(question, 4, key=key) for question in QUESTIONS for key in ("pattern", "query", "facts")]
    return [[(match.procedure.name, match.score) for match in one] for one in found]


def replayed(memory: Memory) -> Memory:
    """The memory that opens the same log anew, with every embedder at hand."""
    store = Store(
        memory._store.log,
        embedder=None,
        make_index=ExactIndex,
        identity=Identity(),
        renderer=Renderer.load(),
        own_templates=False,
        read_only=False,
    )
    for embedder in EMBEDDERS.values():
        store.take_embedder(embedder)
    return Memory(store, actor="test", owner=False)


def take(step: tuple[Any, ...], branches: list[Memory]) -> bool:
    """Do one step, and return whether it took content out of the past."""
    what, value, number = step
    memory = branches[number % len(branches)]
    procedures = memory.procedures()
    match what:
        case "learn":
            memory.learn([memp.Trajectory(task=value, steps=(), reward=1.0)])
        case "erase" if procedures:
            memory.erase(procedures[value % len(procedures)].id, reason="unused")
        case "reembed":
            branches[0].reembed(EMBEDDERS[value])
        case "fork" if len(branches) < 3:
            branches.append(memory.fork(f"fork-{len(branches)}"))
        case "purge" if procedures:
            branches[0].purge(procedure_ids=[procedures[value % len(procedures)].id], reason="request 1")
            return True
    return False


@settings(max_examples=examples(40))
@given(STEPS)
def test_the_past_answers_as_it_did(steps: list[tuple[Any, ...]]) -> None:
    """Whatever is learned, erased, forked, purged and embedded anew, each version keeps its answers to the digit."""
    with memp.open(":memory:") as memory:
        branches: list[Memory] = [memory]
        seen: dict[tuple[str, int], list[list[tuple[str, float]]]] = {}
        for step in steps:
            if take(step, branches):
                seen.clear()  # a purge takes from the past as well
            for branch in branches:
                seen[branch._branch, branch.position] = answers(branch)
        assert memory.verify().ok
        again = replayed(memory)
        for (name, position), told in seen.items():
            live, anew = (one if name == "main" else one.branch(name) for one in (memory, again))
            assert answers(live.at(position)) == told
            assert answers(anew.at(position)) == told
