"""Keys of requests; both twins alike."""

from __future__ import annotations

from datetime import datetime, timedelta

import trio

from greenroom.schema.idempotency import KeptAnswer, KnownRequest, RequestKey
from greenroom.storage.ports import Storage
from tests.storage.builders import ANN, BEN, NOW

LEASE, KEEP = timedelta(seconds=30), timedelta(hours=24)
REQUEST = RequestKey(ANN, "k1", b"f" * 32)
OTHER = RequestKey(ANN, "k1", b"g" * 32)
ANSWER = KeptAnswer(201, "application/json", b"{}")


async def claim(storage: Storage, request: RequestKey = REQUEST, now: datetime = NOW) -> KnownRequest | None:
    return await storage.idempotency.claim(request, now, lease=LEASE, keep=KEEP)


async def test_the_first_claims_and_the_second_finds_it_under_way(storage: Storage) -> None:
    assert await claim(storage) is None
    assert await claim(storage) == KnownRequest(REQUEST.fingerprint, NOW, None)
    assert await claim(storage, OTHER) == KnownRequest(REQUEST.fingerprint, NOW, None)


async def test_an_answer_is_kept_as_it_was(storage: Storage) -> None:
    await claim(storage)
    await storage.idempotency.finish(REQUEST, ANSWER)
    await storage.idempotency.finish(REQUEST, KeptAnswer(500, None, b"late"))
    await storage.idempotency.release(REQUEST)

    assert await claim(storage, now=NOW + LEASE * 2) == KnownRequest(REQUEST.fingerprint, NOW, ANSWER)


async def test_an_answer_may_have_no_body(storage: Storage) -> None:
    await claim(storage)
    await storage.idempotency.finish(REQUEST, KeptAnswer(204, None, b""))

    known = await claim(storage)
    assert known is not None
    assert known.answer == KeptAnswer(204, None, b"")


async def test_a_released_key_is_free_and_its_owners_own(storage: Storage) -> None:
    await claim(storage)
    assert await claim(storage, RequestKey(BEN, "k1", b"f" * 32)) is None
    await storage.idempotency.release(OTHER)
    assert await claim(storage) is not None

    await storage.idempotency.release(REQUEST)

    assert await claim(storage, OTHER) is None


async def test_what_nobody_carries_out_any_more_is_taken_over_by_the_same_request_only(storage: Storage) -> None:
    await claim(storage)
    later = NOW + LEASE + timedelta(milliseconds=1)

    assert await claim(storage, now=NOW + LEASE) is not None
    assert await claim(storage, OTHER, later) is not None
    assert await claim(storage, now=later) is None


async def test_after_a_day_a_key_is_as_new(storage: Storage) -> None:
    await claim(storage)
    await storage.idempotency.finish(REQUEST, ANSWER)
    later = NOW + KEEP + timedelta(milliseconds=1)

    assert await claim(storage, now=NOW + KEEP) is not None
    assert await claim(storage, OTHER, later) is None
    assert await claim(storage, OTHER, later) == KnownRequest(OTHER.fingerprint, later, None)


async def test_of_many_at_once_one_claims(storage: Storage) -> None:
    claimed: list[bool] = []

    async def try_it() -> None:
        claimed.append(await claim(storage) is None)

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(try_it)

    assert claimed.count(True) == 1


async def test_old_keys_are_deleted_a_few_at_a_time(storage: Storage) -> None:
    for n in range(3):
        await claim(storage, RequestKey(ANN, str(n), b"f" * 32), NOW + timedelta(minutes=n))

    assert await storage.idempotency.delete_before(NOW + timedelta(minutes=2), limit=1) == 1
    assert await storage.idempotency.delete_before(NOW + timedelta(minutes=2), limit=9) == 1
    assert await claim(storage, RequestKey(ANN, "2", b"f" * 32)) is not None
