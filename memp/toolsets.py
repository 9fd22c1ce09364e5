"""
The toolsets of one version of a memory: those on record, and those that ship.

A script means nothing without its toolset, so the one that was used is kept in the log and found by its digest;
editing a file in ``procedures/`` changes no procedure that is there. Looked up by name, the one on record comes before
the one that ships, for the same reason.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator

from memp.build import Builder, builder_named
from memp.build.distil import DISTIL_BOTH, DISTILLERS, Distil
from memp.errors import InvalidInputError, NotFoundError
from memp.events import ProcedureAdded, ProcedureGeneralised, ResourceRecorded
from memp.model import Content, Procedure, TrajectoryId
from memp.script.loader import load_shipped_toolset, load_toolset, shipped_names
from memp.script.toolset import Toolset
from memp.state import State

TOOLSET = "toolset"
"""Kind under which toolsets are on record."""

_IMPORT = re.compile(r"^from (\w+) import \*$", re.MULTILINE)

GivenToolset = Toolset | str | os.PathLike[str] | None
"""A toolset as users name it: itself, a folder or file, the name of one on record or that ships; None chooses."""


@functools.lru_cache(maxsize=128)
def read_toolset(text: str) -> Toolset:
    """Return the toolset of a recorded source."""
    return Toolset.from_text(text)


def _recorded(state: State) -> Iterator[ResourceRecorded]:
    """Yield the toolsets that are on record in the version *state*, the last of each name, by name."""
    names = {name for branch in state.history.branches.values() for kind, name in branch.resources if kind == TOOLSET}
    for name in sorted(names):
        found = state.resource(TOOLSET, name)
        if found is not None:
            yield found


def available(state: State) -> tuple[Toolset, ...]:
    """Return the toolsets that may be chosen in the version *state*: those on record, then those that ship."""
    recorded = [read_toolset(resource.text) for resource in _recorded(state)]
    names = {toolset.name for toolset in recorded}
    return (*recorded, *(load_shipped_toolset(name) for name in shipped_names() if name not in names))


def is_recorded(state: State, toolset: Toolset) -> bool:
    """Return whether just this toolset is the last on record under its name in the version *state*."""
    found = state.resource(TOOLSET, toolset.name)
    return found is not None and found.digest == toolset.digest


def resource_of(toolset: Toolset) -> ResourceRecorded:
    """Return the event that puts *toolset* on record."""
    return ResourceRecorded(kind=TOOLSET, name=toolset.name, digest=toolset.digest, text=toolset.to_text())


def by_digest(state: State, digest: str | None) -> Toolset | None:
    """
    Return the toolset with that digest; None if *digest* is None, or it is nowhere on record and does not ship.

    A digest names a text wherever it stands, so later versions and other branches are searched as well.
    """
    if digest is None:
        return None
    for branch in state.history.branches.values():
        for (kind, _), timeline in branch.resources.items():
            if kind == TOOLSET:
                for resource in timeline.columns()[1]:
                    if resource is not None and resource.digest == digest:
                        return read_toolset(resource.text)
    shipped = (load_shipped_toolset(name) for name in shipped_names())
    return next((toolset for toolset in shipped if toolset.digest == digest), None)


def spoken_by(state: State, procedure: Procedure) -> Toolset | None:
    """Return the toolset that the script of *procedure* speaks: its own, else what it imports; None if untyped."""
    if procedure.toolset is not None or procedure.script is None:
        return by_digest(state, procedure.toolset)
    imported = _IMPORT.search(procedure.script)
    try:
        return None if imported is None else by_name(state, imported[1])
    except NotFoundError:
        return None


def by_name(state: State, name: str) -> Toolset:
    """
    Return the toolset that a script imports as *name* in the version *state*.

    Raises:
        NotFoundError: None is on record under that name, and none of it ships.
    """
    found = state.resource(TOOLSET, name)
    if found is not None:
        return read_toolset(found.text)
    if name in shipped_names():
        return load_shipped_toolset(name)
    known = sorted({toolset.name for toolset in available(state)})
    raise NotFoundError(f"none is on record or ships under that name; known are {', '.join(known)}.")


def given_toolset(state: State, toolset: Toolset | str | os.PathLike[str]) -> Toolset:
    """
    Return the toolset that a caller means.

    Raises:
        NotFoundError: There is no such folder, file, recorded or shipped toolset.

        ScriptError: Its source has mistakes; carries all of them.

        InvalidInputError: It is nothing that could name one.
    """
    if isinstance(toolset, Toolset):
        return toolset
    if not isinstance(toolset, str | os.PathLike):
        raise InvalidInputError(
            f"'toolset' must be a memp.Toolset, a folder, a file or a name (got {type(toolset).__name__})."
        )
    recorded = state.resource(TOOLSET, os.fspath(toolset))
    if recorded is not None and not os.path.exists(toolset):
        return read_toolset(recorded.text)
    return load_toolset(toolset)


def distilled_before(state: State, name: str) -> Distil:
    """
    Return the builder that makes again of runs what a model once made of them; it asks nobody.

    Args:
        state: The version whose procedures say what that was.

        name: One of ``DISTILLERS``.
    """
    kept: dict[TrajectoryId, Content] = {}
    for procedure in state.all():
        if procedure.builder == name:
            for entry in state.entries_of(procedure.id):
                if isinstance(entry.event, ProcedureAdded | ProcedureGeneralised):
                    kept.update(dict.fromkeys(entry.event.sources, entry.event.content))
    return Distil(kept=kept, keep_run=name == DISTIL_BOTH)


def builder_for(state: State, name: str, *, toolset: GivenToolset = None, digest: str | None = None) -> Builder:
    """
    Return the builder called *name* with the toolsets that it may speak in the version *state*.

    Args:
        state: The version.

        name: As ``learn(build=…)`` takes it.

        toolset: The one toolset to speak; None lets each run take the one that knows most of it.

        digest: The same as *toolset*, by the digest of one on record.

    Raises:
        InvalidInputError: There is no such builder, or it takes no toolset.

        NotFoundError: There is no such toolset.
    """
    one = given_toolset(state, toolset) if toolset is not None else by_digest(state, digest)
    builder = distilled_before(state, name) if name in DISTILLERS else builder_named(name)
    if not builder.speaks:
        if toolset is not None:
            raise InvalidInputError(f"The builder {name!r} takes no 'toolset': it keeps runs as they are.")
        return builder
    return builder.speaking((one,) if one is not None else available(state), given=one is not None)
