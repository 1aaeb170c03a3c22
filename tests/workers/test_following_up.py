"""What follows from a booking when the worker that has it in hand is killed: others do it, the inside part exactly once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_string
from pathlib import Path

import httpx
import psycopg
import trio

from greenroom.actors.event_worker import LEASE_S, POLL_S
from greenroom.schema.clock import system_wall_clock
from greenroom.storage.postgres import PostgresOptions
from tests.storage.smtp_server import smtp_server
from tests.workers.people import Pair, a_pair
from tests.workers.server import workers_server

KEY = "an operator's key, long enough"
SERVICE = "01HSERVKE00000000000000000"
WAIT_S = 20.0
TAKEN_OVER_WITHIN_S = LEASE_S + POLL_S[1] + WAIT_S


@contextmanager
def at_the_database(database: PostgresOptions) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        yield connection


async def until(connection: psycopg.Connection, question: str, *, within_s: float) -> None:
    """Wait until the database says yes."""
    with trio.fail_after(within_s):
        while connection.execute(question).fetchone() != (True,):  # type: ignore[call-overload]  # noqa: ASYNC110 - it tells nobody
            await trio.sleep(0.05)


async def tell_event_workers(operator: httpx.AsyncClient, action: str, *, worker: str) -> None:
    for name in ("event-worker", "mail-worker"):
        path = f"/api/v1/admin/actors/greenroom/{name}/{action}"
        (await operator.post(path, params={"worker": worker})).raise_for_status()


async def book(pair: Pair, database: psycopg.Connection) -> None:
    database.execute(
        "INSERT INTO services VALUES (%s, %s, 'Piano', '', 6000, 'USD', 60)", (SERVICE, pair.instructor_id)
    )
    await pair.student.book(
        pair.instructor_id, SERVICE, starts_at=system_wall_clock() + timedelta(days=3), duration_minutes=60
    )


async def test_jobs_of_a_killed_worker_are_done_by_another_and_its_message_is_posted_once(
    database: PostgresOptions, tmp_path: Path
) -> None:
    async with smtp_server(BODY="") as post:
        settings = {
            "GREENROOM_ADMIN_API_KEY": KEY,
            "GREENROOM_SMTP_URL": f"smtp://127.0.0.1:{post.port}",
            "GREENROOM_MAIL_FROM": "lessons@example.org",
        }
        with (
            workers_server(database.conninfo, tmp_path, settings=settings) as server,
            at_the_database(database) as watching,
            at_the_database(database) as locking,
        ):
            async with (
                httpx.AsyncClient(base_url=server.url, headers={"X-API-Key": KEY}, timeout=WAIT_S) as operator,
                a_pair(server.url) as pair,
            ):
                for worker in ("1", "2"):
                    await tell_event_workers(operator, "suspend", worker=worker)
                await book(pair, watching)
                # The message can't be committed, and the mail server takes mails without a word.
                locking.execute("BEGIN")
                locking.execute("SELECT FROM conversations FOR UPDATE")
                await tell_event_workers(operator, "resume", worker="2")
                await until(
                    watching,
                    "SELECT count(*) = 3 FROM outbox WHERE claimed_by IS NOT NULL AND state = 'pending'",
                    within_s=WAIT_S,
                )
                with trio.fail_after(WAIT_S):
                    while len(post.mails) < 2:  # noqa: ASYNC110 - the server of the tests sets no event
                        await trio.sleep(0.05)

                os.kill(server.serving()[1], signal.SIGKILL)
                locking.execute("ROLLBACK")
                post.replies.clear()
                # A connection of the other client may have been the killed worker's.
                async with httpx.AsyncClient(
                    base_url=server.url, headers={"X-API-Key": KEY}, timeout=WAIT_S
                ) as again:
                    await tell_event_workers(again, "resume", worker="1")
                await until(
                    watching,
                    "SELECT count(*) = 3 FROM outbox WHERE state = 'done'",
                    within_s=TAKEN_OVER_WITHIN_S,
                )

            jobs = watching.execute(
                "SELECT handler, attempts FROM outbox WHERE state = 'done' ORDER BY handler"
            ).fetchall()
            [(told,)] = watching.execute("SELECT count(*) FROM messages WHERE kind = 'system'").fetchall()
    mails, [(handler, attempts)] = jobs[:2], jobs[2:]
    assert mails == [("mail_instructor", 2), ("mail_student", 2)]
    # Of the message there were more, if attempts had waited for the lock in vain before the kill came.
    assert handler == "system_message"
    assert attempts >= 2
    assert told == 1
    # Twice each, as nobody could know of the first; whoever receives both can tell by the id that they are one.
    ids = sorted((recipient, message_from_string(text)["Message-ID"]) for recipient, text in post.mails)
    assert [recipient for recipient, _ in ids] == 2 * ["maya-teacher@example.com"] + 2 * ["maya@example.com"]
    assert (ids[0], ids[2]) == (ids[1], ids[3])
    assert ids[0] != ids[2]
