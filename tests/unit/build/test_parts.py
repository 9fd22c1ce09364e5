"""The parts of induction one by one: names in tasks, kinds, repeats, names of parameters, joining."""

from __future__ import annotations

import pytest

from memp.build.canonical import PATTERNS_CHARS_MAX, merged_patterns
from memp.build.effects import LIFT_SHARE_MIN, choose_toolset, effective_deeds, lifted_share
from memp.build.generalise import MismatchError, generalise
from memp.build.mentions import Mentions, Span, without_overlaps
from memp.build.naming import fresh
from memp.build.places import Vocabulary, kind_of, vocabulary
from memp.build.wording import TASK_CHARS_MAX, cut_task
from memp.build.written import named_slots
from memp.script import Toolset, load_toolset, parse_script
from memp.script.nodes import ProcedureDef
from tests.unit.build.depot import DEPOT, FETCHED, induced, run_of


@pytest.mark.parametrize(
    ("task", "name", "found"),
    [
        ("put some mug away", "mug", "mug"),
        ("put two soap bars away", "soapbar", "soap bars"),
        ("go to the dining table", "diningtable", "dining table"),
        ("go to the diningtable", "dining table", "diningtable"),
        ("the knives are dull", "knife", "knives"),
        ("a Desk-Lamp glows", "desklamp", "Desk-Lamp"),
        ("user_id is 7", "id", None),
        ("put the mugful away", "mug", None),
        ("the one in it", "the", None),
    ],
)
def test_names_are_found_as_people_write_them(task: str, name: str, found: str | None) -> None:
    """Plurals, case, and words written together or apart count; parts of words and words of grammar do not."""
    spans = Mentions(task).find(name)
    assert [task[span.start : span.end] for span in spans[:1]] == ([] if found is None else [found])


def test_exact_words_are_found_exactly() -> None:
    """A text is named only by its own words, whatever their case."""
    mentions = Mentions("Ask Ann Lee about lees")
    assert [span.start for span in mentions.find_exactly("ann lee")] == [4]
    assert mentions.find_exactly("lee about") == ()
    assert [span.start for span in mentions.find_exactly("LEES")] == [18]


def test_longer_names_take_their_words_first() -> None:
    """Two names do not share a word of the task; a shorter one takes another place or none."""
    long, short, other = Span(4, 11), Span(8, 11), Span(20, 23)
    assert without_overlaps([(short,), (long,)]) == {(long,): long}
    assert without_overlaps([(short, other), (long,)]) == {(long,): long, (short, other): other}


def test_kinds_are_names_without_their_number() -> None:
    """Only a number that stands apart at the end is dropped."""
    assert [kind_of(name) for name in ("mug 1", "red box 12", "F35", "7", "top 5 shelf")] == [
        "mug",
        "red box",
        "F35",
        "7",
        "top 5 shelf",
    ]


def test_a_search_is_told_by_the_shape_of_its_finder() -> None:
    """One thing in, a place out, and an action that goes to such a place; a finder of another shape is no search."""
    searching = vocabulary(DEPOT).searching
    assert searching is not None
    assert (searching.finder.name, searching.mover.name, searching.sought.name) == ("search", "walk_to", "crate")
    assert [condition.name for condition in searching.conditions] == ["locked"]
    assert vocabulary(DEPOT).likely == "near"
    for name in ("travel", "airline"):
        assert Vocabulary(load_toolset(name)).searching is None


def test_effects_and_shares() -> None:
    """Looking and what came to nothing are no deeds; the share counts every action."""
    run = run_of("t", "look around", ("wait", " nothing  came of it. "), "wait", "sing")
    assert [deed.text for deed in effective_deeds(run, DEPOT)] == ["wait", "sing"]
    assert lifted_share(run, DEPOT) == 0.75 < LIFT_SHARE_MIN
    assert lifted_share(run_of("t"), DEPOT) == 0.0
    assert choose_toolset(run, [DEPOT]) is None
    assert choose_toolset(FETCHED, [load_toolset("science"), DEPOT]) == DEPOT
    assert choose_toolset(FETCHED, []) is None


def test_fresh_names_are_free_and_not_reserved() -> None:
    """A name that is taken is numbered, one of the language's words gets a sign."""
    assert [fresh("bay", {"bay", "bay_2"}), fresh("note", set()), fresh("bay", set())] == ["bay_3", "note_", "bay"]


def test_patterns_are_bounded_and_the_shortest_stay() -> None:
    """However many wordings there are, the same ones stay in every grouping, one at least."""
    many = [f"{'word ' * (n % 40)}number {n}" for n in range(200)]
    whole = merged_patterns(many, ())
    assert sum(map(len, whole)) <= PATTERNS_CHARS_MAX
    assert merged_patterns(merged_patterns(many[:90], ()), merged_patterns(many[90:], many[:5])) == whole
    assert merged_patterns(["x" * 3_000], ()) == ("x" * 3_000,)


def test_long_tasks_are_cut_at_a_word() -> None:
    """A document that comes with a task is no part of its pattern."""
    assert cut_task("a b") == "a b"
    assert len(cut_task("word " * 1_000)) <= TASK_CHARS_MAX
    assert cut_task("word " * 1_000).endswith("word")


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("put {} in {}", "put {name} in {name_2}"),
        ("put {thing} in {}", "put {thing} in {name}"),
        ("{} {}", "about {name} {name_2}"),
        ("odd } {} {", "odd ) {name} ("),
    ],
)
def test_slots_without_names_get_some(pattern: str, named: str) -> None:
    """The patterns of a kept run have slots without names; those of a script need them."""
    assert named_slots(pattern) == named


def _procedure(steps: str, *, pattern: str = "fetch {crate}", toolset: Toolset = DEPOT) -> ProcedureDef:
    body = "".join(f"    {line}\n" for line in steps.splitlines())
    text = f'@procedure("{pattern}")\ndef fetch(crate: Crate):\n{body}'
    return parse_script(text, toolset).procedures[0]


@pytest.mark.parametrize(
    "other",
    [
        "ring(crate)\nwait()",
        "wait()",
        'do("x")',
        "for _ in times(3):\n    bay = search(crate)\n    ring(crate)",
        'grab(crate, "bin")',
    ],
)
def test_procedures_of_other_skeletons_do_not_join(other: str) -> None:
    """What cannot be covered is refused rather than guessed."""
    for one in ("ring(crate)", "for _ in times(2):\n    bay = search(crate)\n    ring(crate)"):
        with pytest.raises(MismatchError):
            generalise(_procedure(one), _procedure(other), vocabulary(DEPOT))


def test_equal_pairs_become_the_same_parameter() -> None:
    """Anti-unification: the same two things against each other are one parameter, other pairs another."""
    one = _procedure('grab("bolt", "bin")\nstore("bolt", "bin")\nstore("bolt", "tub")\nring(crate)')
    other = _procedure('grab("nut", "bin")\nstore("nut", "rack")\nstore("nut", "rack")\nring(crate)')
    joined = generalise(one, other, vocabulary(DEPOT))
    assert [parameter.name for parameter in joined.parameters] == ["crate", "crate_2", "goal", "goal_2"]
    assert joined == generalise(other, one, vocabulary(DEPOT))


def test_names_of_procedures_come_from_their_actions() -> None:
    """The name says what is done, is no name of the toolset, and cannot grow without bound."""
    (draft,) = induced(run_of("ring it", "ring gong 1"))
    assert "def just_ring(" in (draft.content.script or "")
    (draft,) = induced(FETCHED)
    assert "def grab_then_store(" in (draft.content.script or "")
