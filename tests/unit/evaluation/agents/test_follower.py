"""The follower: what served procedures make of an explorer, and what they do not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from types import ModuleType

import pytest

from memp.evaluation.agent import NO_PROMPT, Prompt, play
from memp.evaluation.agents import (
    Explorer,
    Follower,
    binding,
    commands,
    explorer,
    follower,
    interpreter,
    notebook,
    reading,
    replay,
)
from memp.evaluation.environment import Answer, Task
from memp.evaluation.household import TASK_TYPES, Game, Goal, Household, Receptacle, Rules, Thing, make_tasks, solve
from memp.evaluation.household.rooms import CATALOGUE
from memp.model import Content, Procedure, Step, Trajectory
from memp.script import Toolset, load_toolset
from tests.unit.evaluation.conftest import BODIES, PLACE

Write = Callable[..., Procedure]

TASKS = make_tasks(120, seed=21)
WRONG = dict(zip(TASK_TYPES, TASK_TYPES[1:] + TASK_TYPES[:1], strict=True))


def won(agent: Explorer | Follower, served: dict[str, Procedure] | None = None) -> int:
    """Return how many of the tasks *agent* wins when each is served the procedure of its type."""
    prompts = [Prompt(procedures=(served[str(task.type)],)) if served else NO_PROMPT for task in TASKS]
    return sum(
        bool(play(Household(), task, agent, prompt).success) for task, prompt in zip(TASKS, prompts, strict=True)
    )


def test_nothing_served_is_exploring() -> None:
    """Without procedures follower and explorer do the same, step by step."""
    for task in TASKS[:24]:
        assert play(Household(), task, Follower()).actions == play(Household(), task, Explorer()).actions


def test_the_right_procedure_wins(procedures: dict[str, Procedure]) -> None:
    """With the procedure of the task's type nearly every game is won, two-object games included."""
    assert won(Follower(), procedures) >= 118


def test_a_wrong_procedure_is_no_better_than_none(procedures: dict[str, Procedure]) -> None:
    """With a procedure of another type the follower wins about as often as the explorer; the margin is three sigma."""
    served = {type_: procedures[WRONG[type_]] for type_ in TASK_TYPES}
    assert abs(won(Follower(), served) - won(Explorer())) <= 16


def test_a_wrong_procedure_is_dropped_for_the_next(procedures: dict[str, Procedure]) -> None:
    """When the first procedure does not work out, the second is followed, and wins."""
    for task in TASKS[:36]:
        prompt = Prompt(procedures=(procedures[WRONG[str(task.type)]], procedures[str(task.type)]))
        assert play(Household(), task, Follower(), prompt).success


def test_following_is_deterministic(procedures: dict[str, Procedure]) -> None:
    """The same prompt in the same task is followed the same way, whatever was lived before."""
    agent = Follower(seed=4)
    for task in TASKS[:12]:
        prompt = Prompt(procedures=(procedures[str(task.type)],))
        assert play(Household(), task, agent, prompt) == play(Household(), task, agent, prompt)


@pytest.mark.parametrize(
    "module", [binding, commands, explorer, follower, interpreter, notebook, reading, replay], ids=lambda m: m.__name__
)
def test_no_recipe_is_in_the_code(module: ModuleType) -> None:
    """No word of the household's recipes stands anywhere in the agents' source."""
    words = r"microwave|heat|fridge|sink|lamp|cool|clean|\bhot\b|\bcold\b|stove|toaster"
    assert re.findall(words, inspect.getsource(module), flags=re.IGNORECASE) == []


def lived(task: Task) -> Trajectory:
    """Return the solver's run of *task*."""
    assert isinstance(task.setting, Game)
    world = Household()
    first = world.reset(task)
    steps = [Step(action=command, observation=world.step(command).observation) for command in solve(task.setting)]
    return Trajectory(task=task.text, steps=tuple(steps), success=True, initial_observation=first)


def test_a_run_without_a_script_is_followed(write: Write) -> None:
    """A won run of another game of the type wins, with the task's own names in the place of the run's."""
    runs = {str(task.type): lived(task) for task in make_tasks(6, seed=77)}
    served = {type_: write(Content(task=run.task, run=run)) for type_, run in runs.items()}
    assert won(Follower(), served) >= 116


