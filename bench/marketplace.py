"""A marketplace to search in: 20,000 invented instructors in an embedded Postgres, indexed as a server would.

Filling it takes longer than measuring does, so what was filled is kept in :data:`KEPT` and copied; it is made anew when
anything changes that it is made of.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import urlencode

import psycopg
import trio
from psycopg.conninfo import conninfo_to_dict

import greenroom
from greenroom.actors.search.indexing import Indexing
from greenroom.actors.search.places.loading import load_gazetteer
from greenroom.data.gazetteer import CITY_IDS, city_of_gazetteer
from greenroom.marketplace import fill_marketplace
from greenroom.models.local import LocalEmbedder
from greenroom.models.ports import Vector
from greenroom.schema.ids import RandomIds
from greenroom.schema.search.places import Region
from greenroom.schema.search.taxonomy import load_taxonomy
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage
from greenroom.storage.postgres.embedded import open_embedded
from greenroom.storage.postgres.embedded.postmaster import SERVER_SETTINGS
from greenroom.storage.postgres.migrate import migrate

INSTRUCTORS: Final = 20_000
SLOW_DIMENSIONS: Final = 256
"""Of the vectors that OpenAI's model is said to have made."""

SEED: Final = 41
FILLED_AT: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PACKAGE: Final = Path(greenroom.__file__).parent
KEPT: Final = PACKAGE.parent / ".bench"
"""Beside the package, not in git; about 300 MB."""

PEER_TABLES: Final = Path(__file__).parent / "peers" / "fastapi_search" / "tables.sql"

MADE_OF: Final = (
    "marketplace",
    "data",
    "storage/migrations",
    "storage/postgres/search",
    "actors/search/indexing",
    "models/local.py",
)
"""Of the package: what the filled database depends on."""

HASTY: Final = {**SERVER_SETTINGS, "fsync": "off", "synchronous_commit": "off", "max_wal_size": "4GB"}
"""Of the server while it is filled: if that is interrupted, nothing of it is kept."""


@asynccontextmanager
async def a_marketplace() -> AsyncIterator[str]:
    """Run an embedded Postgres with the marketplace in it; yields its URL."""
    filled = await _filled()
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder:
        data = Path(folder) / "postgres"
        await trio.run_process(["cp", "-a", str(filled), str(data)])
        async with open_embedded(data) as postgres:
            yield _url(postgres.conninfo)


async def _filled() -> Path:
    """The data folder of a stopped server that holds the marketplace, made if it is not there."""
    folder = KEPT / f"marketplace-{INSTRUCTORS}-{_stamp()}"
    if not folder.exists():
        KEPT.mkdir(exist_ok=True)
        for former in KEPT.glob("marketplace-*"):
            shutil.rmtree(former)
        draft = Path(tempfile.mkdtemp(prefix="filling-", dir=KEPT))
        try:
            await trio.Path(draft).chmod(0o755)  # the account the server runs as goes through it
            await _fill(draft / "postgres")
            (draft / "postgres").rename(folder)
        finally:
            shutil.rmtree(draft)
    return folder


async def _fill(data: Path) -> None:
    async with open_embedded(data, settings=HASTY) as postgres:
        # Nobody waits for a batch but the next one, on whatever else this machine does.
        options = PostgresOptions(postgres.conninfo, statement_timeout_s=60.0)
        await migrate(options)
        async with open_pool(options) as pool:
            storage = postgres_storage(pool, bus=LocalBus())
            await load_gazetteer(storage.gazetteer, now=FILLED_AT)
            await fill_marketplace(
                storage.catalogue,
                _regions(),
                seed=SEED,
                count=INSTRUCTORS,
                # Nobody signs in as one of them.
                password_hash="!",  # noqa: S106
                ids=RandomIds(Random(SEED), lambda: FILLED_AT),  # noqa: S311
                now=FILLED_AT,
            )
            local = LocalEmbedder()
            indexing = Indexing(storage.search_index, [local, _AsIfByOpenAI(local)], load_taxonomy())
            await indexing.prepare()
            await indexing.index_all()
            await indexing.fill()
        await trio.to_thread.run_sync(_complete, postgres.conninfo)


def _url(conninfo: str) -> str:
    told = conninfo_to_dict(conninfo)
    where = urlencode({"host": told["host"], "port": told["port"]})
    return f"postgresql://{told['user']}@/{told['dbname']}?{where}"


class _AsIfByOpenAI:
    """Vectors under the name of OpenAI's model, so that a server with a key has something to compare with."""

    model: Final = f"text-embedding-3-small-{SLOW_DIMENSIONS}"
    dimensions: Final = SLOW_DIMENSIONS
    is_local: Final = False

    def __init__(self, local: LocalEmbedder) -> None:
        self._local = local

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        return await self._local.embed(texts, timeout_s=timeout_s)


def _complete(conninfo: str) -> None:
    """Make the peer's tables, and do before the first search what autovacuum would have done within minutes."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(PEER_TABLES.read_bytes())
        connection.execute("VACUUM ANALYZE")


def _regions() -> Iterator[Region]:
    for city_id in CITY_IDS:
        yield from (mapped.region for mapped in city_of_gazetteer(city_id).regions)


def _stamp() -> str:
    told = hashlib.blake2b(Path(__file__).read_bytes() + PEER_TABLES.read_bytes(), digest_size=6)
    for name in MADE_OF:
        path = PACKAGE / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                told.update(file.read_bytes())
    return told.hexdigest()
