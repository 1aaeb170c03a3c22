"""What can be wrong with a request as HTTP, before the domain has a say. Each names its own status."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class HttpFault(Exception):
    """Base of them; ``str(fault)`` is the ``detail`` a client reads."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    headers: Mapping[str, str] = MappingProxyType({})


class MalformedBody(HttpFault):
    """The body is not JSON in UTF-8, is nested too deeply, or names a field twice."""

    status, code, title = 400, "malformed_body", "Malformed body"


class CrossSiteRequest(HttpFault):
    """A request with the session cookie, from a page that is not ours."""

    status, code, title = 403, "cross_site_request", "Cross-site request"


class RouteNotFound(HttpFault):
    """Nothing is served here, or what stands for an id in the path is none."""

    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(HttpFault):
    """The path exists, without this method."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"This path allows {', '.join(allowed)}.")
        self.headers = {"Allow": ", ".join(allowed)}


class BodyTimeout(HttpFault):
    """The body did not arrive in time."""

    status, code, title = 408, "body_timeout", "Body too slow"
    headers = MappingProxyType({"Connection": "close"})


class BodyTooLarge(HttpFault):
    """The body is longer than any that greenroom takes."""

    status, code, title = 413, "body_too_large", "Body too large"
    headers = MappingProxyType({"Connection": "close"})


class UpgradeRequired(HttpFault):
    """Only WebSocket is spoken here, of version 13."""

    status, code, title = 426, "upgrade_required", "Upgrade Required"
    headers = MappingProxyType({"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"})


class MisdirectedRequest(HttpFault):
    """The request is for a host that this server is not."""

    status, code, title = 421, "misdirected_request", "Misdirected request"


class UnsupportedMediaType(HttpFault):
    """The body is not declared as JSON."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"
