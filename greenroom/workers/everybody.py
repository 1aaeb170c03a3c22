"""The operators' streams of all workers as one.

1. Every worker is followed over its Unix socket, this one included, so that all are alike. Each event is passed on with the name
   of its worker in it.
2. A ``worker`` event says that one answers, and which process it is, or that it does not. After one that says it answers
   comes its whole tree: whoever reads forgets what it knew of that worker before.
3. One that goes, or says nothing for a while, is asked again until it, or its successor, answers.
4. The stream ends when this worker drains, which serves it, or when some worker says that the operator is none any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import httpx
import trio

from greenroom.workers.colleagues import Colleagues
from greenroom.workers.event_source import Event, SourceLost, read_events

SILENCE_S: Final = 5.0
"""A worker writes every second; one that does not for so long is wedged, or frozen."""

AGAIN_S: Final = 1.0

PENDING_MAX: Final = 16
"""Events that wait for a slow reader; when there are so many, workers are read no further, and write less."""


class Everybody:
    """Follows all workers for one operator.

    Args:
        stream: path and query of the stream of one worker.
        about: path by which a worker tells about itself.
        headers: what every request carries, the operator's credentials among it.
    """

    def __init__(self, colleagues: Colleagues, *, stream: str, about: str, headers: Mapping[str, str]) -> None:
        self._colleagues = colleagues
        self._stream = stream
        self._about = about
        self._headers = dict(headers)
        self._send, self._receive = trio.open_memory_channel[bytes](PENDING_MAX)

    async def run(self) -> None:
        """Follow them until the stream is to end; to be cancelled when nobody reads any more."""
        async with self._send, trio.open_nursery() as nursery:
            for name in self._colleagues.names:
                nursery.start_soon(self._follow, name, nursery.cancel_scope)

    async def receive(self) -> bytes | None:
        """Wait for what to write next; None once the stream has ended."""
        try:
            return await self._receive.receive()
        except trio.EndOfChannel:
            return None

    async def _follow(self, name: str, everybody: trio.CancelScope) -> None:
        take = partial(self._take, name, everybody)
        is_known_to_be_gone = False
        while True:
            try:
                about = await self._ask_about(name)
                is_known_to_be_gone = False
                await self._tell(name, answers=True, **about)
                path = self._colleagues.path_of(name)
                await read_events(path, self._stream, headers=self._headers, take=take, silence_s=SILENCE_S)
            except (httpx.HTTPError, SourceLost):
                pass  # told below, and asked again
            if not is_known_to_be_gone:
                is_known_to_be_gone = True
                await self._tell(name, answers=False)
            await trio.sleep(AGAIN_S)

    async def _take(self, name: str, everybody: trio.CancelScope, event: Event) -> None:
        if event.name != "closing":
            await self._send.send(event.of_worker(name))
        elif name == self._colleagues.name or not json.loads(event.data)["reconnect"]:
            await self._send.send(event.of_worker(name))
            everybody.cancel()

    async def _tell(self, name: str, **facts: Any) -> None:
        await self._send.send(Event("worker", json.dumps(facts, separators=(",", ":"))).of_worker(name))

    async def _ask_about(self, name: str) -> dict[str, Any]:
        answer = await self._colleagues.client(name).get(self._about, headers=self._headers)
        [worker] = answer.raise_for_status().json()["workers"]
        return {fact: worker[fact] for fact in ("pid", "started_at")}
