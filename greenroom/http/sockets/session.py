"""One open WebSocket: commands in, replies and events out.

Rules:

1. One task reads frames and starts a task for each command, and goes on once that is within its limits and waits for
   something else: so messages reach a conversation's actor in the order they were sent in, and none waits for the reply of
   the one before. A limit may have to be asked of another machine, and tasks that wait for the same answer go on in any order.
   Commands about one message, which first look for where it is, go one after the other.
2. At most IN_FLIGHT_MAX commands are under way; then nothing is read, and TCP pushes back.
3. Events and replies are sent as they come, each a frame; the server writes those of a wake-up together. A client that
   takes nothing is cut by the server's write deadline; one that falls behind is a slow consumer as on any stream.
4. The stream decides when it is over, and why; that becomes the close code. What was begun by then is finished first, so
   that a client comes back to something settled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import structlog
import trio
from pydantic import BaseModel

from greenroom.actors.core import Core
from greenroom.actors.identity import Identity
from greenroom.actors.stream_connection import HEARTBEAT_S, StreamConnection
from greenroom.http.faults import HttpFault
from greenroom.http.sockets.closing import CLOSE_CODES, CloseCode
from greenroom.http.sockets.commands import carry_out
from greenroom.http.sockets.frames import event_frame, parse_command, ref_of, refusal_frame, reply_frame
from greenroom.http.sockets.pace import Pace
from greenroom.http.sockets.turns import Turns
from greenroom.schema.errors import DomainError, RateLimited
from greenroom.schema.events import Closing
from greenroom.schema.rate_limits import Policy
from greenroom.schema.socket_frames import (
    AnyCommand,
    Ref,
    SocketAck,
    SocketDelete,
    SocketEdit,
    SocketReact,
    SocketSend,
    SocketTyping,
)
from greenroom.supervisor import origin

IN_FLIGHT_MAX: Final = 64
"""Commands of one socket under way at once: enough to fill a commit, few enough that a socket can't fill a mailbox."""

COMMANDS_PER_S: Final = 300.0
COMMANDS_BURST: Final = 600
"""A person types a few a minute; a program that mirrors a conversation may have a backlog."""

COMMANDS: Final = Policy("commands", COMMANDS_BURST, round(COMMANDS_BURST / COMMANDS_PER_S))

UNREADABLE_MAX: Final = 20
"""Frames that are no commands, after which a client is taken to speak something else."""

ACK_TIMEOUT_S: Final = 3 * HEARTBEAT_S
"""A client that acknowledges has missed three heartbeats by then: its socket is open, but nobody is behind it."""

SETTLE_S: Final = 5.0
"""For commands under way when the socket is about to end; then their outcome is for the client to ask."""

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]

_log = structlog.get_logger(__name__)


class SocketSession:
    """Serves an accepted WebSocket until either side ends it."""

    def __init__(
        self, core: Core, identity: Identity, stream: StreamConnection, *, receive: Receive, send: Send, name: str
    ) -> None:
        """
        Args:
            name: names this connection in logs and problems.
        """
        self._core = core
        self._identity = identity
        self._admitted = replace(identity, is_unlimited=True)  # what was counted here is not counted once more
        self._stream = stream
        self._receive = receive
        self._send = send
        self._name = name
        self._under_way = 0
        self._room = trio.lowlevel.ParkingLot()
        self._pace = Pace(per_s=COMMANDS_PER_S, burst=COMMANDS_BURST)
        self._turns = Turns()  # by message
        self._begun = trio.lowlevel.ParkingLot()
        self._listening = trio.CancelScope()  # for commands; its deadline is that of the next acknowledgement
        self._following = trio.CancelScope()  # the stream
        self._code: CloseCode | None = None
        self._unreadable = 0

    async def run(self) -> CloseCode | None:
        """Serve; return why it is to be closed, None if the client has left.

        What was begun by then is finished, or given up after SETTLE_S.
        """
        async with trio.open_nursery() as nursery:
            self._commands = nursery
            nursery.start_soon(self._write_events)
            with self._listening:
                self._code = await self._read_commands()
            if self._listening.cancelled_caught and self._code is None:
                self._code = CloseCode.SLOW_CONSUMER  # by its deadline: nothing was acknowledged
            self._following.cancel()
            nursery.cancel_scope.deadline = trio.current_time() + SETTLE_S
        return self._code

    async def _write_events(self) -> None:
        with self._following:
            while frames := await self._stream.receive():
                for frame in frames:
                    await self._write(event_frame(frame))
                if frames[-1].event == "closing":
                    self._code = CLOSE_CODES[Closing.model_validate_json(frames[-1].data).reason]
            self._listening.cancel()

    async def _read_commands(self) -> CloseCode | None:
        while True:
            while self._under_way == IN_FLIGHT_MAX:
                await self._room.park()
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return None
            text = message["text"]
            if text is None:
                return CloseCode.UNSUPPORTED
            self._under_way += 1
            self._commands.start_soon(self._handle, text)
            await self._begun.park()
            if self._unreadable > UNREADABLE_MAX:
                return CloseCode.POLICY

    async def _handle(self, text: str) -> None:
        try:
            with origin(self._name):
                reply = await self._reply_to(text)
            await self._write(reply)
        finally:
            self._under_way -= 1
            self._room.unpark()

    async def _reply_to(self, text: str) -> str:
        ref: Ref | None = None
        try:
            try:
                command = await self._admit(text)
            finally:
                # Wakes the reader, which gets its turn at this task's next wait and not before: the order of rule 1.
                self._begun.unpark()
            ref = command.ref
            return reply_frame(ref, await self._carry_out(command))
        except (DomainError, HttpFault) as error:
            return refusal_frame(ref_of(text) if ref is None else ref, error, self._name)
        except Exception as error:
            # The outermost edge of a command, as of a request: a bug costs its own reply and is logged.
            _log.exception("command_crashed", request_id=self._name)
            return refusal_frame(ref, error, self._name)

    async def _carry_out(self, command: AnyCommand) -> BaseModel | None:
        if not isinstance(command, SocketEdit | SocketDelete | SocketReact):
            return await carry_out(command, self._admitted, self._core.messaging)
        async with self._turns.of(command.message_id):
            return await carry_out(command, self._admitted, self._core.messaging)

    async def _admit(self, text: str) -> AnyCommand:
        """Read a command and take what it counts for: changes of messages are requests, as they are over HTTP.

        Raises:
            RateLimited
            MalformedBody, InvalidInput: it is none.
        """
        if (wait_s := self._pace.take()) > 0:
            detail = "That is more commands than one connection may send."
            raise RateLimited(detail, policy=COMMANDS, retry_after_s=wait_s)
        command, limiting = self._parse(text), self._core.limiting
        match command:
            case SocketSend():
                await limiting.send(self._identity)
            case SocketTyping(is_typing=True):
                await limiting.typing(self._identity)
            case SocketEdit() | SocketDelete() | SocketReact():
                await limiting.request(self._identity)
        return command

    def _parse(self, text: str) -> AnyCommand:
        try:
            command = parse_command(text)
        except (DomainError, HttpFault):
            self._unreadable += 1
            raise
        if isinstance(command, SocketAck):
            self._listening.deadline = trio.current_time() + ACK_TIMEOUT_S
        return command

    async def _write(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})
