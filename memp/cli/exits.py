"""Exit codes: one table over the groups of errors, so that a script can tell who has to act."""

from __future__ import annotations

import sys
from typing import NoReturn

from memp.errors import ConflictError, CorruptStoreError, InvalidInputError, MempError, NotFoundError, ServiceError

EXIT_CODES: tuple[tuple[type[MempError], int], ...] = (
    (InvalidInputError, 2),
    (NotFoundError, 3),
    (ConflictError, 4),
    (CorruptStoreError, 5),
    (ServiceError, 6),
)
"""Group of errors to exit code. 2 is also what click gives for options that it does not understand."""


def end_waiting(what: str) -> NoReturn:
    """
    End a command that did a part of its work, because an endpoint failed, as that failure would have ended it.

    What it did it has reported by now, and what is left waits on record; but whoever called it in a script must not
    take a part for the whole.

    Args:
        what: What waits, and what to do about it, for people.
    """
    import click

    from memp.cli.output import plain

    click.echo(plain(what), err=True)
    sys.exit(exit_code(ServiceError()))


def exit_code(error: MempError) -> int:
    """Return the exit code of *error*; 1 for one that is in no group."""
    return next((code for group, code in EXIT_CODES if isinstance(error, group)), 1)
