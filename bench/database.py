"""A Postgres for the peers, of the same make and settings as greenroom's own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from greenroom.storage.postgres.embedded import open_embedded


@asynccontextmanager
async def a_database() -> AsyncIterator[str]:
    """Run an empty embedded Postgres in a temporary folder, every commit durable; yields its connection string."""
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder:
        async with open_embedded(Path(folder) / "postgres") as postgres:
            yield postgres.conninfo
