"""``python -m bench.serving``: the HTTP server alone, beside Hypercorn's own, with the same applications on both.

- *asgi*, *quart*: answers to GETs on 32 connections, by an application of five lines and by one of Quart-Trio's.
- *events*: writes of one event each, to 20 readers, as fast as they are taken.
- *idle*: memory of a kept connection that has been answered once, of 900.

Servers take turns in processes of their own, the client is this process: one thread over epoll, which costs a tenth of
what it asks for. Processor time per unit is the server's own, so it holds on a machine that does other things, too.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import trio
from hypercorn.config import Config
from hypercorn.trio import serve as serve_with_hypercorn
from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, Scope
from quart_trio import QuartTrio

from greenroom.http.serving import Limits, Server, listen

SECONDS: Final = 2.5
REQUEST: Final = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
    "Accept: */*\r\nAccept-Encoding: gzip, deflate, br\r\nAuthorization: Bearer abcdefghijklmnopqrstuvwxyz0123\r\n\r\n"
)
EVENT: Final = b"id: v1.abc.12\nevent: message.created\ndata: " + b"x" * 200 + b"\n\n"


async def bare(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """A hello at ``/``; anywhere else a stream of events without an end."""
    if scope["type"] != "http":
        raise NotImplementedError
    await receive()
    if scope["path"] == "/":
        headers = [(b"content-length", b"5"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"hello", "more_body": False})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": EVENT, "more_body": True})


def quart() -> QuartTrio:
    app = QuartTrio("hello")

    @app.get("/")
    async def hello() -> str:
        return "hello"

    return app


async def run(server: str, app: ASGIFramework, port: int) -> None:
    if server == "hypercorn":
        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        config.backlog = 4096
        config.errorlog = None
        config.include_server_header = False
        config.keep_alive_max_requests = sys.maxsize
        await serve_with_hypercorn(app, config)
    else:
        limits = Limits(keep_alive_requests_max=sys.maxsize)
        await Server(app, await listen("127.0.0.1", port, limits=limits), limits=limits).run()


@contextmanager
def started(server: str, app: str) -> Iterator[tuple[int, int]]:
    """A server in a process of its own: its pid and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bench.serving", server, app, str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - ourselves
    try:
        ends_at = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if time.monotonic() > ends_at:
                    raise
                select.select([], [], [], 0.05)
        ask(port, "/", b"hello", seconds=0.5)  # the first thousand are slower
        yield process.pid, port
    finally:
        process.kill()
        process.wait()


def ask(port: int, path: str, mark: bytes, *, seconds: float = SECONDS, connections: int = 32) -> int:
    """Ask on all connections until the time is up, again wherever an answer came; return how often ``mark`` came."""
    request, count = REQUEST.format(path=path).encode(), 0
    waiting = select.epoll()
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    try:
        by_fd = {sock.fileno(): sock for sock in socks}
        for sock in socks:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            waiting.register(sock, select.EPOLLIN)
            sock.sendall(request)
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            for fd, _ in waiting.poll(1):
                received = by_fd[fd].recv(256 * 1024)
                if not received:
                    raise ConnectionError("the server closed a connection")
                count += received.count(mark)
                if path == "/" and received.endswith(mark):
                    by_fd[fd].sendall(request)
    finally:
        waiting.close()
        for sock in socks:
            sock.close()
    return count


def measured(pid: int, port: int, path: str, mark: bytes, connections: int) -> str:
    began = processor_s(pid)
    count = ask(port, path, mark, connections=connections)
    return f"{count / SECONDS:9,.0f}/s {(processor_s(pid) - began) / count * 1e6:6.0f} us"


def idle_kib(pid: int, port: int, connections: int = 900) -> float:
    before, socks = resident_kib(pid), []
    for _ in range(connections):
        socks.append(socket.create_connection(("127.0.0.1", port)))
        socks[-1].sendall(REQUEST.format(path="/").encode())
        socks[-1].recv(4096)
    after = resident_kib(pid)
    for sock in socks:
        sock.close()
    return (after - before) / connections


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def main() -> None:
    for server in ("hypercorn", "greenroom"):
        with started(server, "bare") as (pid, port):
            asgi = measured(pid, port, "/", b"hello", 32)
            events = measured(pid, port, "/events", b"event: message", 20)
        with started(server, "quart") as (pid, port):
            framework = measured(pid, port, "/", b"hello", 32)
        with started(server, "bare") as (pid, port):
            idle = idle_kib(pid, port)
        print(f"{server:10} asgi {asgi} | quart {framework} | events {events} | idle {idle:5.1f} KiB")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        app: ASGIFramework = bare if sys.argv[2] == "bare" else quart()
        trio.run(run, sys.argv[1], app, int(sys.argv[3]))
    else:
        main()
