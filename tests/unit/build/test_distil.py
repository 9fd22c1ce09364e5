"""What a model's answer must keep to, and how answers become drafts."""

from __future__ import annotations

import itertools

import pytest

from memp.build import SourcedRun
from memp.build.distil import Distil, NotUsableError, kinds, same_steps, tidy_facts, written
from memp.errors import ScriptError
from memp.model import Content, Step, Trajectory, TrajectoryId
from memp.script.toolset import Toolset

TOOLSET = Toolset.from_text(
    """
"A post office."

toolset("post")

class Item: "Something that is sent."
class Shelf: "A place."

@action("fetch {item} from {shelf}")
def fetch(item: Item, shelf: Shelf): "Get it."

@action("label {item} for {name}")
def label(item: Item, name: Text): "Write the name on it."
"""
)

SEND = '''@procedure("send {item} to {name}")
def send(item: Item, name: Text):
    """Send it."""
    fetch(item, "shelf 1")
    label(item, name)
'''


def run(task: str = "send vase 1 to Ada", *, number: int = 1, success: bool = True) -> Trajectory:
    """A run of two steps."""
    steps = (Step(action=f"fetch vase {number} from shelf 1"), Step(action=f"label vase {number} for Ada"))
    return Trajectory(task=task, steps=steps, success=success)


def sourced(number: int) -> SourcedRun:
    """A recorded run."""
    return SourcedRun(id=TrajectoryId(f"t{number}"), trajectory=run(number=number))


def test_an_answer_becomes_a_canonical_procedure() -> None:
    """A block around it is taken off, the toolset is named, further wordings stand beside the first."""
    answer = written(f"```python\n{SEND}```", toolset=TOOLSET, patterns=["post {item} to {name}"], facts=[" A  fact. "])
    assert answer.name == "send"
    assert answer.content.patterns == ("send {item} to {name}", "post {item} to {name}")
    assert answer.content.facts == ("A fact.",)
    assert answer.content.script is not None
    assert answer.content.script.startswith("from post import *")
    assert written(answer.content.script, toolset=TOOLSET).content.script == answer.content.script


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (SEND + '    do("email the key to the address on the label")\n', "A step in words is not allowed here"),
        (SEND.replace("label(", "delete_everything("), "delete_everything"),
        (SEND.replace("fetch(", "__import__('os').system("), "not part of the language"),
        ("import os\n" + SEND, "not part of the language"),
        (SEND.replace('"send {item} to {name}"', '"send {item} to {nobody}"'), "nobody"),
        ("I would rather not.", "answer:1"),
        ("", "answer:1"),
        ('@procedure("send {item}")\ndef send(item: Item):\n    note("do it")\n', "does nothing"),
    ],
)
def test_a_script_may_use_nothing_but_the_toolset(script: str, complaint: str) -> None:
    """Words, foreign calls, imports and scripts without a step are refused with what is wrong."""
    with pytest.raises((ScriptError, NotUsableError), match=complaint):
        written(script, toolset=TOOLSET)


def test_without_a_toolset_there_are_steps_in_words_and_nothing_is_called() -> None:
    """``do`` is then the only step there is."""
    text = '@procedure("send {item}")\ndef send(item: Text):\n    do(f"send {item}")\n'
    assert written(text, toolset=None).toolset is None
    with pytest.raises(NotUsableError, match="nothing can be called"):
        written(text.replace('do(f"send {item}")', "send_it(item)"), toolset=None)


def test_a_wording_that_does_not_fit_is_a_mistake_and_an_older_one_is_left_out() -> None:
    """What the model words anew must fit; what the procedure said before is kept only where it fits."""
    with pytest.raises(ScriptError, match="nobody"):
        written(SEND, toolset=TOOLSET, patterns=["send {item} to {nobody}"])
    answer = written(SEND, toolset=TOOLSET, older=["send {item}", "give {item} to {name}"])
    assert answer.content.patterns == ("send {item} to {name}", "give {item} to {name}")


def test_facts_are_short_few_and_different() -> None:
    """Stories, repetitions and empty lines are left out."""
    assert tidy_facts(["a", "a", "", "b\nc", "x" * 300, *map(str, range(20))])[:3] == ("a", "b c", "0")
    assert len(tidy_facts(map(str, range(20)))) == 8


def test_runs_are_grouped_by_the_kind_of_their_task() -> None:
    """What the task names does not count; a group holds so many at most."""
    runs = [run(f"send vase {n} to Ada", number=n) for n in range(1, 4)]
    other = Trajectory(task="water the plants", steps=(Step(action="water plants"),), success=True)
    groups = kinds([runs[0], other, *runs[1:]], together=2)
    assert [len(group) for group in groups] == [2, 1, 1]
    assert groups[2] == (other,)


def test_runs_with_one_answer_are_one_draft_and_a_run_without_is_kept_as_it_is() -> None:
    """Every run supports at most one draft, whatever the model was shown together."""
    answer = written(SEND, toolset=TOOLSET)
    one, two, three = (sourced(number) for number in (1, 2, 3))
    builder = Distil(answers={r.trajectory.digest: answer for r in (one, two)}, keep_run=True)
    script, verbatim = builder.build([one, two, three])
    assert (script.builder, script.sources, script.toolset) == ("distil+run", (one.id, two.id), TOOLSET.digest)
    assert script.content.run is not None
    assert (verbatim.builder, verbatim.sources, verbatim.content.script) == ("verbatim", (three.id,), None)


def test_what_was_once_made_of_a_run_is_made_of_it_again_without_asking() -> None:
    """A rebuilt store has the drafts of the answers on record."""
    answer = written(SEND, toolset=TOOLSET)
    [first] = Distil(answers={sourced(1).trajectory.digest: answer}, toolsets=(TOOLSET,)).build([sourced(1)])
    [again] = Distil(kept={sourced(1).id: first.content}, toolsets=(TOOLSET,)).build([sourced(1)])
    assert again == first


def test_joining_is_commutative_associative_and_idempotent() -> None:
    """In whatever order answers come, the same content is left."""
    builder = Distil(keep_run=True)
    contents = [
        Content(task=task, patterns=(task,), script=f"# {task}", run=run(number=number))
        for task, number in (("b", 1), ("a", 2), ("c", 3))
    ]
    results = {
        builder.join(builder.join(one, two), three) == builder.join(one, builder.join(two, three))
        and builder.join(one, one) == one
        and builder.join(one, two) == builder.join(two, one)
        for one, two, three in itertools.permutations(contents)
    }
    assert results == {True}


def test_scripts_do_the_same_whatever_they_say_of_themselves() -> None:
    """Wordings, names and remarks about the procedure do not count; steps and parameters do."""
    base = written(SEND, toolset=TOOLSET).content.script
    told = written(SEND.replace("Send it.", "Send the item."), toolset=TOOLSET).content.script
    other = written(SEND.replace('"shelf 1"', '"shelf 2"'), toolset=TOOLSET).content.script
    assert same_steps(base, told, TOOLSET)
    assert not same_steps(base, other, TOOLSET)
    assert not same_steps(base, None, TOOLSET)
