"""``memp config``: what is set, and where each value comes from."""

from __future__ import annotations

import os
from typing import Any

import click
from click.core import ParameterSource

from memp.cli import options
from memp.config import SECRETS, SETTINGS, Setting


@click.command()
@options.actor
@options.model
@options.base_url
@options.mode
@options.as_json
@click.pass_context
def config(context: click.Context, /, as_json: bool, **_: Any) -> None:
    """
    Show every setting and where its value comes from; a key is never shown.

    A flag comes before a variable of the environment, and that before the nearest memp.toml, or [tool.memp] of a
    pyproject.toml, from the current folder upwards.
    """
    from memp.cli.output import console, pairs, print_json, row, table

    rows = [_shown(context, setting) for setting in SETTINGS]
    for name, variables in SECRETS.items():
        found = _set_by(variables)
        rows.append(
            {"name": name, "value": "set" if found else None, "origin": f"environment, {found}" if found else "nowhere"}
        )
    file = options.settings_file()
    if as_json:
        print_json({"file": None if file is None else str(file), "settings": rows})
        return
    shown = table("setting", "value", "from", wide="value")
    for one in rows:
        row(shown, one["name"], _in_words(one["value"]), one["origin"])
    out = console()
    out.print(shown)
    out.print()
    out.print(pairs({"file": "none found" if file is None else file}))


def _shown(context: click.Context, setting: Setting) -> dict[str, Any]:
    """Return name, value and origin of a setting, as click found them."""
    from memp.masking import mask

    where = context if setting.name in context.params else context.find_root()
    value = where.params[setting.name] if where is context else options.for_every_command(setting.name)
    match where.get_parameter_source(setting.name):
        case ParameterSource.COMMANDLINE:
            origin = f"flag {setting.flag}"
        case ParameterSource.ENVIRONMENT:
            origin = f"environment, {_set_by(setting.environment)}"
        case _:
            file = options.settings_file()
            origin = "default" if file is None or setting.name not in file.values else f"file, {file}"
    # An address may carry a password, and a key is easily pasted into the wrong line.
    return {"name": setting.name, "value": mask(value) if isinstance(value, str) else value, "origin": origin}


def _set_by(variables: tuple[str, ...]) -> str:
    """Return the variable that counts; empty if none of them is set."""
    return next((name for name in variables if os.environ.get(name)), "")


def _in_words(value: str | bool | None) -> str:
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case _:
            return value


COMMANDS = (config,)
