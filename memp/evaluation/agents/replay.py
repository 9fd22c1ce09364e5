"""
A recorded run as steps of a script: what it did to the things that its task names, without the way there.

A run without a script is still worth following, but not to the letter: its walks and searches belong to the room that
it was lived in. What carries over is what was done to the named things, in order. Replaying the run action by action
was not taken: it breaks at the first thing that lies elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memp.evaluation.agents.binding import align
from memp.evaluation.agents.commands import GO, IDLE, OPEN, PUT, TAKE, kind, read
from memp.evaluation.agents.reading import Reader, call_of
from memp.evaluation.environment import NOTHING_HAPPENS
from memp.script.nodes import Act, Call, Expression, Find, Name, Statement

if TYPE_CHECKING:
    from memp.evaluation.agents.commands import Command
    from memp.model import Trajectory


def steps_of(run: Trajectory, task: str, reader: Reader) -> tuple[tuple[Statement, ...], dict[str, str]] | None:
    """
    Return *run* as steps, and what their names stand for in *task*.

    Args:
        run: A recorded run.

        task: What is asked now; its names take the place of the run's.

        reader: Reads the run's actions.

    Returns:
        Steps, and the kind of each name in them; None if the two tasks cannot be aligned.
    """
    swapped = align(run, task)
    if swapped is None:
        return None
    lived = [read(step.action) for step in run.steps if step.observation.strip() != NOTHING_HAPPENS]
    steps: list[Statement] = []
    names: dict[str, str] = {}
    for number, command in enumerate(_without_detours(lived, swapped)):
        reading = reader.read(command.text)
        if reading is None:
            continue
        values: dict[str, Expression] = {}
        for thing in command.things:
            if kind(thing) in swapped:
                name = thing.replace(" ", "_")
                names[name] = swapped[kind(thing)]
                values[thing] = Name(name=name)
        if command.verb in TAKE and len(command.things) > 1:
            source = Name(name=f"source_{number}")
            steps.append(Find(target=source.name, call=Call(name="find", args=(values[command.things[0]],))))
            values[command.things[-1]] = source
        steps.append(Act(call=call_of(reading, values)))
    return tuple(steps), names


def _without_detours(commands: list[Command], named: dict[str, str]) -> list[Command]:
    """Return what was done to named things, without what was undone and without what did not lead to the end."""
    deeds = [
        command
        for command in commands
        if command.things and command.verb not in GO | OPEN | IDLE and kind(command.things[0]) in named
    ]
    return _without_attempts(_without_returns(deeds))


def _without_returns(deeds: list[Command]) -> list[Command]:
    """Leave out what was put down only for the same thing to be taken up there again."""
    kept: list[Command] = []
    for command in deeds:
        same = [number for number, other in enumerate(kept) if other.things[0] == command.things[0]]
        last = kept[same[-1]] if same else None
        if command.verb in TAKE and last is not None and last.verb in PUT and last.things == command.things:
            del kept[same[-1]]
        else:
            kept.append(command)
    return kept


def _without_attempts(deeds: list[Command]) -> list[Command]:
    """
    Leave out things that were only carried about, if the run ended with one of their kind to which something was done.

    That one made the difference; where none did, as with two things to be put together, all of them stay.
    """
    if not deeds:
        return deeds
    last = deeds[-1].things[0]
    worked_on = {command.things[0] for command in deeds if command.verb not in TAKE | PUT}
    if last not in worked_on:
        return deeds
    return [c for c in deeds if kind(c.things[0]) != kind(last) or c.things[0] == last]
