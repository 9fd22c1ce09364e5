"""
The policies by name: those that ship, and those that a user adds.

One table, so that a policy that is set by an event is found again by its name on another day; what a caller passes as a
function alone cannot be set, only used for an episode.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from memp.errors import ConflictError, InvalidInputError
from memp.update import intake
from memp.update.base import Command, FinishedEpisode, LearnRun, Policy
from memp.update.erasure import erasure, paper
from memp.update.reflection import reflection
from memp.update.trial import trial

if TYPE_CHECKING:
    from memp.state import State

GivenPolicy = str | Policy | Sequence["str | Policy"] | None
"""What callers may pass: a name, a function, several of them; None means what is set."""


def vanilla(_: State, _episode: FinishedEpisode) -> Iterable[Command]:
    """Build from every run."""
    return (LearnRun(),)


def validation(_: State, episode: FinishedEpisode) -> Iterable[Command]:
    """Build from the runs that solved their task."""
    return (LearnRun(),) if intake.validation(episode.trajectory) else ()


def none(_: State, _episode: FinishedEpisode) -> Iterable[Command]:
    """Leave the memory as it is; what happened goes on record as evidence all the same."""
    return ()


DEFAULT = ("validation",)
"""What decides where nobody set anything: what ``learn`` does too."""

SHIPPED: dict[str, Policy] = {
    "vanilla": vanilla,
    "validation": validation,
    "reflection": reflection,
    "trial": trial,
    "erasure": erasure,
    "paper": paper,
    "none": none,
}
"""The policies that ship."""

TRYING = frozenset({"reflection", "trial"})
"""Policies that judge candidates; only where one of them decides are candidates served."""

_added: dict[str, Policy] = {}


def register_policy(name: str, policy: Policy) -> None:
    """
    Give a policy a name, for this process, by which it can be set and used.

    Args:
        name: The name.

        policy: A pure function from the state and a finished episode to commands.

    Raises:
        ConflictError: A policy that ships, or another one, has the name.
    """
    if name in SHIPPED or _added.get(name, policy) is not policy:
        raise ConflictError(f"There is a policy {name!r} already. Choose another name.")
    if not name.strip():
        raise InvalidInputError(f"A policy must have a name (got {name!r}).")
    _added[name] = policy


def policy_names() -> tuple[str, ...]:
    """Return the names of all policies, sorted."""
    return tuple(sorted({**SHIPPED, **_added}))


def policy_named(name: str) -> Policy:
    """
    Return the policy called *name*.

    Raises:
        InvalidInputError: There is none.
    """
    found = SHIPPED.get(name) or _added.get(name)
    if found is None:
        raise InvalidInputError(
            f"'policy' must be one of {', '.join(policy_names())} (got {name!r}). memp.register_policy adds one."
        )
    return found


def resolve(given: GivenPolicy, *, default: Sequence[str] = DEFAULT) -> tuple[tuple[str, Policy], ...]:
    """
    Return the policies that a caller means, each with its name, in their order.

    Raises:
        InvalidInputError: There is no such policy.
    """
    if given is None:
        chosen: Sequence[str | Policy] = default
    else:
        chosen = (given,) if isinstance(given, str) or callable(given) else tuple(given)
    named = []
    for one in chosen:
        if isinstance(one, str):
            named.append((one, policy_named(one)))
        elif callable(one):
            named.append((getattr(one, "__name__", type(one).__name__), one))
        else:
            raise InvalidInputError(f"A policy must be a name or a function (got {one!r}).")
    return tuple(named)
