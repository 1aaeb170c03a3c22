"""What is demanded of the figures, in one place: a bound of the ratio to a baseline, or of greenroom's own figure.

A bar that is missed stays where it is, and the table says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from bench import committer, deliveries, drivers, http_path, overload, replay, scaling, searching, sockets
from bench.figures import Bar, Figure, Of

_SCALES: Final = 1.7
"""What two workers are to do for each that one does: a second processor, less what there is to be agreed on."""

_BY_HAND: Final = "by hand: two channels, fail_after"

_IN_TIME_MS: Final = (searching.BUDGET_S + searching.TOLERANCE_S) * 1e3

BARS: Final[Mapping[tuple[str, str], Bar]] = {
    ("ask with a deadline", _BY_HAND): Bar(1.5),
    ("ask with a deadline, 100 at a time", _BY_HAND): Bar(1.5),
    ("tell to 1,000 actors, a wake-up each", "send on 1,000 channels"): Bar(2.0),
    ("tell in bursts of 64", "send in bursts"): Bar(5.0),
    ("restart, to the first answer", "by hand: a nursery per run"): Bar(100.0, Of.LEVEL),
    ("memory of an idle actor, 10,000 of them", "a task parked on a channel"): Bar(6_000.0, Of.LEVEL),
    ("a process with 100,000 idle actors", "a task parked on a channel"): Bar(700.0, Of.LEVEL),
    **{
        (load, committer.PER_MESSAGE): Bar(5_000.0, Of.LEVEL)
        for load in (committer.SPREAD, committer.HOT, committer.STAR)
    },
    **{(drivers.NAMES[way], peer): Bar(2.0) for way in drivers.NAMES for peer in drivers.PEERS},
    (http_path.SENDS, http_path.ORM): Bar(3.0),
    (http_path.SENDS, http_path.CORE): Bar(3.0),
    (http_path.SENDS, http_path.BARE): Bar(0.6),
    (f"{http_path.ARRIVALS}, p99", http_path.ORM): Bar(0.5),
    (f"{http_path.ARRIVALS}, p99", http_path.CORE): Bar(0.5),
    (deliveries.PER_CPU_S, deliveries.BARE): Bar(8_000.0, Of.LEVEL),
    (deliveries.PER_S, deliveries.BARE): Bar(8_000.0, Of.LEVEL),
    (deliveries.MEMORY, deliveries.BARE): Bar(40.0, Of.LEVEL),
    (deliveries.FIRST_BYTE, deliveries.BARE): Bar(3_000.0, Of.LEVEL),
    (deliveries.CAUGHT_UP, deliveries.BARE): Bar(5_000.0, Of.LEVEL),
    (sockets.PER_CPU_S, sockets.OVER_HTTP): Bar(2.0),
    (sockets.MEMORY, sockets.STREAM): Bar(40.0, Of.LEVEL),
    **{(way, replay.ON_THE_WIRE): Bar(1_024.0, Of.LEVEL) for way in (replay.OVER_SSE, replay.OVER_SOCKET)},
    (f"{searching.LATENCY}, p50", searching.PEER): Bar(25.0, Of.LEVEL),
    (f"{searching.LATENCY}, p99", searching.PEER): Bar(80.0, Of.LEVEL),
    (overload.GOODPUT, searching.PEER): Bar(90.0, Of.LEVEL),
    (overload.LATEST, searching.PEER): Bar(_IN_TIME_MS, Of.LEVEL),
    (overload.RECOVERY, searching.PEER): Bar(5.0, Of.LEVEL),
    (f"{searching.SLOW}, p99", searching.WAITING_PEER): Bar(_IN_TIME_MS, Of.LEVEL),
    (scaling.HELD, scaling.ONE): Bar(_SCALES),
    (scaling.COST_APART, scaling.ONE): Bar(round(2 / _SCALES, 2)),
}
"""By the name of a figure and of its baseline."""


def with_bars(figures: Sequence[Figure], bars: Mapping[tuple[str, str], Bar] = BARS) -> list[Figure]:
    """Give each figure its bar."""
    return [replace(figure, bar=bars.get((figure.name, figure.baseline_name))) for figure in figures]


def lost_bars(figures: Sequence[Figure], bars: Mapping[tuple[str, str], Bar] = BARS) -> list[str]:
    """Name the bars that belong to nothing in a run of everything: a figure or its baseline was renamed."""
    measured = {(figure.name, figure.baseline_name) for figure in figures}
    return [f"{name}, beside {baseline}" for name, baseline in bars if (name, baseline) not in measured]
