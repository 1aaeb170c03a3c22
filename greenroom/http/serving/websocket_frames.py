"""Between bytes and messages: a client's frames, checked as they come and put together within a bound; and ours.

wsproto says what the bytes mean. It hands out a frame's payload piece by piece as it arrives, so nothing waits in it but
a frame's head, a control frame (125 bytes) and part of a character.

Source: RFC 6455, 5.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple, assert_never

from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed

RENDERER: Final = FrameProtocol(client=False, extensions=[])
"""Renders what is rare; whole frames leave nothing behind in it, so one serves all."""


def text_frame(text: str) -> bytes:
    """Render a message. (wsproto copies it four times on the way, and this is done for every event and reply.)"""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    return struct.pack("!BBH" if size < 65536 else "!BBQ", 0x81, 126 if size < 65536 else 127, size) + payload


class Pinged(NamedTuple):
    """To be answered with a pong of the same payload."""

    payload: bytes


class Ended(NamedTuple):
    """The client's Close frame; ``code`` is 1005 if it named none."""

    code: int
    reason: str


class Broken(NamedTuple):
    """The client broke the protocol; ``code`` says how. Nothing it sends from here on means anything."""

    code: int


Arrival = str | bytes | Pinged | Ended | Broken
"""A whole message is its text or its bytes."""


class FrameReader:
    """Reads one client's frames.

    Args:
        message_bytes_max: of one message, however many fragments it comes in; inclusive.
    """

    __slots__ = ("_bytes", "_bytes_max", "_has_ended", "_pieces", "_protocol")

    def __init__(self, message_bytes_max: int) -> None:
        self._protocol = FrameProtocol(client=False, extensions=[])
        self._bytes_max = message_bytes_max
        self._pieces: list[str | bytes] = []
        self._bytes = 0
        self._has_ended = False

    def feed(self, received: bytes) -> list[Arrival]:
        """Take bytes and return what they complete. After an :class:`Ended` or a :class:`Broken` there is nothing."""
        arrivals: list[Arrival] = []
        if self._has_ended:
            return arrivals
        self._protocol.receive_bytes(received)
        try:
            for frame in self._protocol.received_frames():
                arrival = self._take(frame)
                if arrival is not None:
                    arrivals.append(arrival)
                if isinstance(arrival, Ended | Broken):
                    self._has_ended = True
                    break
        except ParseFailed as exc:
            arrivals.append(Broken(int(exc.code)))
            self._has_ended = True
        return arrivals

    def _take(self, frame: Frame) -> Arrival | None:
        match frame.payload:
            case (code, reason):  # of a Close frame
                return Ended(int(code), str(reason))
            case bytes(payload) if frame.opcode is Opcode.PING:
                return Pinged(payload)
            case bytes() if frame.opcode is Opcode.PONG:
                return None
            case str(piece) | bytes(piece):  # continuations come with their message's own opcode
                return self._put_together(piece, is_last=frame.message_finished)
            case _:
                assert_never(frame.payload)

    def _put_together(self, piece: str | bytes, *, is_last: bool) -> Arrival | None:
        # The common message is ASCII: then its length in bytes is known without encoding it again.
        self._bytes += len(piece) if isinstance(piece, bytes) or piece.isascii() else len(piece.encode())
        if self._bytes > self._bytes_max:
            self._pieces.clear()
            return Broken(int(CloseReason.MESSAGE_TOO_BIG))
        if is_last and not self._pieces:
            self._bytes = 0
            return piece
        if piece or not self._pieces:  # empty fragments are legal, and must not pile up
            self._pieces.append(piece)
        if not is_last:
            return None
        pieces, self._pieces, self._bytes = self._pieces, [], 0
        return b"".join(pieces) if isinstance(piece, bytes) else "".join(pieces)  # type: ignore[arg-type]
