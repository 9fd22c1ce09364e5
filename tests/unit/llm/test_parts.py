"""The small parts of asking: what is quoted of a run, when to come back, and answers in order."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memp.errors import ContextTooLongError, ModelBusyError, ModelKeyError, ModelUnavailableError
from memp.llm.ordered import in_order
from memp.llm.questions import RUN_CHARACTERS_MAX, STEPS_MAX, question, told_run, told_runs
from memp.llm.replies import Reply, completion_of, reply_of
from memp.llm.retrying import is_endpoints_fault, may_help, retried
from memp.llm.translate import retry_after_s
from memp.model import Step, Trajectory

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 2026 00:00:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 31 Dec 2025 00:00:30 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
    ],
)
def test_when_to_come_back_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds or a date; nonsense says nothing."""
    assert retry_after_s(headers, now=NOW) == seconds


def test_what_is_worth_sending_again() -> None:
    """What may be over soon is; what is wrong with the question or the key is not."""
    assert may_help(ModelBusyError("x", model="m", retry_after_s=2))
    assert not may_help(ModelBusyError("x", model="m", retry_after_s=3600))
    assert not may_help(ModelKeyError("x", model="m"))
    assert is_endpoints_fault(ModelKeyError("x", model="m"))
    assert not is_endpoints_fault(ContextTooLongError("x", model="m"))


def test_waits_grow_and_are_bounded_and_the_last_error_is_raised() -> None:
    """Each wait is at most twice the one before, none is over the bound, and the number of attempts is kept to."""
    sleeps: list[float] = []

    def send(attempt: int) -> None:
        raise ModelUnavailableError(f"attempt {attempt}", model="m")

    with pytest.raises(ModelUnavailableError, match="attempt 8"):
        retried(send, attempts=8, sleep=sleeps.append)
    assert len(sleeps) == 7
    assert all(0 <= wait <= min(20.0, 0.5 * 2**number) for number, wait in enumerate(sleeps))


def test_answers_come_in_the_order_of_the_questions_and_not_too_many_are_asked_at_once() -> None:
    """The first is asked alone; afterwards at most so many at a time, however long each takes."""
    asking, most, lock = 0, 0, threading.Lock()
    alone: list[int] = []

    def ask(item: int) -> int:
        nonlocal asking, most
        with lock:
            asking += 1
            most = max(most, asking)
            if item == 0:
                alone.append(asking)
        time.sleep(0.001 * (7 - item % 7))
        with lock:
            asking -= 1
        return item * item

    assert list(in_order(range(20), ask, parallel=3)) == [(item, item * item) for item in range(20)]
    assert (alone, most <= 3) == ([1], True)
    assert list(in_order([], ask, parallel=3)) == []


def test_of_a_long_run_both_ends_are_quoted_and_the_gap_is_told() -> None:
    """At most so many steps and characters; what is left out is said where it is."""
    steps = tuple(Step(action=f"step {number}", observation="x" * 5000) for number in range(1, 1001))
    told = told_run(Trajectory(task="t", steps=steps))["steps"]
    numbers = [one["number"] for one in told]
    assert (numbers[0], numbers[-1]) == (1, 1000)
    assert sum(len(one["observation"]) for one in told) <= RUN_CHARACTERS_MAX
    [gap] = [one for one in told if one["gap"]]
    assert gap["gap"] == 1000 - len(told)
    assert gap["number"] - gap["gap"] - 1 in numbers
    text = question("distil", {"toolset": [], "runs": told_runs([Trajectory(task="t", steps=steps)] * 5)}).text
    assert f"({gap['gap']} steps are left out here.)" in text


@given(st.integers(0, 400))
def test_a_run_that_fits_is_quoted_whole(count: int) -> None:
    """Short runs lose nothing; long ones keep as many steps as there is room for, in order, each once."""
    run = Trajectory(task="t", steps=tuple(Step(action=f"a{number}") for number in range(count)))
    numbers = [one["number"] for one in told_run(run)["steps"]]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == min(count, STEPS_MAX)
    assert sum(one["gap"] for one in told_run(run)["steps"]) == count - len(numbers)


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@given(TEXT, TEXT, TEXT, st.booleans(), st.none() | st.integers(0, 10**6))
def test_a_reply_on_record_is_the_reply_that_came(
    text: str, tool: str, arguments: str, cut: bool, tokens: int | None
) -> None:
    """Writing a reply down and making a completion of it again loses nothing that is looked at."""
    for reply in (
        Reply(text=text, cut=cut, tokens_in=tokens, tokens_out=tokens),
        Reply(tool=tool, arguments=arguments, cut=cut, tokens_in=tokens, tokens_out=tokens),
    ):
        assert reply_of(completion_of(reply.to_text())) == reply
