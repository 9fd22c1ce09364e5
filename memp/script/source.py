"""
From a text to Python's ``ast``, safely.

``ast.parse`` executes nothing, but it can be made to use up time, memory or stack, and what it accepts depends on
warning filters. So the text is looked through first, in one pass that no text can slow down: its size, its
characters, how deep its brackets and blocks nest, how long its statements are. Only then is it given to Python's
parser, whose complaint about one line does not hide the mistakes in the others.
"""

from __future__ import annotations

import ast
import re
import unicodedata

import attrs

from memp.errors import ScriptError
from memp.script.mistakes import MistakeList
from memp.script.nodes import Span

SOURCE_CHARS_MAX = 200_000
"""Longest source that is read; a procedure of a hundred steps has some 5,000 characters."""

BRACKETS_MAX = 40
"""How deep brackets may nest; far below where Python's own parser gives up."""

INDENT_MAX = 100
"""How far a line may be indented: 25 blocks of four."""

STATEMENT_CHARS_MAX = 4_000
"""Longest statement, its texts and comments not counted: bounds every nesting that needs no brackets."""

ELIF_MAX = 200
"""How many ``elif`` a source may have: Python nests them."""

SYNTAX_MISTAKES_MAX = 8
"""How many times the source is parsed again after leaving out what Python's parser complained about."""

BROKEN = "memp_broken_line"
"""Stands in the place of a line that could not be parsed; the readers skip it in silence."""

