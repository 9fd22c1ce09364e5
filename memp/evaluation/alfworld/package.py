"""
The one place that imports the ALFWorld package, and what it needs for that.

The package is an extra, and importing it is loud: it warns, and its planner's translator overwrites ``sys.argv``, at
import and again whenever it translates a game. All of that is kept from the rest of the program here. Nothing of it is
imported before a game is played, so lists of games can be read and made without it.
"""

from __future__ import annotations

import functools
import importlib
import sys
import warnings
from contextlib import contextmanager
from importlib import metadata, resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import attrs

from memp.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@attrs.frozen(kw_only=True)
class Package:
    """
    The modules that playing needs.

    Attributes:
        textgen: ``textworld.envs.pddl.textgen``: derives sentences and commands from a game's grammar.

        logic: ``textworld.envs.pddl.logic``: reads domain and grammar, holds the state.

        planner: ``fast_downward``: translates a game for the library that moves the world.

        environment: ``textworld.envs.pddl``: the engine.

        infos: ``textworld.EnvInfos``.

        demangler: The wrapper of ``alfworld`` that gives things their names.

        expert: The hand-coded expert of ``alfworld``.
    """

    textgen: Any
    logic: Any
    planner: Any
    environment: Any
    infos: Any
    demangler: Any
    expert: Any


@functools.cache
def load_package() -> Package:
    """
    Return the package, imported.

    Raises:
        InvalidInputError: It is not installed.
    """
    require_package()
    with quiet():
        alfred = importlib.import_module("alfworld.agents.environment.alfred_tw_env")
        return Package(
            textgen=importlib.import_module("textworld.envs.pddl.textgen"),
            logic=importlib.import_module("textworld.envs.pddl.logic"),
            planner=importlib.import_module("fast_downward"),
            environment=importlib.import_module("textworld.envs.pddl.pddl").PddlEnv,
            infos=importlib.import_module("textworld").EnvInfos,
            demangler=alfred.AlfredDemangler,
            expert=importlib.import_module("alfworld.agents.expert"),
        )


def require_package() -> None:
    """
    Check that the package is there, without importing it.

    Raises:
        InvalidInputError: It is not installed.
    """
    if find_spec("alfworld") is None or find_spec("textworld") is None:
        raise InvalidInputError(
            "The suite 'alfworld' plays in the package 'alfworld' (it is not installed). pip install 'memp[alfworld]'"
        )


def package_version() -> str:
    """Return the versions of the packages that decide what the world answers."""
    require_package()
    return f"alfworld {metadata.version('alfworld')}, textworld {metadata.version('textworld')}"


@functools.cache
def shipped_rules() -> tuple[str, str]:
    """
    Return the PDDL domain and the grammar that the installed package carries; the task stands as ``UNKNOWN GOAL``.

    Raises:
        InvalidInputError: It is not installed.
    """
    require_package()
    folder = resources.files("alfworld") / "data"
    return (folder / "alfred.pddl").read_text("utf-8"), (folder / "alfred.twl2").read_text("utf-8")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the warnings of the package's imports to itself, and give the program its ``sys.argv`` back."""
    argv = sys.argv
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            sys.argv = argv
