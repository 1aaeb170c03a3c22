"""The variables of the search have the names and defaults that their users know from elsewhere."""

from __future__ import annotations

import pytest

from greenroom.schema.search_settings import SearchSettings

DEFAULTS = {
    "OPENAI_PARSING_MODEL": "gpt-5-nano",
    "OPENAI_PARSING_TIMEOUT_MS": 1000,
    "OPENAI_EMBEDDING_MODEL": "text-embedding-3-small",
    "OPENAI_EMBEDDING_TIMEOUT_MS": 2000,
    "OPENAI_LOCATION_MODEL": "gpt-4o-mini",
    "OPENAI_LOCATION_TIMEOUT_MS": 3000,
    "OPENAI_MAX_RETRIES": 2,
    "OPENAI_TIMEOUT_S": 2.0,
    "OPENAI_CALL_CONCURRENCY": 3,
    "SEARCH_BUDGET_MS": 500,
    "SEARCH_HIGH_LOAD_BUDGET_MS": 300,
    "SEARCH_HIGH_LOAD_THRESHOLD": 10,
    "UNCACHED_SEARCH_CONCURRENCY": 6,
    "SEARCH_ANALYTICS_TIMEOUT_S": 0.5,
    "EMBEDDING_PROVIDER": None,
    "EMBEDDING_DIMENSIONS": None,
    "LOCATION_LLM_TOP_K": 5,
    "LOCATION_TIER4_HIGH_CONFIDENCE": 0.85,
    "LOCATION_LLM_CONFIDENCE_THRESHOLD": 0.7,
    "LOCATION_LLM_EMBEDDING_THRESHOLD": 0.7,
    "NL_SEARCH_TEXT_SKIP_VECTOR_SCORE_THRESHOLD": 0.60,
    "NL_SEARCH_TEXT_SKIP_VECTOR_MIN_RESULTS": 10,
    "NL_SEARCH_TEXT_REQUIRE_TEXT_MATCH_SCORE_THRESHOLD": 0.45,
    "NL_SEARCH_EMBEDDING_SOFT_TIMEOUT_MS": None,
    "NL_SEARCH_PERF_LOG": False,
    "NL_SEARCH_PERF_LOG_SLOW_MS": 0,
}
OTHERS = {
    "OPENAI_PARSING_MODEL": "another",
    "OPENAI_EMBEDDING_MODEL": "another",
    "OPENAI_LOCATION_MODEL": "another",
    "EMBEDDING_PROVIDER": "mock",
    "EMBEDDING_DIMENSIONS": "128",
    "NL_SEARCH_PERF_LOG": "true",
    **dict.fromkeys((name for name in DEFAULTS if name.endswith("_MS")), "123"),
    **dict.fromkeys((name for name in DEFAULTS if name.endswith(("_THRESHOLD", "_CONFIDENCE"))), "0.25"),
    "SEARCH_HIGH_LOAD_THRESHOLD": "7",
}
"""What is left out: 7."""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One that sets none of them, nor a key."""
    for name in (*DEFAULTS, "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def settings() -> dict[str, object]:
    return SearchSettings(_env_file=None).model_dump()  # type: ignore[call-arg]


def test_each_variable_has_its_default(environment: pytest.MonkeyPatch) -> None:
    read = settings()

    assert {name: read[name.lower()] for name in DEFAULTS} == DEFAULTS


def test_without_a_key_embeddings_are_local_and_with_one_of_the_models_size(
    environment: pytest.MonkeyPatch,
) -> None:
    without = SearchSettings(_env_file=None)  # type: ignore[call-arg]
    environment.setenv("OPENAI_API_KEY", "a-key")
    with_key = SearchSettings(_env_file=None)  # type: ignore[call-arg]

    assert (without.provider, without.dimensions) == ("local", 256)
    assert (with_key.provider, with_key.dimensions) == ("openai", 1536)


@pytest.mark.parametrize("name", DEFAULTS)
def test_each_variable_is_read_by_its_name(environment: pytest.MonkeyPatch, name: str) -> None:
    before = settings()
    environment.setenv(name, OTHERS.get(name, "7"))
    after = settings()

    assert [key for key in after if after[key] != before[key]] == [name.lower()]
