"""What the household says and does, command by command, in a kitchen written out by hand."""

from __future__ import annotations

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.environment import NOTHING_HAPPENS, Task
from memp.evaluation.household import Game, Goal, Household, Receptacle, Rules, Thing
from memp.evaluation.household.rooms import CATALOGUE

GAME = Game(
    room="kitchen",
    receptacles=(
        Receptacle(name="countertop 1", spot=1),
        Receptacle(name="fridge 1", spot=2, openable=True),
        Receptacle(name="microwave 1", spot=3, openable=True),
        Receptacle(name="sinkbasin 1", spot=4),
        Receptacle(name="stoveburner 2", spot=5),
        Receptacle(name="stoveburner 1", spot=5),
    ),
    things=(
        Thing(name="apple 1", places=("fridge 1",)),
        Thing(name="knife 1", places=("countertop 1",)),
        Thing(name="mug 2", places=("countertop 1",)),
        Thing(name="mug 1", places=("countertop 1",)),
        Thing(name="pan 1", places=("stoveburner 2", "stoveburner 1")),
        Thing(name="spoon 1", places=("countertop 1",), inside="mug 1"),
    ),
    catalogue=CATALOGUE,
    goal=Goal(type="pick_heat_then_place_in_recep", thing="mug", place="fridge"),
)
TASK = Task(id="k1", text="put a hot mug in fridge", type="pick_heat_then_place_in_recep", setting=GAME)


def say(*commands: str, rules: Rules | None = None) -> list[str]:
    """Return what the kitchen answers to *commands*, one after the other."""
    world = Household(rules=rules)
    world.reset(TASK)
    return [world.step(command).observation for command in commands]


def test_the_first_observation_names_room_and_task() -> None:
    """The introduction lists the receptacles in the game's order and ends with the task."""
    assert Household().reset(TASK) == (
        "You are in the middle of a room. Looking quickly around you, you see a countertop 1, a fridge 1, a microwave "
        "1, a sinkbasin 1, a stoveburner 2, and a stoveburner 1.\n\nYour task is to: put a hot mug in fridge."
    )


def test_walking_and_looking() -> None:
    """Arriving describes the place; going where one stands does nothing; a look names all that share the spot."""
    assert say(
        "look", "go to countertop 1", "go to countertop 1", "look", "go to stoveburner 1", "go to stoveburner 2", "look"
    ) == [
        "You are in the middle of a room. Looking quickly around you, you see nothing.",
        "You arrive at countertop 1. On the countertop 1, you see a knife 1, a mug 2, a mug 1, and a spoon 1.",
        NOTHING_HAPPENS,
        "You are facing the countertop 1. Next to it, you see nothing.",
        "You arrive at stoveburner 1. On the stoveburner 1, you see a pan 1.",
        NOTHING_HAPPENS,
        "You are facing the stoveburner 2, and stoveburner 1. Next to it, you see nothing.",
    ]


def test_doors() -> None:
    """What is closed shows nothing and gives nothing; what is open can be closed; each only once."""
    assert say(
        "go to fridge 1",
        "take apple 1 from fridge 1",
        "open fridge 1",
        "open fridge 1",
        "examine fridge 1",
        "close fridge 1",
        "close fridge 1",
    ) == [
        "You arrive at fridge 1. The fridge 1 is closed.",
        NOTHING_HAPPENS,
        "You open the fridge 1. The fridge 1 is open. In it, you see a apple 1.",
        NOTHING_HAPPENS,
        "The fridge 1 is open. In it, you see a apple 1.",
        "You close the fridge 1.",
        NOTHING_HAPPENS,
    ]


def test_hands() -> None:
    """One thing is carried at a time, and it can be put only where its kind belongs."""
    assert say(
        "inventory",
        "go to countertop 1",
        "take mug 1 from countertop 1",
        "take mug 2 from countertop 1",
        "inventory",
        "go to stoveburner 1",
        "move mug 1 to stoveburner 1",
        "go to countertop 1",
        "move mug 1 to countertop 1",
    ) == [
        "You are not carrying anything.",
        "You arrive at countertop 1. On the countertop 1, you see a knife 1, a mug 2, a mug 1, and a spoon 1.",
        "You pick up the mug 1 from the countertop 1.",
        NOTHING_HAPPENS,
        "You are carrying: a mug 1.",
        "You arrive at stoveburner 1. On the stoveburner 1, you see a pan 1.",
        NOTHING_HAPPENS,
        "You arrive at countertop 1. On the countertop 1, you see a knife 1, a mug 2, and a spoon 1.",
        "You move the mug 1 to the countertop 1.",
    ]


