"""
From the bytes of a file to one JSON object for each line.

The standard library's JSON reader rather than msgspec, although it is several times slower: msgspec keeps the last of
two equal keys without a word, and a run whose ``action`` stands twice has lost half of what happened. What could not be
stored later (whole numbers beyond 64 bits, half surrogate pairs, nesting without end) is refused here, where the line
number is still known. Whether a file is compressed is seen from its first two bytes, because names lie.
"""

from __future__ import annotations

import collections
import contextlib
import gzip
import itertools
import json
import math
import os
import re
import stat
import zlib
from typing import IO, TYPE_CHECKING, Any

import attrs

from memp.errors import InvalidInputError, NotFoundError
from memp.model import canonical_bytes
from memp.reading.fields import Place, describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memp.errors import TrajectoryFormatError

GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

LINE_BYTES_MAX = 16 * 2**20
"""Longest line in bytes. A run of a thousand steps with a page of text each has 4 MB; a longer line than this is a file
without line ends, or a small compressed file that unfolds until memory is gone."""

DEPTH_MAX = 64
"""How many objects and lists may lie in each other. Tool results nest five to ten deep; whatever walks a run later
recurses, so the bound is far below the interpreter's own."""

INTEGER_MIN, INTEGER_MAX = -(2**63), 2**64 - 1
"""Whole numbers that the canonical encoder can write; a longer id belongs in a string."""

ONE_OBJECT = "one JSON object for each line"
WHOLE = "a whole file; the lines before this one are good"

_HALF_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@attrs.frozen(kw_only=True)
class Line:
    """
    One line that is not blank.

    Attributes:
        place: Where it stands.

        data: Its bytes, without a byte order mark.

        error: Why it could not be read; None for an ordinary line.
    """

    place: Place
    data: bytes = b""
    error: TrajectoryFormatError | None = None


class _RefusedError(ValueError):
    """What JSON allows, or Python's reader lets through, and memp does not."""


def check_file(path: str | os.PathLike[str]) -> str:
    """
    Return *path* as text if there is something that can be read. It is not opened, because a pipe opens only once.

    Raises:
        NotFoundError: There is nothing at *path*.

        InvalidInputError: It is a directory, or reading it is not allowed.
    """
    name = os.fspath(path)
    with _clear_errors(name):
        if stat.S_ISDIR(os.stat(name).st_mode):
            raise IsADirectoryError
        if not os.access(name, os.R_OK):
            raise PermissionError("permission denied")
    return name


def read_lines(path: str) -> Iterator[Line]:
    """
    Yield the lines of *path* that are not blank, uncompressed if need be.

    A file that breaks off (a truncated gzip) ends with a line whose ``error`` says so: what came before it is good.
    """
    with _clear_errors(path), open(path, "rb") as raw:
        packed = raw.peek(len(GZIP_MAGIC))[: len(GZIP_MAGIC)] == GZIP_MAGIC
        stream: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=raw) if packed else raw
        for number in itertools.count(1):
            place = Place(path=path, line=number)
            try:
                data = stream.readline(LINE_BYTES_MAX + 1)
                rest = data
                while len(rest) > LINE_BYTES_MAX and not rest.endswith(b"\n"):
                    rest = stream.readline(LINE_BYTES_MAX + 1)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                yield Line(
                    place=place, error=place.mistake(f"The gzip data end or are damaged here: {error}.", expected=WHOLE)
                )
                return
            if not data:
                return
            if len(data) > LINE_BYTES_MAX:
                too_long = place.mistake("The line is too long.", expected=f"at most {LINE_BYTES_MAX} bytes a line")
                yield Line(place=place, error=too_long)
                continue
            if number == 1:
                data = data.removeprefix(BYTE_ORDER_MARK)
            if data.strip():
                yield Line(place=place, data=data)


def parse_object(line: Line) -> dict[str, Any]:
    """
    Return the JSON object that *line* holds.

    Raises:
        TrajectoryFormatError: The line is anything else; the message says what and where in the line.
    """
    place = line.place
    if line.error is not None:
        raise line.error
    try:
        value = _decoder.decode(line.data.decode("utf-8"))
        _check_depth(value)
        if _HALF_SURROGATE.search(line.data):
            canonical_bytes(value)
    except UnicodeDecodeError as error:
        raise place.mistake(f"Byte {error.start + 1} of the line is not UTF-8.", expected="UTF-8 text") from None
    except UnicodeEncodeError:
        raise place.mistake("A string holds half of a surrogate pair.", expected="whole characters") from None
    except json.JSONDecodeError as error:
        raise place.mistake(f"Not JSON: {error.msg} (column {error.colno}).", expected=ONE_OBJECT) from None
    except RecursionError:
        raise place.mistake("The line is nested too deeply.", expected=f"at most {DEPTH_MAX} levels") from None
    except _RefusedError as error:
        raise place.mistake(f"{error}", expected=ONE_OBJECT) from None
    if not isinstance(value, dict):
        raise place.mistake(f"The line holds {describe(value)}.", expected=f"{ONE_OBJECT}, a run each")
    return value


@contextlib.contextmanager
def _clear_errors(path: str) -> Iterator[None]:
    """Say what is wrong with a file in the words of this project; the operating system's own words come along."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"There is no file {path!r} to read runs from.") from None
    except IsADirectoryError:
        raise InvalidInputError(f"{path!r} is a directory; runs are read from files. Name the files in it.") from None
    except OSError as error:
        raise InvalidInputError(f"The file {path!r} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        # The operating system is not even asked about a name with a null character in it.
        raise InvalidInputError(f"The file name {path!r} cannot be used: {error}.") from error


def _check_depth(value: object) -> None:
    """Raise RecursionError if *value* nests deeper than ``DEPTH_MAX``, without recursing itself."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            member
            for container in level
            if isinstance(container, dict | list)
            for member in (container.values() if isinstance(container, dict) else container)
            if isinstance(member, dict | list)
        ]
        if not level:
            return
    raise RecursionError


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        ((double, _),) = collections.Counter(key for key, _ in pairs).most_common(1)
        raise _RefusedError(f"The key {double!r} stands twice in one object, so one of its values would be lost.")
    return values


def _parse_integer(text: str) -> int:
    # 20 characters hold every number in range; longer ones are refused before Python spends time on their digits.
    value = int(text) if len(text) <= len(str(INTEGER_MIN)) else INTEGER_MAX + 1
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise _RefusedError(f"The number {text[:24]}… has more than 64 bits; an id of that length belongs in a string.")
    return value


def _parse_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _RefusedError(f"The number {text[:24]} is too large for a float.")
    return value


def _refuse_constant(text: str) -> float:
    raise _RefusedError(f"{text} is not JSON; write null for a value that is not known.")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object_without_doubles,
    parse_int=_parse_integer,
    parse_float=_parse_float,
    parse_constant=_refuse_constant,
)
