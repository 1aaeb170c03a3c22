from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest
import trio

from greenroom.storage.postgres import Pool, PostgresOptions, open_pool
from greenroom.storage.postgres.migrate import (
    Applied,
    DatabaseTooNew,
    Migration,
    MigrationChanged,
    migrate,
    next_migration,
    read_migrations,
)

WAIT_S = 20

FIRST = Migration(1, "first", "CREATE TABLE one ();")
SECOND = Migration(2, "second", "CREATE TABLE two ();\nCREATE TABLE three ();")


def applied(migration: Migration) -> Applied:
    return Applied(migration.number, migration.name, migration.checksum)


@pytest.fixture
async def pool(unmigrated_database: PostgresOptions) -> AsyncIterator[Pool]:
    async with open_pool(unmigrated_database) as pool:
        yield pool


async def tables(pool: Pool) -> set[str]:
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    return set(await pool.fetch(query, None, str))


def test_our_migrations_are_numbered_from_1_without_a_hole() -> None:
    assert [migration.number for migration in read_migrations()] == list(range(1, len(read_migrations()) + 1))


def test_the_first_one_missing_is_next() -> None:
    assert next_migration([FIRST, SECOND], []) == FIRST
    assert next_migration([FIRST, SECOND], [applied(FIRST)]) == SECOND
    assert next_migration([FIRST, SECOND], [applied(FIRST), applied(SECOND)]) is None


def test_a_changed_migration_is_refused_by_name() -> None:
    with pytest.raises(MigrationChanged, match="0001_first"):
        next_migration([replace(FIRST, sql="CREATE TABLE uno ();"), SECOND], [applied(FIRST)])


def test_line_ends_and_trailing_blanks_are_no_change() -> None:
    assert replace(SECOND, sql=SECOND.sql.replace("\n", "  \r\n") + "\n\n").checksum == SECOND.checksum


def test_a_newer_database_is_refused_by_name() -> None:
    with pytest.raises(DatabaseTooNew, match="0002_second"):
        next_migration([FIRST], [applied(FIRST), applied(SECOND)])


async def test_what_is_missing_is_applied_once(unmigrated_database: PostgresOptions, pool: Pool) -> None:
    assert await migrate(unmigrated_database, [FIRST]) == ["0001_first"]
    assert await migrate(unmigrated_database, [FIRST, SECOND]) == ["0002_second"]
    assert await migrate(unmigrated_database, [FIRST, SECOND]) == []
    assert await tables(pool) == {"one", "two", "three", "schema_migrations"}


async def test_workers_that_start_together_apply_each_migration_once(unmigrated_database: PostgresOptions) -> None:
    names: list[str] = []

    async def start() -> None:
        names.extend(await migrate(unmigrated_database))

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(start)

    assert sorted(names) == [f"{m.number:04}_{m.name}" for m in read_migrations()]


async def test_a_changed_migration_changes_nothing(unmigrated_database: PostgresOptions, pool: Pool) -> None:
    await migrate(unmigrated_database, [FIRST])
    with pytest.raises(MigrationChanged):
        await migrate(unmigrated_database, [replace(FIRST, sql="CREATE TABLE uno ();"), SECOND])
    assert await tables(pool) == {"one", "schema_migrations"}


async def test_a_failing_migration_leaves_nothing_and_names_itself(
    unmigrated_database: PostgresOptions, pool: Pool
) -> None:
    broken = replace(SECOND, sql="CREATE TABLE two ();\nCREATE TABLE one ();")
    with pytest.raises(psycopg.Error) as failure:
        await migrate(unmigrated_database, [FIRST, broken])
    assert failure.value.__notes__ == ["in migration 0002_second"]
    assert await tables(pool) == {"one", "schema_migrations"}
    assert await migrate(unmigrated_database, [FIRST, SECOND]) == ["0002_second"]
