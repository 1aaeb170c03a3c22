"""The index of services in Postgres: postings, the dictionary, and vectors.

1. One writer at a time, by a lock that is part of the transaction: counts of the dictionary are of everybody's texts.
2. Rows that somebody else holds are passed over and stay marked: who indexes never waits while others may wait for it.
3. A mark is cleared only if the service is still what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from psycopg import sql

from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.ids import ServiceId
from greenroom.schema.search.indexing import IndexedModel, IndexedText, ServiceText
from greenroom.storage.ports import VectorCount
from greenroom.storage.postgres.columns import moments, texts
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.search.legs import vector_text
from greenroom.storage.postgres.search.spellings import ADD_SPELLINGS, LENGTHS
from greenroom.storage.postgres.session import Params, Query, Session
from greenroom.storage.postgres.transactions import in_transaction
from greenroom.storage.retrieval.head_words import head_words
from greenroom.storage.retrieval.rules import CATEGORY_WEIGHT, DESCRIPTION_WEIGHT, HEAD_WEIGHT, TITLE_WEIGHT

T = TypeVar("T")

BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
INDEX_TIMEOUT_S: Final = 20.0
"""For one transaction, waiting for another writer's included."""

INDEX_TIMEOUT_MS: Final = str(round(INDEX_TIMEOUT_S * 1000))

LOCK_INDEX: Final = """
-- lock_index: until the end of this transaction; and the plans and patience of a statement over many rows.
SELECT set_config('enable_hashjoin', 'on', true), set_config('statement_timeout', %(timeout_ms)s, true),
       set_config('lock_timeout', %(timeout_ms)s, true),
       pg_advisory_xact_lock(hashtextextended('greenroom: search index', 0))
"""

ALLOW_TIME: Final = """
-- allow_indexing_time: for this transaction, which reads through every service.
SELECT set_config('statement_timeout', %(timeout_ms)s, true)
"""

HOLD_RIGHT: Final = """
-- hold_index: by the database's clock, which all workers share.
UPDATE search_corpus SET indexer = %(worker)s, indexer_until = clock_timestamp() + make_interval(secs => %(for_s)s)
 WHERE indexer IS NULL OR indexer = %(worker)s OR indexer_until <= clock_timestamp()
"""

CHANGED: Final = """
-- changed_services: walks services_dirty.
SELECT id, title, category, description, updated_at FROM services WHERE search_dirty
 ORDER BY updated_at, id LIMIT %(limit)s
"""

HOLD: Final = """
-- hold_documents: those that nobody else writes now.
SELECT doc, service_id FROM search_documents WHERE service_id = ANY(%(ids)s::text[]) ORDER BY doc FOR UPDATE SKIP LOCKED
"""

DROP_TEXTS: Final = """
-- drop_texts: of some documents, with their postings and counts; tells the words they had.
WITH former AS (
    DELETE FROM search_texts WHERE doc = ANY(%(docs)s::integer[]) RETURNING doc, lexemes, titles, length),
postings AS (
    DELETE FROM search_postings p USING (SELECT doc, unnest(lexemes) AS lexeme FROM former) f
     WHERE p.lexeme = f.lexeme AND p.doc = f.doc),
counts AS (
    SELECT lexeme, count(*) AS documents, sum(is_title::integer) AS titles
      FROM (SELECT unnest(lexemes) AS lexeme, doc, lexemes, titles FROM former) w
     CROSS JOIN LATERAL (SELECT w.lexeme = ANY(w.titles) AS is_title) t
     GROUP BY lexeme),
words AS (
    UPDATE search_lexemes l SET documents = l.documents - c.documents, titles = l.titles - c.titles
      FROM counts c WHERE l.number = c.lexeme)
UPDATE search_corpus SET documents = documents - (SELECT count(*) FROM former),
                         length = length - COALESCE((SELECT sum(f.length) FROM former f), 0)
RETURNING (SELECT COALESCE(array_agg(lexeme), '{}') FROM counts)
"""

