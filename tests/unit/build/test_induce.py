"""Induction: what becomes of one run, and which runs are one procedure."""

from __future__ import annotations

import attrs
import pytest

from memp.build import Induce, builder_named
from memp.errors import InvalidInputError
from memp.model import Content, Step, Trajectory
from memp.script import load_toolset, parse_script
from tests.unit.build.depot import DEPOT, FETCHED, induced, run_of, script_of, sourced

FETCHED_STEPS = """\
origin = search(crate, near=["bin"])
grab(crate, origin)
walk_to(goal)
store(crate, goal)"""


def test_a_run_becomes_a_script_in_a_normal_form() -> None:
    """Wandering is a search, what the task names is a parameter, and looking is left out."""
    (draft,) = induced(FETCHED)
    assert script_of(FETCHED) == FETCHED_STEPS
    assert draft.content.patterns == ("store a {crate} in {goal}",)
    assert draft.content.task == "store a {crate} in {goal}"
    assert draft.toolset == DEPOT.digest
    assert draft.sources == ("run-0",)
    assert draft.content.run is None
    script = parse_script(draft.content.script or "", DEPOT)
    assert [(p.name, getattr(p.type, "name", None)) for p in script.procedures[0].parameters] == [
        ("crate", "Crate"),
        ("goal", "Bay"),
    ]


def test_another_thing_from_another_place_is_the_same_procedure() -> None:
    """Where a thing was found does not tell procedures apart; the places of all runs are those to look in first."""
    other = run_of(
        "store a nut in crate",
        "walk to shelf 9",
        "grab nut 1 from shelf 9",
        "walk to crate 2",
        "store nut 1 in crate 2",
    )
    third = run_of(
        "store the nuts in crates", "walk to bin 4", "grab nut 1 from bin 4", "walk to crate 2", "stow nut 1 at crate 2"
    )
    drafts = induced(FETCHED, other, third)
    assert [draft.sources for draft in drafts] == [("run-0", "run-1", "run-2")]
    assert 'near=["bin", "shelf"]' in (drafts[0].content.script or "")
    assert drafts[0].content.patterns == ("store a {crate} in {goal}", "store the {crate} in {goal}")


def test_several_wordings_are_one_procedure_with_several_patterns() -> None:
    """The wording of the task takes no part in what a typed procedure is."""
    actions = (
        "walk to bin 1",
        "grab bolt 1 from bin 1",
        "walk to booth 1",
        "paint bolt 1 at booth 1",
        "walk to rack 1",
        "store bolt 1 in rack 1",
    )
    drafts = induced(
        run_of("store a painted bolt in rack", *actions), run_of("paint some bolt and store it in rack", *actions)
    )
    assert [draft.content.patterns for draft in drafts] == [
        ("store a painted {crate} in {goal}", "paint some {crate} and store it in {goal}")
    ]


def test_what_the_task_does_not_name_stays_as_its_kind() -> None:
    """A machine that was number 1 in one run and number 2 in another is the same constant."""
    runs = [
        run_of(
            "paint the bolt",
            "walk to bin 1",
            "grab bolt 1 from bin 1",
            f"walk to booth {n}",
            f"paint bolt 1 at booth {n}",
        )
        for n in (1, 2)
    ]
    assert script_of(*runs).splitlines()[-2:] == ['walk_to("booth")', 'paint(crate, "booth")']


def test_constants_that_differ_become_a_parameter() -> None:
    """The least general procedure of two says where they differ, once for every pair."""
    runs = [
        run_of("paint the bolt", "walk to bin 1", "grab bolt 1 from bin 1", f"walk to {m} 1", f"paint bolt 1 at {m} 1")
        for m in ("booth", "tub")
    ]
    assert script_of(*runs).splitlines()[-2:] == ["walk_to(machine)", "paint(crate, machine)"]


def test_runs_with_and_without_unlocking_are_one_procedure() -> None:
    """What had to be opened stands under the condition that the run saw."""
    locked = attrs.evolve(
        FETCHED,
        steps=(
            *FETCHED.steps[:5],
            Step(action="walk to rack 1", observation="You come to the rack 1. The rack 1 is locked."),
            Step(action="unlock rack 1", observation="Done."),
            FETCHED.steps[6],
        ),
    )
    expected = FETCHED_STEPS.replace("store(", "if locked(goal):\n    unlock(goal)\nstore(")
    assert script_of(locked) == expected
    assert script_of(FETCHED, locked) == script_of(locked, FETCHED) == expected


