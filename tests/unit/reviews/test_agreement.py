"""Cohen's kappa against published values and scikit-learn, and where it is not defined."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from sklearn.metrics import cohen_kappa_score

from reviews.agreement import cohens_kappa, summed


def table(*rows: tuple[int, ...]) -> dict[tuple[str, str], int]:
    return {("abc"[i], "abc"[j]): count for i, row in enumerate(rows) for j, count in enumerate(row)}


@pytest.mark.parametrize(
    ("counts", "kappa"),
    [
        # Fleiss, Cohen, Everitt, "Large sample standard errors of kappa and weighted kappa", Psychological Bulletin 72 (1969).
        (table((106, 10, 4), (22, 28, 10), (2, 12, 6)), 0.429),
        # Fleiss, "Statistical Methods for Rates and Proportions", 2nd ed. (1981), table 13.1.
        (table((75, 1, 4), (5, 4, 1), (0, 0, 10)), 0.676),
        # The two tables of equal agreement and unequal kappa that textbooks show (Smeeton, Biometrics 41, 1985).
        (table((45, 15), (25, 15)), 0.1304),
        (table((25, 35), (5, 35)), 0.2593),
        (table((20, 5), (10, 15)), 0.4),
    ],
)
def test_published_tables(counts: dict[tuple[str, str], int], kappa: float) -> None:
    assert cohens_kappa(counts).kappa == pytest.approx(kappa, abs=0.0005)


def test_it_is_what_scikit_learn_computes() -> None:
    draw = random.Random(7)
    for _ in range(20):
        pairs = [(draw.choice("abcd"), draw.choice("abcd")) for _ in range(40)]
        pairs += [(each, each) for each in draw.choices("abcd", k=20)]
        found = cohens_kappa(Counter(pairs))
        first, second = zip(*pairs, strict=True)
        assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
        assert found.low is not None and found.high is not None and found.kappa is not None
        assert found.low < found.kappa < found.high


def test_perfect_and_worst_agreement() -> None:
    perfect = cohens_kappa({("a", "a"): 3, ("b", "b"): 9})
    # A dozen pairs that agree do not prove that none will ever differ.
    assert (perfect.kappa, perfect.low, perfect.high) == (1, None, None)
    assert cohens_kappa({("a", "b"): 5, ("b", "a"): 5}).kappa == -1


def test_it_is_not_defined_without_pairs_or_without_any_choice() -> None:
    nothing = cohens_kappa({})
    assert (nothing.pairs, nothing.kappa, nothing.observed, nothing.is_uniform) == (0, None, None, False)
    for counts in ({("a", "a"): 12}, {("a", "a"): 12, ("b", "b"): 0}):
        uniform = cohens_kappa(counts)
        assert (uniform.pairs, uniform.kappa, uniform.observed, uniform.is_uniform) == (12, None, 1, True)
    # One of them always says the same: defined, and nothing but chance.
    assert cohens_kappa({("a", "a"): 3, ("a", "b"): 4}).kappa == 0


def test_few_pairs_are_said_to_be_few() -> None:
    assert cohens_kappa({("a", "a"): 10, ("b", "b"): 19}).is_uncertain
    assert not cohens_kappa({("a", "a"): 10, ("b", "b"): 20}).is_uncertain


def test_tables_add_up() -> None:
    one, other = {("a", "a"): 1}, {("a", "a"): 2, ("a", "b"): 3}
    assert summed(itertools.chain([one], [other])) == {("a", "a"): 3, ("a", "b"): 3}
