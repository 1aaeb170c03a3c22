"""What is to follow from a change: claimed by one worker at a time, in order, settled by whoever claimed it; both twins alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import trio

from greenroom.schema.clock import system_wall_clock
from greenroom.schema.errors import Conflict
from greenroom.schema.ids import JobId
from greenroom.schema.outbox import Job, JobState, NewJob, OutboxFigures
from greenroom.storage.lock_ledger import LockRuleBroken
from greenroom.storage.ports import Storage
from tests.storage.builders import (
    ANN,
    BEN,
    CLEO,
    NOW,
    a_conversation,
    a_job,
    add_users,
    append_jobs,
    conversation_id,
    open_all,
)

WAIT_S = 20
NONE, LONG = timedelta(0), timedelta(hours=1)
HANDLERS = ("system_message", "reminder", "mail_student")


@pytest.fixture
async def storage(storage: Storage) -> Storage:
    """Ben talks with Ann and with Cleo."""
    await add_users(storage, ANN, BEN, CLEO)
    await open_all(storage, a_conversation(ANN, BEN, 1), a_conversation(CLEO, BEN, 2))
    return storage


async def claim(
    storage: Storage, worker: str = "w1", *, limit: int = 10, lease: timedelta = LONG, attempts_max: int = 8
) -> list[Job]:
    return await storage.outbox.claim(worker, HANDLERS, limit=limit, lease=lease, attempts_max=attempts_max)


async def stored(storage: Storage, job: NewJob | Job) -> Job:
    found = await storage.outbox.job(job.id)
    assert found is not None
    return found


async def test_a_job_is_claimed_as_it_was_written(storage: Storage) -> None:
    job = a_job(payload='{"b":1, "a":"\\u00e9"}')
    await append_jobs(storage, job)

    [claimed] = await claim(storage)

    assert (claimed.id, claimed.event_id, claimed.type, claimed.handler) == (
        job.id,
        job.event_id,
        job.type,
        job.handler,
    )
    assert (claimed.aggregate_id, claimed.payload, claimed.planned_at, claimed.created_at) == (
        job.aggregate_id,
        job.payload,
        job.planned_at,
        job.created_at,
    )
    assert (claimed.state, claimed.attempts, claimed.claimed_by, claimed.due_at) == (
        JobState.PENDING,
        1,
        "w1",
        job.planned_at,
    )
    assert claimed == await stored(storage, job)


async def test_what_was_rolled_back_is_not_to_be_done(storage: Storage) -> None:
    class Told(Exception):
        pass

    async def act() -> None:
        async with storage.writes.transaction() as tx:
            await tx.lock(conversations=[conversation_id(1)])
            await tx.append_jobs([a_job()])
            raise Told

    with pytest.raises(Told):
        await act()
    assert await claim(storage) == []


async def test_an_event_has_one_job_per_handler(storage: Storage) -> None:
    await append_jobs(storage, a_job(1), a_job(2, event=1, handler="reminder"))

    with pytest.raises(Conflict):
        await append_jobs(storage, a_job(3, event=1))


async def test_a_job_is_written_under_the_lock_of_what_it_is_about(storage: Storage) -> None:
    async def act() -> None:
        async with storage.writes.transaction() as tx:
            await tx.lock(conversations=[conversation_id(2)])
            await tx.append_jobs([a_job()])

    with pytest.raises(LockRuleBroken):
        await act()


async def test_a_claimed_job_is_nobody_elses_until_the_lease_ends(storage: Storage) -> None:
    await append_jobs(storage, a_job())

    [first] = await claim(storage, lease=LONG)
    assert await claim(storage, "w2") == []
    assert await storage.outbox.release([first]) == 1
    [again] = await claim(storage, "w2", lease=NONE)
    [last] = await claim(storage, "w3", lease=LONG)

    assert (first.attempts, again.attempts, last.attempts) == (1, 1, 2)
    assert not await storage.outbox.finish(first)
    assert not await storage.outbox.finish(again)
    assert await storage.outbox.finish(last)
    assert (await stored(storage, last)).state is JobState.DONE
    assert await claim(storage) == []


@pytest.mark.parametrize("settle", ["finish", "retry", "bury", "release"])
async def test_whoever_lost_the_claim_settles_nothing(storage: Storage, settle: str) -> None:
    await append_jobs(storage, a_job())
    [lost] = await claim(storage, lease=NONE)
    [held] = await claim(storage, lease=LONG)

    match settle:
        case "finish":
            assert not await storage.outbox.finish(lost)
        case "retry":
            assert not await storage.outbox.retry(lost, "x", after=NONE)
        case "bury":
            assert not await storage.outbox.bury(lost, "x")
        case _:
            assert await storage.outbox.release([lost]) == 0

    assert await stored(storage, held) == held


async def test_of_one_aggregate_and_handler_only_the_first_is_claimed(storage: Storage) -> None:
    await append_jobs(
        storage,
        a_job(1),
        a_job(2),
        a_job(3, handler="reminder"),
        a_job(4, conversation=2),
        a_job(5, conversation=2),
    )

    firsts = await claim(storage)
    assert {job.id for job in firsts} == {a_job(1).id, a_job(3).id, a_job(4).id}
    assert await claim(storage, "w2") == []
    for job in firsts:
        assert await storage.outbox.finish(job)

    assert {job.id for job in await claim(storage, "w2")} == {a_job(2).id, a_job(5).id}


async def test_a_job_that_is_to_be_tried_later_holds_up_its_own_kind_only(storage: Storage) -> None:
    await append_jobs(storage, a_job(1), a_job(2), a_job(3, conversation=2))
    first, other = await claim(storage)

    assert await storage.outbox.retry(first, "no answer", after=LONG)
    assert await storage.outbox.finish(other)

    assert await claim(storage) == []
    kept = await stored(storage, first)
    assert (kept.state, kept.attempts, kept.last_error, kept.claimed_by) == (
        JobState.PENDING,
        1,
        "no answer",
        None,
    )
    assert kept.due_at > first.due_at


async def test_a_job_that_is_to_be_tried_at_once_is_claimed_again(storage: Storage) -> None:
    await append_jobs(storage, a_job())
    [first] = await claim(storage)

    assert await storage.outbox.retry(first, "no answer", after=NONE)

    [again] = await claim(storage)
    assert again.attempts == 2


async def test_a_dead_job_lets_the_next_pass_and_can_be_tried_again(storage: Storage) -> None:
    await append_jobs(storage, a_job(1), a_job(2))
    [first] = await claim(storage)

    assert await storage.outbox.bury(first, "it can't be")
    [second] = await claim(storage)
    assert second.id == a_job(2).id
    assert (await stored(storage, first)).last_error == "it can't be"
    assert await storage.outbox.revive(second.id) is None
    revived = await storage.outbox.revive(first.id)

    assert revived is not None
    assert (revived.state, revived.attempts, revived.finished_at) == (JobState.PENDING, 0, None)
    assert [job.id for job in await claim(storage)] == [first.id]


async def test_a_job_that_takes_its_workers_with_it_is_dead_in_the_end(storage: Storage) -> None:
    await append_jobs(storage, a_job(1), a_job(2))
    for attempt in (1, 2, 3):
        [job] = await claim(storage, lease=NONE, attempts_max=3)
        assert job.attempts == attempt

    await claim(storage, lease=NONE, attempts_max=3)

    dead = await stored(storage, a_job(1))
    assert dead.state is JobState.DEAD
    assert dead.last_error is not None
    [following] = await claim(storage, attempts_max=3)
    assert following.id == a_job(2).id


async def test_what_is_planned_for_later_waits_and_holds_up_nothing(storage: Storage) -> None:
    far = system_wall_clock() + timedelta(days=1)
    await append_jobs(storage, a_job(1, planned_at=far), a_job(2))

    assert [job.id for job in await claim(storage)] == [a_job(2).id]


async def test_it_is_known_when_the_next_job_comes_due(storage: Storage) -> None:
    async def ahead(within: timedelta = 2 * LONG) -> timedelta | None:
        return await storage.outbox.next_in(HANDLERS, within=within)

    assert await ahead() is None
    await append_jobs(storage, a_job(1), a_job(2, handler="unheard_of"))
    assert await ahead() == NONE
    [job] = await claim(storage, lease=LONG)
    assert LONG / 2 < (await ahead() or NONE) <= LONG
    assert await ahead(LONG / 2) is None
    await storage.outbox.retry(job, "no", after=LONG / 2)
    assert LONG / 4 < (await ahead() or NONE) <= LONG / 2
    assert await claim(storage) == []


async def test_earlier_plans_come_first_whenever_they_were_written(storage: Storage) -> None:
    await append_jobs(storage, a_job(1, planned_at=NOW), a_job(2, planned_at=NOW - LONG))

    assert [job.id for job in await claim(storage)] == [a_job(2).id]


async def test_only_handlers_that_are_asked_for_are_claimed_and_no_more_than_wanted(storage: Storage) -> None:
    await append_jobs(storage, a_job(1, handler="unheard_of"), a_job(2), a_job(3, conversation=2))

    assert len(await claim(storage, limit=1)) == 1
    assert len(await claim(storage, limit=5)) == 1
    assert await claim(storage) == []


async def test_workers_that_race_share_the_jobs(storage: Storage) -> None:
    names = [f"h{n}" for n in range(30)]
    jobs = [a_job(n + 1, handler=name) for n, name in enumerate(names)]
    await append_jobs(storage, *jobs)
    found: list[JobId] = []

    async def work(worker: str) -> None:
        while claimed := await storage.outbox.claim(worker, names, limit=2, lease=LONG, attempts_max=8):
            for job in claimed:
                found.append(job.id)
                assert await storage.outbox.finish(job)

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(work, f"w{number}")

    rest = await storage.outbox.claim("last", names, limit=50, lease=LONG, attempts_max=8)
    assert sorted([*found, *(job.id for job in rest)]) == [job.id for job in jobs]


async def test_jobs_are_listed_newest_first_by_state(storage: Storage) -> None:
    await append_jobs(storage, a_job(1), a_job(2), a_job(3, conversation=2))
    first, other = await claim(storage)
    await storage.outbox.finish(first)
    await storage.outbox.bury(other, "no")

    async def listed(state: JobState | None, before: int | None = None, limit: int = 9) -> list[str]:
        return [job.id[-1] for job in await storage.outbox.page(state=state, before=before, limit=limit)]

    assert await listed(None) == ["3", "2", "1"]
    assert await listed(None, limit=2) == ["3", "2"]
    assert await listed(None, before=other.place) == ["2", "1"]
    assert await listed(JobState.DONE) == ["1"]
    assert await listed(JobState.DEAD) == ["3"]
    assert await listed(JobState.PENDING) == ["2"]
    assert await listed(JobState.PENDING, before=first.place) == []


async def test_done_jobs_are_dropped_with_time_and_dead_ones_stay(storage: Storage) -> None:
    await append_jobs(storage, a_job(1), a_job(2, conversation=2), a_job(3, handler="reminder"))
    one, two, three = await claim(storage)
    await storage.outbox.finish(one)
    await storage.outbox.finish(two)
    await storage.outbox.bury(three, "no")

    assert await storage.outbox.delete_done(older_than=LONG, limit=9) == 0
    assert await storage.outbox.delete_done(older_than=-LONG, limit=1) == 1
    assert await storage.outbox.delete_done(older_than=-LONG, limit=9) == 1

    assert [job.id for job in await storage.outbox.page(state=None, before=None, limit=9)] == [three.id]


async def test_what_is_to_be_done_is_counted(storage: Storage) -> None:
    now = system_wall_clock()
    ago, ahead = now - timedelta(minutes=5), now + timedelta(hours=1)
    assert await storage.outbox.figures() == OutboxFigures(0, 0, 0, 0, NONE)
    await append_jobs(
        storage,
        a_job(1, planned_at=ahead, handler="reminder"),
        a_job(2, planned_at=ago - timedelta(minutes=5)),
        a_job(3, planned_at=ago),
        a_job(4, planned_at=ago, handler="mail_student"),
        a_job(5, planned_at=ago, conversation=2),
        a_job(6, planned_at=ago, conversation=2, handler="mail_student"),
    )
    first, _, third, _ = await claim(storage)
    # The oldest failed and is scheduled anew: it is the oldest still.
    await storage.outbox.retry(first, "later", after=LONG)
    await storage.outbox.bury(third, "never")

    figures = await storage.outbox.figures()

    assert replace(figures, oldest=NONE) == OutboxFigures(waiting=1, running=2, scheduled=2, dead=1, oldest=NONE)
    assert timedelta(minutes=9) < figures.oldest < timedelta(minutes=11)


async def test_nothing_that_is_planned_for_later_is_late(storage: Storage) -> None:
    await append_jobs(storage, a_job(planned_at=system_wall_clock() + LONG))

    assert await storage.outbox.figures() == OutboxFigures(0, 0, 1, 0, NONE)


async def test_those_in_somebodys_hands_are_found_the_longest_due_first(storage: Storage) -> None:
    await append_jobs(
        storage, a_job(1, conversation=2), a_job(2, handler="mail_student"), a_job(3, handler="reminder")
    )
    claimed = await claim(storage, limit=2)

    assert await storage.outbox.running(limit=10) == claimed
    assert await storage.outbox.running(limit=1) == claimed[:1]
    await storage.outbox.finish(claimed[0])
    assert await storage.outbox.running(limit=10) == claimed[1:]


async def test_a_claim_whose_lease_is_over_is_in_nobodys_hands(storage: Storage) -> None:
    await append_jobs(storage, a_job())
    await claim(storage, lease=NONE)

    assert await storage.outbox.running(limit=10) == []
    assert (await storage.outbox.figures()).waiting == 1
