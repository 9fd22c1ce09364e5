"""
Reading recorded runs from files, in the forms that people have them.

One run is one line, so that a file of a million runs needs the memory of one, and a bad line costs only itself. The
obvious alternative, to ask users to convert their logs first, would put the conversion, and its mistakes, where nobody
tests them. Each format has a file of its own; ``recognise`` tells them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memp.errors import InvalidInputError, TrajectoryFormatError
from memp.reading.fields import Fields
from memp.reading.lines import check_file, parse_object, read_lines
from memp.reading.recognise import READERS, recognise

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from memp.model import Trajectory
    from memp.reading.lines import Line

__all__ = ["AUTO", "FORMATS", "read_trajectories"]

AUTO = "auto"
"""Recognise the format of every line."""

FORMATS = (AUTO, *READERS)
"""What ``format`` can be."""


def read_trajectories(
    path: str | os.PathLike[str],
    *,
    format: str = AUTO,
    on_bad_line: Callable[[TrajectoryFormatError], object] | None = None,
) -> Iterator[Trajectory]:
    """
    Return the runs in the file *path*, one for each line, read as they are asked for.

    The file is JSON lines in UTF-8, plain or gzip (seen from its content), with or without a byte order mark; blank
    lines are skipped. That there is such a file and such a format is checked at once, the lines when their turn comes.

    Args:
        path: The file; a named pipe will do for ``AUTO`` files that are read once.

        format: One of ``FORMATS``: ``auto`` recognises each line; ``rows``, ``openai`` or ``react`` force one format.

        on_bad_line: Called with the error of each line that cannot be read; reading goes on after it, so
            ``errors.append`` collects them. None: the first bad line raises its error. Where a file breaks off (a
            truncated gzip) the call is the last one.

    Raises:
        TrajectoryFormatError: A line cannot be read; carries path, line and what was expected.

        NotFoundError: There is no file at *path*.

        InvalidInputError: *path* is a directory or cannot be read, or *format* is not known.
    """
    if format not in FORMATS:
        raise InvalidInputError(f"'format' must be one of {', '.join(map(repr, FORMATS))} (got {format!r}).")
    return _read(check_file(path), format, on_bad_line)


def _read(
    path: str, format: str, on_bad_line: Callable[[TrajectoryFormatError], object] | None
) -> Iterator[Trajectory]:
    for line in read_lines(path):
        try:
            run = _read_line(line, format)
        except TrajectoryFormatError as error:
            if on_bad_line is None:
                raise
            on_bad_line(error)
        else:
            yield run


def _read_line(line: Line, format: str) -> Trajectory:
    row = Fields(values=parse_object(line), place=line.place)
    return READERS[recognise(row) if format == AUTO else format](row)
