"""Induction on real runs, where they are at hand; none of their sentences is kept here."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import memp
from memp.build.effects import lifted_share
from memp.build.induce import Induce
from memp.model import Procedure, Trajectory
from memp.script import Toolset, parse_script
from memp.script.loader import load_shipped_toolset, shipped_names
from tests.unit.build.depot import sourced

LEARNED = ("expert_train", "knowagent_llama2_train")
HOUSEHOLD_FILES = (*LEARNED, "expert_valid_seen", "runs_with_lessons_valid_seen", "worked_examples")

WHAT_IT_TAKES = {
    "pick_heat_then_place_in_recep": ["take(", 'go_to("microwave")', "heat(", "go_to(target)", "move("],
    "pick_cool_then_place_in_recep": ["take(", 'go_to("fridge")', "cool(", "go_to(target)", "move("],
    "pick_clean_then_place_in_recep": ["take(", 'go_to("sinkbasin")', "clean(", "go_to(target)", "move("],
    "pick_and_place_simple": ["find(", "take(", "go_to(target)", "if closed(target):", "move("],
    "pick_two_obj_and_place": ["for _ in times(2):", "find(", "take(", "go_to(target)", "move("],
    "look_at_obj_in_light": ["find(", "take(", "find(device", "use(device)"],
}
"""Kind of task to what stands in its main procedure, in this order."""


def read(shared_data: Path, *names: str) -> list[Trajectory]:
    """Return the runs of ALFWorld files that solved their task."""
    paths = [shared_data / "alfworld_runs" / f"{name}.jsonl.gz" for name in names]
    return [run for path in paths for run in memp.read_trajectories(path) if run.success]


def toolsets() -> tuple[Toolset, ...]:
    """Return the toolsets that ship."""
    return tuple(load_shipped_toolset(name) for name in shipped_names())


@pytest.mark.parametrize("name", HOUSEHOLD_FILES)
def test_nearly_every_action_of_a_solved_run_lifts(shared_data: Path, name: str) -> None:
    """95 in 100 or more of what the world took lift in every run, in both dialects; what it refused is no action."""
    household = load_shipped_toolset("household")
    for run in read(shared_data, name):
        taken = [step for step in run.steps if step.observation.strip() and household.had_effect("", step.observation)]
        heard = Trajectory(task=run.task, steps=tuple(taken))
        assert lifted_share(heard, household) >= 0.95


def kinds_of(memory: memp.Memory) -> dict[str, str]:
    """Return the kind of task that most runs of each procedure are of."""
    kinds = {
        (record.data or {})["trajectory_id"]: (record.data or {})["trajectory"]["task_type"]
        for record in memory.events(type="trajectory-recorded")
    }
    return {p.id: Counter(kinds[source] for source in p.sources).most_common(1)[0][0] for p in memory.procedures()}


def test_solved_runs_become_a_few_procedures_that_are_right(shared_data: Path) -> None:
    """501 runs make tens of procedures; the main one of each kind says what a person would say."""
    with memp.open(":memory:") as memory:
        memory.learn(read(shared_data, *LEARNED), build="induce")
        kinds = kinds_of(memory)
        assert len(kinds) < 30
        for kind, wanted in WHAT_IT_TAKES.items():
            own = [procedure for procedure in memory.procedures() if kinds[procedure.id] == kind]
            main = max(own, key=lambda procedure: procedure.support)
            assert main.support >= 0.85 * sum(procedure.support for procedure in own)
            assert_in_order(main, wanted)


def assert_in_order(procedure: Procedure, wanted: Sequence[str]) -> None:
    """The script of *procedure* holds *wanted* in this order."""
    place = 0
    for piece in wanted:
        found = (procedure.script or "").find(piece, place)
        assert found >= 0, f"{piece!r} is not where it belongs in:\n{procedure.script}"
        place = found + len(piece)


def test_rows_in_any_order_and_any_calls_give_the_same_state(shared_data: Path) -> None:
    """Shuffled and split, and learned again, the same runs give the same digest."""
    runs = read(shared_data, *LEARNED)
    rng = random.Random(3)
    with memp.open(":memory:") as whole, memp.open(":memory:") as parts:
        whole.learn(runs, build="both")
        digest = whole.state_digest()
        assert not whole.learn(runs, build="both").events
        shuffled = rng.sample(runs, len(runs))
        while shuffled:
            count = rng.randint(1, 90)
            parts.learn(shuffled[:count], build="both")
            shuffled = shuffled[count:]
        assert (parts.state_digest(), whole.state_digest()) == (digest, digest)


def games(shared_data: Path) -> Iterator[dict[str, Any]]:
    """Yield the packed games."""
    for name in ("train", "valid_seen"):
        with gzip.open(shared_data / "alfworld_games" / f"{name}.jsonl.gz", "rt") as lines:
            yield from map(json.loads, lines)


@pytest.mark.parametrize("third", [0, 1, 2])
def test_the_first_match_is_of_the_right_kind_in_rooms_that_were_not_learned(shared_data: Path, third: int) -> None:
    """Nine times in ten or better for each of the six kinds, in every wording of the games."""
    learned = [run for run in read(shared_data, *LEARNED) if run.extra.get("scene") is not None]
    with memp.open(":memory:") as memory:
        memory.learn([run for run in learned if int(run.extra["scene"]) % 3 != third], build="induce")
        kinds = kinds_of(memory)
        right: Counter[str] = Counter()
        asked: Counter[str] = Counter()
        for game in games(shared_data):
            if int(game["scene"]) % 3 == third:
                for task in {game["task"], game["task_sentence"]}:
                    asked[game["task_type"]] += 1
                    right[game["task_type"]] += kinds[memory.retrieve(task, k=1)[0].procedure.id] == game["task_type"]
        assert set(asked) == set(WHAT_IT_TAKES)
        assert all(right[kind] >= 0.9 * count for kind, count in asked.items()), (right, asked)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("scienceworld_runs/gold_train_dev", 200),
        ("scienceworld_runs/retrospex_train", 180),
        ("taubench_airline/gpt4o_trials", 40),
        ("textworld_cooking/walkthroughs_train_valid", 52),
        ("travelplanner/plans_train", 45),
        ("hotpotqa_runs/reflexion_trials", 60),
        ("hotpotqa_runs/knowagent_llama2", 90),
    ],
)
def test_runs_of_other_worlds_make_scripts_that_check(shared_data: Path, name: str, most: int) -> None:
    """Every solved run supports one procedure, each of which reads, and there are no more than are different."""
    runs = [run for run in memp.read_trajectories(shared_data / f"{name}.jsonl.gz") if run.success]
    drafts = Induce(toolsets=toolsets()).build(sourced(runs))
    assert sum(len(draft.sources) for draft in drafts) == len(runs)
    assert len(drafts) <= most
    for draft in drafts:
        assert draft.content.script is not None
        script = parse_script(draft.content.script)
        assert script.procedures[0].patterns == draft.content.patterns
