"""How workers of one machine reach each other: each also serves its application on a Unix socket in their common folder.

The folder is the parent's and nobody else's may enter it. A request that comes by such a socket is authorised like any other.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import trio

from greenroom.http.serving import Limits
from greenroom.http.serving.listening import Listener

ANSWER_TIMEOUT_S: Final = 2.0
"""For all together. One that is wedged is left out, and seen to be."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker answered."""

    status: int
    content_type: str
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

    @property
    def socket_path(self) -> Path:
        """Where this worker listens. A successor takes the place over before its predecessor has drained."""
        return self._path(self.name)

    def client(self, name: str, *, timeout: httpx.Timeout) -> httpx.AsyncClient:
        """Make a client to one of them."""
        transport = httpx.AsyncHTTPTransport(uds=str(self._path(name)))
        return httpx.AsyncClient(transport=transport, base_url="http://worker", timeout=timeout)

    async def ask_all(self, path: str, *, headers: Mapping[str, str]) -> dict[str, Answer | None]:
        """Ask everybody the same, at once; None for whoever does not answer in time."""
        answers: dict[str, Answer | None] = dict.fromkeys(self.names)

        async def ask(name: str) -> None:
            try:
                async with self.client(name, timeout=httpx.Timeout(ANSWER_TIMEOUT_S)) as client:
                    answer = await client.get(path, headers=dict(headers))
            except httpx.HTTPError:
                return
            answers[name] = Answer(answer.status_code, answer.headers.get("content-type", ""), answer.content)

        with trio.move_on_after(ANSWER_TIMEOUT_S):
            async with trio.open_nursery() as nursery:
                for name in self.names:
                    nursery.start_soon(ask, name)
        return answers

    def _path(self, name: str) -> Path:
        return self._run_dir / f"{name}.sock"
