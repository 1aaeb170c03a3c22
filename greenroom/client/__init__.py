"""A client of a greenroom server, on Trio and asyncio."""

from greenroom.client.client import Greenroom, connect
from greenroom.client.errors import ClientError, NotGreenroom, RateLimited, Refused, StreamClosed, Unreachable
from greenroom.client.events import Event, EventStream, StreamState

__all__ = [
    "ClientError",
    "Event",
    "EventStream",
    "Greenroom",
    "NotGreenroom",
    "RateLimited",
    "Refused",
    "StreamClosed",
    "StreamState",
    "Unreachable",
    "connect",
]
