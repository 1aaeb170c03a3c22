"""Another model for all services, beside the one that is searched with."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from rich.console import Console

from greenroom.reembedding import Provider, Reembedded, chosen_models, reembed
from greenroom.schema.search_settings import SearchSettings
from greenroom.schema.settings import BadSettings, Settings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage
from greenroom.terminal import Steps
from tests.storage.market_builders import MODEL, a_teacher, open_market


def search_settings(**changes: object) -> SearchSettings:
    return SearchSettings(_env_file=None, **changes)  # type: ignore[arg-type]


def test_another_provider_has_its_own_dimensions() -> None:
    settings = search_settings(openai_api_key=SecretStr("key"), embedding_dimensions=512)

    local = chosen_models(settings, provider=Provider.LOCAL, model=None)

    assert (local.provider, local.dimensions) == ("local", 256)
    assert chosen_models(settings, provider=None, model="other").openai_embedding_model == "other"
    assert chosen_models(settings, provider=None, model="other").dimensions == 512


def test_a_provider_that_needs_a_key_is_refused_without_one() -> None:
    with pytest.raises(BadSettings, match="OPENAI_API_KEY"):
        chosen_models(search_settings(), provider=Provider.OPENAI, model=None)


@pytest.mark.parametrize("provider", [None, Provider.LOCAL])
def test_a_model_by_name_is_refused_where_there_is_none_to_choose(provider: Provider | None) -> None:
    settings = search_settings(openai_api_key=None if provider is None else SecretStr("key"))

    with pytest.raises(BadSettings, match="--model"):
        chosen_models(settings, provider=provider, model="nope")


async def test_a_model_is_made_complete_and_others_are_dropped_when_asked(
    database: PostgresOptions, tmp_path: Path
) -> None:
    given = conninfo_to_dict(database.conninfo)
    url = f"postgresql://{given['user']}@/{given['dbname']}?host={given['host']}&port={given['port']}"
    settings = Settings(_env_file=None, database_url=SecretStr(url), data_dir=tmp_path)
    search = search_settings(embedding_provider="mock", embedding_dimensions=16)
    async with open_pool(database) as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        await open_market(storage, *(a_teacher(n) for n in range(1, 6)))
        console = Console(quiet=True)

        with trio.fail_after(30):
            first = await reembed(settings, search, drop_others=False, steps=Steps(console), console=console)
        assert first == Reembedded(made={"mock-16": 5}, dropped=(), missing=0)
        assert await storage.retrieval.embedding_models() == ["mock-16", MODEL]

        with trio.fail_after(30):
            again = await reembed(settings, search, drop_others=True, steps=Steps(console), console=console)
        assert again == Reembedded(made={"mock-16": 0}, dropped=(MODEL,), missing=0)
        assert await storage.retrieval.embedding_models() == ["mock-16"]
    assert again.summary() == f"mock-16: 0 vectors made\n{MODEL}: dropped"