def test_work_on_two_things_is_a_loop() -> None:
    """The same work twice on things that the task names together is done twice, wherever each was found."""
    run = run_of(
        "store two bolts in rack",
        "walk to bin 1", "grab bolt 1 from bin 1", "walk to rack 1", "store bolt 1 in rack 1",
        "walk to tub 1", "walk to shelf 2", "grab bolt 4 from shelf 2", "walk to rack 1", "store bolt 4 in rack 1",
    )  # fmt: skip
    steps = script_of(run).splitlines()
    assert steps[:2] == ["for _ in times(2):", '    origin = search(crate, near=["bin", "shelf"])']
    assert len(steps) == 5
    assert len(induced(run, FETCHED)) == 2


def test_a_thing_at_hand_is_searched_as_well() -> None:
    """A run that stood beside what the task names says the same as one that had to look for it."""
    beside = run_of("ring the bell with a bolt", "walk to bin 1", "grab bolt 1 from bin 1", "ring bell 1")
    apart = run_of(
        "ring the bell with a bolt", "walk to bin 1", "grab bolt 1 from bin 1", "walk to tub 1", "ring bell 1"
    )
    assert len(induced(beside, apart)) == 1
    assert script_of(beside, apart).splitlines()[-2:] == ['bay = search(bell, near=["bin", "tub"])', "ring(bell)"]


def test_idle_rounds_do_not_tell_procedures_apart() -> None:
    """Waiting three times and waiting seven times is the same; the loop runs as often as ever was needed."""
    runs = [run_of("ring the bell", *["wait"] * rounds, "ring bell 1") for rounds in (3, 7)]
    assert script_of(*runs).splitlines()[:2] == ["for _ in times(7):", "    wait()"]


def test_messages_that_differ_become_a_parameter() -> None:
    """A text that the task does not hold is no constant when runs differ in it."""
    runs = [run_of("ring the bell", "ring bell 1", f"report all is {state}") for state in ("well", "lost")]
    assert script_of(runs[0]).splitlines()[-1] == 'report("all is well")'
    assert script_of(*runs).splitlines()[-1] == "report(message)"


def test_a_run_that_no_toolset_knows_becomes_steps_in_words() -> None:
    """Words of the task stand in the steps as parameters, where they are the very same words."""
    run = run_of("Which of Ann Lee and Bo Day is older?", "Search[Ann Lee]", "Search[Bo Day]", "Finish[Ann Lee]")
    (draft,) = induced(run)
    assert draft.toolset is None
    assert draft.content.script == (
        '@procedure("Which of {name} and {name_2} is older?")\n'
        "def which_of_and_is_older(name: Text, name_2: Text):\n"
        '    do(f"Search[{name}]")\n    do(f"Search[{name_2}]")\n    do(f"Finish[{name}]")\n'
    )


def test_untyped_runs_of_the_same_words_and_wording_are_one() -> None:
    """In scripts of words the masked wording counts, since the words alone may say little."""
    runs = [
        run_of(f"Which of {a} and {b} is older?", f"Search[{a}]", f"Search[{b}]", f"Finish[{b}]")
        for a, b in (("Ann Lee", "Bo Day"), ("Cy Fox", "Di Hay"))
    ]
    other = run_of("Who is taller, Ann Lee or Bo Day?", "Search[Ann Lee]", "Search[Bo Day]", "Finish[Bo Day]")
    assert [draft.sources for draft in induced(*runs, other)] == [("run-0", "run-1"), ("run-2",)]


def test_a_typed_script_that_uses_nothing_of_the_task_is_told_by_its_wording() -> None:
    """Two kinds of task that come to the same bare steps stay two procedures."""
    assert len(induced(run_of("greet the guests", "ring gong 1"), run_of("end the shift", "ring gong 1"))) == 2
    assert len(induced(run_of("greet 3 guests", "ring gong 1"), run_of("greet 5 guests", "ring gong 1"))) == 1


def test_steps_that_do_not_lift_stay_as_words_in_a_typed_script() -> None:
    """An action that the toolset does not know is kept, with the task's own words as parameters."""
    run = attrs.evolve(FETCHED, steps=(*FETCHED.steps, Step(action="polish the bolt", observation="It shines.")))
    assert script_of(run).splitlines()[-1] == 'do(f"polish the {crate}")'