class Older:
    """The household in ALFWorld's older dialect."""

    name = "household"
    version = "older"

    def __init__(self) -> None:
        self._world = Household()

    def reset(self, task: Task) -> str:
        return self._world.reset(task)

    def step(self, action: str) -> Answer:
        answer = self._world.step(re.sub(r"^put (.*) in/on (.*)$", r"move \1 to \2", action))
        said = re.sub(r"^You arrive at \w+ \d+\.", "You arrive at loc 7.", answer.observation)
        return Answer(observation=said, won=answer.won, done=answer.done, reward=answer.reward)

    def admissible(self) -> tuple[str, ...]:
        return tuple(re.sub(r"^move (.*) to (.*)$", r"put \1 in/on \2", text) for text in self._world.admissible())


def test_both_dialects_are_followed(procedures: dict[str, Procedure]) -> None:
    """A script wins as well where the world says "put X in/on Y" and names no place on arrival."""
    for task in TASKS[:24]:
        assert play(Older(), task, Follower(), Prompt(procedures=(procedures[str(task.type)],))).success


def test_a_shifted_world_makes_the_script_fail_and_exploring_go_on(procedures: dict[str, Procedure]) -> None:
    """Where the microwave is broken the script is dropped in the middle, and some games are won by exploring."""
    tasks = make_tasks(
        30, seed=8, types=("pick_heat_then_place_in_recep",), rules=Rules(heats=frozenset({"stoveburner"}))
    )
    prompt = Prompt(procedures=(procedures["pick_heat_then_place_in_recep"],))
    runs = [play(Household(), task, Follower(), prompt) for task in tasks]
    assert 0 < sum(bool(run.success) for run in runs) < 30
    for run in runs:
        assert not any("with microwave" in action for action in run.actions)


# -- statements, one by one -------------------------------------------------------------------------------------------

GAME = Game(
    room="kitchen",
    receptacles=(
        Receptacle(name="cabinet 2", spot=4, openable=True),
        Receptacle(name="cabinet 1", spot=1, openable=True),
        Receptacle(name="countertop 1", spot=2),
        Receptacle(name="fridge 1", spot=3, openable=True),
    ),
    things=(
        Thing(name="bread 1", places=("cabinet 1",)),
        Thing(name="mug 2", places=("cabinet 2",)),
        Thing(name="mug 1", places=("countertop 1",)),
    ),
    catalogue=CATALOGUE,
    goal=Goal(type="pick_cool_then_place_in_recep", thing="mug", place="countertop"),
)
TASK = Task(id="s1", text="put a cool mug in countertop", setting=GAME)


PATTERN = "put a cool {thing} in {target}"

Follow = Callable[[str, int], tuple[str, ...]]


@pytest.fixture
def follow(write: Write) -> Follow:
    """Return what gives the first actions of a follower that is served a script with the body given."""

    def followed(body: str, steps: int) -> tuple[str, ...]:
        lines = "\n".join(f"    {line}" for line in body.strip("\n").split("\n"))
        source = (
            f'from household import *\n\n\n@procedure("{PATTERN}")\n'
            f"def f(thing: Object, target: Receptacle):\n{lines}\n"
        )
        prompt = Prompt(procedures=(write(Content(task=PATTERN, patterns=(PATTERN,), script=source)),))
        return play(Household(), TASK, Follower(), prompt, max_steps=steps).actions

    return followed