DROP_WORDS: Final = """
-- drop_words: of these words those that no text has any more, and how they were written. Else words of texts that are gone would crowd out
-- others where only so many are looked at, and the dictionary would only grow.
WITH unused AS MATERIALIZED (
    SELECT number FROM search_lexemes WHERE number = ANY(%(lexemes)s::integer[]) AND documents = 0),
spellings AS (
    DELETE FROM search_spellings s USING unused u WHERE s.lexeme = u.number)
DELETE FROM search_lexemes l USING unused u WHERE l.number = u.number
"""

_VECTORS: Final = sql.SQL("""
vectors AS (
    SELECT doc, setweight(to_tsvector('lessons', title), 'A') || setweight(to_tsvector('lessons', category_words), 'B')
                || setweight(to_tsvector('lessons', description), 'C') || setweight(to_tsvector('lessons', heads), 'D') AS words
      FROM unnest(%(docs)s::integer[], %(titles)s::text[], %(category_words)s::text[], %(descriptions)s::text[], %(heads)s::text[])
           AS w (doc, title, category_words, description, heads))""")

ADD_LEXEMES: Final = sql.SQL("""
-- add_lexemes: new words, counted later.
WITH {vectors}
INSERT INTO search_lexemes (lexeme, documents, titles)
SELECT DISTINCT u.lexeme, 0, 0 FROM vectors v, unnest(v.words) u
 WHERE NOT EXISTS (SELECT FROM search_lexemes l WHERE l.lexeme = u.lexeme)
""").format(vectors=_VECTORS)

ADD_TEXTS: Final = sql.SQL("""
-- add_texts: postings, with occurrences weighted by field, and all that is counted.
WITH {vectors},
words AS MATERIALIZED (
    SELECT v.doc, l.number, o.frequency, o.is_title
      FROM vectors v
     CROSS JOIN LATERAL unnest(v.words) u
     CROSS JOIN LATERAL (
           SELECT sum(CASE w WHEN 'A' THEN %(title_weight)s WHEN 'B' THEN %(category_weight)s WHEN 'D' THEN %(head_weight)s
                       ELSE %(description_weight)s END)
                  AS frequency, bool_or(w IN ('A', 'B')) AS is_title
             FROM unnest(u.weights) w) o
      JOIN search_lexemes l ON l.lexeme = u.lexeme),
written AS MATERIALIZED (
    SELECT doc, sum(frequency) AS length, array_agg(number) AS lexemes,
           COALESCE(array_agg(number) FILTER (WHERE is_title), '{{}}') AS titles
      FROM words GROUP BY doc),
postings AS (
    INSERT INTO search_postings (lexeme, doc, frequency, length)
    SELECT w.number, w.doc, w.frequency, t.length FROM words w JOIN written t ON t.doc = w.doc ORDER BY w.number, w.doc),
told AS (
    INSERT INTO search_texts (doc, lexemes, titles, length) SELECT doc, lexemes, titles, length FROM written),
counts AS (
    UPDATE search_lexemes l SET documents = l.documents + c.documents, titles = l.titles + c.titles
      FROM (SELECT number, count(*) AS documents, sum(is_title::integer) AS titles FROM words GROUP BY number) c
     WHERE l.number = c.number)
UPDATE search_corpus SET documents = documents + (SELECT count(*) FROM written),
                         length = length + COALESCE((SELECT sum(t.length) FROM written t), 0)
""").format(vectors=_VECTORS)

