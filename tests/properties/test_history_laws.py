"""Laws 3, 4, 4b and 5 over generated lives, against a model written from the design's words with plain dicts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import memp
from memp.record import Record
from memp.testing import memory_fed_with
from tests.soak import examples

TASKS = ["put a hot mug in the cabinet", "put a cold egg on the shelf", "look at a book under the lamp"]
RUNS = st.builds(
    lambda task, action, reward, agent: memp.Trajectory(
        task=task, steps=[memp.Step(action=action, observation="Done.")], reward=reward, agent=agent
    ),
    st.sampled_from(TASKS),
    st.sampled_from(["take mug 1", "heat mug 1"]),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from(["one", "two", "three"]),
)
PICK = st.integers(0, 30)
CHANGES = st.one_of(
    st.tuples(st.just("learn"), st.lists(RUNS, max_size=3)),
    st.tuples(st.just("validate"), PICK, st.booleans()),
    st.tuples(st.just("reflect"), PICK, st.sampled_from(['do("a")\n', 'do("b")\n', 'do("c")\n']), st.booleans()),
    st.tuples(st.sampled_from(["erase", "unerase"]), PICK),
    st.tuples(st.just("merge"), PICK, PICK),
)
HOW = st.sampled_from(["refuse", "cascade", "taint"])
UNDOS = st.tuples(st.just("undo"), st.lists(PICK, min_size=1, max_size=2), HOW)
SOURCES = st.tuples(st.just("source"), PICK)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
"""All but the explanation of a failure, which takes minutes for a life."""

LIVES = st.lists(st.one_of(CHANGES, CHANGES, UNDOS, SOURCES), min_size=1, max_size=10)


def live(memory: memp.Memory, change: tuple[Any, ...]) -> object:
    """Carry out one change; what the memory refuses is skipped."""
    name, *arguments = change
    everything = memory.procedures(everything=True)
    records = list(memory.events())
    try:
        if name == "learn":
            return memory.learn(arguments[0])
        if name == "undo":
            chosen = {records[pick % len(records)].event_id for pick in arguments[0]} if records else set()
            return memory.undo(sorted(chosen), reason="r", on_dependents=arguments[1])
        if name == "source":
            runs = [r for r in records if r.type == "trajectory-recorded"]
            source = (runs[arguments[0] % len(runs)].data or {})["trajectory_id"]
            return memory.undo(source=source, reason="r")
        chosen_one = everything[arguments[0] % len(everything)].id
        if name == "validate":
            return memory.validate(chosen_one, success=arguments[1])
        if name == "reflect":
            return memory.reflect(chosen_one, script=arguments[1], critique="c", activate=arguments[2])
        if name == "merge":
            return memory.merge([chosen_one, everything[arguments[1] % len(everything)].id], reason="r")
        return getattr(memory, name)(chosen_one, reason="r")
    except (memp.MempError, ZeroDivisionError):
        return None


def answers(view: memp.View) -> list[object]:
    """What a user sees: state, statistics, ranking and prompts."""
    shown: list[object] = [view.state_digest(), view.procedures(everything=True)]
    for task in (*TASKS, "put a hot pear on the table"):
        for key in ("pattern", "query", "random"):
            found = view.retrieve(task, k=3, key=key)
            shown.append([(m.procedure.id, m.score, m.parts) for m in found])
            shown.append(found.prompt())
    return shown


# -- the model: the design's words with plain dicts, independent of memp.projection and memp.state ------------------


def modelled(records: list[Record]) -> dict[str, dict[str, Any]]:
    """Fold the events in force, one after the other, into plain dicts."""
    bodies = [(record.event_id, record.type, record.data or {}) for record in records]

    def in_force(event_id: str, after: int) -> bool:
        return not any(
            type == "events-undone" and event_id in body["undone"] and in_force(undo, place)
            for place, (undo, type, body) in enumerate(bodies)
            if place > after
        )

    procedures: dict[str, dict[str, Any]] = {}
    for place, (event_id, type, body) in enumerate(bodies):
        if in_force(event_id, place):
            _model_step(procedures, event_id, type, body)
    return procedures


def _model_step(procedures: dict[str, dict[str, Any]], event_id: str, type: str, body: dict[str, Any]) -> None:
    if type in ("procedure-added", "procedure-merged"):
        first = {"says": body["content"], "state": "active", "sources": list(body["sources"]), "family": event_id}
        first["key"] = body["content_key"]
        procedures[body["procedure_id"]] = {
            "status": "live",
            "revisions": {event_id: first},
            "active": event_id,
            "evidence": {},
        }
        for merged in body.get("merged", ()):
            if merged in procedures:
                procedures[merged]["status"] = "merged"
        return
    procedure = procedures.get(body.get("procedure_id", ""))
    if procedure is None:
        return
    revisions = procedure["revisions"]
    if type == "procedure-validated" and body["revision"] in revisions:
        family = revisions[body["revision"]]["family"]
        helped, episodes = procedure["evidence"].get(family, (0, 0))
        procedure["evidence"][family] = (helped + body["success"], episodes + 1)
    elif type in ("procedure-generalised", "procedure-reflected"):
        base = revisions.get(body["base"])
        sources = list(base["sources"]) if base else []
        if type == "procedure-generalised":
            sources += [source for source in body["sources"] if source not in sources]
        follows = type == "procedure-generalised" and base is not None and not body["candidate"]
        revisions[event_id] = {
            "says": body["content"],
            "state": "candidate",
            "sources": sources,
            "family": base["family"] if base is not None and follows else event_id,
            "key": body["content_key"],
        }
        if type == "procedure-generalised" and body["candidate"]:
            active = revisions[procedure["active"]]
            active["sources"] += [source for source in body["sources"] if source not in active["sources"]]
            for earlier in [r for id, r in revisions.items() if id != event_id and r["state"] == "candidate"]:
                if earlier["key"] == body["content_key"]:
                    earlier["state"] = "superseded"
        if not body["candidate"]:
            revisions[procedure["active"]]["state"] = "superseded"
            revisions[event_id]["state"] = "active"
            procedure["active"] = event_id
    elif type == "procedure-erased" and procedure["status"] == "live":
        procedure["status"] = "erased"
    elif type == "procedure-unerased" and procedure["status"] == "erased":
        procedure["status"] = "live"


def as_modelled(view: memp.View) -> dict[str, dict[str, Any]]:
    """The same plain dicts, read from a memory."""
    return {
        p.id: {
            "status": p.status.value,
            "active": p.active,
            "revisions": {
                r.id: {
                    "says": msgspec.json.decode(msgspec.json.encode(r.content)),
                    "state": r.status.value,
                    "sources": list(r.sources),
                    "family": r.family,
                    "key": r.content_key,
                }
                for r in p.revisions
            },
            "evidence": {family: (e.helped, e.episodes) for family, e in p.evidences.items()},
        }
        for p in view.procedures(everything=True)
    }


@contextmanager
def on_disk() -> Iterator[memp.Memory]:
    """A memory in a file."""
    with tempfile.TemporaryDirectory() as folder, memp.open(Path(folder) / "agent.duckdb", actor="me") as memory:
        yield memory


@contextmanager
def in_memory() -> Iterator[memp.Memory]:
    """A memory in memory."""
    with memp.open(":memory:", actor="me") as memory:
        yield memory


@pytest.fixture(params=[(in_memory, 350), (on_disk, 35)], ids=["memory", "duckdb"])
def each_life(request: pytest.FixtureRequest) -> Callable[[Callable[..., None]], None]:
    """Runs a property over generated lives: many on the log in memory, some on disk; a million events in a soak."""
    open_one, few = request.param

    def run(check: Callable[..., None]) -> None:
        @settings(max_examples=examples(few), phases=PHASES)
        @given(life=LIVES, picks=st.lists(PICK, min_size=4, max_size=4))
        def each(life: list[tuple[Any, ...]], picks: list[int]) -> None:
            with open_one() as memory:
                for change in life:
                    live(memory, change)
                check(memory, picks)

        each()

    return run


def test_the_state_is_what_the_model_folds(each_life: Callable[..., None]) -> None:
    """What is in force, and what becomes of it, follows the design's words."""

    def check(memory: memp.Memory, _: list[int]) -> None:
        assert as_modelled(memory) == modelled(list(memory.events()))

    each_life(check)


