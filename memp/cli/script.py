"""Scripts and toolsets: ``check``, ``format``, ``toolset`` and ``add``."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memp.cli import options

if TYPE_CHECKING:
    from memp.script.mistakes import Mistake
    from memp.script.nodes import Script
    from memp.script.toolset import Toolset

STDIN = "-"
"""The file name that means standard input."""

scripts = click.argument("scripts", metavar="SCRIPT...", nargs=-1, required=True, type=click.Path(allow_dash=True))
toolset_option = click.option(
    "--toolset",
    default=None,
    metavar="DIR",
    help="Toolset: a folder, a file or a name. Default: the one in the folder.",
)


def _text(path: str) -> str:
    """
    Return the source at *path*.

    Raises:
        NotFoundError: There is no such file.

        InvalidInputError: It is no text in UTF-8, or larger than a source may be.
    """
    import memp
    from memp.script.loader import FILE_BYTES_MAX

    if path == STDIN:
        return sys.stdin.read(FILE_BYTES_MAX)
    try:
        with Path(path).open("rb") as stream:
            return stream.read(FILE_BYTES_MAX).decode("utf-8")
    except FileNotFoundError as error:
        raise memp.NotFoundError(f"There is no file {path!r}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise memp.InvalidInputError(f"{path!r} must be a text in UTF-8 ({error}).") from error


def _toolset_for(path: str, given: str | None) -> Toolset | None:
    """Return the toolset that the script at *path* is to speak; None leaves it to what the script imports."""
    from memp.script.loader import TOOLS_FILE, TOOLSET_FILE, load_toolset

    if given is not None:
        return load_toolset(given)
    folder = Path(path).parent
    if path != STDIN and any((folder / name).is_file() for name in (TOOLSET_FILE, TOOLS_FILE)):
        return load_toolset(folder)
    return None


def _read(path: str, given: str | None) -> Sequence[Script]:
    """Return the scripts at *path*; none for a toolset, which is checked as such."""
    from memp.script.loader import TOOLSET_FILE, load_scripts, load_toolset
    from memp.script.parser import parse_script

    if Path(path).is_dir():
        return load_scripts(path, None if given is None else load_toolset(given))
    if Path(path).name == TOOLSET_FILE:
        load_toolset(Path(path).parent)
        return ()
    return (parse_script(_text(path), _toolset_for(path, given), path=path),)


@click.command()
@scripts
@toolset_option
def check(scripts: tuple[str, ...], toolset: str | None) -> None:
    """
    Check the files or folders SCRIPT and tell every mistake; '-' reads standard input.

    Nothing in a script is ever executed. A file beside a toolset is checked against it, another against what it
    imports.
    """
    import memp
    from memp.cli.output import console, counted

    mistakes: list[object] = []
    procedures = 0
    for path in scripts:
        try:
            procedures += sum(len(script.procedures) for script in _read(path, toolset))
        except memp.ScriptError as error:
            mistakes += error.mistakes
    if mistakes:
        raise memp.ScriptError(mistakes)
    console().print(f"{counted(procedures, 'procedure')} checked, no mistakes.")


@click.command(name="format")
@scripts
@click.option("--diff", is_flag=True, help="Show what would change, and write nothing.")
@toolset_option
def format_(scripts: tuple[str, ...], diff: bool, toolset: str | None) -> None:
    """
    Write the files SCRIPT in their canonical form, comments kept; '-' reads standard input and prints.

    All of them are checked first: if one has mistakes, none is written.
    """
    import memp
    from memp.script.formatter import format_script
    from memp.script.parser import parse_script

    mistakes: list[Mistake] = []
    formatted: list[tuple[str, str, str]] = []
    for path in scripts:
        before = _text(path)
        try:
            script = parse_script(before, _toolset_for(path, toolset), path=path)
        except memp.ScriptError as error:
            mistakes += error.mistakes  # type: ignore[arg-type]
            continue
        formatted.append((path, before, format_script(script, comments=True)))
    if mistakes:
        raise memp.ScriptError(mistakes)
    changed = 0
    for path, before, after in formatted:
        changed += before != after
        if diff:
            _print_diff(path, before, after)
        elif path == STDIN:
            click.echo(after, nl=False)
        elif before != after:
            Path(path).write_text(after, encoding="utf-8")
    if scripts != (STDIN,):
        from memp.cli.output import console, counted

        would = "would change" if diff else "written anew"
        console(stderr=True).print(f"{counted(changed, 'file')} {would}, {len(formatted) - changed} as they should be.")


def _print_diff(path: str, before: str, after: str) -> None:
    from memp.cli.output import plain

    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), path, f"{path} (formatted)", lineterm="")
    for line in lines:
        click.echo(plain(line))


@click.group()
def toolset() -> None:
    """Show a toolset, or make one."""


@toolset.command()
@click.argument("where", metavar="DIR")
def show(where: str) -> None:
    """Print the toolset DIR in canonical form: a folder, a file, or the name of one that ships."""
    from memp.script.loader import load_toolset

    _print_source(load_toolset(where))


@toolset.command(name="from-openai")
@click.argument("tools", metavar="TOOLS.JSON", type=click.Path(dir_okay=False))
def from_openai(tools: str) -> None:
    """Print the toolset that an OpenAI tools list makes; its name is the file's."""
    from memp.script.loader import load_toolset

    _print_source(load_toolset(tools))


def _print_source(made: Toolset) -> None:
    print_script(made.to_text(), made)


def print_script(text: str, spoken: Toolset | None) -> None:
    """Print a script or a toolset; with colours where they are seen."""
    from memp.cli.output import console, plain
    from memp.script.highlight import highlight, to_terminal

    shown = plain(text.rstrip())
    if console().is_terminal:
        click.echo(to_terminal(highlight(shown, spoken)), color=True)
    else:
        click.echo(shown)


@click.command()
@options.store
@scripts
@toolset_option
@click.option("--name", default=None, help="What to call it; only for a script of one procedure.")
@click.option("--tag", "tags", multiple=True, help="A word to filter by; may be given more than once.")
@options.branch
@options.actor
@options.as_json
def add(
    store: str,
    scripts: tuple[str, ...],
    toolset: str | None,
    name: str | None,
    tags: tuple[str, ...],
    branch: str,
    actor: str,
    as_json: bool,
) -> None:
    """
    Add the procedures that are written in the files SCRIPT; '-' reads standard input.

    A store that is not there is made. All files are checked before anything is written; the procedures of one file
    are one operation.
    """
    from memp.cli.output import console, counted, print_json
    from memp.cli.views import record_json

    sources = [(path, _text(path), _toolset_for(path, toolset)) for path in scripts]
    with options.open_for_writing(store, actor=actor, create=True, branch=branch) as memory:
        for path, text, spoken in sources:
            memory.read_script(text, toolset=spoken, path=path)
        records = [memory.add(text, toolset=spoken, name=name, tags=tags) for _, text, spoken in sources]
    if as_json:
        print_json([record_json(record) for record in records])
        return
    added = sum(record.batch_size for record in records)
    console().print(f"{counted(added, 'procedure')} added.")


COMMANDS = (check, format_, toolset, add)