def test_heating_needs_the_place_and_not_the_door() -> None:
    """Heating works at the microwave alone, closed or open, with the thing in the hands; then the task can be won."""
    world = Household()
    world.reset(TASK)
    for command in ("go to countertop 1", "take mug 1 from countertop 1"):
        world.step(command)
    assert world.step("heat mug 1 with microwave 1").observation == NOTHING_HAPPENS
    world.step("go to microwave 1")
    assert world.step("heat mug 1 with microwave 1").observation == "You heat the mug 1 using the microwave 1."
    for command in ("go to fridge 1", "open fridge 1"):
        assert not world.step(command).won
    assert world.step("move mug 1 to fridge 1").won


def test_cooling_takes_the_heat_away() -> None:
    """What was heated and then cooled is cold, and does not win where something hot is wanted."""
    world = Household()
    world.reset(TASK)
    for command in (
        "go to countertop 1",
        "take mug 1 from countertop 1",
        "go to microwave 1",
        "heat mug 1 with microwave 1",
        "go to fridge 1",
        "cool mug 1 with fridge 1",
        "open fridge 1",
    ):
        world.step(command)
    assert not world.step("move mug 1 to fridge 1").won
    assert (world.state.hot, world.state.cold) == (set(), {"mug 1"})


@pytest.mark.parametrize(
    ("deeds", "said"),
    [
        ((), "There's nothing special about apple 1."),
        (("go to sinkbasin 1", "clean apple 1 with sinkbasin 1"), "This is a clean apple 1."),
        (("go to microwave 1", "heat apple 1 with microwave 1"), "This is a hot apple 1."),
        (("cool apple 1 with fridge 1",), "This is a cold apple 1."),
        (
            ("cool apple 1 with fridge 1", "go to sinkbasin 1", "clean apple 1 with sinkbasin 1"),
            "This is a cool and clean apple 1.",
        ),
        (
            (
                "go to sinkbasin 1",
                "clean apple 1 with sinkbasin 1",
                "go to microwave 1",
                "heat apple 1 with microwave 1",
            ),
            "This is a hot and clean apple 1.",
        ),
    ],
)
def test_what_is_carried_can_be_examined(deeds: tuple[str, ...], said: str) -> None:
    """A carried thing is described by what was done to it."""
    assert say("go to fridge 1", "open fridge 1", "take apple 1 from fridge 1", *deeds, "examine apple 1")[-1] == said


def test_slicing() -> None:
    """A carried knife cuts what lies at the spot, and the cut thing says so."""
    answers = say(
        "go to fridge 1",
        "open fridge 1",
        "take apple 1 from fridge 1",
        "go to countertop 1",
        "move apple 1 to countertop 1",
        "take knife 1 from countertop 1",
        "slice apple 1 with knife 1",
        "move knife 1 to countertop 1",
        "take apple 1 from countertop 1",
        "examine apple 1",
    )
    assert answers[6] == "You sliced the apple 1 with the knife 1."
    assert answers[-1] == "This is a sliced apple 1."


def test_a_hollow_thing_is_described_by_what_is_in_it() -> None:
    """A mug that is carried shows its inside, and nothing else that is true of it."""
    answers = say(
        "go to countertop 1",
        "take mug 1 from countertop 1",
        "examine mug 1",
        "move mug 1 to countertop 1",
        "take mug 2 from countertop 1",
        "examine mug 2",
    )
    assert answers[2] == "This is a normal mug 1. In it, you see a spoon 1."
    assert answers[5] == "This is a normal mug 2. In it, you see nothing."


def test_a_thing_in_two_places_is_left_in_the_other() -> None:
    """A pan across two burners stays on the one when it is taken from the other, as in engines that have such."""
    assert say("go to stoveburner 1", "take pan 1 from stoveburner 1", "examine stoveburner 2", "look")[2:] == [
        "On the stoveburner 2, you see a pan 1.",
        "You are facing the stoveburner 2, and stoveburner 1. Next to it, you see nothing.",
    ]


