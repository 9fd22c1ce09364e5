"""A process that changes the embedder of a store a small piece at a time: ``python reembedding.py STORE``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

import memp
from memp import reembedding
from memp.embedding.base import Matrix
from memp.embedding.hashed import HashedEmbedder

PIECE_S = 0.02
"""How long a piece takes at least, so that there is a middle to be killed in."""


class Backwards(HashedEmbedder):
    """The lexical embedder on texts read backwards: other vectors, and other scores."""

    @property
    def name(self) -> str:
        """``backwards``."""
        return "backwards"

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one vector a text."""
        time.sleep(PIECE_S)
        return super().embed([" ".join(word[:3] for word in text.split()) for text in texts])


def runs_of(number: int) -> list[memp.Trajectory]:
    """Return so many runs of different tasks."""
    things = ("lamp", "bucket", "ladder", "hammer", "carpet")
    return [
        memp.Trajectory(task=f"carry the {things[n % 5]} number {n} to the cellar", steps=(), reward=1.0)
        for n in range(number)
    ]


def say(what: str) -> None:
    """Print at once."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main(store: str) -> None:
    """Change the embedder, and say when it begins and ends."""
    reembedding.REVISIONS_AT_ONCE = 4
    with memp.open(store) as memory:
        say("open")
        memory.reembed(Backwards())
        say("done")


if __name__ == "__main__":
    main(sys.argv[1])
