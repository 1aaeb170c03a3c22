"""One WebSocket and its application, as ASGI sees them.

Rules:

1. The application runs in the connection's own task and reads from the socket when it asks for a message: no queue
   stands between the two, and a client that sends more than is asked for is held back by TCP.
2. What is sent is gathered, and a task of its own writes all there is at once: replies and events that come about in the
   same wake-up cost one write together. Beyond PENDING_BYTES_MAX a sender waits.
3. A client that was silent for ``ping_s`` is pinged, and given up ``pong_s`` later if nothing came from it: any byte
   will do. It is looked for only while the application wants a message; else the application's own deadlines hold.
4. Who closes first, and with what, decides the code; what breaks the protocol is answered with its code, and not read on
   from there. What came before is answered before our Close frame, which comes when the application has ended.
5. Once a client has closed or is gone, the application may go on for ``abandoned_s``, so that a change is settled when
   the client comes back to ask. The end of the connection is then bounded by ``close_s``.

Source: RFC 6455, 5.4 to 5.6 and 7.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, assert_never, cast

import structlog
import trio
from wsproto.frame_protocol import CloseReason

from greenroom.http.serving.asgi_scope import common_scope
from greenroom.http.serving.request_head import Malformed, RequestHead
from greenroom.http.serving.response_head import render_head
from greenroom.http.serving.statistics import Fault
from greenroom.http.serving.websocket_frames import RENDERER, Broken, Ended, FrameReader, Pinged, text_frame
from greenroom.http.serving.websocket_handshake import VERSIONS, accept_token, render_switch

if TYPE_CHECKING:
    from greenroom.http.serving.connection import Connection

MESSAGE_BYTES_MAX: Final = 64 * 1024
"""Of one message of a client. The largest that means anything is a text of 5,000 characters, escaped: 30 KiB."""

PENDING_BYTES_MAX: Final = 64 * 1024
"""What may wait for the write that is under way. Together with it and the kernel's buffer, a client that does not read
occupies 200 KiB."""

Message = Mapping[str, Any]
"""One of ASGI's."""

_log = structlog.get_logger(__name__)


class _State(Enum):
    ASKED = auto()  # the client waits for our answer
    OPEN = auto()
    REFUSED = auto()  # answered otherwise than with 101
    CLOSING = auto()  # our Close frame is sent, or about to be
    GONE = auto()  # nothing can be written any more


