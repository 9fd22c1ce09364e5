"""
Surface forms: how an environment spells an action, with ``{slots}`` for the arguments.

``go to {place}``, ``put {thing} in/on {place}``, ``respond: {message}`` and ``book_flight({...})``, where ``{...}``
stands for all arguments as one JSON object. The same notation, without ``{...}``, serves for task patterns and for
the markers of observations, where ``*`` stands for anything. Python's ``str.format`` was not taken: it reads
attributes and indexes.
"""

from __future__ import annotations

import functools
import re
from typing import TypeAlias

import attrs

_PIECES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)

ARGUMENTS = "..."
"""The slot that stands for all arguments as one JSON object."""


@attrs.frozen
class Slot:
    """The place of an argument in a form; ``...`` for all of them."""

    name: str


Piece: TypeAlias = str | Slot


class FormError(ValueError):
    """A form cannot be read; the message says why."""


@functools.lru_cache(maxsize=4096)
def split_form(text: str) -> tuple[Piece, ...]:
    """
    Return the texts and slots of a form, in order, no text empty.

    Raises:
        FormError: A brace is not closed, or a slot is no identifier.
    """
    pieces: list[Piece] = []
    for found in _PIECES.finditer(text):
        token, name = found.group(0), found.group(1)
        if name is not None:
            if name != ARGUMENTS and not _IDENTIFIER.match(name):
                raise FormError(f"a slot must be a parameter's name in braces, such as '{{thing}}' (got {token!r})")
            pieces.append(Slot(name))
            continue
        if token in "{}":
            raise FormError(f"the brace {token!r} has no partner; write it twice to mean the character itself")
        literal = token[0] if token in ("{{", "}}") else token
        if pieces and isinstance(pieces[-1], str):
            pieces[-1] += literal
        else:
            pieces.append(literal)
    return tuple(pieces)


def join_form(pieces: tuple[Piece, ...]) -> str:
    """Return the text of a form, so that ``split_form(join_form(p)) == p``."""
    return "".join(
        f"{{{piece.name}}}" if isinstance(piece, Slot) else piece.replace("{", "{{").replace("}", "}}")
        for piece in pieces
    )


def slot_names(text: str) -> tuple[str, ...]:
    """
    Return the names of the slots of a form, in order.

    Raises:
        FormError: The form cannot be read.
    """
    return tuple(piece.name for piece in split_form(text) if isinstance(piece, Slot))


def rename_slots(text: str, names: dict[str, str]) -> str:
    """Return the form with its slots renamed; names that are not in *names* stay."""
    pieces = split_form(text)
    return join_form(tuple(Slot(names.get(p.name, p.name)) if isinstance(p, Slot) else p for p in pieces))


@functools.lru_cache(maxsize=4096)
def compile_marker(text: str) -> re.Pattern[str]:
    """Return the expression that an observation must match as a whole; ``*`` is anything, case and spacing are free."""
    pieces = [r"\s+".join(re.escape(word) for word in part.split(" ")) for part in " ".join(text.split()).split("*")]
    return re.compile(".*?".join(pieces), re.IGNORECASE | re.DOTALL)
