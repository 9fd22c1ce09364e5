"""What a source may not be: too large, too deep, or full of characters that deceive."""

from __future__ import annotations

import warnings

import pytest

from memp import ScriptError
from memp.script import Toolset, load_toolset, parse_script
from memp.script.mistakes import Mistake
from memp.script.source import BRACKETS_MAX, ELIF_MAX, SOURCE_CHARS_MAX

household = load_toolset("household")

HEAD = "@procedure('go {x}')\ndef f(x: Text):\n    "


def first_mistake(source: str) -> Mistake:
    """Return the first mistake, after seeing that toolsets are refused as scripts are."""
    for toolset in (household, None):
        with pytest.raises(ScriptError) as caught:
            parse_script(source, toolset)
    with pytest.raises(ScriptError):
        Toolset.from_text(source, name="t")
    found = caught.value.mistakes[0]
    assert isinstance(found, Mistake)
    return found


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x" * 10_000_000, "has 10000000 characters"),
        ("do('x')\n" * 100_000, "has 800000 characters"),
        (HEAD + "do(" + "(" * 10_000 + ")" * 10_000 + ")", "Brackets nest too deeply"),
        (HEAD + "do(" + "[" * 10_000, "Brackets nest too deeply"),
        (HEAD + "if " + "not " * 10_000 + "x:\n        break", "statement is too long"),
        (HEAD + "if " + "not \\\n" * 10_000 + "x:\n        break", "statement is too long"),
        (HEAD + "do(" + "-" * 10_000 + "1)", "statement is too long"),
        (HEAD + "x" + ".a" * 10_000, "statement is too long"),
        (HEAD + "x" + "()" * 10_000, "statement is too long"),
        (HEAD + "lambda: " * 10_000 + "x", "statement is too long"),
        (HEAD + "if " + "not " * 1_000 + "x:\n        break", "nests too deeply"),
        (HEAD + "do(f'{" + "-" * 3_900 + "x}')", "nests too deeply"),
        (HEAD + "do(f'" + "{x}" * 2_000 + "')", "f-string has"),
        ("".join(" " * depth + "if x:\n" for depth in range(300)), "indented too far"),
        (
            "@procedure('g')\ndef f():\n"
            + "".join("    " * d + "if True:\n" for d in range(1, 24))
            + "    " * 24
            + "do('x')",
            "Blocks nest",
        ),
        (
            HEAD + "if x == 'a':\n        do('x')\n" + "    elif x == 'b':\n        do('x')\n" * (ELIF_MAX + 1),
            "too many 'elif'",
        ),
        (HEAD + "do(" + "9" * 5_000 + ")", "statement is too long"),
        (HEAD + "go_to(" + "9" * 30 + ")", "must fit into 64 bits"),
        (HEAD + "go_to(1e999)", "must be a finite number"),
        ("\0", "null byte"),
        (HEAD + "do('a\0b')", "null byte"),
        (HEAD + "do('a\x07b')", "invisible character U+0007"),
        (HEAD + "do('a\u202eb')", "invisible character U+202E"),
        (HEAD + "do('\ud800')", "invisible character U+D800"),
        (HEAD + "do('\\ud800')", "64 bits|UTF-8"),
        (HEAD + "d\u043e('x')", "CYRILLIC SMALL LETTER O"),
        (HEAD + "\uff44o('x')", "FULLWIDTH LATIN SMALL LETTER D"),
        ("def f\u0430(): ...", "CYRILLIC SMALL LETTER A"),
        (HEAD + "do('\\d')", "unknown escape"),
    ],
)
def test_hostile_sources_are_refused_cleanly(source: str, message: str) -> None:
    """Size, depth and deceiving characters end in a mistake, for scripts and toolsets alike."""
    assert any(part in str(first_mistake(source)) for part in message.split("|"))


def test_limits_leave_room_for_real_scripts() -> None:
    """A source just below the limits is read."""
    steps = "    do('x')\n" * 10_000
    source = "@procedure('go')\ndef f():\n" + steps
    assert len(source) < SOURCE_CHARS_MAX
    assert len(parse_script(source).procedures[0].body) == 10_000
    nested = "[" * (BRACKETS_MAX // 2) + "]" * (BRACKETS_MAX // 2)
    assert parse_script(HEAD + f"press({nested})\n").procedures


def test_text_of_any_language_is_welcome_in_quotes() -> None:
    """Only identifiers must be ASCII; texts and comments may hold what can be seen."""
    source = HEAD + "do('Öffne 冰箱 🧊')  # schön\n"
    assert "冰箱" in str(parse_script(source).procedures[0].body[0])


def test_line_ends_and_byte_order_marks_do_not_count() -> None:
    """A file from another system is the same script."""
    plain = HEAD + "do('x')\n    do('y')\n"
    assert (
        parse_script("\ufeff" + plain.replace("\n", "\r\n"))
        == parse_script(plain)
        == parse_script(plain.replace("\n", "\r"))
    )


def test_warning_filters_change_nothing() -> None:
    """A text with a doubtful escape is refused however Python's warnings are set."""
    for action in ("ignore", "error", "default"):
        with warnings.catch_warnings():
            warnings.simplefilter(action)
            with pytest.raises(ScriptError, match="unknown escape"):
                parse_script(HEAD + "do('50\\%')\n")
            assert parse_script(HEAD + "do(r'50\\%')\n").procedures


def test_a_text_that_swallowed_code_is_checked_again() -> None:
    """What an unclosed text hid is looked through before it reaches Python's parser."""
    source = '"""\n' + "not " * 5_000 + "1\n"
    assert "unterminated" in first_mistake(source).message


def test_nothing_is_imported_or_run() -> None:
    """Reading a source that would print, import or raise does none of it."""
    source = "import this_module_does_not_exist\nprint('run')\nraise SystemExit\n" + HEAD + "exec('1/0')\n"
    with pytest.raises(ScriptError) as caught:
        parse_script(source, household)
    assert len(caught.value.mistakes) >= 4
