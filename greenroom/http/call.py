"""One request as an operation sees it: the request itself, who asks if that is an operator, and what there is to answer with."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from greenroom.actors.core import Core
from greenroom.actors.stall_watchdog import StallWatchdog
from greenroom.http.idempotency import client_id_of, given_key
from greenroom.http.request import Request
from greenroom.schema.audit import OperatorName
from greenroom.schema.settings import Settings


@dataclass(frozen=True, slots=True)
class Operator:
    """Proof that the request comes from an operator, and from whom."""

    name: OperatorName


@dataclass(frozen=True, slots=True)
class Site:
    """What the server says about itself: the OpenAPI document, the same as a page, the metrics, and what blocked it.

    Attributes:
        watchdog: None where nothing watches for stalls.
    """

    openapi: bytes
    docs: bytes
    registry: CollectorRegistry
    watchdog: StallWatchdog | None


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation works with.

    Attributes:
        resources: of an operation that opens a stream: closed when the answer has been written, or the client left.
    """

    request: Request
    core: Core
    settings: Settings
    site: Site

    @property
    def resources(self) -> AsyncExitStack:
        return self.request.resources

    def client_id(self, given: str | None) -> str | None:
        """The client id of a message: the client's own, else one made from the request's key, else none."""
        key = given_key(self.request) if given is None else None
        return given if key is None else client_id_of(key)
