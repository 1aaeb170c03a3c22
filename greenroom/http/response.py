"""An answer as operations make it: a status, headers as they go over the wire, and a body or a stream of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from pydantic import BaseModel
from werkzeug.http import dump_cookie

Header = tuple[bytes, bytes]

_JSON: Header = (b"content-type", b"application/json")


class Response:
    """One answer.

    Attributes:
        headers: names in lower case; the body's length is added when it is sent.
        body: all of it, or its pieces as they come, which makes the answer a stream.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(
        self, status: int, body: bytes | AsyncIterator[bytes] = b"", headers: list[Header] | None = None
    ) -> None:
        self.status = status
        self.body = body
        self.headers: list[Header] = [] if headers is None else headers

    @property
    def is_stream(self) -> bool:
        return not isinstance(self.body, bytes)

    @property
    def content_type(self) -> str | None:
        return next((value.decode() for name, value in self.headers if name == b"content-type"), None)

    def set_cookie(
        self, name: str, value: str, *, expires: datetime | int, max_age: int | None = None, is_secure: bool
    ) -> None:
        """Give a cookie that scripts can't read and that other sites' requests, but for plain links, don't carry."""
        cookie = dump_cookie(
            name,
            value,
            max_age=max_age,
            expires=expires,
            path="/",
            secure=is_secure,
            httponly=True,
            samesite="Lax",
        )
        self.headers.append((b"set-cookie", cookie.encode()))

    def delete_cookie(self, name: str, *, is_secure: bool) -> None:
        """Have the client forget a cookie."""
        self.set_cookie(name, "", expires=0, max_age=0, is_secure=is_secure)


def json_reply(status: int, body: bytes) -> Response:
    """Answer with JSON that is rendered already."""
    return Response(status, body, [_JSON])


def reply(status: int, model: BaseModel | None = None) -> Response:
    """Answer with a model as JSON, or with nothing."""
    if model is None:
        return Response(status)
    # From pydantic's own serialiser: ``model_dump_json`` makes text of it first.
    return json_reply(status, model.__pydantic_serializer__.to_json(model))


def reply_with(body: bytes, content_type: str, **headers: str) -> Response:
    """Answer with content of another type; underscores in the names of ``headers`` stand for hyphens."""
    more = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Response(200, body, [(b"content-type", content_type.encode()), *more])
