"""``memp bisect`` and ``memp gate`` as they are typed: what they print, what they write, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import memp
from memp.cli.main import cli
from memp.errors import MempError
from memp.evaluation.agents.named import register_agent
from memp.evaluation.suite import Suite, register_suite
from tests.unit.evaluation.tiny import Sure, boxes, say, script


def make_crates(*, seed: int, n: int | None) -> Suite:
    """Make the suite of boxes under a name of its own."""
    del seed
    suite = boxes(20 if n is None else n)
    return Suite(
        name="crates", version="1", tasks=suite.tasks, make_environment=suite.make_environment, max_steps=1,
        agent="certain",
    )  # fmt: skip


def make_certain(memory: object) -> Sure:
    """Make the agent without luck."""
    del memory
    return Sure()


register_suite("crates", make_crates)
register_agent("certain", make_certain)


def memp_command(*arguments: object) -> Result:
    """Run one command."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with two versions, and between them an event that hurt; one candidate waits."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.add(script(80), name="open-the-box")
        memory.tag("v1")
        for number in range(5):
            say(memory, 80 if number < 3 else 30, f"change {number}")
        memory.tag("v2")
        say(memory, 20, "hurry", activate=False)
    return path


# -- bisect ------------------------------------------------------------------------------------------------------------


def test_the_event_is_printed_with_the_way_to_take_it_back(store: Path) -> None:
    """A sentence, what it did, how it was found, and a command that can be typed."""
    done = memp_command("bisect", store, "--suite", "crates", "--good", "v1", "--bad", "v2")
    assert done.exit_code == 0, done.output
    with memp.open(store, read_only=True) as memory:
        planted = list(memory.events(type="procedure-reflected"))[3]
    assert f"Event {planted.position} made it worse: 80% before, 30% after" in done.output
    assert "say change 3" in done.output
    assert "memp undo" in done.output
    assert planted.event_id in done.output


def test_json_for_programs_and_a_report_for_people(store: Path, tmp_path: Path) -> None:
    """Both come from the same search, and the store is as it was."""
    report, before = tmp_path / "report.html", store.read_bytes()
    done = memp_command(
        "bisect", store, "--suite", "crates", "-n", 10, "--good", "v1", "--bad", "v2", "--json", "--report", report
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["found"] is True
    assert told["evaluations"] <= 9
    assert "made it worse" in report.read_text(encoding="utf-8")
    assert store.read_bytes() == before


def test_what_cannot_be_told_is_no_error(store: Path) -> None:
    """With no budget the answer is what is known, and the exit code says that the command did its work."""
    done = memp_command("bisect", store, "--suite", "crates", "--good", "v1", "--bad", "v2", "--budget", 0)
    assert done.exit_code == 0
    assert "Cannot tell: the budget of evaluations is used up" in done.output
    assert "memp undo" not in done.output


@pytest.mark.filterwarnings("ignore:.*has seen what it is asked")
def test_held_out_runs_will_do(tmp_path: Path) -> None:
    """Who has only logs can ask the same question."""
    runs, path = Path(__file__).parents[3] / "examples" / "runs.jsonl", tmp_path / "galley.duckdb"
    with memp.open(path) as memory:
        memory.learn(memp.read_trajectories(runs))
        memory.tag("v1")
        name = memory.procedures()[0].name
        planted = memory.reflect(name, script='do("nothing at all")\n', critique="it takes too long", activate=True)
    done = memp_command("bisect", path, "--replay", runs, "--good", "v1", "--bad", planted.position, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["event"] == planted.event_id
    done = memp_command("bisect", path, "--good", "v1", "--bad", "main")
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--good", "v1", "--bad", "v2"], "--suite"),
        (["--suite", "crates", "--bad", "v2"], "--good"),
        (["--suite", "crates", "--good", "v2", "--bad", "v1"], "earlier version"),
        (["--suite", "crates", "--good", "v1", "--bad", "v2", "--seeds", "one"], "--seeds"),
        (["--suite", "nothing", "--good", "v1", "--bad", "v2"], "'suite' must be one of"),
    ],
)
def test_wrong_arguments_are_named(store: Path, arguments: list[str], said: str) -> None:
    """The message says what is missing or wrong."""
    done = memp_command("bisect", store, *arguments)
    assert done.exit_code != 0
    told = str(done.exception) if isinstance(done.exception, MempError) else done.output
    assert said in told


