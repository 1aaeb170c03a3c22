"""Connections that no HTTP client makes: the process stays the same one, and everybody else goes on talking."""

from __future__ import annotations

from random import Random
from typing import Final

import trio

from chaos.scenario import PromiseBroken, Scenario
from chaos.stage import Cast, Stage

CONNECTIONS: Final = 500
"""Per round."""

AT_ONCE: Final = 40
READ_TIMEOUT_S: Final = 0.5
"""A peer that leaves before it is answered is one of the hostile ones."""

GROWTH_KIB_MAX: Final = 20 * 1024

_SEEDS: Final = (
    b"GET /api/v1/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer nobody\r\n\r\n",
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: v1.x.0\r\n\r\n",
    b"GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
)

_CORPUS: Final = (
    b"",
    b"\r\n" * 50,
    b"\x00" * 100,
    b"\xff" * 4096,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS client
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64,
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: [\r\n\r\n",
    b"GET /%ff%00%zz?limit=%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : x\r\n folded\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: !!\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nCookie: greenroom=\xff\xfe\r\n\r\n",
)


async def hostile_bytes(stage: Stage, rounds: int) -> str:
    server, pid = stage.server, stage.server.pid
    await stage.let_flow(1)
    await _storm(stage, CONNECTIONS)
    # What the first round leaves is warm-up: code and buffers that stay.
    before_kib = server.resident_kib()
    for _ in range(rounds):
        await _storm(stage, CONNECTIONS)
    growth_kib = server.resident_kib() - before_kib
    if not server.is_running or server.pid != pid:
        raise PromiseBroken(f"it died of hostile bytes:\n{server.log_tail()}")
    if growth_kib > GROWTH_KIB_MAX * rounds:
        raise PromiseBroken(f"it grew by {growth_kib} KiB in {rounds} rounds")
    await stage.let_flow(1)
    return f"{CONNECTIONS * (rounds + 1)} connections, same pid, {growth_kib / 1024:+.1f} MiB"


async def _storm(stage: Stage, connections: int) -> None:
    limiter = trio.CapacityLimiter(AT_ONCE)
    async with trio.open_nursery() as nursery:
        for n in range(connections):
            sent = _CORPUS[n] if n < len(_CORPUS) else mutate(stage.random, stage.random.choice(_SEEDS))
            nursery.start_soon(_attack, stage.server.port, sent, limiter, stage.random.random() < 0.2)


async def _attack(port: int, sent: bytes, limiter: trio.CapacityLimiter, leaves_at_once: bool) -> None:
    async with limiter:
        with trio.move_on_after(READ_TIMEOUT_S):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            try:
                await stream.send_all(sent)
                while not leaves_at_once and await stream.receive_some():
                    pass
            except trio.BrokenResourceError:
                pass
            finally:
                await trio.aclose_forcefully(stream)


def mutate(random: Random, request: bytes) -> bytes:
    """Change some bytes of a good request: overwritten, cut out, repeated, or cut off."""
    changed = bytearray(request)
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(changed) or 1)
        match random.randrange(4):
            case 0:
                changed[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                del changed[at : at + random.randint(1, 8)]
            case 2:
                changed[at:at] = changed[at : at + random.randint(1, 40)] * random.randint(1, 5)
            case _:
                del changed[max(1, at) :]
    return bytes(changed)


HOSTILE_BYTES: Final = Scenario(
    "hostile_bytes", "malformed connections", Cast(), rounds=2, timeout_s=180.0, disturb=hostile_bytes
)
