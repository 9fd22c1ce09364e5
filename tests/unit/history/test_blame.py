"""Which event brought in each line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import memp
from memp.events import ProcedureAdded, ProcedureGeneralised, ProcedureReflected
from memp.history.blame import Blame, blame
from memp.model import Content, ContentKey, EventId, ProcedureId

Run = Callable[..., memp.Trajectory]
P = ProcedureId("p")

FIRST = """@procedure("warm {thing}")
def warm(thing: Text):
    do("look around")
    do(f"take {thing}")
    do(f"heat {thing}")
"""
RENAMED = FIRST.replace("thing", "item").replace("def warm", "def heat_up")
LONGER = RENAMED + '    do("close the oven")\n'
MOVED = LONGER.replace('    do("look around")\n', "") + '    do("look around")\n'
WIDER = MOVED.replace('@procedure("warm {item}")', '@procedure("warm {item}", "heat {item}")')


def content(script: str) -> Content:
    """A content that is a script."""
    return Content(task="warm something", script=script)


def added(script: str) -> ProcedureAdded:
    """A new procedure."""
    return ProcedureAdded(
        procedure_id=P, name="warm", builder="hand", content_key=ContentKey("k"), content=content(script)
    )


def reflected(base: EventId, script: str) -> ProcedureReflected:
    """A revision that takes the place of its base."""
    return ProcedureReflected(
        procedure_id=P,
        base=base,
        content_key=ContentKey("k"),
        content=content(script),
        critique="It was wrong.",
        candidate=False,
    )


def origins(found: Blame) -> list[tuple[int, str]]:
    """The position that each line came from, and the line."""
    return [(line.origin.position, line.text.strip()) for line in found.lines]


def test_lines_keep_their_origin(life: Any) -> None:
    """Renaming, moving and joining further patterns leave lines to the event that brought them in."""
    one = life.tell(added(FIRST))
    two = life.tell(reflected(one, RENAMED), one)
    three = life.tell(reflected(two, LONGER), two, actor="critic")
    four = life.tell(reflected(three, MOVED), three)
    wider = ProcedureGeneralised(procedure_id=P, base=four, content_key=ContentKey("k"), content=content(WIDER))
    life.tell(wider, four)
    found = blame(life.state, life.state.get(P))
    assert origins(found) == [
        (1, '@procedure("warm {item}",'),
        (5, '"heat {item}")'),
        (1, "def heat_up(item: Text):"),
        (1, 'do(f"take {item}")'),
        (1, 'do(f"heat {item}")'),
        (3, 'do("close the oven")'),
        (1, 'do("look around")'),
    ]
    assert [line.step for line in found.lines] == ["", "", "", "1", "2", "3", "4"]
    assert [(told.position, told.actor) for told in found.origins] == [(1, "me"), (3, "critic"), (5, "me")]


def test_a_base_that_was_purged_leaves_its_lines_to_who_kept_them(life: Any) -> None:
    """Nobody knows any more who wrote them first; what stood there before it is known."""
    one = life.tell(added(FIRST))
    two = life.tell(reflected(one, LONGER), one)
    life.tell(reflected(two, MOVED), two)
    state = life.without_bodies(two)
    found = blame(state, state.get(P))
    assert {position for position, _ in origins(found)} == {1, 3}
    assert (3, 'do("close the oven")') in origins(found)
    state = life.without_bodies(one, two)
    assert state.get(P) is None


def test_an_origin_may_be_out_of_force(memory: memp.Memory, run: Run) -> None:
    """An undo that keeps what was made from an event does not change where a line came from."""
    memory.learn([run("warm the soup", "take soup 1")])
    [name] = [p.name for p in memory.procedures()]
    bad = memory.reflect(name, script=FIRST, critique="too short", activate=True)
    memory.reflect(name, script=LONGER, critique="left open", activate=True)
    memory.undo([bad.event_id], reason="r", on_dependents="taint")
    found = memory.blame(name)
    by_position = {told.position: told.in_force for told in found.origins}
    assert by_position[bad.position] is False
    assert len(by_position) == 2


def test_a_merge_keeps_what_its_parts_said(memory: memp.Memory, run: Run) -> None:
    """Lines of the best part stay with who wrote them, and patterns of the others with theirs."""
    memory.learn([run("warm the soup", "take soup 1", agent=agent) for agent in ("a", "b")])
    memory.learn([run("heat the milk", "take milk 1")])
    script = FIRST.replace("warm {thing}", "heat {thing}").replace("def warm", "def heat")
    soup = memory.reflect("warm-the-soup", script=FIRST, critique="c", activate=True)
    milk = memory.reflect("heat-the-milk", script=script, critique="c", activate=True)
    merged = memory.merge(["heat-the-milk", "warm-the-soup"], reason="the same")
    assert merged.data is not None
    found = memory.blame(str(merged.data["name"]))
    assert {line.origin.position for line in found.lines} == {soup.position}
    assert milk.position not in {told.position for told in found.origins}


def test_a_run_is_blamed_step_by_step(memory: memp.Memory, run: Run) -> None:
    """A procedure that is a run has a line for each action, and the past is asked as the present is."""
    memory.learn([run("warm the soup", "take soup 1", "heat soup 1")])
    memory.tag("young")
    memory.reflect("warm-the-soup", script=FIRST, critique="c", activate=True)
    found = memory.at("young").blame("warm-the-soup")
    assert [(line.number, line.step, line.text) for line in found.lines] == [
        (1, "1", "take soup 1"),
        (2, "2", "heat soup 1"),
    ]
    plain = found.to_dict()
    assert plain["lines"][0]["event_id"] == plain["origins"][0]["event_id"] == plain["revision"]
