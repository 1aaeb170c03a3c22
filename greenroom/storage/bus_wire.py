"""The port behind a bus of several processes: what carries payloads between them, as different for Redis and Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


class WireDown(Exception):
    """The wire was lost or can't be had; whatever was under way on it may or may not have arrived."""


@dataclass(frozen=True, slots=True)
class Payload:
    """Bytes for one of the wire's channels; UTF-8 text without NUL, as not every wire carries more than that."""

    channel: int
    body: bytes


class Link(Protocol):
    """A wire while it holds. One task sends and one receives; after an error from either it is of no more use."""

    async def send(self, payloads: Sequence[Payload]) -> None:
        """Hand payloads over, in order per channel; those that listen get them, this link included.

        Raises:
            WireDown: also when the other end did not confirm within the wire's time limit.
        """
        ...

    async def receive(self) -> Sequence[Payload]:
        """Wait for payloads; at least one.

        Raises:
            WireDown: nothing more will come.
        """
        ...


class Wire(Protocol):
    """A way to every other worker, which may lose anything at any time."""

    @property
    def name(self) -> str:
        """One word for logs and metrics."""
        ...

    @property
    def channels(self) -> int:
        """How many channels there are, counted from 0; each is in order, they are not among each other."""
        ...

    @property
    def payload_bytes_max(self) -> int:
        """The longest body it carries."""
        ...

    def connect(self) -> AbstractAsyncContextManager[Link]:
        """Open a link that already listens on every channel.

        Raises:
            WireDown: it can't be had within the wire's time limit. The body may be ended by an exception group of it.
        """
        ...
