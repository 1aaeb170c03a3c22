"""How good a ranking is, and how sure one may be of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from random import Random
from statistics import mean
from typing import Final

RESAMPLES: Final = 2_000
SEED: Final = 20_260_301


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], *, depth: int = 10) -> float:
    """Discounted gain of the first ``depth`` over the best there could be, gains linear in the grade; 0.0 if nothing is right.

    Source: K. Järvelin, J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20 (2002); ``ndcg_cut`` of
    trec_eval.
    """
    best = _gain(sorted(grades.values(), reverse=True)[:depth])
    return _gain([grades.get(each, 0) for each in ranked[:depth]]) / best if best else 0.0


def first_is_right(ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    return float(bool(ranked) and grades.get(ranked[0], 0) > 0)


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / log2(place + 2) for place, grade in enumerate(grades))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over queries, with the middle 95 % of what other queries of the same kind may have given."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def estimate(values: Sequence[float]) -> Estimate:
    """Source: B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), the percentile interval."""
    random = Random(SEED)  # noqa: S311 - the same figures each time
    means = sorted(mean(random.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Estimate(mean(values), means[round(0.025 * RESAMPLES)], means[round(0.975 * RESAMPLES) - 1])
