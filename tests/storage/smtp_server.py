"""A mail server on loopback, of as much of RFC 5321 as a client needs, and with as many bad manners as a test wants."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import trio


@dataclass
class SmtpServerForTests:
    """
    Attributes:
        replies: what to answer to a verb instead of the usual; an empty one is silence.
        tls: with it STARTTLS is offered; ``is_encrypted``: it is spoken from the first byte on.
        in_the_clear: what clients said before it was spoken.
        mails: what was accepted: recipient and text.
    """

    port: int = 0
    replies: dict[str, str] = field(default_factory=dict)
    mails: list[tuple[str, str]] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    connections: int = 0
    tls: ssl.SSLContext | None = None
    is_encrypted: bool = False
    in_the_clear: list[str] = field(default_factory=list)
    closed: trio.Event = field(default_factory=trio.Event)

    async def serve(self, connection: trio.SocketStream) -> None:
        self.connections += 1
        stream: trio.abc.Stream = connection
        if self.is_encrypted and self.tls:
            stream = trio.SSLStream(stream, self.tls, server_side=True, https_compatible=True)
        lines = _Lines(stream)
        recipient = ""
        try:
            await self._answer(stream, "", "220 here")
            while (line := await lines.next()) is not None:
                verb = line[:4].upper()
                self.verbs.append(line)
                is_clear = not isinstance(stream, trio.SSLStream)
                if is_clear:
                    self.in_the_clear.append(line)
                match verb:
                    case "EHLO":
                        offered = "250-STARTTLS\r\n" if self.tls and is_clear else ""
                        await self._answer(stream, verb, f"250-here\r\n{offered}250 AUTH PLAIN")
                    case "STAR" if self.tls:
                        await self._answer(stream, verb, "220 go on")
                        stream = trio.SSLStream(stream, self.tls, server_side=True, https_compatible=True)
                        lines = _Lines(stream)
                    case "AUTH":
                        await self._answer(stream, verb, "235 welcome")
                    case "RCPT":
                        recipient = line.partition("<")[2].rstrip(">")
                        await self._answer(stream, verb, "250 yes")
                    case "DATA":
                        await self._answer(stream, verb, "354 go on")
                        text = []
                        while (part := await lines.next()) is not None and part != ".":
                            text.append(part)
                        if not self.replies.get("BODY"):  # one that is taken in silence is taken
                            self.mails.append((recipient, "\n".join(text)))
                        await self._answer(stream, "BODY", "250 taken")
                    case "QUIT":
                        await self._answer(stream, verb, "221 bye")
                        return
                    case _:
                        await self._answer(stream, verb, "250 fine")
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self.closed.set()
            await stream.aclose()

    async def _answer(self, stream: trio.abc.Stream, verb: str, usual: str) -> None:
        answer = self.replies.get(verb, usual)
        if answer:
            await stream.send_all(f"{answer}\r\n".encode())


class _Lines:
    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._buffer = b""

    async def next(self) -> str | None:
        while b"\r\n" not in self._buffer:
            received = bytes(await self._stream.receive_some())
            if not received:
                return None
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode()


@asynccontextmanager
async def smtp_server(
    *, tls: ssl.SSLContext | None = None, is_encrypted: bool = False, **replies: str
) -> AsyncIterator[SmtpServerForTests]:
    server = SmtpServerForTests(
        replies={"" if verb == "GREETING" else verb: text for verb, text in replies.items()},
        tls=tls,
        is_encrypted=is_encrypted,
    )
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1"))
        server.port = listeners[0].socket.getsockname()[1]
        yield server
        nursery.cancel_scope.cancel()
