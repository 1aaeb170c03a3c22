"""The statements that find services: by words and by kind, by meaning, or by nothing but the filters.

1. What is best is looked at first, and looking ends when a leg is full: filters are asked of hundreds of services, not of all.
2. Each is written as a walk along an index that no planner can take for anything else, so its plan is made once and kept.
3. Where words don't suffice, and where nothing was described, all services are looked at: by statements of their own, planned anew.

All texts are fixed, so there are few to prepare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, LiteralString

from greenroom.schema.search.candidates import RetrievalQuery
from greenroom.storage.postgres.columns import texts
from greenroom.storage.postgres.search.filters import (
    FREE,
    FREE_AMONG_ALL,
    FREE_INSTRUCTORS,
    WINDOWS,
    filter_clauses,
)
from greenroom.storage.postgres.search.words import HITS, HITS_BY_MEANING, WORDS, word_params
from greenroom.storage.retrieval.fusion import has_vector_leg
from greenroom.storage.retrieval.reach import is_local
from greenroom.storage.retrieval.rules import (
    COARSE_DEPTH,
    LEG_DEPTH,
    QUALITY_COUNT,
    QUALITY_MEAN,
    SIMILARITY_MIN,
    TIMED_DEPTH,
    RetrievalRules,
)

ASK_FOR_SOME: Final = """
-- ask_for_some: for this transaction. What is looked up is written as LATERAL, whatever else is joined is joined by a hash: a plan that
-- was made while there were few services, and kept, would else compare each with each. A misspelt word is looked up by its trigrams.
SELECT set_config('enable_nestloop', 'off', true), set_config('enable_hashjoin', 'on', true),
       set_config('pg_trgm.similarity_threshold', %(similarity_min)s, true)
"""

ASK_FOR_ALL: Final = """
-- ask_for_all: for the rest of this transaction. What goes over all services is for other plans than those of the pool's sessions, and
-- is planned each time, which takes a millisecond. To start other processes takes longer than they would save.
SELECT set_config('max_parallel_workers_per_gather', '0', true), set_config('enable_seqscan', %(enable_seqscan)s, true),
       set_config('enable_hashjoin', 'on', true), set_config('enable_nestloop', 'on', true),
       set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('pg_trgm.similarity_threshold', %(similarity_min)s, true)
