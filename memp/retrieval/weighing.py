"""
Evidence as a part of the score: how sure it is that a match helps, beside how well it matches.

What counts is the lower end of the interval in which the share of episodes that it helps in lies: high only where much
speaks for a procedure and little against it. The mean was not taken: one lucky episode would lift a procedure above
those that helped in nine of ten. The price is that what was never served starts at the bottom, so this is off unless
asked for, and whoever asks says how much it counts.

Source: upper and lower ends of intervals as scores after Evan Miller's ranking by the lower bound of Wilson's interval
("How Not To Sort By Average Rating", 2009); the interval here is the posterior's (``memp.update.posterior``).
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from memp.errors import InvalidInputError
from memp.retrieval.ranking import Ranked
from memp.retrieval.scoring import DECIMALS, shares


def check_weight(weight: object) -> None:
    """
    Refuse what is no share.

    Raises:
        InvalidInputError: It is not a number from 0 to 1.
    """
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0.0 <= weight <= 1.0:
        raise InvalidInputError(
            f"'evidence_weight' must be from 0 (likeness alone) to 1 (evidence alone) (got {weight!r})."
        )


def weigh(ranked: Sequence[Ranked], lower_ends: Sequence[float], *, weight: float) -> list[Ranked]:
    """
    Return *ranked* in the order that evidence gives it.

    Args:
        ranked: The candidates, best first.

        lower_ends: Lower end of the 95 % interval of each one's share of episodes in which it helps, from 0 to 1; 0
            where nothing speaks for it.

        weight: What evidence counts, from 0 to 1; likeness counts the rest.

    Returns:
        All of them. The score is ``(1 - weight) * likeness + weight * evidence``; likeness is the key's score as a
        share of the way from the lowest to the highest of all candidates. Both, and the key's own score, are parts.
        What ties stays in the order of the key.
    """
    likeness = shares([one.score for one in ranked])
    evidence = np.round(np.array(lower_ends, dtype=np.float64), DECIMALS)
    values = np.round((1.0 - weight) * likeness + weight * evidence, DECIMALS)
    order = np.argsort(-values, kind="stable").tolist()
    return [
        attrs.evolve(
            ranked[place],
            score=float(values[place]),
            parts={
                **ranked[place].parts,
                "key_score": ranked[place].score,
                "likeness": float(likeness[place]),
                "evidence": float(evidence[place]),
            },
        )
        for place in order
    ]
