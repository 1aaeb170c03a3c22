"""The final order of what was found.

1. The best RANKED_MAX of the first stage are weighed by everything that is known of them. The others follow in their order: what is
   beyond the fiftieth place is hardly ever looked at.
2. Relevance outweighs all else together: a good instructor of something else is no answer.
3. A feature that is known of nobody, or was not asked for, is left out, and the weights of the others are kept in proportion. One
   that is unknown of somebody counts as the mean of the others.
4. Where no lesson was described, all are as relevant: the rest decides.
5. Ties are broken by id, so the same question has the same answer, page by page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from greenroom.actors.search.answer import Ranked
from greenroom.actors.search.ranking import features
from greenroom.actors.search.ranking.diversity import spread
from greenroom.schema.search.candidates import RANKED_MAX, Candidate, RetrievalQuery, Retrieved
from greenroom.storage.retrieval.fusion import has_legs

RELEVANCE: Final = 0.60
NEARNESS: Final = 0.12
STANDING: Final = 0.12
SOONNESS: Final = 0.06
PRICE_FIT: Final = 0.04
PROMPTNESS: Final = 0.04
FRESHNESS: Final = 0.02
"""Set by judgement, not fitted: there are no clicks yet to learn from. Where and how good come first after what, then when; the last
three decide between equals."""


def rank(retrieved: Retrieved, query: RetrievalQuery) -> tuple[Ranked, ...]:
    """All candidates in the order in which they are shown."""
    first, rest = retrieved.candidates[:RANKED_MAX], retrieved.candidates[RANKED_MAX:]
    weighed = [Ranked(candidate, score) for candidate, score in zip(first, _scores(first, query), strict=True)]
    weighed.sort(key=lambda one: (-one.score, one.candidate.service_id))
    # Those behind are worth less than any before them, in proportion to what the first stage said.
    floor = weighed[-1].score if weighed else 0.0
    best = first[-1].fused_score if first else 0.0
    tail = [Ranked(each, floor * each.fused_score / best if best else 0.0) for each in rest]
    return tuple(spread([*weighed, *tail]))


def _scores(candidates: Sequence[Candidate], query: RetrievalQuery) -> list[float]:
    columns: tuple[tuple[float, list[float | None]], ...] = (
        (RELEVANCE, [each.fused_score if has_legs(query) else None for each in candidates]),
        (NEARNESS, [features.nearness(each) for each in candidates]),
        (STANDING, [features.standing(each) for each in candidates]),
        (SOONNESS, [features.soonness(each, query.now) for each in candidates]),
        (PRICE_FIT, [features.price_fit(each, query.filters.price) for each in candidates]),
        (PROMPTNESS, [features.promptness(each) for each in candidates]),
        (FRESHNESS, [features.freshness(each, query.now) for each in candidates]),
    )
    scores, total = [0.0] * len(candidates), 0.0
    for weight, values in columns:
        known = [value for value in values if value is not None]
        if not known:
            continue
        mean = sum(known) / len(known)
        total += weight
        scores = [
            score + weight * (mean if value is None else value)
            for score, value in zip(scores, values, strict=True)
        ]
    return [score / total for score in scores]
