"""Laws 1 and 2 with snapshots: a store that goes on from one answers as the store that is folded from its log alone."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import memp
from memp.index import ExactIndex
from memp.retrieval.catalogue import Catalogue
from memp.snapshot import catalogues, histories, keeping
from memp.snapshot.catalogues import Blocks, pack_catalogue, unpack_catalogue
from memp.snapshot.histories import pack_history, unpack_history
from memp.state import History, State, Timeline
from tests.properties import test_history_laws as by_hand
from tests.properties import test_living_laws as by_agents
from tests.properties.test_history_laws import PHASES, PICK
from tests.soak import SOAK

"""Whether the long profile is loaded."""

LINES = st.one_of(
    st.tuples(st.just("tag"), st.sampled_from(["v1", "v2"])),
    st.tuples(st.just("fork"), st.sampled_from(["trial", "mirror"]), PICK),
    st.tuples(st.just("promote"), st.sampled_from(["trial", "mirror"])),
    st.tuples(st.just("delete"), st.just("mirror")),
    st.tuples(st.just("purge"), PICK),
)
HAND = st.tuples(
    st.just("hand"), st.sampled_from(["main", "trial", "mirror"]), st.one_of(by_hand.CHANGES, by_hand.UNDOS)
)
AGENTS = st.tuples(st.just("agents"), st.just("main"), by_agents.CHANGES)
LIVES = st.lists(st.one_of(HAND, HAND, AGENTS, LINES), min_size=2, max_size=9)


def change(memory: memp.Memory, what: tuple[Any, ...]) -> None:
    """Carry out one change; what the memory refuses is skipped."""
    name, *arguments = what
    try:
        match name, arguments:
            case "hand", [branch, inner]:
                by_hand.live(memory if branch == "main" else memory.branch(branch), inner)
            case "agents", [_, inner]:
                by_agents.lived(memory, inner)
            case "tag", [tag]:
                memory.tag(tag)
            case "fork", [branch, pick]:
                memory.fork(branch, at=pick % (memory.position + 1))
            case "promote", [branch]:
                memory.promote(branch, reason="r")
            case "delete", [branch]:
                memory.delete_branch(branch, reason="r")
            case "purge", [pick]:
                everything = memory.procedures(everything=True)
                memory.purge(procedure_ids=[everything[pick % len(everything)].id], reason="r")
    except (memp.MempError, ZeroDivisionError):
        pass


def shown(memory: memp.Memory, picks: list[int]) -> list[object]:
    """What can be asked of a memory and depends on what was folded."""
    # The first prompt that is ever asked for puts the templates on record.
    memory.retrieve(by_hand.TASKS[0]).prompt()
    everything = memory.procedures(everything=True)
    found: list[object] = [by_agents.answers(memory), memory.tags(), memory.branches()]
    for position in range(memory.position + 1):
        past = memory.at(position)
        found += [past.state_digest(), past.procedures(everything=True), past.episodes(), past.queue(), past.policy()]
    found += [by_agents.answers(memory.at(pick % (memory.position + 1))) for pick in picks]
    for branch in memory.branches():
        found += [by_hand.answers(memory.branch(branch.name)), memory.branch(branch.name).episodes()]
    for procedure in everything:
        found += [memory.why(procedure.id), memory.blame(procedure.id), memory.lineage(procedure.id)]
    found.append(memory.diff(0, memory.position))
    found.append(memory.sql("select * from revisions order by all").rows)
    return found


# -- the fold alone ----------------------------------------------------------------------------------------------------

KEPT = histories.COVERED | catalogues.COVERED


def plain(value: Any) -> Any:
    """All that a fold keeps, to the last attribute, as values that can be compared."""
    if type(value) in KEPT:
        return {name: plain(getattr(value, name)) for name in sorted(KEPT[type(value)]) if name != "parent"}
    match value:
        case Timeline():
            return [(position, plain(one)) for position, one in zip(*value.columns(), strict=True)]
        case ExactIndex():
            return value.keys(), value.run(0, len(value)).tobytes()
        case Mapping():
            return {key: plain(one) for key, one in value.items()}
        case array() | np.ndarray():
            return value.tolist()
        case _:
            return value


def through_bytes(history: History, catalogue: Catalogue) -> tuple[History, Catalogue]:
    """What a snapshot brings back."""
    blocks = Blocks()
    body = keeping._Body(history=pack_history(history), catalogue=pack_catalogue(catalogue, blocks))
    found = msgspec.msgpack.decode(msgspec.msgpack.encode(body), type=keeping._Body)
    vectors = memoryview(b"".join(blocks.pieces))
    return unpack_history(found.history), unpack_catalogue(found.catalogue, vectors, ExactIndex)


def folded(memory: memp.Memory, splits: set[int]) -> tuple[History, Catalogue]:
    """The fold of a memory's log, taken through bytes behind the positions in *splits*."""
    history, catalogue, log = History(), Catalogue(ExactIndex), memory._store.log
    for name in log.embedders():
        catalogue.load(name, log.vectors(name))
    for record in log.read():
        applied = history.apply(record)
        catalogue.follow(history.branches[record.branch], applied)
        if record.position in splits:
            history, catalogue = through_bytes(history, catalogue)
    return history, catalogue


