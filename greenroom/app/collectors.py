"""What the metrics tell of a worker's streams, pool and bus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client.registry import Collector

from greenroom.actors.core import Core
from greenroom.http.metrics import CounterCollector, GaugeCollector
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.bus_shared import SharedBus
from greenroom.storage.postgres import Pool

POOL_GAUGES: Final = {
    "size": "connections there may be",
    "in_use": "connections in use",
    "idle": "connections at rest",
    "waiting": "callers waiting for a connection",
    "exhausted": "callers turned away since the start",
}

BUS_COUNTERS: Final = {
    "published": "notes handed over to be sent",
    "dropped": "notes dropped because a subscription was full, or the wire down or too slow",
    "received": "notes received from other workers",
    "unreadable": "payloads dropped that no worker of ours wrote",
    "suspicions": "times something may have been lost on the way in",
    "losses": "times the wire was lost",
}


def worker_collectors(core: Core, *, pool: Pool, bus: LocalBus | SharedBus) -> list[Collector]:
    """What reads one worker's figures when the metrics are asked for."""
    return [
        GaugeCollector("greenroom_streams_open", "Streams open on this worker.", lambda: core.open_streams),
        *(
            GaugeCollector(f"greenroom_pool_{name}", f"Database pool: {text}.", _pool_reader(pool, name))
            for name, text in POOL_GAUGES.items()
        ),
        GaugeCollector("greenroom_bus_up", "Whether all other workers can be heard.", lambda: float(bus.is_up)),
        *(
            CounterCollector(f"greenroom_bus_{name}", f"Bus of this worker: {text}.", _bus_reader(bus, name))
            for name, text in BUS_COUNTERS.items()
        ),
    ]


def _pool_reader(pool: Pool, name: str) -> Callable[[], float]:
    return lambda: float(getattr(pool.statistics(), name))


def _bus_reader(bus: LocalBus | SharedBus, name: str) -> Callable[[], float]:
    # A local bus has no wire to lose anything on.
    return lambda: float(getattr(bus.statistics(), name, 0))
