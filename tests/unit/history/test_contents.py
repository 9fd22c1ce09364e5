"""What two contents have in common."""

from __future__ import annotations

import attrs
import pytest

import memp
from memp.history.contents import content_changes, content_lines, same_lines, structure
from memp.model import Content

SCRIPT = '''from household import *


@procedure("bring {thing} to {target}")
def bring(thing: Object, target: Receptacle):
    """Bring it.

    Slowly.
    """
    spot = find(thing, likely=["desk"])
    take(thing, spot)
    go_to(target)
    if closed(target):
        open(target)
    else:
        note("it was open")
    move(thing, target)
'''


def written(script: str) -> Content:
    """A content that is a script."""
    return Content(task="bring something", script=script)


def lived(*actions: str, reward: float = 1.0) -> Content:
    """A content that is a run."""
    steps = [memp.Step(action=action) for action in actions]
    return Content(task="a task", run=memp.Trajectory(task="a task", steps=steps, reward=reward))


def changes(old: Content, new: Content) -> list[str]:
    """What changed, one text for each change."""
    return [str(change) for change in content_changes(old, new)]


def test_a_script_is_read_without_its_toolset() -> None:
    """What a toolset says today does not change how an old script is compared; even one of no toolset is read."""
    script = structure(SCRIPT.replace("household", "a_room_that_never_was"))
    assert script is not None
    assert (script.toolset, script.procedures[0].name) == ("a_room_that_never_was", "bring")
    assert structure("Look first, then go.") is None


def test_another_name_of_a_parameter_is_one_change() -> None:
    """A parameter that is used in every line is renamed once."""
    assert changes(written(SCRIPT), written(SCRIPT.replace("thing", "item"))) == ["~ parameter thing is now item"]
    pattern = "bring {thing} to {target}"
    old = Content(task=pattern, patterns=(pattern,), script=SCRIPT)
    new = Content(
        task=pattern.replace("thing", "item"),
        patterns=(pattern.replace("thing", "item"),),
        script=SCRIPT.replace("thing", "item"),
    )
    assert changes(old, new) == ["~ parameter thing is now item"]
    assert changes(old, attrs.evolve(new, task="bring it")) == [
        f"- task: {pattern}\n+ task: bring it",
        "~ parameter thing is now item",
    ]


def test_runs_are_compared_by_what_was_done() -> None:
    """A step that came is one change, and the steps after it are none."""
    assert changes(lived("take mug 1", "heat mug 1"), lived("take mug 1", "open oven 1", "heat mug 1")) == [
        "+ step 2: open oven 1"
    ]
    assert changes(lived("a", "b", "c"), lived("b", "c", "a")) == ["> step 3, from 1: a"]


def test_another_recording_of_the_same_steps_is_said() -> None:
    """Runs that differ in what is not a step are told apart by their outcome."""
    assert changes(lived("a", reward=1.0), lived("a", reward=0.0)) == ["- run: 1 step, won\n+ run: 1 step, lost"]
    assert changes(lived("a", reward=1.0), lived("a", reward=2.0)) == [
        "- run: 1 step, won\n+ run: another run, 1 step, won"
    ]
    assert changes(lived("a"), lived()) == ["- run: 1 step, won\n+ run: 0 steps, won"]


def test_what_is_no_script_is_compared_line_by_line() -> None:
    """A text that nobody can parse has changes all the same."""
    assert changes(written("look\ngo home"), written("look\nstay")) == ["- line 2: go home", "+ line 2: stay"]


def test_what_came_and_went_as_a_whole() -> None:
    """A script that takes the place of a run, patterns and facts are each one change."""
    run = lived("a")
    both = Content(task="another task", patterns=("do {x}",), facts=("It is hot.",), script="go", run=run.run)
    assert changes(run, both) == [
        "- task: a task\n+ task: another task",
        '+ pattern: "do {x}"',
        '+ fact: "It is hot."',
        "+ script: go",
    ]
    assert [line[0] for line in changes(both, run)] == ["-", "-", "-", "-"]
    assert changes(both, Content(task="another task", patterns=("do {x}",), facts=("It is hot.",), script="go")) == [
        "- run: 1 step, won"
    ]
    assert changes(run, run) == []


def test_a_pattern_that_the_script_names_is_said_once() -> None:
    """Patterns stand in the script and beside it."""
    more = SCRIPT.replace('@procedure("', '@procedure("carry {thing} over", "')
    old = Content(task="t", patterns=("bring {thing} to {target}",), script=SCRIPT)
    new = Content(task="t", patterns=("carry {thing} over", "bring {thing} to {target}"), script=more)
    assert changes(old, new) == ['+ pattern: "carry {thing} over"']


def test_the_lines_of_a_script() -> None:
    """Every line stands there as it is written, and steps carry their numbers."""
    lines = content_lines(written(SCRIPT))
    assert "\n".join(line.text for line in lines) == SCRIPT.replace("\n\n\n@", "\n@").replace(
        '\n\n    Slowly.\n    """', '\n    \n    Slowly."""'
    ).rstrip("\n")
    assert [line.step for line in lines if line.step] == ["1", "2", "3", "4", "4.1", "4.2", "5"]


def test_the_lines_of_a_run_and_of_a_text() -> None:
    """A run has a line for each action, a text its own."""
    assert [(line.step, line.text) for line in content_lines(lived("a", " ", "b"))] == [("1", "a"), ("2", "b")]
    assert [(line.step, line.text) for line in content_lines(written("go\n  home\n"))] == [("", "go"), ("", "  home")]


@pytest.mark.parametrize(
    ("edits", "new_lines"),
    [
        ([], []),
        ([("thing", "item"), ("bring(", "fetch("), ("spot", "place")], []),
        ([("    go_to(target)\n", "")], []),
        (
            [
                ("    go_to(target)\n", ""),
                ("    move(thing, target)\n", "    move(thing, target)\n    go_to(target)\n"),
            ],
            [],
        ),
        ([("    take(", "    look()\n    take(")], ["    look()"]),
        ([("Slowly.", "Quickly.")], ['    Quickly."""']),
        ([('@procedure("', '@procedure("carry {thing} over", "')], ['@procedure("carry {thing} over",']),
        ([("if closed(target)", "if not closed(target)")], ["    if not closed(target):"]),
    ],
)
def test_a_line_stays_itself(edits: list[tuple[str, str]], new_lines: list[str]) -> None:
    """Renaming, moving and edits around it leave a line what it was."""
    text = SCRIPT
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    same = same_lines(written(SCRIPT), written(text))
    lines = content_lines(written(text))
    assert [line.text for index, line in enumerate(lines) if index not in same] == new_lines


def test_common_lines_do_not_move() -> None:
    """An else that came is no else that went elsewhere."""
    old = '@procedure("x")\ndef x():\n    if a():\n        do("1")\n    else:\n        do("2")\n'
    head = '@procedure("x")\ndef x():\n'
    new = f'{head}    do("0")\n    for _ in attempts(2):\n        do("3")\n    else:\n        do("4")\n'
    same = same_lines(written(old), written(new))
    assert len(same) == 3
    moved = '@procedure("x")\ndef x():\n    do("2")\n    if a():\n        do("1")\n'
    assert len(same_lines(written(old), written(moved))) == 5


def test_a_run_that_was_written_down_keeps_its_steps() -> None:
    """A script in words that says what a run did has the lines of the run."""
    script = '@procedure("x")\ndef x():\n    do("take mug 1")\n    do("look")\n    do("heat mug 1")\n'
    assert same_lines(lived("take mug 1", "heat mug 1"), written(script)) == {2: 0, 4: 1}
