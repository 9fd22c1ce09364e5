"""A process that changes the embedder of a store a small piece at a time: ``python reembedding.py STORE``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

import memp
from memp.embedding.base import Matrix
from memp.embedding.hashed import HashedEmbedder
from memp.operations import reembedding

PIECE_S = 0.02
"""How long a piece takes at least, so that there is a middle to be killed in."""


class Cut(HashedEmbedder):
    """
    The lexical embedder on the first letters of words: other vectors, and other scores.

    Args:
        letters: How many.

        seconds: How long a call takes at least.
    """

    def __init__(self, letters: int, *, seconds: float = 0.0) -> None:
        self._letters, self._seconds = letters, seconds

    @property
    def name(self) -> str:
        """``cut`` and the number of letters."""
        return f"cut-{self._letters}"

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one vector a text."""
        time.sleep(self._seconds)
        return super().embed([" ".join(word[: self._letters] for word in text.split()) for text in texts])


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
        memory.reembed(Cut(3, seconds=PIECE_S))
        say("done")


if __name__ == "__main__":
    main(sys.argv[1])
