"""Words of a query in SQL: which of them tell how much, and what BM25 makes of the services that have them."""

from __future__ import annotations

from typing import Any, Final

from greenroom.storage.retrieval.joined_words import joined_words
from greenroom.storage.retrieval.rules import K1, SIMILAR_LENGTH_MIN, SIMILAR_MAX, B

WORDS: Final = """
asked AS MATERIALIZED (
    SELECT lexeme FROM unnest(to_tsvector('lessons', %(text)s))),
known AS MATERIALIZED (
    SELECT a.lexeme AS word, l.number, l.documents, 1::real AS likeness, true AS is_known
      FROM asked a
     CROSS JOIN LATERAL (SELECT number, documents FROM search_lexemes WHERE lexeme = a.lexeme AND documents > 0 LIMIT 1) l),
joined AS MATERIALIZED (
    SELECT j.lexeme AS word, l.number, l.documents
      FROM unnest(to_tsvector('lessons', %(joined)s)) j
     CROSS JOIN LATERAL (
           SELECT number, documents FROM search_lexemes WHERE lexeme = j.lexeme AND titles > 0 AND documents > 0 LIMIT 1) l
     WHERE j.lexeme NOT IN (SELECT lexeme FROM asked)),
meant_words AS MATERIALIZED (
    SELECT word, number, documents, likeness, is_known, 1 AS words FROM known
     UNION ALL
    SELECT word, number, documents, 1, true, 2 FROM joined
     UNION ALL
    SELECT a.lexeme, s.number, s.documents, s.likeness, false, 1
      FROM asked a
     CROSS JOIN LATERAL (
           SELECT l.number, l.documents, similarity(l.lexeme, a.lexeme) AS likeness FROM search_lexemes l
            WHERE l.lexeme %% a.lexeme AND l.titles > 0
            ORDER BY similarity(l.lexeme, a.lexeme) DESC, l.documents DESC, l.lexeme LIMIT %(similar_max)s) s
     WHERE length(a.lexeme) >= %(similar_length_min)s AND a.lexeme NOT IN (SELECT word FROM known)),
rare AS MATERIALIZED (
    SELECT m.word, m.number, m.is_known, m.words,
           m.likeness * ln(1 + (greatest(c.documents - m.documents, 0) + 0.5) / (m.documents + 0.5)) AS weight
      FROM meant_words m CROSS JOIN search_corpus c),
reach AS MATERIALIZED (
    SELECT greatest(
               COALESCE((SELECT sum(w) FROM (SELECT max(weight) AS w FROM rare WHERE words = 1 GROUP BY word) b), 0)
               + (SELECT count(*) FROM asked WHERE lexeme NOT IN (SELECT word FROM rare)) * (SELECT max(weight) FROM rare),
               (SELECT max(words * weight) FROM rare)) AS best)"""
"""Words of the text by how much each tells. A word in no text stands for the most similar ones of titles and categories, as far as
they are alike; if there are none, it counts as much as the rarest of the others: it was asked for and is not there. Two words that
titles or categories have as one are looked for as that too: a text that has it has both."""

_SCORES: Final = """
gains AS NOT MATERIALIZED (
    SELECT p.doc, r.word, r.is_known, r.words * r.weight * p.frequency / (p.frequency + c.base + c.per_length * p.length) AS gain
      FROM rare r
     CROSS JOIN {postings} p
     CROSS JOIN (SELECT %(k1)s * (1 - %(b)s) AS base,
                        %(k1)s * %(b)s / greatest(length / greatest(documents, 1), 1) AS per_length
             FROM search_corpus OFFSET 0) c),
hits AS MATERIALIZED (
    SELECT g.doc, least(sum(g.gain) / (SELECT best FROM reach), 1) AS score
      FROM (SELECT doc, gain FROM gains WHERE is_known
             UNION ALL
            SELECT doc, max(gain) FROM gains WHERE NOT is_known GROUP BY word, doc) g
     GROUP BY g.doc)"""
"""Services that have any of the words. Of similar words only that which tells most counts in a text: it was meant as one of them. The
score is 1 for a text that is made of nothing but the words, or has some of them both apart and as one."""

HITS: Final = _SCORES.format(
    postings="""LATERAL (
           SELECT doc, frequency, length FROM search_postings WHERE lexeme = r.number OFFSET 0)"""
)
"""All that have any. OFFSET keeps the planner from anything but walking the postings of these words."""

HITS_BY_MEANING: Final = _SCORES.format(
    postings="""by_meaning m
     CROSS JOIN LATERAL (
           SELECT doc, frequency, length FROM search_postings WHERE lexeme = r.number AND doc = m.doc LIMIT 1)"""
)
"""The same of the few that were found by meaning."""

_STRENGTH: Final = """
-- text_strength: how well words alone find something.
WITH {words},{hits}
SELECT COALESCE((SELECT max(score) FROM hits), 0)::double precision,
       (SELECT count(*) FROM hits WHERE score >= %(strong_score)s),
       ARRAY(SELECT t.word FROM unnest(%(telling)s::text[]) WITH ORDINALITY AS t (word, place)
              WHERE to_tsvector('lessons', t.word) <> ''
                AND NOT EXISTS (
                    SELECT FROM unnest(to_tsvector('lessons', t.word)) l
                      JOIN rare r ON r.word = l.lexeme OR (r.words > 1 AND strpos(r.word, l.lexeme) > 0))
              ORDER BY t.place)
"""
STRENGTH: Final = _STRENGTH.format(words=WORDS, hits=HITS)


def word_params(text: str) -> dict[str, Any]:
    """Parameters of :data:`WORDS` and of the scores."""
    return {
        "text": text,
        "joined": joined_words(text),
        "k1": K1,
        "b": B,
        "similar_max": SIMILAR_MAX,
        "similar_length_min": SIMILAR_LENGTH_MIN,
    }
