"""Starting or reaching Postgres, and bringing its schema up to date."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from greenroom.app.data_folder import make_data_dir
from greenroom.app.steps import Steps, watched
from greenroom.schema.errors import StorageUnavailable
from greenroom.schema.settings import Settings
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool
from greenroom.storage.postgres.embedded import open_embedded
from greenroom.storage.postgres.migrate import migrate


@asynccontextmanager
async def open_database(settings: Settings, steps: Steps) -> AsyncIterator[Pool]:
    """Start or reach Postgres, bring its schema up to date, and open the pool."""
    async with AsyncExitStack() as stack:
        options = PostgresOptions.from_settings(settings, await _conninfo(settings, steps, stack))
        with steps.step("Migrating the database"):
            await _migrate(options)
        yield await stack.enter_async_context(open_pool(options))


@asynccontextmanager
async def open_database_for_loading(settings: Settings, steps: Steps) -> AsyncIterator[Pool]:
    """The same, with the long waits of one who writes much while no request waits."""
    async with open_database(settings, steps) as pool, open_pool(pool.options.for_loading()) as patient:
        yield patient


async def migrate_database(settings: Settings, *, steps: Steps) -> list[str]:
    """Apply what is missing of the schema; return the names of what was applied."""
    make_data_dir(settings)
    async with watched(steps), AsyncExitStack() as stack:
        options = PostgresOptions.from_settings(settings, await _conninfo(settings, steps, stack))
        return await _migrate(options)


async def _migrate(options: PostgresOptions) -> list[str]:
    try:
        return await migrate(options)
    except StorageUnavailable as exc:
        reason = " ".join(str(exc.__cause__ or exc).split())
        raise StorageUnavailable(f"The database can't be reached: {reason}") from exc


async def _conninfo(settings: Settings, steps: Steps, stack: AsyncExitStack) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    with steps.step("Starting embedded Postgres"):
        return (await stack.enter_async_context(open_embedded(settings.data_dir / "postgres"))).conninfo
