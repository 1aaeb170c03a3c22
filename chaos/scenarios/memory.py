"""The server may map hardly more memory than it has, and a crowd with large requests comes.

Mostly a request or a connection fails and the server goes on. An allocation that fails inside the event loop itself ends the
process: nothing in Python can outlive that. It is then started again, once, and has to have lost nothing.
"""

from __future__ import annotations

import resource
from collections.abc import Sequence
from typing import Final

import trio

from chaos.crowd import Crowd
from chaos.figures import Figure
from chaos.scenario import Scenario
from chaos.stage import Cast, Stage

SPARE_KIB: Final = 24 * 1024
CROWD: Final = 1_500
FULL_S: Final = 2.0
ACCEPTS_S_MAX: Final = 1.0
HALF_A_BODY: Final = (
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
    + b"x" * 59_000
)


async def memory(stage: Stage, rounds: int) -> Sequence[Figure]:
    restarts, again_s = 0, 0.0
    for _ in range(rounds):
        await stage.let_flow(1)
        mapped = stage.server.mapped_kib()
        limit = (mapped + SPARE_KIB) * 1024
        resource.prlimit(stage.server.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        async with Crowd(stage.server.port) as crowd:
            with stage.fault("no memory left"):
                await crowd.come(CROWD, HALF_A_BODY)
                await trio.sleep(FULL_S)
                await crowd.leave()
            if stage.server.is_running:
                resource.prlimit(stage.server.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
            else:
                restarts += 1
                await stage.server.start()
            began = trio.current_time()
            await stage.let_flow(1)
            again_s = max(again_s, trio.current_time() - began)
    return [
        Figure("times full", rounds),
        Figure("ended by it and started again", restarts),
        Figure("everybody served again after", again_s, "s", ACCEPTS_S_MAX),
    ]


MEMORY: Final = Scenario(
    "memory",
    f"{SPARE_KIB // 1024} MiB left and {CROWD} connections with 60 KB each",
    Cast(pairs=4, pause_s=0.02),
    rounds=1,
    rounds_long=10,
    timeout_s=60.0,
    disturb=memory,
)