PUT_VECTORS: Final = """
-- put_service_vectors: of one model; the zero vector has no direction and is kept as none.
WITH given AS MATERIALIZED (
    SELECT v.doc, v.embedding::halfvec AS embedding FROM unnest(%(docs)s::integer[], %(embeddings)s::text[]) AS v (doc, embedding)),
sketched AS (
    UPDATE search_documents d
       SET sketch_1 = CASE %(place)s WHEN 1 THEN binary_quantize(g.embedding) ELSE d.sketch_1 END,
           sketch_2 = CASE %(place)s WHEN 2 THEN binary_quantize(g.embedding) ELSE d.sketch_2 END,
           sketch_3 = CASE %(place)s WHEN 3 THEN binary_quantize(g.embedding) ELSE d.sketch_3 END,
           sketch_4 = CASE %(place)s WHEN 4 THEN binary_quantize(g.embedding) ELSE d.sketch_4 END
      FROM given g WHERE d.doc = g.doc)
INSERT INTO service_embeddings (place, doc, embedding)
SELECT %(place)s, doc, embedding FROM given ORDER BY doc
    ON CONFLICT (place, doc) DO UPDATE SET embedding = EXCLUDED.embedding
"""

CLEAR_MARKS: Final = """
-- clear_marks: of services that are still what was read, and that nobody writes now.
WITH same AS MATERIALIZED (
    SELECT s.id FROM unnest(%(ids)s::text[], %(updated_ats)s::timestamptz[]) AS r (id, updated_at)
      JOIN services s ON s.id = r.id AND s.updated_at = r.updated_at
     ORDER BY s.id FOR UPDATE OF s SKIP LOCKED)
UPDATE services s SET search_dirty = false FROM same WHERE s.id = same.id
"""

ANY_ORPHAN: Final = """
-- any_orphan: asked all the time, and mostly answered with none.
SELECT doc FROM search_orphans LIMIT 1
"""

ORPHANS: Final = """
-- search_orphans: documents that are no more.
DELETE FROM search_orphans WHERE doc IN (SELECT doc FROM search_orphans ORDER BY doc LIMIT %(limit)s) RETURNING doc
"""

INDEXED_MODELS: Final = """
-- indexed_models
SELECT model, dimension, is_ready FROM search_models ORDER BY model
"""

PLACES_OF_MODELS: Final = """
-- places_of_models
SELECT model, place, dimension FROM search_models WHERE model = ANY(%(models)s::text[])
"""

ADD_MODEL: Final = """
-- add_model: in the first place that is free.
INSERT INTO search_models (model, place, dimension)
SELECT %(model)s, min(p), %(dimension)s FROM generate_series(1, 4) AS p
 WHERE p NOT IN (SELECT place FROM search_models) AND NOT EXISTS (SELECT FROM search_models WHERE model = %(model)s)
HAVING min(p) IS NOT NULL
"""

WITHOUT_VECTOR: Final = """
-- without_vector: walks the services by id.
SELECT s.id, s.title, s.category, s.description, s.updated_at
  FROM search_documents d
  JOIN services s ON s.id = d.service_id
 WHERE d.service_id > %(after)s
   AND NOT EXISTS (SELECT FROM service_embeddings e
                    WHERE e.place = (SELECT place FROM search_models WHERE model = %(model)s) AND e.doc = d.doc)
 ORDER BY d.service_id LIMIT %(limit)s
"""

UNCHANGED: Final = """
-- unchanged_documents: of services that are still what was read, and that nobody writes now.
SELECT d.doc, d.service_id
  FROM unnest(%(ids)s::text[], %(updated_ats)s::timestamptz[]) AS r (id, updated_at)
  JOIN services s ON s.id = r.id AND s.updated_at = r.updated_at
  JOIN search_documents d ON d.service_id = s.id
 ORDER BY d.doc FOR UPDATE OF d SKIP LOCKED
"""

COUNT_VECTORS: Final = """
-- count_vectors: of one model, beside all services.
SELECT (SELECT count(*) FROM search_documents),
       (SELECT count(*) FROM service_embeddings WHERE place = (SELECT place FROM search_models WHERE model = %(model)s))
"""

MAKE_READY: Final = """
-- make_ready: if nothing is missing.
UPDATE search_models m SET is_ready = true
 WHERE model = %(model)s
   AND NOT EXISTS (SELECT FROM search_documents d
                    WHERE NOT EXISTS (SELECT FROM service_embeddings e WHERE e.place = m.place AND e.doc = d.doc))
"""

