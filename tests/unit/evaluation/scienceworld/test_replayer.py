"""The replayer without the world: which words it swaps, where it goes, what it answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.agent import NO_PROMPT, Prompt, play
from memp.evaluation.environment import Answer, Task
from memp.evaluation.scienceworld import Replayer, Wanderer, exchange, swap_words
from memp.evaluation.scienceworld.replayer import IDLE, room_in
from memp.model import Content, Procedure, Step, Trajectory

Write = Callable[[Content], Procedure]


class Echo:
    """A world that says where one is, and otherwise nothing."""

    name = "echo"
    version = "1"

    def __init__(self, start: str = "cellar") -> None:
        self._start = start

    def reset(self, task: Task) -> str:
        return f"This room is called the {self._start}. In it, you see: nothing.\n\n{task.text}"

    def step(self, action: str) -> Answer:
        if action.startswith("teleport to "):
            return Answer(observation=f"You teleport to the {action.removeprefix('teleport to ')}.")
        return Answer(observation="Done.")

    def admissible(self) -> tuple[str, ...]:
        return ()


def lived(*steps: tuple[str, str], task: str = "melt the wax", room: str = "shed") -> Trajectory:
    return Trajectory(
        task=task,
        steps=tuple(Step(action=action, observation=said) for action, said in steps),
        initial_observation=f"This room is called the {room}. In it, you see: a shelf.",
    )


def replayed(
    write: Write, run: Trajectory, task: str, *, agent: Replayer | None = None, start: str = "shed"
) -> list[str]:
    procedure = write(Content(task=run.task, run=run))
    made = play(Echo(start), Task(id="t", text=task), agent or Replayer(), Prompt(procedures=(procedure,)), max_steps=8)
    return [action for action in made.actions if action != IDLE]


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        ("melt the wax", "melt the tin", {"wax": "tin"}),
        ("melt the wax", "melt the old tin", {"wax": "old tin"}),
        (
            "put red clay into box a",
            "put blue sand into box a",
            {"red clay": "blue sand", "red": "blue", "clay": "sand"},
        ),
        ("melt the wax", "melt the wax", {}),
        ("", "melt", {}),
    ],
)
def test_words_are_paired_by_aligning_the_tasks(before: str, after: str, pairs: dict[str, str]) -> None:
    """What was replaced in the task is paired with what replaced it, as a phrase and word by word."""
    assert swap_words(before, after) == pairs


def test_words_are_exchanged_at_once_and_whole() -> None:
    """Two words may take each other's place, longer phrases come first, and parts of words stay."""
    assert exchange("move wax to tin", {"wax": "tin", "tin": "wax"}) == "move tin to wax"
    assert exchange("red clay, red box", {"red clay": "sand", "red": "blue"}) == "sand, blue box"
    assert exchange("waxed floor", {"wax": "tin"}) == "waxed floor"
    assert exchange("wax", {}) == "wax"


def test_a_run_is_done_again_in_the_words_of_the_task(write: Write) -> None:
    """Actions come in order with names swapped; to the letter without."""
    run = lived(("pick up wax", "Done."), ("focus on wax", "You focus on the wax."))
    assert replayed(write, run, "melt the tin") == ["pick up tin", "focus on tin"]
    literal = Replayer(swap=False)
    assert replayed(write, run, "melt the tin", agent=literal) == ["pick up wax", "focus on wax"]


def test_it_goes_where_the_run_was(write: Write) -> None:
    """An action is done in the room in which the run did it; walking is done as it was."""
    run = lived(("go to hall", "You move to the hall."), ("open chest", "The chest is open."))
    assert replayed(write, run, "melt the wax") == ["go to hall", "teleport to hall", "open chest"]
    assert replayed(write, run, "melt the wax", agent=Replayer(travel=False)) == ["go to hall", "open chest"]
    start = lived(("open chest", "The chest is open."))
    assert replayed(write, start, "melt the wax", start="cellar") == ["teleport to shed", "open chest"]


def test_a_number_answers_a_question_and_nothing_else(write: Write) -> None:
    """Where this world asks nothing, the number that the run answered is left out."""
    run = lived(("pick up jar", "Ambiguous request: which?"), ("0", "You take the jar."), ("wait", "You wait."))
    assert replayed(write, run, "melt the wax") == ["pick up jar", "wait"]


def test_what_was_focused_on_is_called_by_its_name(write: Write) -> None:
    """A thing that the run did not name is named as the run saw it, if it is another one now."""
    run = lived(("focus on substance in pot", "You focus on the wax."))
    assert replayed(write, run, "melt the tin") == ["focus on tin"]
    assert replayed(write, run, "melt the wax") == ["focus on substance in pot"]


def test_a_procedure_without_a_run_is_passed_over(write: Write) -> None:
    """With nothing to replay it only looks around."""
    act = Replayer().start()
    script = write(Content(task="t", script='from science import *\n\n\n@procedure("wait")\ndef rest():\n    wait()\n'))
    assert act(Task(id="t", text="go"), Prompt(procedures=(script,)), "", (), ()) == IDLE


@pytest.mark.parametrize(
    ("said", "room"),
    [
        ("This room is called the art studio. In it, you see:", "art studio"),
        ("This outside location is called the outside. Here", "outside"),
        ("You move to the kitchen.", "kitchen"),
        ("You teleport to the foundry.", "foundry"),
        ("The door is open.", None),
    ],
)
def test_the_room_is_read_off_what_is_said(said: str, room: str | None) -> None:
    """Where one is stands in descriptions and in what moving answers."""
    assert room_in(said) == room


def test_agents_that_do_less_have_other_names() -> None:
    """Results of different agents are never compared as if they were one."""
    names = {Replayer(swap=swap, travel=travel).name for swap in (True, False) for travel in (True, False)}
    assert len(names) == 4


def test_the_wanderer_chooses_by_seed_and_task() -> None:
    """The same seed and task give the same choice; without a list there is nothing to choose from."""
    task, commands = Task(id="t", text="go"), tuple("abcdefgh")
    chosen = [Wanderer(seed=seed).start()(task, NO_PROMPT, "", commands, ()) for seed in (0, 0, 1, 2, 3)]
    assert chosen[0] == chosen[1]
    assert len(set(chosen)) > 1
    with pytest.raises(InvalidInputError, match="list them"):
        Wanderer().start()(task, NO_PROMPT, "", (), ())
