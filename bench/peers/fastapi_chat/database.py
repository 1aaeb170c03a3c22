"""The engine, its pool, and sessions."""

from __future__ import annotations

import os
from typing import Any, Final

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from bench.peers.fastapi_chat.settings import DATABASE

POOL_SIZE: Final = 8
"""As many as greenroom's. Of 8, 16 and 32, with 32 senders at once, also the one with most sends a second."""


def _connect_args(conninfo: str) -> dict[str, Any]:
    names = {"host": "host", "port": "port", "user": "user", "dbname": "database", "password": "password"}
    return {names[key]: value for key, value in conninfo_to_dict(conninfo).items() if key in names}


engine = create_async_engine(
    "postgresql+asyncpg://", connect_args=_connect_args(os.environ[DATABASE]), pool_size=POOL_SIZE, max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
