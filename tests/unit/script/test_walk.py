"""Walking, rewriting and skeletons."""

from __future__ import annotations

from memp.script import Script, digest, load_toolset, parse_script, skeleton, skeleton_digest
from memp.script import nodes as n
from memp.script.walk import bound_names, called_names, iter_statements, rename, rewrite, used_names

household = load_toolset("household")

SOURCE = """
@procedure("bring a {thing} to {target}")
def bring(thing: Object, target: Receptacle):
    spot = find(thing, likely=["desk"])
    if closed(spot):
        open(spot)
    take(thing, spot)
    go_to("desk 1")
    move(thing, target)
    do(f"wipe the {target}")
"""


def read(source: str = SOURCE) -> Script:
    return parse_script(source, household)


def test_a_procedure_tells_what_it_names_and_calls() -> None:
    """Names used, names bound and names called come in order, each once."""
    procedure = read().procedures[0]
    assert used_names(procedure) == ("thing", "spot", "target")
    assert bound_names(procedure) == ("spot",)
    assert called_names(procedure) == ("find", "closed", "open", "take", "go_to", "move")
    assert [type(step).__name__ for step in iter_statements(procedure)] == [
        "Find",
        "If",
        "Act",
        "Act",
        "Act",
        "Act",
        "Do",
    ]


def test_renaming_reaches_patterns_signature_and_f_strings() -> None:
    """After renaming, the script is what it would have been if written with the new names."""
    renamed = rename(read().procedures[0], {"thing": "item", "target": "place_", "spot": "source"})
    text = SOURCE.replace("thing", "item").replace("target", "place_").replace("spot", "source")
    assert renamed == read(text).procedures[0]


def test_rewriting_changes_every_expression_from_inside() -> None:
    """Literals can be turned into names wherever they stand; what is not changed stays."""

    def change(node: n.Expression) -> n.Expression:
        return n.Name(name="target") if node == n.TextLiteral(value="desk 1") else node

    changed = rewrite(read().procedures[0], change)
    assert changed == read(SOURCE.replace('"desk 1"', "target")).procedures[0]


def test_the_skeleton_forgets_names_texts_and_patterns() -> None:
    """Two procedures that do the same with other things have one skeleton."""
    move = household.find_action("move")
    assert move is not None
    thing, place = (parameter.name for parameter in move.parameters)
    other = (
        SOURCE.replace("thing", "item")
        .replace('"desk 1"', '"shelf 9"')
        .replace('["desk"]', '["bed", "sofa"]')
        .replace("bring a", "carry the")
        .replace("def bring", "def carry")
        .replace("move(item, target)", f"move({place}=target, {thing}=item)")
    )
    assert skeleton(read(other), household) == skeleton(read(), household)
    assert skeleton_digest(read(other), household) == skeleton_digest(read(), household)
    assert digest(read(other)) != digest(read())


def test_the_skeleton_keeps_what_makes_a_procedure() -> None:
    """Other actions, other places of parameters, other numbers of rounds and other words of steps count."""
    changes = [
        ("open(spot)", "close(spot)"),
        ("move(thing, target)", 'move(thing, "desk 1")'),
        ('go_to("desk 1")', "go_to(target)"),
        ('do(f"wipe', 'do(f"break'),
        ("    if closed(spot):\n        open(spot)\n", ""),
        ("if closed(spot)", "if not closed(spot)"),
        ("take(thing, spot)", "for _ in times(2):\n        take(thing, spot)"),
    ]
    skeletons = {skeleton_digest(read(SOURCE.replace(before, after)), household) for before, after in changes}
    three = SOURCE.replace("take(thing, spot)", "for _ in times(3):\n        take(thing, spot)")
    assert (
        len({*skeletons, skeleton_digest(read(three), household), skeleton_digest(read(), household)})
        == len(changes) + 2
    )


def test_parameters_are_numbered_by_first_use() -> None:
    """The order of the signature does not count, and parameters that nobody uses are kept apart."""
    swapped = SOURCE.replace("(thing: Object, target: Receptacle)", "(target: Receptacle, thing: Object)")
    assert skeleton(read(swapped), household) == skeleton(read(), household)
    more = SOURCE.replace("target: Receptacle)", "target: Receptacle, idle: Number)")
    assert skeleton(read(more), household) != skeleton(read(), household)


def test_procedures_of_one_script_call_each_other_by_number() -> None:
    """Renaming a procedure that another calls leaves the skeleton as it is."""
    source = SOURCE + '\n\n@procedure("twice {thing}")\ndef twice(thing: Object):\n    bring(thing, "desk 1")\n'
    assert skeleton(read(source), household) == skeleton(read(source.replace("bring(", "fetch(")), household)
