"""The words as lessons write them, in Postgres: put down while they are indexed, read where a word is in no lesson."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from greenroom.schema.search.candidates import Spelling
from greenroom.storage.postgres.columns import texts
from greenroom.storage.retrieval.joined_words import joined_words
from greenroom.storage.retrieval.spelling import LENGTH_MAX, LENGTH_MIN, SPELLINGS_MAX, edits_max

ADD_SPELLINGS: Final = """
-- add_spellings: words as they are written, of which none is known yet. 1, 2: words; 10, 11: parts of words with a hyphen.
WITH written AS MATERIALIZED (
    SELECT DISTINCT lower(unaccent(t.token)) AS word
      FROM unnest(%(titles)s::text[], %(category_words)s::text[], %(descriptions)s::text[]) AS w (title, category_words, description)
     CROSS JOIN LATERAL ts_parse('default', w.title || ' | ' || w.category_words || ' | ' || w.description) t
     WHERE t.tokid IN (1, 2, 10, 11))
INSERT INTO search_spellings (word, lexeme)
SELECT n.word, l.number
  FROM (SELECT word FROM written w
         WHERE length(word) BETWEEN %(length_min)s AND %(length_max)s
           AND NOT EXISTS (SELECT FROM search_spellings s WHERE s.word = w.word)) n
 CROSS JOIN LATERAL unnest(to_tsvector('lessons', n.word)) u
 CROSS JOIN LATERAL (SELECT number FROM search_lexemes WHERE lexeme = u.lexeme LIMIT 1) l
 ORDER BY n.word
    ON CONFLICT DO NOTHING
"""

SPELLINGS: Final = """
-- spellings: of each word that no lesson has, alone or as one with its neighbour, those of lessons that may be meant.
SELECT a.word, s.word, s.documents
  FROM unnest(%(words)s::text[], %(edits)s::integer[]) AS a (word, edits)
 CROSS JOIN LATERAL (
       SELECT f.word, l.documents
         FROM (SELECT word, lexeme FROM search_spellings
                WHERE left(word, 1) = left(a.word, 1) AND length(word) BETWEEN length(a.word) - a.edits AND length(a.word) + a.edits
                LIMIT %(spellings_max)s) f
        CROSS JOIN LATERAL (SELECT documents FROM search_lexemes WHERE number = f.lexeme AND documents > 0 LIMIT 1) l) s
 WHERE to_tsvector('lessons', a.word) <> ''
   AND NOT EXISTS (
       SELECT FROM unnest(to_tsvector('lessons', a.word)) u
        CROSS JOIN LATERAL (SELECT FROM search_lexemes WHERE lexeme = u.lexeme AND documents > 0 LIMIT 1) l)
   AND NOT EXISTS (
       SELECT FROM unnest(to_tsvector('lessons', %(joined)s)) j
        CROSS JOIN LATERAL (SELECT FROM search_lexemes WHERE lexeme = j.lexeme AND titles > 0 AND documents > 0 LIMIT 1) l
        WHERE strpos(j.lexeme, a.word) > 0)
"""


LENGTHS: Final = {"length_min": LENGTH_MIN, "length_max": LENGTH_MAX}
"""Parameters of :data:`ADD_SPELLINGS`."""


def spellings_params(text: str, words: Sequence[str]) -> dict[str, Any]:
    """Parameters of :data:`SPELLINGS`."""
    return {
        "words": texts(words),
        "edits": [edits_max(word) for word in words],
        "joined": joined_words(text),
        "spellings_max": SPELLINGS_MAX,
    }


def spelling_of(written: str, word: str, documents: int) -> tuple[str, Spelling]:
    """A row of :data:`SPELLINGS`."""
    return written, Spelling(word, documents)
