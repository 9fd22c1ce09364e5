"""Settings that change what memory answers or does, on record because a view uses what was in force."""

from __future__ import annotations

from typing import ClassVar

import attrs

from memp.model import as_float, check_filled, check_finite


@attrs.frozen(kw_only=True)
class PolicySet:
    """
    From here on, other rules decide what becomes of outcomes.

    Attributes:
        policies: Names of the policies, in the order in which they decide; empty leaves the memory as it is.

        build: The builder of procedures from episodes' runs.

        half_life_days: After how many days an outcome counts half, over 0; None never forgets.

        max_procedures: How many procedures of a scope are retrieved at most, 1 or more; None for no limit.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "policy-set"
    VERSION: ClassVar[int] = 1

    policies: tuple[str, ...] = ()
    build: str = "verbatim"
    half_life_days: float | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(as_float),
        validator=[check_finite, attrs.validators.optional(attrs.validators.gt(0))],
    )
    max_procedures: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    reason: str = ""

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "policy"


@attrs.frozen(kw_only=True)
class EmbedderSwitched:
    """
    From here on this branch is asked in the vectors of another embedder; versions before keep theirs.

    Every revision that the branch sees has vectors of it by now.

    Attributes:
        embedder: Name and version of the embedder, such as ``hashed-1``.

        previous: Those of the one before; empty if there was none.

        reason: One sentence for people.
    """

    TYPE: ClassVar[str] = "embedder-switched"
    VERSION: ClassVar[int] = 1

    embedder: str = attrs.field(validator=check_filled)
    previous: str = ""
    reason: str = ""

    @property
    def stream(self) -> str:
        """The stream that this event belongs to."""
        return "settings"
