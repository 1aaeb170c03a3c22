"""The shape in which operators see how is searched."""

from __future__ import annotations

from typing import Self

from greenroom.schema.search.config import SearchConfig
from greenroom.schema.wire import Moment, Wire


class SearchConfigOut(Wire):
    """Times in milliseconds. ``revision`` counts changes by operators; ``embedding_model`` can't be changed here."""

    parsing_model: str
    embedding_model: str
    location_model: str
    parsing_timeout_ms: int
    embedding_timeout_ms: int
    location_timeout_ms: int
    budget_ms: int
    high_load_budget_ms: int
    high_load_threshold: int
    max_retries: int
    uncached_concurrency: int
    revision: int
    changed_at: Moment | None

    @classmethod
    def of(cls, config: SearchConfig) -> Self:
        return cls(
            parsing_model=config.parsing_model,
            embedding_model=config.embedding_model,
            location_model=config.location_model,
            parsing_timeout_ms=config.parsing_timeout_ms,
            embedding_timeout_ms=config.embedding_timeout_ms,
            location_timeout_ms=config.location_timeout_ms,
            budget_ms=config.budget_ms,
            high_load_budget_ms=config.high_load_budget_ms,
            high_load_threshold=config.high_load_threshold,
            max_retries=config.max_retries,
            uncached_concurrency=config.uncached_concurrency,
            revision=config.revision,
            changed_at=config.changed_at,
        )
