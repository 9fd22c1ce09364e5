"""Hand-written procedures for the household, so that the follower can be tested before anything was learned."""

from __future__ import annotations

from typing import Protocol

import pytest

from memp.evaluation.household import TASK_TYPES, WORDINGS
from memp.model import Content, ContentKey, EventId, Procedure, ProcedureId, Revision

FETCH = """
    source = find(thing, likely=["countertop", "diningtable", "shelf", "cabinet", "sidetable"])
    take(thing, source)"""
PLACE = """
    go_to(target)
    if closed(target):
        open(target)
    move(thing, target)
    ensure(inside(thing, target), "it is where it belongs")"""

BODIES = {
    "pick_and_place_simple": FETCH + PLACE,
    "pick_two_obj_and_place": "\n    for _ in times(2):" + (FETCH + PLACE).replace("\n", "\n    "),
    "pick_clean_then_place_in_recep": f'{FETCH}\n    go_to("sinkbasin 1")\n    clean(thing, "sinkbasin 1"){PLACE}',
    "pick_heat_then_place_in_recep": f'{FETCH}\n    go_to("microwave 1")\n    heat(thing, "microwave 1"){PLACE}',
    "pick_cool_then_place_in_recep": f'{FETCH}\n    go_to("fridge 1")\n    cool(thing, "fridge 1"){PLACE}',
    "look_at_obj_in_light": f"{FETCH}\n    place = find(target)\n    go_to(place)\n    use(target)",
}


class Writer(Protocol):
    """Makes a procedure of a content."""

    def __call__(self, content: Content, *, toolset: str | None = None) -> Procedure: ...


@pytest.fixture(scope="session")
def write() -> Writer:
    """Return what makes a procedure of one revision that says a content."""

    def written(content: Content, *, toolset: str | None = None) -> Procedure:
        event = EventId("e1")
        revision = Revision(id=event, content=content, content_key=ContentKey("k1"), family=event)
        return Procedure(
            id=ProcedureId("p1"), name="by-hand", builder="hand", toolset=toolset, revisions=(revision,), active=event
        )

    return written


@pytest.fixture(scope="session")
def procedures(write: Writer) -> dict[str, Procedure]:
    """Return a right procedure for every task type, each with the first wording of its tasks alone."""
    made = {}
    for type_ in TASK_TYPES:
        pattern = WORDINGS[type_][0].replace("{place}", "{target}")
        kind = "Object" if type_ == "look_at_obj_in_light" else "Receptacle"
        source = (
            "from household import *\n\n\n"
            f'@procedure("{pattern}")\ndef by_hand(thing: Object, target: {kind}):{BODIES[type_]}\n'
        )
        made[type_] = write(Content(task=pattern, patterns=(pattern,), script=source))
    return made
