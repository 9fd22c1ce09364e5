"""Whatever text comes, the readers answer with a value or with a ScriptError, and execute nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memp import ScriptError
from memp.errors import InvalidInputError
from memp.script import Toolset, format_script, highlight, lift, load_toolset, parse_script
from memp.script.mistakes import MISTAKES_MAX, Mistake
from memp.testing import scripts, texts

small = settings(
    max_examples=settings().max_examples * 3 // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

household = load_toolset("household")
airline = load_toolset("airline")

fragments = st.sampled_from(
    [
        *(
            '@procedure("go {x}")\n',
            "def f(x: Text):\n",
            "    ",
            "\n",
            "if ",
            "elif ",
            "else:\n",
            "for _ in times(2):\n",
        ),
        *(
            "try:\n",
            "except failed:\n",
            "break\n",
            'do("x")',
            "take(x, x)",
            "find(x)",
            "y = ",
            "closed(x)",
            "not ",
            " and ",
        ),
        *(
            "lambda: ",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            '"',
            "'",
            '"""',
            'f"{x}"',
            "\\",
            ":",
            ",",
            "=",
            "==",
            "*",
            "**",
            "@",
            ";",
        ),
        *(
            "__import__('os')",
            "x.y",
            "[i for i in x]",
            "class A: ...\n",
            "from household import *\n",
            "import os\n",
            "\0",
        ),
        *(
            "async ",
            "await ",
            "yield ",
            "1e999",
            "9" * 30,
            "-",
            "0x",
            "\u0430",
            "\u202e",
            "\ud800",
            "\t",
            "\x0c",
            "\r",
            "#",
        ),
        *(
            'toolset("x")\n',
            '@action("go {x}")\n',
            '@finder("f {x}", by=[a])\n',
            "-> Text",
            ": Object",
            "...",
            "@keys(a='b')\n",
        ),
    ]
)
sources = st.one_of(st.lists(fragments, max_size=25).map("".join), st.text(max_size=60), texts())


def mistakes_of(read: Callable[[], object]) -> tuple[object, ...]:
    """Return the mistakes that *read* ends with; none if it reads."""
    try:
        read()
    except ScriptError as error:
        return error.mistakes or ("an error without mistakes",)
    return ()


@small
@given(sources)
def test_any_text_is_a_script_or_has_mistakes(text: str) -> None:
    """Reading a script gives a script that can be written again, or a bounded list of mistakes with places."""
    for toolset in (household, None):
        found = mistakes_of(lambda: parse_script(text, toolset))  # noqa: B023 - called before the next round
        assert len(found) <= MISTAKES_MAX
        assert all(isinstance(mistake, Mistake) and mistake.line >= 1 and mistake.column >= 1 for mistake in found)
        if not found:
            script = parse_script(text, toolset)
            assert parse_script(format_script(script), toolset) == script


@small
@given(sources)
def test_any_text_is_a_toolset_or_has_mistakes(text: str) -> None:
    """Reading a toolset gives one that can be written again, or mistakes."""
    found = mistakes_of(lambda: Toolset.from_text(text, name="fuzzed"))
    assert all(isinstance(mistake, Mistake) for mistake in found)
    if not found:
        toolset = Toolset.from_text(text, name="fuzzed")
        assert Toolset.from_text(toolset.to_text()) == toolset


@small
@given(st.data())
def test_a_damaged_script_is_told_not_crashed_over(data: st.DataObject) -> None:
    """A script with one piece cut out or put in is read or refused with mistakes."""
    text = format_script(data.draw(scripts(household, procedures_max=1)))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 8)))
    damaged = text[:start] + data.draw(fragments) + text[end:]
    found = mistakes_of(lambda: parse_script(damaged, household))
    assert all(isinstance(mistake, Mistake) for mistake in found)


@small
@given(sources)
def test_any_text_can_be_highlighted_and_lifted(text: str) -> None:
    """The tokens hold every character, and lifting answers with a call or with None."""
    tokens = highlight(text, household)
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(token.text for token in tokens) == plain
    for toolset in (household, airline):
        lift(text, toolset)
        lift(f"get_user_details({text})", toolset)


schema_words = st.sampled_from(
    [
        "type",
        "function",
        "name",
        "parameters",
        "properties",
        "items",
        "enum",
        "required",
        "$ref",
        "anyOf",
        "description",
        "x-y",
    ]
)

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(schema_words, inner, max_size=4)),
    max_leaves=12,
)


@small
@given(st.lists(json_values, max_size=3))
def test_any_json_is_a_tools_list_or_refused(tools: list[object]) -> None:
    """A tools list gives a toolset with a canonical text, or one clear error."""
    try:
        toolset = Toolset.from_openai_tools(tools)  # type: ignore[arg-type]
    except InvalidInputError:
        return
    assert Toolset.from_text(toolset.to_text()) == toolset


def test_reading_works_near_the_end_of_the_stack() -> None:
    """Where the caller has used up nearly all of the stack, reading still ends with a script or a ScriptError."""
    text = '@procedure("go")\ndef f():\n    do("' + "x" * 10 + '")\n    if ' + "not " * 20 + "True:\n        do('x')\n"
    outcomes: set[str] = set()

    def dive(depth: int) -> None:
        if depth:
            dive(depth - 1)
            return
        try:
            parse_script(text)
            outcomes.add("read")
        except ScriptError:
            outcomes.add("refused")

    def run() -> None:
        for depth in (0, *range(sys.getrecursionlimit() - 90, sys.getrecursionlimit() - 20, 3)):
            dive(depth)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert outcomes == {"read", "refused"}
