"""How workers of one machine reach each other: each also serves its application on a Unix socket in their common folder.

The folder is the parent's and nobody else's may enter it. A request that comes by such a socket is authorised like any other.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import trio

from greenroom.http.serving import Limits
from greenroom.http.serving.listening import Listener

ANSWER_TIMEOUT_S: Final = 2.0
"""For all together. One that is wedged is left out, and seen to be."""


CONNECTIONS_EACH_MAX: Final = 32
"""To each of them: operators' streams, most of all. Half of what each lets colleagues open."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker answered."""

    status: int
    body: bytes


class LocalListener(Listener):
    """A listening Unix socket. Whoever connects is on this machine, and may enter the folder."""

    is_local = True

    def __init__(self, path: Path, *, limits: Limits) -> None:
        path.unlink(missing_ok=True)  # of a predecessor
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.bind(str(path))
            super().__init__(sock, limits=limits)
        except OSError:
            sock.close()
            raise

    @property
    def address(self) -> str:
        return str(self.socket.getsockname())

    def accept_nowait(self) -> tuple[socket.socket, tuple[str, int]] | None:
        accepted = super().accept_nowait()
        return None if accepted is None else (accepted[0], ("127.0.0.1", 0))

    def refuse_handshakes(self) -> None:
        """Nothing: there are none."""


class Colleagues:
    """The workers of this machine, this one included.

    Args:
        name: this worker's.
        size: how many there are; they are named from ``1``.
    """

    def __init__(self, run_dir: Path, *, name: str, size: int) -> None:
        self.name = name
        self.names: Sequence[str] = tuple(str(number) for number in range(1, size + 1))
        self._run_dir = run_dir
        self._clients: dict[str, httpx.AsyncClient] = {}

    @property
    def socket_path(self) -> Path:
        """Where this worker listens. A successor takes the place over before its predecessor has drained."""
        return self.path_of(self.name)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Be able to ask them, for the length of the block."""
        async with AsyncExitStack() as stack:
            for name in self.names:
                self._clients[name] = await stack.enter_async_context(self._make_client(name))
            try:
                yield
            finally:
                self._clients.clear()

    def client(self, name: str) -> httpx.AsyncClient:
        """The client to one of them, or to this one itself.

        Raises:
            KeyError: there is no such worker, or this is not :meth:`connected`.
        """
        return self._clients[name]

    async def ask_others(self, path: str, *, headers: Mapping[str, str]) -> dict[str, Answer | None]:
        """Ask all others the same, at once; None for whoever does not answer in time, and for this one."""
        answers: dict[str, Answer | None] = dict.fromkeys(self.names)

        async def ask(name: str) -> None:
            try:
                answer = await self._clients[name].get(path, headers=dict(headers))
            except httpx.HTTPError:
                return
            answers[name] = Answer(answer.status_code, answer.content)

        with trio.move_on_after(ANSWER_TIMEOUT_S):
            async with trio.open_nursery() as nursery:
                for name in self._clients.keys() - {self.name}:
                    nursery.start_soon(ask, name)
        return answers

    def _make_client(self, name: str) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(
            uds=str(self.path_of(name)),
            verify=False,  # there is no TLS on a Unix socket, and loading certificates for it takes 50 ms
            # A connection for each request: one that is kept may be a predecessor's, who is about to close it.
            limits=httpx.Limits(max_connections=CONNECTIONS_EACH_MAX, max_keepalive_connections=0),
        )
        return httpx.AsyncClient(
            transport=transport, base_url="http://worker", timeout=httpx.Timeout(ANSWER_TIMEOUT_S), trust_env=False
        )

    def path_of(self, name: str) -> Path:
        """Where a worker listens."""
        return self._run_dir / f"{name}.sock"
