"""
A pack: procedures as a file of their own, to be taken from one store to another.

An export is a whole log and makes the same log again. A pack is what somebody would hand on: what some procedures say,
the toolsets that they speak, and what is known of them where they come from. It holds no runs that they were built
from, no episodes and no vectors; the store that takes it in makes its own. The form is that of exports: JSON lines with
a digest of all of them in the last, packed with zstd.

A signature is an HMAC with a key that both sides have in a file. It proves that whoever made the pack had the key and
that nothing was changed since; it proves nothing to those who do not have the key, and either side could have made it.
Signatures by public keys prove more and were not taken: they need a library of compiled cryptography, and somebody who
says whose keys are good.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn

import attrs
import msgspec

from memp.errors import ExportFormatError, InvalidInputError, NotFoundError, ScriptError
from memp.log.files import disk_errors, sync_folder
from memp.model import Content, canonical_bytes
from memp.script.toolset import Toolset
from memp.transfer.streams import UNREADABLE, packed, unpacked

FORMAT = 1
"""Version of the form of a pack; raised when an older reader would misread it."""

KEY_BYTES_MIN = 16
"""Length of a key at least: a shorter one could be found by trying."""

LINE_BYTES_MAX = 64 * 1024 * 1024
"""Length of a line at most: a run of a hundred thousand steps is far shorter, and a file made to fill the memory is
not read to its end."""

_ZSTD_NAME = "pack.zst"
"""What a pack is called where a name decides how it is packed."""


class PackHeader(msgspec.Struct, frozen=True, tag="pack", tag_field="kind", forbid_unknown_fields=True):
    """The first line: where the pack comes from."""

    format: int
    log_id: str
    branch: str
    position: int
    head: str
    memp: str


class PackToolset(msgspec.Struct, frozen=True, tag="toolset", tag_field="kind", forbid_unknown_fields=True):
    """A toolset that some of the procedures speak."""

    digest: str
    text: str


class PackEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event in the story of a procedure where it comes from."""

    event_id: str
    type: str
    position: int
    recorded_at: int
    actor: str
    says: str


class PackEvidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened where it comes from when it was served; see ``memp.model.Evidence``."""

    episodes: int
    helped: int
    credit: int
    helped_credit: int
    steps: int
    steps_known: int


class PackProcedure(msgspec.Struct, frozen=True, tag="procedure", tag_field="kind", forbid_unknown_fields=True):
    """A procedure; ``content`` is the canonical JSON of what its active revision says, and ``digest`` its SHA-256."""

    id: str
    revision: str
    name: str
    scope: str
    tags: tuple[str, ...]
    builder: str
    toolset: str | None
    content_key: str
    content: str
    digest: str
    support: int
    evidence: PackEvidence
    history: tuple[PackEvent, ...]


class PackTrailer(msgspec.Struct, frozen=True, tag="end", tag_field="kind", forbid_unknown_fields=True):
    """The last line: a digest of all lines before it, and the signature of that."""

    procedures: int
    sha256: str
    signature: str | None
    key: str | None


_Line = PackHeader | PackToolset | PackProcedure | PackTrailer
_encode = msgspec.json.Encoder().encode
_decode: Callable[[bytes], _Line] = msgspec.json.Decoder(_Line).decode
_decode_content = msgspec.json.Decoder(Content).decode


@attrs.frozen(kw_only=True)
class Pack:
    """
    What a pack holds.

    Attributes:
        header: Where it comes from.

        toolsets: The toolsets, by digest.

        procedures: The procedures with what they say, in their order.

        sha256: Hex digest of all lines but the last.

        signed: ``checked`` if the signature fits the key, ``unchecked`` if there is one and no key was given, ``no``.
    """

    header: PackHeader
    toolsets: dict[str, str]
    procedures: tuple[tuple[PackProcedure, Content], ...]
    sha256: str
    signed: str


def as_written(content: Content) -> tuple[str, str]:
    """Return *content* as the text that stands in a pack, and the hex SHA-256 of that."""
    text = canonical_bytes(content)
    return text.decode(), hashlib.sha256(text).hexdigest()


def read_key(path: str | Path) -> bytes:
    """
    Return the key in the file at *path*, without white space around it.

    Raises:
        NotFoundError: There is no such file.

        InvalidInputError: It is shorter than 16 bytes.
    """
    try:
        key = Path(path).read_bytes().strip()
    except OSError as error:
        raise NotFoundError(f"The key {str(path)!r} cannot be read: {error.strerror or error}.") from error
    if len(key) < KEY_BYTES_MIN:
        raise InvalidInputError(
            f"A key must be {KEY_BYTES_MIN} bytes or longer (got {len(key)} in {str(path)!r}). "
            "'openssl rand -hex 32' makes one."
        )
    return key


def _signature(key: bytes, sha256: str) -> str:
    return hmac.new(key, f"memp pack {FORMAT} {sha256}".encode(), hashlib.sha256).hexdigest()


def _key_name(key: bytes) -> str:
    """Return what tells keys apart and tells nothing of them."""
    return hmac.new(key, b"memp key name", hashlib.sha256).hexdigest()[:12]


# -- writing ----------------------------------------------------------------------------------------------------------


def write_pack(
    path: str | Path,
    header: PackHeader,
    toolsets: Sequence[PackToolset],
    procedures: Sequence[PackProcedure],
    *,
    key: bytes | None,
) -> str:
    """
    Write a pack to *path*, which must not be there, and return the hex digest of its lines.

    Raises:
        InvalidInputError: There is something at *path*, or no folder for it.

        StorageError: The disk did not take it.
    """
    target = Path(path)
    if target.exists():
        raise InvalidInputError(f"A pack never replaces a file, and {str(target)!r} is there. Name another.")
    if not target.parent.is_dir():
        raise InvalidInputError(f"There is no folder {str(target.parent)!r} for the pack.")
    temporary = target.with_name(target.name + ".writing")
    digest = hashlib.sha256()
    with disk_errors(target, "be written"):
        try:
            with temporary.open("wb") as file:
                with packed(file, _ZSTD_NAME) as stream:
                    for line in (header, *toolsets, *procedures):
                        data = _encode(line) + b"\n"
                        digest.update(data)
                        stream.write(data)
                    stream.write(_encode(_trailer(len(procedures), digest.hexdigest(), key)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(target)
            sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
    return digest.hexdigest()


def _trailer(procedures: int, sha256: str, key: bytes | None) -> PackTrailer:
    return PackTrailer(
        procedures=procedures,
        sha256=sha256,
        signature=None if key is None else _signature(key, sha256),
        key=None if key is None else _key_name(key),
    )


# -- reading ----------------------------------------------------------------------------------------------------------


def read_pack(path: str | Path, *, key: bytes | None) -> Pack:
    """
    Return what the pack at *path* holds, after all of it was checked.

    Args:
        path: The file.

        key: The key that it must be signed with; None takes any, and says whether it is signed.

    Raises:
        NotFoundError: There is no such file.

        ExportFormatError: It is no pack, damaged, written by a newer version, or not signed with the key; carries the
            line.
    """
    source = Path(path)
    if not source.is_file():
        raise NotFoundError(f"There is no pack {str(path)!r}.")
    try:
        with unpacked(source) as stream:
            return _Reader(stream, str(path)).read(key)
    except OSError as error:
        raise NotFoundError(f"The pack {str(path)!r} cannot be read: {error.strerror or error}.") from error


class _Reader:
    def __init__(self, stream: BinaryIO, path: str) -> None:
        self._stream, self._path, self._line = stream, path, 0
        self._digest = hashlib.sha256()

    def _refuse(self, message: str) -> NoReturn:
        raise ExportFormatError(message, path=self._path, line=self._line)

    def _lines(self) -> Iterator[tuple[_Line, str]]:
        """Yield each line, and the digest of those before it."""
        while True:
            self._line += 1
            try:
                raw = self._stream.readline(LINE_BYTES_MAX)
            except UNREADABLE as error:
                self._refuse(f"The file cannot be unpacked from here on: {error}.")
            if not raw.endswith(b"\n"):
                if self._line > 1 or not raw:
                    self._refuse("The file ends here: it is not whole.")
                self._refuse("This is no pack.")
            before = self._digest.hexdigest()
            self._digest.update(raw)
            yield self._decoded(raw), before

    def _decoded(self, raw: bytes) -> _Line:
        try:
            return _decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._refuse_unknown(raw, error)

    def _refuse_unknown(self, raw: bytes, error: Exception) -> NoReturn:
        try:
            said = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            said = None
        if isinstance(said, dict):
            if said.get("kind") == "header":
                self._refuse("This is the export of a whole store, not a pack; 'memp import' makes a store of it.")
            if said.get("kind") == "pack" and isinstance(said.get("format"), int) and said["format"] > FORMAT:
                self._refuse_newer(said["format"])
        self._refuse(f"This is no line of a pack: {error}.")

    def _refuse_newer(self, form: int) -> NoReturn:
        self._refuse(f"A newer version of memp wrote this (form {form}, this version knows {FORMAT}). Upgrade memp.")

    def read(self, key: bytes | None) -> Pack:
        lines = self._lines()
        header, _ = next(lines)
        if not isinstance(header, PackHeader):
            self._refuse("The first line of a pack must be its header.")
        if header.format > FORMAT:
            self._refuse_newer(header.format)
        toolsets: dict[str, str] = {}
        procedures: list[tuple[PackProcedure, Content]] = []
        for line, digest in lines:
            match line:
                case PackToolset():
                    self._check_toolset(line)
                    toolsets[line.digest] = line.text
                case PackProcedure():
                    procedures.append((line, self._content(line, toolsets)))
                case PackTrailer():
                    signed = self._check_end(line, len(procedures), digest, key)
                    return Pack(
                        header=header,
                        toolsets=toolsets,
                        procedures=tuple(procedures),
                        sha256=digest,
                        signed=signed,
                    )
                case _:
                    self._refuse("A second header: two packs cannot be joined.")
        raise AssertionError("lines end with the trailer or an error")

    def _check_toolset(self, line: PackToolset) -> None:
        try:
            found = Toolset.from_text(line.text).digest
        except ScriptError as error:
            self._refuse(f"A toolset in it cannot be read: {error}")
        if found != line.digest:
            self._refuse("A toolset in it is not as it was written: its digest is another.")

    def _content(self, line: PackProcedure, toolsets: dict[str, str]) -> Content:
        text = line.content.encode("utf-8", "surrogatepass")
        if hashlib.sha256(text).hexdigest() != line.digest:
            self._refuse(f"What {line.name!r} says is not as it was written: its digest is another.")
        if line.toolset is not None and line.toolset not in toolsets:
            self._refuse(f"The toolset of {line.name!r} is not in the pack.")
        try:
            content = _decode_content(text)
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            self._refuse(f"What {line.name!r} says cannot be read: {error}.")
        # The decoder drops keys that it does not know without a word.
        if canonical_bytes(content) != text:
            self._refuse(f"What {line.name!r} says holds more than this version of memp knows.")
        return content

    def _check_end(self, trailer: PackTrailer, procedures: int, digest: str, key: bytes | None) -> str:
        if (trailer.procedures, trailer.sha256) != (procedures, digest):
            self._refuse("The pack is not as it was written: the last line says another digest of it.")
        if self._stream.read(1):
            self._refuse("Nothing may follow the last line of a pack.")
        if key is None:
            return "no" if trailer.signature is None else "unchecked"
        if trailer.signature is None:
            self._refuse("The pack is not signed, and a key was given to check it with.")
        if not hmac.compare_digest(trailer.signature.encode(), _signature(key, digest).encode()):
            other = "" if trailer.key == _key_name(key) else ": it was signed with another key"
            self._refuse(f"The signature does not fit{other}.")
        return "checked"
