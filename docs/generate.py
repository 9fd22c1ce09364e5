"""
The reference pages that memp can write about itself: ``python docs/generate.py``, or ``make docs``.

Commands, events and errors are explained where they are defined, for whoever types ``--help`` or reads the class. A
page written by hand would say it a second time and soon something else, so these are made of click's own objects, the
fields of events and the docstrings; ``tests/docs/test_reference.py`` fails when a page is not what this makes. A
documentation builder (Sphinx, MkDocs) was not taken: pages are read where the repository is shown, and need no second
form.

What is made depends on nothing but the code: no width of a terminal, no variable of the environment, no clock.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NewType

import attrs
import click
import msgspec

import memp.model
from memp import errors
from memp.cli.exits import exit_code
from memp.cli.main import cli
from memp.cli.suites import SuiteCommand, suite_flag
from memp.config import SETTINGS
from memp.errors import MempError
from memp.evaluation.suite import SHIPPED, maker_named
from memp.events import EVENT_TYPES
from memp.history.undo import UNDOABLE
from memp.record import HASHED_FIELDS, Record

REFERENCE = Path(__file__).parent / "reference"
COMMAND = "python docs/generate.py"

LINE_LENGTH_MAX = 120
"""Characters of a line of prose, as on the pages that people write."""

VERBATIM = ("|", "```", "#", "<!--")
"""What a block begins with whose lines stay as they are: tables, code, headings, remarks."""

HELP_LENGTH_MAX = 500
"""Characters of a command's first sentence in the list of commands; more than any has, so that none is cut."""


def pages() -> dict[Path, str]:
    """Return every generated page, by where it belongs."""
    made = {"cli.md": cli_page(), "errors.md": errors_page(), "events.md": events_page()}
    return {REFERENCE / name: text for name, text in made.items()}


def main() -> None:
    """Write the pages, and say which are new."""
    for path, text in pages().items():
        old = path.read_text(encoding="utf-8") if path.exists() else None
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {'as it was' if old == text else 'written'}")


def _page(title: str, *parts: str) -> str:
    said = f"<!-- Made by '{COMMAND}' from what the code says of itself: change it there. -->"
    blocks = "\n\n".join((said, f"# {title}", *parts)).split("\n\n")
    return "\n\n".join(block if block.startswith(VERBATIM) else _filled(block) for block in blocks) + "\n"


def _filled(paragraph: str) -> str:
    return textwrap.fill(paragraph, width=LINE_LENGTH_MAX, break_long_words=False, break_on_hyphens=False)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    lines.insert(1, ("---",) * len(lines[0]))
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


# -- commands --------------------------------------------------------------------------------------------------------


def commands(command: click.Command = cli, path: str = "memp") -> Iterator[tuple[str, click.Command]]:
    """Yield everything that can be typed, as ``memp toolset show``, with its command; sorted, groups before theirs."""
    if path != "memp":
        yield path, command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from commands(command.commands[name], f"{path} {name}")


def cli_page() -> str:
    """Return the page of all commands."""
    every = list(commands())
    listed = ((f"[`{path}`](#{path.replace(' ', '-')})", _shortened(command)) for path, command in every)
    return _page(
        "Commands",
        "`memp COMMAND --help` says the same in a terminal. STORE is the path of a store, a DuckDB file.",
        _table(("command", "does"), listed),
        "## Before the command",
        "`memp [OPTIONS] COMMAND …`: what is the same for every command stands before it.",
        _options(cli, "memp"),
        _settings(),
        _exit_codes(),
        *(_command(path, command) for path, command in every),
        _suites(),
    )


def _shortened(command: click.Command) -> str:
    return _said(command.get_short_help_str(limit=HELP_LENGTH_MAX))


