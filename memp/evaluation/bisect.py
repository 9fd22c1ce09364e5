"""
Which event made it worse? The versions between a good and a bad one, asked on a suite.

Most events cannot have done it: they change nothing that is served, or nothing that is served for a task of the suite.
What every version serves is asked first, which plays nothing, and only versions that serve otherwise are put in the
row that is halved (``memp.evaluation.crossing``). Going by what a procedure's text says changed was not taken: whether
that text reaches an agent is the question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from memp.errors import ConflictError, InvalidInputError
from memp.evaluation.arms import Server
from memp.evaluation.bisection import Bisection, Evidence, Measure, Played
from memp.evaluation.crossing import Crossing, find_crossing
from memp.evaluation.result import Arm, Attempt, Result
from memp.evaluation.runner import Runner
from memp.events import ProcedureAdded, ProcedureGeneralised, ProcedureMerged, ProcedureReflected
from memp.history.changes import Change, changes_between, let_in, touched_names, version_after
from memp.history.told import Told
from memp.model import EventId, Position
from memp.view import View

if TYPE_CHECKING:
    import os

    from memp.evaluation.agent import Agent
    from memp.evaluation.replay import ReplaySuite
    from memp.evaluation.runner import Progress
    from memp.evaluation.suite import Suite
    from memp.memory import Memory

CONTENT: Final = frozenset(
    cls.TYPE for cls in (ProcedureAdded, ProcedureGeneralised, ProcedureMerged, ProcedureReflected)
)
"""Events that say something new; of several in one operation, one of these is named rather than the verdict on it."""

EVENTS_TRIED = 64
"""Events of one operation that are tried one by one, to name the one that matters; beyond, the operation is named."""

ASKING = "asking versions"
"""What progress says while it is asked what versions serve."""


def bisect(
    memory: Memory,
    suite: Suite | ReplaySuite,
    agent: str | Agent = "follower",
    *,
    good: str | int | View,
    bad: str | int | View,
    measure: Measure = "success",
    seeds: Sequence[int] = (0,),
    error_rate: float = 0.05,
    budget: int | None = None,
    k: int = 3,
    key: str | None = None,
    max_steps: int | None = None,
    workers: int = 1,
    journal: str | os.PathLike[str] | None = None,
    on_progress: Progress | None = None,
) -> Bisection:
    """
    Return the event between two versions that made it worse, or say that the data cannot tell.

    Args:
        memory: The memory; open for reading is enough.

        suite: What to do: a suite, or held-out runs.

        agent: Who: a name, or an agent; of no meaning for held-out runs.

        good: The earlier version, which was good: a tag, position, branch or time, or a view.

        bad: The later version, which is worse. What was taken back before it does not count.

        measure: By what it is worse: ``success``, ``steps``, or ``reward`` where rewards lie in [0, 1].

        seeds: Every task is done once with each, by an agent that then does the same each time; any other agent goes on
            from the first of them, one seed a round.

        error_rate: How often, at most, an event may be named that made nothing worse, over 0 and below 1; for agents
            that vary.

        budget: Evaluations besides the two ends, 0 or more; None: what it takes, or 60 for an agent that varies.

        k: How many procedures are served at most, 1 or more.

        key: How they are found, as ``retrieve`` takes it; None for the usual way.

        max_steps: How many actions an agent may take; None leaves it to the suite.

        workers: Processes that act.

        journal: A file in which every play is kept; a search that is started again with it plays nothing twice.

        on_progress: Called as work goes on.

    Raises:
        InvalidInputError: *good* is no earlier version of *bad*, a value is out of range, or rewards are no shares.

        NotFoundError: There is no such version.
    """
    if measure not in ("success", "steps", "reward"):
        raise InvalidInputError(f"'measure' must be success, steps or reward (got {measure!r}).")
    server = Server(memory)
    first, last = (spec if isinstance(spec, View) else server.view(spec) for spec in (good, bad))
    changes = changes_between(first, last)
    with Runner(
        memory, suite, agent, seeds=seeds, k=k, key=key, max_steps=max_steps, workers=workers, journal=journal,
        share=True, on_progress=on_progress,
    ) as runner:  # fmt: skip
        row = _row(runner, first, last, changes, on_progress)
        names = tuple(spec if isinstance(spec, str) else "" for spec in (good, bad))
        search = _Search(runner, row, names=(names[0] or "good", names[1] or "bad"), measure=measure)
        bisection = Bisection(
            found=False,
            good=first.position,
            bad=last.position,
            between=(first.position, last.position),
            changes=len(changes),
            versions=len(row) - 1,
            measure=measure,
            error_rate=None if runner.deterministic else error_rate,
        )
        return search.run(bisection, last, error_rate=error_rate, budget=budget)


@attrs.frozen(kw_only=True)
class _Version:
    """One version of the row, with the change by which it became so and what it serves for every task."""

    view: View
    change: Change | None
    prompts: tuple[str, ...]


def _row(
    runner: Runner, good: View, bad: View, changes: Sequence[Change], on_progress: Progress | None
) -> list[_Version]:
    """
    Return versions from *good* to *bad* of which each serves otherwise than the one before it, by one change.

    Where both ends of a stretch serve the same, nothing in it made a difference in the end, and it is left out whole.
    """
    told: Callable[[str, int, int], None] = on_progress or (lambda _what, _done, _total: None)
    # If the end serves otherwise than the last change left it, no event did that: evidence grew older and counts less.
    steps = [None, *changes, Change(position=bad.position, events=())]
    known: dict[int, _Version] = {}

    def version(place: int) -> _Version:
        if place not in known:
            change = steps[place]
            ends = {0: good, len(steps) - 1: bad}
            view = ends[place] if place in ends or change is None else version_after(bad, change.position)
            known[place] = _Version(view=view, change=change, prompts=runner.prompts(view))
        return known[place]

    row = [version(0)]
    stretches = [(0, len(steps) - 1)]
    while stretches:
        first, last = stretches.pop()
        told(ASKING, first, len(steps) - 1)
        if version(first).prompts == version(last).prompts:
            continue
        if last - first == 1:
            row.append(version(last))
            continue
        middle = (first + last) // 2
        stretches += [(middle, last), (first, middle)]
    return row


class _Search:
    """
    One search, with all that was played for it.

    Args:
        runner: Plays.

        row: The versions, the good end first.

        names: What the ends are called.

        measure: By what a version is worse.
    """

    def __init__(self, runner: Runner, row: list[_Version], *, names: tuple[str, str], measure: Measure) -> None:
        self._runner = runner
        self._row = row
        self._names = names
        self._measure = measure
        self._rounds: dict[int, list[tuple[Attempt, ...]]] = {}
        self._bad = row[-1].view

    def run(self, bisection: Bisection, bad: View, *, error_rate: float, budget: int | None) -> Bisection:
        """
        Return what the search finds.

        Args:
            bisection: What is known before it.

            bad: The bad end.

            error_rate: As ``bisect`` takes it.

            budget: As ``bisect`` takes it.
        """
        exact = self._runner.deterministic
        self._bad = bad
        if len(self._row) == 1:
            return attrs.evolve(bisection, why="both ends serve the same for every task of the suite")
        crossing = find_crossing(self._probe, len(self._row), exact=exact, error_rate=error_rate, budget=budget)
        bisection = attrs.evolve(
            bisection,
            evaluations=crossing.evaluations,
            between=(self._position(crossing.good), self._position(crossing.bad)),
            why=crossing.why,
            played=tuple(
                Played(position=self._position(one.version), rounds=one.rounds, score=one.mean)
                for one in crossing.scored
            ),
            result=self._result(crossing, exact=exact),
        )
        return self._name(bisection, crossing, budget) if crossing.found else bisection

    def _position(self, version: int) -> Position:
        change = self._row[version].change
        return self._row[version].view.position if change is None else change.position

    def _probe(self, version: int, round_: int) -> list[float]:
        played = self._rounds.setdefault(version, [])
        assert len(played) == round_
        played.append(self._play(self._row[version].view, round_))
        return [self._value(attempt) for attempt in played[-1]]

    def _play(self, view: View, round_: int) -> tuple[Attempt, ...]:
        seeds = self._runner.seeds if self._runner.deterministic else (self._runner.seeds[0] + round_,)
        return self._runner.attempts(view, seeds=seeds)

    def _value(self, attempt: Attempt) -> float:
        if self._measure == "steps":
            return 1 - min(1.0, attempt.steps / max(1, self._runner.measured.max_steps))
        if self._measure == "reward":
            if not 0 <= attempt.reward <= 1:
                raise InvalidInputError(
                    f"To search by reward, rewards must lie between 0 and 1 (got {attempt.reward!r}). "
                    "Search by success."
                )
            return attempt.reward
        return float(attempt.won)

    # -- what is said of it ------------------------------------------------------------------------------------------

    def _name(self, bisection: Bisection, crossing: Crossing, budget: int | None) -> Bisection:
        """Return *bisection* with the event, and what it did."""
        before, after = self._row[crossing.good], self._row[crossing.bad]
        change = after.change
        if change is None or not change.events:
            return attrs.evolve(bisection, why="no event did it: evidence counts less as it grows older")
        rounds = min(len(self._rounds[crossing.good]), len(self._rounds[crossing.bad]))
        lost, gained = self._moved(crossing.good, crossing.bad, rounds)
        tasks = {task.id: number for number, task in enumerate(self._runner.suite.tasks)}
        event = self._event(change, before, [tasks[task] for task in lost], self._rounds[crossing.bad][0])
        [told] = after.view.tell([event])
        without = None
        if budget is None or crossing.evaluations + rounds <= budget:
            without = self._without(event, rounds)
        evidence = Evidence(
            before=self._mean(self._rounds[crossing.good][:rounds]),
            after=self._mean(self._rounds[crossing.bad][:rounds]),
            lost=lost,
            gained=gained,
            without=None if without is None else self._mean(without),
        )
        if without is not None:
            bisection = attrs.evolve(bisection, result=self._with_arm(bisection.result, without))
        return attrs.evolve(
            bisection,
            found=True,
            event=event,
            events=change.events,
            sentence=self._sentence(after.view, told),
            actor=told.actor,
            evidence=evidence,
            evaluations=crossing.evaluations + (rounds if without is not None else 0),
        )

    def _moved(self, good: int, bad: int, rounds: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the tasks that went worse, and those that went better, over the rounds that both were played."""
        change: dict[str, float] = {}
        for one, other in zip(self._rounds[good][:rounds], self._rounds[bad][:rounds], strict=True):
            for first, second in zip(one, other, strict=True):
                change[first.task_id] = change.get(first.task_id, 0.0) + self._value(second) - self._value(first)
        lost = tuple(task for task, moved in change.items() if moved < 0)
        return lost, tuple(task for task, moved in change.items() if moved > 0)

    def _event(self, change: Change, before: _Version, lost: Sequence[int], after: Sequence[Attempt]) -> EventId:
        """
        Return the event of the operation that matters.

        That is the one without which the tasks that got worse are served what they were before; if no single one is,
        the one about what is served first for most of them.
        """
        placed = {told.event_id: told for told in self._bad.tell(change.events)}
        ordered = sorted(change.events, key=lambda event: placed[event].type not in CONTENT)
        if len(ordered) == 1 or len(ordered) > EVENTS_TRIED:
            return ordered[0]
        for event in ordered:
            prompts = self._runner.prompts(version_after(self._bad, change.position, leave_out=event))
            if all(prompts[task] == before.prompts[task] for task in lost):
                return event
        firsts = {attempt.task_id: attempt.served[:1] for attempt in after}
        served = [name for task in lost for name in firsts[self._runner.suite.tasks[task].id]]
        about = {event: touched_names(self._bad, event) for event in ordered}
        return max(ordered, key=lambda event: sum(name in about[event] for name in served))

    def _sentence(self, view: View, told: Told) -> str:
        """Return what the event says; with what it let in, if it is a verdict."""
        made = let_in(view, told.event_id)
        if made is None:
            return told.sentence
        [first] = view.tell([made])
        return f"{told.sentence} It let in #{first.position} by {first.actor}: {first.sentence}"

    def _without(self, event: EventId, rounds: int) -> list[tuple[Attempt, ...]] | None:
        """Return what the bad end comes to without the event; None if it cannot be taken back."""
        try:
            view = self._bad.at(self._bad.position, without=[event])
        except ConflictError:
            return None
        return [self._play(view, round_) for round_ in range(rounds)]

    def _mean(self, rounds: Sequence[Sequence[Attempt]]) -> float:
        values = [self._value(attempt) for attempts in rounds for attempt in attempts]
        return sum(values) / len(values)

    # -- the attempts ------------------------------------------------------------------------------------------------

    def _result(self, crossing: Crossing, *, exact: bool) -> Result:
        """Return the attempts of what was played, as far as they can be compared."""
        last = len(self._row) - 1
        wanted = sorted(self._rounds) if exact else sorted({0, last, crossing.good, crossing.bad} & set(self._rounds))
        rounds = min(len(self._rounds[version]) for version in wanted)
        arms, attempts = [], []
        for version in wanted:
            name = {0: self._names[0], last: self._names[1]}.get(version, str(self._position(version)))
            view = self._row[version].view
            arms.append(Arm(name=name, kind="view", branch=view.branch_name, position=self._position(version)))
            done = self._rounds[version][:rounds]
            attempts += [attrs.evolve(one, arm=name) for one in _task_by_task(done)]
        return Result(
            measured=self._runner.measured,
            seeds=tuple(dict.fromkeys(one.seed for one in attempts)),
            arms=tuple(arms),
            attempts=tuple(attempts),
        )

    def _with_arm(self, result: Result | None, rounds: list[tuple[Attempt, ...]]) -> Result | None:
        if result is None:
            return None
        done = [one for one in _task_by_task(rounds) if one.seed in result.seeds]
        if len(done) != len(result.of(result.arms[0].name)):
            return result
        arm = Arm(name=f"{self._names[1]} without it", kind="view")
        return attrs.evolve(
            result,
            arms=(*result.arms, arm),
            attempts=(*result.attempts, *(attrs.evolve(one, arm=arm.name) for one in done)),
        )


def _task_by_task(rounds: Sequence[Sequence[Attempt]]) -> list[Attempt]:
    """Return the attempts of several rounds, tasks in their order and for each of them the rounds in theirs."""
    if len(rounds) == 1:
        return list(rounds[0])
    return [attempt for of_task in zip(*rounds, strict=True) for attempt in of_task]
