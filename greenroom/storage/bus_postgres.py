"""Payloads through Postgres: LISTEN and NOTIFY, for several workers without a Redis.

- Both connections are outside the pool: the one that listens for good, and the one that notifies.
- NOTIFY is a statement of its own, after the commit of what it tells about. Within the transaction it would take, at commit,
  a lock that all notifying transactions of the server share (PostgreSQL manual, "NOTIFY").
- A payload must be shorter than 8,000 bytes; the codec sees to it.

A transaction-mode pooler does not carry LISTEN. Then nothing is heard, the bus is down, and delivery goes on by the sweep, up
to two seconds late; use Redis there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Final

import psycopg
import trio
from psycopg import sql

from greenroom.storage.bus_wire import Link, Payload, WireDown
from greenroom.storage.postgres.options import PostgresOptions
from greenroom.storage.postgres.trio_connection import TrioConnection

PAYLOAD_BYTES_MAX: Final = 7_999

CHANNEL: Final = "greenroom_bus"
"""Channels are of one database, so the name needs no more to it."""

CONNECT_TIMEOUT_S: Final = 1.0
ANSWER_TIMEOUT_S: Final = 1.0
"""Longer than Redis is given: notifying waits its turn among the server's transactions."""

LISTEN: Final = """
-- listen: from its commit on.
LISTEN {}
"""

NOTIFY: Final = """
-- notify: many payloads at once, in order. Equal ones would be told once; their numbers differ.
SELECT pg_notify(%(channel)s, body) FROM unnest(%(bodies)s::text[]) AS body
"""


class PostgresWire:
    """See the module."""

    name = "postgres"
    channels = 1
    payload_bytes_max = PAYLOAD_BYTES_MAX

    def __init__(self, options: PostgresOptions) -> None:
        self._conninfo = options.lone_conninfo()

    def connect(self) -> AbstractAsyncContextManager[Link]:
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Link]:
        async with self._connection() as listening, self._connection() as notifying:
            with _bounded():
                await listening.execute(sql.SQL(LISTEN).format(sql.Identifier(CHANNEL)))
            yield _PostgresLink(listening, notifying)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[TrioConnection]:
        try:
            connection = await TrioConnection.open(self._conninfo, timeout_s=CONNECT_TIMEOUT_S, prepare=False)
        except psycopg.Error as exc:
            raise WireDown("the database can't be reached") from exc
        try:
            yield connection
        finally:
            # Does not wait: it says goodbye into the socket's buffer and closes.
            with trio.CancelScope(shield=True):
                await connection.close()


class _PostgresLink:
    def __init__(self, listening: TrioConnection, notifying: TrioConnection) -> None:
        self._listening = listening
        self._notifying = notifying

    async def send(self, payloads: Sequence[Payload]) -> None:
        bodies = [payload.body.decode() for payload in payloads]
        with _bounded():
            await self._notifying.execute(NOTIFY, {"channel": CHANNEL, "bodies": bodies})

    async def receive(self) -> Sequence[Payload]:
        pgconn = self._listening.pgconn
        while True:
            try:
                # What came together with an earlier answer is there before the socket has anything to say.
                bodies = []
                while (notification := pgconn.notifies()) is not None:
                    bodies.append(bytes(notification.extra))
                if bodies:
                    return [Payload(0, body) for body in bodies]
                await trio.lowlevel.wait_readable(pgconn.socket)
                pgconn.consume_input()
            except (psycopg.Error, OSError) as exc:
                raise WireDown("the listening connection was lost") from exc


@contextmanager
def _bounded() -> Iterator[None]:
    try:
        with trio.fail_after(ANSWER_TIMEOUT_S):
            yield
    except trio.TooSlowError as exc:
        raise WireDown("the database did not answer in time") from exc
    except psycopg.Error as exc:
        raise WireDown("the database refused, or the connection was lost") from exc
