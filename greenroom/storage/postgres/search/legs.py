"""The statement that finds services: its legs, chosen by what a query asks for. All its texts are fixed, so there are few to prepare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, LiteralString

from psycopg import sql

from greenroom.schema.search.candidates import RetrievalQuery
from greenroom.storage.postgres.columns import texts
from greenroom.storage.postgres.search.filters import FREE_INSTRUCTORS, filter_clauses
from greenroom.storage.postgres.session import Query
from greenroom.storage.retrieval.fusion import has_vector_leg
from greenroom.storage.retrieval.rules import (
    COARSE_DEPTH,
    K1,
    LEG_DEPTH,
    QUALITY_COUNT,
    QUALITY_MEAN,
    SIMILAR_LENGTH_MIN,
    SIMILAR_MAX,
    SIMILARITY_MIN,
    B,
    RetrievalRules,
)

ASK_FOR_MANY: Final = """
-- ask_for_many: for this transaction. These statements go over thousands of rows, which is what other plans are for than those of
-- the pool's sessions. They are planned each time, which takes a millisecond: a plan that was made while there were few services, and
-- kept, compares each of them with each. And a word that is misspelt is looked up by its trigrams.
SELECT set_config('enable_seqscan', %(enable_seqscan)s, true), set_config('enable_hashjoin', 'on', true),
       set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('pg_trgm.similarity_threshold', %(similarity_min)s, true)
"""


def asking_params(*, by_reach: bool) -> dict[str, str]:
    """Parameters of :data:`ASK_FOR_MANY`; with ``by_reach`` the index is walked even if most have what is asked for: to compare the
    arrays of all takes longer."""
    return {"enable_seqscan": "off" if by_reach else "on", "similarity_min": str(SIMILARITY_MIN)}


WORDS: Final = """
asked AS MATERIALIZED (
    SELECT lexeme FROM unnest(to_tsvector('lessons', %(text)s))),
known AS MATERIALIZED (
    SELECT a.lexeme AS word, l.number, l.documents, 1::real AS likeness, true AS is_known
      FROM asked a JOIN search_lexemes l ON l.lexeme = a.lexeme AND l.documents > 0),
meant_words AS MATERIALIZED (
    SELECT word, number, documents, likeness, is_known FROM known
     UNION ALL
    SELECT a.lexeme, s.number, s.documents, s.likeness, false
      FROM asked a
     CROSS JOIN LATERAL (
           SELECT l.number, l.documents, similarity(l.lexeme, a.lexeme) AS likeness FROM search_lexemes l
            WHERE l.lexeme %% a.lexeme AND l.titles > 0
            ORDER BY similarity(l.lexeme, a.lexeme) DESC, l.documents DESC, l.lexeme LIMIT %(similar_max)s) s
     WHERE length(a.lexeme) >= %(similar_length_min)s AND a.lexeme NOT IN (SELECT word FROM known)),
rare AS MATERIALIZED (
    SELECT m.word, m.number, m.is_known,
           m.likeness * ln(1 + (greatest(c.documents - m.documents, 0) + 0.5) / (m.documents + 0.5)) AS weight
      FROM meant_words m CROSS JOIN search_corpus c),
reach AS MATERIALIZED (
    SELECT (SELECT sum(w) FROM (SELECT max(weight) AS w FROM rare GROUP BY word) b)
           + (SELECT count(*) FROM asked WHERE lexeme NOT IN (SELECT word FROM rare)) * (SELECT max(weight) FROM rare) AS best),
gains AS NOT MATERIALIZED (
    SELECT p.doc, r.word, r.is_known,
           r.weight * p.frequency / (p.frequency + %(k1)s * (1 - %(b)s + %(b)s * p.length / c.mean)) AS gain
      FROM rare r
      JOIN search_postings p ON p.lexeme = r.number
     CROSS JOIN (SELECT greatest(length / greatest(documents, 1), 1) AS mean FROM search_corpus) c),