@settings(max_examples=20_000 if SOAK else 120, phases=PHASES, deadline=None)
@given(life=LIVES, picks=st.lists(PICK, max_size=3))
def test_a_fold_goes_on_from_bytes_as_if_it_had_not_stopped(life: list[tuple[Any, ...]], picks: list[int]) -> None:
    """Wherever it stops, and however often: every attribute of every class is the same in the end."""
    with memp.open(":memory:", actor="me") as memory:
        for one in life:
            change(memory, one)
        end = memory._store.log.head.position
        whole, resumed = folded(memory, set()), folded(memory, {1 + pick % (end or 1) for pick in picks})
        assert [plain(one) for one in resumed] == [plain(one) for one in whole]
        for name, branch in whole[0].branches.items():
            parents = [one.branches[name].parent for one in (whole[0], resumed[0])]
            assert [parent and parent.name for parent in parents] == [branch.parent and branch.parent.name] * 2
        assert State(resumed[0]).digest() == State(whole[0]).digest()


# -- the store ---------------------------------------------------------------------------------------------------------


@contextmanager
def opened(path: Path, *, resumed_at: int) -> Iterator[memp.Memory]:
    """A memory that went on from the snapshot at that position; 0 without one."""
    with memp.open(path, actor="me", index="exact") as memory:
        snapshots = memory._store._snapshots
        assert snapshots is not None
        assert snapshots._position == resumed_at
        yield memory


@settings(max_examples=600 if SOAK else 8, phases=PHASES, deadline=None)
@given(first=LIVES, second=LIVES, third=LIVES, picks=st.lists(PICK, min_size=1, max_size=1))
def test_a_snapshot_and_what_came_since_are_the_whole(
    first: list[tuple[Any, ...]], second: list[tuple[Any, ...]], third: list[tuple[Any, ...]], picks: list[int]
) -> None:
    """Written at any moment, gone on from, written again: all versions, branches and answers are those of the log."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agent.duckdb"
        with memp.open(path, actor="me", index="exact") as memory:
            for one in first:
                change(memory, one)
            memory.snapshot()
            for one in second:
                change(memory, one)
            memory.snapshot()
            at = int(memory.head().position)
        with opened(path, resumed_at=at) as memory:
            for one in third:
                change(memory, one)
            if not list(Path(folder).glob("*.snapshot")):
                at = 0
            live, after = shown(memory, picks), memory.head()
        with opened(path, resumed_at=at) as memory:
            assert memory.head() == after
            assert shown(memory, picks) == live
            again = memory.snapshot().position
        with opened(path, resumed_at=again) as memory:
            assert shown(memory, picks) == live
            for file in Path(folder).glob("*.snapshot"):
                file.unlink()
        with opened(path, resumed_at=0) as memory:
            assert shown(memory, picks) == live
