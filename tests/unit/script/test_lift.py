"""From what agents did to typed calls, and back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memp.errors import InvalidInputError
from memp.script import Call, Toolset, lift, load_toolset, lower
from memp.script.nodes import Keyword, ListLiteral, Name, NumberLiteral, RecordLiteral, Surface, TextLiteral

household = load_toolset("household")
airline = load_toolset("airline")
travel = load_toolset("travel")
science = load_toolset("science")


def text_call(name: str, *args: str) -> Call:
    return Call(name=name, args=tuple(TextLiteral(value=arg) for arg in args))


@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("go to cabinet 3", text_call("go_to", "cabinet 3")),
        ("  Go  To   cabinet 3. ", text_call("go_to", "cabinet 3")),
        ("take mug 1 from shelf 2", text_call("take", "mug 1", "shelf 2")),
        ("Take the mug 1 from a shelf 2", text_call("take", "mug 1", "shelf 2")),
        ("move mug 1 to shelf 2", text_call("move", "mug 1", "shelf 2")),
        ("put mug 1 in/on shelf 2", text_call("move", "mug 1", "shelf 2")),
        ("put mug 1 in shelf 2", text_call("move", "mug 1", "shelf 2")),
        ("put mug 1 on shelf 2", text_call("move", "mug 1", "shelf 2")),
        ("heat egg 1 with microwave 1", text_call("heat", "egg 1", "microwave 1")),
        ("use desklamp 1", text_call("use", "desklamp 1")),
        ("examine desk 1", text_call("examine", "desk 1")),
        ("look", text_call("look")),
        ("inventory", text_call("inventory")),
    ],
)
def test_household_actions_are_lifted_in_both_dialects(action: str, call: Call) -> None:
    """Spacing, case, articles and a full stop are free; the older and the newer wording are one action."""
    assert lift(action, household) == call


@pytest.mark.parametrize(
    "action", ["", "   ", "go to", "fly to the moon", "lookup", "take mug 1", "think: go to desk 1"]
)
def test_what_is_no_action_is_not_lifted(action: str) -> None:
    """A text that fits no surface form as a whole gives None."""
    assert lift(action, household) is None


@pytest.mark.parametrize(
    ("toolset", "action"),
    [
        (household, "put mug 1 in/on shelf 2"),
        (household, "move mug 1 to shelf 2"),
        (science, "use thermometer in inventory on substance in metal pot"),
        (science, "wait1"),
        (science, "3"),
        (airline, 'get_reservation_details({"reservation_id": "ABC123"})'),
        (airline, 'get_reservation_details({"reservation_id":"ABC123"})'),
        (airline, 'send_certificate({"user_id": "ada", "amount": 250.0})'),
        (airline, "list_all_airports({})"),
        (airline, "respond: Two lines.\n\nAnd a third one."),
        (travel, 'plan day {"days": 1, "current_city": "Rockford", "dinner": "-"}'),
        (travel, "FlightSearch[Rockford, St. Petersburg, 2022-03-16]"),
    ],
)
def test_a_lifted_action_is_written_back_as_it_was(toolset: Toolset, action: str) -> None:
    """``lower(lift(a)) == a`` for the form that it was lifted from, JSON spacing included."""
    call = lift(action, toolset)
    assert call is not None
    assert lower(call, toolset) == action


def test_a_dialect_can_be_chosen() -> None:
    """Each surface form can be asked for, by index or by the name of its dialect."""
    call = text_call("move", "mug 1", "shelf 2")
    assert lower(call, household) == "move mug 1 to shelf 2"
    assert lower(call, household, dialect=1) == lower(call, household, dialect="older") == "put mug 1 in/on shelf 2"
    assert lower(text_call("look"), household, dialect="older") == "look"
    with pytest.raises(InvalidInputError, match="'dialect' must be"):
        lower(call, household, dialect=2)


def test_names_need_values_to_be_written() -> None:
    """A call with a parameter in it becomes an action once the parameter has a value."""
    call = Call(name="go_to", args=(Name(name="target"),))
    assert lower(call, household, values={"target": "shelf 1"}) == "go to shelf 1"
    with pytest.raises(InvalidInputError, match="'target' has no value"):
        lower(call, household)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (text_call("fly", "moon"), "'fly' is no action"),
        (text_call("find", "mug 1"), "'find' is no action"),
        (text_call("go_to"), "do not fit"),
        (text_call("look", "twice"), "do not fit"),
    ],
)
def test_what_cannot_be_written_is_refused(call: Call, message: str) -> None:
    """A call that is no action of the toolset, or whose arguments do not fit, is named in the error."""
    with pytest.raises(InvalidInputError, match=message):
        lower(call, household)


def test_tool_calls_are_typed_by_their_schema() -> None:
    """Arguments of a tool call become literals of the types that the schema gives them."""
    flights = '[{"flight_number": "F1", "date": "D"}]'
    arguments = f'{{"reservation_id": "A", "cabin": "economy", "flights": {flights}, "payment_id": "p"}}'
    action = f"update_reservation_flights({arguments})"
    call = lift(action, airline)
    assert call is not None
    flight = RecordLiteral(entries=(("flight_number", TextLiteral(value="F1")), ("date", TextLiteral(value="D"))))
    assert call.keywords[1] == Keyword(name="cabin", value=TextLiteral(value="economy"))
    assert call.keywords[2] == Keyword(name="flights", value=ListLiteral(items=(flight,)))
    assert call.surface == Surface(form=0, compact=False)


@pytest.mark.parametrize(
    "action",
    [
        'get_user_details({"user_id": 7})',
        'get_user_details({"user": "ada"})',
        "get_user_details({})",
        'get_user_details({"user_id": "ada"',
        'get_user_details(["ada"])',
        'send_certificate({"user_id": "ada", "amount": "two"})',
        'cancel_reservation({"reservation_id": ' + "[" * 5000 + "]" * 5000 + "})",
    ],
)
def test_tool_calls_that_break_their_schema_are_not_lifted(action: str) -> None:
    """A wrong type, an unknown or missing argument or broken JSON gives None."""
    assert lift(action, airline) is None


def test_the_form_with_most_fixed_words_wins() -> None:
    """Where several forms fit, the one that leaves least open is meant."""
    call = lift("use thermometer on pot", science)
    assert call is not None
    assert call.args == (TextLiteral(value="thermometer"), TextLiteral(value="pot"))
    assert lift("use thermometer", science) == text_call("use", "thermometer")


def test_an_argument_after_a_gap_is_given_by_name() -> None:
    """A form that leaves out a parameter in the middle names those behind it."""
    toolset = Toolset.from_text(
        '@action("mark {x} {z}")\ndef mark(x: Number, y: Text = "", z: Number = 0): ...\n', name="t"
    )
    call = lift("mark 1 2", toolset)
    assert call == Call(
        name="mark",
        args=(NumberLiteral(value=1),),
        keywords=(Keyword(name="z", value=NumberLiteral(value=2)),),
    )
    assert call is not None
    assert lower(call, toolset) == "mark 1 2"


# -- real runs --------------------------------------------------------------------------------------------------------


def runs(folder: Path, pattern: str) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob(pattern)):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def is_command(step: dict[str, Any]) -> bool:
    """Return whether the world took the step for a command: separators in logs and made-up verbs are none."""
    return bool(step["action"].strip()) and step["observation"].strip() not in ("", "Nothing happens.")


def test_every_won_household_run_is_lifted(shared_data: Path) -> None:
    """In every won run of either dialect at least 95 % of the commands that the world took are lifted."""
    texts = lifted = runs_below = 0
    for run in runs(shared_data / "alfworld_runs", "*.jsonl.gz"):
        if not run["success"]:
            continue
        written = [step for step in run["steps"] if step["action"].strip()]
        calls = [lift(step["action"], household) for step in written]
        texts, lifted = texts + len(written), lifted + sum(call is not None for call in calls)
        runs_below += sum(call is not None for call in calls) < 0.95 * len(calls)
        taken = [call is not None for step, call in zip(written, calls, strict=True) if is_command(step)]
        assert sum(taken) >= 0.95 * len(taken), run["task_id"]
    assert texts > 10_000
    assert lifted >= 0.999 * texts
    # One run in which the model made up commands, and one whose log holds separators between runs.
    assert runs_below <= 2


def test_gold_runs_of_the_laboratory_are_lifted(shared_data: Path) -> None:
    """All commands of the gold runs are lifted and written back letter by letter; nine in ten is what is asked for."""
    actions = [step["action"] for run in runs(shared_data / "scienceworld_runs", "gold*") for step in run["steps"]]
    calls = [lift(action, science) for action in actions]
    assert sum(call is not None for call in calls) >= 0.99 * len(actions) > 0
    assert all(lower(call, science) == action for call, action in zip(calls, actions, strict=True) if call is not None)


@pytest.mark.parametrize(("toolset", "folder"), [(airline, "taubench_airline"), (travel, "travelplanner")])
def test_tool_calls_of_real_runs_are_lifted(shared_data: Path, toolset: Toolset, folder: str) -> None:
    """At least 99 % of the tool calls of real runs have the types of the toolset, and are written back as they were."""
    files = "plans*.jsonl.gz" if folder == "travelplanner" else "*.jsonl.gz"
    actions = [step["action"] for run in runs(shared_data / folder, files) for step in run["steps"][:200]]
    pairs = [(action, lift(action, toolset)) for action in actions if action.strip()]
    lifted = [(action, call) for action, call in pairs if call is not None]
    assert len(lifted) >= 0.99 * len(pairs) > 0
    assert all(lower(call, toolset) == action for action, call in lifted)
