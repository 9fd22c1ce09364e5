"""What templates may do, and what they are refused before it costs anything."""

from __future__ import annotations

import pytest

from memp.errors import TemplateError
from memp.rendering.sandbox import OUTPUT_CHARACTERS_MAX, OutputTooLongError, PromptEnvironment

VALUES = {"task": "t" * 100, "rows": [{"a": "x", "n": 2, "inner": [{"b": "y"}]}] * 3, "number": 7}


def fill(source: str, **more: str) -> str:
    texts = {"main.j2": source} | {f"{name}.j2": text for name, text in more.items()}
    return PromptEnvironment(texts).fill("main.j2", VALUES)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ number }} {{ number + 1 }} {{ number % 2 }} {{ -number }}", "7 8 1 -7"),
        ("{% for row in rows %}{{ loop.index }}{{ row.a }}{% if not loop.last %},{% endif %}{% endfor %}", "1x,2x,3x"),
        ("{{ rows[0].inner[0]['b'] }}", "y"),
        ("{{ 'one' if number == 1 else 'many' }} {{ rows | length }}", "many 3"),
        ("{% set n = number %}{{ n }}{# silent #}", "7"),
        ("{% macro hi(x) %}<{{ x }}>{% endmacro %}{{ hi(number) }}", "<7>"),
        ("{{ task | first | upper }}", "T"),
        ("{% if rows and number is defined and missing is not defined %}yes{% endif %}", "yes"),
    ],
)
def test_the_small_language(source: str, text: str) -> None:
    """Values, conditions, loops, macros, numbers and the named filters work as in Jinja."""
    assert fill(source) == text


def test_macros_come_from_other_templates() -> None:
    """A template imports what it shares with others, by name or whole."""
    shared = "{% macro hi(x) %}hi {{ x }}{% endmacro %}"
    assert fill("{% from 'other.j2' import hi %}{{ hi(1) }}", other=shared) == "hi 1"
    assert fill("{% import 'other.j2' as other %}{{ other.hi(2) }}", other=shared) == "hi 2"


def test_a_value_with_braces_is_not_rendered_again() -> None:
    """Text from memory that looks like a template stays text."""
    environment = PromptEnvironment({"main.j2": "{{ task }}"})
    assert environment.fill("main.j2", {"task": "{{ 7 * 7 }}{% for %}"}) == "{{ 7 * 7 }}{% for %}"


@pytest.mark.parametrize(
    ("source", "line", "complaint"),
    [
        ("\n{{ nothing }}", 2, "'nothing' is undefined"),
        ("\n\n{{ rows[0].nothing }}", 3, "nothing"),
        ("{{ rows[9] }}", 1, "no item 9"),
        ("a\n{% if %}", 2, "Expected"),
        ("{% for row in rows %}", 1, "end"),
        ("{% import 'gone.j2' as gone %}", 1, "There is no template 'gone.j2'"),
        ("{{ number / 0 }}", 1, "zero"),
        ("{{ rows.append(1) }}", 1, "append"),
        ("{{ task.upper() }}", 1, "attribute 'upper'"),
        ("{{ task.__class__ }}", 1, "attribute '__class__'"),
        ("{{ rows[0].__class__ }}", 1, "__class__"),
        ("{{ rows[0].items() }}", 1, "items"),
        ("{{ range(9) }}", 1, "'range' is undefined"),
        ("{{ lipsum() }}", 1, "'lipsum' is undefined"),
        ("{{ task * 999999999 }}", 1, "numbers only"),
        ("{{ 9 ** 9 }}", 1, "Powers grow"),
        ("{{ task + task }}", 1, "numbers"),
        ("{{ '%999999999d' % number }}", 1, "numbers"),
        ("{{ 999999999 * 999999999 }}", 1, "must not be over"),
        ("{{ task | center(999999999) }}", 1, "There is no filter 'center'"),
        ("{{ task ~ task }}", 1, "side by side"),
        ("{% set x %}{{ task }}{% endset %}", 1, "Use a macro"),
        ("{% include 'main.j2' %}", 1, "Import a macro"),
        ("{% extends 'main.j2' %}", 1, "inheriting"),
        ("{% for c in 'aaa' %}{% endfor %}", 1, "over a value by name"),
        ("{% for a in [1, 2] %}{% endfor %}", 1, "over a value by name"),
        ("{{ [1, 2] }}", 1, "List"),
        ("{{ (1, 2) }}", 1, "cannot be written"),
        ("{% for r in rows recursive %}{{ loop(r.inner) }}{% endfor %}", 1, "recursive"),
        ("{% for a in rows %}" * 4 + "{% endfor %}" * 4, 1, "more than 3 deep"),
        ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", None, "without end"),
        ("{% from task import a %}", 1, "name its template"),
    ],
)
def test_mistakes_name_template_line_and_fault(source: str, line: int | None, complaint: str) -> None:
    """Whatever a template does wrong is one error that says where and what."""
    with pytest.raises(TemplateError) as error:
        fill(source)
    assert error.value.template == "main.j2"
    assert error.value.line == line
    assert complaint in str(error.value)
    assert "'main.j2'" in str(error.value)


def test_a_mistake_in_an_import_is_named_there() -> None:
    """The error names the template that holds the mistake, not the one that was asked for."""
    with pytest.raises(TemplateError) as error:
        fill("{% from 'other.j2' import a %}{{ a() }}", other="\n{% macro a() %}\n{{ gone }}{% endmacro %}")
    assert (error.value.template, error.value.line) == ("other.j2", 3)
    with pytest.raises(TemplateError) as error:
        fill("{% from 'other.j2' import a %}", other="\n\n{{ 'a' ~ 'b' }}")
    assert (error.value.template, error.value.line) == ("other.j2", 3)


def test_macros_that_double_are_stopped() -> None:
    """Thirty macros that each call the one before twice are stopped early, with output and without."""
    for body in ("xx", ""):
        macros = f"{{% macro m0() %}}{body}{{% endmacro %}}" + "".join(
            f"{{% macro m{n}() %}}{{{{ m{n - 1}() }}}}{{{{ m{n - 1}() }}}}{{% endmacro %}}" for n in range(1, 31)
        )
        with pytest.raises(TemplateError, match="macro"):
            fill(macros + "{{ m30() }}")


def test_output_is_capped() -> None:
    """A text of more than a million characters is refused while it is being made."""
    source = "{% for a in rows %}{% for b in rows %}{{ text }}{% endfor %}{% endfor %}"
    environment = PromptEnvironment({"main.j2": source})
    values = {"rows": list(range(1000)), "text": "x" * 1000}
    with pytest.raises(OutputTooLongError, match=str(OUTPUT_CHARACTERS_MAX)):
        environment.fill("main.j2", values)


def test_joining_is_capped() -> None:
    """A join is refused before it builds a text that is too long."""
    environment = PromptEnvironment({"main.j2": "{{ rows | join(text) }}"})
    with pytest.raises(TemplateError, match="join"):
        environment.fill("main.j2", {"rows": list(range(1000)), "text": "x" * 100_000})
    assert environment.fill("main.j2", {"rows": [1, 2], "text": ", "}) == "1, 2"
