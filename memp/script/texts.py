"""
How texts are written and cleaned, the same way for scripts and toolsets.

``repr`` was not taken: it chooses its quotes by content, and what it holds to be printable depends on nothing that we
could pin.
"""

from __future__ import annotations

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def escape(text: str) -> str:
    """Return *text* as it stands between double quotes; what cannot be seen is written as an escape."""
    if text.isprintable() and "\\" not in text and '"' not in text:
        return text
    return "".join(_ESCAPES.get(char, char if char.isprintable() else _code(char)) for char in text)


def _code(char: str) -> str:
    number = ord(char)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def quote(text: str) -> str:
    """Return *text* as a double-quoted literal of the language."""
    return f'"{escape(text)}"'


def has_surrogates(text: str) -> bool:
    """Return whether *text* holds half a character, which no file and no digest can hold."""
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)


def clean_doc(text: str) -> str:
    """Return a docstring without indentation: every line stripped, no empty lines at either end."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.strip() for line in lines).strip()
