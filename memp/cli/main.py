"""Where all commands come together, and where errors become exit codes."""

from __future__ import annotations

import sys
import warnings

import click

from memp.cli import (
    bisect,
    change,
    config,
    demo,
    duplicates,
    embedders,
    evaluate,
    explain,
    gate,
    learn,
    live,
    models,
    options,
    packs,
    read,
    record,
    script,
    store,
    upkeep,
    versions,
)
from memp.cli.exits import exit_code
from memp.errors import MempError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="memp", prog_name="memp")
@options.setting("scope", "Whose memory it is, a path such as team/agent.", before=True)
@options.setting("embedder", "What compares texts: hashed, sentence:FOLDER or openai:MODEL.", before=True)
@options.setting(
    "mask", "Mask what looks like a secret before it is stored or sent.", flag="--mask/--no-mask", before=True
)
def cli(scope: str | None, embedder: str | None, mask: bool | None) -> None:
    """
    Version control for what an LLM agent knows how to do.

    What is not given as an option comes from the environment, and else from memp.toml: see 'memp config'.
    """
    del scope, embedder, mask  # commands read them from the context when they open a store


MODULES = (
    demo,
    learn,
    live,
    models,
    read,
    explain,
    duplicates,
    change,
    versions,
    script,
    store,
    upkeep,
    config,
    embedders,
    packs,
    evaluate,
    bisect,
    gate,
    record,
)

for module in MODULES:
    for command in module.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """Run the command line; the exit code tells who can act: see ``memp.cli.exits``."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        _run()


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning: whoever types a command wants to read what is the matter, not which line of memp noticed it."""
    from memp.cli.output import plain

    click.echo(f"Warning: {plain(str(message))}", err=True)


def _run() -> None:
    from memp.cli.output import plain

    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped; nothing was half-written.", err=True)
        sys.exit(130)
    except MempError as error:
        click.echo(f"Error: {plain(str(error))}", err=True)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        # Somebody closed the pipe ('| head'). Python would complain once more when it flushes at exit.
        sys.stderr.close()
        sys.exit(0)
