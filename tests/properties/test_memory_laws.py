"""Laws 1 and 2 over generated lives: replay is a function, and what is open equals what a reopened store would have."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import memp
from tests.soak import examples

TASKS = ["put a hot mug in the cabinet", "put a cold egg on the shelf", "look at a book under the lamp", "find 2 pens"]
ACTIONS = st.lists(st.sampled_from(["go to sink 1", "take mug 1", "heat mug 1", "", "look"]), min_size=1, max_size=4)
RUNS = st.builds(
    lambda task, actions, reward, agent: memp.Trajectory(
        task=task, steps=[memp.Step(action=a, observation=f"You {a}.") for a in actions], reward=reward, agent=agent
    ),
    st.sampled_from(TASKS),
    ACTIONS,
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([None, "one", "two"]),
)
PICK = st.integers(0, 50)
OPERATIONS = st.one_of(
    st.tuples(st.just("learn"), st.lists(RUNS, max_size=5), st.sampled_from(["validation", "vanilla"])),
    st.tuples(st.just("validate"), PICK, st.booleans()),
    st.tuples(st.just("reflect"), PICK, st.sampled_from(['do("a")\n', 'do("b")\n']), st.booleans()),
    st.tuples(st.sampled_from(["erase", "unerase"]), PICK),
    st.tuples(st.just("merge"), PICK, PICK),
)
LIVES = st.lists(OPERATIONS, min_size=1, max_size=12)


def live(memory: memp.Memory, operation: tuple[object, ...]) -> object:
    """Carry out one operation; what the memory refuses is part of the answer."""
    name, *arguments = operation
    everything = memory.procedures(everything=True)
    try:
        if name == "learn":
            rows, policy = arguments
            report = memory.learn(rows, policy=policy)  # type: ignore[arg-type]
            return report.recorded, report.known, report.added, report.generalised
        if not everything:
            return None
        chosen = everything[arguments[0] % len(everything)].id  # type: ignore[operator]
        if name == "validate":
            return memory.validate(chosen, success=bool(arguments[1])).type
        if name == "reflect":
            script, activate = arguments[1:]
            return memory.reflect(chosen, script=str(script), critique="c", activate=bool(activate)).type
        if name == "merge":
            other = everything[arguments[1] % len(everything)].id  # type: ignore[operator]
            return memory.merge([chosen, other], reason="r").type
        return getattr(memory, str(name))(chosen, reason="r").type
    except memp.MempError as error:
        return type(error)


def answers(memory: memp.Memory) -> list[object]:
    """What a user sees that must not depend on ids, times, logs or processes."""
    shown: list[object] = [
        memory.state_digest(),
        [(p.name, p.status, p.evidence) for p in memory.procedures(everything=True)],
    ]
    for task in (*TASKS, "put a hot pear on the table"):
        for key in ("pattern", "query", "random"):
            found = memory.retrieve(task, k=3, key=key)
            shown.append([(match.procedure.name, match.score, match.parts) for match in found])
            shown += [found.prompt(style=style) for style in ("steps", "code")]
    return shown


@settings(max_examples=examples(60))
@given(LIVES)
def test_both_logs_tell_the_same_story_and_reopen_to_it(life: list[tuple[object, ...]]) -> None:
    """Law 2: a store that was open through a life equals one that is opened from its log, in memory and on disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agent.duckdb"
        with memp.open(":memory:") as one, memp.open(path) as other:
            for operation in life:
                assert live(one, operation) == live(other, operation)
            seen = answers(one)
            assert answers(other) == seen
            everything = other.procedures(everything=True)
        with memp.open(path) as again:
            assert again.procedures(everything=True) == everything
            assert answers(again) == seen


def test_replay_is_the_same_in_another_process(tmp_path: Path) -> None:
    """Law 1: another process, with other hashes and another time zone, gives the same answers from the same log."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        for number, task in enumerate(TASKS):
            memory.learn([memp.Trajectory(task=task, steps=[memp.Step(action=f"take mug {number}")], reward=1.0)])
        memory.erase(memory.procedures()[0].id, reason="r")
        seen = answers(memory)
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        f"import memp, test_memory_laws\nprint(test_memory_laws.answers(memp.open({str(path)!r})))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "OPENBLAS_NUM_THREADS": seed}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        assert done.stdout.strip() == str(seen)
