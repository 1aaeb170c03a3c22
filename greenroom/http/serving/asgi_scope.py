"""What an application is told about a request, as ASGI words it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from greenroom.http.serving.request_head import RequestHead

if TYPE_CHECKING:
    from greenroom.http.serving.connection import Connection


def common_scope(connection: Connection, head: RequestHead) -> dict[str, Any]:
    """Make what requests and WebSockets have in common: all but ``type`` and what belongs to it."""
    raw_path, _, query = head.target.partition(b"?")
    path = raw_path.decode("ascii")
    client, scheme = connection.origin(head.headers)
    return {
        "http_version": head.version,
        "asgi": {"spec_version": "2.1", "version": "3.0"},
        "scheme": scheme,
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": head.headers,
        "client": client,
        "server": connection.address,
        "state": connection.shared.state.copy(),
        "extensions": {},
    }
