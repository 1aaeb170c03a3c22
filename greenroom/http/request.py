"""A request as operations see it: a record over the ASGI scope, whose headers are looked at only when asked for."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any, Final
from urllib.parse import urlsplit

from werkzeug.sansio.http import parse_cookie

from greenroom.http.access import RequestRecord
from greenroom.http.faults import HttpFault

_NOTHING: Final[dict[str, str]] = {}


class Request:
    """One request, whose body was read already, or one to open a WebSocket.

    Attributes:
        path: decoded, with one slash at its beginning.
        path_arguments: what stands in the path for each name of the route's.
        payload: the body, if it was accepted.
        body_fault: why it was not.
        resources: of an operation that opens a stream: what the answer needs until its last byte is written; closed
            afterwards, or when the client leaves.
        record: what is logged and counted of this request.
        scope: as the server gave it; header names are in lower case.
    """

    __slots__ = (
        "_headers", "body_fault", "method", "path", "path_arguments", "payload", "query_string", "record", "resources",
        "scope",
    )  # fmt: skip

    resources: AsyncExitStack
    record: RequestRecord

    def __init__(self, scope: Any) -> None:
        path: str = scope["path"]
        if not path.startswith("/"):
            path = urlsplit(path).path  # the target was an absolute URI
        self.method: str = scope.get("method", "GET")  # of a WebSocket it is not said
        self.path = path if path[1:2] != "/" and path else "/" + path.lstrip("/")
        self.path_arguments = _NOTHING
        self.query_string: bytes = scope["query_string"]
        self.payload = b""
        self.body_fault: HttpFault | None = None
        self.scope = scope
        # The first of several wins, so it comes last.
        self._headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))

    def header(self, name: bytes) -> str | None:
        """The value of a header, of the first where there are several.

        Args:
            name: in lower case.
        """
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def cookie(self, name: str) -> str | None:
        """The value of a cookie, of the first where there are several."""
        given = [value.decode("latin-1") for found, value in self.scope["headers"] if found == b"cookie"]
        return parse_cookie(";".join(given)).get(name) if given else None