DROP_SKETCHES: Final = """
-- drop_sketches: of a model. Its place is another's soon.
WITH m AS MATERIALIZED (SELECT place FROM search_models WHERE model = %(model)s)
UPDATE search_documents
   SET sketch_1 = CASE m.place WHEN 1 THEN NULL ELSE sketch_1 END, sketch_2 = CASE m.place WHEN 2 THEN NULL ELSE sketch_2 END,
       sketch_3 = CASE m.place WHEN 3 THEN NULL ELSE sketch_3 END, sketch_4 = CASE m.place WHEN 4 THEN NULL ELSE sketch_4 END
  FROM m
"""

DROP_MODEL: Final = """
-- drop_model: with its vectors.
DELETE FROM search_models WHERE model = %(model)s
"""


class PostgresSearchIndex:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def hold(self, worker: str, *, for_s: float) -> bool:
        return await self._pool.run(HOLD_RIGHT, {"worker": worker, "for_s": for_s}) == 1

    async def changed(self, *, limit: int) -> list[ServiceText]:
        return await self._pool.fetch(CHANGED, {"limit": limit}, _service_text)

    async def put(self, indexed: Sequence[IndexedText], vectors: Mapping[str, Sequence[Sequence[float]]]) -> int:
        by_id = {one.service.service_id: place for place, one in enumerate(indexed)}
        async with in_transaction(self._pool, BEGIN, timeout_s=INDEX_TIMEOUT_S) as session:
            models = await _lock(session, vectors)
            held = await session.fetch(HOLD, {"ids": texts(by_id)}, _doc)
            docs = [doc for doc, _ in held]
            kept = [indexed[by_id[service_id]] for _, service_id in held]
            [lexemes] = await session.fetch(DROP_TEXTS, {"docs": docs}, _lexemes)
            params = {
                "docs": docs,
                "titles": texts(one.service.title for one in kept),
                "category_words": texts(one.category_words for one in kept),
                "descriptions": texts(one.service.description for one in kept),
                "heads": texts(head_words(one.service.title) for one in kept),
            }
            await session.send(ADD_LEXEMES, params)
            await session.send(ADD_SPELLINGS, params | LENGTHS)
            await session.send(ADD_TEXTS, params | FIELD_WEIGHTS)
            await session.send(DROP_WORDS, {"lexemes": lexemes})
            for model, given in vectors.items():
                of_kept = [given[by_id[service_id]] for _, service_id in held]
                await _put_vectors(session, models[model], docs, of_kept)
            await session.send(CLEAR_MARKS, _read(one.service for one in kept))
        return len(docs)

    async def clear(self, *, limit: int) -> int:
        if not await self._pool.fetch(ANY_ORPHAN, None, int):
            return 0
        async with in_transaction(self._pool, BEGIN, timeout_s=INDEX_TIMEOUT_S) as session:
            await _lock(session, {})
            docs = await session.fetch(ORPHANS, {"limit": limit}, int)
            [lexemes] = await session.fetch(DROP_TEXTS, {"docs": docs}, _lexemes)
            await session.send(DROP_WORDS, {"lexemes": lexemes})
        return len(docs)

    async def models(self) -> list[IndexedModel]:
        return await self._pool.fetch(INDEXED_MODELS, None, IndexedModel)

    async def add_model(self, model: str, dimension: int) -> None:
        async with in_transaction(self._pool, BEGIN, timeout_s=INDEX_TIMEOUT_S) as session:
            await _lock(session, {})
            await session.send(ADD_MODEL, {"model": model, "dimension": dimension})
        known = {one.model: one.dimension for one in await self.models()}
        if model not in known:
            raise InvalidInput(FieldError(("model",), "there is room for four models; drop one"))
        if known[model] != dimension:
            raise InvalidInput(FieldError(("dimension",), f"{model} is indexed with {known[model]} dimensions"))

    async def without_vector(self, model: str, *, after: ServiceId | None, limit: int) -> list[ServiceText]:
        params = {"model": model, "after": after or "", "limit": limit}
        return await self._read_through(WITHOUT_VECTOR, params, _service_text)

    async def put_vectors(self, model: str, vectors: Sequence[tuple[ServiceText, Sequence[float]]]) -> int:
        by_id = {service.service_id: vector for service, vector in vectors}
        async with in_transaction(self._pool, BEGIN, timeout_s=INDEX_TIMEOUT_S) as session:
            models = await _lock(session, {model: list(by_id.values())})
            held = await session.fetch(UNCHANGED, _read(service for service, _ in vectors), _doc)
            docs, of_held = [doc for doc, _ in held], [by_id[service_id] for _, service_id in held]
            await _put_vectors(session, models[model], docs, of_held)
        return len(held)

    async def count(self, model: str) -> VectorCount:
        [count] = await self._read_through(COUNT_VECTORS, {"model": model}, VectorCount)
        return count

    async def make_ready(self, model: str) -> bool:
        async with in_transaction(self._pool, BEGIN, timeout_s=INDEX_TIMEOUT_S) as session:
            await _lock(session, {})
            await session.fetch(MAKE_READY + " RETURNING model", {"model": model}, str)
            models = await session.fetch(INDEXED_MODELS, None, IndexedModel)
        return any(one.model == model and one.is_ready for one in models)

    async def drop_model(self, model: str) -> None:
        async with in_transaction(self._pool, BEGIN, timeout_s=INDEX_TIMEOUT_S) as session:
            await _lock(session, {})
            await session.send(DROP_SKETCHES, {"model": model})
            await session.send(DROP_MODEL, {"model": model})

    async def _read_through(self, query: Query, params: Params, make: Callable[..., T]) -> list[T]:
        async with in_transaction(self._pool, BEGIN, timeout_s=INDEX_TIMEOUT_S) as session:
            await session.send(ALLOW_TIME, {"timeout_ms": INDEX_TIMEOUT_MS})
            return await session.fetch(query, params, make)


