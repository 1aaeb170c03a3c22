"""Bringing the schema up to date.

Migrations are the files ``NNNN_name.sql`` of ``greenroom/storage/migrations``, numbered from 1 without a hole. Each is applied in a
transaction of its own, under a lock that is part of that transaction, so that workers may start together, and also
through a transaction-mode pooler. What was applied is recorded with the file's checksum: history can't be rewritten.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import psycopg
import trio

from greenroom.schema.errors import StorageUnavailable
from greenroom.storage.postgres.errors import domain_errors
from greenroom.storage.postgres.options import PostgresOptions
from greenroom.storage.postgres.trio_connection import TrioConnection

MIGRATION_TIMEOUT_S: Final = 600.0
"""For one migration, waiting for a worker that applies it included."""

BOUND_MIGRATION: Final = """
-- bound_migration: for this transaction; a pool's own timeouts are too short for it.
SELECT set_config('statement_timeout', %(milliseconds)s, true), set_config('lock_timeout', %(milliseconds)s, true)
"""

LOCK_MIGRATIONS: Final = """
-- lock_migrations: until the end of this transaction.
SELECT pg_advisory_xact_lock(hashtextextended('greenroom: migrations', 0))
"""

CREATE_HISTORY: Final = """
-- create_history
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer     PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""

HISTORY: Final = """
-- history: what was applied.
SELECT number, name, checksum FROM schema_migrations ORDER BY number
"""

RECORD: Final = """
-- record: that a migration was applied.
INSERT INTO schema_migrations (number, name, checksum) VALUES (%(number)s, %(name)s, %(checksum)s)
"""

_FILE_NAME: Final = re.compile(r"^(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.sql$")


class SchemaMismatch(Exception):
    """The database's schema is not one this code can bring up to date; nothing was changed."""


class MigrationChanged(SchemaMismatch):
    """A migration that was applied reads differently now."""


class DatabaseTooNew(SchemaMismatch):
    """A newer greenroom has been at this database."""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, line ends and trailing blanks aside."""
        text = "\n".join(line.rstrip() for line in self.sql.strip().splitlines())
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Applied:
    number: int
    name: str
    checksum: str


def read_migrations() -> list[Migration]:
    """Read the migrations that come with the code, in order."""
    found = [
        Migration(int(match["number"]), match["name"], file.read_text(encoding="utf-8"))
        for file in files("greenroom.storage").joinpath("migrations").iterdir()
        if (match := _FILE_NAME.match(file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def next_migration(known: Sequence[Migration], applied: Sequence[Applied]) -> Migration | None:
    """Return the first migration that was not applied, None if all were.

    Raises:
        MigrationChanged: the database's history is not the beginning of ours.
        DatabaseTooNew: it goes on where ours ends.
    """
    by_number: Mapping[int, Migration] = {migration.number: migration for migration in known}
    for past in applied:
        migration = by_number.get(past.number)
        if migration is None:
            raise DatabaseTooNew(
                f"The database has migration {past.number:04}_{past.name}, which this version does not know. "
                "Run a version of greenroom at least as new as the one that applied it."
            )
        if migration.checksum != past.checksum:
            raise MigrationChanged(
                f"Migration {past.number:04}_{past.name} was applied and has been changed since. "
                "Undo the change and write a new migration instead."
            )
    done = {past.number for past in applied}
    return next((migration for migration in known if migration.number not in done), None)


async def migrate(options: PostgresOptions, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Apply what is missing; return the names of what this call applied, e.g. ``0001_accounts``.

    Args:
        migrations: instead of those that come with the code, in order.

    Raises:
        SchemaMismatch: the database is not one this code can bring up to date.
        StorageUnavailable: it can't be reached, or another worker's migration took too long.
    """
    known = read_migrations() if migrations is None else migrations
    names = []
    with domain_errors():
        connection = await TrioConnection.open(
            options.lone_conninfo(), timeout_s=options.connect_timeout_s, prepare=False
        )
        try:
            while (applied := await _apply_next(connection, known)) is not None:
                names.append(applied)
        finally:
            await connection.close()
    return names


async def _apply_next(connection: TrioConnection, known: Sequence[Migration]) -> str | None:
    milliseconds = str(round(MIGRATION_TIMEOUT_S * 1000))
    with trio.move_on_after(MIGRATION_TIMEOUT_S):
        async with connection.transaction():
            await connection.execute(BOUND_MIGRATION, {"milliseconds": milliseconds})
            await connection.execute(LOCK_MIGRATIONS)
            await connection.execute(CREATE_HISTORY)
            rows = await (await connection.execute(HISTORY)).fetchall()
            migration = next_migration(known, [Applied(*row) for row in rows])
            if migration is None:
                return None
            try:
                # Our own files, sent as they are: without parameters psycopg looks for none in them.
                await connection.execute(migration.sql)
            except psycopg.Error as exc:
                exc.add_note(f"in migration {migration.number:04}_{migration.name}")
                raise
            await connection.execute(
                RECORD,
                {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
            )
        return f"{migration.number:04}_{migration.name}"
    raise StorageUnavailable(f"A migration took longer than {MIGRATION_TIMEOUT_S:.0f} s.")
