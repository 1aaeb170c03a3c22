"""The settings of the search. Their names are those that its users know from elsewhere, so most have no prefix."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from greenroom.schema.search.config import SearchConfig

LOCAL_DIMENSIONS: Final = (64, 128, 256)
"""What the local model has vectors of."""

DIMENSIONS: Final = {"openai": 1536, "local": 256, "mock": 256}


class SearchSettings(BaseSettings):
    """Read once at the start, like :class:`~greenroom.schema.settings.Settings`."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    openai_api_key: SecretStr | None = Field(
        None, description="key of the OpenAI API; unset: no call is ever made"
    )
    openai_base_url: str | None = Field(None, description="another server that speaks the OpenAI API")
    openai_parsing_model: str = Field(
        "gpt-5-nano", min_length=1, max_length=100, description="query parsing model"
    )
    openai_parsing_timeout_ms: int = Field(1_000, ge=10, le=30_000, description="parsing timeout")
    openai_embedding_model: str = Field(
        "text-embedding-3-small", min_length=1, max_length=100, description="embedding model"
    )
    openai_embedding_timeout_ms: int = Field(2_000, ge=10, le=30_000, description="embedding timeout")
    openai_location_model: str = Field("gpt-4o-mini", min_length=1, max_length=100, description="tier 5 model")
    openai_location_timeout_ms: int = Field(3_000, ge=10, le=30_000, description="tier 5 timeout")
    openai_max_retries: int = Field(2, ge=0, le=10, description="retries per OpenAI call")
    openai_timeout_s: float = Field(2.0, gt=0, le=60, description="general OpenAI timeout")
    openai_call_concurrency: int = Field(3, ge=1, le=1_000, description="concurrent OpenAI calls per worker")
    search_budget_ms: int = Field(500, ge=50, le=30_000, description="request budget")
    search_high_load_budget_ms: int = Field(
        300, ge=50, le=30_000, description="budget under load; never more than SEARCH_BUDGET_MS"
    )
    search_high_load_threshold: int = Field(
        10, ge=1, le=10_000, description="searches in flight that count as high load"
    )
    uncached_search_concurrency: int = Field(
        6, ge=1, le=1_000, description="soft cap of uncached searches per worker"
    )
    search_analytics_timeout_s: float = Field(0.5, gt=0, le=30, description="analytics write timeout")
    embedding_provider: Literal["openai", "local", "mock"] | None = Field(
        None, description="openai, local or mock; unset: openai with a key, else local"
    )
    embedding_dimensions: int | None = Field(
        None, ge=8, le=4_000, description="vector size; unset: 1536 (openai), 256 (local)"
    )
    location_llm_top_k: int = Field(5, ge=1, le=20, description="candidates in the tier 5 prompt")
    location_tier4_high_confidence: float = Field(
        0.85, ge=0, le=1, description="tier 4 confidence that ends resolution"
    )
    location_llm_confidence_threshold: float = Field(0.7, ge=0, le=1, description="tier 5 acceptance")
    location_llm_embedding_threshold: float = Field(
        0.7, ge=0, le=1, description="embedding candidates offered to tier 5"
    )
    nl_search_text_skip_vector_score_threshold: float = Field(
        0.60, ge=0, le=1, description="skip vector search if the text score reaches this"
    )
    nl_search_text_skip_vector_min_results: int = Field(
        10, ge=1, le=10_000, description="... and at least this many text hits"
    )
    nl_search_text_require_text_match_score_threshold: float = Field(
        0.45, ge=0, le=1, description="text support asked of vector-only hits"
    )
    nl_search_embedding_soft_timeout_ms: int | None = Field(
        None, ge=1, le=30_000, description="go on without the embedding after this"
    )
    nl_search_perf_log: bool = Field(False, description="log stage timings")
    nl_search_perf_log_slow_ms: int = Field(0, ge=0, description="... only of searches slower than this")

    @property
    def has_model(self) -> bool:
        """Whether language models may be asked."""
        return self.openai_api_key is not None

    @property
    def provider(self) -> Literal["openai", "local", "mock"]:
        return self.embedding_provider or ("openai" if self.has_model else "local")

    @property
    def dimensions(self) -> int:
        return self.embedding_dimensions or DIMENSIONS[self.provider]

    def config(self) -> SearchConfig:
        """What operators may change, as it is at the start."""
        return SearchConfig(
            parsing_model=self.openai_parsing_model,
            location_model=self.openai_location_model,
            embedding_model=self.openai_embedding_model if self.provider == "openai" else self.provider,
            parsing_timeout_ms=self.openai_parsing_timeout_ms,
            embedding_timeout_ms=self.openai_embedding_timeout_ms,
            location_timeout_ms=self.openai_location_timeout_ms,
            budget_ms=self.search_budget_ms,
            high_load_budget_ms=self.search_high_load_budget_ms,
            high_load_threshold=self.search_high_load_threshold,
            max_retries=self.openai_max_retries,
            uncached_concurrency=self.uncached_search_concurrency,
        )

    @field_validator("openai_api_key", "openai_base_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        # As a line "OPENAI_API_KEY=" in a file is meant.
        return None if value == "" else value

    @model_validator(mode="after")
    def _provider_can_be_had(self) -> SearchSettings:
        if self.embedding_provider == "openai" and not self.has_model:
            raise ValueError("EMBEDDING_PROVIDER: openai needs OPENAI_API_KEY")
        if self.provider == "local" and self.dimensions not in LOCAL_DIMENSIONS:
            sizes = ", ".join(map(str, LOCAL_DIMENSIONS))
            raise ValueError(f"EMBEDDING_DIMENSIONS: local embeddings have {sizes} dimensions")
        return self
