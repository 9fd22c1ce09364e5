"""
What tests of memp need, and tests of what is built on it: a scripted model server, and strategies for Hypothesis.

Public, because whoever builds upon memp wants to try it on scripts that nobody thought of, and on an endpoint that
fails in every way that endpoints do, without a key and without a network. The names are loaded when they are first
used: the server needs nothing but the standard library, and the strategies need Hypothesis.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memp.testing.asked import Asked
    from memp.testing.model_server import ScriptedServer
    from memp.testing.sayings import FAILURES, Fail, Failure, Say
    from memp.testing.strategies import calls, memory_fed_with, scripts, texts, things, toolsets

_HOMES = {
    "memp.testing.asked": ("Asked",),
    "memp.testing.model_server": ("ScriptedServer",),
    "memp.testing.sayings": ("FAILURES", "Fail", "Failure", "Say"),
    "memp.testing.strategies": ("calls", "memory_fed_with", "scripts", "texts", "things", "toolsets"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "FAILURES",
    "Asked",
    "Fail",
    "Failure",
    "Say",
    "ScriptedServer",
    "calls",
    "memory_fed_with",
    "scripts",
    "texts",
    "things",
    "toolsets",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'memp.testing' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
