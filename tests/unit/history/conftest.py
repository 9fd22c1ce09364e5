"""A memory whose times and ids are always the same, and lives told event by event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import msgspec
import pytest

import memp
from memp import codec
from memp.events import Event
from memp.log import Identity
from memp.log.base import Pending
from memp.log.memory import MemoryLog
from memp.model import EventId
from memp.state import History, State, replay

NEW_YEAR = 1_767_225_600_000_000
"""2026-01-01, in microseconds since 1970 UTC."""

SECOND = 1_000_000


def fixed_identity() -> Identity:
    """Return an identity whose clock goes on by a second and whose random bytes are numbers."""
    seconds, numbers = count(1), count(1)
    return Identity(
        clock=lambda: NEW_YEAR + next(seconds) * SECOND, entropy=lambda size: next(numbers).to_bytes(size, "big")
    )


@pytest.fixture
def memory() -> Iterator[memp.Memory]:
    """An empty memory; its actor is 'me'."""
    with memp.open(":memory:", actor="me", identity=fixed_identity()) as opened:
        yield opened


class Life:
    """
    Events that are told one by one and folded as they come.

    Attributes:
        log: Where they stand.

        state: What they made.
    """

    def __init__(self) -> None:
        self.log = MemoryLog(identity=fixed_identity())
        self.state = State(History())
        self._numbers = count(1)

    def tell(self, event: Event, *derived_from: str, actor: str = "me") -> EventId:
        """Append one event and return its id: e1, e2 and so on."""
        event_id = EventId(f"e{next(self._numbers)}")
        pending = Pending(
            event_id=event_id,
            stream=event.stream,
            type=event.TYPE,
            schema=event.VERSION,
            body=codec.encode(event),
            derived_from=tuple(EventId(source) for source in derived_from),
        )
        for record in self.log.append([pending], actor=actor):
            self.state.history.apply(record)
        return event_id

    def without_bodies(self, *events: str) -> State:
        """Return the state that is left when the bodies of *events* are purged."""
        return State(replay(purged(record) if record.event_id in events else record for record in self.log.read()))


def purged(record: memp.Record) -> memp.Record:
    """Return a record without its body."""
    return msgspec.structs.replace(record, body=None, salt=None)


@pytest.fixture
def life() -> Life:
    """A life without events."""
    return Life()


@pytest.fixture
def run() -> Callable[..., memp.Trajectory]:
    """Make a run of a task, with its actions; won unless a reward says otherwise."""

    def make(task: str, *actions: str, reward: float = 1.0, agent: str | None = None) -> memp.Trajectory:
        steps = [memp.Step(action=action, observation="Done.") for action in actions]
        return memp.Trajectory(task=task, steps=steps, reward=reward, agent=agent)

    return make