hits AS MATERIALIZED (
    SELECT g.doc, sum(g.gain) / max(reach.best) AS score
      FROM (SELECT doc, gain FROM gains WHERE is_known
             UNION ALL
            SELECT doc, max(gain) FROM gains WHERE NOT is_known GROUP BY word, doc) g
     CROSS JOIN reach
     GROUP BY g.doc)"""
"""Words of the text by how much each tells, and the services that have any. A word in no text stands for the most similar ones of
titles and categories, as far as they are alike; if there are none, it counts as much as the rarest of the others: it was asked for and
is not there. Of the similar ones only that which tells most counts in a text: it was meant as one of them. The score is 1 for a text that
is made of nothing but the words."""

STRENGTH: Final = sql.SQL("""
-- text_strength: how well words alone find something.
WITH {words}
SELECT COALESCE((SELECT max(score) FROM hits), 0)::double precision,
       (SELECT count(*) FROM hits WHERE score >= %(strong_score)s),
       (SELECT count(*) FROM known)
""").format(words=sql.SQL(WORDS))

WORDED: Final = """
worded AS MATERIALIZED (
    SELECT h.doc, h.score FROM hits h JOIN search_documents d ON d.doc = h.doc WHERE {filters})"""

WORDED_PASSING: Final = """
worded AS MATERIALIZED (
    SELECT h.doc, h.score FROM hits h JOIN passing p ON p.doc = h.doc)"""

BY_WORDS: Final = """
by_words AS (
    SELECT doc FROM worded ORDER BY score DESC, doc LIMIT %(depth)s)"""

PASSING: Final = """
passing AS MATERIALIZED (
    SELECT d.doc, CASE (SELECT place FROM search_models WHERE model = %(model)s)
                  WHEN 1 THEN d.sketch_1 WHEN 2 THEN d.sketch_2 WHEN 3 THEN d.sketch_3 WHEN 4 THEN d.sketch_4 END
                  <~> binary_quantize(%(vector)s::halfvec) AS distance
      FROM search_documents d WHERE {filters})"""

BY_MEANING: Final = """
coarse AS MATERIALIZED (
    SELECT doc FROM passing WHERE distance IS NOT NULL ORDER BY distance, doc LIMIT %(coarse_depth)s),
