"""Whether the database answers."""

from __future__ import annotations

from typing import Protocol


class Health(Protocol):
    """How the database is, as far as this worker can tell."""

    async def ping(self) -> None:
        """Prove that the database answers.

        Raises:
            Unavailable: it did not, in time.
        """
        ...

    @property
    def is_pressed(self) -> bool:
        """Whether somebody waits for a connection now: what can wait, or be left out, should be."""
        ...
