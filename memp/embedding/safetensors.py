"""
The weights of a model file, mapped into memory rather than read.

The form is a length, a JSON header that says where each tensor lies, and the tensors: less to write here than a library
is to install, and nothing in it can be executed, unlike a pickle. Source: the safetensors format, version 0.4.
"""

from __future__ import annotations

import json
import mmap
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt

from memp.errors import InvalidInputError

HEADER_BYTES_MAX: Final = 100_000_000
"""The format's own limit: a longer header is not read, whatever its length field says."""

_FORMS: Final[dict[str, np.dtype[Any]]] = {"F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2")}


class Tensors:
    """
    The tensors of a safetensors file, by name.

    Args:
        path: The file; it stays mapped as long as the object lives.

    Raises:
        InvalidInputError: It is not such a file, or is cut short.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{str(path)!r} cannot be read: {error}.") from error
        length = int.from_bytes(self._bytes[:8], "little")
        if length > min(HEADER_BYTES_MAX, len(self._bytes) - 8):
            self._refuse("its header is cut short")
        try:
            header = json.loads(self._bytes[8 : 8 + length])
        except ValueError as error:
            self._refuse(f"its header is no JSON ({error})")
        if not isinstance(header, dict):
            self._refuse("its header is no JSON object")
        self._start = 8 + length
        self._header: dict[str, Any] = header

    def __contains__(self, name: object) -> bool:
        return name in self._header

    def __getitem__(self, name: str) -> npt.NDArray[np.float32]:
        """
        Return a tensor, as float32; a view of the file where it is stored so.

        Raises:
            InvalidInputError: There is none of that name, it is of another kind of number, or it is cut short.
        """
        try:
            told = self._header[name]
            form, shape, (begin, end) = told["dtype"], tuple(told["shape"]), told["data_offsets"]
        except (KeyError, TypeError, ValueError) as error:
            self._refuse(f"it has no tensor {name!r}", error)
        if form not in _FORMS:
            self._refuse(f"{name!r} is stored as {form!r}; F32, F16 and F64 can be read")
        stored = _FORMS[form]
        count = int(np.prod(shape, dtype=np.int64))
        if end - begin != count * stored.itemsize or not 0 <= begin <= end <= len(self._bytes) - self._start:
            self._refuse(f"{name!r} is cut short")
        values = np.frombuffer(self._bytes, dtype=stored, count=count, offset=self._start + begin)
        tensor: npt.NDArray[np.float32] = values.reshape(shape).astype(np.float32, copy=False)
        return tensor

    def _refuse(self, why: str, cause: Exception | None = None) -> NoReturn:
        raise InvalidInputError(f"{str(self._path)!r} is not a safetensors file that can be read: {why}.") from cause
