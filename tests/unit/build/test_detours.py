"""What a run took back or tried in vain is no part of the procedure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.build.detours import without_detours
from memp.build.effects import effective_deeds
from memp.build.places import vocabulary
from memp.script import Toolset, load_toolset
from tests.unit.build.depot import DEPOT, run_of, script_of

HOUSEHOLD = load_toolset("household")

WORKSHOP = Toolset.from_text(
    DEPOT.to_text()
    .replace('toolset("depot")', 'toolset("workshop")')
    .replace("def grab", "@undoes(store)\ndef grab")
    .replace("def store", "@undoes(grab)\ndef store")
    .replace("def paint", "@overrides(paint)\ndef paint")
)
"""The depot, in which grabbing and storing take each other back, and a coat of paint covers the one before."""


def kept(*actions: str, toolset: Toolset = WORKSHOP) -> list[str]:
    """Return which of *actions* stay."""
    deeds = effective_deeds(run_of("t", *actions), toolset)
    return [deed.text for deed in without_detours(deeds, vocabulary(toolset))]


@pytest.mark.parametrize(
    ("actions", "gone"),
    [
        (("grab bolt 1 from bin 1", "store bolt 1 in bin 1", "ring bell 1"), (0, 1)),
        (("store bolt 1 in bin 1", "walk to rack 1", "walk to bin 1", "grab bolt 1 from bin 1", "wait"), (0, 3)),
        (("grab bolt 1 from bin 1", "store bolt 1 in rack 1", "ring bell 1"), ()),
        (("store bolt 1 in bin 1", "grab bolt 2 from bin 1", "ring bell 1"), ()),
        (("store bolt 1 in bin 1", "ring bell 1", "grab bolt 1 from bin 1", "wait"), ()),
        (("grab bolt 1 from bin 1", "store bolt 1 in bin 1"), ()),
        (
            (
                "grab bolt 1 from bin 1",
                "store bolt 1 in rack 1",
                "grab bolt 1 from rack 1",
                "store bolt 1 in bin 1",
                "wait",
            ),
            (0, 1, 2, 3),
        ),
        (("paint bolt 1 at press 1", "walk to mill 1", "paint bolt 1 at mill 1", "wait"), (0,)),
        (("paint bolt 1 at press 1", "paint bolt 1 at press 1"), (0,)),
        (("paint bolt 1 at press 1", "paint nut 1 at press 1", "wait"), ()),
        (("paint bolt 1 at press 1", "sing", "paint bolt 1 at mill 1", "wait"), ()),
    ],
)
def test_what_was_taken_back_or_overridden_is_gone(actions: tuple[str, ...], gone: tuple[int, ...]) -> None:
    """Pairs with the same things cancel, also from the inside out; not across another deed, and never the last deed."""
    assert kept(*actions) == [action for number, action in enumerate(actions) if number not in gone]


def test_without_declarations_nothing_is_taken_back() -> None:
    """No word is known to undo another one unless the toolset says so."""
    actions = ("grab bolt 1 from bin 1", "store bolt 1 in bin 1", "ring bell 1")
    assert kept(*actions, toolset=DEPOT) == list(actions)


def test_a_thing_that_was_given_up_for_another_is_an_attempt() -> None:
    """What got less than the last of its kind was left; where both got the same, both count."""
    attempt = ("grab bolt 1 from bin 1", "store bolt 1 in rack 1")
    more = ("grab bolt 2 from bin 1", "paint bolt 2 at press 1", "store bolt 2 in rack 1")
    assert kept(*attempt, *more) == list(more)
    both = (*attempt, "grab bolt 2 from bin 1", "store bolt 2 in rack 1")
    assert kept(*both) == list(both)
    other = ("grab nut 1 from bin 1", "store nut 1 in rack 1")
    assert kept(*other, *more) == [*other, *more]


ACTIONS = st.sampled_from(
    [
        f"{verb} {thing} {link} {place}"
        for verb, link in (("grab", "from"), ("store", "in"), ("paint", "at"))
        for thing in ("bolt 1", "bolt 2")
        for place in ("bin 1", "rack 1")
    ]
    + ["walk to bin 1", "walk to rack 1", "wait"]
)


@given(st.lists(ACTIONS, max_size=12))
def test_nothing_is_added_the_order_stays_and_twice_is_once(actions: list[str]) -> None:
    """What stays is a part of the run in its order, with its last deed; leaving out again changes nothing."""
    once = kept(*actions)
    rest = iter(actions)
    assert all(action in rest for action in once)
    assert kept(*once) == once
    deeds = [action for action in actions if not action.startswith("walk")]
    assert not deeds or deeds[-1] in once


def test_the_household_says_what_is_taken_back() -> None:
    """A thing put down and taken up again, and cold before heat, are no part of a procedure."""
    noisy = run_of(
        "heat some mug and put it in cabinet",
        ("go to shelf 1", "On the shelf 1, you see a mug 1."),
        "take mug 1 from shelf 1",
        ("go to fridge 1", "The fridge 1 is closed."),
        "cool mug 1 with fridge 1",
        ("go to cabinet 1", "The cabinet 1 is closed."),
        "open cabinet 1",
        "move mug 1 to cabinet 1",
        "take mug 1 from cabinet 1",
        ("go to microwave 1", "The microwave 1 is closed."),
        "heat mug 1 with microwave 1",
        ("go to cabinet 1", "The cabinet 1 is open."),
        "move mug 1 to cabinet 1",
    )
    assert script_of(noisy, toolset=HOUSEHOLD) == (
        'source = find(thing, likely=["shelf"])\n'
        "take(thing, source)\n"
        'go_to("microwave")\n'
        'heat(thing, "microwave")\n'
        "go_to(target)\n"
        "move(thing, target)"
    )


def test_the_place_of_an_act_is_the_one_that_it_names() -> None:
    """Who walks to one of two places that are used from one spot and takes from the other was at the other."""
    neighbours = run_of(
        "put a mug in desk",
        ("go to cabinet 3", "The cabinet 3 is closed."),
        "open cabinet 3",
        ("open cabinet 2", "You open the cabinet 2."),
        "take mug 1 from cabinet 2",
        ("go to desk 1", "On the desk 1, you see nothing."),
        "move mug 1 to desk 1",
    )
    assert script_of(neighbours, toolset=HOUSEHOLD).splitlines()[:2] == [
        'source = find(thing, likely=["cabinet"])',
        "take(thing, source)",
    ]


def test_a_way_that_ends_the_run_is_gone() -> None:
    """Where walking was the last that was needed, the procedure walks there: to the place by its variable."""
    carried = run_of(
        "look at book under the desklamp",
        ("go to desk 1", "On the desk 1, you see a desklamp 1."),
        "use desklamp 1",
        ("go to shelf 1", "On the shelf 1, you see a book 1."),
        "take book 1 from shelf 1",
        ("go to desk 1", "On the desk 1, you see a desklamp 1."),
    )
    assert script_of(carried, toolset=HOUSEHOLD).splitlines()[-1] == "go_to(place)"
