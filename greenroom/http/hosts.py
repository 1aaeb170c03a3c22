"""Which names this server goes by: with a list, a request for any other is refused before it is looked at.

A page can have its own name resolve to our address (DNS rebinding) and then ask us as if we were its own site; the Host header
still says by which name. Source: OWASP ASVS 5.0, 13.2; RFC 9110, 7.4 and 15.5.20.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from greenroom.http.faults import MisdirectedRequest
from greenroom.http.request import Request

_EVERY_NAME: Final = frozenset({"/health/live", "/health/ready"})
"""Asked by what balances load, which knows workers by their addresses."""


class AllowedHosts:
    """Args:
    names: without port, in lower case; with none, any will do.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)

    def check(self, request: Request) -> None:
        """Raises MisdirectedRequest: the request is for another host."""
        if request.path not in _EVERY_NAME and not self.include(request.header(b"host") or ""):
            raise MisdirectedRequest("This server is not asked by that name.")

    def include(self, host: str) -> bool:
        """Whether a Host header names this server."""
        return not self._names or host_name(host) in self._names


def host_name(host: str) -> str:
    """``Example.org:8000`` as ``example.org``, ``[::1]:8000`` as ``[::1]``."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isascii() and port.isdigit() else host).lower().removesuffix(".")