"""

MANY: Final = 400
"""Services that have the words: more are not asked one by one whether they are in a neighbourhood."""

SHAPES_MAX: Final = 200
"""Texts that are kept: those of the filters that are asked for together."""

SOME_PARAMS: Final = {"similarity_min": str(SIMILARITY_MIN)}


def all_params(*, by_reach: bool) -> dict[str, str]:
    """Parameters of :data:`ASK_FOR_ALL`; with ``by_reach`` the index is walked even if most have what is asked for: to compare the
    arrays of all takes longer."""
    return {**SOME_PARAMS, "enable_seqscan": "off" if by_reach else "on"}


QUALITY: Final = (
    "((d.rating * d.rating_count + %(quality_mean)s * %(quality_count)s) / (d.rating_count + %(quality_count)s))"
)
OF_KINDS: Final = """
  LEFT JOIN unnest(%(categories)s::text[], %(weights)s::double precision[]) AS k (category, weight) ON k.category = d.category"""
PLACE: Final = "(SELECT place FROM search_models WHERE model = %(model)s)"
NO_SCORE: Final = "NULL::double precision"
NOTHING: Final = "0::double precision"

KINDS: Final = """
kinds AS MATERIALIZED (
    SELECT d.doc, d.instructor_id, d.timezone, d.duration_minutes, k.weight, {quality} AS quality
      FROM unnest(%(categories)s::text[], %(weights)s::double precision[]) AS k (category, weight)
     CROSS JOIN LATERAL (SELECT * FROM search_documents WHERE category = k.category AND is_listed OFFSET 0) d
     WHERE {filters})"""

TELLING: Final = """
telling AS MATERIALIZED (
    SELECT doc, score FROM hits
     WHERE score >= %(share)s * (SELECT max(score) FROM hits) OR doc IN (SELECT doc FROM kinds))"""
"""Where a kind is meant, words let in what is of it, and what has nearly the best words: see
:func:`~greenroom.storage.retrieval.fusion.admitted`. Nothing else needs to be asked for anything."""

THERE: Final = """
there AS MATERIALIZED (
    SELECT d.doc FROM search_documents d WHERE (SELECT count(*) FROM {hits}) > %(many)s AND {filters})"""
"""All of a neighbourhood that pass, where so many have the words that it is better to ask the index of reaches first."""

FROM_ALL: Final = "SELECT doc, score FROM {hits}"
FROM_THERE: Final = """SELECT doc, score FROM {hits} WHERE (SELECT count(*) FROM {hits}) <= %(many)s
                     UNION ALL
                    SELECT h.doc, h.score FROM there t JOIN {hits} h ON h.doc = t.doc"""
WORDED: Final = """SELECT h.doc, h.score, p.instructor_id, p.timezone, p.duration_minutes
              FROM ({worded} ORDER BY score DESC, doc OFFSET 0) h
             CROSS JOIN LATERAL (SELECT * FROM search_documents d WHERE d.doc = h.doc AND {filters} LIMIT 1) p"""

BY_WORDS: Final = """
by_words AS MATERIALIZED (
    SELECT d.doc, d.score
      FROM ({worded}) d
     WHERE {free}
     ORDER BY d.score DESC, d.doc LIMIT {depth})"""
"""From the best on, until there are enough."""

BY_KIND: Final = """
by_kind AS MATERIALIZED (
    SELECT d.doc, d.weight, d.quality
      FROM (SELECT * FROM kinds ORDER BY weight DESC, quality DESC, doc OFFSET 0) d
     WHERE {free}
     ORDER BY d.weight DESC, d.quality DESC, d.doc LIMIT {depth})"""

BY_MEANING_OF_THESE: Final = """
by_meaning AS MATERIALIZED (
    SELECT c.doc
      FROM ({compared}) c
     CROSS JOIN LATERAL (
           SELECT embedding <#> %(vector)s::halfvec AS distance FROM service_embeddings
            WHERE place = {place} AND doc = c.doc LIMIT 1) e
     WHERE (SELECT max(score) FROM hits) >= %(words_suffice_score)s
     ORDER BY e.distance, c.doc LIMIT %(depth)s)"""
"""Where words suffice, nothing is let in for its meaning alone: so it is asked which of those that words or kind find mean it most."""

DEPTH: Final = "%(depth)s"
DEPTH_TO_COMPARE: Final = (
    "(SELECT CASE WHEN max(score) >= %(words_suffice_score)s THEN %(coarse_depth)s ELSE %(depth)s END FROM hits)"
)

FOUND: Final = """
-- retrieve: what words and kind find under the filters, with what every leg says of it; one row at least.
WITH {ctes},
entrants AS MATERIALIZED ({entrants})
SELECT {best_text}, f.*
  FROM (SELECT) one
  LEFT JOIN (
       SELECT d.doc, d.service_id, d.instructor_id, {text_score}, {cosine}, {category}, {quality}
         FROM entrants n
        CROSS JOIN LATERAL (SELECT * FROM search_documents WHERE doc = n.doc LIMIT 1) d{joins}{vectors}) f ON true
"""

WITH_VECTORS: Final = """
  LEFT JOIN LATERAL (
       SELECT embedding <#> %(vector)s::halfvec AS distance FROM service_embeddings
        WHERE place = {place} AND doc = n.doc LIMIT 1) e ON true"""

TIMED: Final = ", d.instructor_id, d.timezone, d.duration_minutes"
"""What :data:`~greenroom.storage.postgres.search.filters.FREE` asks of."""

BY_MEANING: Final = """
coarse AS MATERIALIZED (
    SELECT d.doc
      FROM (SELECT d.doc{timed}, CASE {place} WHEN 1 THEN d.sketch_1 WHEN 2 THEN d.sketch_2 WHEN 3 THEN d.sketch_3
                                       WHEN 4 THEN d.sketch_4 END <~> binary_quantize(%(vector)s::halfvec) AS distance
              FROM search_documents d WHERE {filters}
             ORDER BY distance, doc LIMIT {nearest}) d
     WHERE d.distance IS NOT NULL AND {free}
     ORDER BY d.distance, d.doc LIMIT %(coarse_depth)s),
