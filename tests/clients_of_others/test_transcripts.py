"""Clients that nobody here wrote end with the same transcript of the same history, through a connection that was cut.

Each follows the same user's events in its own way: as server-sent events, or over WebSocket. What they print is held
against the log of events, which is read as plain JSON. Nothing is done for a client but what its own manual says: an
EventSource reconnects by itself, a WebSocket is opened again with ``last_event_id``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed, HandshakeError, wrap_client_stream

from tests.clients_of_others.cut import Way
from tests.http.world import World, a_world

HERE = Path(__file__).parent
DONE = "that is all"
WAIT_S = 90.0
INSTALL_TIMEOUT_S = 60
RECONNECT_S = 0.3
CONNECT_S = 2.0

EPHEMERAL = frozenset({"ready", "heartbeat", "reset", "closing", "typing", "presence"})

Event = dict[str, Any]
Print = Callable[[Event], None]
Follow = Callable[[Print], Awaitable[None]]


class Transcript:
    """What one client printed."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = trio.Event()

    def print(self, event: Event) -> None:
        self.events.append({name: event[name] for name in ("id", "event", "data")})
        self._changed.set()

    @property
    def durable(self) -> list[Event]:
        return [event for event in self.events if event["event"] not in EPHEMERAL]

    def has_said(self, content: str) -> bool:
        created = [event["data"]["message"] for event in self.events if event["event"] == "message.created"]
        return any(message["content"] == content for message in created)

    async def until_said(self, content: str) -> None:
        while not self.has_said(content):
            await self._wait()

    async def until_ready(self) -> None:
        while not self.events:
            await self._wait()

    async def _wait(self) -> None:
        self._changed = trio.Event()
        await self._changed.wait()


# A client within this process.


async def follow_with_trio_websocket(host: str, port: int, path: str, show: Print) -> None:
    last: str | None = None
    while True:
        try:
            async with trio.open_nursery() as nursery:
                resource = path if last is None else f"{path}&last_event_id={last}"
                # Opened here, because the library leaves it open where the handshake fails.
                async with await trio.open_tcp_stream(host, port) as stream:
                    with trio.fail_after(CONNECT_S):
                        connection = await wrap_client_stream(nursery, stream, f"{host}:{port}", resource)
                    while True:
                        frame = json.loads(await connection.get_message())
                        last = frame["id"] or last
                        show(frame)
        except* (OSError, HandshakeError, ConnectionClosed, trio.TooSlowError):
            pass
        await trio.sleep(RECONNECT_S)


# Clients in a process of their own.


async def follow_with_process(command: Sequence[str], show: Print, *, cwd: Path = HERE) -> None:
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=cwd)
    assert process.stdout is not None
    unread = b""
    try:
        while received := await process.stdout.receive_some(65536):
            *lines, unread = (unread + received).split(b"\n")
            for line in lines:
                show(json.loads(line))
        raise AssertionError(f"{command[:3]} ended by itself")
    finally:
        process.terminate()
        with trio.CancelScope(shield=True), trio.move_on_after(5):
            await process.wait()
        await process.stdout.aclose()
        if process.stdin is not None:
            await process.stdin.aclose()


# The history.


