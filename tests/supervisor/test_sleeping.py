"""Tasks that sleep on one request again and again. The request is what Trio's run loop is handed, which no document
promises to be of use twice; these notice if a release of Trio changes that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.lowlevel import Abort, current_task, wait_task_rescheduled
from trio.testing import wait_all_tasks_blocked

from greenroom.supervisor.park_slot import sleep_request, sleep_until_woken, wake


async def test_one_request_serves_many_sleeps_and_a_cancellation_between_them() -> None:
    aborted = []

    def abort(_raise_cancel: Callable[[], Any]) -> Abort:
        aborted.append(True)
        return Abort.SUCCEEDED

    request, woken = sleep_request(abort), []

    async def sleep_thrice() -> None:
        await sleep_until_woken(request)
        woken.append(1)
        with trio.CancelScope() as scope:
            scope.cancel()
            await sleep_until_woken(request)
        assert scope.cancelled_caught
        await sleep_until_woken(request)
        woken.append(2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleep_thrice)
        await wait_all_tasks_blocked()
        (task,) = nursery.child_tasks
        wake(task)
        await wait_all_tasks_blocked()
        assert (woken, aborted) == ([1], [True])
        wake(task)
        await wait_all_tasks_blocked()
        assert (woken, aborted) == ([1, 2], [True])


async def test_what_wakes_many_wakes_those_too_who_sleep_in_trios_own_way() -> None:
    tasks = []

    async def sleep() -> None:
        tasks.append(current_task())
        assert await wait_task_rescheduled(lambda _: Abort.SUCCEEDED) is None

    with trio.fail_after(1):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleep)
            nursery.start_soon(sleep)
            await wait_all_tasks_blocked()
            for task in tasks:
                wake(task)


async def test_a_cancelled_sleeper_is_told_by_trios_own_exception() -> None:
    request = sleep_request(lambda _: Abort.SUCCEEDED)
    with trio.CancelScope() as scope:
        scope.cancel("no need to wait")
        with pytest.raises(trio.Cancelled):
            await sleep_until_woken(request)