by_meaning AS MATERIALIZED (
    SELECT c.doc, e.distance
      FROM coarse c
     CROSS JOIN LATERAL (
           SELECT embedding <#> %(vector)s::halfvec AS distance FROM service_embeddings
            WHERE place = {place} AND doc = c.doc LIMIT 1) e
     WHERE e.distance <= -%(cosine_floor)s
     ORDER BY e.distance, c.doc LIMIT %(depth)s)"""

MEANT: Final = """
-- retrieve_by_meaning: the nearest of all that pass the filters, with what every leg says of them.
WITH {ctes}
SELECT d.doc, d.service_id, d.instructor_id, {text_score}, -n.distance, {category}, {quality}
  FROM by_meaning n
 CROSS JOIN LATERAL (SELECT * FROM search_documents WHERE doc = n.doc LIMIT 1) d{joins}
"""

COUNT_WORDED: Final = """
-- count_worded: all that pass the filters and may be shown for their words.
WITH {ctes}
SELECT count(*) FROM ({worded}) d WHERE {free}
"""
PASSING: Final = """
passing AS MATERIALIZED (
    SELECT d.doc, d.service_id, d.instructor_id, {quality} AS quality FROM search_documents d WHERE {filters} AND {free})"""

BROWSE: Final = """
-- browse: the best rated of all that pass the filters, with how many there are.
WITH {ctes}
SELECT (SELECT count(*) FROM passing), doc, service_id, instructor_id, quality
  FROM passing ORDER BY quality DESC, doc LIMIT %(depth)s
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the texts of the statements of a query depend on.

    Attributes:
        filters: clauses over ``search_documents d``, joined by AND.
        has_windows: it is asked for times: somebody has to be free then.
        is_local: only a part of a city is asked for, which an index may find sooner than words do.
    """

    filters: LiteralString
    has_windows: bool
    is_local: bool
    has_words: bool
    has_kinds: bool
    has_meaning: bool

    @property
    def is_described(self) -> bool:
        """By words or kind, which is where looking for it begins."""
        return self.has_words or self.has_kinds


def asked(query: RetrievalQuery, rules: RetrievalRules) -> tuple[Shape, Mapping[str, Any]]:
    """The shape of a query, and what its statements take for parameters."""
    clauses, params = filter_clauses(query.filters, query.now)
    shape = Shape(
        filters=" AND ".join(clauses),
        has_windows=bool(query.filters.windows),
        is_local=is_local(query.filters),
        has_words=bool(query.text.strip()),
        has_kinds=bool(query.categories),
        has_meaning=has_vector_leg(query),
    )
    params |= {"depth": LEG_DEPTH, "quality_mean": QUALITY_MEAN, "quality_count": QUALITY_COUNT}
    if shape.is_local:
        params["many"] = MANY
    if shape.has_words:
        params |= word_params(query.text)
        params["share"] = rules.other_kind_share if query.categories else 0.0
    if shape.has_kinds:
        params["categories"] = texts(slug for slug, _ in query.categories)
        params["weights"] = [weight for _, weight in query.categories]
    if shape.has_meaning:
        params |= {
            "model": query.model,
            "vector": vector_text(query.vector or ()),
            "cosine_floor": rules.cosine_floor(query.model),
            "coarse_depth": COARSE_DEPTH,
            "timed_depth": TIMED_DEPTH,
            "words_suffice_score": rules.words_suffice_score,
        }
    return shape, params


@lru_cache(maxsize=SHAPES_MAX)
def found_text(shape: Shape) -> LiteralString:
    """What words and kinds find, of which the shape has one at least."""
    is_compared = shape.has_words and shape.has_meaning
    ctes, entrants = _described(shape), list[LiteralString]()
    if shape.has_words:
        depth = DEPTH_TO_COMPARE if is_compared else DEPTH
        ctes.append(_filled(BY_WORDS, shape, worded=_worded(shape), depth=depth))
        entrants.append("(SELECT doc FROM by_words ORDER BY score DESC, doc LIMIT %(depth)s)")
    if shape.has_kinds:
        depth = "%(coarse_depth)s" if is_compared else DEPTH
        ctes.append(_filled(BY_KIND, shape, depth=depth))
        entrants.append("(SELECT doc FROM by_kind ORDER BY weight DESC, quality DESC, doc LIMIT %(depth)s)")
    if is_compared:
        compared = ("SELECT doc FROM by_words", "SELECT doc FROM by_kind")[: 1 + shape.has_kinds]
        ctes.append(_filled(BY_MEANING_OF_THESE, shape, compared=" UNION ".join(compared)))
        entrants.append("SELECT doc FROM by_meaning")
    best_text = "COALESCE((SELECT max(score) FROM hits), 0)::double precision" if shape.has_words else NOTHING
    return _with(shape, ctes, FOUND, hits=_hits(shape), entrants=" UNION ".join(entrants), best_text=best_text)


@lru_cache(maxsize=SHAPES_MAX)
def meant_text(shape: Shape) -> LiteralString:
    """What meaning finds among all."""
    ctes: list[LiteralString] = [WINDOWS] if shape.has_windows else []
    timed, nearest = (TIMED, "%(timed_depth)s") if shape.has_windows else ("", "%(coarse_depth)s")
    ctes.append(_filled(BY_MEANING, shape, timed=timed, nearest=nearest))
    if shape.has_words:
        ctes += [WORDS, HITS_BY_MEANING]
    return _with(shape, ctes, MEANT)


@lru_cache(maxsize=SHAPES_MAX)
def count_text(shape: Shape) -> LiteralString:
    """How many pass the filters and may be shown for their words."""
    return _with(shape, _described(shape), COUNT_WORDED, worded=_worded(shape))


@lru_cache(maxsize=SHAPES_MAX)
def browse_text(shape: Shape) -> LiteralString:
    """The best rated, and how many there are."""
    ctes = [WINDOWS, FREE_INSTRUCTORS] if shape.has_windows else []
    ctes.append(_filled(PASSING, shape, free=FREE_AMONG_ALL if shape.has_windows else "true"))
    return _with(shape, ctes, BROWSE)


def _described(shape: Shape) -> list[LiteralString]:
    """Services that have the words, and those of the kinds."""
    ctes: list[LiteralString] = [WINDOWS] if shape.has_windows else []
    ctes += [WORDS, HITS] if shape.has_words else []
    ctes += [_filled(KINDS, shape)] if shape.has_kinds else []
    ctes += [TELLING] if shape.has_words and shape.has_kinds else []
    return [*ctes, _filled(THERE, shape)] if shape.has_words and shape.is_local else ctes


def _hits(shape: Shape) -> LiteralString:
    return "telling" if shape.has_kinds else "hits"


def _worded(shape: Shape) -> LiteralString:
    """Services that may be shown for their words and pass the filters, the best first."""
    return _filled(WORDED, shape, worded=_filled(FROM_THERE if shape.is_local else FROM_ALL, shape))


def _with(
    shape: Shape,
    ctes: Sequence[LiteralString],
    template: LiteralString,
    *,
    hits: LiteralString = "hits",
    **parts: LiteralString,
) -> LiteralString:
    joins: LiteralString = f"\n  LEFT JOIN {hits} h ON h.doc = n.doc" if shape.has_words else ""
    if shape.has_kinds:
        joins += OF_KINDS
    return _filled(
        template,
        shape,
        ctes=("RECURSIVE " if shape.has_windows else "") + ",".join(ctes),
        text_score="h.score::double precision" if shape.has_words else NO_SCORE,
        category="COALESCE(k.weight, 0)" if shape.has_kinds else NOTHING,
        cosine="-e.distance" if shape.has_meaning else NO_SCORE,
        joins=joins,
        vectors=WITH_VECTORS.format(place=PLACE) if shape.has_meaning else "",
        **parts,
    )


def _filled(template: LiteralString, shape: Shape, **parts: LiteralString) -> LiteralString:
    free = FREE if shape.has_windows else "true"
    told = {
        "filters": shape.filters,
        "free": free,
        "hits": _hits(shape),
        "quality": QUALITY,
        "place": PLACE,
        **parts,
    }
    return template.format(**told)


def vector_text(vector: Sequence[float]) -> str:
    return f"[{','.join(map(repr, vector))}]"
