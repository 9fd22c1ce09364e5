"""
From trajectories to drafts of procedures.

A builder is a pure function of the runs it is given, so that the same runs give the same drafts in any order; which of
them become new procedures and which extend one that is there is for ``memp.decide``.
"""

from memp.build.base import Builder, Draft, SourcedRun
from memp.build.induce import Induce
from memp.build.keys import content_key
from memp.build.verbatim import Verbatim
from memp.errors import InvalidInputError

__all__ = ["BUILDERS", "Builder", "Draft", "Induce", "SourcedRun", "Verbatim", "builder_named", "content_key"]

BUILDERS: dict[str, Builder] = {builder.name: builder for builder in (Verbatim(), Induce(), Induce(keep_run=True))}
"""The builders that ship, by the name that ``learn(build=…)`` takes."""


def builder_named(name: str) -> Builder:
    """
    Return the builder called *name*.

    Raises:
        InvalidInputError: There is no such builder.
    """
    if name not in BUILDERS:
        raise InvalidInputError(
            f"'build' must be one of {', '.join(sorted(BUILDERS))} (got {name!r}); where runs are learned with a "
            "model, 'distil' as well."
        )
    return BUILDERS[name]
