"""Laws of the procedure language, over generated toolsets and scripts."""

from __future__ import annotations

import ast

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from memp.script import (
    ProcedureDef,
    Script,
    Toolset,
    diff_scripts,
    format_script,
    highlight,
    lift,
    load_toolset,
    lower,
    outline,
    parse_script,
    skeleton,
)
from memp.script.lift import make_call
from memp.script.toolset import bind_arguments
from memp.script.walk import bound_names, rename
from memp.testing import calls, scripts, things, toolsets

small = settings(
    max_examples=settings().max_examples * 2 // 5,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

pairs = toolsets().flatmap(lambda toolset: st.tuples(st.just(toolset), scripts(toolset)))
household = load_toolset("household")


@small
@given(pairs)
def test_formatted_script_parses_back(pair: tuple[Toolset, Script]) -> None:
    """``parse(format(s)) == s``, and the canonical text of what was parsed is the same text."""
    toolset, script = pair
    text = format_script(script)
    parsed = parse_script(text, toolset)
    assert parsed == script
    assert format_script(parsed) == text


@small
@given(pairs)
def test_every_script_that_checks_has_an_outline(pair: tuple[Toolset, Script]) -> None:
    """A script that checks can be shown, with and without its toolset, and each line of it has words."""
    toolset, script = pair
    for known in (toolset, None):
        for procedure in outline(script, known)["procedures"]:
            assert procedure["lines"]
            assert all(line["text"].strip() and line["code"].strip() for line in procedure["lines"])


@small
@given(toolsets())
def test_toolset_text_reads_back(toolset: Toolset) -> None:
    """``from_text(to_text(t)) == t``, so the digest of a toolset says what it is."""
    again = Toolset.from_text(toolset.to_text())
    assert again == toolset
    assert again.digest == toolset.digest


@small
@given(pairs)
def test_names_do_not_count_in_a_skeleton(pair: tuple[Toolset, Script]) -> None:
    """Renaming every parameter and variable leaves the skeleton as it is."""
    toolset, script = pair
    for procedure in script.procedures:
        assert skeleton(_renamed(procedure), toolset) == skeleton(procedure, toolset)


@small
@given(pairs)
def test_renaming_back_is_the_identity(pair: tuple[Toolset, Script]) -> None:
    """Renaming and renaming back gives the same procedure."""
    for procedure in pair[1].procedures:
        names = _new_names(procedure)
        assert rename(rename(procedure, names), {after: before for before, after in names.items()}) == procedure


@small
@given(pairs)
def test_a_renamed_parameter_is_one_change(pair: tuple[Toolset, Script]) -> None:
    """The diff of a script and the same with one parameter renamed is that one renaming."""
    procedure = pair[1].procedures[0]
    assume(procedure.parameters)
    old = Script(procedures=(procedure,))
    name = procedure.parameters[0].name
    new = Script(procedures=(rename(procedure, {name: "another_name"}),))
    assert [(change.kind, change.before, change.after) for change in diff_scripts(old, new)] == [
        ("renamed", name, "another_name")
    ]


@small
@given(toolsets().flatmap(lambda toolset: st.tuples(scripts(toolset), scripts(toolset))))
def test_only_equal_scripts_have_an_empty_diff(pair: tuple[Script, Script]) -> None:
    """A diff is empty exactly if the scripts are equal."""
    old, new = pair
    assert diff_scripts(old, old) == ()
    assert (diff_scripts(old, new) == ()) == (old == new)


@small
@given(toolsets().flatmap(lambda toolset: st.tuples(st.just(toolset), calls(toolset))))
def test_lifting_undoes_lowering_of_tool_calls(pair: tuple[Toolset, object]) -> None:
    """A tool call that is written as JSON is read back as the same call, and written the same way again."""
    toolset, call = pair
    action = toolset.find_action(call.name)  # type: ignore[attr-defined]
    assert action is not None
    assume(action.forms[0].is_json)
    text = lower(call, toolset)  # type: ignore[arg-type]
    lifted = lift(text, toolset)
    assert lifted is not None
    assert bind_arguments(lifted, action.parameters) == bind_arguments(call, action.parameters)  # type: ignore[arg-type]
    assert lower(lifted, toolset) == text


@small
@given(st.sampled_from([a for a in household.actions if a.parameters]), st.lists(things(), min_size=2, max_size=2))
def test_lifting_undoes_lowering_in_words(action: object, names: list[str]) -> None:
    """Every surface form of every action is read back as the call it was written from."""
    from memp.script.nodes import TextLiteral

    values = {p.name: TextLiteral(value=name) for p, name in zip(action.parameters, names, strict=False)}  # type: ignore[attr-defined]
    call = make_call(action, values)  # type: ignore[arg-type]
    for form in range(len(action.forms)):  # type: ignore[attr-defined]
        text = lower(call, household, dialect=form)
        lifted = lift(text, household)
        assert lifted == call
        assert lower(lifted, household) == text


@small
@given(pairs)
def test_highlighting_keeps_the_text(pair: tuple[Toolset, Script]) -> None:
    """The tokens of a source put together are the source."""
    toolset, script = pair
    text = format_script(script)
    tokens = highlight(text, toolset)
    assert "".join(token.text for token in tokens) == text
    assert {"decorator", "keyword", "text"} <= {token.kind for token in tokens}


@small
@given(pairs)
def test_canonical_text_is_python_syntax(pair: tuple[Toolset, Script]) -> None:
    """Editors and other tools can read every canonical text as Python."""
    tree = ast.parse(format_script(pair[1]))
    assert len([node for node in tree.body if isinstance(node, ast.FunctionDef)]) == len(pair[1].procedures)


def _new_names(procedure: ProcedureDef) -> dict[str, str]:
    names = [parameter.name for parameter in procedure.parameters] + list(bound_names(procedure))
    return {name: f"other_{index}" for index, name in enumerate(names)}


def _renamed(procedure: ProcedureDef) -> ProcedureDef:
    return rename(procedure, _new_names(procedure))
