"""How greenroom connects to Postgres: every wait bounded, on the wire and in the server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import psycopg
from psycopg.abc import ConnParam
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from greenroom.schema.settings import BadSettings, Settings

ON_THE_WIRE: Final[dict[str, ConnParam]] = {
    "application_name": "greenroom",
    # A peer that vanished without a word is noticed after 10 s at most, whether we were sending or idle.
    "tcp_user_timeout": 10_000,
    "keepalives": 1,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    # The default looks for Kerberos tickets first, which may block.
    "gssencmode": "disable",
}
"""libpq parameters, unless the URL says otherwise. Source: PostgreSQL manual, "Parameter Key Words"."""


LOADING_STATEMENT_TIMEOUT_S: Final = 60.0
LOADING_WAIT_S: Final = 30.0
"""A batch takes some tenths of a second on a machine at rest; this is for one that is starved. Whoever loads has time, and
nothing to gain from being refused."""


@dataclass(frozen=True, slots=True)
class PostgresOptions:
    """Where to connect and what bounds apply.

    Attributes:
        conninfo: a ``postgresql://`` URL or libpq connection string; may hold a password, so it is never printed.
        prepare: off behind a transaction-mode pooler. Then statements are not prepared, and nothing is set for the
            session, since the next transaction may run in another one: a write transaction sets its timeouts for
            itself, a plain read is bounded by the client alone, which cancels it in the server.
        pool_timeout_s: longest wait for a connection.
        statement_timeout_s: longest run of one statement in the server. The client waits ``grace_s`` longer, then
            gives up the connection; that is what bounds a call over a dead network.
        idle_in_transaction_timeout_s: how long the server lets an open transaction hold its locks unused.
    """

    conninfo: str
    pool_size: int = 8
    pool_timeout_s: float = 0.5
    connect_timeout_s: float = 3.0
    statement_timeout_s: float = 2.0
    grace_s: float = 0.5
    lock_timeout_s: float = 0.5
    idle_in_transaction_timeout_s: float = 5.0
    prepare: bool = True

    @classmethod
    def from_settings(cls, settings: Settings, conninfo: str) -> PostgresOptions:
        try:
            conninfo_to_dict(conninfo)
        except psycopg.ProgrammingError as exc:
            raise BadSettings(f"GREENROOM_DATABASE_URL: {' '.join(str(exc).split())}") from None
        return cls(
            conninfo=conninfo,
            pool_size=settings.database_pool_size,
            pool_timeout_s=settings.database_pool_timeout_ms / 1000,
            statement_timeout_s=settings.database_statement_timeout_ms / 1000,
            prepare=settings.database_prepare,
        )

    def for_loading(self) -> PostgresOptions:
        """The same database for one who writes much while no request waits: waits are long, if still bounded."""
        return replace(
            self,
            pool_timeout_s=max(self.pool_timeout_s, LOADING_WAIT_S),
            connect_timeout_s=max(self.connect_timeout_s, LOADING_WAIT_S),
            statement_timeout_s=max(self.statement_timeout_s, LOADING_STATEMENT_TIMEOUT_S),
            grace_s=max(self.grace_s, LOADING_WAIT_S),
            lock_timeout_s=max(self.lock_timeout_s, LOADING_WAIT_S),
            idle_in_transaction_timeout_s=max(self.idle_in_transaction_timeout_s, LOADING_WAIT_S),
        )

    def __repr__(self) -> str:
        return f"PostgresOptions(pool_size={self.pool_size}, prepare={self.prepare})"

    def timeouts(self) -> dict[str, str]:
        """The server's own bounds, by setting name."""
        return {
            "statement_timeout": _milliseconds(self.statement_timeout_s),
            "lock_timeout": _milliseconds(self.lock_timeout_s),
            "idle_in_transaction_session_timeout": _milliseconds(self.idle_in_transaction_timeout_s),
        }

    def session_conninfo(self) -> str:
        """The connection string of a pooled connection."""
        given = conninfo_to_dict(self.conninfo)
        if not self.prepare:
            return make_conninfo("", **(ON_THE_WIRE | given))
        session = self.timeouts() | {
            "TimeZone": "UTC",
            # A query whose client is gone ends within a second.
            "client_connection_check_interval": _milliseconds(1.0),
            "jit": "off",
            # Our statements are written as walks along an index, whatever the values. Planning anew for each page of
            # conversations took 1.2 ms of 1.6; with a plan kept, the page takes 0.5 ms.
            "plan_cache_mode": "force_generic_plan",
            # A plan that is kept must be the one for large tables, even if it was made while they were small enough to be
            # read whole: nothing makes it anew before the next ANALYZE.
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
        }
        options = " ".join(f"-c {name}={value}" for name, value in session.items())
        # The URL's own options come last and so win.
        options = f"{options} {given.get('options') or ''}".strip()
        return make_conninfo("", **(ON_THE_WIRE | given | {"options": options}))

    def lone_conninfo(self) -> str:
        """The connection string of a connection outside the pool: the wire's bounds, and none of the session's."""
        return make_conninfo("", **(ON_THE_WIRE | conninfo_to_dict(self.conninfo)))


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
