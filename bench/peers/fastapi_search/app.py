"""The application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import asyncpg
import wordllama
from fastapi import FastAPI, Query
from openai import AsyncOpenAI
from pydantic import BaseModel

DATABASE: Final = "BENCH_SEARCH_DATABASE"
MODELS: Final = "BENCH_SEARCH_MODELS"
POOL: Final = 10
"""Connections, as many as greenroom has by default."""

FOUND: Final = """
WITH passing AS NOT MATERIALIZED (
    SELECT * FROM peer_services s
     WHERE ($3::integer IS NULL OR s.price_cents <= $3)
       AND ($4::integer IS NULL OR ((s.age_min IS NULL OR s.age_min <= $4) AND (s.age_max IS NULL OR s.age_max >= $4)))
       AND ($5::text IS NULL OR EXISTS (SELECT FROM instructor_service_areas a
                                         WHERE a.instructor_id = s.instructor_id AND a.region_id = $5))
       AND ($6::integer IS NULL OR EXISTS (SELECT FROM instructor_availability v
                                            WHERE v.instructor_id = s.instructor_id AND v.weekday = $6))
       AND (NOT $7::boolean OR s.is_online)),
semantic AS (
    SELECT id, rank() OVER (ORDER BY embedding <=> $1::text::vector) AS rank FROM passing
     ORDER BY embedding <=> $1::text::vector LIMIT 100),
keyword AS (
    SELECT id, rank() OVER (ORDER BY ts_rank_cd(words, query) DESC) AS rank
      FROM passing, plainto_tsquery('english', $2) query WHERE words @@ query
     ORDER BY ts_rank_cd(words, query) DESC LIMIT 100)
SELECT COALESCE(semantic.id, keyword.id) AS id,
       COALESCE(1.0 / (60 + semantic.rank), 0.0) + COALESCE(1.0 / (60 + keyword.rank), 0.0) AS score
  FROM semantic FULL OUTER JOIN keyword ON semantic.id = keyword.id
 ORDER BY score DESC, id LIMIT $8
"""

CARDS: Final = """
SELECT s.id, s.instructor_id, s.display_name, s.rating_mean, s.response_minutes, s.title, s.description, s.price_cents,
       s.currency, s.duration_minutes, s.age_min, s.age_max, s.is_online, s.is_in_person,
       ARRAY(SELECT r.name FROM instructor_service_areas a JOIN region_boundaries r ON r.id = a.region_id
              WHERE a.instructor_id = s.instructor_id ORDER BY a.region_id) AS areas
  FROM peer_services s WHERE s.id = ANY($1::text[])
"""


class Card(BaseModel):
    id: str
    instructor_id: str
    display_name: str
    rating_mean: float
    response_minutes: int | None
    title: str
    description: str
    price_cents: int
    currency: str
    duration_minutes: int
    age_min: int | None
    age_max: int | None
    is_online: bool
    is_in_person: bool
    areas: list[str]
    score: float


class Found(BaseModel):
    results: list[Card]


_opened: dict[str, Any] = {}


@asynccontextmanager
async def _open(app: FastAPI) -> AsyncIterator[None]:
    _opened["words"] = wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, trunc_dim=256, disable_download=True
    )
    if MODELS in os.environ:
        _opened["models"] = AsyncOpenAI(api_key="none", base_url=os.environ[MODELS], max_retries=0)
    async with asyncpg.create_pool(os.environ[DATABASE], min_size=POOL, max_size=POOL) as pool:
        _opened["pool"] = pool
        yield


app = FastAPI(lifespan=_open)


@app.get("/search")
async def search(
    q: Annotated[str, Query(min_length=1, max_length=300)],
    region: str | None = None,
    price_max: int | None = None,
    age: int | None = None,
    weekday: int | None = None,
    online: bool = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Found:
    """Find lessons."""
    vector = str(await _embedding(q))
    async with _opened["pool"].acquire() as connection:
        rows = await connection.fetch(FOUND, vector, q, price_max, age, region, weekday, online, limit)
        scores = {row["id"]: float(row["score"]) for row in rows}
        cards = await connection.fetch(CARDS, list(scores))
    results = [Card(**row, score=scores[row["id"]]) for row in cards]
    results.sort(key=lambda card: (-card.score, card.id))
    return Found(results=results)


async def _embedding(text: str) -> list[float]:
    if "models" in _opened:
        answer = await _opened["models"].embeddings.create(
            model="text-embedding-3-small", input=[text], dimensions=256, encoding_format="float"
        )
        found: list[float] = answer.data[0].embedding
        return found
    row: list[float] = _opened["words"].embed([text])[0].tolist()
    return row