@pytest.mark.parametrize(
    ("body", "actions"),
    [
        pytest.param(
            'take(thing, "countertop 1")', ("go to countertop 1", "take mug 1 from countertop 1"), id="goes there"
        ),
        pytest.param(
            'source = find(thing, likely=["cabinet 2"])\ntake(thing, source)',
            ("go to cabinet 2", "open cabinet 2", "take mug 2 from cabinet 2"),
            id="likely",
        ),
        pytest.param(
            'go_to("countertop 1")\ngo_to("countertop 1")\ngo_to("fridge 1")',
            ("go to countertop 1", "go to fridge 1"),
            id="is there already",
        ),
        pytest.param(
            'go_to("fridge 1")\nif closed("fridge 1"):\n    open("fridge 1")\nelse:\n    stop("x")\ngo_to("cabinet 1")',
            ("go to fridge 1", "open fridge 1", "go to cabinet 1"),
            id="if",
        ),
        pytest.param(
            'go_to("fridge 1")\nopen("fridge 1")\nif not closed("fridge 1"):\n    go_to("cabinet 1")',
            ("go to fridge 1", "open fridge 1", "go to cabinet 1"),
            id="if not",
        ),
        pytest.param(
            'for place in ["cabinet 1", "cabinet 2"]:\n    go_to(place)\n    open(place)',
            ("go to cabinet 1", "open cabinet 1", "go to cabinet 2", "open cabinet 2"),
            id="for each",
        ),
        pytest.param(
            'for _ in attempts(3):\n    go_to("fridge 1")\n    break\nelse:\n    stop("no")\ngo_to("cabinet 1")',
            ("go to fridge 1", "go to cabinet 1"),
            id="attempts",
        ),
        pytest.param(
            'try:\n    heat(thing, "oven 1")\nexcept failed:\n    go_to("cabinet 1")', ("go to cabinet 1",), id="try"
        ),
        pytest.param(
            'do("go to the fridge")\ndo("go to fridge 1")\ndo("open fridge 1")',
            ("go to fridge 1", "open fridge 1"),
            id="do",
        ),
        pytest.param(
            'do("take mug 7 from countertop 1")',
            ("go to countertop 1", "take mug 1 from countertop 1"),
            id="do with the way there",
        ),
        pytest.param(
            'go_to("fridge 1")\nensure(closed("fridge 1"), "shut")\ngo_to("cabinet 2")',
            ("go to fridge 1", "go to cabinet 2"),
            id="ensure holds",
        ),
        pytest.param(
            'note("walk")\nif "a" == "b" or "mug" in ["pen"]:\n    go_to("fridge 1")\nelse:\n    go_to("cabinet 2")',
            ("go to cabinet 2",),
            id="comparisons",
        ),
        pytest.param(
            'take(thing, "countertop 1")\nif carried(thing):\n    go_to("fridge 1")',
            ("go to countertop 1", "take mug 1 from countertop 1", "go to fridge 1"),
            id="hands",
        ),
        pytest.param(
            'take(thing, "countertop 1")\nclean(thing, "fridge 1")\ncool(thing, "fridge 1")',
            (
                "go to countertop 1",
                "take mug 1 from countertop 1",
                "go to fridge 1",
                "open fridge 1",
                "cool mug 1 with fridge 1",
            ),
            id="passes over what cannot be done",
        ),
        pytest.param(
            'try:\n    cool(thing, "oven 1")\n    go_to("cabinet 1")\nexcept failed:\n    go_to("fridge 1")',
            ("go to fridge 1",),
            id="tries no further",
        ),
        pytest.param(
            'take(thing, "countertop 1")\nmove(thing, target)\ntake(thing, target)\ngo_to("fridge 1")',
            (
                "go to countertop 1",
                "take mug 1 from countertop 1",
                "move mug 1 to countertop 1",
                "take mug 1 from countertop 1",
                "go to fridge 1",
            ),
            id="takes back what is asked for by name",
        ),
    ],
)
def test_statements(follow: Follow, body: str, actions: tuple[str, ...]) -> None:
    """Each kind of statement does what the language says."""
    assert follow(body, len(actions)) == actions


def test_a_broken_promise_drops_the_script(follow: Follow) -> None:
    """After an ensure that does not hold, the next step of the script is not taken."""
    actions = follow('go_to("fridge 1")\nopen("fridge 1")\nensure(closed("fridge 1"), "shut")\nclose("fridge 1")', 10)
    assert actions[:2] == ("go to fridge 1", "open fridge 1")
    assert "close fridge 1" not in actions


def test_a_command_to_avoid_is_not_explored(follow: Follow) -> None:
    """What a script says to avoid is not done by the exploring that follows."""
    actions = follow('avoid(go_to("fridge 1"), "it hums")\ngo_to("cabinet 1")', 20)
    assert "go to fridge 1" not in actions


def test_two_things_are_two_things(follow: Follow) -> None:
    """A loop over taking and placing never takes back what it has placed, and keeps to one target."""
    actions = follow(
        'for _ in times(2):\n    source = find(thing)\n    take(thing, source)\n    move(thing, "fridge 1")', 20
    )
    moves = [action for action in actions if action.startswith("move ")]
    assert sorted(moves[:2]) == ["move mug 1 to fridge 1", "move mug 2 to fridge 1"]


