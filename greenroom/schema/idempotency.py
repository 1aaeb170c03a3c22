"""Requests that are answered once: what identifies one, and what is kept of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RequestKey:
    """One request, however often it is sent.

    Attributes:
        owner: whose key it is; others may use the same one.
        fingerprint: of everything that was asked for, so that another request under the same key is noticed.
    """

    owner: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    status: int
    content_type: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """A request that was seen before; ``answer`` is None while it is being carried out."""

    fingerprint: bytes
    began_at: datetime
    answer: KeptAnswer | None
