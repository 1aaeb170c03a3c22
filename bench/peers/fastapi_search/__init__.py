"""A search for the same lessons on FastAPI, uvicorn (uvloop, httptools) and asyncpg, as pgvector's documentation teaches it.

Words by a tsvector under a GIN index, meaning by an HNSW index over the same embeddings, both fused by reciprocal ranks,
under the filters that are asked for; then the cards, in a second query.
Source: https://github.com/pgvector/pgvector#hybrid-search and pgvector-python's ``examples/hybrid_search/rrf.py``.

Wherever there is a choice besides, this side gets the better part: it understands nothing, its lesson, place, price, age
and day are told apart for it; nobody signs in; there is no limit, no metrics, no request id, no diagnostics, no budget.

``python -m bench.peers.fastapi_search URL [BASE_URL]`` prints its port and serves until it is ended. With a BASE_URL it
asks a model over there for embeddings, which it waits for.
"""
