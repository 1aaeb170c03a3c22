"""Why a WebSocket is closed, in its own language.

Source: RFC 6455, 7.4; codes from 4000 on are ours.
"""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import Final

from greenroom.schema.events import ClosingReason


class CloseCode(IntEnum):
    """What a client does then: after 1012 and 4008 it reconnects with its cursor, after the others not by itself."""

    UNSUPPORTED = 1003
    POLICY = 1008
    TOO_BIG = 1009
    DRAINING = 1012
    AUTHENTICATION = 4001
    SLOW_CONSUMER = 4008
    TOO_MANY = 4010


CLOSE_CODES: Final = MappingProxyType(
    {
        ClosingReason.SLOW_CONSUMER: CloseCode.SLOW_CONSUMER,
        ClosingReason.DRAINING: CloseCode.DRAINING,
        ClosingReason.REVOKED: CloseCode.AUTHENTICATION,
        ClosingReason.EXPIRED: CloseCode.AUTHENTICATION,
        ClosingReason.EVICTED: CloseCode.TOO_MANY,
    }
)
