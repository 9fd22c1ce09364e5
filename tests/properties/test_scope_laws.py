"""Law 14 over generated lives: what a reader in a scope sees is what a store has that was fed nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import memp
from memp.record import Record
from memp.testing import memory_fed_with
from tests.soak import examples

SCOPES = ["", "team", "team/one", "team/two", "teams", "other"]
SCOPE = st.sampled_from(SCOPES)
TASKS = ["put a hot mug in the cabinet", "put a cold egg on the shelf", "look at a book under the lamp"]
KEYS = ("hybrid", "pattern", "query", "facts", "bm25", "random")
RUNS = st.builds(
    lambda task, action, reward: memp.Trajectory(
        task=task, steps=[memp.Step(action=action, observation="Done.")], reward=reward, env="house"
    ),
    st.sampled_from(TASKS),
    st.sampled_from(["take mug 1", "heat mug 1", "open cabinet 2"]),
    st.sampled_from([0.0, 1.0]),
)
PICK = st.integers(0, 30)
CHANGES = st.one_of(
    st.tuples(st.just("learn"), SCOPE, st.lists(RUNS, min_size=1, max_size=3)),
    st.tuples(st.just("learn"), SCOPE, st.lists(RUNS, min_size=1, max_size=3)),
    st.tuples(st.just("validate"), SCOPE, PICK, st.booleans()),
    st.tuples(st.just("reflect"), SCOPE, PICK, st.booleans()),
    st.tuples(st.sampled_from(["erase", "unerase"]), SCOPE, PICK),
    st.tuples(st.just("merge"), SCOPE, PICK, PICK),
    st.tuples(st.just("undo"), SCOPE, PICK, st.sampled_from(["cascade", "taint"])),
    st.tuples(st.just("source"), SCOPE, PICK),
)
LIVES = st.lists(CHANGES, min_size=2, max_size=10)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)


def live(everybodys: memp.Memory, change: tuple[Any, ...]) -> object:
    """Carry out one change by a member of a scope; what the memory refuses is skipped."""
    name, scope, *arguments = change
    memory = everybodys.within(scope)
    try:
        if name == "learn":
            return memory.learn(arguments[0], tags=[f"by-{scope or 'all'}"])
        records = list(memory.events())
        if name == "undo":
            chosen = records[arguments[0] % len(records)].event_id
            return memory.undo([chosen], reason="r", on_dependents=arguments[1])
        if name == "source":
            runs = [r for r in records if r.type == "trajectory-recorded"]
            return memory.undo(source=runs[arguments[0] % len(runs)].data["trajectory_id"], reason="r")
        there = memory.procedures(everything=True)
        one = there[arguments[0] % len(there)].id
        if name == "validate":
            return memory.validate(one, success=arguments[1])
        if name == "reflect":
            return memory.reflect(one, script=f'do("{scope}")\n', critique="c", activate=arguments[1])
        if name == "merge":
            return memory.merge([one, there[arguments[1] % len(there)].id], reason="r")
        return getattr(memory, name)(one, reason="r")
    except (memp.MempError, ZeroDivisionError):
        return None


def readable_records(records: list[Record], scope: str) -> list[Record]:
    """What a reader in *scope* may read, from the bodies alone: what is held at or above it, and what is nobody's."""
    holders: dict[str, str] = {}
    kept = []
    for record in records:
        body = record.data or {}
        if "scope" in body:
            holders[record.stream] = body["scope"]
        holder = holders.get(record.stream, "")
        if holder == "" or scope == holder or scope.startswith(f"{holder}/"):
            kept.append(record)
    return kept


def answers(view: memp.View) -> list[object]:
    """What a user sees: state, statistics, ranking by every key, filters, diversity and prompts."""
    shown: list[object] = [view.state_digest(), view.procedures(everything=True), view._state.recorded_at]
    for task in (*TASKS, "put a hot pear on the table"):
        for key in KEYS:
            found = view.retrieve(task, k=3, key=key)
            shown.append([(m.procedure.id, m.score, m.parts) for m in found])
        found = view.retrieve(task, k=3, diversity=0.3, where=memp.Filter(environment="house", support_min=1))
        shown += [[(m.procedure.id, m.score, m.parts) for m in found], found.prompt()]
    return shown


