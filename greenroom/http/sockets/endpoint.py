"""The handshake of a WebSocket: who may open one, and what it is told who may not.

A page of another origin is refused before anything is accepted. Whoever lacks credentials is accepted first and closed
at once with a code: a browser tells its page nothing about a handshake that failed.
"""

from __future__ import annotations

from typing import Final

from hypercorn.typing import WebsocketScope

from greenroom.actors.core import Core
from greenroom.actors.identity import Identity
from greenroom.http.access import AccessRecorder, RequestRecord
from greenroom.http.admission import address_of, terms_of
from greenroom.http.credentials import check_same_site, identify
from greenroom.http.faults import HttpFault
from greenroom.http.hosts import AllowedHosts
from greenroom.http.problems import MEDIA_TYPE, problem_of, render
from greenroom.http.query_string import parse_query
from greenroom.http.request import Request
from greenroom.http.sockets.closing import CloseCode
from greenroom.http.sockets.session import Receive, Send, SocketSession
from greenroom.schema.errors import DomainError, NotAuthenticated, Unavailable
from greenroom.schema.requests import OpenEvents
from greenroom.schema.settings import Settings

PATH: Final = "/api/v1/ws"


class SocketEndpoint:
    """Serves WebSocket scopes of :data:`PATH`."""

    def __init__(self, core: Core, settings: Settings, recorder: AccessRecorder) -> None:
        self._core = core
        self._settings = settings
        self._hosts = AllowedHosts(settings.allowed_hosts)
        self._recorder = recorder

    async def __call__(self, scope: WebsocketScope, receive: Receive, send: Send) -> None:
        record = self._recorder.begin("GET", Request(scope).header(b"x-request-id"))
        record.route = PATH
        try:
            await receive()  # websocket.connect
            await self._serve(Request(scope), record, receive, send)
        finally:
            self._recorder.end(record)

    async def _serve(self, request: Request, record: RequestRecord, receive: Receive, send: Send) -> None:
        try:
            self._hosts.check(request)
            query = parse_query(request.query_string, OpenEvents) or OpenEvents()
            if request.header(b"origin") is not None:
                check_same_site(request, self._settings.allowed_origins)
            identity = await self._identify(request, query.ticket)
        except (DomainError, HttpFault) as error:
            await self._refuse(error, record, send)
            return
        cursor = request.header(b"last-event-id") or query.last_event_id or query.lastEventId or None
        del request, query  # the socket may be open for hours
        record.status, record.is_stream = 101, True
        await send({"type": "websocket.accept", "headers": [(b"x-request-id", record.request_id.encode())]})
        if identity is None:
            code: CloseCode | None = CloseCode.AUTHENTICATION
        elif self._core.draining.has_begun:
            code = CloseCode.DRAINING
        else:
            code = await self._run(identity, cursor, record, receive, send)
        if code is not None:
            await send({"type": "websocket.close", "code": code.value, "reason": code.name.lower()})

    async def _identify(self, request: Request, ticket: str | None) -> Identity | None:
        """Who is asking; None if that can't be told.

        Raises:
            CrossSiteRequest: a cookie that a page of another site has sent along.
            RateLimited: too many such from there.
        """
        core, settings = self._core, self._settings
        try:
            identity = await identify(request, core.sign_in, settings, ticket=ticket, opens_stream=True)
        except NotAuthenticated:
            await core.limiting.anonymous_request(address_of(request, core, settings))
            return None
        return terms_of(identity, request, core, settings)

    async def _run(
        self, identity: Identity, cursor: str | None, record: RequestRecord, receive: Receive, send: Send
    ) -> CloseCode | None:
        try:
            async with self._core.streams.open(identity, cursor) as stream:
                session = SocketSession(
                    self._core, identity, stream, receive=receive, send=send, name=record.request_id
                )
                return await session.run()
        except Unavailable:
            return CloseCode.DRAINING  # come back soon: another worker, or a database that is there again

    async def _refuse(self, error: Exception, record: RequestRecord, send: Send) -> None:
        """Answer the handshake with a problem, as any request."""
        problem, headers = problem_of(error, record.request_id)
        record.status = problem.status
        body = render(problem)
        sent = {**headers, "Content-Type": MEDIA_TYPE, "Content-Length": str(len(body))}
        sent |= {"X-Request-Id": record.request_id, "Connection": "close"}
        raw = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
        await send({"type": "websocket.http.response.start", "status": problem.status, "headers": raw})
        await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