def test_looking_back_equals_a_store_fed_only_the_past(each_life: Callable[..., None]) -> None:
    """Law 3: state, statistics, ranking and rendered prompts at any position."""

    def check(memory: memp.Memory, picks: list[int]) -> None:
        records = list(memory.events())
        for pick in picks[:2]:
            position = pick % (len(records) + 1)
            past = memory.at(position)
            assert past.position == position
            assert list(past.events()) == records[:position]
            assert answers(past) == answers(memory_fed_with(records[:position], memory))
            assert as_modelled(past) == modelled(records[:position])

    each_life(check)


def test_cascade_equals_the_fold_without_those_events(each_life: Callable[..., None]) -> None:
    """Law 4: an undo with cascade, the same asked as 'without', and a store that never had those events agree."""

    def check(memory: memp.Memory, picks: list[int]) -> None:
        records = list(memory.events())
        undoable = [r for r in records if memory._state.in_force(r.event_id) and r.type not in ("resource-recorded",)]
        if not undoable:
            return
        chosen = sorted({undoable[pick % len(undoable)].event_id for pick in picks[:2]})
        before = answers(memory)
        plan = memory.plan_undo(chosen, on_dependents="cascade")
        without = answers(memory.at(memory.position, without=chosen))
        undo = memory.undo(chosen, reason="r", on_dependents="cascade")
        assert without == answers(memory)
        assert as_modelled(memory) == modelled([r for r in records if r.event_id not in plan.undone])
        if not any(r.type == "events-undone" for r in records):
            kept = [r for r in records if r.event_id not in plan.undone]
            fed = memory_fed_with(kept, memory)
            assert fed.state_digest() == memory.state_digest()
            assert answers(fed)[2:] == answers(memory)[2:]
        memory.undo([undo.event_id], reason="back")
        assert answers(memory) == before

    each_life(check)


