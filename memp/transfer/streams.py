"""
Plain, gzip and zstd files as streams of bytes.

Written by the name that the user chose, read by the first bytes: a file that was renamed is still what it is. zstd is a
library because Python 3.11 has none; packing with it costs next to nothing beside making the lines, where gzip costs
three times as much as all the rest.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"

ZSTD_LEVEL = 6
"""Packs tighter than gzip; what dominates is making the lines all the same."""

READ_BYTES = 1 << 20
"""How much is unpacked at a time."""

UNREADABLE = (OSError, EOFError, zlib.error, zstandard.ZstdError)
"""What reading a damaged stream raises."""


@contextlib.contextmanager
def packed(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Yield what is written to so that *file*, named *name* in the end, gets it packed as its name says."""
    if name.endswith(".zst"):
        compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True)
        with compressor.stream_writer(file, closefd=False) as stream:
            yield cast(BinaryIO, stream)
    elif name.endswith(".gz"):
        # No name and no time inside: the same store gives the same bytes.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as stream:
            yield cast(BinaryIO, stream)
    else:
        yield file


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """
    Yield the bytes of the file at *path*, unpacked.

    Raises:
        OSError: It cannot be opened.
    """
    with path.open("rb") as file:
        magic = file.read(len(ZSTD_MAGIC))
        file.seek(0)
        if magic == ZSTD_MAGIC:
            reader = zstandard.ZstdDecompressor().stream_reader(file, closefd=False)
            yield io.BufferedReader(cast(io.RawIOBase, reader), READ_BYTES)
        elif magic.startswith(GZIP_MAGIC):
            with gzip.GzipFile(fileobj=file, mode="rb") as stream:
                yield cast(BinaryIO, stream)
        else:
            yield file