class WebSocket:
    """Runs the application for one request to go on with WebSocket. Make it, then await :meth:`run` once.

    Attributes:
        keeps_alive: False: nothing follows on this connection.
    """

    __slots__ = (
        "_arrived", "_close_seen", "_connection", "_disconnect", "_give_up_at", "_goodbye", "_has_work", "_head",
        "_is_announced", "_is_pinged", "_is_writing", "_pending", "_pending_bytes", "_reader", "_refusal", "_scope",
        "_settled", "_state", "_token",
    )  # fmt: skip

    keeps_alive = False

    def __init__(self, connection: Connection, head: RequestHead) -> None:
        self._connection = connection
        self._head = head
        self._token = b""
        self._state = _State.ASKED
        self._scope = trio.CancelScope()
        self._reader = FrameReader(MESSAGE_BYTES_MAX)
        self._is_announced = False  # the application was told of the connection
        self._arrived: deque[str | bytes] = deque()  # at most what one read brings
        self._disconnect: Message | None = None  # nothing will be read after ``_arrived``, and why
        self._close_seen = False
        self._goodbye: int | None = None  # the code that the client's end demands of our Close frame
        self._is_pinged = False
        self._give_up_at = 0.0  # when the client is pinged, or given up
        self._pending: list[bytes | bytearray] = []
        self._pending_bytes = 0
        self._is_writing = False
        self._has_work = trio.lowlevel.ParkingLot()
        self._settled = trio.lowlevel.ParkingLot()  # something was written
        self._refusal: Message | None = None

    async def run(self) -> None:
        try:
            self._token = accept_token(self._head)
        except Malformed as exc:
            self._connection.shared.counters.count(Fault.MALFORMED)
            await self._connection.refuse(exc.status, "GET", VERSIONS if exc.status == 426 else ())
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write_pending)
            code = await self._run_application()
            await self._end(code)
            nursery.cancel_scope.cancel()

    def client_left(self) -> None:
        """The client sends no more; what it sent before is still to be read."""
        self._scope.deadline = min(
            self._scope.deadline, trio.current_time() + self._connection.shared.limits.abandoned_s
        )

    def cancel(self) -> None:
        """Nothing can be written any more."""
        self._state = _State.GONE
        self._forget_pending()
        self._note_disconnect(CloseReason.ABNORMAL_CLOSURE)
        self.client_left()
        self._connection.wake()

    # What the application calls.

    async def receive(self) -> Message:
        if not self._is_announced:
            self._is_announced = True
            return {"type": "websocket.connect"}
        while True:
            if self._arrived:
                message = self._arrived.popleft()
                if isinstance(message, str):
                    return {"type": "websocket.receive", "bytes": None, "text": message}
                return {"type": "websocket.receive", "bytes": message, "text": None}
            if self._disconnect is not None:
                await trio.lowlevel.checkpoint()
                return self._disconnect
            await self._read()

    async def send(self, message: Message) -> None:
        """Take a message to send. It waits only where too much is waiting, and does not always pass a checkpoint."""
        match self._state, message["type"]:
            case _State.OPEN, "websocket.send":
                text = message.get("text")
                await self._enqueue(RENDERER.send_data(message["bytes"]) if text is None else text_frame(text))
            case _State.OPEN, "websocket.close":
                self._close(message.get("code", CloseReason.NORMAL_CLOSURE), message.get("reason"))
            case _State.ASKED, "websocket.accept":
                await self._accept(message)
            case _State.ASKED, "websocket.close":
                await self._refuse(403)
            case _State.ASKED, "websocket.http.response.start" if self._refusal is None:
                self._refusal = message
            case _State.ASKED, "websocket.http.response.body" if self._refusal is not None:
                await self._answer(self._refusal, bytes(message.get("body", b"")))
            case ((_State.CLOSING | _State.GONE), ("websocket.send" | "websocket.close")):
                # An application that sends in a loop must come to where its cancellation reaches it.
                await trio.lowlevel.checkpoint()
            case _, unexpected:
                raise RuntimeError(f"{unexpected} is not to be sent now")

    # The application's life.

    async def _run_application(self) -> int:
        """Run it; return the code to close with if nobody has closed by then."""
        connection = self._connection
        with self._scope:
            try:
                await connection.shared.app(self._asgi_scope(), cast(Any, self.receive), cast(Any, self.send))
                return CloseReason.NORMAL_CLOSURE
            except Exception:
                # The outermost edge of a WebSocket, as of a request.
                connection.shared.counters.count(Fault.APP_CRASHED)
                _log.exception("application_crashed", method="websocket")
        return CloseReason.INTERNAL_ERROR

    async def _end(self, code: int) -> None:
        """Close if that is not done, and see the closing handshake through, within a bound."""
        match self._state:
            case _State.ASKED:
                await self._refuse(500)
                return
            case _State.REFUSED | _State.GONE:
                return
            case _State.OPEN:
                self._close(code)
            case _State.CLOSING:
                pass
            case _:
                assert_never(self._state)
        limits = self._connection.shared.limits
        deadline = trio.current_time() + limits.close_s
        with trio.move_on_at(deadline) as patience:
            while self._pending or self._is_writing:
                await self._settled.park()
        if patience.cancelled_caught:
            self._connection.cut()
            return
        left = limits.linger_bytes_max
        while not self._close_seen and left > 0 and self._state is _State.CLOSING:
            received = await self._connection.receive(deadline)
            if not received:
                return
            left -= len(received)
            self._close_seen = any(isinstance(arrival, Ended | Broken) for arrival in self._reader.feed(received))

    # The handshake.

    def _asgi_scope(self) -> Any:
        scope = common_scope(self._connection, self._head)
        scope["type"] = "websocket"
        scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
        scope["subprotocols"] = []
        scope["extensions"] = {"websocket.http.response": {}}
        return scope

    async def _accept(self, message: Message) -> None:
        shared = self._connection.shared
        switch = render_switch(self._token, message.get("headers", ()), date=shared.date())
        self._state = _State.OPEN
        self._give_up_at = trio.current_time() + shared.limits.ping_s
        await self._enqueue(switch)

    async def _refuse(self, status: int) -> None:
        self._state = _State.REFUSED
        await self._connection.refuse(status, "GET")

    async def _answer(self, start: Message, body: bytes) -> None:
        """Refuse in the application's own words; the body comes in one piece."""
        head = render_head(
            int(start["status"]),
            start.get("headers", ()),
            date=self._connection.shared.date(),
            method="GET",
            version="1.1",
            keeps_alive=False,
            whole_body_bytes=len(body),
        )
        self._state = _State.REFUSED
        await self._connection.write(head.data + body if head.has_body else head.data)

    # Reading.

    async def _read(self) -> None:
        """Wait for bytes and take them in; ping, or give up, when none come."""
        limits = self._connection.shared.limits
        received = await self._connection.receive(self._give_up_at)
        if received:
            self._is_pinged = False
            self._give_up_at = trio.current_time() + limits.ping_s
            self._take(received)
        elif received is not None:
            self._note_disconnect(CloseReason.ABNORMAL_CLOSURE)
        elif self._disconnect is not None:
            pass  # woken because there is nothing to wait for
        elif self._is_pinged:
            self._connection.shared.counters.count(Fault.SILENT)
            self._connection.cut()
            self.cancel()
        else:
            self._is_pinged = True
            self._give_up_at = trio.current_time() + limits.pong_s
            self._put(RENDERER.ping())

    def _take(self, received: bytes) -> None:
        ping: Pinged | None = None
        for arrival in self._reader.feed(received):
            match arrival:
                case str() | bytes():
                    self._arrived.append(arrival)
                case Pinged():
                    ping = (
                        arrival  # of several that came together only the last need be answered (RFC 6455, 5.5.3)
                    )
                case Ended(code, reason):
                    self._note_goodbye(code, reason)
                case Broken(code):
                    self._connection.shared.counters.count(Fault.MALFORMED)
                    self._note_goodbye(code)
                case _:
                    assert_never(arrival)
        if ping is not None:
            self._put(RENDERER.pong(ping.payload))

    def _note_goodbye(self, code: int, reason: str = "") -> None:
        """Nothing that means anything follows."""
        self._close_seen = True
        self._goodbye = code
        self._note_disconnect(code, reason)
        self.client_left()

    def _note_disconnect(self, code: int, reason: str = "") -> None:
        if self._disconnect is None:
            self._disconnect = {"type": "websocket.disconnect", "code": int(code), "reason": reason}

    # Writing.

    def _close(self, code: int, reason: str | None = None) -> None:
        if self._state is _State.OPEN:
            if self._goodbye is not None:
                code, reason = self._goodbye, None
            self._put(RENDERER.close(None if code == CloseReason.NO_STATUS_RCVD else code, reason))
            self._state = _State.CLOSING

    async def _enqueue(self, frame: bytes | bytearray) -> None:
        while self._pending_bytes > PENDING_BYTES_MAX and self._state is _State.OPEN:
            await self._settled.park()
        self._put(frame)

    def _put(self, frame: bytes | bytearray) -> None:
        """Have it written with what else there is; nothing goes out behind a Close frame."""
        if self._state is _State.OPEN:
            self._pending.append(frame)
            self._pending_bytes += len(frame)
            self._has_work.unpark()

    async def _write_pending(self) -> None:
        while True:
            while not self._pending:
                await self._has_work.park()
            data = b"".join(self._pending)
            self._forget_pending()
            self._is_writing = True
            try:
                await self._connection.write(data)
            finally:
                self._is_writing = False
            self._settled.unpark_all()

    def _forget_pending(self) -> None:
        self._pending.clear()
        self._pending_bytes = 0