def test_steps_without_effect_are_dropped() -> None:
    """What the answer says came to nothing leaves no trace, known or not."""
    noise = [Step(action=a, observation="Nothing came of it.") for a in ("grab bolt 9 from tub 1", "sing a song")]
    run = attrs.evolve(FETCHED, steps=(*noise, *FETCHED.steps))
    assert script_of(run) == FETCHED_STEPS


@pytest.mark.parametrize(
    "run",
    [
        run_of("do nothing at all"),
        run_of("only look", "look around"),
        run_of("far too long", *[f"ring bell{n} {n}" for n in range(500)]),
    ],
)
def test_every_run_becomes_something_that_can_be_read(run: Trajectory) -> None:
    """A run that makes no script is kept as it is, or told in words."""
    (draft,) = induced(run)
    assert draft.content.run is not None or draft.content.script is not None
    if draft.content.script is not None:
        parse_script(draft.content.script, None if draft.toolset is None else DEPOT)


def test_odd_tasks_make_patterns_that_check() -> None:
    """Braces, quotes, line ends, second mentions and tasks of names alone are no mistake in the script."""
    for task in (
        'store {bolt} in "rack"\n{}',
        "bolt",
        "bolt rack",
        "store bolt in rack, the rack",
        "x" * 5_000 + " bolt",
    ):
        (draft,) = induced(attrs.evolve(FETCHED, task=task))
        script = parse_script(draft.content.script or "", DEPOT)
        assert script.procedures[0].patterns == draft.content.patterns


def test_both_keeps_the_best_run_beside_the_script() -> None:
    """Script and run stand together, and the run is the shorter of the solved ones, in any order."""
    short = run_of(
        "store a nut in rack", "walk to bin 1", "grab nut 1 from bin 1", "walk to rack 1", "store nut 1 in rack 1"
    )
    for runs in ((FETCHED, short), (short, FETCHED)):
        (draft,) = induced(*runs, keep_run=True)
        assert draft.builder == "both"
        assert draft.content.run == short
        assert draft.content.script is not None


def test_joining_contents_equals_building_together() -> None:
    """What is joined from stored contents is what a build of all runs gives."""
    other = run_of(
        "store a nut in crate", "walk to tub 1", "grab nut 1 from tub 1", "walk to crate 2", "store nut 1 in crate 2"
    )
    builder = Induce(toolsets=(DEPOT,))
    one, two = (builder.build(sourced([run]))[0].content for run in (FETCHED, other))
    together = builder.build(sourced([FETCHED, other]))[0].content
    assert builder.join(one, two) == builder.join(two, one) == together
    assert builder.join(together, one) == together


def test_contents_that_no_procedure_covers_are_not_mixed() -> None:
    """A content of another form stays whole, the same one in both orders."""
    builder = Induce(toolsets=(DEPOT,))
    own = builder.build(sourced([FETCHED]))[0].content
    for strange in (
        Content(task="t", script="no script {"),
        Content(task="t", script='@procedure("t")\ndef f():\n    do("x")\n'),
    ):
        assert builder.join(own, strange) == builder.join(strange, own)
        assert builder.join(own, strange) in (own, strange)


def test_each_run_takes_the_toolset_that_knows_most_of_it() -> None:
    """The choice is a function of the run; a toolset that the caller names need not know most."""
    home = load_toolset("household")
    kitchen = run_of(
        "put a cup on desk", "go to shelf 1", "take cup 1 from shelf 1", "go to desk 1", "put cup 1 in/on desk 1"
    )
    drafts = Induce(toolsets=(DEPOT, home)).build(sourced([kitchen, FETCHED]))
    assert [draft.toolset for draft in drafts] == [home.digest, DEPOT.digest]
    half = run_of("ring the bell", "ring bell 1", "fly a kite", "hum")
    assert [d.toolset for d in Induce(toolsets=(DEPOT,)).build(sourced([half]))] == [None]
    assert [d.toolset for d in Induce(toolsets=(DEPOT,), given=True).build(sourced([half]))] == [DEPOT.digest]


def test_builders_are_known_by_name() -> None:
    """The three builders ship; another name is refused with theirs."""
    assert [builder_named(name).name for name in ("verbatim", "induce", "both")] == ["verbatim", "induce", "both"]
    with pytest.raises(InvalidInputError, match="both, induce, verbatim"):
        builder_named("guess")
