"""The suite, the world's answers, and the agreement with stored verdicts."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

import memp
from memp.cli.main import cli
from memp.evaluation.environment import NOTHING_HAPPENS
from memp.evaluation.travelplanner import (
    Day,
    Request,
    Tables,
    TravelWorld,
    judge_plans,
    read_request,
    read_tables,
    score_runs,
    task_of,
)
from memp.evaluation.travelplanner.agreement import read_rows
from memp.evaluation.travelplanner.suite import judge_file, read_tasks
from memp.model import Step, Trajectory

SHIPPED = Path(__file__).parents[4] / "procedures" / "travel"


def actions_of(plan: tuple[Day, ...]) -> list[str]:
    days = []
    for day in plan:
        fields = attrs.asdict(day)
        days.append("plan day " + json.dumps({"days": fields.pop("number"), **fields}))
    return days


def test_the_suite_holds_the_tasks_of_a_folder(world: Path) -> None:
    """Tasks, toolset and agent are named; the same folder gives the same digest, a split another; it can be pickled."""
    suite = memp.suite("travelplanner", data=str(world))
    assert [task.id for task in suite.tasks] == ["train-1", "validation-2"]
    assert [task.type for task in suite.tasks] == ["3 days, no wishes", "5 days, one wish"]
    assert (suite.toolset, suite.agent) == ("travel", "planner")
    assert suite.digest == memp.suite("travelplanner", data=str(world)).digest
    assert suite.digest != memp.suite("travelplanner", data=str(world), split="train").digest
    assert len(memp.suite("travelplanner", data=str(world), n=1).tasks) == 1
    assert pickle.loads(pickle.dumps(suite.make_environment))().name == "travelplanner"


def test_a_folder_without_tasks_is_refused(tmp_path: Path) -> None:
    """The error names what must be there."""
    with pytest.raises(memp.InvalidInputError, match=r"tasks\.jsonl"):
        memp.suite("travelplanner", data=str(tmp_path))
    with pytest.raises(memp.InvalidInputError, match="must be told 'data'"):
        memp.suite("travelplanner")


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("FlightSearch[Cove, Ahus, 2022-03-04]", "100 dollars | 08:00 | 09:00 | F1"),
        ("FlightSearch[Cove, Belo, 2022-03-04]", "There is no flight"),
        ("GoogleDistanceMatrix[Cove, Ahus, taxi]", "1000 dollars a car | 9 hours | 1000 km | taxi"),
        ("GoogleDistanceMatrix[Cove, Belo, taxi]", "There is no way"),
        ("AccommodationSearch[Belo]", "70 dollars a night | Entire home/apt | at least 2 nights | up to 2 guests"),
        ("RestaurantSearch[Belo]", "12 dollars a meal | American, Cafe | Belo Bar"),
        ("AttractionSearch[Belo]", "Belo Park"),
        ("AttractionSearch[Cove]", "There is no attraction"),
        ("CitySearch[Nordland]", "Ahus, Belo"),
        ("CostEnquiry[all of it]", "The 0 days planned so far cost 0 dollars."),
        ("NotebookWrite[flights]", "It is written down."),
        ("FlightSearch[Cove]", NOTHING_HAPPENS),
        ("Dance[now]", NOTHING_HAPPENS),
        ("plan day {", NOTHING_HAPPENS),
        ("sit down", NOTHING_HAPPENS),
    ],
)
def test_searches_are_answered_from_the_tables(
    tables: Tables, request_of_two: Request, action: str, answer: str
) -> None:
    """Each search says what the tables hold; what is no search changes nothing."""
    environment = TravelWorld(tables)
    assert "Cities in question: Ahus" in environment.reset(task_of(request_of_two))
    assert environment.step(action).observation.startswith(answer)
    assert environment.admissible() == ()


def test_the_last_day_is_judged(tables: Tables, request_of_two: Request, good_plan: tuple[Day, ...]) -> None:
    """Days are counted; the last one ends the episode with verdict and reward."""
    environment = TravelWorld(tables)
    environment.reset(task_of(request_of_two))
    first, second, last = (environment.step(action) for action in actions_of(good_plan))
    assert (first.done, second.observation) == (False, "Day 2 of 3 is planned.")
    assert (last.done, last.won, last.reward) == (True, True, 1.0)
    environment.reset(task_of(request_of_two))
    answers = [environment.step(action) for action in actions_of((good_plan[0], good_plan[0], good_plan[2]))]
    assert "Reasonable City Route" in answers[-1].observation
    assert not answers[-1].won


def row(plan: tuple[Day, ...], **evaluator: Any) -> dict[str, Any]:
    return {"task_id": "train-1", "steps": [{"action": action} for action in actions_of(plan)], "evaluator": evaluator}


def test_agreement_is_counted_by_constraint(
    tables: Tables, request_of_two: Request, good_plan: tuple[Day, ...]
) -> None:
    """Stored verdicts are compared one by one, and plans of unknown tasks are counted and left out."""
    published = {"Minimum Nights Stay": [True, None], "Within Sandbox": [False, "never heard of"]}
    rows = [row(good_plan, commonsense_constraint=published), {"task_id": "other", "steps": []}]
    found = judge_plans(rows, tables, [request_of_two])
    by_name = {count.name: count for count in found.constraints}
    assert (found.plans, found.skipped, found.succeeded, found.reward) == (1, 1, 1, 1.0)
    assert (by_name["Minimum Nights Stay"].agreed, by_name["Within Sandbox"].agreed) == (1, 0)
    assert (found.agreed, found.stored) == (1, 2)
    assert "1 of unknown tasks left out" in found.table()


def test_a_file_of_plans_is_judged_beside_the_suite(world: Path, tmp_path: Path, good_plan: tuple[Day, ...]) -> None:
    """The suite's appendix is the table of verdicts of the file that it was given."""
    path = tmp_path / "plans.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(row(good_plan)).encode()))
    suite = memp.suite("travelplanner", data=str(world), plans=str(path))
    assert suite.appendix is not None
    assert "1 plans: 1 keep everything" in suite.appendix()
    assert suite.appendix() == judge_file(str(world), str(path))


