"""Whether two reviewers agree beyond chance. Pure functions.

Cohen's kappa (J. Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological Measurement 20(1),
1960, 37-46): κ = (p_o - p_e) / (1 - p_e), where p_o is the share of pairs that agree and p_e the share that would by chance,
Σ_k of how often the first chose k times how often the second did. Its standard error is the one of that paper,
√(p_o (1 - p_o) / (n (1 - p_e)²)). First and second are roles here, since people take turns in them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Below so many pairs the interval is so wide that the number says little.
FEW_PAIRS = 30
NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """`kappa` is None where it is not defined: without pairs, or when both chose one and the same answer throughout.

    `observed` is p_o, `expected` p_e; `low` and `high` bound the 95 % interval, which there is none of when every pair agrees.
    """

    pairs: int
    observed: float | None = None
    expected: float | None = None
    kappa: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_uniform(self) -> bool:
        """Whether there are pairs and yet no kappa: nothing was left to chance."""
        return self.pairs > 0 and self.kappa is None

    @property
    def is_uncertain(self) -> bool:
        """Whether a kappa is there and stands on few pairs."""
        return self.kappa is not None and self.pairs < FEW_PAIRS


def cohens_kappa(counts: Mapping[tuple[str, str], int]) -> Agreement:
    """Of pairs (what the first said, what the second said) with how often each occurred."""
    total = sum(counts.values())
    if total == 0:
        return Agreement(pairs=0)
    firsts: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for (first, second), count in counts.items():
        firsts[first] += count
        seconds[second] += count
    # Whole numbers as long as they are: a share that is 1 must not miss it by a rounding.
    agreed = sum(count for (first, second), count in counts.items() if first == second)
    by_chance = sum(firsts[answer] * seconds[answer] for answer in firsts)
    observed, expected = agreed / total, by_chance / total**2
    if by_chance == total**2:
        return Agreement(pairs=total, observed=observed, expected=expected)
    kappa = (observed - expected) / (1 - expected)
    if agreed == total:
        # The error would come out as 0, as if a few pairs proved that no other will ever disagree.
        return Agreement(pairs=total, observed=observed, expected=expected, kappa=kappa)
    error = math.sqrt(observed * (1 - observed) / (total * (1 - expected) ** 2))
    return Agreement(
        pairs=total,
        observed=observed,
        expected=expected,
        kappa=kappa,
        low=max(-1.0, kappa - NORMAL_95 * error),
        high=min(1.0, kappa + NORMAL_95 * error),
    )


def summed(tables: Iterable[Mapping[tuple[str, str], int]]) -> Counter[tuple[str, str]]:
    """Several tables of pairs as one."""
    total: Counter[tuple[str, str]] = Counter()
    for table in tables:
        total.update(table)
    return total
