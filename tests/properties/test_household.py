"""The household's rules as laws: what its commands do, what a won game went through, and what a seed fixes."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from memp.evaluation.agent import Act, FunctionAgent, Prompt, play
from memp.evaluation.agents import Explorer
from memp.evaluation.environment import NOTHING_HAPPENS, Task
from memp.evaluation.household import SHIFTS, TASK_TYPES, USUAL, Game, Household, kind_of, make_task, make_tasks, solve
from memp.model import Step, Trajectory
from tests.soak import examples

SEEDS = st.integers(min_value=0, max_value=10**9)
TYPES = st.sampled_from(TASK_TYPES)
RULES = st.sampled_from((USUAL, *SHIFTS))
ONE = ("go to", "open", "close", "examine", "use")
TWO = (("take", "from"), ("move", "to"), ("clean", "with"), ("heat", "with"), ("cool", "with"), ("slice", "with"))


def random_agent(seed: int) -> FunctionAgent:
    """Return an agent that does anything that can be done, rather with its hands than with its feet."""
    rng = random.Random(seed)

    def act(
        task: Task, prompt: Prompt, observation: str, admissible: tuple[str, ...], history: tuple[Step, ...]
    ) -> str:
        del task, prompt, observation, history
        deeds = [command for command in admissible if not command.startswith("go to")]
        return rng.choice(deeds if rng.random() < 0.6 else admissible)

    return FunctionAgent(name="random", act=act)


def plan_agent(plan: tuple[str, ...]) -> FunctionAgent:
    """Return an agent that does what *plan* says."""
    act: Act = lambda _task, _prompt, _observation, _admissible, history: plan[len(history)]  # noqa: E731
    return FunctionAgent(name="plan", act=act)


def game_of(task: Task) -> Game:
    assert isinstance(task.setting, Game)
    return task.setting


@given(SEEDS, TYPES, SEEDS)
@settings(max_examples=examples(60))
def test_same_seed_same_world(seed: int, type_: str, acting: int) -> None:
    """The same seed gives an equal task, and the same acts in it are answered the same to the letter."""
    one, two = make_task(type_, seed=seed), make_task(type_, seed=seed)
    assert one == two
    assert play(Household(), one, random_agent(acting)) == play(Household(), two, random_agent(acting))


@given(SEEDS, TYPES, RULES, SEEDS)
@settings(max_examples=examples(60))
def test_a_command_works_exactly_if_it_is_admissible(seed: int, type_: str, rules: object, acting: int) -> None:
    """Admissible commands are never answered "Nothing happens.", and every other command is, and changes nothing."""
    world, rng = Household(rules=rules), random.Random(acting)  # type: ignore[arg-type]
    task = make_task(type_, seed=seed)
    world.reset(task)
    names = [receptacle.name for receptacle in game_of(task).receptacles] + [
        thing.name for thing in game_of(task).things
    ]
    for _ in range(40):
        here = [receptacle.name for receptacle in world.state.here()]
        near = here + [thing for name in here for thing in world.state.contents[name]] + [world.state.held or names[0]]
        pool = near if rng.random() < 0.7 else names
        verb, link = rng.choice(TWO)
        for command in (
            f"{rng.choice(ONE)} {rng.choice(pool)}",
            f"{verb} {rng.choice(pool)} {link} {rng.choice(pool)}",
        ):
            admissible = world.admissible()
            answer = world.step(command)
            assert (answer.observation != NOTHING_HAPPENS) == (command in admissible), command
            if command not in admissible:
                assert world.admissible() == admissible
        assert world.step(rng.choice(world.admissible())).observation != NOTHING_HAPPENS


@given(SEEDS, TYPES, SEEDS)
@settings(max_examples=examples(40))
def test_every_thing_is_in_one_place(seed: int, type_: str, acting: int) -> None:
    """Whatever is done, each thing lies in one receptacle or in the hands, and the hands hold one at most."""
    world, rng = Household(), random.Random(acting)
    task = make_task(type_, seed=seed)
    world.reset(task)
    expected = sorted(thing.name for thing in game_of(task).things)
    for _ in range(60):
        world.step(rng.choice(world.admissible()))
        state = world.state
        found = [thing for things in state.contents.values() for thing in things] + ([state.held] if state.held else [])
        assert sorted(found) == expected
        for name, things in state.contents.items():
            assert {kind_of(thing) for thing in things} <= game_of(task).catalogue.holds[kind_of(name)]


@given(SEEDS, TYPES, RULES)
@settings(max_examples=examples(150))
def test_every_task_is_solvable(seed: int, type_: str, rules: object) -> None:
    """The solver's plan wins every game under every set of rules, at its last command and not before."""
    task = make_task(type_, seed=seed, rules=rules)  # type: ignore[arg-type]
    plan = solve(game_of(task))
    run = play(Household(), task, plan_agent(plan))
    assert run.success
    assert run.actions == plan


