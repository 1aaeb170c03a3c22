"""What is done to the server. A module for each fault; this is the list of them, in the order in which they run."""

from __future__ import annotations

from typing import Final

from chaos.scenario import Scenario
from chaos.scenarios.clock_wrong import CLOCK_WRONG
from chaos.scenarios.descriptors import DESCRIPTORS
from chaos.scenarios.disk_full import DISK_FULL
from chaos.scenarios.every_point import EVERY_POINT, EVERY_POINT_NOTIFY
from chaos.scenarios.frozen_reader import FROZEN_READER
from chaos.scenarios.half_open import HALF_OPEN
from chaos.scenarios.hints_dropped import HINTS_DROPPED, HINTS_DROPPED_NOTIFY
from chaos.scenarios.hostile_bytes import HOSTILE_BYTES
from chaos.scenarios.kill9 import KILL9
from chaos.scenarios.memory import MEMORY
from chaos.scenarios.pairs import PAIRS_AT_ONCE
from chaos.scenarios.pool_exhausted import POOL_EXHAUSTED
from chaos.scenarios.postgres_killed import POSTGRES_KILLED
from chaos.scenarios.reconnect_storm import RECONNECT_STORM
from chaos.scenarios.redis_faults import REDIS_FAULTS
from chaos.scenarios.rolling_restart import ROLLING_RESTART
from chaos.scenarios.sigterm import SIGTERM
from chaos.scenarios.storm import STORM, STORM_NOTIFY
from chaos.scenarios.together import TOGETHER
from chaos.scenarios.workers_killed import WORKERS_KILLED, WORKERS_KILLED_NOTIFY

SCENARIOS: Final[dict[str, Scenario]] = {
    scenario.name: scenario
    for scenario in (
        KILL9,
        POSTGRES_KILLED,
        PAIRS_AT_ONCE,
        SIGTERM,
        RECONNECT_STORM,
        FROZEN_READER,
        POOL_EXHAUSTED,
        DISK_FULL,
        HALF_OPEN,
        CLOCK_WRONG,
        DESCRIPTORS,
        MEMORY,
        HOSTILE_BYTES,
        WORKERS_KILLED,
        EVERY_POINT,
        REDIS_FAULTS,
        HINTS_DROPPED,
        ROLLING_RESTART,
        WORKERS_KILLED_NOTIFY,
        EVERY_POINT_NOTIFY,
        HINTS_DROPPED_NOTIFY,
        TOGETHER,
        STORM,
        STORM_NOTIFY,
    )
}
