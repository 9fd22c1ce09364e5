"""``memp config``, and that what it shows is what commands do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import memp
from memp.cli.main import cli
from memp.config import SETTINGS
from memp.model import Step, Trajectory


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        for name in setting.environment:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    assert result.exception is None, result.exception
    return result


def origins(*arguments: str) -> dict[str, tuple[Any, str]]:
    """Return value and origin of every setting, by name."""
    told = json.loads(run(*arguments, "--json").output)
    return {one["name"]: (one["value"], one["origin"]) for one in told["settings"]}


def test_without_anything_all_are_defaults() -> None:
    """Where nothing is set, each setting shows its default."""
    assert origins("config") == {
        "scope": ("", "default"),
        "actor": ("user", "default"),
        "mask": (True, "default"),
        "embedder": (None, "default"),
        "model": (None, "default"),
        "base_url": (None, "default"),
        "mode": (None, "default"),
        "api_key": (None, "nowhere"),
    }


def test_a_flag_comes_before_the_environment_and_that_before_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value is told with the place that it comes from."""
    (tmp_path / "memp.toml").write_text('actor = "f"\nscope = "f"\nmodel = "f"\nmask = false\n', encoding="utf-8")
    monkeypatch.setenv("MEMP_SCOPE", "e")
    monkeypatch.setenv("MEMP_MODEL", "e")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://somebody:s3cret@models.example/v1")
    found = origins("--scope", "c", "config")
    assert found["scope"] == ("c", "flag --scope")
    assert found["model"] == ("e", "environment, MEMP_MODEL")
    assert found["actor"] == ("f", f"file, {tmp_path / 'memp.toml'}")
    assert found["mask"] == (False, f"file, {tmp_path / 'memp.toml'}")
    assert found["base_url"] == ("http://somebody:[masked password]@models.example/v1", "environment, OPENAI_BASE_URL")
    monkeypatch.setenv("MEMP_BASE_URL", "http://here/v1")
    assert origins("config")["base_url"] == ("http://here/v1", "environment, MEMP_BASE_URL")


def test_a_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a key only the variable that holds it is told."""
    monkeypatch.setenv("OPENAI_API_KEY", "open sesame")
    assert origins("config")["api_key"] == ("set", "environment, OPENAI_API_KEY")
    assert "sesame" not in run("config").output + run("config", "--json").output


def test_commands_do_what_the_file_says(tmp_path: Path) -> None:
    """Actor, scope and masking of the nearest file are in force, and flags and their negation before them."""
    runs = tmp_path / "runs.jsonl"
    steps = [{"action": "write to a@mail.example", "observation": "sent"}]
    runs.write_text(json.dumps({"task": "write a letter", "steps": steps, "reward": 1.0}), encoding="utf-8")
    (tmp_path / "memp.toml").write_text('actor = "robot"\nscope = "team"\nmask = false\n', encoding="utf-8")
    run("learn", "a.duckdb", "runs.jsonl")
    run("--mask", "--scope", "", "learn", "b.duckdb", "runs.jsonl", "--actor", "me")
    seen = {}
    for name in ("a", "b"):
        with memp.open(f"{name}.duckdb", scope="team", read_only=True) as memory:
            [procedure] = memory.procedures()
            assert procedure.run is not None
            seen[name] = ({r.actor for r in memory.events()}, procedure.scope, procedure.run.steps[0].action)
    assert seen["a"] == ({"robot"}, "team", "write to a@mail.example")
    assert seen["b"] == ({"me"}, "", "write to [masked e-mail]")


def test_an_undo_is_written_by_whom_the_file_says(tmp_path: Path) -> None:
    """Its --actor says whose events are meant; who writes comes from --as, and else from where it always comes from."""
    (tmp_path / "runs.jsonl").write_text('{"task": "t", "steps": [{"action": "a"}], "reward": 1.0}', encoding="utf-8")
    (tmp_path / "memp.toml").write_text('actor = "robot"\n', encoding="utf-8")
    run("learn", "a.duckdb", "runs.jsonl")
    run("undo", "a.duckdb", "--actor", "robot", "--reason", "r")
    with memp.open("a.duckdb", read_only=True) as memory:
        assert list(memory.events())[-1].actor == "robot"
        last = str(memory.position)
    run("undo", "a.duckdb", last, "--reason", "r", "--as", "judge")
    with memp.open("a.duckdb", read_only=True) as memory:
        assert list(memory.events())[-1].actor == "judge"


def test_a_mistake_in_the_file_stops_a_command_and_not_the_help(tmp_path: Path) -> None:
    """A misspelt setting is an error before a store is made; help is still there."""
    (tmp_path / "memp.toml").write_text("embeder = 'hashed'", encoding="utf-8")
    (tmp_path / "runs.jsonl").write_text('{"task": "t", "steps": [], "reward": 1.0}', encoding="utf-8")
    result = CliRunner().invoke(cli, ["learn", "a.duckdb", "runs.jsonl"])
    assert isinstance(result.exception, memp.InvalidInputError)
    assert "Did you mean 'embedder'" in str(result.exception)
    assert not Path("a.duckdb").exists()
    assert "Usage" in run("learn", "--help").output
    assert "Usage" in run("--help").output


def test_masking_is_an_argument_of_open() -> None:
    """A program masks unless it says otherwise, in runs that are learned, put off, or lived."""
    secret = Trajectory(task="ask a@mail.example", steps=(Step(action="say b@mail.example"),), reward=1.0)
    for mask, kept in ((True, 0), (False, 5)):
        with memp.open(":memory:", mask=mask) as memory:
            memory.learn([secret])
            memory.learn_later([secret])
            with memory.episode("ask c@mail.example") as episode:
                episode.step(action="say d@mail.example")
                episode.finish(reward=1.0)
            with pytest.raises(KeyError), memory.episode("look") as episode:
                raise KeyError("e@mail.example")
            told = "".join((record.body or b"").decode() for record in memory.events())
            assert sum(f"{name}@mail.example" in told for name in "abcde") == kept
            assert memory.learn([secret]).recorded == 0
            assert memory.retrieve("ask a@mail.example")[0].procedure.task == memory.procedures()[0].task