def check_won(run: Trajectory, game: Game) -> None:
    """Assert that a won run went through what its goal asks for."""
    goal = game.goal
    done = [(step.action.split(), step.action) for step in run.steps if step.observation != NOTHING_HAPPENS]

    def last(verb: str, thing: str) -> int:
        return max(
            (n for n, (words, _) in enumerate(done) if words[0] == verb and " ".join(words[1:3]) == thing), default=-1
        )

    if goal.type == "look_at_obj_in_light":
        assert any(words[0] == "use" and words[1] == goal.place for words, _ in done)
        assert any(words[0] == "take" and words[1] == goal.thing for words, _ in done)
        return
    words, _ = done[-1]
    thing, place = " ".join(words[1:3]), " ".join(words[4:6])
    assert (words[0], kind_of(thing), kind_of(place)) == ("move", goal.thing, goal.place)
    assert last("take", thing) >= 0
    if goal.type == "pick_clean_then_place_in_recep":
        assert last("clean", thing) >= 0
    if goal.type == "pick_heat_then_place_in_recep":
        assert last("heat", thing) > last("cool", thing)
    if goal.type == "pick_cool_then_place_in_recep":
        assert last("cool", thing) > last("heat", thing)
    if goal.type == "pick_two_obj_and_place":
        moved = {" ".join(w[1:3]) for w, text in done if w[0] == "move" and text.endswith(f"to {place}")}
        assert len({name for name in moved if kind_of(name) == goal.thing}) >= 2


@given(SEEDS, TYPES, SEEDS)
@settings(max_examples=examples(120))
def test_a_won_game_went_through_its_goal(seed: int, type_: str, acting: int) -> None:
    """Whoever wins has taken the thing, done to it what the task asks, and put it in the right place."""
    task = make_task(type_, seed=seed)
    for agent in (Explorer(seed=acting), plan_agent(solve(game_of(task)))):
        run = play(Household(), task, agent)
        if run.success:
            check_won(run, game_of(task))
        else:
            assert agent.name != "plan"


@given(SEEDS, SEEDS)
@settings(max_examples=examples(40))
def test_hot_and_cold_exclude_each_other(seed: int, acting: int) -> None:
    """What was heated is not cold and what was cooled is not hot, whatever came before."""
    world, rng = Household(), random.Random(acting)
    world.reset(make_task("pick_heat_then_place_in_recep", seed=seed))
    for _ in range(80):
        commands = world.admissible()
        deeds = [command for command in commands if command.split()[0] in ("heat", "cool", "take", "open")]
        world.step(rng.choice(deeds if deeds and rng.random() < 0.7 else commands))
        assert not world.state.hot & world.state.cold


@given(SEEDS, st.integers(min_value=0, max_value=30), st.integers(min_value=0, max_value=30))
@settings(max_examples=examples(30))
def test_a_longer_list_begins_with_the_shorter(seed: int, n: int, more: int) -> None:
    """Asking for more tasks adds tasks and changes none, and every id stands once."""
    tasks = make_tasks(n + more, seed=seed)
    assert tasks[:n] == make_tasks(n, seed=seed)
    assert len({task.id for task in tasks}) == n + more


@given(SEEDS, TYPES, SEEDS)
@settings(max_examples=examples(40))
def test_the_explorer_is_deterministic(seed: int, type_: str, acting: int) -> None:
    """The same explorer lives the same task the same way, whatever it lived before."""
    agent = Explorer(seed=acting)
    task = make_task(type_, seed=seed)
    first = play(Household(), task, agent)
    play(Household(), make_task(type_, seed=seed + 1), agent)
    assert play(Household(), task, agent) == first
