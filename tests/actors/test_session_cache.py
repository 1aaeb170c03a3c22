"""What is remembered of sessions, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime

import trio
from trio.testing import MockClock

from greenroom.actors.identity import Identity
from greenroom.actors.session_cache import FORGOTTEN_MAX, SESSION_AGE_S, SESSIONS_MAX, Known, SessionCache
from greenroom.schema.ids import SessionId, UserId
from greenroom.schema.records import Role, User

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
USER = User(
    id=UserId("u"), email="u@example.org", display_name="U", role=Role.STUDENT, is_active=True, created_at=NOW
)


def known(n: int) -> Known:
    return Known(n.to_bytes(32, "big"), Identity(user=USER, session_id=SessionId(str(n)), expires_at=NOW))


async def test_a_session_is_found_by_token_and_by_id_for_a_minute(autojump_clock: MockClock) -> None:
    cache = SessionCache()
    cache.put(known(1), read_since=cache.now)
    await trio.sleep(SESSION_AGE_S - 1)
    assert cache.get(known(1).token_hash) == cache.find(SessionId("1")) == known(1)
    await trio.sleep(1)

    assert cache.find(SessionId("1")) is None
    assert len(cache) == 0


async def test_what_was_read_before_a_session_was_forgotten_is_refused() -> None:
    cache = SessionCache()
    before = cache.now
    cache.forget(SessionId("1"))

    assert not cache.put(known(1), read_since=before)
    assert cache.put(known(2), read_since=before)
    assert cache.put(known(1), read_since=cache.now)


async def test_what_can_not_be_told_apart_any_more_is_refused() -> None:
    cache = SessionCache()
    before = cache.now
    for n in range(FORGOTTEN_MAX + 1):
        cache.forget(SessionId(str(n)))

    assert not cache.put(known(0), read_since=before)
    assert not cache.put(known(FORGOTTEN_MAX + 9), read_since=before)
    assert cache.put(known(FORGOTTEN_MAX + 9), read_since=cache.now)


async def test_the_cache_is_bounded_and_lets_the_oldest_go() -> None:
    cache = SessionCache()
    for n in range(SESSIONS_MAX + 1):
        cache.put(known(n), read_since=cache.now)

    assert len(cache) == SESSIONS_MAX
    assert cache.find(SessionId("0")) is None
    assert cache.find(SessionId(str(SESSIONS_MAX))) is not None
