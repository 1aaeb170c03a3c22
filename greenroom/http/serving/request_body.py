"""A request's body, taken piece by piece from what the connection received.

Chunk extensions are refused and trailers are dropped (RFC 9112, 7.1.1 and 7.1.2 allow both): nobody needs them here,
and they are where parsers came to disagree.
"""

from __future__ import annotations

import re
from typing import Final

from greenroom.http.serving.request_head import HEAD_END, Malformed, RequestHead, check_beginning

TRAILER_BYTES_MAX: Final = 4 * 1024

_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
_SIZE_LINE_BYTES_MAX: Final = 17


class RequestBody:
    """Says what of the received bytes is the body, and when it ended.

    Attributes:
        is_complete: whether it was taken to its end.
    """

    __slots__ = ("_is_chunked", "_left", "_needs_break", "_trails", "is_complete")

    def __init__(self, head: RequestHead) -> None:
        self._is_chunked = head.is_chunked
        self._left = head.content_length  # of the body, or of the chunk
        self._needs_break = False  # the CRLF behind a chunk has not come yet
        self._trails = False  # the last chunk has come, what follows it has not
        self.is_complete = not head.has_body

    def take(self, received: bytes) -> tuple[bytes, bytes]:
        """Take what is there.

        Returns:
            A piece of the body, empty if more has to be received first, and what of ``received`` was not taken: the
            beginning of something, or bytes behind the body's end. At most one chunk is taken, so call it again while
            it yields.

        Raises:
            Malformed: this is no chunked body.
        """
        if self._is_chunked:
            received = self._take_framing(received)
        if not self._left:
            return b"", received
        piece, rest = received[: self._left], received[self._left :]
        self._left -= len(piece)
        if not self._left:
            self._needs_break = self._is_chunked
            self.is_complete = not self._is_chunked
            if self._is_chunked:
                rest = self._take_framing(rest)
        return piece, rest

    def _take_framing(self, received: bytes) -> bytes:
        """Take what is not body up to the next chunk's first byte, as far as it has come."""
        if self._left or self.is_complete:
            return received
        if self._needs_break:
            if not b"\r\n".startswith(received[:2]):
                raise Malformed(400, "a chunk is longer than it said")
            if len(received) < 2:
                return received
            received, self._needs_break = received[2:], False
        if not self._trails:
            size_line = _SIZE_LINE.match(received)
            if size_line is None:
                if (
                    b"\n" in received
                    or len(received) >= _SIZE_LINE_BYTES_MAX
                    or received.strip(b"0123456789abcdefABCDEF\r")
                ):
                    raise Malformed(400, "bad chunk size")
                return received
            received, self._left = received[size_line.end() :], int(size_line[1], 16)
            self._trails = self._left == 0
        return self._take_trailers(received) if self._trails else received

    def _take_trailers(self, received: bytes) -> bytes:
        if received.startswith(b"\r\n"):
            self.is_complete = True
            return received[2:]
        end = received.find(HEAD_END)
        check_beginning(received if end < 0 else received[: end + 4], TRAILER_BYTES_MAX)
        if end < 0:
            return received
        self.is_complete = True
        return received[end + 4 :]
