"""One request and its answer, as ASGI sees them.

The application runs in the connection's own task: nothing is started for a request, and no queue stands between the
socket and the application. It reads the body from the socket when it asks for it, so TCP pushes back by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog
import trio
from hypercorn.typing import ASGIReceiveEvent, ASGISendEvent

from greenroom.http.serving.asgi_scope import common_scope
from greenroom.http.serving.request_body import RequestBody
from greenroom.http.serving.request_head import Malformed, RequestHead
from greenroom.http.serving.response_head import CONTINUE, ResponseHead, render_head
from greenroom.http.serving.statistics import Fault

if TYPE_CHECKING:
    from greenroom.http.serving.connection import Connection

PIECE_BYTES: Final = 64 * 1024
"""At most about as much of a body is handed to the application at once."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_log = structlog.get_logger(__name__)


class Exchange:
    """Runs the application for one request. Make it, then await :meth:`run` once.

    Attributes:
        keeps_alive: once it has run: whether another request may follow.
    """

    __slots__ = (
        "_body", "_connection", "_ended", "_head", "_is_complete", "_left", "_refused_as", "_response", "_scope",
        "_share", "_start", "keeps_alive",
    )  # fmt: skip

    def __init__(self, connection: Connection, head: RequestHead) -> None:
        self._connection = connection
        self._head = head
        self._body = RequestBody(head)
        self._scope = trio.CancelScope()
        self._start: Any = None
        self._response: ResponseHead | None = None
        self._left: int | None = None  # bytes that the application still owes
        self._is_complete = False  # the answer
        self._share = connection.shared.bodies.share()  # for what of the body the application was given
        self._ended: trio.Event | None = None
        self._refused_as: int | None = None
        self.keeps_alive = False

    async def run(self) -> None:
        counters = self._connection.shared.counters
        with self._scope:
            try:
                await self._connection.shared.app(self._asgi_scope(), self.receive, self.send)
            except Exception:
                # The outermost edge of a request. The application answers its own errors; one that gets here is a
                # bug in that, and may cost this connection only.
                counters.count(Fault.APP_CRASHED)
                _log.exception("application_crashed", method=self._head.method)
            finally:
                self._share.give_back()
        if self._refused_as is not None and self._response is None:
            counters.count(Fault.MALFORMED)
            await self._connection.refuse(self._refused_as, self._head.method)
        elif self._response is not None and self._is_complete:
            self.keeps_alive = self._response.keeps_alive and self._body.is_complete
        elif self._response is None and not self._scope.cancelled_caught:
            await self._connection.refuse(500, self._head.method)
        else:
            # Half an answer must not look like a whole one.
            self._connection.cut()

    def client_left(self) -> None:
        """End what nobody waits for: a request that only reads at once, one that may change something within a bound.

        A client that repeats a change must find a settled outcome.
        """
        if self._head.method in _SAFE_METHODS:
            self._scope.cancel()
        else:
            self._scope.deadline = trio.current_time() + self._connection.shared.limits.abandoned_s

    def cancel(self) -> None:
        self._scope.cancel()

    # What the application calls.

    async def receive(self) -> ASGIReceiveEvent:
        if self._body.is_complete and self._ended is not None:
            await self._ended.wait()
            return {"type": "http.disconnect"}
        try:
            body = await self._next_piece()
        except Malformed as exc:
            self._refused_as = exc.status
            await self._give_up()
            raise
        if self._body.is_complete:
            self._ended = trio.Event()
            if self._is_complete:
                self._ended.set()
        return {"type": "http.request", "body": body, "more_body": not self._body.is_complete}

    async def send(self, message: ASGISendEvent) -> None:
        match message["type"]:
            case "http.response.start" if self._start is None:
                self._start = message
            case "http.response.body" if self._start is not None and not self._is_complete:
                more = message.get("more_body", False)
                data = self._frame(bytes(message.get("body", b"")), is_last=not more)
                if data:
                    await self._connection.write(data)
                if more:
                    # The last write is followed by waiting for a request; any other one takes its turn here.
                    await trio.lowlevel.checkpoint()
                elif self._ended is not None:
                    self._ended.set()
            case unexpected:
                raise RuntimeError(f"{unexpected} is not to be sent now")

    async def _next_piece(self) -> bytes:
        connection = self._connection
        pieces: list[bytes] = []
        size = 0
        while True:
            piece, connection.unread = self._body.take(connection.unread)
            pieces.append(piece)
            size += len(piece)
            self._share.take(len(piece))
            if self._body.is_complete or size >= PIECE_BYTES or (size and not piece):
                return b"".join(pieces)
            if piece:
                continue
            if self._head.expects_continue and self._start is None and not connection.unread:
                await connection.write(CONTINUE)
                self._head = self._head._replace(expects_continue=False)
            received = await connection.receive(before=self._share.wait)
            if received:
                connection.unread += received
            else:
                await self._give_up()  # the client left amid its body

    async def _give_up(self) -> None:
        self._scope.cancel()
        await trio.lowlevel.checkpoint()

    def _frame(self, body: bytes, *, is_last: bool) -> bytes:
        data = b""
        if self._response is None:
            self._response = self._render(len(body) if is_last else None)
            self._left = self._response.content_length if self._response.has_body else None
            data = self._response.data
        self._is_complete = is_last
        if not self._response.has_body:
            return data
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (is_last and self._left):
                self._is_complete = False
                if data:
                    self._response = None  # nothing was sent: there is still time for a 500
                raise RuntimeError("the body is not as long as its Content-Length says")
        if not self._response.is_chunked:
            return data + body if data else body
        if body:
            data += b"%x\r\n%b\r\n" % (len(body), body)
        return data + b"0\r\n\r\n" if is_last else data

    def _render(self, whole_body_bytes: int | None) -> ResponseHead:
        connection = self._connection
        if not self._body.is_complete:
            self._skip_received_body()
        return render_head(
            int(self._start["status"]),
            self._start.get("headers", ()),
            date=connection.shared.date(),
            method=self._head.method,
            version=self._head.version,
            # Without the rest of the body it is not known where the next request would begin.
            keeps_alive=self._head.keeps_alive and self._body.is_complete and connection.may_go_on,
            whole_body_bytes=whole_body_bytes,
        )

    def _skip_received_body(self) -> None:
        piece = b"more"
        while piece:
            try:
                piece, self._connection.unread = self._body.take(self._connection.unread)
            except Malformed:
                return

    def _asgi_scope(self) -> Any:
        scope = common_scope(self._connection, self._head)
        scope["type"] = "http"
        scope["method"] = self._head.method
        return scope
