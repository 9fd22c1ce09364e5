"""
A test that may be looked at after every round: does one version score higher than another?

A gambler who starts with one coin bets, round by round, that the first scores higher. If it does not, the stake grows
beyond 1/a with probability a at most, however long one plays and whenever one stops; so one may stop as soon as the
stake is large, and go on as long as it is not. The usual tests (McNemar, t) were not taken: looked at after every
round, with the intention to stop where they say yes, they say yes far more often than their level promises.

Tasks differ: some always succeed, some never. Within a round the bet is the same for all tasks, so nothing depends on
the order of the tasks, and what is tested is the mean over the suite.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from memp.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BETS = (0.05, 0.15, 0.3, 0.5, 0.7, 0.9)
"""Shares of the stake that are bet, side by side, in equal parts of the first coin: small ones see small differences
in the end, large ones see large differences at once, and nobody needs to know beforehand which it will be."""


def log_stake(rounds: Iterable[Sequence[float]]) -> float:
    """
    Return the logarithm of the largest stake, after any whole round, of a bet that differences are over 0 on average.

    Where the mean difference over the tasks is 0 or below, this reaches ``log(1/a)`` with probability *a* at most, for
    any number of rounds. Within a round the tasks must be independent of each other, given what came before.

    Args:
        rounds: For each round, the difference of every task (first minus second), each in [-1, 1].

    Returns:
        0 or more; 0 before the first round.

    Raises:
        InvalidInputError: A difference is out of range.

    Source: I. Waudby-Smith and A. Ramdas, Estimating means of bounded random variables by betting, J. R. Stat. Soc. B
    86 (2024), 1-27, sections 3 and 4 (the bet); A. Ramdas, P. Grünwald, V. Vovk and G. Shafer, Game-theoretic
    statistics and safe anytime-valid inference, Statistical Science 38 (2023), 576-601 (Ville's inequality, and
    mixtures of stakes). That a bet is fair although means differ from task to task: within a round, the product of
    ``1 + b m`` over the tasks is at most ``exp(b sum m)``, which is at most 1 where the means *m* sum to 0 or below.
    """
    logs = [0.0] * len(BETS)
    largest = 0.0
    for differences in rounds:
        for difference in differences:
            if not -1 <= difference <= 1:
                raise InvalidInputError(f"A difference must be between -1 and 1 (got {difference!r}).")
        logs = [
            log + math.fsum(math.log1p(bet * difference) for difference in differences if difference)
            for log, bet in zip(logs, BETS, strict=True)
        ]
        largest = max(largest, _log_mean(logs))
    return largest


def _log_mean(logs: Sequence[float]) -> float:
    """Return the logarithm of the mean of what *logs* are the logarithms of."""
    top = max(logs)
    return top + math.log(math.fsum(math.exp(log - top) for log in logs) / len(logs))