# -- gate --------------------------------------------------------------------------------------------------------------


def test_a_gate_is_set_shown_worked_through_and_opened(store: Path) -> None:
    """The whole life of a gate on the command line."""
    asked = ("--set", "--suite", "crates", "-n", 10, "--tolerance", 0.1, "--reason", "be sure")
    done = memp_command("gate", store, *asked)
    assert done.exit_code == 0, done.output
    assert "1 candidate waits." in done.output
    shown = json.loads(memp_command("gate", store, "--show", "--json").output)
    assert (shown["gate"]["suite"], shown["gate"]["agent"], shown["gate"]["tolerance"]) == ("crates", "certain", 0.1)
    assert shown["candidates"] == 1

    before = store.read_bytes()
    dry = memp_command("gate", store, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "rejected" in dry.output
    assert "Nothing was written." in dry.output
    assert store.read_bytes() == before

    [verdict] = json.loads(memp_command("gate", store, "--json").output)
    assert verdict["verdict"] == "rejected"
    assert verdict["judgement"]["candidate"] < verdict["judgement"]["base"]
    assert "No candidate waits." in memp_command("gate", store).output
    assert "No gate is set" in memp_command("gate", store, "--open").output
    with memp.open(store, read_only=True) as memory:
        assert memory.gate() is None


BELL = '@procedure("polish the brass bell")\ndef polish_the_bell():\n    do("polish the bell {times}")\n'


def test_a_candidate_that_no_task_meets_is_told_what_it_waits_for(store: Path) -> None:
    """Both the gate and the list of candidates say that it waits until somebody decides by hand."""
    with memp.open(store) as memory:
        memory.reject(memory.candidates()[0].revision.id, reason="make room")
        for number in range(3):  # as many as are served, so that nothing else ever is
            memory.add(script(80, f"way {number}"), name=f"another-{number}")
        memory.add(BELL.format(times="once"), name="polish-the-bell")
        waiting = memory.reflect("polish-the-bell", script=BELL.format(times="twice"), critique="shinier")
    memp_command("gate", store, "--set", "--suite", "crates", "-n", 4)
    for options in ((), ("--dry-run",)):
        done = memp_command("gate", store, *options)
        assert done.exit_code == 0, done.output
        assert "waits" in done.output
        assert f"memp accept {store} {waiting.position}" in done.output
    assert "waits until 'memp accept' or 'memp reject'" in memp_command("candidates", store).output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "No gate is set"),
        (["--set"], "--suite"),
        (["--suite", "crates"], "--set"),
        (["--set", "--open"], "exclude each other"),
        (["--set", "--suite", "crates", "--tolerance", "2"], "tolerance"),
        (["--set", "--suite", "crates", "--agent", "nobody"], "--agent must be one of"),
        (["--set", "--suite", "crates", "--seeds", "3,3"], "different numbers"),
        (["--tolerance", "0.5"], "named with --set"),
        (["--dry-run", "-n", "5"], "named with --set"),
    ],
)
def test_wrong_calls_of_the_gate_are_named(store: Path, arguments: list[str], said: str) -> None:
    """Nothing is half-set."""
    done = memp_command("gate", store, *arguments)
    assert done.exit_code != 0
    told = str(done.exception) if isinstance(done.exception, MempError) else done.output
    assert said in told
    with memp.open(store, read_only=True) as memory:
        assert memory.gate() is None
