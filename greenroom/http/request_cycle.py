"""One request from its head to the last byte of its answer.

An operation is found and carried out here, in the connection's own task and without a context of Quart's: its request is
a record, its answer another, and what all answers carry is rendered once. Paths that no operation has, and the pages, are
Quart's (:mod:`greenroom.http.quart_pages`).

The body is read first, bounded in size and time, because bodies are small. A client that leaves is noticed by its
connection, which cancels this.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from structlog.contextvars import bind_contextvars, reset_contextvars

from greenroom.http import faults
from greenroom.http.access import AccessRecorder
from greenroom.http.call import Call
from greenroom.http.cross_origin import CrossOrigin
from greenroom.http.faults import HttpFault
from greenroom.http.hosts import AllowedHosts
from greenroom.http.operations import Operation
from greenroom.http.refusing import Refusing
from greenroom.http.request import Request
from greenroom.http.request_body import read_body
from greenroom.http.response import Response
from greenroom.http.routing import Routes
from greenroom.http.security_headers import StandardHeaders
from greenroom.supervisor import origin


class RequestCycle:
    """Serves HTTP scopes. The server must cancel it when the client leaves.

    Args:
        otherwise: answers what no operation is for.
    """

    def __init__(
        self,
        routes: Routes,
        make_call: Callable[[Request], Call],
        *,
        recorder: AccessRecorder,
        headers: StandardHeaders,
        hosts: AllowedHosts,
        cross_origin: CrossOrigin,
        refusing: Refusing,
        otherwise: Callable[[Request], Awaitable[Response]],
    ) -> None:
        self._routes = routes
        self._make_call = make_call
        self._recorder = recorder
        self._headers = headers
        self._hosts = hosts
        self._cross_origin = cross_origin
        self._refusing = refusing
        self._otherwise = otherwise

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        request = Request(scope)
        record = request.record = self._recorder.begin(request.method, request.header(b"x-request-id"))
        try:
            try:
                length = request.header(b"content-length")
                if length is not None or request.header(b"transfer-encoding") is not None:
                    request.payload = await read_body(receive, length)
            except HttpFault as fault:
                request.body_fault = fault
            # What it asks of actors carries the request's id as its trace, and so does every line it logs.
            bound = bind_contextvars(request_id=record.request_id)
            try:
                with origin(record.request_id):
                    await self._serve(request, send)
            finally:
                reset_contextvars(**bound)
        finally:
            self._recorder.end(record)

    async def _serve(self, request: Request, send: ASGISendCallable) -> None:
        try:
            self._hosts.check(request)
        except HttpFault as fault:
            await self._send(request, self._refusing.refuse(fault, request.record.request_id), send)
            return
        match = self._routes.find(request.method, request.path)
        if match is None:
            await self._send(request, await self._otherwise(request), send)
            return
        operation = match.operation
        if operation is None:
            await self._send(request, self._not_allowed(request, match.methods), send)
            return
        request.record.route = operation.path
        request.path_arguments = match.arguments
        if operation.opens_stream:
            async with AsyncExitStack() as request.resources:
                await self._send(request, await self._carry_out(operation, request), send)
        else:
            await self._send(request, await self._carry_out(operation, request), send)

    async def _carry_out(self, operation: Operation, request: Request) -> Response:
        try:
            return await operation(self._make_call(request))
        except Exception as error:
            # The edge where every error of an operation becomes an answer.
            return self._refusing.refuse(error, request.record.request_id)

    def _not_allowed(self, request: Request, methods: Iterable[str]) -> Response:
        """Answer a method that the path is not served with, or a browser that asks which ones it is."""
        if self._cross_origin.is_preflight(request):
            return Response(204, headers=self._cross_origin.permission(methods))
        return self._refusing.refuse(faults.MethodNotAllowed(tuple(sorted(methods))), request.record.request_id)

    async def _send(self, request: Request, response: Response, send: ASGISendCallable) -> None:
        record, body, headers = request.record, response.body, response.headers
        record.status = response.status
        record.is_stream = response.is_stream
        headers += self._cross_origin.annotation(request)
        headers += self._headers.missing(headers)
        headers.append((b"x-request-id", record.request_id.encode()))
        start: Any = {"type": "http.response.start", "status": response.status, "headers": headers}
        if isinstance(body, bytes):
            headers.append((b"content-length", b"%d" % len(body)))
            await send(start)
            await send({"type": "http.response.body", "body": body, "more_body": False})
            return
        await send(start)
        async for piece in body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
