"""Searches when five times as many are asked for as can be answered, beside the same peer as in :mod:`bench.searching`.

- *peak*: as many as 12 connections get answered in time, one after the other on each; who is refused asks again when told to.
- *overload*: five times that from an open schedule, for a minute: how much of the peak is still answered in time, how late
  the latest answer is, and how long it takes to be as quick as before once that is over. Refusals count as nothing.

The peak is measured before and after, as this machine is not always equally quick. The peer refuses nobody, so what it is
asked piles up; its overload lasts five seconds, after which it answers nobody in time any more.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import islice
from statistics import mean
from typing import Final

import trio

from bench.figures import Better, Figure
from bench.http_client import Connection, open_connections
from bench.marketplace import a_marketplace
from bench.searching import (
    PEER,
    PER_S,
    Answers,
    Side,
    a_greenroom,
    a_searching_peer,
    exchange,
    open_schedule,
    warm_up,
)
from bench.sentences import Sentence, sentences

ASKERS: Final = 12
PEAK_S: Final = 4.0
OVERLOAD: Final = 5
OVERLOAD_S: Final = 60.0
PEER_OVERLOAD_S: Final = 5.0
CALM_SEARCHES: Final = 30
CALM: Final = 1.5
"""Recovered: ten answers in a row within so many times the slowest of the calm ones before."""

RECOVERY_S_MAX: Final = 8.0
RETRY_AFTER_S: Final = 1.0
"""What greenroom asks those to wait that it refuses."""

PEAK: Final = f"searches in time, {ASKERS} connections"
GOODPUT: Final = f"searches in time at {OVERLOAD} times the peak, of the peak"
LATEST: Final = f"latest answer at {OVERLOAD} times the peak"
RECOVERY: Final = "until searches are as quick again after that"


async def overload_figures() -> list[Figure]:
    """All figures of overload, about 120 s. Once each: that is as long as all other rounds of searching together."""
    asked = sentences(seed=5)
    async with a_marketplace() as url, a_greenroom(url) as ours, a_searching_peer(url) as theirs:
        mine = await _under_load(ours, asked, for_s=OVERLOAD_S)
        others = await _under_load(theirs, asked, for_s=PEER_OVERLOAD_S)
    told = (
        (PEAK, "searches/s", Better.MORE),
        (GOODPUT, "%", Better.MORE),
        (LATEST, "ms", Better.LESS),
        (RECOVERY, "s", Better.LESS),
    )
    return [
        Figure(name, unit, better, PEER, (own,), (other,))
        for (name, unit, better), own, other in zip(told, mine, others, strict=True)
    ]


async def _under_load(side: Side, asked: Iterator[Sentence], *, for_s: float) -> tuple[float, float, float, float]:
    """The peak per second, in time of it in percent, the latest in ms, and the recovery in s."""
    await warm_up(side, asked)
    before = await _peak(side, asked)
    calm = await open_schedule(side, islice(asked, CALM_SEARCHES), per_s=PER_S)
    per_s = OVERLOAD * before
    answers = await open_schedule(side, islice(asked, round(per_s * for_s)), per_s=per_s)
    recovery_s = await _recovery_s(side, asked, within_s=CALM * max(calm.seconds))
    peak = mean((before, await _peak(side, asked)))
    return peak, 100 * answers.in_time() / for_s / peak, max(answers.seconds) * 1e3, recovery_s


async def _peak(side: Side, asked: Iterator[Sentence]) -> float:
    answers = Answers()
    until = trio.current_time() + PEAK_S

    async def keep_asking() -> None:
        connection = Connection(side.port)
        while trio.current_time() < until:
            if not await exchange(connection, side.ask(next(asked)), trio.current_time(), answers):
                await trio.sleep(RETRY_AFTER_S)
        await connection.aclose()

    gc.collect()
    async with trio.open_nursery() as nursery:
        for _ in range(ASKERS):
            nursery.start_soon(keep_asking)
    return answers.in_time() / PEAK_S


async def _recovery_s(side: Side, asked: Iterator[Sentence], *, within_s: float) -> float:
    """From now until the first of ten answers in a row that were quick; the bound if there are none."""
    began, quick_since, quick = trio.current_time(), 0.0, 0
    async with open_connections(side.port) as connections:
        while trio.current_time() < began + RECOVERY_S_MAX:
            answers, moment = Answers(), trio.current_time()
            was_served = await exchange(connections, side.ask(next(asked)), moment, answers)
            if not was_served or answers.seconds[0] > within_s:
                quick = 0
                continue
            quick_since = quick_since if quick else trio.current_time()
            quick += 1
            if quick == 10:
                return quick_since - began
    return RECOVERY_S_MAX
