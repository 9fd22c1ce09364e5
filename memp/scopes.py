"""
Scopes: whose something is, as a path such as ``team/agent``.

A reader sees what its own scope holds and what the scopes above it hold; never what stands beside or below it. The
empty path is everybody's. Scopes keep what agents learn apart; they keep no secrets from whoever can open the file.
"""

from __future__ import annotations

import re
from functools import lru_cache

from memp.errors import InvalidInputError

EVERYBODY = ""
"""The scope that all others stand below."""

_SCOPE = re.compile(r"[^\s/]+(?: [^\s/]+)*(?:/[^\s/]+(?: [^\s/]+)*)*")


def check_scope(scope: object) -> str:
    """
    Return *scope* if something may belong to it.

    Raises:
        InvalidInputError: It is no path of names between single slashes.
    """
    if not isinstance(scope, str) or (scope and not _SCOPE.fullmatch(scope)):
        raise InvalidInputError(
            f"'scope' must be a path such as team/agent, without a slash at either end; empty for everybody's "
            f"(got {scope!r})."
        )
    return scope


@lru_cache(maxsize=1024)
def readable(scope: str) -> tuple[str, ...]:
    """Return the scopes that a reader in *scope* sees: everybody's first, its own last."""
    parts = scope.split("/") if scope else []
    return (EVERYBODY, *("/".join(parts[:count]) for count in range(1, len(parts) + 1)))


def is_within(scope: str, holder: str) -> bool:
    """Return whether *scope* is *holder* or stands below it."""
    return holder in readable(scope)


def share_a_view(one: str, other: str) -> bool:
    """Return whether some reader sees both."""
    return is_within(one, other) or is_within(other, one)


def check_within(scope: str, holder: str) -> str:
    """
    Return *scope* if it is *holder* or stands below it.

    Raises:
        InvalidInputError: It is no path, or stands elsewhere.
    """
    if not is_within(check_scope(scope), holder):
        raise InvalidInputError(
            f"'scope' must be {holder!r} or below it, because this memory was opened there (got {scope!r}). "
            "Open the store with the other scope."
        )
    return scope
