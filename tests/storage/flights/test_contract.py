"""What any implementation of flights does, for two workers that share them."""

from __future__ import annotations

import pytest
import trio

from greenroom.models.ports import Flights
from greenroom.schema.search.flights import Landed, Lead, Sky

WAIT_S = 10.0

Both = tuple[Flights, Flights]


async def lead(flights: Flights, *, rest_s: float = 5.0) -> Lead:
    boarding = await flights.board("piano", rest_s=rest_s)
    assert isinstance(boarding, Lead)
    return boarding


async def test_the_first_leads_and_the_others_see_it_aloft(flights: Both) -> None:
    one, other = flights
    await lead(one)

    assert [await each.board("piano", rest_s=5) for each in (one, other)] == [Sky.ALOFT, Sky.ALOFT]
    assert isinstance(await other.board("violin", rest_s=5), Lead)


async def test_what_landed_is_told_to_all(flights: Both) -> None:
    one, other = flights
    one.land(await lead(one), b"a vector:\r\n\0", kept_s=5)

    assert [await each.board("piano", rest_s=5) for each in (one, other)] == [Landed(b"a vector:\r\n\0")] * 2


async def test_a_failure_is_told_to_all(flights: Both) -> None:
    one, other = flights
    one.fail(await lead(one), b"no", kept_s=5)

    # The same worker first: it has said so by the time it asks.
    assert [await each.board("piano", rest_s=5) for each in (one, other)] == [Landed(b"no")] * 2


@pytest.mark.parametrize(("rest_s", "leads"), [(0.2, False), (0.9, True)])
async def test_what_did_not_come_in_a_time_is_tried_by_those_who_have_more(
    flights: Both, rest_s: float, leads: bool
) -> None:
    one, other = flights
    one.fail(await lead(one), b"too late", kept_s=5, within_s=0.5)
    await one.board("another", rest_s=5)  # by then it is known

    assert isinstance(await other.board("piano", rest_s=rest_s), Lead if leads else Landed)


async def test_who_leaves_makes_room_at_once(flights: Both) -> None:
    one, other = flights
    one.leave(await lead(one))
    await one.board("another", rest_s=5)

    assert isinstance(await other.board("piano", rest_s=5), Lead)


async def test_a_lease_ends_with_the_time_that_its_leader_had(flights: Both) -> None:
    one, other = flights
    await lead(one, rest_s=0.05)
    with trio.fail_after(WAIT_S):
        while await other.board("piano", rest_s=5) is Sky.ALOFT:
            pass


async def test_a_leader_whose_lease_is_over_ends_nobody_elses_flight(flights: Both) -> None:
    one, other = flights
    late = await lead(one)
    one.leave(late)
    await one.board("another", rest_s=5)
    await lead(other)

    one.leave(late)
    one.fail(late, b"no", kept_s=5)
    await one.board("another", rest_s=5)

    assert await other.board("piano", rest_s=5) is Sky.ALOFT


async def test_a_vector_that_comes_late_is_told_all_the_same(flights: Both) -> None:
    one, other = flights
    late = await lead(one)
    one.leave(late)
    await one.board("another", rest_s=5)
    await lead(other)

    one.land(late, b"a vector", kept_s=5)
    await one.board("another", rest_s=5)

    assert await other.board("piano", rest_s=5) == Landed(b"a vector")