def test_procedures_call_each_other(write: Write) -> None:
    """A step that is another procedure of the script does its steps with the arguments as parameters."""
    source = (
        "from household import *\n\n\n"
        '@procedure("put a cool {thing} in {target}")\n'
        "def main(thing: Object, target: Receptacle):\n    fetch(thing)\n    go_to(target)\n\n\n"
        '@procedure("fetch the {what}")\n'
        'def fetch(what: Object, place: Receptacle = "cabinet 2"):\n    take(what, place)\n'
    )
    prompt = Prompt(procedures=(write(Content(task=PATTERN, patterns=(PATTERN,), script=source)),))
    assert play(Household(), TASK, Follower(), prompt, max_steps=4).actions == (
        "go to cabinet 2",
        "open cabinet 2",
        "take mug 2 from cabinet 2",
        "go to countertop 1",
    )


@pytest.mark.parametrize("script", ["this is no script", "from nowhere import *\n"])
def test_what_cannot_be_read_is_dropped(write: Write, script: str) -> None:
    """A script of another world, or none at all, leaves the explorer."""
    prompt = Prompt(procedures=(write(Content(task=PATTERN, patterns=(PATTERN,), script=script)),))
    assert play(Household(), TASK, Follower(), prompt).actions == play(Household(), TASK, Explorer()).actions


def test_a_procedure_that_cannot_be_bound_is_dropped(procedures: dict[str, Procedure]) -> None:
    """A task that names too little for the procedure is explored."""
    task = Task(id="s2", text="tidy up", setting=GAME)
    prompt = Prompt(procedures=(procedures["pick_cool_then_place_in_recep"],))
    assert play(Household(), task, Follower(), prompt).actions == play(Household(), task, Explorer()).actions


def test_a_toolset_of_ones_own_is_found_by_digest_and_name(write: Write) -> None:
    """A follower that holds the toolset reads scripts that memp does not ship the words of."""
    own = Toolset.from_text(load_toolset("household").to_text().replace('toolset("household")', 'toolset("mine")'))
    source = 'from mine import *\n\n\n@procedure("go")\ndef f():\n    go_to("fridge 1")\n    open("fridge 1")\n'
    for digest in (own.digest, None):
        prompt = Prompt(procedures=(write(Content(task="go", script=source), toolset=digest),))
        agent = Follower(toolsets=(own,))
        assert play(Household(), TASK, agent, prompt, max_steps=2).actions == ("go to fridge 1", "open fridge 1")


def test_what_a_procedure_did_is_not_undone_before_the_rest_was_tried(write: Write) -> None:
    """A procedure that ends too early is worth all that it says: the thing is put away before all else."""
    pattern = "put a cool {thing} in {target}"
    body = BODIES["pick_cool_then_place_in_recep"].removesuffix(PLACE)
    source = f'from household import *\n\n\n@procedure("{pattern}")\ndef f(thing: Object, target: Receptacle):{body}\n'
    prompt = Prompt(procedures=(write(Content(task=pattern, patterns=(pattern,), script=source)),))
    tasks = make_tasks(40, seed=21, types=("pick_cool_then_place_in_recep",))
    runs = [play(Household(), task, Follower(), prompt) for task in tasks]
    for run in runs:
        cooled = next(number for number, action in enumerate(run.actions) if action.startswith("cool "))
        after = run.actions[cooled + 1 :]
        put = next((number for number, action in enumerate(after) if action.startswith("move ")), len(after))
        assert not any(action.startswith(("heat ", "clean ", "slice ")) for action in after[:put])
    assert all(run.success for run in runs)


def test_a_name_in_a_pattern_stands_for_the_one_in_the_task(write: Write) -> None:
    """A procedure that was built from one run, and names the target of that run, is still bound to the right thing."""
    pattern = "put a cool {thing} in sofa"
    body = BODIES["pick_cool_then_place_in_recep"].removesuffix(PLACE)
    source = f'from household import *\n\n\n@procedure("{pattern}")\ndef f(thing: Object):{body}\n'
    prompt = Prompt(procedures=(write(Content(task=pattern, patterns=(pattern,), script=source)),))
    tasks = make_tasks(40, seed=21, types=("pick_cool_then_place_in_recep",))
    assert all(play(Household(), task, Follower(), prompt).success for task in tasks)
