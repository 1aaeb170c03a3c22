"""Mixing what words, meaning and kind say of a service into one order.

1. Each leg's scores are stretched over 0 to 1 (min-max, but no wider than SPREAD_MIN allows) and added with weights. Ranks alone lose how far apart two are: on the
   Cranfield collection reciprocal rank fusion was below the text leg alone, this above it (docs/retrieval.md).
2. A leg that says the same of all says nothing and is left out. The weights of the others are kept in proportion.
3. What a leg did not find has that leg's floor: no more is known than that it is no better than the worst that was found.
4. Ties are broken by id. The depth is fixed, so the first ten don't depend on how many were asked for.

Source: E. Fox, J. Shaw, "Combination of Multiple Searches", TREC-2 (1994), CombSUM; S. Bruch, S. Gai, A. Ingber, "An Analysis of
Fusion Functions for Hybrid Retrieval", ACM TOIS 42 (2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from greenroom.schema.ids import ServiceId
from greenroom.schema.search.candidates import FUSED_MAX, RetrievalQuery
from greenroom.storage.retrieval.rules import SPREAD_MIN, RetrievalRules


@dataclass(frozen=True, slots=True)
class Found:
    """A service that passed the filters, with what each leg says of it.

    Attributes:
        text: 0 to 1; None: it has none of the words.
        cosine: None: it has no vector of the model, or there is no vector leg.
        category: weight of its kind among those that are meant, 0.0 for none.
        quality: what orders services when nothing else does: the mean rating, drawn to the middle where there are few.
    """

    service_id: ServiceId
    text: float | None
    cosine: float | None
    category: float
    quality: float


@dataclass(frozen=True, slots=True)
class Fused:
    found: Found
    score: float


def has_vector_leg(query: RetrievalQuery) -> bool:
    """Whether there is a meaning to compare; the zero vector has none."""
    return query.vector is not None and query.model is not None and any(query.vector)


def has_legs(query: RetrievalQuery) -> bool:
    """Whether a lesson was described; if not, whatever passes the filters is found."""
    return bool(query.text.strip() or query.categories) or has_vector_leg(query)


def admitted(
    found: Sequence[Found], query: RetrievalQuery, *, best_text: float, rules: RetrievalRules
) -> list[Found]:
    """Those that may be shown.

    1. What is of a meant kind may be.
    2. Where no kind is meant, so may be what has any of the words: a vague sentence has no good answers, but it has some.
    3. Where one is, what is not of it, or of no kind that is known, has to come near the best. "Learn to swim" does not find chess for
       its "learn". The best words are those of all services: if what was meant is not to be had under the filters, nothing is a truer
       answer than something else.
    4. Where neither a kind nor a word of it is known, the nearest has to be near: of nonsense something is nearest too. Where words are
       known that don't describe well what there is, something has to be near enough to be let in for its meaning: "how to kill my
       neighbour" has but a word in common with "Korean for new neighbours".
    5. Without any of the words nothing is let in for its meaning where words describe well what there is.

    Args:
        best_text: the highest text score of any service, before the filters.
    """
    if not has_legs(query):
        return list(found)
    share = rules.other_kind_share if query.categories else 0.0
    words_suffice = best_text >= rules.words_suffice_score
    best_cosine = max((each.cosine for each in found if each.cosine is not None), default=0.0)
    cosine_min = max(rules.cosine_floor(query.model), share * best_cosine)
    is_compared = bool(query.text.strip()) and not query.categories and has_vector_leg(query)
    if is_compared and 0 < best_text < rules.words_suffice_score and best_cosine < rules.cosine_floor(query.model):
        return []
    # Dance is nearest to "dj" where nobody is a DJ, judo to "asdkjh", but not near.
    is_any_near = best_cosine >= _nearness_min(query, best_text, rules)

    def may_be_shown(each: Found) -> bool:
        by_words = each.text is not None and each.text >= share * best_text
        by_meaning = each.cosine is not None and each.cosine >= cosine_min
        return each.category > 0 or by_words or (by_meaning and is_any_near and not words_suffice)

    return [each for each in found if may_be_shown(each)]


def _nearness_min(query: RetrievalQuery, best_text: float, rules: RetrievalRules) -> float:
    """What the nearest has to reach for anything to be let in for its meaning."""
    if query.categories:
        return rules.kindred_floor(query.model)
    return rules.unknown_floor(query.model) if query.text.strip() and not best_text else -1.0


def count(found: Sequence[Found], entrants: Sequence[Found], *, with_words: int) -> int:
    """How many services there are to be shown, for people.

    Args:
        found: what the legs found, ``entrants`` those of them that are :func:`admitted`.
        with_words: services that passed the filters and may be shown for their words, or have some and are of a meant kind. Those that
            were not found count too, unless some that were found may not be shown: those beyond have no better words.
    """
    worded = sum(each.text is not None for each in found)
    is_cut = worded > sum(each.text is not None for each in entrants)
    return len(entrants) + (0 if is_cut else max(0, with_words - worded))


def fuse(found: Sequence[Found], rules: RetrievalRules) -> list[Fused]:
    """The best FUSED_MAX, best first. ``score`` is 0 to 1."""
    legs = (
        (1 - rules.vector_weight - rules.category_weight, _stretched([each.text for each in found])),
        (rules.vector_weight, _stretched([each.cosine for each in found])),
        (rules.category_weight, _stretched([each.category for each in found])),
    )
    telling = [(weight, scores) for weight, scores in legs if scores is not None]
    if not telling:
        telling = [(1.0, _stretched([each.quality for each in found]) or [1.0] * len(found))]
    total = sum(weight for weight, _ in telling) or 1.0
    fused = [
        Fused(each, sum(weight * scores[place] for weight, scores in telling) / total)
        for place, each in enumerate(found)
    ]
    fused.sort(key=lambda one: (-one.score, one.found.service_id))
    return fused[:FUSED_MAX]


def _stretched(scores: Sequence[float | None]) -> list[float] | None:
    """The scores over 0 to 1, the missing ones at 0; None if they don't differ.

    A leg that found some and gave all of them one score still parts them from those it did not find.
    """
    known = [score for score in scores if score is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    if high == low and len(known) == len(scores):
        return None
    spread = max(high - low, SPREAD_MIN * high)
    return [0.0 if score is None else 1 - (high - score) / spread if spread > 0 else 1.0 for score in scores]
