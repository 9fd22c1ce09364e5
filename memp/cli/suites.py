"""
How commands take a suite: its name, seed and number of tasks, and whatever else that suite can be told.

A suite declares its options, so a command that measures has those of the suite that was named: ``memp eval STORE
--suite alfworld --games DIR``, and ``--help`` behind a suite explains them. One set of options for all suites was not
taken: a user's own suite could not add any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from memp.evaluation.suite import Suite, SuiteOption

_META = "memp.suite"

SUITE_FLAG = "--suite"


class SuiteCommand(click.Command):
    """A command with ``--suite`` that has the options of the suite that is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look which suite is named before the arguments are read."""
        for place, arg in enumerate(args):
            if arg == SUITE_FLAG and place + 1 < len(args):
                ctx.meta[_META] = args[place + 1]
            elif arg.startswith(f"{SUITE_FLAG}="):
                ctx.meta[_META] = arg.partition("=")[2]
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own options, and those of the suite."""
        own = super().get_params(ctx)
        name = ctx.meta.get(_META)
        if name is None:
            return own
        from memp.evaluation.suite import maker_named

        taken = {param.name for param in own}
        return [*own, *(suite_flag(name, option) for option in maker_named(name).options if option.name not in taken)]


def suite_flag(suite: str, option: SuiteOption) -> click.Option:
    """Return *option* of the suite called *suite* as one of the command line."""
    shown = "  [required]" if option.required else ""
    if option.default not in (None, "") and option.default is not False:
        shown = f"  [default: {option.default}]"
    flag = option.name.replace("_", "-")
    return click.Option(
        [f"--{flag}/--no-{flag}" if option.type is bool else f"--{flag}", option.name],
        type=option.type,
        default=None,
        help=f"{suite}: {option.help}{shown}",
    )


def suite_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what names a suite; the command takes the suite's own options as further keywords."""
    for option in (
        click.option("-n", "n", type=int, default=None, help="How many tasks; the suite decides if left out."),
        click.option("--seed", type=int, default=None, help="Decides which tasks, and a sample of runs."),
        click.option(SUITE_FLAG, metavar="NAME", default=None, help="What is done; its options: --suite NAME --help."),
    ):
        command = option(command)
    return command


def check_one_of(suite: str | None, replay: str | None) -> None:
    """
    Refuse a command line that does not say what to measure on, or says it twice.

    Raises:
        UsageError: Neither a suite nor held-out runs are named, or both.
    """
    if suite is None and replay is None:
        raise click.UsageError("Name what to measure on: --suite NAME, or --replay FILE with held-out runs.")
    if suite is not None and replay is not None:
        raise click.UsageError("--suite and --replay exclude each other: agents act in the one, nobody in the other.")


def given_suite(name: str, *, seed: int | None, n: int | None, options: Mapping[str, Any]) -> Suite:
    """
    Return the suite that the command line names.

    Args:
        name: Its name.

        seed: The seed; None takes the usual one.

        n: How many tasks; None leaves it to the suite.

        options: What the command got for the suite's own options; None where nothing was said.

    Raises:
        InvalidInputError: There is no such suite, or a value is out of range.
    """
    from memp.evaluation.suite import SEED, suite

    said = {option: value for option, value in options.items() if value is not None}
    return suite(name, seed=SEED if seed is None else seed, n=n, **said)