def _said(text: str) -> str:
    """Return a help text as Markdown: a command in quotes becomes code, a paragraph one line."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    joined = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return re.sub(r"'(memp [^']+)'", r"`\1`", joined).replace("<", "\\<")


def _command(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    usage = " ".join((path, *command.collect_usage_pieces(context)))
    parts = [f"## {path}", f"```text\n{usage}\n```", _said(command.help or ""), _options(command, path)]
    if isinstance(command, click.Group):
        parts[-1] = f"Commands: {', '.join(f'`{name}`' for name in sorted(command.commands))}."
    if isinstance(command, SuiteCommand):
        parts.append("With `--suite` it has the options of that [suite](#suites) besides.")
    return "\n\n".join(part for part in parts if part)


def _options(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path)
    own = (param.get_help_record(context) for param in command.params if isinstance(param, click.Option))
    rows = [(f"`{name}`", _said(said)) for name, said in filter(None, own)]
    return _table(("option", "says"), rows) if rows else ""


def _settings() -> str:
    rows = (
        (f"`{setting.name}`", f"`{setting.flag}`", ", ".join(f"`{name}`" for name in setting.environment), setting.says)
        for setting in SETTINGS
    )
    return "\n\n".join((
        "These, and some options of commands, are *settings*: what no flag says comes from the environment, and else "
        "from a file. [Configure the command line](../how-to/configure.md) explains it.",
        _table(("setting", "flag", "environment", "is"), rows),
    ))  # fmt: skip


def _exit_codes() -> str:
    rows = (
        ("0", "It did what was asked.", ""),
        ("1", "It met a mistake of its own, and shows where; please report it.", ""),
        *(
            (str(_code(group)), _summary(group), f"[`{group.__name__}`](errors.md#{group.__name__.lower()})")
            for group in _groups()
        ),
        ("130", "It was stopped, as by Ctrl-C; nothing is half-written.", ""),
    )
    return "\n\n".join((
        "## Exit codes",
        "The code says who can act. What is wrong stands on standard error, what a program reads on standard output.",
        _table(("code", "means", "error"), rows),
        "Options that are not understood end with 2 as well; `memp verify` and `memp doctor` end with 5 where a store "
        "is damaged, and say before that all that is wrong. Where an endpoint fails in the middle of `memp learn`, "
        "`drain`, `facts` or `bootstrap`, they keep and report what was done and end with 6: the rest waits.",
    ))  # fmt: skip


def _suites() -> str:
    parts = ["## Suites", "What `--suite NAME` can be, and what each can be told. Programs may register more."]
    for name in sorted(SHIPPED):
        maker = maker_named(name)
        told = click.Command(name, params=[suite_flag(name, option) for option in maker.options], add_help_option=False)
        # A terminal shows a suite's options among those of the command, with its name before what they say.
        parts += [f"### {name}", _said(maker.help), _options(told, name).replace(f"| {name}: ", "| ")]
    return "\n\n".join(part for part in parts if part)


# -- docstrings ------------------------------------------------------------------------------------------------------


def _told(cls: type) -> tuple[str, dict[str, str]]:
    """
    Return what the docstring of *cls* says, before its attributes and of each of them, those of its bases included.

    The form is that of all public classes here: ``Attributes:``, then ``name: text``, further lines indented more.
    """
    inherited: dict[str, str] = {}
    for base in reversed(cls.__mro__[1:-1]):
        if base.__doc__ and "Attributes:" in base.__doc__:
            inherited |= _told(base)[1]
    before, _, below = inspect.cleandoc(cls.__doc__ or "").partition("\n\nAttributes:\n")
    found = re.findall(r"^    (\w+): (.*(?:\n(?: {8}.*)?)*)", below, flags=re.MULTILINE)
    return _marked(before), inherited | {name: _marked(" ".join(said.split())) for name, said in found}


def _marked(text: str) -> str:
    """Return what a docstring says as Markdown: code has one back tick."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.replace("``", "`").split("\n\n"))


def _summary(cls: type) -> str:
    return _told(cls)[0].partition("\n\n")[0]


# -- events ----------------------------------------------------------------------------------------------------------


def events_page() -> str:
    """Return the page of all events, of the record around them and of the values in them."""
    types_ = sorted(EVENT_TYPES)
    values = _values(EVENT_TYPES[name] for name in types_)
    listed = (
        (f"[`{name}`](#{name})", _summary(EVENT_TYPES[name]), "yes" if name in UNDOABLE else "") for name in types_
    )
    return _page(
        "Events",
        "Everything that can happen to a memory. The log of these is all that is kept; the rest is folded from it. "
        "`memp log` lists them, [SQL](sql.md) asks for them, an [export](export.md) has them as text, and in Python "
        "they are the classes of `memp.events`.",
        _table(("event", "says", "can be undone"), listed),
        "What cannot be undone says what happened, names things, or is a setting, which is set again instead.",
        _record(),
        *(_event(name) for name in types_),
        "## Values",
        "What fields of events hold. Tuples are stored as JSON lists, classes as JSON objects.",
        *(_value(cls) for cls in values),
        _names(),
    )


def _record() -> str:
    _, attributes = _told(Record)
    hints = typing.get_type_hints(Record)
    names = Record.__struct_fields__
    rows = (
        (f"`{name}`", _spelled(hints[name]), attributes[name], "yes" if place < HASHED_FIELDS else "")
        for place, name in enumerate(names)
    )
    return "\n\n".join((
        "## The record",
        "What stands around every event. The digest covers the fields that are hashed, the body's digest among them "
        "and not the body: so a body can be purged, and the chain still verifies.",
        _table(("field", "type", "says", "hashed"), rows),
    ))  # fmt: skip


def _event(name: str) -> str:
    cls = EVENT_TYPES[name]
    said, _ = _told(cls)
    told: Any = inspect.getattr_static(cls, "stream")
    stream = told.fget(_Named())
    about = f"`{cls.__name__}`, form {cls.VERSION}, stream `{stream}`."
    return "\n\n".join((f"## {name}", said, about, _fields(cls)))


class _Named:
    """Stands for an event whose fields hold their own names, so that it tells how its stream is called."""

    def __getattr__(self, name: str) -> str:
        return name.upper()


def _value(cls: type) -> str:
    return "\n\n".join((f"### {cls.__name__}", _told(cls)[0], _fields(cls)))


def _fields(cls: type) -> str:
    said = _told(cls)[1]
    rows = ((f"`{name}`", _spelled(hint), said[name]) for name, hint in _hints(cls).items())
    return _table(("field", "type", "says"), rows)


def _hints(cls: type) -> dict[str, Any]:
    """Return the fields that are stored, in their order, with their types."""
    names = [field.name for field in attrs.fields(cls)] if attrs.has(cls) else list(cls.__struct_fields__)  # type: ignore[attr-defined]
    found = typing.get_type_hints(cls)
    return {name: found[name] for name in names}


def _is_value(hint: Any) -> bool:
    """Tell whether a type is a class of ours whose fields are stored."""
    return isinstance(hint, type) and (attrs.has(hint) or issubclass(hint, msgspec.Struct))


def _values(classes: Iterable[type]) -> list[type]:
    """Return the classes that are stored inside *classes*, however deep, by name."""
    seen: dict[str, type] = {}
    waiting = [hint for cls in classes for hint in _hints(cls).values()]
    while waiting:
        hint = waiting.pop()
        waiting += typing.get_args(hint)
        if _is_value(hint) and hint.__name__ not in seen:
            seen[hint.__name__] = hint
            waiting += _hints(hint).values()
    return [seen[name] for name in sorted(seen)]


SPELLED = (str, int, float, bool, bytes)
"""Types that are called by their Python names."""


def _spelled(hint: Any) -> str:
    """Return a type in words; those that have their own place on the page are links."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_spelled(arg) for arg in sorted(args, key=lambda arg: arg is types.NoneType))
    if origin is Literal:
        return " or ".join(f"`{value!r}`" for value in args)
    if origin is tuple:
        inner = [_spelled(arg) for arg in args if arg is not Ellipsis]
        return f"tuple of {inner[0]}" if Ellipsis in args else f"({', '.join(inner)})"
    if origin is dict:
        return "dict"
    if hint is types.NoneType:
        return "None"
    if isinstance(hint, NewType):
        return f"[{hint.__name__}](#names)"
    if _is_value(hint):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    assert hint in SPELLED, f"{hint} has no spelling yet"
    return str(hint.__name__)


def _names() -> str:
    """Return the types of ids and counts, with the docstrings below them, which only the source has."""
    body = ast.parse(inspect.getsource(memp.model)).body
    said = {
        line.targets[0].id: below.value.value
        for line, below in pairwise(body)
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }
    names = {name: made for name, made in sorted(vars(memp.model).items()) if isinstance(made, NewType)}
    rows = ((f"`{name}`", made.__supertype__.__name__, _marked(said[name])) for name, made in names.items())
    return "\n\n".join((
        "### Names",
        "Types of ids and counts, so that a type checker tells them apart.",
        _table(("name", "is a", "says"), rows),
    ))  # fmt: skip


# -- errors ----------------------------------------------------------------------------------------------------------


def _known() -> Mapping[type[MempError], int]:
    """Return every error with its place in the file, which is the order that they are explained in."""
    found = [made for made in vars(errors).values() if isinstance(made, type) and issubclass(made, MempError)]
    return {made: place for place, made in enumerate(found)}


def _below(cls: type[MempError]) -> list[type[MempError]]:
    order = _known()
    return sorted((made for made in order if made.__base__ is cls or cls in made.__bases__), key=order.__getitem__)


def _groups() -> list[type[MempError]]:
    return _below(MempError)


def errors_page() -> str:
    """Return the page of all errors: the tree, then what each carries."""
    return _page(
        "Errors",
        "Every exception that memp raises on purpose; all of them are names of `memp.errors`. They are grouped by who "
        "can act, and the groups are what callers catch. A message says what was expected, what came and the way out; "
        "the same pieces are attributes. The number is the [exit code](cli.md#exit-codes) of the command line.",
        "```text\n" + "\n".join(_branch(MempError)) + "\n```",
        *(_group(group) for group in _groups()),
    )


def _branch(cls: type[MempError], depth: int = 0) -> Iterator[str]:
    also = ", ".join(base.__name__ for base in cls.__bases__[1:])
    code = f"  {_code(cls)}" if depth == 1 else ""
    yield f"{'  ' * depth}{cls.__name__}{f' ({also})' if also else ''}{code}"
    for made in _below(cls):
        yield from _branch(made, depth + 1)


def _code(cls: type[MempError]) -> int:
    """Return the exit code of a class; it is asked of an instance that no constructor has filled."""
    return exit_code(cls.__new__(cls))


def _group(group: type[MempError]) -> str:
    parts = [f"## {group.__name__}", f"{_told(group)[0]} Exit code {_code(group)}."]
    for leaf in _all_below(group):
        said, attributes = _told(leaf)
        rows = [(f"`{name}`", told) for name, told in attributes.items()]
        parts += [f"### {leaf.__name__}", said, _table(("attribute", "says"), rows) if rows else ""]
    return "\n\n".join(part for part in parts if part)


def _all_below(cls: type[MempError]) -> Iterator[type[MempError]]:
    for made in _below(cls):
        yield made
        yield from _all_below(made)


if __name__ == "__main__":
    main()