FIELD_WEIGHTS: Final = {
    "title_weight": TITLE_WEIGHT,
    "head_weight": HEAD_WEIGHT,
    "category_weight": CATEGORY_WEIGHT,
    "description_weight": DESCRIPTION_WEIGHT,
}


async def _lock(session: Session, vectors: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, int]:
    """Take the right to write; return where in a document each model's sketch is.

    Raises:
        InvalidInput: a model that was not added, or a vector that is not of its dimension.
    """
    await session.send(LOCK_INDEX, {"timeout_ms": INDEX_TIMEOUT_MS})
    found = await session.fetch(PLACES_OF_MODELS, {"models": texts(vectors)}, _columns)
    places = {model: (place, dimension) for model, place, dimension in found}
    for model, given in vectors.items():
        if model not in places:
            raise InvalidInput(FieldError(("model",), f"{model} is not indexed"))
        if any(len(vector) != places[model][1] for vector in given):
            raise InvalidInput(FieldError(("vectors",), f"{model} has vectors of {places[model][1]} dimensions"))
    return {model: place for model, (place, _) in places.items()}


async def _put_vectors(
    session: Session, place: int, docs: Sequence[int], vectors: Sequence[Sequence[float]]
) -> None:
    params = {
        "place": place,
        "docs": list(docs),
        "embeddings": texts(vector_text(vector) for vector in vectors),
    }
    await session.send(PUT_VECTORS, params)


def _read(services: Any) -> dict[str, Any]:
    read = list(services)
    return {
        "ids": texts(service.service_id for service in read),
        "updated_ats": moments(service.updated_at for service in read),
    }


def _doc(doc: int, service_id: str) -> tuple[int, ServiceId]:
    return doc, ServiceId(service_id)


def _lexemes(numbers: list[int]) -> list[int]:
    return numbers


def _columns(model: str, place: int, dimension: int) -> tuple[str, int, int]:
    return model, place, dimension


def _service_text(
    service_id: str, title: str, category: str | None, description: str, updated_at: datetime
) -> ServiceText:
    return ServiceText(ServiceId(service_id), title, category, description, updated_at)
