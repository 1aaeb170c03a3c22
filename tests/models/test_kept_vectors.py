"""One call for all who ask for the same, on a virtual clock."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.models.kept_vectors import KeptVectors
from greenroom.models.ports import ModelTimeout, ModelUnavailable, Vector


class SlowEmbedder:
    """Takes a second for each call; ``failures`` come first."""

    model, dimensions, is_local = "slow-2", 2, False

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls: list[list[str]] = []

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        self.calls.append(list(texts))
        with trio.move_on_after(timeout_s):
            await trio.sleep(1)
            if self.failures:
                raise self.failures.pop(0)
            return [(0.6, 0.8)] * len(texts)
        raise ModelTimeout("no answer in time")


async def test_what_was_asked_for_lately_takes_no_call(autojump_clock: MockClock) -> None:
    slow = SlowEmbedder()
    kept = KeptVectors(slow)
    await kept.embed(["piano"], timeout_s=5)

    [vector] = await kept.embed([" piano "], timeout_s=0.001)

    assert vector == pytest.approx((0.6, 0.8))
    assert slow.calls == [["piano"]]


async def test_all_who_ask_for_the_same_at_once_share_one_call(autojump_clock: MockClock) -> None:
    slow = SlowEmbedder()
    kept = KeptVectors(slow)
    answers: list[Vector] = []

    async def ask() -> None:
        answers.extend(await kept.embed(["piano"], timeout_s=5))

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(ask)

    assert len(answers) == 20
    assert slow.calls == [["piano"]]


async def test_who_waits_for_anothers_call_waits_within_its_own_time(autojump_clock: MockClock) -> None:
    kept = KeptVectors(SlowEmbedder())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: kept.embed(["piano"], timeout_s=5))
        await wait_all_tasks_blocked()
        began = trio.current_time()
        with pytest.raises(ModelTimeout):
            await kept.embed(["piano"], timeout_s=0.2)

        assert trio.current_time() - began == pytest.approx(0.2)


async def test_a_failure_is_everybodys_and_is_not_kept(autojump_clock: MockClock) -> None:
    slow = SlowEmbedder(ModelUnavailable("gone"))
    kept = KeptVectors(slow)
    failed = 0

    async def ask() -> None:
        nonlocal failed
        with pytest.raises(ModelUnavailable):
            await kept.embed(["piano"], timeout_s=5)
        failed += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        nursery.start_soon(ask)

    assert (failed, len(slow.calls)) == (2, 1)
    assert len(await kept.embed(["piano"], timeout_s=5)) == 1


async def test_when_the_leader_leaves_one_who_waits_leads(autojump_clock: MockClock) -> None:
    slow = SlowEmbedder()
    kept = KeptVectors(slow)
    leaving = trio.CancelScope()
    answers: list[Vector] = []

    async def lead() -> None:
        with leaving:
            await kept.embed(["piano"], timeout_s=5)

    async def follow() -> None:
        answers.extend(await kept.embed(["piano"], timeout_s=5))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lead)
        await wait_all_tasks_blocked()
        nursery.start_soon(follow)
        await trio.sleep(0.5)
        leaving.cancel()

    assert len(answers) == 1
    assert len(slow.calls) == 2


async def test_a_leader_with_little_time_does_not_fail_who_has_more(autojump_clock: MockClock) -> None:
    kept = KeptVectors(SlowEmbedder())
    answers: list[Vector] = []

    async def hurry() -> None:
        with pytest.raises(ModelTimeout):
            await kept.embed(["piano"], timeout_s=0.3)

    async def wait() -> None:
        answers.extend(await kept.embed(["piano"], timeout_s=5))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hurry)
        await wait_all_tasks_blocked()
        nursery.start_soon(wait)

    assert len(answers) == 1


async def test_the_least_recently_used_goes_first(autojump_clock: MockClock) -> None:
    kept = KeptVectors(SlowEmbedder(), kept_max=2)
    hits = []
    for text in ("a", "b", "a", "c", "a", "c", "b"):
        before = kept.statistics().hits
        await kept.embed([text], timeout_s=5)
        hits.append(kept.statistics().hits > before)

    assert hits == [False, False, True, False, True, True, False]
    assert kept.statistics().kept == 2