def test_disjoint_undos_commute(each_life: Callable[..., None]) -> None:
    """Law 4: two undos that share no event and no dependent give the same in either order."""

    def check(memory: memp.Memory, picks: list[int]) -> None:
        records = [r for r in memory.events() if r.type not in ("resource-recorded", "events-undone")]
        records = [r for r in records if memory._state.in_force(r.event_id)]
        if len(records) < 2:
            return
        one, other = records[picks[0] % len(records)].event_id, records[picks[1] % len(records)].event_id
        plans = [set(memory.plan_undo([event], on_dependents="cascade").undone) for event in (one, other)]
        if plans[0] & plans[1]:
            return
        trial, mirror = memory.fork("trial"), memory.fork("mirror")
        for branch, order in ((trial, (one, other)), (mirror, (other, one))):
            for event in order:
                branch.undo([event], reason="r", on_dependents="cascade")
        assert answers(trial) == answers(mirror)

    each_life(check)


def test_a_fork_never_changes_its_parent(each_life: Callable[..., None]) -> None:
    """Law 5: whatever happens on a fork, of a fork of it too, the parent answers as before, and so does the past."""

    def check(memory: memp.Memory, picks: list[int]) -> None:
        before = answers(memory)
        position = picks[0] % (memory.position + 1)
        past = answers(memory.at(position))
        fork = memory.fork("trial", at=position)
        assert answers(fork) == past
        more = memp.Trajectory(task="find 2 pens", steps=[memp.Step(action="take pen 1")], reward=1.0)
        fork.learn([more])
        inner = fork.fork("inner")
        live(inner, ("erase", picks[1]))
        live(inner, ("undo", picks[2:], "cascade"))
        for change in (("validate", picks[1], True), ("undo", picks[2:], "cascade")):
            live(fork, change)
        assert answers(memory) == before
        assert answers(memory.at(position)) == past
        assert answers(fork.at(position)) == past
        memory.learn([memp.Trajectory(task="x", steps=[memp.Step(action="y")], reward=1.0)])
        assert "x" not in [p.task for p in fork.procedures()]

    each_life(check)


def test_promoting_brings_the_fork_over_once(each_life: Callable[..., None]) -> None:
    """Law 5: a promoted fork and its parent agree, a second promotion adds nothing, and old digests never change."""

    def check(memory: memp.Memory, picks: list[int]) -> None:
        fork = memory.fork("trial")
        old = {r.event_id: r.digest for r in memory._store.log.read()}
        fork.learn([memp.Trajectory(task="find 2 pens", steps=[memp.Step(action="take pen 1")], reward=1.0)])
        for change in (
            ("validate", picks[0], True),
            ("reflect", picks[1], 'do("z")\n', True),
            ("undo", picks[2:], "cascade"),
        ):
            live(fork, change)
        assert memory.promote("trial", reason="better")
        assert memory.state_digest() == fork.state_digest()
        assert [f.name for f in memory.procedures()] == [f.name for f in fork.procedures()]
        position = memory.position
        assert memory.promote("trial", reason="again") == ()
        assert memory.position == position
        assert {r.event_id: r.digest for r in memory._store.log.read() if r.event_id in old} == old

    each_life(check)


@settings(max_examples=examples(150))
@given(runs=st.lists(RUNS, min_size=1, max_size=8), split=st.integers(0, 8), pick=PICK)
def test_undoing_a_source_gives_what_the_other_runs_give(runs: list[memp.Trajectory], split: int, pick: int) -> None:
    """Law 4b: content, support and names of status are those of a store that learned only the other runs."""
    with memp.open(":memory:") as memory, memp.open(":memory:") as other:
        memory.learn(runs[:split])
        memory.learn(runs[split:])
        recorded = [r.data for r in memory.events(type="trajectory-recorded")]
        gone = recorded[pick % len(recorded)]
        assert gone is not None
        memory.undo(source=gone["trajectory_id"], reason="wrong")
        other.learn([run for run in runs if run.digest != gone["digest"]])
        assert memory.state_digest() == other.state_digest()
        # What was undone can be learned again.
        memory.learn(runs)
        other.learn(runs)
        assert memory.state_digest() == other.state_digest()


@settings(max_examples=examples(60))
@given(runs=st.lists(RUNS, min_size=1, max_size=8), split=st.integers(0, 8))
def test_rederiving_gives_what_learning_gave(runs: list[memp.Trajectory], split: int) -> None:
    """A fork that decides everything anew, by the same rules, has the same content; the parent is as it was."""
    with memp.open(":memory:") as memory:
        memory.learn(runs[:split])
        memory.learn(runs[split:])
        digest = memory.state_digest()
        assert memory.rederive("again", build="verbatim").state_digest() == digest
        everything = memory.rederive("all", build="verbatim", policy="vanilla")
        assert len(everything.procedures()) >= len(memory.procedures())
        assert memory.state_digest() == digest