@settings(max_examples=examples(120), phases=PHASES)
@given(life=LIVES, scope=SCOPE, pick=PICK)
def test_a_scope_equals_a_store_fed_only_what_it_may_read(life: list[tuple[Any, ...]], scope: str, pick: int) -> None:
    """Law 14: state, ids, statistics, merging, word frequencies, ranking and prompts, now and at any position."""
    with memp.open(":memory:", actor="me") as memory:
        for change in life:
            live(memory, change)
        records = list(memory._store.log.read())
        view = memory.within(scope)
        expected = readable_records(records, scope)
        assert list(view.events()) == expected
        assert answers(view) == answers(memory_fed_with(expected, memory).within(scope))
        position = pick % (len(records) + 1)
        expected = readable_records(records[:position], scope)
        assert answers(view.at(position)) == answers(memory_fed_with(expected, memory).within(scope))


@settings(max_examples=examples(60), phases=PHASES)
@given(life=LIVES)
def test_names_are_unique_in_every_view(life: list[tuple[Any, ...]]) -> None:
    """No reader sees two procedures of one name, whichever scope came first."""
    with memp.open(":memory:", actor="me") as memory:
        for change in life:
            if change[0] not in ("undo", "source"):
                live(memory, change)
        for scope in SCOPES:
            names = [procedure.name for procedure in memory.within(scope).procedures(everything=True)]
            assert len(names) == len(set(names))


@settings(max_examples=examples(40), phases=PHASES)
@given(life=LIVES)
def test_what_stands_beside_leaves_no_trace(life: list[tuple[Any, ...]]) -> None:
    """A scope answers the same, names and all, whether those beside it lived or not."""

    def lived(scopes: list[str]) -> list[object]:
        with memp.open(":memory:", actor="me") as memory:
            for change in life:
                if change[0] == "learn" and change[1] in scopes:
                    live(memory, change)
            view = memory.within("team/one")
            answered = [view.retrieve(task, k=9, key=key) for task in TASKS for key in KEYS]
            found = [[(match.procedure.name, match.score, match.parts) for match in one] for one in answered]
            return [view.state_digest(), [procedure.name for procedure in view.procedures()], found]

    assert lived(["team/one"]) == lived(["team/one", "team/two", "teams", "other"])


def test_reopening_gives_every_scope_back(tmp_path: Any) -> None:
    """Scopes come back from the log: each answers as it did before the store was closed."""
    path = tmp_path / "agent.duckdb"
    runs = [memp.Trajectory(task=t, steps=[memp.Step(action="take mug 1")], reward=1.0) for t in TASKS]
    with memp.open(path) as memory:
        for scope, run in zip(SCOPES, [*runs, *runs], strict=True):
            memory.learn([run], scope=scope)
        before = [answers(memory.within(scope)) for scope in SCOPES]
    for scope, expected in zip(SCOPES, before, strict=True):
        with memp.open(path, scope=scope, read_only=True) as memory:
            assert answers(memory) == expected


@pytest.mark.parametrize("scope", ["/team", "team/", "team//one", " team", "team/ one", "a\nb", None, 3])
def test_a_scope_is_a_path(scope: Any) -> None:
    """What is no path is refused with an example of one."""
    with pytest.raises(memp.InvalidInputError, match="team/agent"):
        memp.open(":memory:", scope=scope)


def test_a_scope_reads_upwards_and_writes_to_itself() -> None:
    """A member sees the team's and everybody's; neither sees the member's, nor does another member."""
    run = memp.Trajectory(task="put a mug", steps=[memp.Step(action="take mug 1")], reward=1.0)
    with memp.open(":memory:") as memory:
        team, one, two = (memory.within(scope) for scope in ("team", "team/one", "team/two"))
        one.learn([run])
        assert [len(m.procedures()) for m in (memory, team, one, two)] == [0, 0, 1, 0]
        # Each scope has its own copy of a run, so that it does not matter who learned it first.
        assert team.learn([run]).recorded == 1
        assert [len(m.procedures()) for m in (memory, team, one, two)] == [0, 1, 2, 1]
        assert one.learn([run]).known == 1
        with pytest.raises(memp.InvalidInputError, match="opened there"):
            one.learn([run], scope="team/two")
        with pytest.raises(memp.NotFoundError):
            two.procedure(one.retrieve("put a mug", where=memp.Filter(scope="team/one"))[0].procedure.id)
