"""ALFWorld through the environment port, and what it says with and without what makes it fast."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.agent import NO_PROMPT, play
from memp.evaluation.agents import Explorer
from memp.evaluation.alfworld import Alfworld, MakeAlfworld, make_rooms, package, read_games
from memp.evaluation.alfworld.expert import PackageExpert
from memp.evaluation.alfworld.games import choose
from memp.evaluation.environment import NOTHING_HAPPENS, Environment, Task
from memp.evaluation.household import Household


def test_without_the_package_the_way_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra."""
    monkeypatch.setattr(package, "find_spec", lambda _name: None)
    with pytest.raises(InvalidInputError, match=r"pip install 'memp\[alfworld\]'"):
        Alfworld()
    with pytest.raises(InvalidInputError, match=r"memp\[alfworld\]"):
        make_rooms(1, seed=1)


@pytest.mark.usefixtures("alfworld")
class TestWorld:
    def test_is_an_environment(self) -> None:
        """It fits the port, and refuses what it does not know."""
        world = Alfworld()
        assert isinstance(world, Environment)
        assert "alfworld 0." in world.version
        for ask in (world.admissible, lambda: world.step("look"), lambda: world.game, lambda: world.state):
            with pytest.raises(InvalidInputError, match="reset"):
                ask()
        with pytest.raises(InvalidInputError, match="AlfworldGame"):
            world.reset(Task(id="x", text="do"))
        with pytest.raises(InvalidInputError, match="'dialect' must be one of"):
            Alfworld(dialect="klingon")

    def test_an_episode_is_lived_and_lived_again(self) -> None:
        """Resetting starts afresh: the same agent lives the same run twice, whatever was played between."""
        world = MakeAlfworld()()
        first, second = make_rooms(2, seed=4)
        lived = play(world, first, Explorer(), NO_PROMPT)
        play(world, second, Explorer(), NO_PROMPT)
        assert play(world, first, Explorer(), NO_PROMPT) == lived
        assert lived.env == "alfworld"

    def test_leaves_the_arguments_of_the_program_alone(self) -> None:
        """The translator's habit of writing its own arguments into sys.argv does not reach the program."""
        before = list(sys.argv)
        Alfworld().reset(make_rooms(1, seed=5)[0])
        assert sys.argv == before

    def test_an_impossible_command_changes_nothing(self) -> None:
        """It is answered, and what can be done stays."""
        world = Alfworld()
        world.reset(make_rooms(1, seed=6)[0])
        before = world.admissible()
        assert world.step("take moon 1 from sky 1").observation == NOTHING_HAPPENS
        assert world.admissible() == before

    def test_older_dialect_puts_in_or_on_and_arrives_at_a_location(self) -> None:
        """The same game in the older dialect takes the older commands and says the older sentences."""
        (room,) = make_rooms(1, seed=1)
        newer, older = Alfworld(), Alfworld(dialect="older")
        assert newer.reset(room) == older.reset(room)
        assert "older dialect" in older.version
        walk = next(command for command in older.admissible() if command.startswith("go to "))
        assert older.step(walk).observation.startswith("You arrive at loc ")
        rng, seen = random.Random(0), ""
        for _ in range(60):
            rare = [c for c in older.admissible() if c.split()[0] in ("take", "put", "open")]
            command = rng.choice(rare if rare and rng.random() < 0.7 else older.admissible())
            seen += f"{command}\n{older.step(command).observation}\n"
        assert " in/on " in seen
        assert "You put the " in seen
        assert "move " not in seen.replace("move to a receptacle", "")

    def test_the_expert_wins_and_plays_the_same_way_twice(self) -> None:
        """The package's expert solves a simple room; a second time it lives the same run."""
        world = Alfworld()
        expert = PackageExpert(world)
        task = make_rooms(6, seed=2)[3]
        runs = [play(world, task, expert, max_steps=100) for _ in range(2)]
        assert runs[0].success
        assert runs[0] == runs[1]
        with pytest.raises(InvalidInputError, match="ALFWorld only"):
            PackageExpert(Household())


def transcript(world: Alfworld, task: Task, steps: int) -> list[object]:
    """Return all that *world* says in an episode of random commands, a tenth of them impossible."""
    rng = random.Random(task.id)
    said: list[object] = [world.reset(task)]
    for _ in range(steps):
        possible = world.admissible()
        command = "open nothing 1" if rng.random() < 0.1 else rng.choice(possible)
        said += [possible, command, world.step(command)]
    return said


@pytest.mark.usefixtures("alfworld")
def test_with_and_without_caching_it_says_the_same_to_the_letter(soak: bool) -> None:
    """Every observation, every list of commands and every verdict is the same; a game played before included."""
    quick, plain = Alfworld(), Alfworld(plain_engine=True)
    for room in make_rooms(36 if soak else 3, seed=8):
        expected = transcript(plain, room, 60 if soak else 20)
        assert transcript(quick, room, 60 if soak else 20) == expected
        assert transcript(quick, room, 60 if soak else 20) == expected


@pytest.mark.usefixtures("alfworld")
def test_with_and_without_caching_official_games_say_the_same(official: Path, soak: bool) -> None:
    """The same on games of the benchmark."""
    quick, plain = Alfworld(), Alfworld(plain_engine=True)
    for task in choose(read_games(official, "valid_seen"), 30 if soak else 2, seed=1):
        assert transcript(quick, task, 20) == transcript(plain, task, 20)
