"""How much longer ``make soak`` looks than ``make test``."""

from __future__ import annotations

from hypothesis import settings

SOAK = settings().max_examples > 1_000
"""Whether this is such a run: its profile says so."""

LONGER = 50


def examples(few: int) -> int:
    """Return how many cases to try where an ordinary run tries *few*."""
    return few * LONGER if SOAK else few
