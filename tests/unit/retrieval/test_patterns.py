"""Which words of a task are names, with a run and without one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.model import Step, Trajectory
from memp.retrieval.patterns import mask_query, normal_pattern, pattern_words, task_pattern


def pattern(task: str, *actions: str) -> str:
    return task_pattern(Trajectory(task=task, steps=[Step(action=action) for action in actions]))


HEATING = ("go to counter 1", "take mug 2 from counter 1", "heat mug 2 with oven 1", "put mug 2 in/on shelf 3")


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("put a hot mug on the shelf", "put a hot {} on the {}"),
        ("heat some mug and put it on a shelf", "heat some {} and put it on a {}"),
        ("put the mugs on the shelves", "put the {} on the {}"),
        ("put 3 hot mugs on shelf 4", "put {} hot {} on {}"),
        ("put two hot mugs on a shelf", "put two hot {} on a {}"),
        ("Heat the MUG.", "Heat the {}."),
        ("put a {state} mug on the {target}", "put a {state} {} on the {target}"),
        ("bring  the mug\nto Ada Lovelace now", "bring the {} to {} now"),
        ('write "Happy Birthday" on the mug', "write {} on the {}"),
        ("label the mug 'left side' today", "label the {} today"),
    ],
)
def test_names_of_what_was_handled_become_slots(task: str, expected: str) -> None:
    """Arguments, numbers, quotes and capitalised names are slots; what is asked for, amounts and old slots stay."""
    assert pattern(task, *HEATING) == expected


@pytest.mark.parametrize(
    ("task", "action", "expected"),
    [
        ("wipe the dining table clean", "go to diningtable 1", "wipe the {} clean"),
        ("wipe the diningtable clean", "walk to dining table 1", "wipe the {} clean"),
        ("who sang with jonny craig first", "Search[Jonny Craig]", "who sang with {} first"),
        ("refund ada's ticket", 'refund {"user": "ada", "amount": 3}', "refund {} ticket"),
        ("refund the economy ticket", 'get_ticket {"cabin": ["economy"]}', "refund the {} ticket"),
    ],
)
def test_arguments_in_every_form(task: str, action: str, expected: str) -> None:
    """Words written together or apart, contents of brackets and values of JSON are names."""
    assert pattern(task, action) == expected


def test_first_words_of_actions_are_never_names() -> None:
    """What some action does is what the task asks for, even where another action has the word as an argument."""
    assert pattern("clean the plate", "clean plate 1", "look for clean plate 1") == "clean the {}"


@pytest.mark.parametrize(
    "action",
    [
        "think: to solve the task I need to find and warm the mug, then carry it over to the shelf",
        "think warm mug shelf",
        'respond {"content": "I will warm the mug and put it on the shelf for you right now."}',
        "Finish[the mug is warm and stands on the shelf as you wanted it]",
        "do {broken json mug shelf and then many other words of a sentence that goes on and on}",
    ],
)
def test_speech_masks_nothing(action: str) -> None:
    """Thoughts, answers and messages speak about the task; their words are not things that were handled."""
    assert pattern("warm the mug on the shelf", action) == "warm the mug on the shelf"


def test_single_words_of_a_long_name_stay() -> None:
    """A long name in a tool's argument masks itself, not each of its ordinary words."""
    action = 'book {"inn": "the three different cities inn"}'
    assert pattern("visit different places and the different cities inn", action) == "visit different places and the {}"


def test_a_title_does_not_mask_everything() -> None:
    """Where most words have capitals, capitals tell nothing."""
    assert pattern("Put A Hot Mug On The Shelf", *HEATING) == "Put A Hot {} On The {}"


def test_sentences_may_start_with_a_capital() -> None:
    """The first word of a sentence is judged like any other; an abbreviation does not start one."""
    assert pattern("Go there. Then fly to St. Gallen and I rest") == "Go there. Then fly to {}. {} and I rest"


@pytest.mark.parametrize("task", ["mug", "the mug on the shelf", "{} mug"])
def test_a_task_of_names_alone_stays(task: str) -> None:
    """Where nothing but slots and words of grammar would be left, the task itself is the better pattern."""
    assert pattern(task, *HEATING) == task


FIXED = pattern_words("put a hot {} in the {}") | pattern_words("clean some {} and store two of them")


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("put a hot grommet in the blue bin", "put a hot {} in the {}"),
        ("store two cleaned flanges into my bin", "store two cleaned {} into my {}"),
        ("putting the Hot thing away", "putting the {}"),
        ("put {thing} in the box", "put {thing} in the {}"),
    ],
)
def test_words_that_no_pattern_knows_are_names(task: str, expected: str) -> None:
    """In a question, words that stand in no pattern become slots; known words, inflected too, and grammar stay."""
    assert mask_query(task, FIXED) == expected


def test_a_question_that_no_pattern_speaks_of_stays() -> None:
    """Where everything would be masked, the question keeps its words."""
    assert mask_query("paint the fence", FIXED) == "paint the fence"
    assert mask_query("put a mug there", frozenset()) == "put a mug there"


def test_patterns_that_differ_in_looks_are_one() -> None:
    """Capitals, signs, white space and names of slots make no other pattern."""
    assert normal_pattern("Put a hot  {thing}\tin {target}.") == "put a hot {} in {}"
    assert normal_pattern("?!") == "?!"


def test_fixed_words_are_those_outside_slots() -> None:
    """The words of a pattern are known in their inflections; the name of a slot is none of them."""
    assert {"heat", "mugs", "mug"} <= pattern_words("heat mugs in {target}")
    assert "target" not in pattern_words("heat mugs in {target}")


@given(st.text(max_size=80).filter(str.strip), st.lists(st.text(max_size=40), max_size=4))
def test_any_run_gives_a_stable_pattern(task: str, actions: list[str]) -> None:
    """Any task and actions give a pattern that is not empty, and what is compared of it is the same when read again."""
    run = Trajectory(task=task, steps=[Step(action=action) for action in actions])
    once = task_pattern(run)
    assert once
    assert normal_pattern(normal_pattern(once)) == normal_pattern(once)
    assert pattern_words(normal_pattern(once)) == pattern_words(once)


@given(st.permutations(HEATING))
def test_the_order_of_actions_does_not_matter(actions: list[str]) -> None:
    """A pattern depends on what was handled, not on when."""
    assert pattern("put a hot mug on the shelf", *actions) == "put a hot {} on the {}"


@given(st.recursive(st.text(max_size=8) | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3)))
def test_any_json_argument_is_read(value: object) -> None:
    """Whatever a tool call carries, a pattern comes out."""
    assert pattern("book the flight", f"book {json.dumps({'a': value})}")


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("open box2 now", "open {} now"),
        ("open box now", "open box now"),
        ("open ada's box", "open {} box"),
        ("open box\u00b2 now", "open {} now"),
        ("open box_2 now", "open {} now"),
        ("open box_shut now", "open box_{} now"),
        ("open box.now", "open box.now"),
        ("open\t box", "open box"),
    ],
)
def test_letters_are_a_word_where_nothing_of_a_word_follows(task: str, expected: str) -> None:
    """Letters before a digit, an apostrophe or an underscore are taken for what they are a part of."""
    assert mask_query(task, frozenset({"open", "box", "now"})) == expected
