"""A user's events: live, as a log, and the snapshot to start from."""

from __future__ import annotations

import json
from collections.abc import Sequence

from greenroom.actors.identity import Identity
from greenroom.actors.replay import CursorRefused
from greenroom.http import sockets, sse
from greenroom.http.call import Call
from greenroom.http.declaring import Operations
from greenroom.http.faults import UpgradeRequired
from greenroom.http.operations import Answer
from greenroom.http.response import Response, reply
from greenroom.http.routes.conversations import render_conversation
from greenroom.http.sse import encode_retry, event_stream
from greenroom.schema.answers import EventLogOut, EventOut, SyncOut, TicketOut
from greenroom.schema.event_kinds import EVENT_KINDS
from greenroom.schema.events import Closing, ClosingReason, Frame, Presence
from greenroom.schema.requests import OpenEvents, ReadEventLog
from greenroom.schema.socket_frames import COMMAND_KINDS
from greenroom.schema.wire import to_json

operations = Operations("Streams")


@operations.serve(
    "GET",
    "/api/v1/events",
    answers={
        200: Answer(
            None,
            sse.MEDIA_TYPE,
            "Server-sent events, until either side closes; each `data` is JSON of the event's model",
            events=EVENT_KINDS,
        )
    },
    opens_stream=True,
)
async def open_events(call: Call, identity: Identity, query: OpenEvents) -> Response:
    """Follow one's events as they happen (server-sent events).

    Durable events carry a cursor as id; coming back with the last one (Last-Event-ID, else last_event_id, else
    lastEventId) continues after it without loss or repetition. Without a cursor the stream starts at the tail. A cursor
    that can't be served is answered by a reset event.
    """
    if call.core.draining.has_begun:
        # An EventSource gives up for good after anything but 200, so it is sent elsewhere in its own language.
        return event_stream(encode_retry(call.core.streams.retry_ms()), _Once(_draining()).receive)
    cursor = call.request.header(b"last-event-id") or query.last_event_id or query.lastEventId
    connection = await call.resources.enter_async_context(call.core.streams.open(identity, cursor or None))
    return event_stream(encode_retry(connection.retry_ms), connection.receive)


@operations.serve(
    "GET",
    sockets.PATH,
    answers={
        101: Answer(None, None, "WebSocket, until either side closes", events=EVENT_KINDS, commands=COMMAND_KINDS)
    },
    refusals=[UpgradeRequired],
    opens_stream=True,
)
async def open_socket(call: Call, identity: Identity, query: OpenEvents) -> Response:
    """Open a WebSocket: the same events as the stream, and commands with replies, a JSON text in each frame.

    This is what a request is told that does not ask for one. One that does is answered with 101 even where it has no
    good credentials, and then closed with 4001, because a browser tells its page nothing of a handshake that failed; a
    page of another origin is refused with 403. Close codes: 1003 binary, 1008 not commands, 1009 more than 64 KiB, 1012
    draining, 4001 authentication, 4008 slow consumer, 4010 too many. After 1012 and 4008 come back with the last cursor.
    """
    raise UpgradeRequired("Open a WebSocket here.")


@operations.serve("GET", "/api/v1/events/log", answers={200: EventLogOut}, refusals=[CursorRefused])
async def read_event_log(call: Call, identity: Identity, query: ReadEventLog) -> Response:
    """Read events after a cursor, or wait for some (long poll)."""
    log = await call.core.streams.log(identity, after=query.after, limit=query.limit, wait_s=query.wait)
    events = [
        EventOut(id=cursor, event=event.name, data=json.loads(event.data), at=event.at)
        for cursor, event in log.events
    ]
    return reply(200, EventLogOut(events=events, cursor=log.cursor, has_more=log.has_more))


@operations.serve("POST", "/api/v1/events/ticket", answers={200: TicketOut}, is_secret=True)
async def issue_ticket(call: Call, identity: Identity) -> Response:
    """Get a ticket with which a client that can set no header opens its stream.

    It is bound to the session, and good for 10 minutes and for reconnects to the same URL within them. It needs no
    Idempotency-Key: each time makes another.
    """
    ticket = await call.core.sign_in.issue_ticket(identity)
    return reply(200, TicketOut(ticket=ticket.ticket, expires_at=ticket.expires_at))


@operations.serve("GET", "/api/v1/sync", answers={200: SyncOut})
async def sync(call: Call, identity: Identity) -> Response:
    """Read everything a client needs to start, from one snapshot."""
    snapshot = await call.core.streams.sync(identity)
    online = frozenset(snapshot.online)
    board = call.core.board
    peers = dict.fromkeys(view.other_user.id for view in snapshot.conversations)
    return reply(
        200,
        SyncOut(
            conversations=[render_conversation(call.core, view) for view in snapshot.conversations],
            total_unread=snapshot.total_unread,
            presence=[
                Presence(user_id=peer, online=peer in online, last_active_at=board.last_active_at(peer))
                for peer in peers
            ],
            cursor=snapshot.cursor,
        ),
    )


class _Once:
    """Receives the same frames once, then ends."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = frames

    async def receive(self) -> Sequence[Frame]:
        frames, self._frames = self._frames, ()
        return frames


def _draining() -> Sequence[Frame]:
    closing = Closing(reason=ClosingReason.DRAINING, reconnect=True)
    return [Frame(id=None, event="closing", data=to_json(closing))]
