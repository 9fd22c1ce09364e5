"""
Checked access to the fields of one line, with a complaint that names the field, what was expected and what came.

A schema library would be shorter, but its messages speak of types and validators; people who feed logs need to hear
``'steps[3].action' must be a string (got 7)``. Every format reads its line through this door, so they all say it alike.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs

from memp.errors import TrajectoryFormatError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

SHOWN_CHARACTERS_MAX = 60
"""How much of a wrong value a message repeats: enough to find it in the line, short enough for a terminal."""


@attrs.frozen(kw_only=True)
class Place:
    """
    Where a line stands, so that every complaint can say so.

    Attributes:
        path: The file as it was named.

        line: Line number, from 1.
    """

    path: str
    line: int

    def mistake(self, message: str, *, expected: str) -> TrajectoryFormatError:
        """Return the error to raise: *message* is a sentence, *expected* goes on after the word "Expected"."""
        return TrajectoryFormatError(message, path=self.path, line=self.line, expected=expected)


@attrs.frozen(kw_only=True)
class Fields:
    """
    One JSON object of a line.

    Attributes:
        values: The object itself; never changed.

        place: The line it stands in.

        at: Path from the top of the line, such as ``steps[3]``; empty for the line itself.
    """

    values: dict[str, Any]
    place: Place
    at: str = ""

    def name(self, key: str) -> str:
        """Return the path of the field *key*, as messages show it."""
        return f"{self.at}.{key}" if self.at else key

    def mistake(self, key: str, *, expected: str) -> TrajectoryFormatError:
        """Return the error that says what *key* holds instead of what was *expected*."""
        if key not in self.values:
            return self.place.mistake(
                f"{self.name(key)!r} is missing.", expected=f"{self.name(key)!r} to be {expected}"
            )
        came = describe(self.values[key])
        return self.place.mistake(f"{self.name(key)!r} cannot be {came}.", expected=expected)

    def text(self, key: str) -> str:
        """Return the string *key*, which must be there; it may be empty."""
        value = self.values.get(key)
        if not isinstance(value, str):
            raise self.mistake(key, expected="a string")
        return value

    def filled_text(self, key: str) -> str:
        """Return the string *key*, which must be there and say something."""
        value = self.values.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.mistake(key, expected="a string that is not empty")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return the string *key*; None if it is missing or null."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise self.mistake(key, expected="a string, or null")
        return value

    def optional_label(self, key: str) -> str | None:
        """Return *key* as text; a whole number is taken too, because many sources number their tasks."""
        value = self.values.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is not None and not isinstance(value, str):
            raise self.mistake(key, expected="a string or a whole number, or null")
        return value

    def optional_number(self, key: str) -> float | None:
        """Return the finite number *key*; None if it is missing or null."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.mistake(key, expected="a finite number, or null where it is not known")
        return float(value)

    def optional_flag(self, key: str) -> bool | None:
        """Return the truth value *key*; None if it is missing or null."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.mistake(key, expected="true or false, or null where it is not known")
        return value

    def object(self, key: str) -> Fields:
        """Return the object *key*, which must be there."""
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise self.mistake(key, expected="an object")
        return Fields(values=value, place=self.place, at=self.name(key))

    def objects(self, key: str, *, of: str) -> Iterator[Fields]:
        """Yield the members of the list *key*, each of which must be an object; *of* says what they are."""
        value = self.values.get(key)
        if not isinstance(value, list):
            raise self.mistake(key, expected=f"a list of {of}")
        for number, member in enumerate(value):
            path = f"{self.name(key)}[{number}]"
            if not isinstance(member, dict):
                raise self.place.mistake(
                    f"{path!r} cannot be {describe(member)}.", expected=f"an object, one of the {of}"
                )
            yield Fields(values=member, place=self.place, at=path)

    def rest(self, known: Collection[str]) -> dict[str, Any]:
        """
        Return what the source said beyond the *known* fields; nulls are left out, because they say nothing.

        An object under ``extra`` is laid flat: that is how memp itself writes a run, and so it reads back the same.
        """
        extra = self.values.get("extra")
        skipped = {*known, "extra"}
        rest = {key: value for key, value in self.values.items() if key not in skipped and value is not None}
        if extra is None:
            return rest
        if not isinstance(extra, dict):
            return {**rest, "extra": extra}
        twice = sorted(set(extra) & set(self.values))
        if twice:
            raise self.place.mistake(
                f"{self.name('extra')!r} holds {twice[0]!r}, which stands beside it as well.",
                expected="every field to be given once",
            )
        return {**rest, **extra}


def describe(value: object) -> str:
    """Return *value* as a message shows it: its kind, and the beginning of its text if it has one."""
    match value:
        case None:
            return "null"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"an object with {', '.join(map(repr, list(value)[:5])) or 'no fields'}"
        case _:
            shown = repr(value)
            return shown if len(shown) <= SHOWN_CHARACTERS_MAX else f"{shown[:SHOWN_CHARACTERS_MAX]}…"
