"""
What a procedure *is*, as one digest.

Ids are random and times differ between stores that lived through the same, so merging, ties in a ranking and the state
digest go by content: whose it is, the language it speaks, who built it, the kind of task and what is done.

What of the last two counts, a builder decides by one run alone. ``verbatim`` takes the task and the actions as they
are. ``induce`` and ``both`` take the typed skeleton, and the masked wording of the task only where the skeleton does
not tell what it is for; see ``memp.build.induce``. What somebody wrote counts as it stands.
"""

from __future__ import annotations

from memp.model import Content, ContentKey, content_digest


def content_key(*, scope: str, toolset: str | None, builder: str, pattern: str, skeleton: str) -> ContentKey:
    """
    Return the hex SHA-256 of the five that make a procedure what it is.

    Args:
        scope: Whose it is; empty for everybody's.

        toolset: Digest of the toolset; None if untyped.

        builder: What made it.

        pattern: The task pattern, its slots masked; empty where what is done tells enough.

        skeleton: What is done, with what may differ left out.
    """
    return ContentKey(content_digest([scope, toolset, builder, pattern, skeleton]))


def written_key(content: Content, *, scope: str, toolset: str | None, builder: str) -> ContentKey:
    """Return the key of a content that no builder made: one that was written by hand, merged or reflected."""
    run = "" if content.run is None else content_digest(content.run.actions)
    patterns = content_digest(sorted(content.patterns) or [content.task])
    return content_key(
        scope=scope, toolset=toolset, builder=builder, pattern=patterns, skeleton=f"{content.script or ''}\n{run}"
    )
