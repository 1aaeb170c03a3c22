"""Whether the database answers."""

from __future__ import annotations

from typing import Protocol


class Health(Protocol):
    async def ping(self) -> None:
        """Prove that the database answers; raises Unavailable otherwise."""
        ...

    @property
    def is_pressed(self) -> bool:
        """Whether somebody waits for a connection now: what can wait, or be left out, should be."""
        ...