TOKEN = re.compile(
    r"""
      (?P<prefix>[A-Za-z]{0,2}) (?P<string> \"\"\" (?:[^\\"]++|\\.|"(?!""))*+ (?:\"\"\"|\\?\Z)
                             | ''' (?:[^\\']++|\\.|'(?!''))*+ (?:'''|\\?\Z)
                             | " (?:[^\\"\n]++|\\.)*+ (?:"|(?=\n)|\\?\Z)
                             | ' (?:[^\\'\n]++|\\.)*+ (?:'|(?=\n)|\\?\Z) )
    | (?P<comment>\#[^\n]*)
    | (?P<word>\w+)
    | (?P<open>[(\[{]) | (?P<close>[)\]}])
    | (?P<newline>\n)
    | (?P<space>[ \t]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""One token of a source; every text is a sequence of them, whatever it holds. The group that matched says its kind."""

_UNKNOWN_ESCAPE = re.compile(r"\\(?:\\|(?P<bad>[^\n\\'\"abfnrtv0-7xNuU]))")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@attrs.frozen
class Source:
    """
    A source that Python's parser accepted, as far as it did.

    Attributes:
        tree: Its syntax tree; lines that were not understood are ``BROKEN`` names.

        comments: Line number to comment, without ``#``.

        poisoned: Names that a line assigned which was not understood.
    """

    tree: ast.Module
    comments: dict[int, str]
    poisoned: frozenset[str]


def normalise_text(text: str) -> str:
    """Return *text* with ``\\n`` line ends and without a byte order mark."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def read_source(text: str, mistakes: MistakeList) -> Source:
    """
    Return the syntax tree of *text*, adding to *mistakes* what Python's parser complains about.

    Raises:
        ScriptError: The text is too large, too deep or holds what no source may hold.
    """
    comments = _look_through(text, mistakes)
    mistakes.raise_if_any()
    lines = text.split("\n")
    poisoned: set[str] = set()
    seen: set[int] = set()
    for _ in range(SYNTAX_MISTAKES_MAX):
        try:
            tree = ast.parse("\n".join(lines))
        except (SyntaxError, ValueError) as error:
            line = _note_syntax_error(error, mistakes, len(lines))
            poisoned |= _leave_out(lines, line, whole_block=line in seen)
            seen.add(line)
            # What was a text before may be code now: it is given to the parser only if it is harmless as well.
            again = MistakeList(mistakes.path, "")
            comments = _look_through("\n".join(lines), again)
            if len(again):
                break
        except (RecursionError, MemoryError):
            mistakes.add("The source nests too deeply to be read.", at=None, expected="simpler statements")
            break
        else:
            return Source(tree, comments, frozenset(poisoned))
    mistakes.raise_if_any()
    raise ScriptError(())  # pragma: no cover - the loop ends with a tree or a mistake


def _note_syntax_error(error: SyntaxError | ValueError, mistakes: MistakeList, line_count: int) -> int:
    """Add the parser's complaint; return its line."""
    if not isinstance(error, SyntaxError):
        mistakes.add(f"Python cannot read this source: {error}.", at=None)
        return 1
    line = min(max(error.lineno or 1, 1), line_count)
    source = mistakes.lines[line - 1]
    column = min(max(error.offset or 1, 1), len(source) + 1)
    message = (error.msg or "invalid syntax").split(" (<unknown>")[0]
    mistakes.add(f"Not understood: {message}.", at=Span(line=line, column=column, end_line=line))
    return line


def _leave_out(lines: list[str], number: int, *, whole_block: bool) -> set[str]:
    """Replace the line *number* so that the rest can be parsed; return the names that it would have assigned."""
    line = lines[number - 1]
    indent = len(line) - len(line.lstrip())
    if indent and line.strip() and not whole_block:
        following = next((later for later in lines[number:] if later.strip()), "")
        deeper = len(following) - len(following.lstrip()) > indent
        lines[number - 1] = " " * indent + (f"if {BROKEN}:" if deeper else BROKEN)
        return set(re.findall(r"^\s*(?:for\s+)?([A-Za-z_]\w*)\s*(?:=[^=]|in\b)", line))
    first, last = number, number
    while first > 1 and (lines[first - 1][:1] in ("", " ", "\t", ")", "#") or lines[first - 2][:1] == "@"):
        first -= 1
    while last < len(lines) and lines[last][:1] in ("", " ", "\t", ")", "#"):
        last += 1
    for index in range(first - 1, last):
        lines[index] = ""
    lines[first - 1] = BROKEN
    return set()


class _Walk:
    """The state of one pass over a text."""

    def __init__(self, mistakes: MistakeList) -> None:
        self.mistakes = mistakes
        self.line = 1
        self.line_start = 0
        self.depth = 0
        self.length = 0
        self.is_joined = False
        self.elifs = 0

    def span(self, offset: int) -> Span:
        return Span(line=self.line, column=offset - self.line_start + 1, end_line=self.line)


def _look_through(text: str, mistakes: MistakeList) -> dict[int, str]:
    """Add what no source may hold; return the comments by line."""
    if len(text) > SOURCE_CHARS_MAX:
        mistakes.add(
            f"The source has {len(text)} characters.",
            at=None,
            expected=f"at most {SOURCE_CHARS_MAX}; split it into files",
        )
        return {}
    _check_characters(text, mistakes)
    comments: dict[int, str] = {}
    walk = _Walk(mistakes)
    for found in TOKEN.finditer(text):
        kind, token = found.lastgroup, found.group(0)
        if kind == "string":
            _check_string(walk, found)
        elif kind == "comment":
            comments[walk.line] = token[1:].strip()
        elif kind == "newline":
            walk.line, walk.line_start = walk.line + 1, found.end()
            walk.length = walk.length if walk.depth or walk.is_joined else 0
            walk.is_joined = False
        else:
            _check_token(walk, kind, token, found.start())
        if walk.mistakes.is_full:
            break
    return comments


def _check_characters(text: str, mistakes: MistakeList) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if line.isprintable():
            continue
        for column, char in enumerate(line, 1):
            at = Span(line=number, column=column, end_line=number)
            if char == "\0":
                mistakes.add("The source holds a null byte.", at=at, expected="text")
            elif (unicodedata.category(char) == "Cc" and char != "\t") or char in _BIDI or "\ud800" <= char <= "\udfff":
                mistakes.add(
                    f"The source holds the invisible character U+{ord(char):04X}.",
                    at=at,
                    expected=f"the escape \\u{ord(char):04x} inside a text, or nothing",
                )
            if mistakes.is_full:
                return


def _check_string(walk: _Walk, found: re.Match[str]) -> None:
    token, prefix = found.group("string"), found.group("prefix").lower()
    if "r" not in prefix and "\\" in token:
        for escape in _UNKNOWN_ESCAPE.finditer(token):
            if escape.group("bad"):
                walk.mistakes.add(
                    f"The text holds the unknown escape {escape.group(0)!r}.",
                    at=walk.span(found.start()),
                    expected="a backslash written twice",
                )
    if "f" in prefix and (len(token) > STATEMENT_CHARS_MAX or token.count("{") > STATEMENT_CHARS_MAX // 10):
        walk.mistakes.add(
            f"The f-string has {len(token)} characters.", at=walk.span(found.start()), expected="a shorter one"
        )
    newlines = token.count("\n")
    if newlines:
        walk.line += newlines
        walk.line_start = found.start("string") + token.rindex("\n") + 1


def _check_token(walk: _Walk, kind: str | None, token: str, offset: int) -> None:
    mistakes = walk.mistakes
    if token in ("def", "class") and offset == walk.line_start:
        # No bracket reaches over these words: what was left open above ends here, for Python's parser too.
        walk.depth = walk.length = 0
    before = walk.length
    walk.length += 0 if kind == "space" else len(token)
    walk.is_joined = token == "\\"
    if kind == "space" and offset == walk.line_start and len(token) > INDENT_MAX and walk.depth == 0:
        mistakes.add("The line is indented too far.", at=walk.span(offset), expected=f"at most {INDENT_MAX} characters")
    elif kind == "open":
        walk.depth += 1
        if walk.depth == BRACKETS_MAX + 1:
            mistakes.add("Brackets nest too deeply.", at=walk.span(offset), expected=f"at most {BRACKETS_MAX} levels")
    elif kind == "close":
        walk.depth = max(0, walk.depth - 1)
    elif kind in ("word", "other") and not token.isascii():
        char = next(char for char in token if not char.isascii())
        name = unicodedata.name(char, f"U+{ord(char):04X}")
        mistakes.add(
            f"{token!r} holds {name}, which may look like another character.",
            at=walk.span(offset),
            expected="ASCII letters, digits and '_' outside texts and comments",
        )
    elif token == "elif":
        walk.elifs += 1
        if walk.elifs == ELIF_MAX + 1:
            mistakes.add(
                "There are too many 'elif'.", at=walk.span(offset), expected=f"at most {ELIF_MAX} in one source"
            )
    if before <= STATEMENT_CHARS_MAX < walk.length:
        mistakes.add(
            "The statement is too long.",
            at=walk.span(offset),
            expected=f"at most {STATEMENT_CHARS_MAX} characters beside texts",
        )
