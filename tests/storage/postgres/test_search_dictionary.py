"""The dictionary holds words of texts that are there, and no others."""

from __future__ import annotations

from greenroom.storage.bus_local import LocalBus
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage
from tests.storage.market_builders import a_teacher, open_market

WORDS = "SELECT lexeme FROM search_lexemes UNION SELECT word FROM search_spellings"
REMOVE = "DELETE FROM services WHERE title = 'Sourdough'"


async def test_a_word_goes_with_the_last_text_that_has_it(database: PostgresOptions) -> None:
    async with open_pool(database) as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        await open_market(storage, a_teacher(1, "Piano", "Sourdough"))
        before = set(await pool.fetch(WORDS, None, str))

        await pool.run(REMOVE, None)
        await storage.search_index.clear(limit=10)

        assert before - set(await pool.fetch(WORDS, None, str)) == {"sourdough"}
