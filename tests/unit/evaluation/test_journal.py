"""The journal: what is in it is not done again, and damage is noticed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import memp
from memp.errors import ConflictError, InvalidInputError, ServiceError
from memp.evaluation.agent import FunctionAgent, Prompt
from memp.evaluation.environment import Task
from memp.evaluation.journal import Journal, Outcome, PlayKey
from memp.model import Step

from .measuring import MEASURED, door_suite  # noqa: TID252

KEY = PlayKey("", "door-1", 0, "ab")
WON = Outcome(won=True, reward=1.0, steps=2, tokens=7)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    """Keys and outcomes come back as they were, and the file is there before the first play."""
    other = PlayKey("v1", "täsk", 3, "")
    with Journal(tmp_path / "j", MEASURED) as journal:
        assert (tmp_path / "j").read_bytes().count(b"\n") == 1
        journal.write(KEY, WON)
        journal.write(other, Outcome(won=False, reward=0.25, steps=50, superfluous=0.5, kind_first=True))
        written = dict(journal.done)
    with Journal(tmp_path / "j", MEASURED) as journal:
        assert journal.done == written
        assert journal.damaged == 0


def test_a_journal_of_something_else_is_refused(tmp_path: Path) -> None:
    """What differs is named; a file that is no journal is left alone; two processes never write one."""
    with Journal(tmp_path / "j", MEASURED) as journal:
        journal.write(KEY, WON)
        with pytest.raises(ConflictError, match="Another process"):
            Journal(tmp_path / "j", MEASURED)
    with pytest.raises(InvalidInputError, match=r"differs in agent, max_steps"):
        Journal(tmp_path / "j", attrs.evolve(MEASURED, agent="explorer", max_steps=9))
    (tmp_path / "k").write_text("dear diary\n")
    with pytest.raises(InvalidInputError, match="no journal"):
        Journal(tmp_path / "k", MEASURED)
    assert (tmp_path / "k").read_text() == "dear diary\n"
    with pytest.raises(InvalidInputError, match="in a folder that is there"):
        Journal(tmp_path / "none" / "j", MEASURED)


@pytest.mark.parametrize("text", ["a note without an end of line", '{"sums": 1}', "\0"])
def test_somebody_elses_file_is_never_cut(tmp_path: Path, text: str) -> None:
    """What a kill leaves of a first line is begun anew; an unfinished line of anything else is left alone."""
    (tmp_path / "k").write_text(text)
    with pytest.raises(InvalidInputError, match="no journal"):
        Journal(tmp_path / "k", MEASURED)
    assert (tmp_path / "k").read_text() == text
    with Journal(tmp_path / "j", MEASURED):
        begun = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(begun[:20])
    with Journal(tmp_path / "j", MEASURED):
        assert (tmp_path / "j").read_bytes() == begun


@given(cut=st.integers(0, 400), flip=st.integers(0, 400))
def test_damage_costs_plays_and_never_makes_any_up(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flip: int
) -> None:
    """However the end is cut off or a bit is flipped, what is read is some of what was written."""
    path = tmp_path_factory.mktemp("journal") / "j"
    with Journal(path, MEASURED) as journal:
        header = path.stat().st_size
        for number in range(3):
            journal.write(attrs.evolve(KEY, seed=number), attrs.evolve(WON, steps=number))
        written = dict(journal.done)
    content = bytearray(path.read_bytes())
    content = content[: header + cut]
    place = header + flip
    if place < len(content):
        content[place] ^= 1
    path.write_bytes(content)
    with Journal(path, MEASURED) as journal:
        assert journal.done.items() <= written.items()
        journal.write(KEY, WON)
    with Journal(path, MEASURED) as journal:
        assert journal.done[KEY] == WON


def test_what_was_done_before_an_error_is_not_done_again(tmp_path: Path) -> None:
    """An evaluation that broke off goes on where it was, and comes to what one in one go comes to."""
    played: Counter[str] = Counter()
    broken = [True]

    def act(
        task: Task, _prompt: Prompt, _observation: str, _admissible: tuple[str, ...], _history: tuple[Step, ...]
    ) -> str:
        if task.id == "door-2" and broken:
            broken.pop()
            raise ServiceError("The model is away.")
        played[task.id] += 1
        return "open door"

    agent = FunctionAgent(name="opener", act=act)
    with memp.open(":memory:") as memory:
        with pytest.raises(ServiceError):
            memp.evaluate(memory, door_suite(), agent, arms=["none", "random"], journal=tmp_path / "j")
        result = memp.evaluate(memory, door_suite(), agent, arms=["none", "random"], journal=tmp_path / "j")
        assert set(played.values()) == {2}  # once for each arm
        assert result == memp.evaluate(memory, door_suite(), agent, arms=["none", "random"])