@pytest.mark.parametrize("line", ["{", "[]", '{"steps": 1}'])
def test_a_line_that_is_no_plan_is_named(tmp_path: Path, line: str) -> None:
    """The error names the line."""
    path = tmp_path / "plans.jsonl"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(memp.InvalidInputError, match="Line 1"):
        list(read_rows(path))


def test_plans_are_a_reward_to_learn_from(tables: Tables, good_plan: tuple[Day, ...], request_of_two: Request) -> None:
    """Runs get the reward of their plans, found by task id or by the words of the task, and can be learned."""
    steps = tuple(Step(action=action) for action in actions_of(good_plan))
    good = Trajectory(task=request_of_two.query, steps=steps, task_id="train-1", reward=0.1)
    bad = Trajectory(task=request_of_two.query, steps=steps[:2])
    scored = score_runs([good, bad], tables, [request_of_two])
    assert [run.success for run in scored] == [True, False]
    assert scored[0].reward == 1.0 > (scored[1].reward or 0)
    with memp.open(":memory:") as memory:
        memory.learn(scored, policy="validation")
        assert len(memory.procedures()) == 1


@pytest.mark.parametrize(("split", "plans"), [("validation", 1156), ("train", 855)])
def test_published_verdicts_are_agreed_with(shared_data: Path, split: str, plans: int) -> None:
    """At least 99 % of the stored verdicts are the same, constraint by constraint."""
    folder = shared_data / "travelplanner"
    if not folder.is_dir():
        pytest.skip(f"there are no plans at {folder}")
    found = judge_plans(
        read_rows(folder / f"plans_{split}.jsonl.gz"), read_tables(str(folder)), read_tasks(str(folder))
    )
    assert found.plans == plans
    assert {count.name for count in found.constraints if count.agreed < 0.99 * count.stored} == set()
    assert found.agreed >= 0.997 * found.stored


def test_official_requests_are_understood_from_their_words(shared_data: Path) -> None:
    """What the official metadata says of a validation task is also what its words say."""
    folder = shared_data / "travelplanner"
    if not folder.is_dir():
        pytest.skip(f"there are no tasks at {folder}")
    states = read_tables(str(folder)).states
    for request in read_tasks(str(folder), "validation"):
        words = read_request(request.query, states, id=request.id)
        asked = attrs.evolve(words, offered=request.offered, cuisines=request.cuisines)
        assert asked == request
        assert set(words.cuisines) == set(request.cuisines)


def test_one_command_measures_and_judges(world: Path, tmp_path: Path, good_plan: tuple[Day, ...]) -> None:
    """``memp eval`` lets the suite's own agent plan and prints the verdicts on the file of plans below."""
    store, plans = tmp_path / "agent.duckdb", tmp_path / "plans.jsonl"
    plans.write_text(json.dumps(row(good_plan)), encoding="utf-8")
    with memp.open(store) as memory:
        memory.add((SHIPPED / "vary_places.py").read_text(encoding="utf-8"))
    arguments = ["eval", str(store), "--suite", "travelplanner", "--data", str(world), "--plans", str(plans)]
    said = CliRunner().invoke(cli, arguments)
    assert said.exit_code == 0, said.output
    assert "done by 'planner'" in said.output
    assert "1 plans: 1 keep everything" in said.output
    as_json = CliRunner().invoke(cli, [*arguments, "--json"])
    assert "1 plans: 1 keep everything" in json.loads(as_json.output)["appendix"]
