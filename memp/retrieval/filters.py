"""
Which procedures may be found at all, whatever the task.

A filter is a mask before ranking: search is then over the procedures that it lets through, and *k* of them come if
there are as many. Filtering what a search has found would give fewer. Word statistics stay those of the whole version,
so that a filter changes no score of a single key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs

from memp.errors import InvalidInputError
from memp.model import CREDIT_UNIT, Evidence, Procedure
from memp.scopes import check_scope
from memp.update.posterior import Posterior

if TYPE_CHECKING:
    from memp.state import State

TOOLSET = "toolset"
"""Kind under which toolsets are on record."""


def _texts(values: str | Iterable[str]) -> tuple[str, ...]:
    """Return *values* as a sorted tuple of texts; a single text is one value, not its letters."""
    return tuple(sorted({values} if isinstance(values, str) else set(values)))


def _count(_: Filter, attribute: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInputError(f"{attribute.name!r} must be a whole number, 0 or more (got {value!r}).")


def _share(_: Filter, attribute: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise InvalidInputError(f"{attribute.name!r} must be from 0 to 1 (got {value!r}).")


def _scope(_: Filter, __: attrs.Attribute[Any], value: str | None) -> None:
    if value is not None:
        check_scope(value)


@attrs.frozen(kw_only=True)
class Filter:
    """
    What a procedure must be to be found; all of it at once. What is left out asks for nothing.

    Attributes:
        scope: The scope that holds it, exactly; None for any that the reader sees.

        tags: Tags that it has, every one.

        environment: The environment that one of its runs was lived in.

        toolset: The toolset of its script, by name or digest.

        builder: What made it, such as ``induce`` or ``hand``.

        actor: Who wrote its active revision.

        support_min: Runs that its active revision was built from, at least.

        episodes_min: Episodes that it was served in, at least.

        helped_min: Expected share of episodes in which it helps, at least, from 0 to 1; see ``expected_help``.

    Raises:
        InvalidInputError: A count is negative, a share is not one, or the scope is no path.
    """

    scope: str | None = attrs.field(default=None, validator=_scope)
    tags: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    environment: str | None = None
    toolset: str | None = None
    builder: str | None = None
    actor: str | None = None
    support_min: int = attrs.field(default=0, validator=_count)
    episodes_min: int = attrs.field(default=0, validator=_count)
    helped_min: float = attrs.field(default=0.0, validator=_share)

    def toolsets(self, state: State) -> frozenset[str]:
        """Return the digests of toolsets that *state* knows by the name that is asked for; none if none is."""
        return frozenset() if self.toolset is None else frozenset(state.resource_digests(TOOLSET, self.toolset))

    def admits(self, procedure: Procedure, state: State) -> bool:
        """Return whether *procedure* of the version *state* is what is asked for."""
        # Ten thousand are asked in turn, and working out an answer that nobody asked for took a third of the time.
        return (
            self.scope in (None, procedure.scope)
            and (not self.tags or set(self.tags).issubset(procedure.tags))
            and self.builder in (None, procedure.builder)
            and (self.support_min == 0 or procedure.support >= self.support_min)
            and (self.episodes_min == 0 or procedure.evidence.episodes >= self.episodes_min)
            and (self.helped_min == 0.0 or expected_help(procedure.evidence) >= self.helped_min)
            and (self.actor is None or state.history.placed[procedure.active].actor == self.actor)
            and (self.toolset is None or self._speaks(procedure, state))
            and (self.environment is None or _was_lived_in(procedure, self.environment, state))
        )

    def _speaks(self, procedure: Procedure, state: State) -> bool:
        if procedure.toolset is None:
            return False
        return procedure.toolset == self.toolset or procedure.toolset in self.toolsets(state)


def expected_help(evidence: Evidence) -> float:
    """Return the expected share of episodes in which it helps, between 0 and 1: the mean of ``Posterior``."""
    helped = evidence.helped_credit / CREDIT_UNIT
    return Posterior(helped=helped, failed=evidence.credit / CREDIT_UNIT - helped).mean


def _was_lived_in(procedure: Procedure, environment: str, state: State) -> bool:
    # The recordings first: their heads are at hand, while a procedure's own run may have to be decoded.
    recorded = (state.run(source) for source in procedure.sources)
    if any(one is not None and one.head.env == environment for one in recorded):
        return True
    return procedure.run is not None and procedure.run.env == environment


NAMES = {
    "scope": "scope",
    "tag": "tags",
    "environment": "environment",
    "toolset": "toolset",
    "builder": "builder",
    "actor": "actor",
    "support": "support_min",
    "episodes": "episodes_min",
    "helped": "helped_min",
}
"""What one may filter by in words, such as ``tag=kitchen`` or ``support=3``, to the attribute of ``Filter``."""


def read_filter(conditions: Iterable[str]) -> Filter | None:
    """
    Return the filter that *conditions*, each ``name=value``, say; None if there are none.

    Raises:
        InvalidInputError: One is no condition, says what there is not, or says the same thing twice (but tags).
    """
    values: dict[str, Any] = {}
    for condition in conditions:
        name, equals, value = condition.partition("=")
        attribute = NAMES.get(name)
        if not equals or attribute is None or not (value or name == "scope"):
            raise InvalidInputError(
                f"A condition must be NAME=VALUE with one of {', '.join(NAMES)} as its name, such as tag=kitchen "
                f"(got {condition!r})."
            )
        if attribute == "tags":
            values["tags"] = (*values.get("tags", ()), value)
        elif attribute in values:
            raise InvalidInputError(f"{name!r} can be asked for once (got {condition!r} besides).")
        else:
            values[attribute] = _number(name, value) if attribute.endswith("_min") else value
    return Filter(**values) if values else None


def _number(name: str, value: str) -> float | int:
    try:
        return float(value) if name == "helped" else int(value)
    except ValueError as error:
        kind = "a number from 0 to 1" if name == "helped" else "a whole number"
        raise InvalidInputError(f"{name!r} must be {kind}, such as {name}=1 (got {value!r}).") from error