def test_a_thing_put_where_it_stayed_lies_there_once() -> None:
    """The pan put on the burner on which it had stayed is listed once, and is gone when it is taken again."""
    answers = say(
        "go to stoveburner 1",
        "take pan 1 from stoveburner 1",
        "move pan 1 to stoveburner 2",
        "examine stoveburner 2",
        "take pan 1 from stoveburner 2",
        "examine stoveburner 2",
    )
    assert answers[3] == "On the stoveburner 2, you see a pan 1."
    assert answers[5] == "On the stoveburner 2, you see nothing."


def test_a_look_names_what_lies_beside() -> None:
    """A thing moved between receptacles that share a spot lies beside the one that it left."""
    answers = say("go to stoveburner 1", "take pan 1 from stoveburner 1", "move pan 1 to stoveburner 2", "look")
    assert answers[3] == "You are facing the stoveburner 2, and stoveburner 1. Next to it, you see a pan 1."


def test_broken_and_shifted_appliances() -> None:
    """With other rules the microwave does nothing and the stove heats, and the admissible commands know it."""
    rules = Rules(name="test", heats=frozenset({"stoveburner"}))
    take = ("go to countertop 1", "take mug 1 from countertop 1")
    assert say(*take, "go to microwave 1", "heat mug 1 with microwave 1", rules=rules)[-1] == NOTHING_HAPPENS
    assert say(*take, "go to stoveburner 1", "heat mug 1 with stoveburner 1", rules=rules)[-1] == (
        "You heat the mug 1 using the stoveburner 1."
    )
    world = Household(rules=rules)
    world.reset(TASK)
    for command in (*take, "go to stoveburner 1"):
        world.step(command)
    assert "heat mug 1 with stoveburner 2" in world.admissible()


def test_a_lamp_is_switched_on_again_and_again() -> None:
    """Using a lamp says that it is on, every time, and looking at the thing under it wins."""
    game = Game(
        room="bedroom",
        receptacles=(Receptacle(name="desk 1", spot=1), Receptacle(name="bed 1", spot=2)),
        things=(Thing(name="book 1", places=("bed 1",)), Thing(name="desklamp 1", places=("desk 1",))),
        catalogue=CATALOGUE,
        goal=Goal(type="look_at_obj_in_light", thing="book", place="desklamp"),
    )
    world = Household()
    world.reset(Task(id="b1", text="look at book under the desklamp", setting=game))
    assert world.step("use desklamp 1").observation == NOTHING_HAPPENS
    world.step("go to desk 1")
    for _ in range(2):
        assert world.step("use desklamp 1").observation == "You turn on the desklamp 1."
    assert world.step("take desklamp 1 from desk 1").observation == NOTHING_HAPPENS
    world.step("go to bed 1")
    assert not world.step("take book 1 from bed 1").won
    assert world.step("go to desk 1").won


@pytest.mark.parametrize(
    "command", ["", "LOOK", "look ", "go to Fridge 1", "take mug 1 to countertop 1", "dance", "go to"]
)
def test_what_is_no_command(command: str) -> None:
    """Commands are matched as they stand; anything else does nothing."""
    assert say(command) == [NOTHING_HAPPENS]


def test_help_lists_the_grammar() -> None:
    """Help names a line for every kind of command."""
    assert say("help")[0].count("\n") == 13


def test_a_task_of_another_world_is_refused() -> None:
    """A task without a game is refused, with the way to make one."""
    with pytest.raises(InvalidInputError, match="make_tasks"):
        Household().reset(Task(id="x", text="fly"))


def test_a_game_must_hold_together() -> None:
    """A thing in a receptacle that is not there, or a name that stands twice, is refused."""
    goal = Goal(type="pick_and_place_simple", thing="mug", place="shelf")
    with pytest.raises(InvalidInputError, match="must lie in a receptacle of the game"):
        Game(
            room="x", receptacles=(), things=(Thing(name="mug 1", places=("shelf 1",)),), catalogue=CATALOGUE, goal=goal
        )
    twice = (Receptacle(name="shelf 1", spot=1), Receptacle(name="shelf 1", spot=2))
    with pytest.raises(InvalidInputError, match="its own name"):
        Game(room="x", receptacles=twice, things=(), catalogue=CATALOGUE, goal=goal)
