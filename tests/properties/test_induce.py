"""Laws 12 and 15 over generated runs: what induction writes checks, and the order of learning changes nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import memp
from memp.build.base import Draft
from memp.build.induce import Induce
from memp.model import Step, Trajectory, canonical_bytes
from memp.script import Toolset, format_script, lower, parse_script
from memp.testing import calls, toolsets
from tests.unit.build.depot import DEPOT, sourced

small = settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

CRATES = ("bolt", "nut", "red box", "spring")
BAYS = ("rack", "bin", "top shelf", "tub")
ASKED = {
    False: ("store a {crate} in {bay}", "put some {crate} into the {bay}", "the {crate} belongs in {bay}"),
    True: ("store a painted {crate} in {bay}", "paint some {crate} and store it in {bay}"),
}


@st.composite
def depot_runs(draw: st.DrawFn) -> Trajectory:
    """Return runs as an agent of the depot lives them: wandering, locked places, useless steps, one thing or two."""
    crate, goal, paints = draw(st.sampled_from(CRATES)), draw(st.sampled_from(BAYS)), draw(st.booleans())
    task = draw(st.sampled_from(ASKED[paints])).format(crate=crate, bay=goal)
    steps: list[Step] = []

    def go(bay: str) -> None:
        locked = draw(st.booleans())
        steps.append(Step(action=f"walk to {bay}", observation=f"The {bay} is locked." if locked else "You are there."))
        if locked:
            steps.append(Step(action=f"unlock {bay}", observation="It is open now."))

    def noise() -> None:
        what = draw(st.sampled_from(["look around", "grab dust 1 from floor 1", "dance", ""]))
        if what:
            steps.append(Step(action=what, observation="Nothing came of it."))

    for number in range(draw(st.integers(1, 2))):
        for bay in draw(st.lists(st.sampled_from(BAYS), min_size=1, max_size=3)):
            go(f"{bay} {draw(st.integers(1, 3))}")
            noise()
        here = steps[-1 if steps[-1].action.startswith(("walk", "unlock")) else -2].action.split(" ", 1)[1]
        here = here.removeprefix("to ")
        thing = f"{crate} {number + draw(st.integers(1, 3)) * 2}"
        steps.append(Step(action=f"grab {thing} from {here}", observation="You have it."))
        if paints:
            booth = f"booth {draw(st.integers(1, 2))}"
            go(booth)
            steps.append(Step(action=f"paint {thing} at {booth}", observation="It is red."))
        noise()
        place = f"{goal} {draw(st.integers(1, 2))}"
        go(place)
        form = draw(st.sampled_from(["store {} in {}", "stow {} at {}"]))
        steps.append(Step(action=form.format(thing, place), observation="Stored."))
    steps += [Step(action="wait", observation="Time passes.")] * draw(st.integers(0, 3))
    steps += [Step(action=f"report {draw(st.sampled_from(['well', 'lost', crate]))}")] * draw(st.integers(0, 1))
    return Trajectory(task=task, steps=tuple(steps), reward=1.0, agent=draw(st.sampled_from([None, "one"])))


@st.composite
def odd_runs(draw: st.DrawFn) -> tuple[Toolset, list[Trajectory]]:
    """Return runs in the words of generated toolsets, with tasks that name some of what they handle."""
    toolset = draw(toolsets())
    runs = []
    for _ in range(draw(st.integers(1, 4))):
        made = draw(st.lists(calls(toolset), max_size=6))
        actions = [lower(call, toolset, dialect=draw(st.sampled_from([None, "polite"]))) for call in made]
        words = " ".join(actions).split() or ["work"]
        task = " ".join(draw(st.lists(st.sampled_from([*words, "do", "the", "it"]), min_size=1, max_size=8)))
        seen = [draw(st.sampled_from(["Fine.", "It stays as it was.", ""])) for _ in actions]
        steps = tuple(Step(action=a, observation=o) for a, o in zip(actions, seen, strict=True))
        runs.append(Trajectory(task=task if task.strip() else "work", steps=steps, reward=1.0))
    return toolset, runs


def contents(drafts: Sequence[Draft]) -> dict[tuple[str | None, str, str], tuple[bytes, frozenset[str]]]:
    """Return what must not depend on the order of the runs."""
    return {(d.toolset, d.pattern, d.skeleton): (canonical_bytes(d.content), frozenset(d.sources)) for d in drafts}


def assert_checks(draft: Draft, toolset: Toolset) -> None:
    """Law 12 for one draft."""
    if draft.content.script is not None:
        script = parse_script(draft.content.script, None if draft.toolset is None else toolset)
        assert format_script(script) == draft.content.script
        assert script.procedures[0].patterns == draft.content.patterns


@small
@given(
    st.lists(depot_runs(), min_size=1, max_size=6), st.randoms(use_true_random=False), st.sampled_from([True, False])
)
def test_building_is_the_same_in_every_order(runs: list[Trajectory], rng: random.Random, keep_run: bool) -> None:
    """Law 15: the same runs give the same drafts in any order, and every script checks and is canonical."""
    builder = Induce(toolsets=(DEPOT,), keep_run=keep_run)
    known = sourced(runs)
    expected = contents(builder.build(known))
    for draft in builder.build(known):
        assert_checks(draft, DEPOT)
    rng.shuffle(known)
    assert contents(builder.build(known)) == expected


@small
@given(st.lists(depot_runs(), min_size=1, max_size=6))
def test_joining_is_commutative_associative_and_idempotent(runs: list[Trajectory]) -> None:
    """Law 15: contents of one key join to the same in every grouping, and to what building them together gives."""
    builder = Induce(toolsets=(DEPOT,), keep_run=True)
    groups: dict[object, list[Draft]] = {}
    for run in sourced(runs):
        (draft,) = builder.build([run])
        groups.setdefault((draft.toolset, draft.pattern, draft.skeleton), []).append(draft)
    together = contents(builder.build(sourced(runs)))
    for key, drafts in groups.items():
        left = right = drafts[0].content
        for draft in drafts[1:]:
            left = builder.join(left, draft.content)
            right = builder.join(draft.content, right)
        backwards = drafts[-1].content
        for draft in reversed(drafts[:-1]):
            backwards = builder.join(draft.content, backwards)
        assert left == right == backwards
        assert builder.join(left, drafts[0].content) == builder.join(left, left) == left
        assert canonical_bytes(left) == together[key][0]  # type: ignore[index]


@small
@given(odd_runs(), st.randoms(use_true_random=False))
def test_runs_of_any_toolset_make_scripts_that_check(
    pair: tuple[Toolset, list[Trajectory]], rng: random.Random
) -> None:
    """Laws 12 and 15 hold for records, numbers, choices, odd texts and any task."""
    toolset, runs = pair
    builder = Induce(toolsets=(toolset,), given=True)
    known = sourced(runs)
    drafts = builder.build(known)
    for draft in drafts:
        assert_checks(draft, toolset)
    rng.shuffle(known)
    assert contents(builder.build(known)) == contents(drafts)
    for one in drafts:
        assert builder.join(one.content, one.content) == one.content


@settings(max_examples=settings().max_examples // 4)
@given(
    st.lists(depot_runs(), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
    st.sampled_from(["induce", "both"]),
)
def test_learning_in_any_order_and_in_any_calls_gives_the_same_state(
    runs: list[Trajectory], rng: random.Random, build: str
) -> None:
    """Law 15: shuffled rows in many calls, and learning them again, leave the state digest as it is."""
    with memp.open(":memory:") as whole, memp.open(":memory:") as parts:
        whole.learn(runs, build=build, toolset=DEPOT)
        digest = whole.state_digest()
        whole.learn(runs, build=build, toolset=DEPOT)
        assert whole.state_digest() == digest
        shuffled = list(runs)
        rng.shuffle(shuffled)
        while shuffled:
            count = rng.randint(1, len(shuffled))
            parts.learn(shuffled[:count], build=build, toolset=DEPOT)
            shuffled = shuffled[count:]
        assert parts.state_digest() == digest
