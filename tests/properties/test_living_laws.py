"""The laws over lives in which agents work with the memory: episodes, policies, candidates, capacity and the queue."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import attrs
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import memp
from memp.log import Identity
from memp.model import Position
from memp.record import Record
from memp.testing import memory_fed_with
from tests.soak import examples

SCOPES = ["", "team", "team/one", "team/two"]
SCOPE = st.sampled_from(["", *SCOPES])
TASKS = ["put a hot mug in the cabinet", "put a cold egg on the shelf", "look at a book under the lamp"]
KEYS = ("hybrid", "pattern", "facts", "bm25", "random")
NOWHERE = Position(0)
HOUR = 3_600_000_000
PICK = st.integers(0, 30)
TASK = st.sampled_from(TASKS)
ACTION = st.sampled_from(["take mug 1", "heat mug 1", "open cabinet 2"])
RUNS = st.builds(
    lambda task, action, reward: memp.Trajectory(
        task=task, steps=[memp.Step(action=action, observation="Done.")], reward=reward
    ),
    TASK,
    ACTION,
    st.sampled_from([0.0, 1.0]),
)
POLICIES = st.sampled_from(
    [None, "vanilla", ("validation", "erasure"), "paper", ("validation", "trial"), "reflection", "none"]
)
DAYS = st.sampled_from([None, 2])
OUTCOMES = st.sampled_from([True, True, False, False, None])
EPISODES = st.tuples(st.just("episode"), SCOPE, TASK, st.integers(1, 3), POLICIES, ACTION, OUTCOMES)
CHANGES = st.one_of(
    st.tuples(st.just("learn"), SCOPE, st.lists(RUNS, min_size=1, max_size=3)),
    EPISODES,
    EPISODES,
    EPISODES,
    st.tuples(st.just("reflect"), SCOPE, PICK, ACTION),
    st.tuples(st.sampled_from(["accept", "reject"]), SCOPE, PICK),
    st.tuples(st.just("policy"), SCOPE, POLICIES.filter(bool), st.sampled_from([None, 1, 2, 9]), DAYS),
    st.tuples(st.just("later"), SCOPE, st.lists(RUNS, min_size=1, max_size=2)),
    st.tuples(st.just("drain"), SCOPE, st.sampled_from([None, 1])),
    st.tuples(st.just("drop"), SCOPE, PICK),
    st.tuples(st.just("undo"), SCOPE, PICK, st.sampled_from(["cascade", "taint"])),
)
FIRST: list[tuple[Any, ...]] = [
    ("learn", "", [memp.Trajectory(task=task, steps=[memp.Step(action="take mug 1")], reward=1.0) for task in TASKS]),
    ("episode", "team", TASKS[0], 1, None, "heat mug 1", True),
]
"""How every life begins, so that what follows meets procedures and evidence: most of it would do nothing else."""
LIVES = st.lists(CHANGES, min_size=3, max_size=12).map(lambda changes: FIRST + changes)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)


def hourly() -> Identity:
    """Return an identity whose clock goes on by an hour each time it is read, so that ages matter."""
    hours = count(500_000)
    return Identity(clock=lambda: next(hours) * HOUR)


def lived(memory: memp.Memory, change: tuple[Any, ...]) -> object:
    """Carry out one change by a member of a scope; what the memory refuses is skipped."""
    name, scope, *arguments = change
    mine = memory.within(scope)
    try:
        match name, arguments:
            case "learn", [runs]:
                mine.learn(runs)
            case "episode", [task, k, policy, action, success]:
                with mine.episode(task, k, policy=policy) as episode:
                    episode.step(action=action, observation="Done.")
                    if success is not None:
                        episode.finish(success=success, tokens=7)
            case "reflect", [pick, action]:
                there = mine.procedures()
                mine.reflect(there[pick % len(there)].id, script=f'do("{action}")\n', critique="c")
            case (("accept" | "reject"), [pick]):
                waiting = mine.candidates()
                getattr(mine, name)(waiting[pick % len(waiting)].revision.id, reason="r")
            case "policy", [policies, most, days]:
                names = (policies,) if isinstance(policies, str) else policies
                mine.set_policy(*names, max_procedures=most, half_life_days=days)
            case "later", [runs]:
                mine.learn_later(runs)
            case "drain", [limit]:
                mine.drain(limit)
            case "drop", [pick]:
                waiting_runs = mine.queue()
                mine.drop(waiting_runs[pick % len(waiting_runs)].id, reason="r")
            case "undo", [pick, how]:
                records = list(mine.events())
                mine.undo([records[pick % len(records)].event_id], reason="r", on_dependents=how)
    except (memp.MempError, ZeroDivisionError):
        return None
    return None


def owned(memory: memp.Memory, scope: str) -> set[str]:
    """The live procedures that the scope itself holds."""
    return {str(one.id) for one in memory.within(scope).procedures() if one.scope == scope}


def answers(view: memp.View) -> list[object]:
    """What a user sees of it all: procedures, evidence, episodes, candidates, the queue, rules, ranking and prompts."""
    there = view.procedures(everything=True)
    shown: list[object] = [view.state_digest(), there, view.candidates(), view.policy()]
    # Positions are those of the whole log, and a store that was fed less has others.
    shown += [[attrs.evolve(one, position=NOWHERE) for one in view.episodes()]]
    shown += [[attrs.evolve(one, position=NOWHERE) for one in view.queue()]]
    shown += [view.evidence(one.id, half_life_days=days) for one in there for days in (None, 1.0)]
    for task in (*TASKS, "put a hot pear on the table"):
        for key in KEYS:
            found = view.retrieve(task, k=3, key=key, evidence_weight=0.4 if key == "hybrid" else 0.0)
            shown.append([(m.procedure.id, m.score, m.parts) for m in found])
        shown.append(view.retrieve(task, k=2, diversity=0.3).prompt())
    return shown


def readable(records: list[Record], scope: str) -> list[Record]:
    """What a reader in *scope* may read, from the bodies alone; the end of an episode belongs to whose it is."""
    holders: dict[str, str] = {}
    kept = []
    for record in records:
        body = record.data or {}
        about = body.get("queued_id", record.stream)
        if "scope" in body:
            holders[about] = body["scope"]
        holder = holders.get(about, "")
        if holder == "" or scope == holder or scope.startswith(f"{holder}/"):
            kept.append(record)
    return kept


@settings(max_examples=examples(60), phases=PHASES)
@given(life=LIVES, scope=SCOPE, pick=PICK)
def test_a_scope_sees_what_a_store_shows_that_was_fed_no_more(
    life: list[tuple[Any, ...]], scope: str, pick: int
) -> None:
    """Laws 2, 3 and 14: now and at any position, through any scope, with all that episodes left behind."""
    with memp.open(":memory:", actor="me", identity=hourly()) as memory:
        for change in life:
            lived(memory, change)
        records = list(memory._store.log.read())
        position = pick % (len(records) + 1)
        for view, until in ((memory.within(scope), len(records)), (memory.within(scope).at(position), position)):
            expected = readable(records[:until], scope)
            assert list(view.events()) == expected
            assert answers(view) == answers(memory_fed_with(expected, memory).within(scope))


@settings(max_examples=examples(40), phases=PHASES)
@given(life=LIVES, more=st.lists(CHANGES, min_size=1, max_size=4), pick=PICK)
def test_a_fork_lives_on_its_own(life: list[tuple[Any, ...]], more: list[tuple[Any, ...]], pick: int) -> None:
    """Law 5: a fork answers as its past does, and what agents do on either does not reach the other."""
    with memp.open(":memory:", actor="me", identity=hourly()) as memory:
        for change in life:
            lived(memory, change)
        before = answers(memory)
        position = pick % (memory.position + 1)
        fork = memory.fork("trial", at=position)
        assert answers(fork) == answers(memory.at(position))
        for change in more:
            lived(fork, change)
        assert answers(memory) == before
        there = answers(fork)
        for change in more:
            lived(memory, change)
        assert answers(fork) == there


@settings(max_examples=examples(40), phases=PHASES)
@given(life=LIVES, pick=PICK)
def test_an_undo_takes_back_what_followed_and_its_undo_brings_it_back(life: list[tuple[Any, ...]], pick: int) -> None:
    """Law 4: 'without' and undo agree; episodes happened and stay; and undoing the undo is the identity."""
    with memp.open(":memory:", actor="me", identity=hourly()) as memory:
        for change in life:
            lived(memory, change)
        here = [r for r in memory.events() if r.type.startswith(("procedure-", "revision-", "trajectory-"))]
        here = [r for r in here if memory._state.in_force(r.event_id)]
        if not here:
            return
        chosen = here[pick % len(here)].event_id
        before, episodes = answers(memory), memory.episodes()
        without = memory.at(memory.position, without=[chosen])
        expected = [without.state_digest(), without.procedures(everything=True)]
        undo = memory.undo([chosen], reason="r", on_dependents="cascade")
        assert [memory.state_digest(), memory.procedures(everything=True)] == expected
        assert memory.episodes() == episodes
        memory.undo([undo.event_id], reason="back")
        # A half-life counts to the last event, which is later now; all else is as it was.
        ageless = [one for one in answers(memory) if not isinstance(one, memp.Credit)]
        if memory.policy() is None or memory.policy().half_life_days is None:  # type: ignore[union-attr]
            assert ageless == [one for one in before if not isinstance(one, memp.Credit)]
        else:
            assert ageless[:3] == [one for one in before if not isinstance(one, memp.Credit)][:3]


@settings(max_examples=examples(15), phases=PHASES)
@given(life=LIVES)
def test_a_reopened_store_goes_on_where_it_was(tmp_path_factory: Any, life: list[tuple[Any, ...]]) -> None:
    """Law 2: on disk, what was open through a life answers as what is opened from its log."""
    path = Path(tmp_path_factory.mktemp("life")) / "agent.duckdb"
    with memp.open(path, actor="me", identity=hourly()) as memory:
        for change in life:
            lived(memory, change)
        seen = [answers(memory.within(scope)) for scope in SCOPES]
    with memp.open(path, read_only=True) as memory:
        assert [answers(memory.within(scope)) for scope in SCOPES] == seen


@settings(max_examples=examples(40), phases=PHASES)
@given(life=LIVES)
def test_no_scope_holds_more_than_the_rules_allow(life: list[tuple[Any, ...]]) -> None:
    """After every operation that adds procedures, those of its scope number at most what the rules in force say."""
    with memp.open(":memory:", actor="me", identity=hourly()) as memory:
        for change in life:
            before = owned(memory, change[1])
            lived(memory, change)
            own, rules = owned(memory, change[1]), memory.policy()
            if rules is None or rules.max_procedures is None or change[0] not in ("learn", "drain", "policy"):
                continue
            if own - before or change[0] == "policy":
                assert len(own) <= rules.max_procedures