async def transcripts(
    world: World, make: Callable[[str, str, str], Mapping[str, Follow]]
) -> dict[str, list[Event]]:
    """Let all clients follow the same history and return what each saw of it; ``log`` is what there was.

    Args:
        make: given a base URL and tickets for the two kinds, what each client is and does.
    """
    talk = await world.talk()
    host, _, port = world.host.partition(":")
    way = Way(host, int(port))
    ticket = (await world.maya.api.post("/api/v1/events/ticket")).json()["ticket"]
    found: dict[str, Transcript] = {}
    with trio.move_on_after(WAIT_S) as patience:
        async with trio.open_nursery() as nursery:
            await nursery.start(way.run)
            base = f"127.0.0.1:{way.port}"
            events, socket = f"/api/v1/events?ticket={ticket}", f"/api/v1/ws?ticket={ticket}"
            for name, follow in make(base, events, socket).items():
                found[name] = Transcript()
                nursery.start_soon(follow, found[name].print)
            for transcript in found.values():
                await transcript.until_ready()
            cursor = (await world.maya.api.get("/api/v1/sync")).json()["cursor"]

            first = await world.say(talk, "Grüße 👋,\nand a second line", by=world.tomas)
            await world.maya.api.put(f"/api/v1/messages/{first['id']}/reactions/👍")
            await world.say(talk, "cut", by=world.tomas)
            for transcript in found.values():
                await transcript.until_said("cut")
            way.cut()
            for n in range(20):
                await world.say(talk, f"missed {n}", by=world.tomas if n % 3 else world.maya)
            await world.tomas.api.patch(f"/api/v1/messages/{first['id']}", json={"content": "edited"})
            await world.maya.api.post(f"/api/v1/conversations/{talk}/read", json={"seq": 5})
            way.mend()
            await world.say(talk, DONE, by=world.tomas)
            for transcript in found.values():
                await transcript.until_said(DONE)
            nursery.cancel_scope.cancel()
    late = [name for name, transcript in found.items() if not transcript.has_said(DONE)]
    assert not patience.cancelled_caught, f"{late} saw no end"
    log = (await world.maya.api.get("/api/v1/events/log", params={"after": cursor})).json()
    assert not log["has_more"]
    expected = [{name: event[name] for name in ("id", "event", "data")} for event in log["events"]]
    return {name: transcript.durable for name, transcript in found.items()} | {"log": expected}


def check(found: dict[str, list[Event]]) -> None:
    expected = found.pop("log")
    assert len(expected) >= 25
    for name, seen in found.items():
        assert seen == expected, name


async def test_clients_in_python() -> None:
    def make(base: str, events: str, socket: str) -> Mapping[str, Follow]:
        websockets = [sys.executable, "websockets_client.py", f"ws://{base}{socket}"]
        httpx_sse = [sys.executable, "httpx_sse_client.py", f"http://{base}{events}"]
        host, _, port = base.partition(":")
        return {
            "httpx-sse": partial(follow_with_process, httpx_sse),
            "trio-websocket": partial(follow_with_trio_websocket, host, int(port), socket),
            "websockets": partial(follow_with_process, websockets),
        }

    async with a_world() as world:
        check(await transcripts(world, make))


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clients of npm in it; installed anew, from the versions and hashes of the lock file."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("no Node.js on the PATH")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(HERE / "node" / name, folder)
    quietly = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", "--fetch-timeout=10000"]
    try:
        installed = subprocess.run(
            [npm, "ci", *quietly],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not install the clients in time")
    if installed.returncode:
        pytest.skip(f"npm could not install the clients: {installed.stderr.strip()[-300:]}")
    return folder


async def test_clients_of_npm(node_folder: Path) -> None:
    version = await trio.run_process(["node", "--version"], capture_stdout=True)
    major = int(version.stdout.decode().lstrip("v").split(".")[0])

    def make(base: str, events: str, socket: str) -> Mapping[str, Follow]:
        urls = {
            **dict.fromkeys(
                ("eventsource", "eventsource-client", "event-source-polyfill", "undici"), f"http://{base}{events}"
            ),
            **dict.fromkeys(("ws", "built-in WebSocket") if major >= 22 else ("ws",), f"ws://{base}{socket}"),
        }
        return {
            name: partial(follow_with_process, ["node", "client.mjs", name, url], cwd=node_folder)
            for name, url in urls.items()
        }

    async with a_world() as world:
        check(await transcripts(world, make))


async def test_chromium() -> None:
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium found on the PATH")
        pytest.skip("no Chromium found on the PATH")

    def make(base: str, events: str, socket: str) -> Mapping[str, Follow]:
        page = [sys.executable, "chromium_client.py"]
        return {
            "EventSource": partial(follow_with_process, [*page, "EventSource", f"http://{base}/", events]),
            "WebSocket": partial(
                follow_with_process, [*page, "WebSocket", f"http://{base}/", f"ws://{base}{socket}"]
            ),
        }

    async with a_world() as world:
        check(await transcripts(world, make))
