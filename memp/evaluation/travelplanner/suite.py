"""The suite ``travelplanner``: the benchmark's tasks in the world of its tables, and a file of plans judged beside."""

from __future__ import annotations

import functools
import os
import random
from pathlib import Path
from typing import Any

import attrs

from memp.errors import InvalidInputError
from memp.evaluation.suite import Suite, SuiteMaker, SuiteOption
from memp.evaluation.travelplanner.agreement import judge_plans, read_rows
from memp.evaluation.travelplanner.request import Request, read_requests
from memp.evaluation.travelplanner.tables import digest_tables, read_tables
from memp.evaluation.travelplanner.world import VERSION, TravelWorld, task_of

SPLITS = ("train", "validation", "all")
"""Which tasks of the folder; what a task belongs to is the first word of its id."""

MAX_STEPS = 60
"""A trip of seven days needs four times three enquiries after ways, three times three searches and seven days."""


@attrs.frozen(kw_only=True)
class MakeTravelWorld:
    """
    Makes the world of the tables in a folder; read once per process.

    Attributes:
        data: The folder, as ``read_tables`` takes it.
    """

    data: str

    def __call__(self) -> TravelWorld:
        """Return a world of its own."""
        return TravelWorld(read_tables(self.data))


def read_tasks(data: str | os.PathLike[str], split: str = "all") -> tuple[Request, ...]:
    """
    Return the requests in the folder *data*.

    Args:
        data: Holds the tables, and ``tasks.jsonl`` or ``tasks.jsonl.gz``.

        split: ``train``, ``validation`` or ``all``.

    Raises:
        InvalidInputError: A file is missing, or *split* is none of the three or has no task.
    """
    if split not in SPLITS:
        raise InvalidInputError(f"'split' must be one of {', '.join(SPLITS)} (got {split!r}).")
    folder = Path(data)
    path = next((folder / name for name in ("tasks.jsonl", "tasks.jsonl.gz") if (folder / name).is_file()), None)
    if path is None:
        raise InvalidInputError(f"The folder must hold 'tasks.jsonl' or 'tasks.jsonl.gz' (got {os.fspath(data)!r}).")
    requests = read_requests(path, read_tables(os.fspath(data)).states)
    chosen = tuple(request for request in requests if split == "all" or request.id.startswith(f"{split}-"))
    if not chosen:
        raise InvalidInputError(f"The split {split!r} of {os.fspath(path)!r} must have a task (it has none).")
    return chosen


def judge_file(data: str, plans: str, *, strict: bool = False) -> str:
    """Return the table of verdicts, and of their agreement with stored ones, for the file *plans*."""
    return judge_plans(read_rows(plans), read_tables(data), read_tasks(data), strict=strict).table()


def _make(*, seed: int, n: int | None, data: str, plans: str | None, split: str) -> Suite:
    requests = read_tasks(data, split)
    if n is not None and n < len(requests):
        drawn = set(random.Random(f"travelplanner/{seed}").sample(range(len(requests)), n))
        requests = tuple(request for number, request in enumerate(requests) if number in drawn)
    options: dict[str, Any] = {"split": split, "tables": digest_tables(data)} | (
        {"n": n, "seed": seed} if n is not None else {}
    )
    return Suite(
        name="travelplanner",
        version=VERSION,
        tasks=tuple(task_of(request) for request in requests),
        make_environment=MakeTravelWorld(data=os.fspath(data)),
        toolset="travel",
        max_steps=MAX_STEPS,
        options=tuple((name, str(value)) for name, value in options.items()),
        agent="planner",
        appendix=None if plans is None else functools.partial(judge_file, os.fspath(data), os.fspath(plans)),
    )


MAKER = SuiteMaker(
    make=_make,
    help="Trips to be planned against TravelPlanner's tables, with its commonsense and hard constraints.",
    options=(
        SuiteOption(name="data", help="Folder with the benchmark's tables and its tasks.", required=True),
        SuiteOption(name="plans", help="File of plans to judge besides; stored verdicts are compared with ours."),
        SuiteOption(name="split", help="train, validation or all.", default="all"),
    ),
)
