"""One connection to one Redis server, for commands or for messages; every wait is bounded.

A connection whose command was cancelled, timed out or failed on the way is closed: its answer may still come, and must
never be taken for the answer to another.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Final

import trio

from greenroom.storage.bus_wire import WireDown
from greenroom.storage.redis.resp import ErrorReply, Parser, ProtocolBroken, Reply, encode
from greenroom.storage.redis.url import Address, RedisUrl

CONNECT_TIMEOUT_S: Final = 0.25
"""For the connection, with TLS and authentication."""

ANSWER_TIMEOUT_S: Final = 0.25
"""For all answers to one batch of commands."""

READ_BYTES: Final = 64 * 1024


class RedisConnection:
    """See the module. Made by :meth:`open`."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._parser = Parser()
        self._replies: list[Reply] = []

    @classmethod
    async def open(cls, address: Address, url: RedisUrl) -> RedisConnection:
        """Connect and authenticate.

        Raises:
            WireDown: not within the time limit, or not accepted.
        """
        stream: trio.abc.Stream | None = None
        try:
            with trio.fail_after(CONNECT_TIMEOUT_S):
                stream = await _open_stream(address, url)
                connection = cls(stream)
                if url.password is not None:
                    await connection.call([_auth(url)])
                return connection
        except BaseException as exc:
            if stream is not None:
                await trio.aclose_forcefully(stream)
            if isinstance(exc, trio.TooSlowError):
                raise WireDown(f"{address} did not answer in time") from exc
            if isinstance(exc, OSError | trio.BrokenResourceError):
                raise WireDown(f"{address} can't be reached: {exc}") from exc
            raise

    async def call(self, commands: Sequence[Sequence[bytes]]) -> list[Reply]:
        """Send commands and return their replies, in order.

        Raises:
            WireDown: one was refused, or the answers did not come in time; the connection is closed then.
        """
        try:
            with trio.fail_after(ANSWER_TIMEOUT_S):
                await self.send(commands)
                while len(self._replies) < len(commands):
                    self._replies += await self._read()
        except trio.TooSlowError as exc:
            await self.aclose()
            raise WireDown("no answer in time") from exc
        except BaseException:
            await self.aclose()
            raise
        replies, self._replies = self._replies, []
        for reply in replies:
            if isinstance(reply, ErrorReply):
                await self.aclose()
                raise WireDown(f"refused: {reply.text[:200]}")
        return replies

    async def send(self, commands: Sequence[Sequence[bytes]]) -> None:
        """Send commands whose answers are read as messages; the caller bounds the wait.

        Raises:
            WireDown: the connection is lost.
        """
        try:
            await self._stream.send_all(encode(commands))
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            raise WireDown("the connection was lost") from exc

    async def receive(self) -> list[Reply]:
        """Wait for messages; at least one. Cancelling it loses none.

        Raises:
            WireDown: the connection is lost.
        """
        while not self._replies:
            self._replies = await self._read()
        replies, self._replies = self._replies, []
        return replies

    async def aclose(self) -> None:
        """Close at once; closing twice is fine."""
        # Shielded, as it is often a cancelled task that closes; it does not wait.
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(self._stream)

    async def _read(self) -> list[Reply]:
        try:
            data = await self._stream.receive_some(READ_BYTES)
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            raise WireDown("the connection was lost") from exc
        if not data:
            raise WireDown("the connection was closed by Redis")
        try:
            return self._parser.feed(bytes(data))
        except ProtocolBroken as exc:
            raise WireDown(f"not understood: {exc}") from exc


def _auth(url: RedisUrl) -> list[bytes]:
    words = [word for word in (url.username, url.password) if word is not None]
    return [b"AUTH", *(word.encode() for word in words)]


async def _open_stream(address: Address, url: RedisUrl) -> trio.abc.Stream:
    if address.port == 0:
        return await trio.open_unix_socket(address.host)
    stream = await trio.open_tcp_stream(address.host, address.port)
    if not url.is_tls:
        return stream
    # Without waiting for the peer's closing alert, which a frozen one never sends.
    secured = trio.SSLStream(
        stream, ssl.create_default_context(), server_hostname=address.host, https_compatible=True
    )
    try:
        await secured.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return secured