by_meaning AS MATERIALIZED (
    SELECT c.doc
      FROM coarse c
      JOIN service_embeddings e
        ON e.place = (SELECT place FROM search_models WHERE model = %(model)s) AND e.doc = c.doc
     WHERE e.embedding <#> %(vector)s::halfvec <= -%(cosine_floor)s
     ORDER BY e.embedding <#> %(vector)s::halfvec, c.doc LIMIT %(depth)s)"""

BY_KIND: Final = """
by_kind AS (
    SELECT d.doc
      FROM unnest(%(categories)s::text[], %(weights)s::double precision[]) AS k (category, weight)
      JOIN search_documents d ON d.category = k.category
     WHERE {filters}
     ORDER BY k.weight DESC, (d.rating * d.rating_count + %(quality_mean)s * %(quality_count)s) /
              (d.rating_count + %(quality_count)s) DESC, d.doc LIMIT %(depth)s)"""

BY_RATING: Final = """
by_rating AS (
    SELECT d.doc FROM search_documents d WHERE {filters}
     ORDER BY (d.rating * d.rating_count + %(quality_mean)s * %(quality_count)s) / (d.rating_count + %(quality_count)s) DESC,
              d.doc LIMIT %(depth)s)"""

LEGS: Final = """
-- retrieve: what each leg found under the filters, with what every leg says of it.
WITH {ctes},
entrants AS MATERIALIZED ({entrants})
SELECT d.doc, d.service_id, d.instructor_id, {text_score}, {cosine}, {category},
       (d.rating * d.rating_count + %(quality_mean)s * %(quality_count)s) / (d.rating_count + %(quality_count)s),
       {best_text}, {text_count}, {total}
  FROM entrants n JOIN search_documents d ON d.doc = n.doc{joins}
"""


def legs_statement(query: RetrievalQuery, rules: RetrievalRules) -> tuple[Query, dict[str, Any]]:
    """The statement with the legs that the query asks for. Its texts are fixed, so there are few of them to prepare."""
    clauses, params = filter_clauses(query.filters, query.now)
    filters = sql.SQL(" AND ").join(sql.SQL(clause) for clause in clauses)
    params |= {"depth": LEG_DEPTH, "quality_mean": QUALITY_MEAN, "quality_count": QUALITY_COUNT}
    ctes: list[LiteralString] = [FREE_INSTRUCTORS] if query.filters.windows else []
    entrants: list[LiteralString] = []
    joins: LiteralString = ""
    text_score: LiteralString = "NULL::double precision"
    cosine: LiteralString = "NULL::double precision"
    category: LiteralString = "0::double precision"
    best_text: LiteralString = "0::double precision"
    text_count: LiteralString = "0"
    total: LiteralString = "0"
    is_compared = has_vector_leg(query)
    if is_compared:
        # Both legs look at what passes the filters.
        ctes.append(PASSING)
    if query.text.strip():
        ctes += [WORDS, WORDED_PASSING if is_compared else WORDED, BY_WORDS]
        entrants.append("SELECT doc FROM by_words")
        joins += "\n  LEFT JOIN worded ON worded.doc = n.doc"
        text_score, best_text = (
            "worded.score::double precision",
            "COALESCE((SELECT max(score) FROM hits), 0)::double precision",
        )
        text_count = "(SELECT count(*) FROM worded)"
        params |= word_params(query.text)
    if query.vector is not None and is_compared:
        ctes.append(BY_MEANING)
        entrants.append("SELECT doc FROM by_meaning")
        joins += """
  LEFT JOIN service_embeddings e
         ON e.place = (SELECT place FROM search_models WHERE model = %(model)s) AND e.doc = n.doc"""
        cosine = "-(e.embedding <#> %(vector)s::halfvec)"
        params |= {
            "model": query.model,
            "vector": vector_text(query.vector),
            "cosine_floor": rules.cosine_floor(query.model),
            "coarse_depth": COARSE_DEPTH,
        }
    if query.categories:
        ctes.append(BY_KIND)
        entrants.append("SELECT doc FROM by_kind")
        joins += """
  LEFT JOIN unnest(%(categories)s::text[], %(weights)s::double precision[]) AS k (category, weight)
         ON k.category = d.category"""
        category = "COALESCE(k.weight, 0)"
        params |= {
            "categories": texts(slug for slug, _ in query.categories),
            "weights": [weight for _, weight in query.categories],
        }
    if not entrants:
        ctes.append(BY_RATING)
        entrants.append("SELECT doc FROM by_rating")
        total = "(SELECT count(*) FROM search_documents d WHERE {filters})"
    template: LiteralString = LEGS
    return sql.SQL(template).format(
        ctes=sql.SQL("RECURSIVE " if query.filters.windows else "")
        + sql.SQL(",").join(sql.SQL(cte).format(filters=filters) for cte in ctes),
        entrants=sql.SQL(" UNION ").join(sql.SQL(entrant) for entrant in entrants),
        joins=sql.SQL(joins),
        text_score=sql.SQL(text_score),
        cosine=sql.SQL(cosine),
        category=sql.SQL(category),
        best_text=sql.SQL(best_text),
        text_count=sql.SQL(text_count),
        total=sql.SQL(total).format(filters=filters),
    ), params


def word_params(text: str) -> dict[str, Any]:
    """Parameters of :data:`WORDS`."""
    return {
        "text": text,
        "k1": K1,
        "b": B,
        "similar_max": SIMILAR_MAX,
        "similar_length_min": SIMILAR_LENGTH_MIN,
    }


def vector_text(vector: Sequence[float]) -> str:
    return f"[{','.join(map(repr, vector))}]"
